// SPDX-License-Identifier: GPL-2.0-only
/*
 * containerd's bundles of the CRI plugin:
 * STATE/io.containerd.runtime.v2.task/k8s.io/ID/{config.json,init.pid}. It writes its own
 * annotations after those that a pod may pass through (internal/cri/server, sandboxContainerSpec),
 * and removes a bundle when its task has ended.
 */
#include "base/count.h"
#include "runtime/internal.h"

#include <string.h>

#define TASKS "io.containerd.runtime.v2.task/k8s.io"
#define KEY "io.kubernetes.cri."

static const char *const states[] = {
	"run/containerd",
	"run/k3s/containerd",
	"run/k0s/containerd",
	"var/snap/microk8s/common/run/containerd",
};

/*
 * Releases before 1.7 do not write the uid: it is in the sandbox's log directory,
 * /var/log/pods/NAMESPACE_NAME_UID.
 */
static void uid_from_log_directory(struct fg_record *record, const json_t *annotations)
{
	const char *dir =
		json_string_value(json_object_get(annotations, KEY "sandbox-log-directory"));
	const char *uid = dir ? strrchr(dir, '_') : NULL;

	if (uid)
		fg_scan_text_set(record->uid, sizeof(record->uid), uid + 1);
}

/* Returns 1, 0 for a task that belongs to no pod, or -1 for one that cannot be understood. */
static int record_fill(struct fg_record *record, const json_t *spec)
{
	const json_t *annotations = json_object_get(spec, "annotations");
	const char *type = json_string_value(json_object_get(annotations, KEY "container-type"));
	bool sandbox = type && !strcmp(type, "sandbox");

	if (!type)
		return 0;
	if (!fg_scan_json_set(record->sandbox, sizeof(record->sandbox),
			      json_object_get(annotations, KEY "sandbox-id")) ||
	    !fg_scan_json_set(record->name, sizeof(record->name),
			      json_object_get(annotations, KEY "sandbox-name")) ||
	    !fg_scan_json_set(record->namespace, sizeof(record->namespace),
			      json_object_get(annotations, KEY "sandbox-namespace")) ||
	    sandbox != !strcmp(record->sandbox, record->id))
		return -1;
	if (!fg_scan_json_set(record->uid, sizeof(record->uid),
			      json_object_get(annotations, KEY "sandbox-uid")))
		uid_from_log_directory(record, annotations);
	fg_scan_set_netns(record, spec);
	return 1;
}

static int scan_bundle(struct fg_scan *scan, const char *path, const char *entry, void *arg)
{
	struct fg_record record = { .runtime = "containerd" };
	FG_JSON json_t *spec = NULL;
	char file[512];
	int got;

	(void)arg;
	if (!fg_scan_text_set(record.id, sizeof(record.id), entry) ||
	    !fg_scan_path(file, sizeof(file), "%s/%s/config.json", path, entry))
		return fg_scan_skip(scan, path);
	if (fg_scan_spec(scan, file, &spec, &record.created))
		return -1;
	if (!spec)
		return 0;
	got = record_fill(&record, spec);
	if (got < 0)
		return fg_scan_skip(scan, file);
	if (!got)
		return 0;
	if (fg_scan_path(file, sizeof(file), "%s/%s/init.pid", path, entry))
		record.pid = fg_scan_pid(scan, file);
	return fg_scan_add(scan, &record);
}

int fg_containerd_scan(struct fg_scan *scan)
{
	char path[256];

	for (size_t i = 0; i < COUNT(states); i++)
		if (fg_scan_path(path, sizeof(path), "%s/" TASKS, states[i]) &&
		    fg_scan_each(scan, path, scan_bundle, NULL))
			return -1;
	return 0;
}
