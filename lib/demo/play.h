/* SPDX-License-Identifier: GPL-2.0-only */
/* demo/play.h - the demo: the pods that it makes, what is asked of them, and what to see in it. */
#ifndef FG_PLAY_H
#define FG_PLAY_H

#include <stdbool.h>

#include "base/error.h"

/* How it is played. */
struct fg_play {
	bool keep; /* the pods stay, with names on this host */
	/* Tells the reader something. Returns 0 or -1. */
	int (*say)(const char *text, struct fg_error *err);
	/*
	 * Lets flowgen answer whether a UDP packet of the pod gets to dst (address and port), in
	 * the node's namespace (a descriptor; -1: the current one). Returns 0 or -1.
	 */
	int (*ask)(int node, const char *pod, const char *dst, struct fg_error *err);
	bool (*stopped)(void); /* whether it is to end now */
};

/* Makes the pods, tells of them, and asks. Without keep the process is in namespaces of its own
 * afterwards. Returns 0 or -1. */
int fg_play(const struct fg_play *play, struct fg_error *err);

/* Takes a kept demo away, as far as there is one. Returns 0, or -1 with the first failure. */
int fg_play_remove(struct fg_error *err);

#endif
