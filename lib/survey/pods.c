// SPDX-License-Identifier: GPL-2.0-only
/* survey/pods.c - the pods of this host, and the programs on the way from and to them. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "datapath/policy.h"
#include "host/capability.h"
#include "host/pod_list.h"
#include "probe/method.h"
#include "run/run.h"
#include "survey/survey.h"

struct look {
	const struct fg_survey *survey;
	bool egress_redirect;
	size_t looked_at;	 /* pods, whatever was found */
	struct fg_error *denied; /* the first that could not be, for want of a privilege */
};

/*
 * Without the runtimes' names the namespaces are still listed, with a warning.
 */
static void warn_of_runtimes(const struct fg_survey *s, struct fg_host *host)
{
	struct fg_error why;
	const struct fg_runtime_pods *runtimes = fg_host_runtimes(host, &why);
	char text[400], warning[600];
	const char *unseen = fg_host_unseen(host, text, sizeof(text));

	if (unseen)
		s->warn(unseen);
	if (!runtimes)
		snprintf(warning, sizeof(warning),
			 "the container runtimes' names of pods are not known: %s", why.message);
	else if (runtimes->skipped)
		snprintf(warning, sizeof(warning),
			 "%u records of container runtimes could not be read, the first is %s",
			 runtimes->skipped, runtimes->first_skipped);
	else
		return;
	s->warn(warning);
}

static void fill_known(const struct fg_pod_listed *listed, struct fg_pods_entry *e)
{
	const struct fg_runtime_pod *known = listed->known;

	e->pod.name = listed->name;
	e->pod.path = listed->path;
	e->pod.netns = listed->inode;
	if (!known)
		return;
	e->known = true;
	e->namespace = known->namespace;
	e->uid = known->uid;
	e->runtime = known->runtime;
	e->id = known->id;
	e->live = known->live;
}

static int fill_addresses(const struct fg_link_addresses *all, struct fg_pods_entry *e,
			  struct fg_error *err)
{
	struct fg_pods_address *list = calloc(all->count + 1, sizeof(*list));

	if (!list)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "list of pods");
	for (size_t i = 0; i < all->count; i++)
		list[i] = (struct fg_pods_address){ all->list[i].addr,
						    all->list[i].scope == RT_SCOPE_UNIVERSE };
	e->addresses = list;
	e->address_count = all->count;
	return 0;
}

static int put_refused(struct look *l, struct fg_pods_entry *e, const struct fg_error *why,
		       struct fg_error *err)
{
	bool denied = why->code == EPERM || why->code == EACCES;
	int ret;

	if (!denied)
		l->looked_at += e->pod.path != NULL;
	else if (!l->denied->kind)
		*l->denied = *why;
	e->refused = why->message;
	ret = l->survey->put(l->survey->arg, e, err);
	e->refused = NULL;
	return ret;
}

static int put_open(struct look *l, struct fg_host *host, const struct fg_pod *pod,
		    struct fg_pods_entry *e, struct fg_error *err)
{
	struct fg_ladder ladder = {}, back = {};
	struct fg_method_facts facts = { .egress_redirect = l->egress_redirect,
					 .netkit = !strcmp(pod->primary.kind, "netkit"),
					 .bridged = pod->primary.master != 0,
					 .ladder = &ladder };
	struct fg_error why;
	char note[700];
	int ret;

	if (fg_policy_list(pod, false, &ladder, &why) || fg_policy_list_back(pod, &back, &why) ||
	    fg_method_choose(&facts, FG_METHOD_AUTO, &e->method, &e->why, &why)) {
		fg_ladder_free(&ladder);
		fg_ladder_free(&back);
		return put_refused(l, e, &why, err);
	}
	l->looked_at++;
	e->ladder = &ladder;
	e->back = &back;
	e->note = fg_pod_note(host, pod, note, sizeof(note));
	e->pod.device = fg_run_source_pod(pod, NULL, NULL).device;
	ret = fill_addresses(&pod->addresses, e, err) || l->survey->put(l->survey->arg, e, err) ? -1
												: 0;
	free((void *)e->addresses);
	e->addresses = NULL;
	e->ladder = e->back = NULL;
	e->note = NULL;
	fg_ladder_free(&ladder);
	fg_ladder_free(&back);
	return ret;
}

static int put_pod(struct look *l, struct fg_host *host, const struct fg_pod_listed *listed,
		   struct fg_error *err)
{
	struct fg_pod pod = { .netns = -1, .host_netns = -1 };
	struct fg_pods_entry e = { .origin = fg_run_origin() };
	struct fg_error why;
	int ret = 0;

	fill_known(listed, &e);
	switch (fg_pod_list_open(host, listed, &pod, &why)) {
	case FG_POD_OPEN:
		ret = put_open(l, host, &pod, &e, err);
		fg_pod_close(&pod);
		break;
	case FG_POD_REFUSED:
		ret = put_refused(l, &e, &why, err);
		break;
	case FG_POD_NONE:
		break;
	}
	return ret;
}

int fg_survey_pods(const struct fg_survey *survey, struct fg_host *host, struct fg_error *denied,
		   struct fg_error *err)
{
	struct look l = { .survey = survey, .denied = denied };
	struct fg_pod_list list = {};
	int ret;

	*denied = (struct fg_error){};
	l.egress_redirect = !fg_capability_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL);
	warn_of_runtimes(survey, host);
	ret = fg_pod_list(host, &list, err);
	for (size_t i = 0; !ret && i < list.count; i++)
		ret = put_pod(&l, host, &list.list[i], err);
	fg_pod_list_free(&list);
	/* One pod that may not be looked at is listed as refused. */
	if (l.looked_at)
		*denied = (struct fg_error){};
	return ret;
}
