// SPDX-License-Identifier: GPL-2.0-only
/* pod_ref.c - which network namespace a reference to a pod means. */
#include "pod.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"

/* What a ref was found to mean. */
struct meaning {
	const char *form; /* "netns", "pid", ... */
	struct fg_pod_place place;
};

struct meanings {
	struct meaning list[8];
	size_t count;
};

static void meaning_add(struct meanings *found, const char *form, uint32_t inode, const char *path)
{
	struct meaning *m = &found->list[found->count];

	if (found->count == sizeof(found->list) / sizeof(found->list[0]))
		return;
	m->form = form;
	m->place.inode = inode;
	snprintf(m->place.path, sizeof(m->place.path), "%s", path);
	found->count++;
}

static void try_name(const struct fg_host *host, const char *word, struct meanings *found)
{
	for (size_t i = 0; i < host->list.count; i++)
		if (host->list.entries[i].name[0] && !strcmp(host->list.entries[i].name, word))
			meaning_add(found, "netns", host->list.entries[i].inode,
				    host->list.entries[i].path);
}

static void try_path(const char *word, struct meanings *found)
{
	FG_FD int fd = strchr(word, '/') ? fg_netns_open(word, NULL) : -1;

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
	FG_FD int fd = fg_netns_open(path, NULL);

	if (fd >= 0)
		meaning_add(found, "pid", fg_netns_inode(fd), path);
}

static bool netns_has_address(int fd, const struct fg_addr *addr)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(fd, NULL);

	return sk && fg_link_holds(sk, addr);
}

static void try_ip(const struct fg_host *host, const char *word, struct meanings *found)
{
	struct fg_addr addr;

	if (fg_parse_addr("address", word, &addr, NULL))
		return;
	for (size_t i = 0; i < host->list.count; i++) {
		FG_FD int fd = fg_netns_open(host->list.entries[i].path, NULL);

		if (fd >= 0 && netns_has_address(fd, &addr))
			meaning_add(found, "ip", host->list.entries[i].inode,
				    host->list.entries[i].path);
	}
}

static void try_device(const struct fg_host *host, const char *word, struct meanings *found)
{
	const char *path;

	for (size_t i = 0; i < host->links.count; i++) {
		const struct fg_link *link = &host->links.links[i];

		if (strcmp(link->name, word) || !fg_link_is_pod_end(link))
			continue;
		FG_FD int fd = fg_host_open_nsid(host, host->rtnl, link->peer_nsid, &path);

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
	return fg_hint(err, "write the one that is meant with its form in front");
}

static int fail_unknown(const char *ref, struct fg_error *err)
{
	fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: there is none on this host", ref);
	return fg_hint(err,
		       "'flowgen pods' lists them; forms: NAMESPACE/NAME, uid:UID, container:ID, "
		       "netns:NAME, PATH, pid:N, ip:ADDR, dev:NAME");
}

/* "form:" in front of ref; returns what is behind it, or NULL. */
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
 * A bare word that is nothing else may be a container's name or whole id; the start of one would be a guess. Returns 1 where
 * it is none.
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

static void try_all(const struct fg_host *host, const char *word, struct meanings *found)
{
	try_name(host, word, found);
	try_path(word, found);
	try_pid(host, word, found);
	try_ip(host, word, found);
	try_device(host, word, found);
}

/* What the kernel knows it by. Returns 0, also where nothing was found. */
static int find_meanings(const struct fg_host *host, const char *ref, struct meanings *found,
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

	if (!is_path(ref) && fg_runtime_is_ref(ref))
		return find_recorded(host, ref, out, err);
	if (find_meanings(host, ref, &found, err))
		return -1;
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
