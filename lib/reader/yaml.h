/* SPDX-License-Identifier: GPL-2.0-only */
/* reader/yaml.h - YAML is taken apart by libyaml in a process that has no privileges. */
#ifndef FG_READER_YAML_H
#define FG_READER_YAML_H

#include "base/buffer.h"
#include "base/error.h"

/*
 * fg_yaml_events() of the text, by a process of its own (host/apart.h), before this one is
 * confined. Returns 0; or -1 with FG_ERR_INTERNAL: errors of the text are among the events.
 */
int fg_reader_yaml(const char *file, const struct fg_buffer *text, struct fg_buffer *out,
		   struct fg_error *err);

#endif
