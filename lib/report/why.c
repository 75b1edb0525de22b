// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/why.c - what is found out besides the packet's own path: the cause of a drop, a hint what
 * to look at next, and what the policy itself states.
 */
#include <stdio.h>

#include "base/json.h"
#include "facts/cause.h"
#include "facts/hint.h"
#include "probe/netfilter.h"
#include "report/internal.h"
#include "cni/show.h"

/* The program or the rule is known, or it was looked for: there is nothing to look at next. */
static bool is_named(const struct fg_context *context, const struct fg_result *result)
{
	return result->denied_by >= 0 || result->netfilter ||
	       (context->netfilter_traced && fg_netfilter_dropped(context, result));
}

/* The word for people on how the packet ended; false: there is none. */
static bool hint_of(const struct fg_context *context, const struct fg_result *result, char *buf,
		    size_t size)
{
	const struct fg_observation *end = result->end;
	const struct fg_device *device =
		end ? fg_view_device(context, end->event.netns, (int)end->event.ifindex) : NULL;
	const char *reason = result->dropped && context->reason
				     ? context->reason(context->names, result->drop_code)
				     : NULL;
	char place[350];

	if ((!result->dropped && !result->cause) || is_named(context, result))
		return false;
	if (device)
		snprintf(place, sizeof(place), "%s%s%s%s", device->name,
			 device->where[0] ? " (" : "", device->where, device->where[0] ? ")" : "");
	return fg_hint_for(reason, result->dropped && end ? end->symbol : NULL,
			   device ? place : NULL, result->cause, buf, size);
}

static void put_member(struct fg_buffer *out, const char *key, const char *text)
{
	fg_buffer_printf(out, "\"%s\":", key);
	fg_json_put_text(out, text);
}

static void put_cause(struct fg_buffer *out, const struct fg_cause *cause)
{
	if (!cause || cause->kind == FG_CAUSE_NONE) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{");
	put_member(out, "kind", fg_cause_kind_name(cause->kind));
	PUT(out, ",");
	put_member(out, "how", cause->how);
	PUT(out, ",");
	put_member(out, "what", cause->what);
	PUT(out, ",");
	put_member(out, "setting", cause->setting);
	PUT(out, ",");
	put_member(out, "value", cause->value);
	PUT(out, ",");
	put_member(out, "process", cause->process);
	PUT(out, "}");
}

void fg_why_json(struct fg_buffer *out, const struct fg_context *context,
		 const struct fg_result *result)
{
	char hint[FG_HINT_LEN];

	PUT(out, ",\"cause\":");
	put_cause(out, result->cause);
	PUT(out, ",\"hint\":");
	fg_json_put_text(out, hint_of(context, result, hint, sizeof(hint)) ? hint : NULL);
}

void fg_why_json_stated(struct fg_buffer *out, const struct fg_result *result)
{
	if (result->stated)
		fg_cni_show_json(out, result->stated);
	else
		PUT(out, "null");
}

const char *fg_why_stated(const struct fg_result *result, bool utf8, char *buf, size_t size)
{
	if (!result->stated)
		return NULL;
	fg_cni_show_text(result->stated, utf8, buf, size);
	return buf[0] ? buf : NULL;
}

void fg_why_text(const struct fg_page *page, const struct fg_context *context,
		 const struct fg_result *result)
{
	char text[FG_HINT_LEN > FG_CAUSE_TEXT_LEN ? FG_HINT_LEN : FG_CAUSE_TEXT_LEN];

	if (result->cause && result->cause->kind != FG_CAUSE_NONE)
		fg_page_entry(page, "cause", fg_cause_text(result->cause, text, sizeof(text)));
	if (hint_of(context, result, text, sizeof(text)))
		fg_page_entry(page, "hint", text);
	if (result->attempts > 1) {
		snprintf(text, sizeof(text), "%u packets were sent to find this out",
			 result->attempts);
		fg_page_entry(page, "attempts", text);
	}
}
