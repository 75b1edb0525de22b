// SPDX-License-Identifier: GPL-2.0-only
#include "kube/agents.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/grow.h"
#include "base/json.h"
#include "cluster/failure.h"
#include "deploy/agent-pod.h"
#include "deploy/daemonset.h"
#include "kube/internal.h"

#define WHAT "agents"
#define REMOVE_NS 20000000000ULL

ptrdiff_t fg_agents_need(struct fg_agents *agents, const char *node, struct fg_error *err)
{
	struct fg_agent *a;

	for (size_t i = 0; i < agents->count; i++)
		if (!strcmp(agents->list[i].node, node))
			return (ptrdiff_t)i;
	a = FG_APPEND(agents->list, agents->count, WHAT, err);
	if (!a)
		return -1;
	a->call = (struct fg_kubectl_call)FG_KUBECTL_CALL;
	snprintf(a->node, sizeof(a->node), "%s", node);
	return (ptrdiff_t)agents->count - 1;
}

/* --- making pods --- */

static int choose_run(struct fg_agents *agents, struct fg_error *err)
{
	uint8_t random[6];

	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, WHAT);
	for (size_t i = 0; i < sizeof(random); i++)
		snprintf(agents->run + 2 * i, 3, "%02x", random[i]);
	return 0;
}

/* Words in a file of doc/deploy, and what takes their place; ends with an empty one. */
struct blank {
	const char *word, *value;
};

/* A JSON string is YAML's, too: whatever is in it stays one value. */
static void put_value(struct fg_buffer *out, const char *value)
{
	fg_json_put_text(out, value);
}

static const struct blank *blank_at(const struct blank *blanks, const char *text)
{
	for (; blanks->word; blanks++)
		if (!strncmp(text, blanks->word, strlen(blanks->word)))
			return blanks;
	return NULL;
}

static void put_filled(struct fg_buffer *out, const char *text, const struct blank *blanks)
{
	fg_buffer_puts(out, "---\n");
	while (*text) {
		const struct blank *b = blank_at(blanks, text);

		if (b) {
			put_value(out, b->value);
			text += strlen(b->word);
		} else {
			fg_buffer_put(out, text++, 1);
		}
	}
}

static void put_agent(const struct fg_agents *agents, const struct fg_agent *a,
		      struct fg_buffer *out)
{
	char seconds[16];
	const struct blank blanks[] = {
		{ "$NAMESPACE", agents->options.namespace },
		{ "$NAME", a->pod },
		{ "$NODE", a->node },
		{ "$IMAGE", agents->options.image },
		{ "$RUN", agents->run },
		{},
	};
	struct fg_buffer text = {};
	const char *mark, *from;

	put_filled(&text, fg_deploy_agent_pod, blanks);
	fg_buffer_put(&text, "", 1);
	snprintf(seconds, sizeof(seconds), "%u", agents->options.deadline_s);
	/* A number, and so not as the texts are. */
	from = text.failed ? "" : text.data;
	mark = strstr(from, "$SECONDS");
	if (mark) {
		fg_buffer_put(out, from, (size_t)(mark - from));
		fg_buffer_puts(out, seconds);
		fg_buffer_puts(out, mark + strlen("$SECONDS"));
	}
	out->failed |= text.failed;
	fg_buffer_free(&text);
}

static int create(struct fg_agents *agents, struct fg_error *err)
{
	static const char *const words[] = { "create", "--filename=-", "--output=name", NULL };
	struct fg_kubectl_call call = FG_KUBECTL_CALL;
	size_t made = 0;
	int ret = 0;

	for (size_t i = 0; i < agents->count; i++) {
		struct fg_agent *a = &agents->list[i];

		if (a->pod[0] || a->failed)
			continue;
		a->made = true;
		snprintf(a->pod, sizeof(a->pod), "flowgen-agent-%s-%zu", agents->run, i);
		put_agent(agents, a, &call.input);
		made++;
	}
	call.what = "making the agents' pods";
	if (made && call.input.failed)
		ret = fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	else if (made) {
		agents->made = true;
		agents->made_ns = fg_clock_now();
		ret = fg_kubectl_run(agents->kubectl, words, &call, err);
	}
	fg_kubectl_close(&call);
	return ret;
}

/* --- those that are there --- */

