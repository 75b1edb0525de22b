// SPDX-License-Identifier: GPL-2.0-only
/* host/pod_ref.c - which network namespace a reference to a pod means. */
#include "base/count.h"
#include "host/pod.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"

/* What a ref was found to mean. */
struct meaning {
	const char *form; /* "netns", "pid", ... */
	struct fg_pod_place place;
};

struct meanings {
	struct meaning list[8];
	size_t count;
	struct fg_error failure; /* the first that kept one from being found */
};

static void meaning_add(struct meanings *found, const char *form, uint32_t inode, const char *path)
{
	struct meaning *m = &found->list[found->count];

	if (found->count == COUNT(found->list))
		return;
	m->form = form;
	m->place.inode = inode;
	snprintf(m->place.path, sizeof(m->place.path), "%s", path);
	found->count++;
}

/* What is not there has no meaning; what could not be looked at may have the one that is asked. */
static int open_netns(const char *path, struct meanings *found)
{
	struct fg_error why;
	int fd = fg_netns_open(path, &why);

	if (fd < 0 && !fg_netns_is_gone(&why) && !found->failure.kind)
		found->failure = why;
	return fd;
}

static void try_name(const struct fg_host *host, const char *word, struct meanings *found)
{
	const struct fg_netns_name *name = fg_netns_list_name(&host->list, word);

	if (name)
		meaning_add(found, "netns", name->inode, name->path);
}

static void try_path(const char *word, struct meanings *found)
{
	FG_FD int fd = strchr(word, '/') ? open_netns(word, found) : -1;

	if (fd >= 0)
		meaning_add(found, "path", fg_netns_inode(fd), word);
}

static void try_pid(const struct fg_host *host, const char *word, struct meanings *found)
{
	char path[256];
	uint64_t pid;

	if (fg_parse_u64("pid", word, 1, INT32_MAX, &pid, NULL))
		return;
	snprintf(path, sizeof(path), "%s/proc/%d/ns/net", host->root, (int)pid);
	FG_FD int fd = open_netns(path, found);

	if (fd >= 0)
		meaning_add(found, "pid", fg_netns_inode(fd), path);
}

static bool netns_has_address(int fd, const struct fg_addr *addr, struct meanings *found)
{
	struct fg_error why;
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(fd, &why);
	int has = sk ? fg_link_holds(sk, addr, &why) : -1;

	if (has < 0 && !found->failure.kind)
		found->failure = why;
	return has > 0;
}

static void try_ip(const struct fg_host *host, const char *word, struct meanings *found)
{
	struct fg_addr addr;

	if (fg_parse_addr("address", word, &addr, NULL) || addr.zone[0])
		return;
	for (size_t i = 0; i < host->list.count; i++) {
		FG_FD int fd = open_netns(host->list.entries[i].path, found);

		if (fd >= 0 && netns_has_address(fd, &addr, found))
			meaning_add(found, "ip", host->list.entries[i].inode,
				    host->list.entries[i].path);
	}
}

static void try_device(struct fg_host *host, const char *word, struct meanings *found)
{
	struct fg_error why;
	const char *path;

	for (size_t i = 0; i < host->links.count; i++) {
		const struct fg_link *link = &host->links.links[i];

		if (strcmp(link->name, word) || !fg_link_is_pod_end(link))
			continue;
		FG_FD int fd = fg_host_open_nsid(host, host->inode, host->rtnl, link->peer_nsid,
						 &path, &why);

		if (fd < 0 && why.code != ENOENT && !found->failure.kind)
			found->failure = why;
		if (fd >= 0)
			meaning_add(found, "dev", fg_netns_inode(fd), path);
	}
}

static int fail_ambiguous(const char *ref, const struct meanings *found, struct fg_error *err)
{
	char list[400] = "";

	for (size_t i = 0; i < found->count; i++) {
		size_t len = strlen(list);

		snprintf(list + len, sizeof(list) - len, "%s%s:%.100s (%.100s)", i ? ", " : "",
			 found->list[i].form, ref, found->list[i].place.path);
	}
	fg_fail(err, FG_ERR_USAGE, "pod %.100s could be %s", ref, list);
	return fg_hint(err, "choose one of these");
}

