// SPDX-License-Identifier: GPL-2.0-only
/* scenario/packet.c - the packets of a set, and their ports. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/buffer.h"
#include "base/fd.h"
#include "scenario/internal.h"

/* One after another: what is nearer to the probe replaces what is farther away. */
struct levels {
	const json_t *level[3];
};

struct setting {
	struct fg_scenario_reader *r;
	struct fg_packet_spec *spec;
	struct fg_buffer *made_of;
	const char *key;
};

static int set_value(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	struct setting *s = arg;
	FG_FREE char *text = fg_scenario_text(r, node);

	if (!text)
		return -1;
	if (fg_packet_set(s->spec, s->key, text, r->err))
		return fg_scenario_fail_parsed(r, node);
	fg_buffer_printf(s->made_of, "%s=%s\n", s->key, text);
	return 0;
}

static int set_key(struct setting *s, const struct fg_packet_key *key, const json_t *node)
{
	size_t mark = fg_scenario_enter(s->r, key->name, 0);

	s->key = key->name;
	if (json_is_array(node) && !key->repeatable)
		return fg_scenario_fail(s->r, node, "expected one value, not a list");
	if (json_is_object(node))
		return fg_scenario_fail(s->r, node, "expected a value");
	if (fg_scenario_each(s->r, node, set_value, s))
		return -1;
	fg_scenario_leave(s->r, mark);
	return 0;
}

static int set_keys(struct setting *s, const struct levels *levels)
{
	for (size_t i = 0; i < fg_packet_key_count; i++) {
		const json_t *node = NULL;

		for (int k = 2; k >= 0 && !node; k--)
			node = json_object_get(levels->level[k], fg_packet_keys[i].name);
		if (node && set_key(s, &fg_packet_keys[i], node))
			return -1;
	}
	return 0;
}

/* The packet that was made of the same settings before, so that 10,000 like probes share one. */
static int find_packet(const struct fg_scenario *s, const char *made_of)
{
	/* The last one is the likeliest. */
	for (size_t i = s->packet_count; i-- > 0;)
		if (!strcmp(s->packet_keys[i], made_of))
			return (int)i;
	return -1;
}

static int keep_packet(struct fg_scenario_reader *r, struct fg_packet_spec *spec, char *made_of)
{
	struct fg_scenario *s = r->scenario;
	struct fg_packet_spec *kept;
	/* Both arrays have one count. */
	char **key = FG_GROW(s->packet_keys, s->packet_count, 1, s->yaml.file, r->err);

	if (!key)
		return -1;
	kept = FG_SCENARIO_APPEND(r, s->packets, s->packet_count);
	if (!kept)
		return -1;
	*kept = *spec;
	*key = made_of;
	return (int)s->packet_count - 1;
}

int fg_scenario_make_packet(struct fg_scenario_reader *r, const json_t *set, const json_t *entry,
			    const char *proto, const json_t *proto_node)
{
	const struct levels levels = { { r->defaults, set, entry } };
	struct fg_packet_spec spec;
	struct fg_buffer made_of = {};
	struct setting s = { .r = r, .spec = &spec, .made_of = &made_of };
	int index = -1;

	fg_packet_spec_init(&spec);
	if (set_keys(&s, &levels))
		goto out;
	if (proto) {
		if (fg_packet_set(&spec, "proto", proto, r->err)) {
			fg_scenario_fail_parsed(r, proto_node);
			goto out;
		}
		fg_buffer_printf(&made_of, "/%s\n", proto);
	}
	fg_buffer_put(&made_of, "", 1);
	if (made_of.failed) {
		fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "%s", r->scenario->yaml.file);
		goto out;
	}
	index = find_packet(r->scenario, made_of.data);
	if (index < 0) {
		index = keep_packet(r, &spec, made_of.data);
		if (index >= 0)
			return index;
	}
out:
	fg_packet_spec_free(&spec);
	fg_buffer_free(&made_of);
	return index;
}

