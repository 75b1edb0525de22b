// SPDX-License-Identifier: GPL-2.0-only
/* stated/layout.c - the numbers in a key or a value, by the map's own type information. */
#include <arpa/inet.h>
#include <bpf/btf.h>
#include <ctype.h>
#include <endian.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "stated/internal.h"

#define DEPTH_MAX 8
#define ELEMENTS_MAX 32

/* A type while its numbers are found. */
struct spot {
	uint32_t type;
	uint32_t offset; /* in bits */
	uint32_t bits;	 /* of a bit field; 0: none */
	int depth;
	bool network;
	char name[48];
};

static void flatten(struct stated_layout *l, const struct spot *spot);

/* What fills gaps and is reserved says nothing. */
static bool is_padding(const char *name)
{
	const char *last = strrchr(name, '.');

	last = last ? last + 1 : name;
	return !strncmp(last, "pad", 3) || !strncmp(last, "reserved", 8) || last[0] == '_';
}

/* "__be32" on the way says that a number is in network order; without BTF of its own kind for it.
 */
static const struct btf_type *resolve(const struct btf *btf, struct spot *s)
{
	const struct btf_type *t = btf__type_by_id(btf, s->type);

	while (t && (btf_is_mod(t) || btf_is_typedef(t))) {
		const char *name = btf__name_by_offset(btf, t->name_off);

		if (btf_is_typedef(t) && name &&
		    (!strncmp(name, "__be", 4) || !strncmp(name, "be", 2)))
			s->network |= isdigit((unsigned char)name[name[0] == '_' ? 4 : 2]) != 0;
		s->type = t->type;
		t = btf__type_by_id(btf, s->type);
	}
	return t;
}

static struct stated_leaf *add_leaf(struct stated_layout *l, const struct spot *s, uint32_t size,
				    enum stated_kind kind)
{
	struct stated_leaf *leaf;

	if (l->count == FG_STATED_LEAVES_MAX)
		return NULL;
	leaf = &l->leaves[l->count++];
	*leaf = (struct stated_leaf){ .offset = s->offset / 8,
				      .size = size,
				      .shift = (uint8_t)(s->offset % 8),
				      .bits = (uint8_t)s->bits,
				      .kind = kind,
				      .padding = is_padding(s->name) };
	memcpy(leaf->name, s->name, sizeof(leaf->name));
	return leaf;
}

static bool speaks_of_address(const char *name)
{
	return strstr(name, "addr") || strstr(name, "ip") || strstr(name, "src") ||
	       strstr(name, "dst");
}

static void add_number(struct stated_layout *l, const struct spot *s, const struct btf_type *t)
{
	enum stated_kind kind = STATED_NUMBER;
	struct stated_leaf *leaf;

	if (t->size == 16 && !s->bits)
		kind = STATED_ADDRESS;
	else if (s->network)
		kind = t->size == 4 && speaks_of_address(s->name) ? STATED_IPV4 : STATED_NETWORK;
	leaf = add_leaf(l, s, t->size, kind);
	if (leaf && (btf_is_enum(t) || btf_is_enum64(t)))
		leaf->names = t;
}

static void name_below(struct spot *s, const char *name)
{
	size_t used = strlen(s->name);

	if (name && name[0])
		snprintf(s->name + used, sizeof(s->name) - used, "%s%s", used ? "." : "", name);
}

static void add_array(struct stated_layout *l, const struct spot *spot, const struct btf_type *t)
{
	const struct btf_array *a = btf_array(t);
	struct spot element = *spot;
	const struct btf_type *of;

	element.type = a->type;
	element.depth++;
	of = resolve(l->btf, &element);
	if (!of)
		return;
	if (btf_is_int(of) && of->size == 1) {
		bool text = btf_int_encoding(of) & BTF_INT_CHAR;
		bool address = a->nelems == 16 && !text;

		add_leaf(l, spot, a->nelems,
			 address ? STATED_ADDRESS
			 : text	 ? STATED_TEXT
				 : STATED_BYTES);
		return;
	}
	for (uint32_t i = 0; i < a->nelems && i < ELEMENTS_MAX; i++) {
		struct spot s = element;
		int64_t size = btf__resolve_size(l->btf, element.type);
		size_t used = strlen(s.name);

		if (size <= 0)
			return;
		s.offset += i * (uint32_t)size * 8;
		snprintf(s.name + used, sizeof(s.name) - used, "[%u]", i);
		flatten(l, &s);
	}
}