static void use_running(struct fg_agents *agents, const struct fg_objects *running)
{
	for (size_t i = 0; i < running->pod_count; i++) {
		const struct fg_object_pod *pod = &running->pods[i];

		/* A pod of another client goes when that ends. */
		if (strcmp(pod->owner_kind, "DaemonSet") != 0 || !fg_objects_pod_runs(pod) ||
		    !pod->ready)
			continue;
		for (size_t k = 0; k < agents->count; k++) {
			struct fg_agent *a = &agents->list[k];

			if (strcmp(a->node, pod->node) != 0 || a->pod[0])
				continue;
			snprintf(a->pod, sizeof(a->pod), "%s", pod->name);
			a->ready = true;
		}
	}
}

/* --- those of a DaemonSet that is made for it --- */

#define DAEMONSET "flowgen-agent" /* in doc/deploy/daemonset.yaml */
#define LOOK_AGAIN_MS 500

static bool all_have_pods(const struct fg_agents *agents)
{
	for (size_t i = 0; i < agents->count; i++)
		if (!agents->list[i].pod[0] && !agents->list[i].failed)
			return false;
	return true;
}

/* Another client may make it at the same time. */
static int create_daemonset(const struct fg_agents *agents, struct fg_error *err)
{
	static const char *const words[] = { "create", "--filename=-", "--output=name", NULL };
	const struct blank blanks[] = {
		{ "kube-system", agents->options.namespace },
		{ "localhost/flowgen:latest", agents->options.image },
		{},
	};
	struct fg_kubectl_call call = FG_KUBECTL_CALL;
	int ret;

	put_filled(&call.input, fg_deploy_daemonset, blanks);
	call.what = "making the agents' DaemonSet";
	if (call.input.failed)
		ret = fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	else
		ret = fg_kubectl_run(agents->kubectl, words, &call, err);
	if (ret && memmem(call.said.data ?: "", call.said.len, "AlreadyExists", 13))
		ret = 0;
	fg_kubectl_close(&call);
	return ret;
}

/* What runs of it now is used. */
static int look_for_pods(struct fg_agents *agents, struct fg_error *err)
{
	static const char selector[] = "--selector=" FG_AGENTS_LABEL;
	char namespace[80];
	const char *const words[] = { "get", "pods", namespace, selector, "--output=json", NULL };
	struct fg_kubectl_call call = FG_KUBECTL_CALL;
	struct fg_objects objects = {};
	int ret;

	snprintf(namespace, sizeof(namespace), "--namespace=%s", agents->options.namespace);
	call.what = "the pods of the agents' DaemonSet";
	ret = fg_kubectl_run(agents->kubectl, words, &call, err) ||
			      fg_objects_add(&objects, call.output.data, call.output.len, err)
		      ? -1
		      : 0;
	if (!ret)
		use_running(agents, &objects);
	fg_objects_free(&objects);
	fg_kubectl_close(&call);
	return ret;
}

static void fail_without_pod(struct fg_agents *agents)
{
	for (size_t i = 0; i < agents->count; i++) {
		struct fg_agent *a = &agents->list[i];

		if (a->pod[0] || a->failed)
			continue;
		a->failed = true;
		fg_fail(&a->why, FG_ERR_UNSUPPORTED,
			"node %s: no agent of the DaemonSet " DAEMONSET " is ready there after "
			"%.0f s",
			a->node, (double)agents->options.start_ns / 1e9);
		fg_hint(&a->why, "kubectl describe pods -n %.60s -l " FG_AGENTS_LABEL,
			agents->options.namespace);
	}
}

static int start_daemonset(struct fg_agents *agents, struct fg_error *err)
{
	uint64_t end = fg_clock_now() + agents->options.start_ns;
	struct pollfd stop = { .fd = agents->kubectl->stop, .events = POLLIN };

	if (all_have_pods(agents))
		return 0;
	if (create_daemonset(agents, err))
		return -1;
	while (!all_have_pods(agents)) {
		if (look_for_pods(agents, err))
			return -1;
		if (!all_have_pods(agents) && fg_clock_now() >= end)
			fail_without_pod(agents);
		else if (!all_have_pods(agents) && poll(&stop, 1, LOOK_AGAIN_MS) > 0)
			return fg_fail(err, FG_ERR_INCONCLUSIVE, "interrupted");
	}
	return 0;
}

/* --- talking to them --- */

