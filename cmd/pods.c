// SPDX-License-Identifier: GPL-2.0-only
/* pods.c - `flowgen pods`: the pods of this host, and what stands on their egress paths. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capability.h"
#include "cmd.h"
#include "fd.h"
#include "method.h"
#include "names.h"
#include "output.h"
#include "pod.h"
#include "policy.h"

enum { KEY_OUTPUT = 0x100, KEY_HOST_ROOT };

struct options {
	bool json;
	const char *host_root;
};

static const struct argp_option option_list[] = {
	{ "output", KEY_OUTPUT, "json|text", 0,
	  "Form of the answer: one JSON object a line, or aligned columns (text)", 0 },
	{ "host-root", KEY_HOST_ROOT, "DIR", 0, "Look for /run and /proc of the host below DIR", 0 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_OUTPUT:
		options->json = !strcmp(arg, "json");
		if (!options->json && strcmp(arg, "text"))
			return fg_cmd_refuse_text(state, "--output: '%s' is not one of json, text",
						  arg);
		return 0;
	case KEY_HOST_ROOT:
		options->host_root = arg;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp parser = {
	.options = option_list,
	.parser = parse,
	.doc = "List the pods of this host: network namespaces with a veth or netkit pair, their addresses, the "
	       "programs on their egress paths in the order they run, and the method that inject would take."
	       "\vExit status: 0, also when there is no pod; 3 without the privileges to look.",
};

/* What is shown of one pod. */
struct entry {
	struct fg_pod pod;
	struct fg_ladder ladder;
	enum fg_method method;
	const char *why;
};

static void entry_close(struct entry *e)
{
	fg_ladder_free(&e->ladder);
	fg_pod_close(&e->pod);
}

/* Returns 1 where the namespace is a pod, 0 where it is none, -1 on an error. */
static int entry_open(const struct fg_host *host, const char *path, bool egress, struct entry *e,
		      struct fg_error *err)
{
	struct fg_method_facts facts = { .egress_redirect = egress, .ladder = &e->ladder };

	*e = (struct entry){};
	/* No pair, no way to the host, gone meanwhile: no pod to inject as. */
	if (fg_pod_open_path(host, path, NULL, &e->pod, err))
		return err->kind == FG_ERR_INTERNAL ? -1 : 0;
	if (fg_policy_list(&e->pod, &e->ladder, err)) {
		entry_close(e);
		return -1;
	}
	facts.netkit = !strcmp(e->pod.primary.kind, "netkit");
	if (fg_method_choose(&facts, FG_METHOD_AUTO, &e->method, &e->why, err)) {
		entry_close(e);
		return -1;
	}
	return 1;
}

static const char *mode_text(const struct fg_link *link)
{
	return link->netkit_mode == FG_LINK_L2 ? "l2" : link->netkit_mode == FG_LINK_L3 ? "l3" : NULL;
}

static const char *entry_name(const struct entry *e)
{
	return e->pod.name[0] ? e->pod.name : e->pod.path;
}

static json_t *programs_json(const struct fg_ladder *ladder)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ladder->count; i++) {
		const struct fg_program *p = &ladder->programs[i];
		char tag[17];

		for (size_t k = 0; k < 8; k++)
			snprintf(tag + 2 * k, 3, "%02x", p->tag[k]);
		json_array_append_new(list, json_pack("{s:i, s:s, s:s, s:s, s:i, s:s, s:s}", "order",
						      (int)i + 1, "hook", fg_hook_name(p->hook),
						      "side", fg_side_name(p->side), "device",
						      p->device, "id", (int)p->id, "name", p->name,
						      "tag", tag));
	}
	return list;
}

static json_t *addresses_json(const struct fg_link_addresses *addresses)
{
	json_t *list = json_array();
	char text[FG_ADDR_TEXT_LEN];

	for (size_t i = 0; i < addresses->count; i++)
		json_array_append_new(list, json_string(fg_addr_text(&addresses->list[i].addr, text,
								     sizeof(text))));
	return list;
}

static int entry_json(const struct entry *e, struct fg_error *err)
{
	const struct fg_pod *p = &e->pod;
	json_t *root = json_pack(
		"{s:s, s:s, s:{s:I, s:s}, s:o, s:{s:s, s:s?, s:s, s:i, s:s, s:i}, s:o, s:s, s:s?}",
		"schema", "flowgen.pod/1", "name", entry_name(e), "netns", "inode",
		(json_int_t)p->inode, "path", p->path, "addresses", addresses_json(&p->addresses),
		"device", "kind", p->peer.kind, "mode", mode_text(&p->peer), "peer", p->peer.name,
		"peer_ifindex", p->peer.ifindex, "primary", p->primary.name, "primary_ifindex",
		p->primary.ifindex, "programs", programs_json(&e->ladder), "method",
		fg_method_name(e->method), "method_reason", e->why);
	FG_FREE char *line = root ? json_dumps(root, JSON_COMPACT) : NULL;

	json_decref(root);
	if (!line)
		return fg_fail(err, FG_ERR_INTERNAL, "pod %s: no JSON could be made", p->ref);
	if (fg_output_write(line, strlen(line), err))
		return -1;
	return fg_output_write("\n", 1, err);
}

