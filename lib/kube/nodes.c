// SPDX-License-Identifier: GPL-2.0-only
/* nodes.c - `flowgen kube pods` and `flowgen kube check`: the same request to many nodes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/json.h"
#include "cluster/show.h"
#include "kube/internal.h"

#define WHAT "nodes"

struct nodes {
	struct fg_job job;
	const char *verb;
	bool chosen; /* only pods of the namespace or the labels */
	struct fg_show_pods table;
	struct fg_buffer *texts; /* by request; owned */
};

/* --- which nodes --- */

static int gather(struct nodes *n, struct fg_error *err)
{
	const struct fg_kube *kube = n->job.kube;

	n->chosen = kube->namespace || kube->selector;
	if (fg_gather_list(&n->job.gather, "nodes", NULL, NULL, NULL, err))
		return -1;
	if (n->chosen &&
	    fg_gather_list(&n->job.gather, "pods", kube->namespace, kube->selector, NULL, err))
		return -1;
	return fg_job_gather(&n->job, err);
}

/* Whether a node has a pod that was chosen. */
static bool is_needed(const struct nodes *n, const char *node)
{
	const struct fg_objects *o = &n->job.objects;

	for (size_t i = 0; i < o->pod_count; i++)
		if (!strcmp(o->pods[i].node, node))
			return true;
	return !n->chosen;
}

static int add_request(struct nodes *n, const struct fg_object_node *node, bool text,
		       struct fg_error *err)
{
	const struct fg_kube *kube = n->job.kube;
	const char *words[64] = { n->verb, "--output", text ? "text" : "json" };
	ptrdiff_t agent = fg_agents_need(&n->job.agents, node->name, err);
	struct fg_error why;
	size_t count = 3;

	if (agent < 0)
		return -1;
	if (!node->ready) {
		fg_fail(&why, FG_ERR_INCONCLUSIVE, "node %s is not ready", node->name);
		fg_agents_refuse(&n->job.agents, (size_t)agent, &why);
	}
	for (const char *const *w = kube->words; *w; w++) {
		if (count + 1 == sizeof(words) / sizeof(*words))
			return fg_fail(err, FG_ERR_USAGE, "too many words");
		words[count++] = *w;
	}
	return fg_client_add(&n->job.client, (size_t)agent, words, err) ? 0 : -1;
}

static int add_requests(struct nodes *n, bool text, struct fg_error *err)
{
	const struct fg_objects *o = &n->job.objects;

	for (size_t i = 0; i < o->node_count; i++)
		if (is_needed(n, o->nodes[i].name) && add_request(n, &o->nodes[i], text, err))
			return -1;
	if (!n->job.client.count)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "no node has a pod that was asked for");
	n->texts = calloc(n->job.client.count, sizeof(*n->texts));
	return n->texts ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
}

/* --- what they say --- */

static const char *node_of(const struct nodes *n, size_t request)
{
	return n->job.agents.list[n->job.client.requests[request].agent].node;
}

static bool is_chosen(const struct nodes *n, const json_t *result)
{
	const char *namespace = json_string_value(json_object_get(result, "namespace"));
	const char *name = json_string_value(json_object_get(result, "name"));

	return !n->chosen ||
	       (namespace && name && fg_objects_pod(&n->job.objects, namespace, name));
}

static int put_json(struct nodes *n, const json_t *result, struct fg_error *err)
{
	FG_FREE char *text = fg_json_dump(result);
	struct fg_buffer out = {};
	int ret;

	if (!text)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	fg_buffer_printf(&out, "%s\n", text);
	ret = fg_job_write(&n->job, &out, err);
	fg_buffer_free(&out);
	return ret;
}

static int put_result(struct nodes *n, size_t request, json_t *result, struct fg_error *err)
{
	bool pods = !strcmp(n->verb, "pods");

	if (pods && !is_chosen(n, result))
		return 0;
	json_object_set_new(result, pods ? "node" : "node_name", json_string(node_of(n, request)));
	if (pods && n->job.kube->text)
		return fg_show_pods_add(&n->table, result, err);
	return put_json(n, result, err);
}

static int put_text(struct nodes *n, size_t request, struct fg_error *err)
{
	struct fg_buffer out = {};
	int ret;

	fg_buffer_printf(&out, "=== node %s\n", node_of(n, request));
	fg_buffer_put(&out, n->texts[request].data, n->texts[request].len);
	out.failed |= n->texts[request].failed;
	ret = fg_job_write(&n->job, &out, err);
	fg_buffer_free(&out);
	return ret;
}

static int answer(void *arg, size_t request, const json_t *line, struct fg_error *err)
{
	struct nodes *n = arg;
	json_t *result = json_object_get(line, "result");
	const char *text = json_string_value(json_object_get(line, "text"));
	const char *message = json_string_value(json_object_get(line, "message"));

	if (message)
		fg_job_say(&n->job, node_of(n, request), message);
	if (text)
		fg_buffer_printf(&n->texts[request], "%s%s", text,
				 json_is_true(json_object_get(line, "more")) ? "" : "\n");
	if (result)
		return put_result(n, request, result, err);
	if (json_object_get(line, "done") && n->texts[request].len)
		return put_text(n, request, err);
	return 0;
}

static int put_table(struct nodes *n, struct fg_error *err)
{
	struct fg_buffer out = {};
	int ret;

	fg_show_pods_put(&n->table, &out);
	ret = fg_job_write(&n->job, &out, err);
	fg_buffer_free(&out);
	return ret;
}

static int run(struct nodes *n, struct fg_error *err)
{
	bool table = n->job.kube->text && !strcmp(n->verb, "pods");

	if (gather(n, err) || add_requests(n, n->job.kube->text && !table, err))
		return -1;
	n->job.client.answer = answer;
	n->job.client.arg = n;
	if (fg_job_run(&n->job, err))
		return -1;
	for (size_t i = 0; i < n->job.client.count; i++) {
		const struct fg_request *r = &n->job.client.requests[i];

		if (r->state != FG_REQUEST_DONE)
			fg_job_lose(&n->job, &r->why);
		else
			fg_job_conclude(&n->job, r->status);
	}
	return table ? put_table(n, err) : 0;
}

static int run_verb(const struct fg_kube *kube, const char *verb, int *status, struct fg_error *err)
{
	struct nodes n = { .verb = verb };
	int ret = fg_job_open(&n.job, kube, false, err) || run(&n, err) ? -1 : 0;

	*status = n.job.status;
	for (size_t i = 0; n.texts && i < n.job.client.count; i++)
		fg_buffer_free(&n.texts[i]);
	free(n.texts);
	fg_show_pods_free(&n.table);
	fg_job_close(&n.job);
	return ret;
}

int fg_kube_pods(const struct fg_kube *kube, int *status, struct fg_error *err)
{
	return run_verb(kube, "pods", status, err);
}

int fg_kube_check(const struct fg_kube *kube, int *status, struct fg_error *err)
{
	return run_verb(kube, "check", status, err);
}
