/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * fake_run.h - fakes of the engine's own interfaces: a session, a source and writers that write
 * down how they are called. Nothing of the kernel is faked: a fake session judges as the test says.
 */
#ifndef FAKE_RUN_H
#define FAKE_RUN_H

#include "run/run.h"

enum { FAKE_ROOM = 8, FAKE_ITEMS = 16 };
#define FAKE_ALL UINT64_MAX

struct fake;

struct fake_writer {
	struct fg_run_writer writer;
	struct fake *fake;
	char name;
	int fail_take, fail_end; /* the n-th take, from 1; the end */
	int takes;
};

struct fake {
	char log[4096]; /* every call, in order */
	uint64_t now;

	/* the session */
	struct fg_run_session session;
	struct fg_probe window[FAKE_ROOM * 2];
	struct fg_ladder ladder;
	struct fg_context context;
	struct fg_pod pod;
	struct fg_link_address address; /* of the pod: 10.9.0.2 */
	uint32_t room;
	int sends, cancel_after;      /* windows; a signal comes after so many; 0: never */
	uint64_t in_use, cannot_send; /* numbers of probes; 0: none */
	enum fg_error_kind send_error;
	bool routes; /* the pod's routing is asked */
	uint64_t refused, cannot_route;
	struct fg_addr chosen;	       /* the source address, where the kernel chooses */
	bool renew_fails, renew_moves; /* there is no such pod any more; it has another address */
	/* judges a probe; NULL: allowed and delivered. Fragments are further probes: how many. */
	void (*judge)(struct fake *fake, struct fg_probe *probe);
	uint32_t fragments;

	/* the source */
	struct fg_run_source source;
	struct fg_run *run;
	struct fg_run_item items[FAKE_ITEMS];
	const struct fg_report *report;
	bool with_report, changes;
	uint64_t count, next, given;

	/* writers, and what the verb is told */
	struct fake_writer writers[2];
	struct fg_run_writer *list[2];
	char warnings[1024];
	struct fg_run_options options;
	struct fg_run_totals totals;
	struct fg_error err;
};

/* A run of count probes, as the fake source gives them out: allowed and delivered, one writer. */
void fake_up(struct fake *fake, uint64_t count);

/* Runs it, by fake->options. Returns what fg_run() does. */
int fake_run(struct fake *fake);

/* Whether the text is in the log. */
bool fake_logged(const struct fake *fake, const char *text);

#endif
