// SPDX-License-Identifier: GPL-2.0-only
/* run_pods.c - the pods of a scenario: references and selectors, looked up on this host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "pod.h"
#include "run.h"
#include "runtime.h"

struct finder {
	struct fg_session *session;
	struct fg_run_file *file;
	struct fg_run_pods *known;
	struct fg_runtime_pods runtime;
	bool listed; /* runtime is filled */
	struct fg_error *err;
};

static struct fg_scenario_member *member_add(struct finder *f, struct fg_scenario_found *found,
					     const char *label)
{
	struct fg_scenario_member *grown =
		reallocarray(found->members, found->count + 1, sizeof(*grown));

	if (grown) {
		found->members = grown;
		grown += found->count;
		*grown = (struct fg_scenario_member){ .label = strdup(label), .pod = -1 };
		found->count++;
		if (grown->label)
			return grown;
	}
	fg_fail_errno(f->err, FG_ERR_INTERNAL, ENOMEM, "pods");
	return NULL;
}

static void take_addresses(struct fg_scenario_member *m, const struct fg_pod *pod)
{
	const struct fg_addr *v4 = fg_pod_address(pod, AF_INET),
			     *v6 = fg_pod_address(pod, AF_INET6);

	if (v4)
		m->v4 = *v4;
	if (v6)
		m->v6 = *v6;
	m->netns = pod->inode;
}

/* The number of this pod, where it was added before, by whatever name and for whatever file; or -1.
 */
static int known_pod(const struct finder *f, const struct fg_pod *pod, enum fg_method method)
{
	for (size_t i = 0; i < f->known->count; i++) {
		const struct fg_run_pod *k = &f->known->list[i];

		if (k->netns == pod->inode && k->ifindex == pod->peer.ifindex &&
		    k->method == method)
			return (int)i;
	}
	return -1;
}

static int add_to_session(struct finder *f, const struct fg_scenario_pods *p, const char *ref,
			  const struct fg_pod *looked)
{
	struct fg_run_pod *grown =
		reallocarray(f->known->list, f->known->count + 1, sizeof(*grown));
	int pod;

	if (!grown)
		return fg_fail_errno(f->err, FG_ERR_INTERNAL, ENOMEM, "pods");
	f->known->list = grown;
	pod = fg_session_add_pod(f->session, ref, p->interface, p->method, f->err);
	if (pod >= 0)
		grown[f->known->count++] = (struct fg_run_pod){ .netns = looked->inode,
								.ifindex = looked->peer.ifindex,
								.method = p->method };
	return pod;
}

/*
 * Adds one pod under a label. A destination alone is only looked at: nothing of it is traced.
 * Returns 0; 1 where this host cannot (err says why); -1 on an error.
 */
static int add_pod(struct finder *f, const struct fg_scenario_pods *p, const char *ref,
		   const char *label, bool sends, struct fg_scenario_found *found)
{
	struct fg_scenario_member *m;
	struct fg_pod looked = {};
	int pod = -1, ret = 0;

	if (fg_pod_open(fg_session_host(f->session), ref, p->interface, &looked, f->err))
		return f->err->kind == FG_ERR_UNSUPPORTED ? 1 : -1;
	if (sends) {
		pod = known_pod(f, &looked, p->method);
		if (pod < 0)
			pod = add_to_session(f, p, ref, &looked);
		if (pod < 0)
			ret = f->err->kind == FG_ERR_UNSUPPORTED ? 1 : -1;
	}
	m = ret ? NULL : member_add(f, found, label);
	if (m) {
		m->pod = pod;
		take_addresses(m, &looked);
	}
	fg_pod_close(&looked);
	return m || ret ? ret : -1;
}

/* --- selectors --- */

/* The one that is tried; a pod that vanishes meanwhile, or has no pair, is none of those selected.
 */
static int try_selected(struct finder *f, const struct fg_scenario_pods *p, const char *name,
			const char *ref, bool sends, struct fg_scenario_found *found)
{
	int ret;

	if (!fg_scenario_selects(p, name))
		return 0;
	ret = add_pod(f, p, ref, name, sends, found);
	if (ret > 0 && !found->why[0])
		snprintf(found->why, sizeof(found->why), "%s", f->err->message);
	return ret < 0 ? -1 : 0;
}

