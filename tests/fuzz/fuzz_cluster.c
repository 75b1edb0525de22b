// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as what kubectl printed, and as a name of a receiver before them. Whatever is in it:
 * an address that comes out has a family, and the sender is a pod that is listed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cluster/failure.h"
#include "cluster/resolve.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void resolve(const struct fg_objects *o, const struct fg_name *name)
{
	const struct fg_resolve r = { .objects = o,
				      .namespace = "shop",
				      .domain = "cluster.local" };
	struct fg_targets targets = {};
	struct fg_error err;

	for (size_t i = 0; i < o->pod_count && i < 4; i++)
		fg_resolve_targets(&r, name, &o->pods[i], &targets, &err);
	for (size_t i = 0; i < targets.count; i++)
		if (!targets.list[i].addr.family || targets.list[i].port > 65535)
			abort();
	free(targets.list);
}

static void choose(const struct fg_objects *o, const struct fg_name *name)
{
	const struct fg_resolve r = { .objects = o,
				      .namespace = "shop",
				      .domain = "cluster.local" };
	struct fg_resolve_pods pods = {};
	struct fg_error err;

	if (fg_resolve_sources(&r, name, &pods, &err))
		return;
	for (size_t i = 0; i < pods.count; i++)
		if (pods.list[i] < o->pods || pods.list[i] >= o->pods + o->pod_count)
			abort();
	if (!pods.count)
		abort();
	free(pods.list);
}

/* A line with a name, and then the objects. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
	struct fg_objects objects = {};
	struct fg_error err;
	struct fg_name name;
	char text[600];
	size_t len = line ? (size_t)(line - data) : 0;

	if (!line || len >= sizeof(text))
		return 0;
	memcpy(text, data, len);
	text[len] = '\0';
	fg_objects_add(&objects, (const char *)line + 1, size - len - 1, &err);
	if (!fg_names_read_target("--dst", text, &name, &err))
		resolve(&objects, &name);
	if (!fg_names_read_source("--pod", text, &name, &err))
		choose(&objects, &name);
	fg_failure_read(text, (const char *)line, size - len, &err);
	fg_objects_free(&objects);
	return 0;
}
