// SPDX-License-Identifier: GPL-2.0-only
#include "cases/learn.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "yaml/yaml.h"

#define WHAT "scenario"

static bool has_text(const json_t *list, const char *text)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_array_get(list, i)), text))
			return true;
	return false;
}

static void add_text(json_t *list, const char *text)
{
	if (!has_text(list, text))
		json_array_append_new(list, json_string(text));
}

/* --- who sends --- */

static const struct fg_object_owner *replica_set(const struct fg_objects *o,
						 const struct fg_object_pod *pod)
{
	for (size_t i = 0; i < o->owner_count; i++)
		if (!strcmp(o->owners[i].name, pod->owner) &&
		    !strcmp(o->owners[i].namespace, pod->namespace))
			return &o->owners[i];
	return NULL;
}

/* A name that still means such a pod when this one is gone, if there is one. */
static void name_sender(const struct fg_objects *o, const struct fg_object_pod *pod, bool every,
			char *buf, size_t size)
{
	const struct fg_object_owner *set =
		!strcmp(pod->owner_kind, "ReplicaSet") ? replica_set(o, pod) : NULL;
	const char *kind = "", *owner = "";

	if (set && !strcmp(set->kind, "Deployment")) {
		kind = "deploy";
		owner = set->owner;
	} else if (!strcmp(pod->owner_kind, "StatefulSet")) {
		kind = "sts";
		owner = pod->owner;
	} else if (!strcmp(pod->owner_kind, "DaemonSet")) {
		kind = "ds";
		owner = pod->owner;
	}
	if (every || !kind[0])
		snprintf(buf, size, "%s/%s", pod->namespace, pod->name);
	else
		snprintf(buf, size, "%s:%s/%s", kind, pod->namespace, owner);
}

/* Another pod of the same owner says the same, where the owner has no name of its own here. */
static bool is_repeated(const struct fg_objects *o, size_t index)
{
	const struct fg_object_pod *pod = &o->pods[index];

	for (size_t i = 0; i < index; i++) {
		const struct fg_object_pod *before = &o->pods[i];

		if (pod->owner[0] && !strcmp(before->owner, pod->owner) &&
		    !strcmp(before->owner_kind, pod->owner_kind) &&
		    !strcmp(before->namespace, pod->namespace) && fg_objects_pod_runs(before))
			return true;
	}
	return false;
}

static json_t *list_senders(const struct fg_objects *o, bool every, struct fg_learn_left *left)
{
	json_t *from = json_array();
	char name[640];

	for (size_t i = 0; i < o->pod_count; i++) {
		const struct fg_object_pod *pod = &o->pods[i];

		if (!fg_objects_pod_runs(pod) || (!every && is_repeated(o, i)))
			continue;
		if (pod->host_network) {
			left->pods++;
			continue;
		}
		name_sender(o, pod, every, name, sizeof(name));
		add_text(from, name);
	}
	return from;
}

/* --- where to --- */

static bool has_backend(const struct fg_objects *o, const struct fg_object_service *s)
{
	for (size_t i = 0; i < o->backend_count; i++)
		if (o->backends[i].ready && !strcmp(o->backends[i].service, s->name) &&
		    !strcmp(o->backends[i].namespace, s->namespace))
			return true;
	return false;
}

static bool is_target(const struct fg_objects *o, const struct fg_object_service *s)
{
	return s->headless ? has_backend(o, s) : s->address_count > 0;
}

static json_t *list_targets(const struct fg_objects *o, const char *protocol)
{
	json_t *to = json_array();
	char name[400];

	for (size_t i = 0; i < o->service_count; i++) {
		const struct fg_object_service *s = &o->services[i];

		for (size_t k = 0; is_target(o, s) && k < s->port_count; k++) {
			if (strcmp(s->ports[k].protocol, protocol) != 0 || !s->ports[k].number)
				continue;
			snprintf(name, sizeof(name), "svc:%s/%s:%u", s->namespace, s->name,
				 s->ports[k].number);
			add_text(to, name);
		}
	}
	return to;
}

/* --- the file --- */

static json_t *make_matrices(const struct fg_objects *o, json_t *from)
{
	static const struct {
		const char *protocol, *word;
	} protocols[] = { { "TCP", "tcp" }, { "UDP", "udp" }, { "SCTP", "sctp" } };
	json_t *list = json_array();

	for (size_t i = 0; i < sizeof(protocols) / sizeof(*protocols); i++) {
		json_t *to = list_targets(o, protocols[i].protocol);

		if (json_array_size(to))
			json_array_append_new(list, json_pack("{s:s, s:O, s:O, s:[s]}", "name",
							      protocols[i].word, "from", from, "to",
							      to, "ports", protocols[i].word));
		json_decref(to);
	}
	return list;
}

char *fg_learn_scenario(const struct fg_objects *o, const struct fg_learn_options *options,
			struct fg_learn_left *left, struct fg_error *err)
{
	json_t *from = list_senders(o, options->every_pod, left), *matrices, *root;
	char *text = NULL;

	for (size_t i = 0; i < o->service_count; i++)
		left->services += !is_target(o, &o->services[i]);
	matrices = make_matrices(o, from);
	if (!json_array_size(from)) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "%s: no pod that runs can send", options->name);
	} else if (!json_array_size(matrices)) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "%s: no Service has an address and a port",
			options->name);
	} else {
		root = json_pack("{s:s, s:s, s:O}", "schema", "flowgen.scenario/1", "name",
				 options->name, "matrix", matrices);
		if (root)
			text = fg_yaml_write(root, err);
		else
			fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
		json_decref(root);
	}
	json_decref(from);
	json_decref(matrices);
	return text;
}
