// SPDX-License-Identifier: GPL-2.0-only
#include "host/reason.h"

#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"

#define BTF_FILE "/sys/kernel/btf/vmlinux"

#define CODES_MAX 512

#define SUBSYSTEMS_MAX 16
#define SUBSYSTEM_SHIFT 16 /* SKB_DROP_REASON_SUBSYS_SHIFT */

/* A part of the kernel with drop reasons of its own. */
struct subsystem {
	char name[32];	 /* "openvswitch"; empty: there is none with this number */
	struct btf *btf; /* of its module, once it was asked for; owned */
	bool asked;
};

struct fg_reasons {
	struct btf *btf;	      /* NULL: not read yet */
	const char *names[CODES_MAX]; /* by code; static, or in the BTF's string table */
	struct subsystem subsystems[SUBSYSTEMS_MAX]; /* by number */
};

#define PREFIX "SKB_DROP_REASON_"
#define SUBSYSTEM_PREFIX "SKB_DROP_REASON_SUBSYS_"

static void read_names(struct fg_reasons *r)
{
	int id = btf__find_by_name_kind(r->btf, "skb_drop_reason", BTF_KIND_ENUM);
	const struct btf_type *type = id > 0 ? btf__type_by_id(r->btf, (__u32)id) : NULL;
	const struct btf_enum *e = type ? btf_enum(type) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(r->btf, e[i].name_off);

		if (e[i].val < 0 || e[i].val >= CODES_MAX || !name)
			continue;
		if (!strncmp(name, PREFIX, strlen(PREFIX)))
			name += strlen(PREFIX);
		else if (!strncmp(name, "SKB_", 4))
			name += 4;
		r->names[e[i].val] = name;
	}
}

static void read_subsystems(struct fg_reasons *r)
{
	int id = btf__find_by_name_kind(r->btf, "skb_drop_reason_subsys", BTF_KIND_ENUM);
	const struct btf_type *type = id > 0 ? btf__type_by_id(r->btf, (__u32)id) : NULL;
	const struct btf_enum *e = type ? btf_enum(type) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		const char *name = btf__name_by_offset(r->btf, e[i].name_off);
		char *out;

		if (e[i].val <= 0 || e[i].val >= SUBSYSTEMS_MAX || !name ||
		    strncmp(name, SUBSYSTEM_PREFIX, strlen(SUBSYSTEM_PREFIX)) != 0)
			continue;
		name += strlen(SUBSYSTEM_PREFIX);
		if (!strcmp(name, "NUM"))
			continue;
		out = r->subsystems[e[i].val].name;
		snprintf(out, sizeof(r->subsystems->name), "%s", name);
		for (; *out; out++)
			*out = (char)tolower(*out);
	}
}

struct fg_reasons *fg_reasons_open(struct fg_error *err)
{
	struct fg_reasons *r;

	if (access(BTF_FILE, R_OK)) {
		fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "kernel BTF in " BTF_FILE);
		fg_hint(err, "flowgen needs a kernel built with CONFIG_DEBUG_INFO_BTF");
		return NULL;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "kernel BTF");
	return r;
}

static int read_btf(struct fg_reasons *r, struct fg_error *err)
{
	if (r->btf)
		return 0;
	r->btf = btf__load_vmlinux_btf();
	if (!r->btf)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "kernel BTF in " BTF_FILE);
	read_names(r);
	read_subsystems(r);
	return 0;
}

void fg_reasons_know(struct fg_reasons *reasons, const struct fg_drop_codes *codes)
{
	const struct {
		uint32_t code;
		const char *name;
	} known[] = {
		{ codes->consumed, "CONSUMED" },     { codes->not_specified, "NOT_SPECIFIED" },
		{ codes->tc_egress, "TC_EGRESS" },   { codes->xdp, "XDP" },
		{ codes->tc_ingress, "TC_INGRESS" },
	};

	for (size_t i = 0; i < COUNT(known); i++)
		if (known[i].code > 0 && known[i].code < CODES_MAX)
			reasons->names[known[i].code] = known[i].name;
}

int fg_reasons_ready(struct fg_reasons *reasons, uint32_t code, struct fg_error *err)
{
	return code < CODES_MAX && reasons->names[code] ? 0 : read_btf(reasons, err);
}

void fg_reasons_free(struct fg_reasons *reasons)
{
	if (!reasons)
		return;
	for (int i = 0; i < SUBSYSTEMS_MAX; i++)
		btf__free(reasons->subsystems[i].btf);
	btf__free(reasons->btf);
	free(reasons);
}

/* The value of an enum of drop reasons ("ovs_drop_reason"), in a module's types or all. */
static const char *find_name(const struct btf *btf, __u32 first, uint32_t code)
{
	for (__u32 id = first; id < btf__type_cnt(btf); id++) {
		const struct btf_type *type = btf__type_by_id(btf, id);
		const char *name = btf__name_by_offset(btf, type->name_off);
		const struct btf_enum *e = btf_enum(type);

		if (!btf_is_enum(type) || !name || !strstr(name, "drop_reason"))
			continue;
		for (int i = 0; i < btf_vlen(type); i++)
			if ((uint32_t)e[i].val == code)
				return btf__name_by_offset(btf, e[i].name_off);
	}
	return NULL;
}

/* The module's name is the subsystem's, or its first word ("mac80211_unusable"). */
static void load_module(struct fg_reasons *r, struct subsystem *s)
{
	char module[sizeof(s->name)], path[64];

	s->asked = true;
	snprintf(module, sizeof(module), "%s", s->name);
	module[strcspn(module, "_")] = '\0';
	snprintf(path, sizeof(path), "/sys/kernel/btf/%s", module);
	if (!access(path, R_OK))
		s->btf = btf__load_module_btf(module, r->btf);
}

static struct subsystem *subsystem_of(struct fg_reasons *r, uint32_t code)
{
	uint32_t number = code >> SUBSYSTEM_SHIFT;

	return number > 0 && number < SUBSYSTEMS_MAX && r->subsystems[number].name[0]
		       ? &r->subsystems[number]
		       : NULL;
}

const char *fg_reasons_name(struct fg_reasons *reasons, uint32_t code)
{
	struct subsystem *s;

	if (fg_reasons_ready(reasons, code, NULL))
		return NULL;
	s = subsystem_of(reasons, code);
	if (code < CODES_MAX)
		return reasons->names[code];
	if (!s)
		return NULL;
	if (!s->asked)
		load_module(reasons, s);
	/* If it is not a module, its types are the kernel's. */
	return s->btf ? find_name(s->btf, btf__type_cnt(reasons->btf), code)
		      : find_name(reasons->btf, 1, code);
}

const char *fg_reasons_subsystem(struct fg_reasons *reasons, uint32_t code)
{
	const struct subsystem *s;

	if (fg_reasons_ready(reasons, code, NULL))
		return NULL;
	s = subsystem_of(reasons, code);
	return s ? s->name : NULL;
}