/* --- ports --- */

static int read_port_list(struct fg_scenario_reader *r, const json_t *node, const char *text,
			  struct fg_ports *out)
{
	if (fg_parse_ports("dport", text, out, r->err))
		return fg_scenario_fail_parsed(r, node);
	return 0;
}

static int ports_at(struct fg_scenario_reader *r, const json_t *set, const json_t *entry,
		    const char *key, struct fg_ports *out)
{
	const json_t *node = entry ? json_object_get(entry, key) : NULL;
	FG_FREE char *text = NULL;
	size_t mark = fg_scenario_enter(r, key, 0);

	node = node ? node : fg_scenario_get(r, set, key);
	if (node) {
		text = fg_scenario_text(r, node);
		if (!text || read_port_list(r, node, text, out))
			return -1;
	}
	fg_scenario_leave(r, mark);
	return 0;
}

static const char *protocol_word(const struct fg_packet_spec *packet, char *buf, size_t size)
{
	switch (packet->protocol) {
	case FG_PROTOCOL_ICMP_OF_FAMILY:
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	}
	snprintf(buf, size, "proto-%u", packet->protocol);
	return buf;
}

/* "udp/53", "tcp/1-1024", "icmp". */
static int make_label(struct fg_scenario_reader *r, struct fg_scenario_ports *p)
{
	char label[64], word[16];
	const struct fg_ports *d = &p->dports;
	const char *proto = protocol_word(&r->scenario->packets[p->packet], word, sizeof(word));

	if (p->label)
		return 0;
	if (!d->total)
		snprintf(label, sizeof(label), "%s", proto);
	else if (d->total == 1)
		snprintf(label, sizeof(label), "%s/%u", proto, d->ranges[0].first);
	else if (d->count == 1)
		snprintf(label, sizeof(label), "%s/%u-%u", proto, d->ranges[0].first,
			 d->ranges[0].last);
	else
		snprintf(label, sizeof(label), "%s/%u,..", proto, d->ranges[0].first);
	p->label = strdup(label);
	return p->label ? 0 : fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "ports");
}

struct ports_reader {
	struct fg_scenario_set *set;
	const json_t *map; /* of the set */
};

/* "53/udp", "1-1024", "icmp". */
static int read_short(struct fg_scenario_reader *r, const json_t *node, const json_t *map,
		      struct fg_scenario_ports *p)
{
	FG_FREE char *text = fg_scenario_text(r, node);
	char *slash = text ? strchr(text, '/') : NULL;
	const char *proto = NULL;
	int packet;

	if (!text)
		return -1;
	if (slash) {
		*slash = '\0';
		proto = slash + 1;
	} else if (text[0] < '0' || text[0] > '9') {
		proto = text;
	}
	packet = fg_scenario_make_packet(r, map, NULL, proto, node);
	if (packet < 0)
		return -1;
	p->packet = (uint32_t)packet;
	if ((slash || !proto) && read_port_list(r, node, text, &p->dports))
		return -1;
	return ports_at(r, map, NULL, "sport", &p->sports);
}

static int read_long(struct fg_scenario_reader *r, const json_t *node, const json_t *map,
		     struct fg_scenario_ports *p)
{
	static const char *const keys[] = { "name", "dport", "sport" };
	int packet;

	if (fg_scenario_map(r, node, "an entry of ports", keys, COUNT(keys), true) ||
	    fg_scenario_text_at(r, node, "name", &p->label))
		return -1;
	packet = fg_scenario_make_packet(r, map, node, NULL, NULL);
	if (packet < 0)
		return -1;
	p->packet = (uint32_t)packet;
	return ports_at(r, map, node, "dport", &p->dports) ||
			       ports_at(r, map, node, "sport", &p->sports)
		       ? -1
		       : 0;
}

