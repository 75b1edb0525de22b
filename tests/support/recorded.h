/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * recorded.h - the fixture of tests that put records of container runtimes on a host (hostroot.h),
 * and ask what pods there are. Include <cmocka.h> and what that needs first.
 */
#ifndef RECORDED_H
#define RECORDED_H

#include "hostroot.h"
#include "runtime/runtime.h"

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define ID_C "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc"

extern struct hostroot host;
extern struct fg_runtime_pods pods; /* as recorded_list() found them */
extern struct fg_error err;

/* Setup and teardown of a test: an empty host, with no pods. Skipped without namespaces. */
int recorded_up(void **state);
int recorded_down(void **state);

void recorded_list(void);

/* The pod of that name: the test fails if there is none. */
const struct fg_runtime_pod *recorded_find(const char *ref);
/* There is no such pod, and the message says so with these words. */
void recorded_refuses(const char *ref, const char *text);

#endif