static int connect_agent(struct fg_agents *agents, struct fg_agent *a, struct fg_error *err)
{
	char namespace[80];
	const char *const words[] = { "exec",	     "--stdin", namespace,  "--container=flowgen",
				      a->pod,	     "--",	"/flowgen", "agent",
				      "--host-root", "/host",	"--node",   a->node,
				      NULL };

	snprintf(namespace, sizeof(namespace), "--namespace=%s", agents->options.namespace);
	a->call.keep_open = true;
	a->call.what = a->node;
	a->heard = fg_clock_now();
	a->call.is_command = true;
	if (fg_kubectl_add_path(&a->call, err,
				"/api/v1/namespaces/%s/pods/%s/exec?container=flowgen&stdin=true"
				"&stdout=true&stderr=true&command=/flowgen&command=agent"
				"&command=--host-root&command=/host&command=--node&command=%s",
				agents->options.namespace, a->pod, a->node))
		return -1;
	return fg_kubectl_start(agents->kubectl, words, &a->call, err);
}

static void fail_agent(struct fg_agent *a, const struct fg_error *why)
{
	a->failed = true;
	a->why = *why;
}

void fg_agents_refuse(struct fg_agents *agents, size_t index, const struct fg_error *why)
{
	fail_agent(&agents->list[index], why);
}

static int connect_ready(struct fg_agents *agents, struct fg_error *err)
{
	for (size_t i = 0; i < agents->count; i++) {
		struct fg_agent *a = &agents->list[i];

		if (a->ready && !agents->silent && !fg_kubectl_runs(&a->call) && !a->failed &&
		    connect_agent(agents, a, err))
			return -1;
	}
	return 0;
}

/* --- waiting for them --- */

static void take_state(struct fg_agents *agents, const json_t *pod)
{
	const char *name =
		json_string_value(json_object_get(json_object_get(pod, "metadata"), "name"));
	struct fg_error why;

	for (size_t i = 0; name && i < agents->count; i++) {
		struct fg_agent *a = &agents->list[i];

		if (strcmp(a->pod, name) != 0 || a->ready || a->failed)
			continue;
		switch (fg_failure_start(pod, &why)) {
		case FG_START_READY:
			a->ready = true;
			break;
		case FG_START_FAILED:
			fail_agent(a, &why);
			break;
		case FG_START_WAITING:
			a->why = why;
			break;
		}
	}
}

/* `kubectl get --watch` writes one object after the other. What is not whole yet stays. */
static void take_states(struct fg_agents *agents, struct fg_buffer *text)
{
	size_t used = 0;
	json_error_t why;
	json_t *pod;

	while (used < text->len && (pod = json_loadb(text->data + used, text->len - used,
						     JSON_DISABLE_EOF_CHECK, &why))) {
		used += (size_t)why.position;
		take_state(agents, pod);
		json_decref(pod);
	}
	fg_internal_drop(text, used);
}

static bool all_settled(const struct fg_agents *agents)
{
	for (size_t i = 0; i < agents->count; i++)
		if (!agents->list[i].ready && !agents->list[i].failed)
			return false;
	return true;
}

static void fail_late(struct fg_agents *agents)
{
	for (size_t i = 0; i < agents->count; i++) {
		struct fg_agent *a = &agents->list[i];

		if (a->ready || a->failed)
			continue;
		a->failed = true;
		if (!a->why.kind)
			fg_fail(&a->why, FG_ERR_UNSUPPORTED, "pod %s on node %s is not seen",
				a->pod, a->node);
		fg_error_prefix(&a->why, "after %.0f s", (double)agents->options.start_ns / 1e9);
	}
}

static int wait_once(struct fg_agents *agents, struct fg_kubectl_call *watch, uint64_t end,
		     struct fg_error *err)
{
	struct pollfd fds[4] = { { .fd = agents->kubectl->stop, .events = POLLIN } };
	uint64_t now = fg_clock_now();
	size_t n = 1 + fg_kubectl_poll(watch, fds + 1);
	int ret;

	if (now >= end) {
		fail_late(agents);
		return 0;
	}
	if (poll(fds, n, (int)((end - now) / 1000000) + 1) < 0 && errno != EINTR)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, WHAT);
	if (fds[0].revents)
		return fg_fail(err, FG_ERR_INCONCLUSIVE, "interrupted");
	ret = fg_kubectl_step(watch, err);
	take_states(agents, &watch->output);
	if (ret > 0 && !all_settled(agents)) {
		fg_failure_read("watching the agents' pods", watch->said.data, watch->said.len,
				err);
		return -1;
	}
	return ret < 0 ? -1 : 0;
}

