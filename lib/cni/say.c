// SPDX-License-Identifier: GPL-2.0-only
/* cni/say.c - what all readers share: numbers, names of maps, and which of two words counts. */
#include <stdio.h>
#include <string.h>

#include "cni/internal.h"

uint32_t fg_cni_u32(const uint8_t *bytes, size_t at)
{
	uint32_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

uint16_t fg_cni_u16(const uint8_t *bytes, size_t at)
{
	uint16_t value;

	memcpy(&value, bytes + at, sizeof(value));
	return value;
}

bool fg_cni_map_is(const struct fg_stated_map *map, const char *prefix)
{
	size_t len = strlen(prefix);

	if (len > FG_STATED_MAP_LEN - 1)
		len = FG_STATED_MAP_LEN - 1;
	return !strncmp(map->name, prefix, len);
}

/* How much it says: what follows is only taken where it says more. */
static int weight(enum fg_stated_says says)
{
	switch (says) {
	case FG_STATED_DENIED:
		return 3;
	case FG_STATED_DROPPED:
		return 2;
	case FG_STATED_ALLOWED:
		return 1;
	default:
		return 0;
	}
}

bool fg_cni_say(struct fg_stated *out, const char *who, enum fg_stated_says says,
		const char *reason, const uint32_t *code)
{
	if (out->who && (strcmp(out->who, who) != 0 || weight(says) <= weight(out->says)))
		return false;
	out->who = who;
	out->says = says;
	snprintf(out->reason, sizeof(out->reason), "%s", reason);
	out->has_code = code;
	out->code = code ? *code : 0;
	return true;
}
