/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probes.h - whole probes, in process: a session on the node of bed.h, and what it says of each
 * packet. Each function fails the test where it cannot.
 */
#ifndef PROBES_H
#define PROBES_H

#include <stdint.h>

#include "demo/testbed.h"
#include "prog.h"
#include "session/session.h"

/* The session that is open; NULL: none. Owned; probes_close(). */
extern struct fg_session *probes_session;

/* In the place of the one before. What is not set in the options is off. */
void probes_open(struct fg_session_options options);
void probes_close(void);

/* Adds a pod; returns its number. */
int probes_pod(const char *ref);

/*
 * A probe from the pod becomes number `at` of the next window, with a source port of its own.
 * packet is borrowed until it has been run.
 */
void probes_put(uint32_t at, int pod, const struct fg_packet_spec *packet, const char *dst,
		uint16_t port);

/* Runs the first `count` of the window, which is returned. */
const struct fg_probe *probes_run(uint32_t count);

/* A window of one. */
const struct fg_probe *probes_one(int pod, const struct fg_packet_spec *packet, const char *dst,
				  uint16_t port);

/* FG_OUTCOMES: any outcome. */
void probes_is(const struct fg_probe *p, enum fg_verdict verdict, enum fg_outcome outcome);

/* The program that denied it. */
const struct fg_program *probes_decider(const struct fg_probe *p);

/* Without tcx probes reach the stacks of pods, which answer: tests/e2e/no_tcx.bats. */
#define probes_need_tcx()                                                                          \
	do {                                                                                       \
		if (!fg_testbed_has_tcx())                                                         \
			prog_skip("this kernel has no tcx");                                       \
	} while (0)

#endif
