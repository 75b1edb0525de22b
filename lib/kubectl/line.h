/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * kubectl/line.h - one way to the API server for many questions: `kubectl proxy` on a socket that
 * only this user reaches. A kubectl for each question costs more than what it asks, and one for
 * each agent as much memory.
 */
#ifndef FG_LINE_H
#define FG_LINE_H

#include "kubectl/kubectl.h"

/*
 * Starts it, and does not wait. It ends with this process, however that ends. Returns it, or NULL:
 * then each call is a kubectl of its own, which says what is wrong.
 */
struct fg_line *fg_line_open(const struct fg_kubectl *kubectl);
void fg_line_close(struct fg_line *line); /* may be NULL */

/* Waits until it serves, no longer than a call may take. Returns whether it does. */
bool fg_line_serves(struct fg_line *line, const struct fg_kubectl *kubectl);

/*
 * Waits for the same. Returns a connection to it that does not block, and is the caller's; or -1.
 */
int fg_line_connect(struct fg_line *line, const struct fg_kubectl *kubectl);

/* talk.c: calls over it. */
extern const struct fg_kubectl_way fg_talk_over_line;

#endif
