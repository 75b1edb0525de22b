/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * host/confine.h - a process gives up what it no longer needs: capabilities, the right to gain any
 * by running another program (no_new_privs), and system calls (seccomp). Foreign input, such as
 * captures, results and the packets of others, is read after that. doc/confinement.md says what is
 * left to whom.
 */
#ifndef FG_CONFINE_H
#define FG_CONFINE_H

#include <stdbool.h>

#include "base/error.h"

enum fg_confine {
	FG_CONFINE_SESSION, /* inject, run, pods: looks at pods, loads and attaches programs */
	FG_CONFINE_WATCH,   /* catch: what it needs is loaded and attached */
	FG_CONFINE_READ,    /* diff: reads files, writes to standard output */
	FG_CONFINE_PARSE,   /* reads and writes what is open already: host/apart.h */
	FG_CONFINE_EXEC,    /* exec, once its command runs: a session that signals the command */
	FG_CONFINE_STARTER, /* starts flowgen, which confines itself further once it is set up */
};

/*
 * What the process does from here on needs no more than this. files: output files are put into
 * their places later, perhaps in directories of other users. May be called once. A kernel without
 * seccomp or an architecture that libseccomp does not know costs the filter and nothing else.
 * Returns 0, or -1 with FG_ERR_INTERNAL.
 */
int fg_confine(enum fg_confine kind, bool files, struct fg_error *err);

/*
 * For a process that only waits, and starts others: none of its capabilities is in effect until
 * fg_confine_resume(), which the process that it starts calls for itself. It could take them back,
 * so this keeps it from what it does by mistake, not from what it is made to do. Each returns 0, or
 * -1 with FG_ERR_INTERNAL.
 */
int fg_confine_rest(struct fg_error *err);
int fg_confine_resume(struct fg_error *err);

/* Whether a filter can be installed here; tried in a process of its own. Returns 0 or -1. */
int fg_confine_probe(struct fg_error *err);

#endif
