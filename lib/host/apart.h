/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/apart.h - foreign input is taken apart in a process of its own, which has no capability,
 * opens nothing, and can only read what it was given and write its answer: whoever takes it over
 * with a malformed file has gained nothing. What it answers is checked like any other input.
 */
#ifndef FG_APART_H
#define FG_APART_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct fg_apart {
	int fd;	   /* to it and from it; owned */
	pid_t pid; /* 0: none was started */
};

/*
 * What it does: writes to fd, and reads from it what it is asked. It ends when this returns; its
 * exit status is what was returned.
 */
typedef int (*fg_apart_work)(void *arg, int fd);

/*
 * Starts it. kept: a descriptor that it needs too; -1: none. All others are closed there. packets:
 * fd keeps the borders of what is written in one go (SOCK_SEQPACKET); else it is a stream. It ends
 * with the calling process. Start it before the caller is confined. Returns 0 or -1; fg_apart_end()
 * in either case.
 */
int fg_apart_start(struct fg_apart *apart, fg_apart_work work, void *arg, int kept, bool packets,
		   struct fg_error *err);

/* The exit status of a process that had no memory, as of fg_error_die(). */
#define FG_APART_DIED 5

/* Closes fd, and waits for its end. Returns its exit status; -1: a signal, or there was none. */
int fg_apart_end(struct fg_apart *apart);

#endif
