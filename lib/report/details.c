// SPDX-License-Identifier: GPL-2.0-only
/*
 * report/details.c - what is reported besides the packet's own path: the service of IPVS that it
 * was sent to, the positive control, and the state that the probe left.
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/json.h"
#include "facts/ipvs.h"
#include "probe/leftovers.h"
#include "probe/names.h"
#include "report/internal.h"

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
	fg_json_put_text(out, fg_flow_protocol_text(c->protocol, number));
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
	fg_json_put_text(out, fg_flow_protocol_text(f->protocol, number));
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

static void put_entry(struct fg_buffer *out, const struct fg_leftover_conn *left)
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
}

/* How full its table is: known of the host's. */
static void put_fill(struct fg_buffer *out, bool known, uint64_t entries, uint64_t max)
{
	fg_put_number(out, "entries", known, entries);
	fg_put_number(out, "max_entries", known, max);
}

static void put_map(struct fg_buffer *out, const struct fg_leftover_map *m, uint32_t probes)
{
	PUT(out, "{\"kind\":\"map\",\"map\":");
	fg_json_put_text(out, m->name);
	put_pair(out, "map_id", m->id);
	put_bool(out, "evicts", m->evicts);
	put_pair(out, "gained", m->gained);
	put_pair(out, "probes", probes);
	put_fill(out, true, m->entries, m->max);
	put_bool(out, "about", m->about);
	PUT(out, "}");
}

void fg_details_put_tables(struct fg_buffer *out, const struct fg_leftover_maps *maps, bool first)
{
	for (uint32_t i = 0; maps && i < maps->count; i++) {
		if (i || !first)
			PUT(out, ",");
		put_map(out, &maps->list[i], maps->probes);
	}
}

static void put_left(struct fg_buffer *out, const struct fg_leftovers *left,
		     const struct fg_leftover_maps *maps)
{
	uint32_t count = 0;

	PUT(out, ",\"state\":[");
	for (uint32_t i = 0; left && i < left->count; i++) {
		if (count++)
			PUT(out, ",");
		put_entry(out, &left->list[i]);
		put_fill(out, left->max && !left->list[i].pod, left->entries, left->max);
		PUT(out, "}");
	}
	fg_details_put_tables(out, maps, !count);
	PUT(out, "]");
}

/* Port 0, which is that of all ports, is null. */
static void put_end(struct fg_buffer *out, const struct fg_addr *addr, uint16_t port)
{
	char text[FG_ADDR_TEXT_LEN];

	PUT(out, "\"address\":");
	fg_json_put_text(out, fg_addr_text(addr, text, sizeof(text)));
	fg_put_number(out, "port", port != 0, port);
}

static void put_ipvs(struct fg_buffer *out, const struct fg_ipvs_service *s)
{
	char number[4];

	PUT(out, ",\"ipvs\":{\"proto\":");
	fg_json_put_text(out, fg_flow_protocol_text(s->protocol, number));
	PUT(out, ",");
	put_end(out, &s->addr, s->port);
	PUT(out, ",\"scheduler\":");
	fg_json_put_text(out, s->scheduler);
	put_pair(out, "backends", s->backends);
	PUT(out, ",\"to\":");
	if (s->to.family) {
		PUT(out, "{");
		put_end(out, &s->to, s->to_port);
		PUT(out, "}}");
	} else {
		PUT(out, "null}");
	}
}

void fg_details_json(struct fg_buffer *out, const struct fg_result *result)
{
	if (result->ipvs)
		put_ipvs(out, result->ipvs);
	if (result->control.given)
		put_control(out, &result->control);
	if (result->left || (result->left_maps && result->left_maps->count))
		put_left(out, result->left, result->left_maps);
}

/*
 * "tcp 10.9.0.9:443 (tcp,dport=443,ttl=9): allowed, delivered: ..."; a list is more than where it
 * went to.
 */
static void text_control(const struct fg_page *page, const struct fg_control *c)
{
	char text[400], addr[FG_ADDR_TEXT_LEN], number[4], port[8] = "", list[200] = "";
	bool six = c->port && c->dst.family == AF_INET6;

	if (c->port)
		snprintf(port, sizeof(port), ":%u", c->port);
	if (c->text && strpbrk(c->text, "=,"))
		snprintf(list, sizeof(list), " (%.190s)", c->text);
	snprintf(text, sizeof(text), "%s %s%s%s%s%s: %s, %s%s",
		 fg_flow_protocol_text(c->protocol, number), six ? "[" : "",
		 fg_addr_text(&c->dst, addr, sizeof(addr)), six ? "]" : "", port, list,
		 fg_verdict_name(c->verdict), fg_outcome_name(c->outcome),
		 c->proof == FG_PROOF_NONE    ? ""
		 : c->proof == FG_PROOF_GIVEN ? ": the denial is proven"
					      : ": the denial is NOT proven");
	fg_page_entry(page, "control", text);
}

static void text_tracking(const struct fg_page *page, const struct fg_leftovers *left)
{
	char text[FG_FLOW_TEXT_LEN + 160], flow[FG_FLOW_TEXT_LEN], fill[60] = "";

	if (left->max)
		snprintf(fill, sizeof(fill), "; %llu of %llu entries are in use",
			 (unsigned long long)left->entries, (unsigned long long)left->max);
	for (uint32_t i = 0; i < left->count; i++) {
		const struct fg_leftover_conn *l = &left->list[i];

		snprintf(text, sizeof(text), "connection tracking, %s: %s, %s%s",
			 l->pod ? "pod" : "host", fg_flow_text(&l->conn.orig, flow, sizeof(flow)),
			 l->removed ? "removed again" : "left behind (--tidy removes it)",
			 l->pod ? "" : fill);
		fg_page_entry(page, "state", text);
	}
}

static void text_map(const struct fg_page *page, const struct fg_leftover_map *m, uint32_t probes)
{
	char text[200], by[40] = "";

	if (probes > 1)
		snprintf(by, sizeof(by), " by the first %u probes", probes);
	snprintf(text, sizeof(text),
		 "map %s (id %u): %llu more entr%s%s; %s%llu of %llu are in use", m->name, m->id,
		 (unsigned long long)m->gained, m->gained == 1 ? "y" : "ies", by,
		 m->about ? "about " : "", (unsigned long long)m->entries,
		 (unsigned long long)m->max);
	fg_page_entry(page, "state", text);
}

void fg_details_text_tables(const struct fg_page *page, const struct fg_leftover_maps *maps)
{
	for (uint32_t i = 0; maps && i < maps->count; i++)
		text_map(page, &maps->list[i], maps->probes);
}

void fg_details_text(const struct fg_page *page, const struct fg_result *result)
{
	char service[FG_IPVS_TEXT_LEN];

	if (result->ipvs)
		fg_page_entry(page, "ipvs", fg_ipvs_text(result->ipvs, service, sizeof(service)));
	if (result->control.given)
		text_control(page, &result->control);
	if (result->left)
		text_tracking(page, result->left);
	fg_details_text_tables(page, result->left_maps);
}