static int fail_unknown(const char *ref, struct fg_error *err)
{
	fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: not found on this host", ref);
	return fg_hint(err,
		       "'flowgen pods' lists them; forms: NAMESPACE/NAME, uid:UID, container:ID, "
		       "netns:NAME, PATH, pid:N, ip:ADDR, dev:NAME");
}

/* "form:" in front of ref; returns what follows it, or NULL. */
static const char *after_form(const char *ref, const char *form)
{
	size_t len = strlen(form);

	return !strncmp(ref, form, len) && ref[len] == ':' ? ref + len + 1 : NULL;
}

static bool is_path(const char *ref)
{
	return ref[0] == '/' || ref[0] == '.';
}

/* What the runtimes know it by. */
static int find_recorded(struct fg_host *host, const char *ref, struct fg_pod_place *out,
			 struct fg_error *err)
{
	const struct fg_runtime_pods *pods = fg_host_runtimes(host, err);
	const struct fg_runtime_pod *pod = pods ? fg_runtime_find(pods, ref, err) : NULL;

	if (!pod)
		return -1;
	snprintf(out->path, sizeof(out->path), "%s", pod->netns);
	out->inode = pod->netns_inode;
	return 0;
}

/*
 * A bare word that is nothing else may be a container's name or whole id; the start of one would be
 * a guess. Returns 1 if it is none.
 */
static int find_container(struct fg_host *host, const char *word, struct fg_pod_place *out,
			  struct fg_error *err)
{
	const struct fg_runtime_pods *pods = fg_host_runtimes(host, NULL);
	char ref[320];

	snprintf(ref, sizeof(ref), "container:%s", word);
	for (size_t i = 0; pods && i < pods->container_count; i++) {
		const struct fg_runtime_container *c = &pods->containers[i];
		const struct fg_runtime_pod *pod = &pods->pods[c->pod];

		if (!strcmp(c->id, word) || !strcmp(c->name, word) ||
		    (!pod->namespace[0] && !strcmp(pod->name, word)))
			return find_recorded(host, ref, out, err);
	}
	return 1;
}

static void try_all(struct fg_host *host, const char *word, struct meanings *found)
{
	try_name(host, word, found);
	try_path(word, found);
	try_pid(host, word, found);
	try_ip(host, word, found);
	try_device(host, word, found);
}

/* What the kernel knows it by. Returns 0, also if nothing was found. */
static int find_meanings(struct fg_host *host, const char *ref, struct meanings *found,
			 struct fg_error *err)
{
	struct fg_addr addr;
	const char *word;
	uint64_t pid;

	if ((word = after_form(ref, "netns"))) {
		try_name(host, word, found);
		try_path(word, found);
	} else if ((word = after_form(ref, "pid"))) {
		if (fg_parse_u64("pod pid", word, 1, INT32_MAX, &pid, err))
			return -1;
		try_pid(host, word, found);
	} else if ((word = after_form(ref, "ip"))) {
		if (fg_parse_addr("pod ip", word, &addr, err))
			return -1;
		if (addr.zone[0])
			return fg_fail(err, FG_ERR_USAGE,
				       "pod ip: \"%.100s\": no zone is known here", word);
		try_ip(host, word, found);
	} else if ((word = after_form(ref, "dev"))) {
		try_device(host, word, found);
	} else {
		try_all(host, ref, found);
	}
	return 0;
}

int fg_pod_find(struct fg_host *host, const char *ref, struct fg_pod_place *out,
		struct fg_error *err)
{
	struct meanings found = {};
	int ret;

	if (!is_path(ref) && fg_parse_cluster_reference("pod", ref, err))
		return -1;
	if (!strncmp(ref, "pod:", 4))
		ref = fg_parse_plain_reference(ref);
	if (!is_path(ref) && fg_runtime_is_ref(ref))
		return find_recorded(host, ref, out, err);
	if (find_meanings(host, ref, &found, err))
		return -1;
	if (found.failure.kind && !found.count) {
		fg_error_pass(err, &found.failure);
		return fg_error_prefix(err, "pod %.100s", ref);
	}
	if (!found.count) {
		ret = strchr(ref, ':') || strchr(ref, '/') ? 1
							   : find_container(host, ref, out, err);
		return ret > 0 ? fail_unknown(ref, err) : ret;
	}
	for (size_t i = 1; i < found.count; i++)
		if (found.list[i].place.inode != found.list[0].place.inode)
			return fail_ambiguous(ref, &found, err);
	*out = found.list[0].place;
	return 0;
}
