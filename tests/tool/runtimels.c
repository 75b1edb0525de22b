// SPDX-License-Identifier: GPL-2.0-only
/*
 * runtimels [ROOT [REF]]: what lib/runtime.h finds, as JSON; with REF the one pod that it names.
 * Exit status as flowgen's: 2 for wrong usage, 3 where there is no such pod.
 */
#include <jansson.h>
#include <stdio.h>

#include "runtime/runtime.h"

static json_t *pod_json(const struct fg_runtime_pod *pod)
{
	return json_pack("{ss ss ss ss ss ss sI si sI sb sb}", "runtime", pod->runtime, "namespace",
			 pod->namespace, "name", pod->name, "uid", pod->uid, "id", pod->id, "netns",
			 pod->netns, "netns_inode", (json_int_t)pod->netns_inode, "pid", pod->pid,
			 "created", (json_int_t)pod->created, "host_network", pod->host_network,
			 "live", pod->live);
}

static int fail(const struct fg_error *err)
{
	fprintf(stderr, "runtimels: %s\n", err->message);
	if (err->hint[0])
		fprintf(stderr, "hint: %s\n", err->hint);
	return err->kind == FG_ERR_USAGE ? 2 : err->kind == FG_ERR_UNSUPPORTED ? 3 : 5;
}

int main(int argc, char **argv)
{
	const struct fg_runtime_pod *pod;
	struct fg_runtime_pods pods = {};
	struct fg_error err = {};
	json_t *list = json_array();

	if (fg_runtime_list(argc > 1 ? argv[1] : "", &pods, &err))
		return fail(&err);
	if (argc > 2) {
		pod = fg_runtime_find(&pods, argv[2], &err);
		if (!pod)
			return fail(&err);
		json_array_append_new(list, pod_json(pod));
	}
	for (size_t i = 0; argc <= 2 && i < pods.count; i++)
		json_array_append_new(list, pod_json(&pods.pods[i]));
	json_dumpf(list, stdout, JSON_COMPACT);
	printf("\n");
	if (pods.skipped)
		fprintf(stderr, "%u records passed over, the first is %s\n", pods.skipped,
			pods.first_skipped);
	json_decref(list);
	fg_runtime_pods_free(&pods);
	return 0;
}
