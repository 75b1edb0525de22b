// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as an event of any of the known maps, and as numbers in counters: what is made of them
 * stays within its room, and is shown in one line and in JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/count.h"
#include "cni/cni.h"
#include "cni/show.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const maps[] = { "cilium_events",   "policy_events",	  "cilium_metrics",
				    "cilium_policy_v", "cali_rule_ctrs2", "cali_counters3",
				    "events",	       "cilium_policyst" };
static const char *const names[] = { "",       "reason",   "dir",   "sec_label",
				     "egress", "protocol", "dport", "endpoint_id" };

static void add_event(struct fg_stated *s, const char *map, const uint8_t *data, size_t size)
{
	struct fg_stated_event *e = fg_stated_event_add(s);

	e->ours = true;
	e->length = (uint32_t)size;
	e->captured = size > FG_STATED_EVENT_BYTES ? FG_STATED_EVENT_BYTES : (uint32_t)size;
	memcpy(e->bytes, data, e->captured);
	snprintf(e->map.name, sizeof(e->map.name), "%s", map);
}

static void add_counter(struct fg_stated *s, const char *map, const uint8_t *data, size_t size)
{
	struct fg_stated_counter *c = fg_stated_counter_add(s);

	snprintf(c->map.name, sizeof(c->map.name), "%s", map);
	c->offset = size ? data[0] * 4U : 0;
	c->after = 1;
	for (; size >= 2 && c->key.field_count < FG_STATED_FIELDS_MAX; data += 2, size -= 2) {
		struct fg_stated_field *f = &c->key.fields[c->key.field_count++];

		snprintf(f->name, sizeof(f->name), "%s", names[data[0] % COUNT(names)]);
		f->value = data[1] == 255 ? UINT64_MAX : data[1];
	}
	/* What is in a key's text comes from a map too. */
	memcpy(c->key.text, data, size < sizeof(c->key.text) ? size : sizeof(c->key.text) - 1);
}

static void check(const struct fg_stated *s)
{
	char line[FG_CNI_SHOW_LEN];
	struct fg_buffer out = {};

	if (memchr(s->reason, 0, sizeof(s->reason)) == NULL ||
	    memchr(s->rule, 0, sizeof(s->rule)) == NULL)
		abort();
	if (s->says != FG_STATED_NOTHING && !s->who)
		abort();
	fg_cni_show_text(s, s->event_count % 2 == 0, line, sizeof(line));
	if (strpbrk(line, "\n\x1b"))
		abort();
	fg_cni_show_json(&out, s);
	fg_buffer_free(&out);
}

/* The first byte says which packet, the second which map and what; the rest is it, twice. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_stated_packet packet = { .flow = { .protocol = 6, .sport = 0x1234 } };
	struct fg_stated *s;

	if (size < 2)
		return 0;
	s = calloc(1, sizeof(*s));
	if (!s)
		abort();
	packet.flow.family = data[0] & 1 ? AF_INET6 : AF_INET;
	for (int i = 0; i < 2; i++) {
		const char *map = maps[(data[1] >> (3 * i)) % COUNT(maps)];
		size_t part = (size - 2) / 2;

		if (data[0] & (2 << i))
			add_event(s, map, data + 2 + i * part, part);
		else
			add_counter(s, map, data + 2 + i * part, part);
	}
	fg_cni_read(s, &packet);
	check(s);
	free(s);
	return 0;
}
