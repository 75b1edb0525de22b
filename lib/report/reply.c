// SPDX-License-Identifier: GPL-2.0-only
/* report/reply.c - the reply to a probe, and the return path, as JSON and as text. */
#include <stdio.h>

#include "base/json.h"
#include "probe/names.h"
#include "report/internal.h"

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

/* As of the packet itself, with the same members. */
static void put_way(struct fg_buffer *out, const struct fg_report *report,
		    const struct fg_reply *reply)
{
	const struct fg_context *back = reply->back;
	const struct fg_constant *constant = reply->way ? fg_constant_find(report, back, out)
							: NULL;

	if (!constant) {
		PUT(out, ",\"policy\":null,\"decisions\":null,\"decider\":null,\"drop\":null,"
			 "\"reason\":null,\"cause\":null,\"hint\":null");
		return;
	}
	PUT(out, ",\"policy\":");
	fg_policy_json(out, back, constant, reply->way);
	PUT(out, ",\"decisions\":");
	fg_policy_decisions_json(out, back, constant, reply->way);
	PUT(out, ",\"decider\":");
	fg_policy_decider_json(out, back, reply->way);
	PUT(out, ",\"drop\":");
	fg_report_json_drop(out, back, reply->way);
	PUT(out, ",\"reason\":");
	fg_json_put_text(out, reply->way->reason);
	fg_why_json(out, back, reply->way);
}

void fg_report_json_reply(struct fg_buffer *out, const struct fg_report *report,
			  const struct fg_context *context, const struct fg_reply *reply)
{
	bool seen = reply->kind != FG_REPLY_NONE;
	char from[FG_ADDR_TEXT_LEN];

	PUT(out, ",\"reply\":");
	if (!seen && !context->wants_reply) {
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
	put_way(out, report, reply);
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

void fg_report_text_reply(const struct fg_page *page, const struct fg_context *context,
			  const struct fg_reply *reply)
{
	char text[320], kind[64], from[FG_ADDR_TEXT_LEN], time[32], number[32];

	if (reply->kind == FG_REPLY_NONE && !context->wants_reply)
		return;
	kind_text(reply, kind, sizeof(kind));
	if (reply->kind != FG_REPLY_NONE)
		snprintf(text, sizeof(text), "%s from %s after %s, ttl %u", kind,
			 fg_addr_text(&reply->from, from, sizeof(from)),
			 fg_page_time_text(reply->rtt_ns, page->utf8, time, sizeof(time)),
			 reply->hops_left);
	else if (reply->way && reply->way->dropped)
		snprintf(text, sizeof(text), "dropped on the return path: %s",
			 fg_view_drop_name(reply->back, reply->way->drop_code, number,
					   sizeof(number)));
	else
		snprintf(text, sizeof(text), "none came in time");
	fg_page_entry(page, "reply", text);
	if (!reply->way || !reply->way->end)
		return;
	fg_report_text_drop(page, reply->back, reply->way);
	fg_why_text(page, reply->back, reply->way);
}
