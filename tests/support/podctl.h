/* SPDX-License-Identifier: GPL-2.0-only */
/* podctl.h - the verbs of podctl, one argp parser each; every one returns the exit status. */
#ifndef PODCTL_H
#define PODCTL_H

#include <argp.h>

#include "base/error.h"

int podctl_node(int argc, char **argv);
int podctl_up(int argc, char **argv);
int podctl_attach(int argc, char **argv);
int podctl_detach(int argc, char **argv);
int podctl_hold(int argc, char **argv);
int podctl_can(int argc, char **argv);

/*
 * Prints the error as the program's own. Returns the exit status for it: 2 for wrong usage, 3 for
 * the kernel's no, else 5.
 */
int podctl_report(const struct fg_error *err);

/* In a parser: ends with a usage error made of err. Does not return. */
void podctl_refuse(struct argp_state *state, const struct fg_error *err) __attribute__((noreturn));

#endif
