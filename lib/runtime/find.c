// SPDX-License-Identifier: GPL-2.0-only
/* Names of pods: which of the listed ones is meant, and why not if none can be had. */
#include "runtime/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How much of a pod is left, the better the higher: if several match, the best is meant. */
enum state { STOPPED, NETNS_ONLY, LIVE };

/* The pods that a name fits, as indices into the list. */
struct matches {
	const struct fg_runtime_pods *pods;
	size_t *list; /* room for all of them */
	size_t count;
};

static const char *behind(const char *ref, const char *prefix)
{
	size_t len = strlen(prefix);

	return strncmp(ref, prefix, len) != 0 ? NULL : ref + len;
}

/* "NAMESPACE/NAME": a path has its first or another slash elsewhere. */
static bool is_pod_name(const char *ref)
{
	const char *slash = strchr(ref, '/');

	return slash && slash != ref && slash[1] && !strchr(slash + 1, '/') && !strchr(ref, ':');
}

bool fg_runtime_is_ref(const char *ref)
{
	return behind(ref, "uid:") || behind(ref, "container:") || is_pod_name(ref);
}

static void add_match(struct matches *matches, size_t pod)
{
	for (size_t i = 0; i < matches->count; i++)
		if (matches->list[i] == pod)
			return;
	matches->list[matches->count++] = pod;
}

static void match_name(struct matches *matches, const char *ref)
{
	size_t len = (size_t)(strchr(ref, '/') - ref);

	for (size_t i = 0; i < matches->pods->count; i++) {
		const struct fg_runtime_pod *pod = &matches->pods->pods[i];

		if (!strncmp(pod->namespace, ref, len) && !pod->namespace[len] &&
		    !strcmp(pod->name, ref + len + 1))
			add_match(matches, i);
	}
}

static void match_uid(struct matches *matches, const char *uid)
{
	for (size_t i = 0; i < matches->pods->count; i++)
		if (!strcmp(matches->pods->pods[i].uid, uid))
			add_match(matches, i);
}

/* A whole id first, then a name, then the start of an id, as docker and podman do. */
static void match_container(struct matches *matches, const char *text)
{
	const struct fg_runtime_container *all = matches->pods->containers;
	size_t len = strlen(text), count = matches->pods->container_count;

	for (size_t i = 0; i < count; i++)
		if (!strcmp(all[i].id, text))
			add_match(matches, all[i].pod);
	if (matches->count)
		return;
	/* podman's pods have a name besides that of their first container. */
	for (size_t i = 0; i < count; i++) {
		const struct fg_runtime_pod *pod = &matches->pods->pods[all[i].pod];

		if (!strcmp(all[i].name, text) || (!pod->namespace[0] && !strcmp(pod->name, text)))
			add_match(matches, all[i].pod);
	}
	if (matches->count)
		return;
	for (size_t i = 0; i < count; i++)
		if (!strncmp(all[i].id, text, len))
			add_match(matches, all[i].pod);
}

static enum state state_of(const struct fg_runtime_pod *pod)
{
	if (pod->live)
		return LIVE;
	return pod->netns[0] ? NETNS_ONLY : STOPPED;
}

static const struct fg_runtime_pod *match(const struct matches *matches, size_t i)
{
	return &matches->pods->pods[matches->list[i]];
}

/* Leaves only the matches that are in the best state of them all. */
static void keep_best(struct matches *matches)
{
	enum state best = STOPPED;
	size_t kept = 0;

	for (size_t i = 0; i < matches->count; i++)
		if (state_of(match(matches, i)) > best)
			best = state_of(match(matches, i));
	for (size_t i = 0; i < matches->count; i++)
		if (state_of(match(matches, i)) == best)
			matches->list[kept++] = matches->list[i];
	matches->count = kept;
}

/* "45s", "12m", "3h", "5d", as kubectl writes it. */
static const char *age_text(int64_t created, char *buf, size_t size)
{
	int64_t age = (int64_t)time(NULL) - created;

	if (!created || age < 0)
		snprintf(buf, size, "of unknown age");
	else if (age < 120)
		snprintf(buf, size, "%llds old", (long long)age);
	else if (age < 7200)
		snprintf(buf, size, "%lldm old", (long long)age / 60);
	else if (age < 172800)
		snprintf(buf, size, "%lldh old", (long long)age / 3600);
	else
		snprintf(buf, size, "%lldd old", (long long)age / 86400);
	return buf;
}

