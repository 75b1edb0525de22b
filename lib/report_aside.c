// SPDX-License-Identifier: GPL-2.0-only
/* report_aside.c - what is told beside the packet's own way: the positive control, and the state that the probe left. */
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "left.h"
#include "names.h"
#include "report_sections.h"

#define PUT(out, literal) fg_buffer_put(out, literal, sizeof(literal) - 1)

static void put_pair(struct fg_buffer *out, const char *key, uint64_t value)
{
	fg_buffer_printf(out, ",\"%s\":", key);
	fg_buffer_put_u64(out, value);
}

static void put_bool(struct fg_buffer *out, const char *key, bool value)
{
	fg_buffer_printf(out, ",\"%s\":%s", key, value ? "true" : "false");
}

static void put_control(struct fg_buffer *out, const struct fg_control *c)
{
	char text[FG_ADDR_TEXT_LEN], number[4];

	PUT(out, ",\"control\":{\"asked\":");
	fg_json_put_text(out, c->text);
	PUT(out, ",\"proto\":");
	fg_json_put_text(out, fg_protocol_text(c->protocol, number));
	PUT(out, ",\"dst\":");
	fg_json_put_text(out, fg_addr_text(&c->dst, text, sizeof(text)));
	PUT(out, ",\"port\":");
	if (c->port)
		fg_buffer_put_u64(out, c->port);
	else
		PUT(out, "null");
	PUT(out, ",\"verdict\":");
	fg_json_put_text(out, fg_verdict_name(c->verdict));
	PUT(out, ",\"outcome\":");
	fg_json_put_text(out, fg_outcome_name(c->outcome));
	PUT(out, ",\"proven\":");
	fg_buffer_puts(out, c->proof == FG_PROOF_NONE	 ? "null"
			    : c->proof == FG_PROOF_GIVEN ? "true"
							 : "false");
	PUT(out, "}");
}

static bool is_icmp(const struct fg_flow *f)
{
	return f->protocol == IPPROTO_ICMP || f->protocol == IPPROTO_ICMPV6;
}

static void put_tuple(struct fg_buffer *out, const char *key, const struct fg_flow *f)
{
	char text[FG_ADDR_TEXT_LEN], number[4];

	fg_buffer_printf(out, ",\"%s\":{\"proto\":", key);
	fg_json_put_text(out, fg_protocol_text(f->protocol, number));
	PUT(out, ",\"src\":");
	fg_json_put_text(out, fg_addr_text(&f->src, text, sizeof(text)));
	PUT(out, ",\"dst\":");
	fg_json_put_text(out, fg_addr_text(&f->dst, text, sizeof(text)));
	if (is_icmp(f)) {
		put_pair(out, "icmp_type", f->icmp_type);
		put_pair(out, "icmp_id", f->icmp_id);
	} else {
		put_pair(out, "sport", f->sport);
		put_pair(out, "dport", f->dport);
	}
	PUT(out, "}");
}

static void put_entry(struct fg_buffer *out, const struct fg_left_conn *left)
{
	const struct fg_conn *c = &left->conn;

	PUT(out, "{\"kind\":\"conntrack\"");
	fg_buffer_printf(out, ",\"netns\":{\"inode\":%u,\"side\":\"%s\"}", left->netns,
			 left->pod ? "pod" : "host");
	put_tuple(out, "original", &c->orig);
	put_tuple(out, "reply", &c->reply);
	put_bool(out, "replied", c->status & IPS_SEEN_REPLY);
	put_bool(out, "assured", c->status & IPS_ASSURED);
	put_pair(out, "timeout", c->timeout);
	put_pair(out, "zone", c->zone);
	put_bool(out, "removed", left->removed);
	PUT(out, "}");
}

static void put_left(struct fg_buffer *out, const struct fg_left *left)
{
	PUT(out, ",\"state\":[");
	for (uint32_t i = 0; i < left->count; i++) {
		if (i)
			PUT(out, ",");
		put_entry(out, &left->list[i]);
	}
	PUT(out, "]");
}

void fg_json_aside(struct fg_buffer *out, const struct fg_result *result)
{
	if (result->control.given)
		put_control(out, &result->control);
	if (result->left)
		put_left(out, result->left);
}

/* "tcp 10.9.0.9:443 (tcp,dport=443,ttl=9): allowed, delivered: ..."; a list is more than where it went to. */
static void text_control(const struct fg_page *page, const struct fg_control *c)
{
	char text[400], addr[FG_ADDR_TEXT_LEN], number[4], port[8] = "", list[200] = "";
	bool six = c->port && c->dst.family == AF_INET6;

	if (c->port)
		snprintf(port, sizeof(port), ":%u", c->port);
	if (c->text && strpbrk(c->text, "=,"))
		snprintf(list, sizeof(list), " (%.190s)", c->text);
	snprintf(text, sizeof(text), "%s %s%s%s%s%s: %s, %s%s",
		 fg_protocol_text(c->protocol, number), six ? "[" : "",
		 fg_addr_text(&c->dst, addr, sizeof(addr)), six ? "]" : "", port, list,
		 fg_verdict_name(c->verdict), fg_outcome_name(c->outcome),
		 c->proof == FG_PROOF_NONE    ? ""
		 : c->proof == FG_PROOF_GIVEN ? ": the denial is proven"
					      : ": the denial is NOT proven");
	fg_text_entry(page, "control", text);
}

void fg_text_aside(const struct fg_page *page, const struct fg_result *result)
{
	char text[FG_FLOW_TEXT_LEN + 120], flow[FG_FLOW_TEXT_LEN];

	if (result->control.given)
		text_control(page, &result->control);
	for (uint32_t i = 0; result->left && i < result->left->count; i++) {
		const struct fg_left_conn *l = &result->left->list[i];

		snprintf(text, sizeof(text), "connection tracking, %s: %s, %s",
			 l->pod ? "pod" : "host", fg_flow_text(&l->conn.orig, flow, sizeof(flow)),
			 l->removed ? "removed again" : "left behind (--tidy removes it)");
		fg_text_entry(page, "state", text);
	}
}
