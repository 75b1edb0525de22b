// SPDX-License-Identifier: GPL-2.0-only
/*
 * What CRI-O and podman keep in the directories of containers/storage:
 *   /run/containers/storage/DRIVER-containers/ID/userdata/   pidfile; CRI-O: config.json
 *   /var/lib/containers/storage/DRIVER-containers/           containers.json (names); podman:
 * ID/userdata/config.json
 *
 * In the specification of a sandbox CRI-O writes its own annotations first, then those of the pod's
 * author, then the labels (server/sandbox_run_linux.go), and the kubelet sets the
 * io.kubernetes.pod.* labels over the author's. So those labels, and the container name "POD" that
 * CRI-O itself sets there, tell the truth; io.kubernetes.cri-o.* and io.container.manager may be
 * the author's. podman's io.container.manager is always its own, and its containers carry
 * io.kubernetes.cri-o.* without being in any Kubernetes pod.
 */
#include "runtime/internal.h"

#include <string.h>

#define RUN "run/containers/storage"
#define LIB "var/lib/containers/storage"

/*
 * Everything of one storage driver: its directory's name, and the names that containers.json gives.
 */
struct storage {
	const char *driver;
	const json_t *names;
};

static const char *text_of(const json_t *annotations, const char *key)
{
	return json_string_value(json_object_get(annotations, key));
}

static bool same(const char *text, const char *value)
{
	return text && !strcmp(text, value);
}

/* The first name that containers.json has for an id; NULL: none. */
static const json_t *name_of(const struct storage *storage, const char *id)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (storage->names, i, entry)
		if (same(json_string_value(json_object_get(entry, "id")), id))
			return json_array_get(json_object_get(entry, "names"), 0);
	return NULL;
}

/* Returns 1, 0 for a container that belongs to no pod, or -1 for one that cannot be understood. */
static int fill_crio(struct fg_record *record, const json_t *annotations)
{
	const char *container = text_of(annotations, "io.kubernetes.container.name");
	const char *sandbox = text_of(annotations, "io.kubernetes.cri-o.SandboxID");

	record->runtime = "cri-o";
	if (!container)
		return 0;
	if (!strcmp(container, "POD"))
		sandbox = record->id;
	if (!fg_scan_text_set(record->sandbox, sizeof(record->sandbox), sandbox) ||
	    !fg_scan_json_set(record->name, sizeof(record->name),
			      json_object_get(annotations, "io.kubernetes.pod.name")) ||
	    !fg_scan_json_set(record->namespace, sizeof(record->namespace),
			      json_object_get(annotations, "io.kubernetes.pod.namespace")) ||
	    !fg_scan_json_set(record->uid, sizeof(record->uid),
			      json_object_get(annotations, "io.kubernetes.pod.uid")))
		return -1;
	return 1;
}

/*
 * "0123456789ab-infra" is podman's own name for the first container of a pod; the pod's name is its
 * host name.
 */
static bool is_infra_name(const char *name)
{
	return strlen(name) == 18 && strspn(name, "0123456789abcdef") == 12 &&
	       !strcmp(name + 12, "-infra");
}

static int fill_podman(struct fg_record *record, const json_t *spec, const struct storage *storage)
{
	const json_t *annotations = json_object_get(spec, "annotations");
	const char *sandbox = text_of(annotations, "io.kubernetes.cri-o.SandboxID");

	record->runtime = "podman";
	if (!fg_scan_json_set(record->container, sizeof(record->container),
			      name_of(storage, record->id)))
		fg_scan_text_set(record->container, sizeof(record->container), record->id);
	/* A member of a pod that shares its network points at the first container's process. */
	if (!strncmp(record->netns, "/proc/", 6) &&
	    fg_scan_text_set(record->sandbox, sizeof(record->sandbox), sandbox))
		return 1;
	fg_scan_text_set(record->sandbox, sizeof(record->sandbox), record->id);
	if (!is_infra_name(record->container) ||
	    !fg_scan_json_set(record->name, sizeof(record->name),
			      json_object_get(spec, "hostname")))
		fg_scan_text_set(record->name, sizeof(record->name), record->container);
	return 1;
}

/* CRI-O's is in the run directory, podman's with the storage. */
static int load_spec(struct fg_scan *scan, const char *driver, const char *id, json_t **spec,
		     int64_t *created)
{
	char file[512];

	*spec = NULL;
	if (!fg_scan_path(file, sizeof(file), RUN "/%s/%s/userdata/config.json", driver, id) ||
	    fg_scan_spec(scan, file, spec, created))
		return -1;
	if (*spec)
		return 0;
	if (!fg_scan_path(file, sizeof(file), LIB "/%s/%s/userdata/config.json", driver, id))
		return 0;
	return fg_scan_spec(scan, file, spec, created);
}

static int scan_container(struct fg_scan *scan, const char *path, const char *entry, void *arg)
{
	const struct storage *storage = arg;
	struct fg_record record = {};
	FG_JSON json_t *spec = NULL;
	const json_t *annotations;
	char file[512];
	int got;

	if (!fg_scan_text_set(record.id, sizeof(record.id), entry))
		return fg_scan_skip(scan, path);
	if (load_spec(scan, storage->driver, entry, &spec, &record.created))
		return -1;
	if (!spec)
		return 0;
	fg_scan_set_netns(&record, spec);
	annotations = json_object_get(spec, "annotations");
	if (same(text_of(annotations, "io.container.manager"), "libpod"))
		got = fill_podman(&record, spec, storage);
	else
		got = fill_crio(&record, annotations);
	fg_scan_path(file, sizeof(file), "%s/%s/userdata/pidfile", path, entry);
	if (got <= 0)
		return got ? fg_scan_skip(scan, file) : 0;
	record.pid = fg_scan_pid(scan, file);
	return fg_scan_add(scan, &record);
}

/* Adds the entries of one list of names; it need not be there. */
static int load_names(struct fg_scan *scan, const char *dir, const char *driver, const char *file,
		      json_t *names)
{
	FG_JSON json_t *list = NULL;
	char path[256];

	if (!fg_scan_path(path, sizeof(path), "%s/%s/%s", dir, driver, file))
		return 0;
	if (fg_scan_json(scan, path, &list, NULL))
		return -1;
	if (json_is_array(list) && json_array_extend(names, list))
		return fg_fail(scan->err, FG_ERR_INTERNAL, "list of pods: out of memory");
	return 0;
}

static int scan_driver(struct fg_scan *scan, const char *path, const char *entry, void *arg)
{
	static const char suffix[] = "-containers";
	size_t len = strlen(entry);
	char dir[256];

	(void)arg;
	if (len < sizeof(suffix) || strcmp(entry + len - sizeof(suffix) + 1, suffix) != 0 ||
	    !fg_scan_path(dir, sizeof(dir), "%s/%s", path, entry))
		return 0;
	FG_JSON json_t *names = json_array();
	struct storage storage = { entry, names };

	/* A container with --rm is in the volatile list, which is at either place. */
	if (load_names(scan, LIB, entry, "containers.json", names) ||
	    load_names(scan, LIB, entry, "volatile-containers.json", names) ||
	    load_names(scan, RUN, entry, "volatile-containers.json", names))
		return -1;
	return fg_scan_each(scan, dir, scan_container, &storage);
}

int fg_storage_scan(struct fg_scan *scan)
{
	return fg_scan_each(scan, RUN, scan_driver, NULL);
}
