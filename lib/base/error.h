/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/error.h - the one error value that lib fills and only cmd prints.
 *
 * A failing function returns -1 (or NULL) and has filled the caller's struct fg_error once, at the
 * place that knows most: what was tried, on which object, why it failed, and what to do about it.
 * Callers further up pass it on untouched.
 */
#ifndef FG_ERROR_H
#define FG_ERROR_H

#include <stdarg.h>
#include <stddef.h>

/* The class of an error; cmd/main.c maps it to the exit status documented in flowgen(8). */
enum fg_error_kind {
	FG_OK = 0,
	FG_ERR_USAGE,	     /* wrong usage or input: exit status 2 */
	FG_ERR_UNSUPPORTED,  /* this host or pod cannot do it, or the pod does not exist: 3 */
	FG_ERR_INCONCLUSIVE, /* the answer could be wrong: 4 */
	FG_ERR_INTERNAL,     /* a system call failed that should not have: 5 */
};

/* The exit status of a program that ends by such an error, as flowgen(8) lists them. */
int fg_error_status(enum fg_error_kind kind);

struct fg_error {
	enum fg_error_kind kind;
	int code;	   /* the errno behind it, positive; 0 if there is none */
	char message[512]; /* one line, without a newline: "what: object: why" */
	char hint[256];	   /* what to do; empty if nothing is known */
};

/*
 * Fills err with a formatted message, and returns -1, so that a caller can "return fg_fail(...)".
 * What base/visible.h does not show becomes '?': it stays one line, whatever the input was.
 * err may be NULL (then only -1 is returned).
 */
int fg_fail(struct fg_error *err, enum fg_error_kind kind, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The same, with ": " and the text of the positive errno value code after the message. EPERM and
 * EACCES become FG_ERR_UNSUPPORTED whatever kind says: a privilege that is missing is never an
 * internal error. ENOMEM, EMFILE and ENFILE become FG_ERR_INTERNAL: what this process is short of
 * is neither its user's mistake nor the pod's.
 */
int fg_fail_errno(struct fg_error *err, enum fg_error_kind kind, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Adds the hint, replacing an earlier one. Returns -1. err may be NULL. */
int fg_hint(struct fg_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Ends the process at once with one line on standard error, "flowgen: what: why", and exit status
 * 5: for what no caller can go on after. code: a positive errno value. What belongs to descriptors
 * goes with them.
 */
_Noreturn void fg_error_die(int code, const char *what);

/* Hands on an error that was filled elsewhere. Returns -1. err may be NULL. */
int fg_error_pass(struct fg_error *err, const struct fg_error *why);

/* Puts "prefix: " before the message (cut at the buffer's end). Returns -1. err may be NULL. */
int fg_error_prefix(struct fg_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
