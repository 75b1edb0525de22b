// SPDX-License-Identifier: GPL-2.0-only
/* report_reply.c - the answer to a probe, and the way back, as JSON and as text. */
#include <stdio.h>

#include "names.h"
#include "report_sections.h"

#define PUT(out, literal) fg_buffer_put(out, literal, sizeof(literal) - 1)

static void put_action(struct fg_buffer *out, const struct fg_program *program,
		       const struct fg_step *step)
{
	const char *action = NULL;

	if (step->has_retval && !program->classifier)
		fg_action_read(program->hook, step->retval, &action);
	if (step->has_retval)
		fg_buffer_printf(out, ",\"retval\":%d,\"action\":", step->retval);
	else
		PUT(out, ",\"retval\":null,\"action\":");
	fg_json_put_text(out, action);
}

static void put_program(struct fg_buffer *out, const struct fg_program *program, size_t index)
{
	fg_buffer_printf(out,
			 "{\"order\":%zu,\"hook\":\"%s\",\"side\":\"%s\",\"device\":", index + 1,
			 fg_hook_name(program->hook), fg_side_name(program->side));
	fg_json_put_text(out, program->device);
	fg_buffer_printf(out, ",\"id\":%u,\"name\":", program->id);
	fg_json_put_text(out, program->name);
}

static void put_policy(struct fg_buffer *out, const struct fg_ladder *back,
		       const struct fg_reply *reply)
{
	if (!back) {
		PUT(out, "null");
		return;
	}
	fg_buffer_printf(out,
			 "{\"verdict\":\"%s\",\"denied_by\":", fg_verdict_name(reply->verdict));
	if (reply->denied_by >= 0) {
		put_program(out, &back->programs[reply->denied_by], (size_t)reply->denied_by);
		PUT(out, "}");
	} else {
		PUT(out, "null");
	}
	PUT(out, ",\"programs\":[");
	for (size_t i = 0; i < back->count; i++) {
		const struct fg_step *step = &reply->steps[i];

		if (i)
			PUT(out, ",");
		put_program(out, &back->programs[i], i);
		fg_buffer_puts(out, step->ran == FG_RAN_YES  ? ",\"ran\":true"
				    : step->ran == FG_RAN_NO ? ",\"ran\":false"
							     : ",\"ran\":null");
		put_action(out, &back->programs[i], step);
		fg_buffer_printf(out, ",\"evidence\":\"%s\"}", fg_evidence_name(step->evidence));
	}
	PUT(out, "]}");
}

static void put_drop(struct fg_buffer *out, const struct fg_scene *scene,
		     const struct fg_reply *reply)
{
	char number[32], hex[32];
	uint32_t code;

	if (!reply->dropped) {
		PUT(out, "null");
		return;
	}
	code = (uint32_t)reply->end->event.code;
	PUT(out, "{\"reason\":");
	fg_json_put_text(out, fg_drop_name(scene, code, number, sizeof(number)));
	fg_buffer_printf(out, ",\"code\":%u,\"location\":", code);
	fg_json_put_text(out, fg_drop_location(reply->end, hex, sizeof(hex)));
	PUT(out, "}");
}

static void put_details(struct fg_buffer *out, const struct fg_reply *reply)
{
	if (reply->kind == FG_REPLY_ICMP_ERROR || reply->kind == FG_REPLY_ECHO)
		fg_buffer_printf(out, ",\"icmp_type\":%u,\"icmp_code\":%u", reply->icmp_type,
				 reply->icmp_code);
	if (reply->kind == FG_REPLY_DNS)
		fg_buffer_printf(out, ",\"dns_rcode\":%u", reply->dns_rcode);
	if (reply->kind == FG_REPLY_SYN_ACK || reply->kind == FG_REPLY_RST ||
	    reply->kind == FG_REPLY_TCP)
		fg_buffer_printf(out, ",\"seq\":%u,\"ack\":%u", reply->tcp_seq, reply->tcp_ack);
}

void fg_json_reply(struct fg_buffer *out, const struct fg_scene *scene,
		   const struct fg_reply *reply)
{
	bool seen = reply->kind != FG_REPLY_NONE;
	char from[FG_ADDR_TEXT_LEN];

	PUT(out, ",\"reply\":");
	if (!seen && !scene->wants_reply) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"kind\":");
	fg_json_put_text(out, fg_reply_name(reply->kind));
	PUT(out, ",\"from\":");
	fg_json_put_text(out, reply->from.family ? fg_addr_text(&reply->from, from, sizeof(from))
						 : NULL);
	if (seen)
		fg_buffer_printf(out, ",\"rtt_ns\":%llu,\"ttl\":%u,\"length\":%u",
				 (unsigned long long)reply->rtt_ns, reply->hops_left,
				 reply->length);
	else
		PUT(out, ",\"rtt_ns\":null,\"ttl\":null,\"length\":null");
	put_details(out, reply);
	PUT(out, ",\"drop\":");
	put_drop(out, scene, reply);
	PUT(out, ",\"policy\":");
	put_policy(out, scene->back, reply);
	PUT(out, "}");
}

/* What a person calls it. */
static void kind_text(const struct fg_reply *reply, char *text, size_t size)
{
	const char *name = fg_reply_name(reply->kind);

	if (reply->kind == FG_REPLY_ICMP_ERROR)
		snprintf(text, size, "%s, type %u code %u", name, reply->icmp_type,
			 reply->icmp_code);
	else if (reply->kind == FG_REPLY_DNS)
		snprintf(text, size, "%s, response code %u", name, reply->dns_rcode);
	else
		snprintf(text, size, "%s", name);
}

void fg_text_reply(const struct fg_page *page, const struct fg_scene *scene,
		   const struct fg_reply *reply)
{
	char text[320], kind[64], from[FG_ADDR_TEXT_LEN], time[32], number[32];

	if (reply->kind == FG_REPLY_NONE && !scene->wants_reply)
		return;
	kind_text(reply, kind, sizeof(kind));
	if (reply->kind != FG_REPLY_NONE)
		snprintf(text, sizeof(text), "%s from %s after %s, ttl %u", kind,
			 fg_addr_text(&reply->from, from, sizeof(from)),
			 fg_time_text(reply->rtt_ns, page->utf8, time, sizeof(time)),
			 reply->hops_left);
	else if (reply->dropped)
		snprintf(text, sizeof(text), "dropped on its way back: %s",
			 fg_drop_name(scene, (uint32_t)reply->end->event.code, number,
				      sizeof(number)));
	else
		snprintf(text, sizeof(text), "none came in time");
	fg_text_entry(page, "reply", text);
	if (!scene->back)
		return;
	if (reply->denied_by >= 0)
		snprintf(text, sizeof(text), "denied by %s (%s on %s)",
			 scene->back->programs[reply->denied_by].name,
			 fg_hook_name(scene->back->programs[reply->denied_by].hook),
			 scene->back->programs[reply->denied_by].device);
	else if (!scene->back->count)
		snprintf(text, sizeof(text), "no policy program stands on it");
	else
		snprintf(text, sizeof(text), "policy verdict %s, of %zu program%s",
			 fg_verdict_name(reply->verdict), scene->back->count,
			 scene->back->count == 1 ? "" : "s");
	fg_text_entry(page, "way back", text);
}