static int read_entry(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	struct ports_reader *in = arg;
	struct fg_scenario_ports *p = FG_SCENARIO_APPEND(r, in->set->ports, in->set->port_count);

	if (!p)
		return -1;
	if (json_is_object(node) ? read_long(r, node, in->map, p) : read_short(r, node, in->map, p))
		return -1;
	if (make_label(r, p))
		return -1;
	for (size_t i = 0; i + 1 < in->set->port_count; i++)
		if (!strcmp(in->set->ports[i].label, p->label))
			return fg_scenario_fail(r, node, "the column \"%s\" is given twice",
						p->label);
	return 0;
}

int fg_scenario_read_ports(struct fg_scenario_reader *r, const json_t *map,
			   struct fg_scenario_set *set)
{
	const json_t *node = json_object_get(map, "ports");
	struct ports_reader in = { .set = set, .map = map };
	struct fg_scenario_ports *p;
	size_t mark;
	int packet;

	if (node) {
		mark = fg_scenario_enter(r, "ports", 0);
		if (fg_scenario_each(r, node, read_entry, &in))
			return -1;
		fg_scenario_leave(r, mark);
		return 0;
	}
	p = FG_SCENARIO_APPEND(r, set->ports, set->port_count);
	if (!p)
		return -1;
	packet = fg_scenario_make_packet(r, map, NULL, NULL, NULL);
	if (packet < 0)
		return -1;
	p->packet = (uint32_t)packet;
	if (ports_at(r, map, NULL, "dport", &p->dports) ||
	    ports_at(r, map, NULL, "sport", &p->sports))
		return -1;
	return make_label(r, p);
}

/* --- do they fit together? --- */

static int check_packet(struct fg_scenario_reader *r, const struct fg_scenario_set *set,
			const struct fg_scenario_ports *p, uint16_t family)
{
	struct fg_packet_warnings warnings = {};
	struct fg_scenario *s = r->scenario;

	if (fg_packet_check(&s->packets[p->packet], family, &warnings, r->err))
		return fg_scenario_fail_parsed(r, set->node);
	if (warnings.count && !s->warning[0])
		snprintf(s->warning, sizeof(s->warning), "%s:%u: %s", s->yaml.file,
			 fg_yaml_place(&s->yaml, set->node)->line, warnings.text[0]);
	return 0;
}

static int check_ports(struct fg_scenario_reader *r, const struct fg_scenario_set *set,
		       const struct fg_scenario_ports *p, const struct fg_scenario_place *place)
{
	if (!fg_packet_has_ports(&r->scenario->packets[p->packet])) {
		if (p->dports.total || p->sports.total)
			return fg_scenario_fail(r, set->node, "%s: the packet has no ports",
						p->label);
		return 0;
	}
	if (p->dports.total && place->port >= 0)
		return fg_scenario_fail(r, set->node,
					"%s: the destination %.60s has a port already", p->label,
					place->name);
	if (p->dports.total || place->port >= 0)
		return 0;
	fg_scenario_fail(r, set->node, "no destination port for %s to %.60s", p->label,
			 place->name);
	return fg_hint(r->err, "give dport, ports, or a destination with a port");
}

int fg_scenario_check_set(struct fg_scenario_reader *r, struct fg_scenario_set *set)
{
	for (size_t i = 0; i < set->port_count; i++) {
		uint16_t last = UINT16_MAX;

		for (size_t k = 0; k < set->to_count; k++) {
			const struct fg_scenario_place *place = &r->scenario->places[set->to[k]];
			uint16_t family = place->addr.family ? place->addr.family : place->family;

			if (check_ports(r, set, &set->ports[i], place))
				return -1;
			if (family != last && check_packet(r, set, &set->ports[i], family))
				return -1;
			last = family;
			if (set->src.family && family && family != set->src.family)
				return fg_scenario_fail(
					r, set->node,
					"src and the destination %.60s are of different families",
					place->name);
		}
	}
	return 0;
}