static int fail_several(const struct matches *matches, const char *ref, struct fg_error *err)
{
	static const char *const states[] = { "stopped", "no process", "live" };
	char text[400] = "";
	size_t len = 0;

	for (size_t i = 0; i < matches->count; i++) {
		const struct fg_runtime_pod *pod = match(matches, i);
		char age[32];
		int n;

		n = snprintf(text + len, sizeof(text) - len, "%suid %s, %s %.12s (%s, %s)",
			     i ? "; " : "", pod->uid[0] ? pod->uid : "-", pod->runtime, pod->id,
			     states[state_of(pod)], age_text(pod->created, age, sizeof(age)));
		if (n < 0 || (size_t)n >= sizeof(text) - len) {
			/* The list is cut between two of them, never within one. */
			snprintf(text + len, sizeof(text) - len, "; ...");
			break;
		}
		len += (size_t)n;
	}
	fg_fail(err, FG_ERR_UNSUPPORTED, "pod %.64s: %zu match: %s", ref, matches->count, text);
	return fg_hint(err, "name one by uid:UID or container:ID");
}

static int fail_none(const struct fg_runtime_pods *pods, const char *ref, struct fg_error *err)
{
	const char *name = is_pod_name(ref) ? strchr(ref, '/') + 1 : NULL;

	fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: not on this node (pods here: %zu)", ref,
		pods->count);
	for (size_t i = 0; name && i < pods->count; i++)
		if (!strcmp(pods->pods[i].name, name) && pods->pods[i].namespace[0])
			return fg_hint(err, "there is %s/%s", pods->pods[i].namespace, name);
	if (pods->skipped)
		return fg_hint(err, "%u records could not be read, the first is %s", pods->skipped,
			       pods->first_skipped);
	return fg_hint(err, "`flowgen pods` lists those that are here");
}

/* A pod that can be had has a network namespace of its own. */
static bool is_usable(const struct fg_runtime_pod *pod, const char *ref, struct fg_error *err)
{
	if (pod->host_network) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"pod %s: shares the node's network (host network), so it has no device",
			ref);
		fg_hint(err, "the node itself sends this pod's packets");
		return false;
	}
	if (!pod->netns[0]) {
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"pod %s: has stopped: %s %.12s has no network namespace any more", ref,
			pod->runtime, pod->id);
		return false;
	}
	return true;
}

/* Fills the matches, and returns the one that is meant; NULL with err filled. */
static const struct fg_runtime_pod *choose(struct matches *matches, const char *ref,
					   struct fg_error *err)
{
	const char *uid = behind(ref, "uid:"), *container = behind(ref, "container:");

	if (uid)
		match_uid(matches, uid);
	else if (container)
		match_container(matches, container);
	else
		match_name(matches, ref);
	if (!matches->count) {
		fail_none(matches->pods, ref, err);
		return NULL;
	}
	keep_best(matches);
	if (matches->count > 1) {
		fail_several(matches, ref, err);
		return NULL;
	}
	return is_usable(match(matches, 0), ref, err) ? match(matches, 0) : NULL;
}

const struct fg_runtime_pod *fg_runtime_find(const struct fg_runtime_pods *pods, const char *ref,
					     struct fg_error *err)
{
	struct matches matches = { .pods = pods };
	const struct fg_runtime_pod *pod;

	if (!fg_runtime_is_ref(ref) || !strcmp(ref, "uid:") || !strcmp(ref, "container:")) {
		fg_fail(err, FG_ERR_USAGE, "pod %s: not NAMESPACE/NAME, uid:UID or container:ID",
			ref);
		return NULL;
	}
	matches.list = calloc(pods->count + 1, sizeof(size_t));
	if (!matches.list) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pod %s", ref);
		return NULL;
	}
	pod = choose(&matches, ref, err);
	free(matches.list);
	return pod;
}