/* The table is kept until its columns' widths are known. */
struct table {
	struct row {
		char name[64], device[48], address[FG_ADDR_TEXT_LEN], method[16];
		char *programs;
	} *rows;
	size_t count;
};

static char *programs_text(const struct fg_ladder *ladder)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	for (size_t i = 0; i < ladder->count; i++)
		fprintf(out, "%s%s:%s", i ? " " : "", fg_hook_name(ladder->programs[i].hook),
			ladder->programs[i].name);
	if (!ladder->count)
		fputs("none", out);
	return fclose(out) ? NULL : text;
}

static int entry_row(const struct entry *e, struct table *table, struct fg_error *err)
{
	const struct fg_addr *addr = fg_pod_address(&e->pod, AF_INET);
	struct row *row = reallocarray(table->rows, table->count + 1, sizeof(*row));
	const char *mode = mode_text(&e->pod.peer);
	struct fg_addr none = {};

	if (!row)
		return fg_fail(err, FG_ERR_INTERNAL, "out of memory");
	table->rows = row;
	row += table->count++;
	addr = addr ? addr : fg_pod_address(&e->pod, AF_INET6);
	snprintf(row->name, sizeof(row->name), "%.63s", entry_name(e));
	snprintf(row->device, sizeof(row->device), "%s%s%s %s-%s", e->pod.peer.kind, mode ? "/" : "",
		 mode ? mode : "", e->pod.peer.name, e->pod.primary.name);
	fg_addr_text(addr ? addr : &none, row->address, sizeof(row->address));
	snprintf(row->method, sizeof(row->method), "%s", fg_method_name(e->method));
	row->programs = programs_text(&e->ladder);
	return row->programs ? 0 : fg_fail(err, FG_ERR_INTERNAL, "out of memory");
}

static int wider(int width, const char *text)
{
	return (int)strlen(text) > width ? (int)strlen(text) : width;
}

static int table_print(const struct table *table, struct fg_error *err)
{
	int name = 3, device = 6, address = 7, method = 6, ret = 0;
	FG_FREE char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return fg_fail(err, FG_ERR_INTERNAL, "out of memory");
	for (size_t i = 0; i < table->count; i++) {
		name = wider(name, table->rows[i].name);
		device = wider(device, table->rows[i].device);
		address = wider(address, table->rows[i].address);
		method = wider(method, table->rows[i].method);
	}
	fprintf(out, "%-*s  %-*s  %-*s  %-*s  %s\n", name, "POD", address, "ADDRESS", device, "DEVICE",
		method, "METHOD", "PROGRAMS");
	for (size_t i = 0; i < table->count; i++) {
		const struct row *r = &table->rows[i];

		fprintf(out, "%-*s  %-*s  %-*s  %-*s  %s\n", name, r->name, address, r->address, device,
			r->device, method, r->method, r->programs);
	}
	if (fclose(out))
		return fg_fail(err, FG_ERR_INTERNAL, "out of memory");
	ret = fg_output_string(text, err);
	return ret;
}

static void table_free(struct table *table)
{
	for (size_t i = 0; i < table->count; i++)
		free(table->rows[i].programs);
	free(table->rows);
}

static int list_pods(const struct fg_host *host, const struct options *options, struct table *table,
		     struct fg_error *err)
{
	bool egress = !fg_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL);

	for (size_t i = 0; i < host->list.count; i++) {
		struct entry e;
		int ret;

		if (host->list.entries[i].inode == host->inode)
			continue;
		ret = entry_open(host, host->list.entries[i].path, egress, &e, err);
		if (ret < 0)
			return -1;
		if (!ret)
			continue;
		ret = options->json ? entry_json(&e, err) : entry_row(&e, table, err);
		entry_close(&e);
		if (ret)
			return -1;
	}
	return options->json ? fg_output_flush(err) : table_print(table, err);
}

int fg_cmd_pods(int argc, char **argv)
{
	struct options options = { .host_root = "" };
	struct table table = {};
	struct fg_host host = { .netns = -1 };
	struct fg_error err;
	int ret = fg_cmd_parse(&parser, argc, argv, &options);

	if (ret)
		return ret;
	ret = fg_capability_preflight(&err);
	if (!ret)
		ret = fg_host_open(&host, options.host_root, &err);
	if (!ret)
		ret = list_pods(&host, &options, &table, &err);
	table_free(&table);
	fg_host_close(&host);
	return ret ? fg_cmd_fail(&err) : FG_EXIT_OK;
}