static int wait_ready(struct fg_agents *agents, struct fg_error *err)
{
	struct fg_kubectl_call watch = FG_KUBECTL_CALL;
	uint64_t end = fg_clock_now() + agents->options.start_ns;
	char namespace[80], selector[80];
	const char *const words[] = { "get",	 "pods",	  namespace, selector,
				      "--watch", "--output=json", NULL };
	int ret;

	if (all_settled(agents))
		return 0;
	snprintf(namespace, sizeof(namespace), "--namespace=%s", agents->options.namespace);
	snprintf(selector, sizeof(selector), "--selector=" FG_AGENTS_RUN "=%s", agents->run);
	watch.what = "watching the agents' pods";
	ret = fg_kubectl_start(agents->kubectl, words, &watch, err);
	while (!ret && !all_settled(agents))
		ret = wait_once(agents, &watch, end, err) || connect_ready(agents, err) ? -1 : 0;
	fg_kubectl_close(&watch);
	return ret;
}

int fg_agents_start(struct fg_agents *agents, const struct fg_objects *running,
		    struct fg_error *err)
{
	size_t failed = 0;

	use_running(agents, running);
	if (agents->options.daemonset && start_daemonset(agents, err))
		return -1;
	if (choose_run(agents, err) || connect_ready(agents, err) || create(agents, err) ||
	    wait_ready(agents, err))
		return -1;
	for (size_t i = 0; i < agents->count; i++)
		failed += agents->list[i].failed;
	if (!agents->count || failed < agents->count)
		return 0;
	*err = agents->list[0].why;
	return -1;
}

/* --- removing them --- */

static int remove_pods(const struct fg_kubectl *kubectl, const char *namespace,
		       const char *selector, const char *kinds, struct fg_buffer *said,
		       struct fg_error *err)
{
	/* Whatever told us to stop, this is done. */
	struct fg_kubectl k = *kubectl;
	struct fg_kubectl_call call = FG_KUBECTL_CALL;
	char in[80], by[160];
	const char *const words[] = {
		"delete",	 kinds, in, by, "--now", "--wait=false", "--ignore-not-found",
		"--output=name", NULL
	};
	int ret;

	k.stop = -1;
	k.timeout_ns = REMOVE_NS;
	snprintf(in, sizeof(in), "--namespace=%s", namespace);
	snprintf(by, sizeof(by), "--selector=%s", selector);
	call.what = "removing the agents' pods";
	ret = fg_kubectl_run(&k, words, &call, err);
	if (!ret && said)
		fg_buffer_put(said, call.output.data, call.output.len);
	fg_kubectl_close(&call);
	return ret;
}

bool fg_agents_are_over(const struct fg_agents *agents)
{
	/* The pod started some time after. */
	return agents->made &&
	       fg_clock_now() - agents->made_ns > agents->options.deadline_s * 1000000000ULL;
}

int fg_agents_close(struct fg_agents *agents, struct fg_error *err)
{
	char selector[80];
	int ret = 0;

	/* The end of their input is the end of what they do. */
	for (size_t i = 0; i < agents->count; i++)
		fg_kubectl_stop(&agents->list[i].call);
	for (size_t i = 0; i < agents->count; i++)
		fg_kubectl_close(&agents->list[i].call);
	if (agents->made) {
		snprintf(selector, sizeof(selector), FG_AGENTS_RUN "=%s", agents->run);
		ret = remove_pods(agents->kubectl, agents->options.namespace, selector, "pods",
				  NULL, err);
		if (ret)
			fg_hint(err,
				"they end by themselves after %u s; flowgen kube cleanup "
				"removes them",
				agents->options.deadline_s);
	}
	free(agents->list);
	agents->list = NULL;
	agents->count = 0;
	return ret;
}

int fg_agents_cleanup(const struct fg_kubectl *kubectl, const char *namespace,
		      struct fg_buffer *said, struct fg_error *err)
{
	return remove_pods(kubectl, namespace, FG_AGENTS_LABEL, "daemonsets.apps,pods", said, err);
}
