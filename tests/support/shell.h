/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * shell.h - for tests in C: a namespace of the test's own with devices in it, and the field's tools
 * (tc, nft, ip) run there.
 */
#ifndef SHELL_H
#define SHELL_H

/*
 * Runs the text with sh in that network namespace (-1: the one we are in). Returns its exit status;
 * what it prints on standard error is in the test's log.
 */
int shell_run(int netns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The same without a word where it fails: to see whether this kernel can. */
int shell_try(int netns, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
