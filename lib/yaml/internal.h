/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * yaml/internal.h - what libyaml says of a text, as bytes: so that it may run in another process
 * than the one that makes a tree of it; and where in the text it says so.
 */
#ifndef FG_YAML_INTERNAL_H
#define FG_YAML_INTERNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <yaml.h>

#include "base/buffer.h"
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

/*
 * A node as it is written: the bytes from start to end of its text, with its anchor. A container
 * without brackets ends where its last item does.
 */
struct fg_yaml_span {
	size_t start, end;
	char *text;		    /* of a scalar; the name of an alias; owned */
	char *anchor;		    /* owned; NULL: it has none */
	struct fg_yaml_span *items; /* owned; of a mapping: each key, and its value behind it */
	size_t count;
	uint8_t type;  /* yaml_event_type_t of its first event */
	uint8_t style; /* yaml_scalar_style_t of a scalar */
	bool flow;     /* a container in brackets */
	bool folds;    /* it ends in a block scalar, whose end depends on what follows */
};

/*
 * The nodes of a text whose events these are. Returns 0; or -1: FG_ERR_INTERNAL, if the events are
 * not of this text or memory is short. Free in either case; a zeroed one is empty.
 */
int fg_yaml_spans(struct fg_yaml_span *root, const char *file, const struct fg_buffer *text,
		  const struct fg_buffer *events, struct fg_error *err);
void fg_yaml_span_free(struct fg_yaml_span *span);

/*
 * A node in one line, as it may stand in brackets. like: the style of scalars that it takes the
 * place of. Owned by the caller; NULL: memory is short.
 */
char *fg_yaml_line(const json_t *node, yaml_scalar_style_t like);

#endif