static void add_members(struct stated_layout *l, const struct spot *spot, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);

	for (int i = 0; i < btf_vlen(t); i++) {
		struct spot s = *spot;

		s.type = m[i].type;
		s.offset += btf_member_bit_offset(t, (uint32_t)i);
		s.bits = btf_member_bitfield_size(t, (uint32_t)i);
		s.depth++;
		name_below(&s, btf__name_by_offset(l->btf, m[i].name_off));
		flatten(l, &s);
	}
}

/* An address of either family, most often; else its first member. */
static void add_union(struct stated_layout *l, const struct spot *spot, const struct btf_type *t)
{
	const struct btf_member *m = btf_members(t);
	struct spot s = *spot;

	if (!btf_vlen(t))
		return;
	if (t->size == 16) {
		if (!s.name[0])
			name_below(&s, "address");
		add_leaf(l, &s, 16, STATED_ADDRESS);
		return;
	}
	s.type = m[0].type;
	s.bits = btf_member_bitfield_size(t, 0);
	s.depth++;
	name_below(&s, btf__name_by_offset(l->btf, m[0].name_off));
	flatten(l, &s);
}

/* Variables of a section, as .bss is one value of a map. */
static void add_variables(struct stated_layout *l, const struct spot *spot,
			  const struct btf_type *t)
{
	const struct btf_var_secinfo *v = btf_var_secinfos(t);

	for (int i = 0; i < btf_vlen(t); i++) {
		const struct btf_type *var = btf__type_by_id(l->btf, v[i].type);
		struct spot s = *spot;

		if (!var || !btf_is_var(var))
			continue;
		s.type = var->type;
		s.offset = v[i].offset * 8;
		s.depth++;
		name_below(&s, btf__name_by_offset(l->btf, var->name_off));
		flatten(l, &s);
	}
}

static void flatten(struct stated_layout *l, const struct spot *spot)
{
	struct spot s = *spot;
	const struct btf_type *t = resolve(l->btf, &s);

	if (!t || s.depth > DEPTH_MAX)
		return;
	if (btf_is_int(t) || btf_is_any_enum(t))
		add_number(l, &s, t);
	else if (btf_is_ptr(t))
		add_leaf(l, &s, 8, STATED_BYTES);
	else if (btf_is_array(t))
		add_array(l, &s, t);
	else if (btf_is_union(t))
		add_union(l, &s, t);
	else if (btf_is_struct(t))
		add_members(l, &s, t);
	else if (btf_is_datasec(t))
		add_variables(l, &s, t);
}

/* What lies within the bytes there are: a type need not be the map's. */
static void keep_within(struct stated_layout *l, uint32_t size)
{
	uint32_t kept = 0;

	for (uint32_t i = 0; i < l->count; i++)
		if (l->leaves[i].offset < size && l->leaves[i].size <= size - l->leaves[i].offset)
			l->leaves[kept++] = l->leaves[i];
	l->count = kept;
}

static void typed(struct stated_layout *l, uint32_t type, uint32_t size)
{
	const struct spot s = { .type = type };

	flatten(l, &s);
	keep_within(l, size);
}

void fg_stated_layout_key(struct stated_layout *layout, const struct btf *btf,
			  const struct stated_map *map)
{
	const struct spot whole = {};

	*layout = (struct stated_layout){ .btf = btf };
	if (btf && map->btf_key)
		typed(layout, map->btf_key, map->key_size);
	if (layout->count)
		return;
	switch (map->key_size) {
	case 1:
	case 2:
	case 4:
	case 8:
		add_leaf(layout, &whole, map->key_size, STATED_NUMBER);
		break;
	default:
		add_leaf(layout, &whole, map->key_size, STATED_BYTES);
	}
}

void fg_stated_layout_value(struct stated_layout *layout, const struct btf *btf,
			    const struct stated_map *map)
{
	uint32_t step = map->value_size % 8 == 0 ? 8 : 4;

	*layout = (struct stated_layout){ .btf = btf };
	if (btf && map->btf_value)
		typed(layout, map->btf_value, map->value_size);
	if (layout->count || map->value_size % 4)
		return;
	for (uint32_t at = 0; at < map->value_size; at += step) {
		struct spot s = { .offset = at * 8 };

		if (map->value_size > step)
			snprintf(s.name, sizeof(s.name), "+%u", at);
		add_leaf(layout, &s, step, STATED_NUMBER);
	}
}

