// SPDX-License-Identifier: GPL-2.0-only
#include "listing/mechanisms.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/json.h"

/* --- JSON --- */

static json_t *number_or_null(bool known, json_int_t number)
{
	return known ? json_integer(number) : json_null();
}

/* A policy is a chain's own; the table of iptables-legacy has one for each chain, too. */
static json_t *chain_json(const struct fg_hooks_entry *e)
{
	bool nft = e->kind == FG_HOOKS_NFT;

	if (!nft && e->kind != FG_HOOKS_LEGACY)
		return json_null();
	return json_pack("{s:s, s:o, s:o, s:o, s:s, s:b, s:o}", "family",
			 fg_netfilter_family(e->table_family), "table", fg_json_text(e->table),
			 "chain", fg_json_text(e->chain), "type", fg_json_text(e->type), "policy",
			 e->drops ? "drop" : "accept", "has_rules", e->rules > 0, "rules",
			 number_or_null(nft, e->rules));
}

static json_t *program_json(const struct fg_hooks_entry *e)
{
	return e->kind == FG_HOOKS_BPF ? json_pack("{s:I, s:o}", "id", (json_int_t)e->program,
						   "name", fg_json_text(e->name))
				       : json_null();
}

static json_t *entry_json(const struct fg_hooks_entry *e)
{
	char name[FG_HOOKS_TEXT_LEN];

	return json_pack("{s:s, s:s, s:o, s:i, s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o}", "family",
			 fg_netfilter_family(e->family), "hook",
			 fg_hooks_hook_name(e->family, e->hook), "device", fg_json_text(e->device),
			 "priority", (int)e->priority, "kind", fg_hooks_kind_name(e->kind), "name",
			 fg_json_text(fg_hooks_text(e, name, sizeof(name))), "can_deny",
			 (int)fg_hooks_is_policy(e), "can_translate", (int)fg_hooks_translates(e),
			 "chain", chain_json(e), "program", program_json(e), "function",
			 fg_json_text(e->function), "module", fg_json_text(e->module));
}

static json_t *netfilter_json(const struct fg_hooks *hooks)
{
	json_t *list = json_array();

	for (size_t i = 0; i < hooks->count; i++)
		json_array_append_new(list, entry_json(&hooks->list[i]));
	return json_pack("{s:b, s:o}", "complete", (int)hooks->whole, "hooks", list);
}

static json_t *switches_json(const struct fg_mechanisms *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->switch_count; i++)
		json_array_append_new(list, json_pack("{s:o, s:I}", "device",
						      fg_json_text(m->switches[i].device), "ports",
						      (json_int_t)m->switches[i].ports));
	return list;
}

static json_t *qdiscs_json(const struct fg_mechanisms *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < m->qdisc_count; i++)
		json_array_append_new(list, json_pack("{s:o, s:o, s:I, s:I}", "device",
						      fg_json_text(m->qdiscs[i].device), "kind",
						      fg_json_text(m->qdiscs[i].kind), "drops",
						      (json_int_t)m->qdiscs[i].drops, "queued",
						      (json_int_t)m->qdiscs[i].queued));
	return list;
}

json_t *fg_mechanisms_json(const struct fg_mechanisms *m)
{
	return json_pack("{s:o, s:o, s:{s:I, s:I}, s:o}", "netfilter", netfilter_json(&m->hooks),
			 "openvswitch", switches_json(m), "ipvs", "services",
			 (json_int_t)m->services, "backends", (json_int_t)m->backends, "qdiscs",
			 qdiscs_json(m));
}

/* --- text --- */

#define TITLE "  %-19s "

/* The title is only on the first line of its part. */
static void put_title(struct fg_buffer *out, const char *title, size_t line)
{
	fg_buffer_printf(out, TITLE, line ? "" : title);
}

static void put_state(const struct fg_hooks_entry *e, struct fg_buffer *out)
{
	if (e->kind == FG_HOOKS_NFT)
		fg_buffer_printf(out, " (%u rule%s%s)", e->rules, e->rules == 1 ? "" : "s",
				 e->drops ? ", policy drop" : "");
	else if (e->kind == FG_HOOKS_LEGACY && e->drops)
		fg_buffer_puts(out, " (policy drop)");
	else if (e->elsewhere)
		fg_buffer_puts(out, " (in this or another namespace)");
}

/* A chain of family inet is listed once, not for each version of IP. */
static bool is_second(const struct fg_hooks_entry *e)
{
	return e->kind == FG_HOOKS_NFT && e->table_family == NFPROTO_INET &&
	       e->family == NFPROTO_IPV6;
}

static void put_entry(const struct fg_hooks_entry *e, struct fg_buffer *out)
{
	char name[FG_HOOKS_TEXT_LEN], where[64];
	uint8_t family = e->kind == FG_HOOKS_NFT ? e->table_family : e->family;

	snprintf(where, sizeof(where), "%s %s%s%s", fg_netfilter_family(family),
		 fg_hooks_hook_name(e->family, e->hook), e->device[0] ? " " : "", e->device);
	fg_buffer_printf(out, "%-18s %s %s", where,
			 fg_hooks_is_policy(e) ? "can deny:" : "translates:",
			 fg_hooks_text(e, name, sizeof(name)));
	put_state(e, out);
	fg_buffer_puts(out, "\n");
}

static void put_hooks(const struct fg_hooks *hooks, struct fg_buffer *out)
{
	size_t lines = 0;

	for (size_t i = 0; i < hooks->count; i++) {
		const struct fg_hooks_entry *e = &hooks->list[i];

		if ((!fg_hooks_is_policy(e) && !fg_hooks_translates(e)) || is_second(e))
			continue;
		put_title(out, "netfilter", lines++);
		put_entry(e, out);
	}
	if (!lines)
		fg_buffer_printf(out, TITLE "nothing that denies or translates\n", "netfilter");
	if (!hooks->whole)
		fg_buffer_printf(out,
				 TITLE "this kernel has no nfnetlink_hook: chains, "
				       "iptables-legacy, BPF links\n" TITLE
				       "and IPVS were looked up one by one\n",
				 "", "");
}

void fg_mechanisms_text(const struct fg_mechanisms *m, struct fg_buffer *out)
{
	put_hooks(&m->hooks, out);
	for (size_t i = 0; i < m->switch_count; i++) {
		put_title(out, "Open vSwitch", i);
		fg_buffer_printf(out, "%s: %u port%s\n", m->switches[i].device,
				 m->switches[i].ports, m->switches[i].ports == 1 ? "" : "s");
	}
	if (!m->switch_count)
		fg_buffer_printf(out, TITLE "none\n", "Open vSwitch");
	if (m->services)
		fg_buffer_printf(out, TITLE "%u service%s, %u backend%s\n", "IPVS", m->services,
				 m->services == 1 ? "" : "s", m->backends,
				 m->backends == 1 ? "" : "s");
	else
		fg_buffer_printf(out, TITLE "no service\n", "IPVS");
	for (size_t i = 0; i < m->qdisc_count; i++) {
		put_title(out, "qdiscs", i);
		fg_buffer_printf(out, "%s: %s, %" PRIu64 " dropped\n", m->qdiscs[i].device,
				 m->qdiscs[i].kind, m->qdiscs[i].drops);
	}
	if (!m->qdisc_count)
		fg_buffer_printf(out, TITLE "none that drops or delays\n", "qdiscs");
}
