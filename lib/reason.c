// SPDX-License-Identifier: GPL-2.0-only
#include "reason.h"

#include <bpf/btf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CODES_MAX 512

struct fg_reasons {
	struct btf *btf;
	const char *names[CODES_MAX]; /* by code; in the BTF's string table */
};

#define PREFIX "SKB_DROP_REASON_"

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

struct fg_reasons *fg_reasons_open(struct fg_error *err)
{
	struct fg_reasons *r = calloc(1, sizeof(*r));

	if (!r) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "kernel BTF");
		return NULL;
	}
	r->btf = btf__load_vmlinux_btf();
	if (!r->btf) {
		fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno,
			      "kernel BTF in /sys/kernel/btf/vmlinux");
		fg_hint(err, "flowgen needs a kernel built with CONFIG_DEBUG_INFO_BTF");
		free(r);
		return NULL;
	}
	read_names(r);
	return r;
}

void fg_reasons_free(struct fg_reasons *reasons)
{
	if (reasons)
		btf__free(reasons->btf);
	free(reasons);
}

const char *fg_reasons_name(const struct fg_reasons *reasons, uint32_t code)
{
	return code < CODES_MAX ? reasons->names[code] : NULL;
}

static uint32_t code_of(const struct fg_reasons *r, const char *name)
{
	for (uint32_t i = 1; i < CODES_MAX; i++)
		if (r->names[i] && !strcmp(r->names[i], name))
			return i;
	return 0;
}

struct fg_drop_codes fg_reasons_codes(const struct fg_reasons *reasons)
{
	return (struct fg_drop_codes){
		.consumed = code_of(reasons, "CONSUMED"),
		.not_specified = code_of(reasons, "NOT_SPECIFIED"),
		.tc_egress = code_of(reasons, "TC_EGRESS"),
		.tc_ingress = code_of(reasons, "TC_INGRESS"),
		.xdp = code_of(reasons, "XDP"),
	};
}

int fg_reasons_trace_args(const struct fg_reasons *reasons, const char *tracepoint)
{
	const struct btf_type *type;
	char name[80];
	int id;

	snprintf(name, sizeof(name), "btf_trace_%s", tracepoint);
	id = btf__find_by_name_kind(reasons->btf, name, BTF_KIND_TYPEDEF);
	type = id > 0 ? btf__type_by_id(reasons->btf, (__u32)id) : NULL;
	/* typedef void (*btf_trace_NAME)(void *, arguments...) */
	type = type ? btf__type_by_id(reasons->btf, type->type) : NULL;
	type = type && btf_is_ptr(type) ? btf__type_by_id(reasons->btf, type->type) : NULL;
	return type && btf_is_func_proto(type) ? btf_vlen(type) - 1 : 0;
}
