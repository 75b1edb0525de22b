/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases/control.h - `inject --control` over a cluster: a packet of its own, with both ends, that
 * is sent first, and what it proves. Pure.
 */
#ifndef FG_CASES_CONTROL_H
#define FG_CASES_CONTROL_H

#include <jansson.h>
#include <stdbool.h>

#include "cluster/names.h"

struct fg_cases_control {
	struct fg_name dst; /* with its port, if it has one of its own */
	bool has_port;	    /* the port in dst is for the control alone */
	char protocol[16];  /* "": that of the packets beside it */
	char sport[8];	    /* "": any */
};

/*
 * Reads PORT, a destination in any form that a receiver's name has, or a list of dst=, dport=,
 * sport= and a protocol. beside: where the packets go that it is a control of; what the text leaves
 * out is as there. Returns 0, or -1: FG_ERR_USAGE.
 */
int fg_cases_control_read(struct fg_cases_control *control, const char *text,
			  const struct fg_name *beside, struct fg_error *err);

/*
 * The words of its request, made of those of the packets beside it. Owned, the texts are borrowed;
 * NULL: memory is short.
 */
const char **fg_cases_control_words(const struct fg_cases_control *control,
				    const char *const *given);

/*
 * What the control's result proves of a result (doc/result.schema.json), whose `control` is set.
 * control NULL: nobody answered about it, so it has not passed. asked: the text of --control.
 * Returns whether a denial or drop is not proven: then the reason
 * says so, and what was expected of it is not met.
 */
bool fg_cases_control_apply(json_t *result, const json_t *control, const char *asked);

#endif
