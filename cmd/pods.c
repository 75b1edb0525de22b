// SPDX-License-Identifier: GPL-2.0-only
/* pods.c - `flowgen pods`: the pods of this host, and what stands on their egress paths. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capability.h"
#include "cmd.h"
#include "fd.h"
#include "output.h"
#include "pods.h"

enum { KEY_OUTPUT = 0x100, KEY_HOST_ROOT };

struct options {
	bool json;
	const char *host_root;
};

static const struct argp_option option_list[] = {
	{ "output", KEY_OUTPUT, "json|text", 0,
	  "Form of the answer: one JSON object a line, or aligned columns (text)", 0 },
	{ "host-root", KEY_HOST_ROOT, "DIR", 0,
	  "Look for /run, /var/lib and /proc of the host below DIR", 0 },
	{}
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *options = state->input;

	switch (key) {
	case KEY_OUTPUT:
		options->json = !strcmp(arg, "json");
		if (!options->json && strcmp(arg, "text") != 0)
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
	.doc = "List the pods of this host: what container runtimes call them, their addresses and devices, the "
	       "programs on their egress paths in the order they run, and the method that inject would take. "
	       "Pods that nothing can be sent as are listed with the reason."
	       "\vExit status: 0, also when there is no pod; 3 without the privileges to look.",
};

/* What is looked at: pods that runtimes know, then namespaces that they do not. */
struct candidate {
	const struct fg_runtime_pod *known;
	const struct fg_netns_entry *netns;
};

struct candidates {
	struct candidate *list;
	size_t count;
};

static int by_name(const void *left, const void *right)
{
	const struct fg_netns_entry *a = ((const struct candidate *)left)->netns;
	const struct fg_netns_entry *b = ((const struct candidate *)right)->netns;

	/* Those with a name go first. */
	if (!a->name[0] != !b->name[0])
		return !a->name[0] - !b->name[0];
	return a->name[0] ? strcmp(a->name, b->name) : a->pid - b->pid;
}

/* The node's own namespace is no pod, also where flowgen was started in another one; 0: not known. */
static uint32_t node_inode(const struct fg_host *host)
{
	char path[sizeof(host->root) + 16];

	snprintf(path, sizeof(path), "%s/proc/1/ns/net", host->root);
	FG_FD int fd = fg_netns_open(path, NULL);

	return fd < 0 ? 0 : fg_netns_inode(fd);
}

static int list_candidates(struct fg_host *host, struct candidates *out, struct fg_error *err)
{
	const struct fg_runtime_pods *runtimes = fg_host_runtimes(host, err);
	size_t known = runtimes ? runtimes->count : 0, first;
	uint32_t node = node_inode(host);

	if (!runtimes)
		fprintf(stderr,
			"flowgen: warning: what container runtimes call their pods is not known: %s\n",
			err->message);
	else if (runtimes->skipped)
		fprintf(stderr,
			"flowgen: warning: %u records of container runtimes could not be read, the first is %s\n",
			runtimes->skipped, runtimes->first_skipped);
	out->list = calloc(known + host->list.count + 1, sizeof(*out->list));
	if (!out->list)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	/* A pod that has stopped is none any more. */
	for (size_t i = 0; i < known; i++)
		if (runtimes->pods[i].netns[0] ||
		    (runtimes->pods[i].host_network && runtimes->pods[i].live))
			out->list[out->count++].known = &runtimes->pods[i];
	first = out->count;
	for (size_t i = 0; i < host->list.count; i++)
		if (host->list.entries[i].inode != host->inode &&
		    host->list.entries[i].inode != node &&
		    !fg_host_runtime_pod(host, host->list.entries[i].inode))
			out->list[out->count++].netns = &host->list.entries[i];
	qsort(out->list + first, out->count - first, sizeof(*out->list), by_name);
	return 0;
}

static void entry_name(const struct candidate *c, struct fg_pods_entry *e)
{
	e->known = c->known;
	if (c->known) {
		e->path = c->known->netns[0] ? c->known->netns : NULL;
		e->inode = c->known->netns_inode;
		e->name = c->known->name[0] ? c->known->name : c->known->id;
	} else {
		e->path = c->netns->path;
		e->inode = c->netns->inode;
		e->name = c->netns->name[0] ? c->netns->name : c->netns->path;
	}
}

