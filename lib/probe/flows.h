/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/flows.h - what is expected of the flows that a command makes: "allow", "deny", or for some
 * of them ("deny:443/tcp"). Pure.
 */
#ifndef FG_FLOWS_H
#define FG_FLOWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/ports.h"

enum fg_flows_word { FG_FLOWS_ANY, FG_FLOWS_ALLOW, FG_FLOWS_DENY };

/* Whether what was expected came about. */
enum fg_flows_met { FG_FLOWS_MET, FG_FLOWS_UNMET, FG_FLOWS_UNKNOWN };

const char *fg_flows_word_name(enum fg_flows_word word); /* "any", "allow", "deny" */

/* What goes for one sort of flows. What it leaves open fits every flow. */
struct fg_flows_rule {
	enum fg_flows_word word;
	bool placed;	       /* it says for which; else for all that no other rule fits */
	struct fg_addr addr;   /* family 0: any */
	uint8_t proto;	       /* of IPv4; 0: any */
	struct fg_ports ports; /* of the other end; total 0: any. Owned */
};

#define FG_FLOWS_RULES_MAX 64

struct fg_flows_expect {
	struct fg_flows_rule *rules; /* owned */
	size_t count;		     /* 0: nothing is expected */
};

/*
 * Reads "WORD[:WHERE],...". WORD is allow, deny or any. WHERE is a port or a range of them, an
 * address ([ADDR6]), both, a protocol (tcp, udp, sctp, icmp), or one of these and "/PROTO". At most
 * one rule has no WHERE. Returns 0, or -1 with FG_ERR_USAGE that names what. Free with
 * fg_flows_expect_free(), also after an error.
 */
int fg_flows_expect_parse(const char *what, const char *text, struct fg_flows_expect *out,
			  struct fg_error *err);
void fg_flows_expect_free(struct fg_flows_expect *expect);

/*
 * The index of the rule for a flow to there: of those that say where the first that fits, else the
 * one that does not say. proto is the number in the packet (ICMPv6 is icmp, too), port is in host
 * order and 0 if the protocol has none. -1: nothing is expected of it.
 */
int fg_flows_expect_for(const struct fg_flows_expect *expect, uint8_t proto,
			const struct fg_addr *addr, uint16_t port);

#endif