uint64_t fg_stated_layout_number(const struct stated_leaf *leaf, const uint8_t *bytes)
{
	uint64_t value = 0;

	memcpy(&value, bytes + leaf->offset, leaf->size < 8 ? leaf->size : 8);
	value = le64toh(value);
	if (leaf->bits)
		return value >> leaf->shift & ((1ULL << leaf->bits) - 1);
	if (leaf->kind == STATED_NETWORK || leaf->kind == STATED_IPV4)
		return leaf->size == 2	 ? ntohs((uint16_t)value)
		       : leaf->size == 4 ? ntohl((uint32_t)value)
					 : be64toh(value);
	return value;
}

/* --- text --- */

struct text {
	char *buf;
	size_t size, used;
};

__attribute__((format(printf, 2, 3))) static void add(struct text *t, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(t->buf + t->used, t->size - t->used, fmt, args);
	va_end(args);
	if (n > 0)
		t->used = t->used + (size_t)n < t->size ? t->used + (size_t)n : t->size - 1;
}

static const char *constant_name(const struct btf *btf, const struct btf_type *t, uint64_t value)
{
	const struct btf_enum *e = btf_enum(t);

	if (!btf_is_enum(t))
		return NULL;
	for (int i = 0; i < btf_vlen(t); i++)
		if ((uint32_t)e[i].val == (uint32_t)value)
			return btf__name_by_offset(btf, e[i].name_off);
	return NULL;
}

static void add_hex(struct text *t, const uint8_t *bytes, uint32_t size)
{
	add(t, "0x");
	for (uint32_t i = 0; i < size; i++)
		add(t, "%02x", bytes[i]);
}

static void add_address(struct text *t, const uint8_t *bytes, uint16_t family)
{
	struct fg_addr addr = { .family = family };
	char buf[FG_ADDR_TEXT_LEN];

	memcpy(addr.bytes, bytes, family == AF_INET ? 4 : 16);
	add(t, "%s", fg_addr_text(&addr, buf, sizeof(buf)));
}

static bool is_text(const uint8_t *bytes, uint32_t size)
{
	uint32_t i;

	for (i = 0; i < size && bytes[i]; i++)
		if (!isprint(bytes[i]))
			return false;
	return i > 0;
}

static void add_value(struct text *t, const struct btf *btf, const struct stated_leaf *leaf,
		      const uint8_t *at)
{
	static const uint8_t zero[12];
	uint64_t number;
	const char *name;

	switch (leaf->kind) {
	case STATED_IPV4:
		add_address(t, at, AF_INET);
		return;
	case STATED_ADDRESS:
		add_address(t, at, memcmp(at + 4, zero, sizeof(zero)) ? AF_INET6 : AF_INET);
		return;
	case STATED_TEXT:
		if (is_text(at, leaf->size)) {
			add(t, "%.*s", (int)leaf->size, (const char *)at);
			return;
		}
		add_hex(t, at, leaf->size);
		return;
	case STATED_BYTES:
		add_hex(t, at, leaf->size);
		return;
	default:
		number = fg_stated_layout_number(leaf, at - leaf->offset);
		name = leaf->names ? constant_name(btf, leaf->names, number) : NULL;
		if (name)
			add(t, "%s", name);
		else
			add(t, "%llu", (unsigned long long)number);
	}
}

static void add_field(struct fg_stated_key *out, const struct stated_leaf *leaf,
		      const uint8_t *bytes)
{
	const char *last = strrchr(leaf->name, '.');
	struct fg_stated_field *f;

	if (leaf->size > 8 || leaf->kind == STATED_BYTES || leaf->kind == STATED_TEXT ||
	    out->field_count == FG_STATED_FIELDS_MAX)
		return;
	f = &out->fields[out->field_count++];
	snprintf(f->name, sizeof(f->name), "%s", last ? last + 1 : leaf->name);
	f->value = fg_stated_layout_number(leaf, bytes);
}

void fg_stated_layout_text(const struct stated_layout *layout, const uint8_t *bytes,
			   struct fg_stated_key *out)
{
	struct text t = { .buf = out->text, .size = sizeof(out->text) };

	*out = (struct fg_stated_key){};
	for (uint32_t i = 0; i < layout->count; i++) {
		const struct stated_leaf *leaf = &layout->leaves[i];

		if (leaf->padding)
			continue;
		add(&t, "%s%s%s", t.used ? ", " : "", leaf->name, leaf->name[0] ? " " : "");
		add_value(&t, layout->btf, leaf, bytes + leaf->offset);
		add_field(out, leaf, bytes);
	}
}