/* The message without the pod's name, which stands beside it. */
static void refuse(struct fg_pods_entry *e, const char *ref, const char *message)
{
	size_t len = strlen(ref);

	if (!strncmp(message, "pod ", 4) && !strncmp(message + 4, ref, len))
		message += 4 + len;
	snprintf(e->refused, sizeof(e->refused), "%s", message + strspn(message, ": "));
}

/* Some devices that the kernel makes by itself stand in every namespace; none of them is up. */
static bool has_network(const char *path)
{
	FG_FD int fd = fg_netns_open(path, NULL);
	FG_NL_SOCK struct nl_sock *sk = fd >= 0 ? fg_rtnl_open(fd, NULL) : NULL;
	struct fg_links links = {};
	bool has = false;

	if (!sk || fg_link_list(sk, &links, NULL))
		return false;
	for (size_t i = 0; i < links.count && !has; i++)
		has = !(links.links[i].flags & IFF_LOOPBACK) && links.links[i].flags & IFF_UP;
	fg_links_free(&links);
	return has;
}

static int open_pod(struct fg_host *host, bool egress, const char *ref, struct fg_pods_entry *e,
		    struct fg_error *err)
{
	struct fg_method_facts facts = { .egress_redirect = egress, .ladder = &e->ladder };

	if (fg_pod_open_path(host, ref, e->path, NULL, &e->pod, err))
		return -1;
	if (!fg_policy_list(&e->pod, &e->ladder, err)) {
		facts.netkit = !strcmp(e->pod.primary.kind, "netkit");
		if (!fg_method_choose(&facts, FG_METHOD_AUTO, &e->method, &e->why, err))
			return 0;
	}
	fg_ladder_free(&e->ladder);
	fg_pod_close(&e->pod);
	return -1;
}

/* Returns 1 where there is something to show, 0 where the namespace is no pod or is gone, -1 on an error. */
static int entry_open(struct fg_host *host, const struct candidate *c, bool egress,
		      struct fg_pods_entry *e, struct fg_error *err)
{
	const struct fg_pod none = { .netns = -1, .host_netns = -1 };
	char ref[330];

	*e = (struct fg_pods_entry){ .pod = none };
	entry_name(c, e);
	if (c->known)
		fg_runtime_pod_label(c->known, ref, sizeof(ref));
	else
		snprintf(ref, sizeof(ref), "%s", e->name);
	if (!e->path) {
		refuse(e, ref, "shares the host's network namespace (host network)");
		return 1;
	}
	FG_FD int fd = fg_netns_open(e->path, NULL);

	if (fd < 0 || fg_netns_inode(fd) != e->inode)
		return 0;
	if (!open_pod(host, egress, ref, e, err))
		return 1;
	if (err->code == EPERM || err->code == EACCES)
		return -1;
	if (!c->known && !c->netns->name[0] && !has_network(e->path))
		return 0;
	refuse(e, ref, err->message);
	return 1;
}

static int show_pods(struct fg_host *host, const struct candidates *all, bool json,
		     struct fg_pods_table *table, struct fg_error *err)
{
	bool egress = !fg_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL);

	for (size_t i = 0; i < all->count; i++) {
		struct fg_pods_entry e;
		int ret = entry_open(host, &all->list[i], egress, &e, err);

		if (!ret)
			continue;
		if (ret > 0)
			ret = json ? fg_pods_put_json(&e, err) : fg_pods_add_row(&e, table, err);
		fg_ladder_free(&e.ladder);
		fg_pod_close(&e.pod);
		if (ret)
			return -1;
	}
	return json ? fg_output_flush(err) : fg_pods_put_table(table, err);
}

int fg_cmd_pods(int argc, char **argv)
{
	struct options options = { .host_root = "" };
	struct fg_pods_table table = {};
	struct candidates all = {};
	struct fg_host host = { .netns = -1 };
	struct fg_error err;
	int ret = fg_cmd_parse(&parser, argc, argv, &options);

	if (ret)
		return ret;
	ret = fg_capability_preflight(&err);
	if (!ret)
		ret = fg_host_open(&host, options.host_root, &err);
	if (!ret)
		ret = list_candidates(&host, &all, &err);
	if (!ret)
		ret = show_pods(&host, &all, options.json, &table, &err);
	fg_pods_free_table(&table);
	free(all.list);
	fg_host_close(&host);
	return ret ? fg_cmd_fail(&err) : FG_EXIT_OK;
}
