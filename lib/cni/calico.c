// SPDX-License-Identifier: GPL-2.0-only
/* cni/calico.c - the counters of Calico's eBPF data plane; doc/stated.md. */
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "cni/internal.h"

#define WHO "Calico"

enum { COUNTER_TOTAL = 0 };

/* The places in the array that is an interface's counters. */
static const struct {
	enum fg_stated_says says;
	const char *reason;
} counters[] = {
	{ FG_STATED_NOTHING, "" }, /* all packets */
	{ FG_STATED_ALLOWED, "accepted by a failsafe rule" },
	{ FG_STATED_ALLOWED, "accepted by policy" },
	{ FG_STATED_ALLOWED, "accepted by another program" },
	{ FG_STATED_DENIED, "dropped by policy" },
	{ FG_STATED_DROPPED, "too short" },
	{ FG_STATED_DROPPED, "wrong checksum" },
	{ FG_STATED_DROPPED, "IP options not supported" },
	{ FG_STATED_DROPPED, "malformed IP packet" },
	{ FG_STATED_DROPPED, "encapsulation failed" },
	{ FG_STATED_DROPPED, "decapsulation failed" },
	{ FG_STATED_DROPPED, "unknown source" },
	{ FG_STATED_DROPPED, "unknown route" },
	{ FG_STATED_DROPPED, "blackhole route" },
	{ FG_STATED_NOTHING, "NAT source collision" },
	{ FG_STATED_DROPPED, "NAT source collision not resolved" },
	{ FG_STATED_DROPPED, "conntrack entry cannot be made" },
};

static bool read_counter(const struct fg_stated_counter *c, struct fg_stated *out)
{
	uint32_t place = c->offset / 8;

	if (c->offset % 8 || place == COUNTER_TOTAL || place >= COUNT(counters) ||
	    counters[place].says == FG_STATED_NOTHING)
		return false;
	fg_cni_say(out, WHO, counters[place].says, counters[place].reason, &place);
	return true;
}

/* A rule's counter is found by its id, a hash that felix makes of it. */
static bool read_rule(const struct fg_stated_counter *c, struct fg_stated *out)
{
	char *rule = out->rule;
	size_t used;

	if (c->key.field_count != 1 || (out->who && strcmp(out->who, WHO) != 0))
		return false;
	out->who = WHO;
	/* One rule on each side, at least. None of them is cut. */
	used = strlen(rule);
	if (used + sizeof("rule 0x0123456789abcdef") > sizeof(out->rule))
		return true;
	snprintf(rule + used, sizeof(out->rule) - used, "%s 0x%016llx", used ? "," : "rule",
		 (unsigned long long)c->key.fields[0].value);
	return true;
}

bool fg_cni_calico_counter(const struct fg_stated_counter *counter, struct fg_stated *out)
{
	if (fg_cni_map_is(&counter->map, "cali_rule_ctrs"))
		return read_rule(counter, out);
	if (fg_cni_map_is(&counter->map, "cali_counters"))
		return read_counter(counter, out);
	return false;
}
