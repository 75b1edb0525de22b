// SPDX-License-Identifier: GPL-2.0-only
/* run/find.c - the pods of a scenario: references and selectors, looked up on this host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "host/pod.h"
#include "base/grow.h"
#include "run/internal.h"
#include "runtime/runtime.h"

struct finder {
	struct fg_run_scenarios *scenarios;
	const struct fg_run_session *session;
	struct fg_run_file *file;
	struct fg_runtime_pods runtime;
	bool listed; /* runtime is filled */
	struct fg_error *err;
};

static struct fg_scenario_member *member_add(struct finder *f, struct fg_scenario_found *found,
					     const char *label)
{
	struct fg_scenario_member *m = FG_APPEND(found->members, found->count, "pods", f->err);

	if (!m)
		return NULL;
	*m = (struct fg_scenario_member){ .label = strdup(label), .pod = -1 };
	if (m->label)
		return m;
	fg_fail_errno(f->err, FG_ERR_INTERNAL, ENOMEM, "pods");
	return NULL;
}

static void take_addresses(struct fg_scenario_member *m, const struct fg_pod *pod)
{
	const struct fg_addr *v4 = fg_pod_address(pod, AF_INET),
			     *v6 = fg_pod_address(pod, AF_INET6);
	struct fg_link_addresses all = {};

	/* Those of its other devices too. */
	if (!fg_link_addresses(pod->rtnl, 0, &all, NULL))
		m->owned = calloc(all.count + 1, sizeof(*m->owned));
	for (size_t i = 0; m->owned && i < all.count; i++)
		m->owned[m->owned_count++] = all.list[i].addr;
	free(all.list);
	if (v4)
		m->v4 = *v4;
	if (v6)
		m->v6 = *v6;
	if (fg_pod_link_address(pod))
		m->link = *fg_pod_link_address(pod);
	m->netns = pod->inode;
}

/* The number of this pod, where it was added before, by whatever name and for whatever file; or -1.
 */
static int known_pod(const struct finder *f, const struct fg_pod *pod, enum fg_method method)
{
	for (size_t i = 0; i < f->scenarios->known_count; i++) {
		const struct fg_run_known_pod *k = &f->scenarios->known[i];

		if (k->netns == pod->inode && k->ifindex == pod->peer.ifindex &&
		    k->method == method)
			return k->pod;
	}
	return -1;
}

static int add_to_session(struct finder *f, const struct fg_scenario_pods *p, const char *ref,
			  const struct fg_pod *looked)
{
	struct fg_run_scenarios *s = f->scenarios;
	struct fg_run_known_pod *k;
	int pod = f->session->ops->add_pod(f->session->self, ref, p->interface, p->method, f->err);

	if (pod < 0)
		return -1;
	k = FG_APPEND(s->known, s->known_count, "pods", f->err);
	if (!k)
		return -1;
	*k = (struct fg_run_known_pod){ .pod = pod,
					.netns = looked->inode,
					.ifindex = looked->peer.ifindex,
					.method = p->method };
	return pod;
}

/* --- pods of another node, which sends --- */

/* Senders whose packets arrive by one device are one to the session. */
static int find_device(struct finder *f, const struct fg_scenario_pods *p,
		       const struct fg_addr *from)
{
	char ref[80], text[FG_ADDR_TEXT_LEN];
	struct fg_pod looked = {};
	int pod;

	snprintf(ref, sizeof(ref), FG_AWAIT_FORM "@%s", fg_addr_text(from, text, sizeof(text)));
	if (fg_uplink_or_pod_open(f->session->ops->host(f->session->self), ref, NULL, &looked,
				  f->err))
		return -1;
	looked.inode = looked.host_inode;
	looked.peer.ifindex = looked.primary.ifindex;
	pod = known_pod(f, &looked, FG_METHOD_AUTO);
	if (pod < 0)
		pod = add_to_session(f, &(struct fg_scenario_pods){ .name = p->name }, ref,
				     &looked);
	fg_pod_close(&looked);
	return pod;
}

static int add_outside(struct finder *f, const struct fg_scenario_pods *p, const char *ref,
		       const char *label, struct fg_scenario_found *found)
{
	struct fg_addr v4 = {}, v6 = {};
	struct fg_scenario_member *m;
	int pod;

	if (fg_scenario_read_addresses(ref, &v4, &v6, f->err) ||
	    (pod = find_device(f, p, v4.family ? &v4 : &v6)) < 0 ||
	    !(m = member_add(f, found, label)))
		return -1;
	m->pod = pod;
	m->v4 = v4;
	m->v6 = v6;
	return 0;
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

	if (!strncmp(ref, FG_AWAIT_FORM, strlen(FG_AWAIT_FORM)))
		return fg_fail(f->err, FG_ERR_USAGE, "%s: this does not name a pod", ref);
	if (f->scenarios->options->await && sends)
		return add_outside(f, p, ref, label, found);
	if (fg_uplink_or_pod_open(f->session->ops->host(f->session->self), ref, p->interface,
				  &looked, f->err))
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
		/* What is outside has none of its own. */
		m->netns = looked.uplink ? 0 : looked.inode;
	}
	fg_pod_close(&looked);
	return m || ret ? ret : -1;
}

/* --- selectors --- */

/* The one that is tried; a pod that vanishes meanwhile, or has no pair, is not among those
 * selected.
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

static bool is_runtimes(const struct finder *f, uint32_t inode)
{
	for (size_t i = 0; i < f->runtime.count; i++)
		if (f->runtime.pods[i].netns_inode == inode)
			return true;
	return false;
}

/* Whether an earlier name of the namespace was selected already: it is one pod. */
static bool is_selected(const struct fg_netns_list *list, size_t index,
			const struct fg_scenario_pods *p)
{
	for (size_t i = 0; i < index; i++)
		if (list->names[i].inode == list->names[index].inode &&
		    fg_scenario_selects(p, list->names[i].name))
			return true;
	return false;
}

static int select_named(struct finder *f, const struct fg_scenario_pods *p, bool sends,
			struct fg_scenario_found *found)
{
	const struct fg_host *host = f->session->ops->host(f->session->self);

	for (size_t i = 0; i < host->list.name_count; i++) {
		const struct fg_netns_name *n = &host->list.names[i];

		if (n->inode != host->inode && !is_runtimes(f, n->inode) &&
		    !is_selected(&host->list, i, p) &&
		    try_selected(f, p, n->name, n->path, sends, found))
			return -1;
	}
	return 0;
}

static int select_pods(struct finder *f, const struct fg_scenario_pods *p, bool sends,
		       struct fg_scenario_found *found)
{
	const struct fg_host *host = f->session->ops->host(f->session->self);
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
	if (select_named(f, p, sends, found))
		return -1;
	if (found->count)
		qsort(found->members, found->count, sizeof(*found->members), by_label);
	else if (!found->why[0])
		snprintf(found->why, sizeof(found->why),
			 "no pod on this node matches namespace %.60s, name %.60s",
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

int fg_run_find_pods(struct fg_run_scenarios *scenarios, struct fg_run_file *file,
		     struct fg_error *err)
{
	struct finder f = { .scenarios = scenarios,
			    .session = fg_run_session(scenarios->run),
			    .file = file,
			    .err = err };
	int ret = 0;

	file->found = calloc(file->scenario.pod_count + 1, sizeof(*file->found));
	if (!file->found)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "pods");
	for (size_t i = 0; !ret && i < file->scenario.pod_count; i++)
		ret = find_one(&f, i);
	fg_runtime_pods_free(&f.runtime);
	return ret;
}
