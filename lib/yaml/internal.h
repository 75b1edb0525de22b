/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * yaml/internal.h - what libyaml says of a text, as bytes: so that it may run in another process
 * than the one that makes a tree of it.
 */
#ifndef FG_YAML_INTERNAL_H
#define FG_YAML_INTERNAL_H

#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/error.h"

/* Bytes of fg_yaml_events() (yaml/yaml.h); borrowed. What was taken is no longer in them. */
struct fg_yaml_events {
	const uint8_t *at;
	size_t left;
};

/*
 * Takes the next event; yaml_event_delete() ends it. Returns 0; or -1: libyaml's own error, which
 * names the place in file; or FG_ERR_INTERNAL if the bytes are no events.
 */
int fg_yaml_events_next(struct fg_yaml_events *events, const char *file, yaml_event_t *out,
			struct fg_error *err);

#endif