static int by_label(const void *a, const void *b)
{
	const struct fg_scenario_member *x = a, *y = b;

	return strcmp(x->label, y->label);
}

static int select_pods(struct finder *f, const struct fg_scenario_pods *p, bool sends,
		       struct fg_scenario_found *found)
{
	const struct fg_host *host = fg_session_host(f->session);
	char name[330];

	if (!f->listed && fg_runtime_list(host->root, &f->runtime, f->err))
		return -1;
	f->listed = true;
	for (size_t i = 0; i < f->runtime.count; i++) {
		const struct fg_runtime_pod *r = &f->runtime.pods[i];

		if (r->host_network || !r->netns[0])
			continue;
		snprintf(name, sizeof(name), "%s%s%s", r->namespace, r->namespace[0] ? "/" : "",
			 r->name);
		if (try_selected(f, p, name, r->netns, sends, found))
			return -1;
	}
	/* Named namespaces have no Kubernetes namespace; runtimes give theirs names that say
	 * nothing. */
	for (size_t i = 0; i < host->list.count; i++) {
		const struct fg_netns_entry *e = &host->list.entries[i];
		bool runtime = false;

		for (size_t k = 0; k < f->runtime.count; k++)
			runtime |= f->runtime.pods[k].netns_inode == e->inode;
		if (e->name[0] && e->inode != host->inode && !runtime &&
		    try_selected(f, p, e->name, e->path, sends, found))
			return -1;
	}
	if (found->count)
		qsort(found->members, found->count, sizeof(*found->members), by_label);
	else if (!found->why[0])
		snprintf(found->why, sizeof(found->why),
			 "no pod on this node fits namespace %.60s, name %.60s",
			 p->namespace ? p->namespace : "*", p->glob ? p->glob : "*");
	return 0;
}

/* --- all of them --- */

static bool is_source(const struct fg_scenario *s, size_t pods)
{
	for (size_t i = 0; i < s->set_count; i++)
		for (size_t k = 0; k < s->sets[i].from_count; k++)
			if (s->sets[i].from[k] == pods)
				return true;
	return false;
}

static bool is_target(const struct fg_scenario *s, size_t pods)
{
	for (size_t i = 0; i < s->place_count; i++)
		if (s->places[i].pods == (int)pods)
			return true;
	return false;
}

static int find_one(struct finder *f, size_t index)
{
	const struct fg_scenario *s = &f->file->scenario;
	const struct fg_scenario_pods *p = &s->pods[index];
	struct fg_scenario_found *found = &f->file->found[index];
	bool sends = is_source(s, index);
	int ret;

	if (!sends && !is_target(s, index))
		return 0;
	if (!p->ref) {
		ret = select_pods(f, p, sends, found);
	} else {
		ret = add_pod(f, p, p->ref, p->name, sends, found);
		if (ret > 0)
			snprintf(found->why, sizeof(found->why), "%s", f->err->message);
	}
	if (ret < 0 && f->err->kind == FG_ERR_USAGE)
		fg_error_prefix(f->err, "%s:%u:%u: pods.%.60s", s->yaml.file,
				fg_yaml_place(&s->yaml, p->node)->line,
				fg_yaml_place(&s->yaml, p->node)->column, p->name);
	return ret < 0 ? -1 : 0;
}

int fg_run_find_pods(struct fg_session *session, struct fg_run_file *file,
		     struct fg_run_pods *known, struct fg_error *err)
{
	struct finder f = { .session = session, .file = file, .known = known, .err = err };
	int ret = 0;

	file->found = calloc(file->scenario.pod_count + 1, sizeof(*file->found));
	if (!file->found)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pods");
	for (size_t i = 0; !ret && i < file->scenario.pod_count; i++)
		ret = find_one(&f, i);
	fg_runtime_pods_free(&f.runtime);
	return ret;
}

void fg_run_free_pods(struct fg_run_file *file)
{
	for (size_t i = 0; file->found && i < file->scenario.pod_count; i++) {
		for (size_t k = 0; k < file->found[i].count; k++)
			free(file->found[i].members[k].label);
		free(file->found[i].members);
	}
	free(file->found);
	file->found = NULL;
}
