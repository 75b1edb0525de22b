// SPDX-License-Identifier: GPL-2.0-only
/* report/netfilter.c - the rule of netfilter that dropped a packet, in JSON and in words. */
#include "base/json.h"
#include "probe/netfilter.h"
#include "report/internal.h"

static const char *place_name(const struct fg_context *context, const struct fg_netfilter *by,
			      const struct fg_observation *end)
{
	const struct fg_device *device =
		end && end->event.netns == by->netns && context->device
			? context->device(context->names, by->netns, (int)end->event.ifindex)
			: NULL;

	return device ? device->where : NULL;
}

void fg_report_json_rule(struct fg_buffer *out, const struct fg_netfilter *by)
{
	if (!by) {
		PUT(out, "\"family\":null,\"table\":null,\"chain\":null,\"rule\":null,"
			 "\"policy\":null,\"verdict\":null");
		return;
	}
	PUT(out, "\"family\":");
	fg_json_put_text(out, fg_netfilter_family(by->family));
	PUT(out, ",\"table\":");
	fg_json_put_text(out, by->table);
	PUT(out, ",\"chain\":");
	fg_json_put_text(out, by->chain);
	if (by->policy) {
		PUT(out, ",\"rule\":null,\"policy\":true");
	} else {
		PUT(out, ",\"rule\":{\"handle\":");
		fg_buffer_put_u64(out, by->handle);
		PUT(out, ",\"comment\":");
		fg_json_put_text(out, by->comment);
		PUT(out, "},\"policy\":false");
	}
	PUT(out, ",\"verdict\":");
	fg_json_put_text(out, fg_netfilter_verdict(by));
}

void fg_report_json_netfilter(struct fg_buffer *out, const struct fg_context *context,
			      const struct fg_result *result)
{
	const struct fg_netfilter *by = result->netfilter;

	if (!by) {
		PUT(out, ",\"netfilter\":null");
		return;
	}
	PUT(out, ",\"netfilter\":{\"netns\":{\"inode\":");
	fg_buffer_put_u64(out, by->netns);
	PUT(out, ",\"name\":");
	fg_json_put_text(out, place_name(context, by, result->end));
	PUT(out, "},");
	fg_report_json_rule(out, by);
	PUT(out, "}");
}

void fg_report_text_netfilter(const struct fg_page *page, const struct fg_result *result)
{
	char text[FG_NETFILTER_TEXT_LEN];

	if (result->netfilter)
		fg_page_entry(page, "by", fg_netfilter_text(result->netfilter, text, sizeof(text)));
}
