/* SPDX-License-Identifier: GPL-2.0-only */
/* cni/internal.h - one reader for each plugin; others include cni.h. */
#ifndef FG_CNI_INTERNAL_H
#define FG_CNI_INTERNAL_H

#include "cni/cni.h"

/* Numbers of the machine's own byte order, as plugins write them; at + 4 (2) must be within. */
uint32_t fg_cni_u32(const uint8_t *bytes, size_t at);
uint16_t fg_cni_u16(const uint8_t *bytes, size_t at);

/* Whether the map's name begins so. Names are cut at 15 characters: so may be the prefix. */
bool fg_cni_map_is(const struct fg_stated_map *map, const char *prefix);

/*
 * Each: false where the event, or the counter, is not of this plugin; then nothing is written. A
 * word that is there already stays, unless a drop follows a pass.
 */
bool fg_cni_cilium_event(const struct fg_stated_event *event, struct fg_stated *out);
bool fg_cni_cilium_counter(const struct fg_stated_counter *counter, struct fg_stated *out);
bool fg_cni_aws_event(const struct fg_stated_event *event, const struct fg_stated_packet *packet,
		      struct fg_stated *out);
bool fg_cni_calico_counter(const struct fg_stated_counter *counter, struct fg_stated *out);

/* Sets who, says, reason and code, unless what is there says more. Returns whether it did. */
bool fg_cni_say(struct fg_stated *out, const char *who, enum fg_stated_says says,
		const char *reason, const uint32_t *code);

#endif
