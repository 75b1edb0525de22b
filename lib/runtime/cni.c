// SPDX-License-Identifier: GPL-2.0-only
/*
 * The CNI result cache, /var/lib/cni/results/NETWORK-SANDBOX-IFNAME (libcni/api.go, cachedInfo):
 * all that is left of a sandbox whose every process was killed (containerd removes its bundle
 * then), and all there is of one that a runtime unknown to us has set up. It can be stale, so it
 * counts only while the namespace that it names can be opened, and never against another record of
 * the same sandbox.
 */
#include "runtime/internal.h"

#include <string.h>

#define RESULTS "var/lib/cni/results"

static bool is_known(const struct fg_scan *scan, const char *sandbox)
{
	for (size_t i = 0; i < scan->count; i++)
		if (!strcmp(scan->records[i].sandbox, sandbox))
			return true;
	return false;
}

/* cniArgs is a list of pairs. */
static const json_t *argument(const json_t *cache, const char *key)
{
	const json_t *pair;
	size_t i;

	json_array_foreach (json_object_get(cache, "cniArgs"), i, pair) {
		const char *name = json_string_value(json_array_get(pair, 0));

		if (name && !strcmp(name, key))
			return json_array_get(pair, 1);
	}
	return NULL;
}

static const json_t *sandbox_path(const json_t *cache)
{
	const json_t *list = json_object_get(json_object_get(cache, "result"), "interfaces");
	const json_t *interface;
	size_t i;

	json_array_foreach (list, i, interface) {
		const json_t *path = json_object_get(interface, "sandbox");

		if (json_string_length(path))
			return path;
	}
	return NULL;
}

static int scan_result(struct fg_scan *scan, const char *path, const char *entry, void *arg)
{
	struct fg_record record = { .runtime = "cni", .own_netns = true };
	struct fg_proc_netns netns;
	FG_JSON json_t *cache = NULL;
	char file[512];

	(void)arg;
	if (!fg_scan_path(file, sizeof(file), "%s/%s", path, entry))
		return fg_scan_skip(scan, path);
	if (fg_scan_json(scan, file, &cache, &record.created))
		return -1;
	if (!fg_scan_json_set(record.id, sizeof(record.id),
			      json_object_get(cache, "containerId")) ||
	    !fg_scan_json_set(record.netns, sizeof(record.netns), sandbox_path(cache)) ||
	    !fg_scan_json_set(record.name, sizeof(record.name), argument(cache, "K8S_POD_NAME")) ||
	    !fg_scan_json_set(record.namespace, sizeof(record.namespace),
			      argument(cache, "K8S_POD_NAMESPACE")))
		return 0;
	fg_scan_json_set(record.uid, sizeof(record.uid), argument(cache, "K8S_POD_UID"));
	memcpy(record.sandbox, record.id, sizeof(record.sandbox));
	if (is_known(scan, record.id) || !fg_proc_find_netns(scan, &record, 1, &netns))
		return 0;
	return fg_scan_add(scan, &record);
}

int fg_cni_scan(struct fg_scan *scan)
{
	return fg_scan_each(scan, RESULTS, scan_result, NULL);
}
