// SPDX-License-Identifier: GPL-2.0-only
/*
 * docker's containers: /var/lib/docker/containers/ID/{config.v2.json,hostconfig.json}, with
 * cri-dockerd also those of Kubernetes. An image may bring labels of its own, so a container is a
 * pod's only where its name, which the user who started it chose, says the same:
 * k8s_POD_NAME_NAMESPACE_UID_ATTEMPT.
 */
#include "runtime/internal.h"

#include <string.h>
#include <time.h>

#define CONTAINERS "var/lib/docker/containers"

/* "2026-01-31T12:34:56.789Z"; fractions are dropped. 0 if it is not a time. */
static int64_t parse_time(const char *text)
{
	struct tm tm = {};

	if (!text || !strptime(text, "%Y-%m-%dT%H:%M:%S", &tm))
		return 0;
	return (int64_t)timegm(&tm);
}

/* Kubernetes names from the labels, where the container's name bears them out. */
static void fill_kubernetes(struct fg_record *record, const json_t *labels)
{
	char expected[512];

	if (!fg_scan_json_set(record->name, sizeof(record->name),
			      json_object_get(labels, "io.kubernetes.pod.name")) ||
	    !fg_scan_json_set(record->namespace, sizeof(record->namespace),
			      json_object_get(labels, "io.kubernetes.pod.namespace")) ||
	    !fg_scan_json_set(record->uid, sizeof(record->uid),
			      json_object_get(labels, "io.kubernetes.pod.uid")) ||
	    !fg_scan_path(expected, sizeof(expected), "_%s_%s_%s_", record->name, record->namespace,
			  record->uid) ||
	    strncmp(record->container, "k8s_", 4) != 0 ||
	    !strstr(record->container + 4, expected)) {
		record->namespace[0] = '\0';
		record->uid[0] = '\0';
		memcpy(record->name, record->container, sizeof(record->name));
	}
}

/* "default", "none", "host", "container:ID" or a network's name. */
static bool fill_network(struct fg_record *record, const json_t *config, const char *mode)
{
	static const char other[] = "container:";
	const json_t *network = json_object_get(config, "NetworkSettings");

	record->own_netns = !mode || strcmp(mode, "host") != 0;
	if (mode && !strncmp(mode, other, sizeof(other) - 1))
		return fg_scan_text_set(record->sandbox, sizeof(record->sandbox),
					mode + sizeof(other) - 1);
	if (record->own_netns)
		fg_scan_json_set(record->netns, sizeof(record->netns),
				 json_object_get(network, "SandboxKey"));
	return fg_scan_text_set(record->sandbox, sizeof(record->sandbox), record->id);
}

static bool fill(struct fg_record *record, const json_t *config, const json_t *host)
{
	const json_t *state = json_object_get(config, "State");
	const char *name = json_string_value(json_object_get(config, "Name"));
	double pid = json_number_value(json_object_get(state, "Pid"));

	if (!name || name[0] != '/' ||
	    !fg_scan_text_set(record->container, sizeof(record->container), name + 1) ||
	    !fill_network(record, config, json_string_value(json_object_get(host, "NetworkMode"))))
		return false;
	fill_kubernetes(record, json_object_get(json_object_get(config, "Config"), "Labels"));
	record->created = parse_time(json_string_value(json_object_get(config, "Created")));
	if (json_is_true(json_object_get(state, "Running")) && pid >= 1 && pid <= INT32_MAX)
		record->pid = (pid_t)pid;
	return true;
}

static int scan_container(struct fg_scan *scan, const char *path, const char *entry, void *arg)
{
	struct fg_record record = { .runtime = "docker" };
	FG_JSON json_t *config = NULL;
	FG_JSON json_t *host = NULL;
	char file[512];

	(void)arg;
	if (!fg_scan_text_set(record.id, sizeof(record.id), entry) ||
	    !fg_scan_path(file, sizeof(file), "%s/%s/hostconfig.json", path, entry))
		return fg_scan_skip(scan, path);
	if (fg_scan_json(scan, file, &host, NULL) ||
	    !fg_scan_path(file, sizeof(file), "%s/%s/config.v2.json", path, entry) ||
	    fg_scan_json(scan, file, &config, NULL))
		return -1;
	if (!config)
		return 0;
	/* Without it we cannot tell the node's network from the container's own. */
	if (!host || !fill(&record, config, host))
		return fg_scan_skip(scan, file);
	return fg_scan_add(scan, &record);
}

int fg_docker_scan(struct fg_scan *scan)
{
	return fg_scan_each(scan, CONTAINERS, scan_container, NULL);
}
