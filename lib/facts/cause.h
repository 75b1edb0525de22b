/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * facts/cause.h - why the kernel ended a packet where it did, as it was looked up afterwards: which
 * route, which neighbour, which queue. Only the value: of fixed size, to be copied freely. Pure.
 */
#ifndef FG_CAUSE_H
#define FG_CAUSE_H

#include <stdbool.h>
#include <stddef.h>

enum fg_cause_kind {
	FG_CAUSE_NONE = 0,
	FG_CAUSE_ROUTE,	     /* no route, or one that refuses */
	FG_CAUSE_FORWARDING, /* the namespace or device does not forward */
	FG_CAUSE_RPFILTER,   /* reverse path filter */
	FG_CAUSE_MARTIAN,    /* an address that may not be there */
	FG_CAUSE_TTL,
	FG_CAUSE_MTU,
	FG_CAUSE_FRAGMENT,  /* pieces that did not come together */
	FG_CAUSE_NEIGHBOUR, /* the next hop's link-layer address: not known, or an old one */
	FG_CAUSE_QUEUE,	    /* NFQUEUE: a queue to user space */
	FG_CAUSE_PROXY,	    /* a local socket took it: TPROXY, sk_assign */
	FG_CAUSE_SOCKET,    /* none, or one that did not take it */
	FG_CAUSE_XFRM,	    /* IPsec policy */
	FG_CAUSE_NETFILTER, /* a part of netfilter that no trace shows */
	FG_CAUSE_IPVS,	    /* a virtual service without anybody to send to */
	FG_CAUSE_QDISC,
	FG_CAUSE_BRIDGE,
	FG_CAUSE_DEVICE, /* down, no carrier */
	FG_CAUSE_KINDS,
};

struct fg_cause {
	enum fg_cause_kind kind;
	/*
	 * More closely, one word of the kind's own: "prohibit", "no-route", "failed", "stale",
	 * "no-listener". Static text; NULL: there is nothing closer.
	 */
	const char *how;
	char what[300];	   /* "prohibit 10.9.0.0/24 in table 100, rule 100 (from 10.9.1.77)" */
	char setting[96];  /* a sysctl, as sysctl(8) writes it; empty: none decides */
	char value[32];	   /* what it is set to */
	char process[128]; /* who holds the queue or socket: "pid 77 nginx"; empty: not known */
};

/* "route", "neighbour", ...; NULL for FG_CAUSE_NONE. The words of the result's `cause.kind`. */
const char *fg_cause_kind_name(enum fg_cause_kind kind);

/*
 * Sets kind, how (static text) and what, and empties the rest. Control characters in the text
 * become '?': names come from the host. Returns true, so that a finder can "return
 * fg_cause_set(...)".
 */
bool fg_cause_set(struct fg_cause *cause, enum fg_cause_kind kind, const char *how, const char *fmt,
		  ...) __attribute__((format(printf, 4, 5)));

/* Adds to what, cut at its end. */
void fg_cause_add(struct fg_cause *cause, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* Sets the setting, by its name in the format, and its value. */
void fg_cause_set_setting(struct fg_cause *cause, long value, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* "WHAT; SETTING = VALUE; PROCESS", without what is empty. Returns buf. */
const char *fg_cause_text(const struct fg_cause *cause, char *buf, size_t size);
#define FG_CAUSE_TEXT_LEN 600

#endif
