// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/failure.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/json.h"

#define RIGHTS "grant it, as doc/deploy/rbac.yaml does"

/* --- kubectl's words --- */

static bool begins(const char *line, size_t len, const char *with)
{
	return len >= strlen(with) && !memcmp(line, with, strlen(with));
}

/*
 * The last line that says something: before it kubectl may have logged retries, and behind it a
 * call for help.
 */
static void last_line(const char *text, size_t len, char *buf, size_t size)
{
	size_t end = len, start;

	buf[0] = '\0';
	while (end) {
		while (end && isspace((unsigned char)text[end - 1]))
			end--;
		for (start = end; start && text[start - 1] != '\n'; start--)
			;
		if (start == end)
			return;
		if (!begins(text + start, end - start, "See '") &&
		    !begins(text + start, end - start, "command terminated")) {
			snprintf(buf, size, "%.*s", (int)(end - start), text + start);
			return;
		}
		end = start;
	}
}

/* The word in quotation marks behind mark; "" if there is none. */
static void quoted(const char *text, const char *mark, char *buf, size_t size)
{
	const char *at = strstr(text, mark), *end;

	buf[0] = '\0';
	at = at ? strchr(at + strlen(mark) - 1, '"') : NULL;
	end = at ? strchr(at + 1, '"') : NULL;
	if (end)
		snprintf(buf, size, "%.*s", (int)(end - at - 1), at + 1);
}

/* 'User "u" cannot list resource "pods" in API group "" in the namespace "shop"' */
static int fail_rights(const char *what, const char *line, struct fg_error *err)
{
	char verb[32] = "", resource[80], group[80], namespace[64], user[120];
	const char *at = strstr(line, "cannot ");

	(void)sscanf(at + 7, "%31[a-z]", verb);
	quoted(line, "User \"", user, sizeof(user));
	quoted(line, "resource \"", resource, sizeof(resource));
	quoted(line, "API group \"", group, sizeof(group));
	quoted(line, "in the namespace \"", namespace, sizeof(namespace));
	fg_fail(err, FG_ERR_UNSUPPORTED, "%s: the cluster does not let %s %s %s%s%s %s%s", what,
		user[0] ? user : "this user", verb, resource, group[0] ? "." : "", group,
		namespace[0] ? "in namespace " : "in all namespaces", namespace);
	fg_hint(err, "the right that is missing: %s on %s; " RIGHTS, verb, resource);
	if (err)
		err->code = EACCES;
	return -1;
}

static const char *without_prefix(const char *line)
{
	static const char *const prefixes[] = { "error: ", "Error: ", "Error from server: " };

	for (size_t i = 0; i < COUNT(prefixes); i++)
		if (!strncmp(line, prefixes[i], strlen(prefixes[i])))
			return line + strlen(prefixes[i]);
	if (!strncmp(line, "Error from server (", 19) && strstr(line, "): "))
		return strstr(line, "): ") + 3;
	return line;
}

static bool has(const char *line, const char *text)
{
	return strstr(line, text) != NULL;
}

static int fail_admission(const char *what, const char *line, struct fg_error *err)
{
	const char *why = strstr(line, "forbidden: ");

	fg_fail(err, FG_ERR_UNSUPPORTED, "%s: admission refused it: %s", what,
		why ? why + 11 : without_prefix(line));
	return fg_hint(err, "agents need a namespace that admits privileged pods: "
			    "--agent-namespace, and doc/deploy/README.md");
}

static int fail_cluster(const char *what, const char *line, struct fg_error *err)
{
	fg_fail(err, FG_ERR_UNSUPPORTED, "%s: no cluster answers: %s", what, without_prefix(line));
	return fg_hint(err, "kubectl decides which one is asked: --context, --kubeconfig, "
			    "KUBECONFIG");
}

int fg_failure_read(const char *what, const char *text, size_t len, struct fg_error *err)
{
	static const char *const unreachable[] = {
		"The connection to the server",
		"Unable to connect to the server",
		"no configuration has been provided",
		"i/o timeout",
		"no such host",
		"connection refused",
		"TLS handshake timeout",
		"no route to host",
	};
	char line[1024];

	last_line(text, len, line, sizeof(line));
	if (has(line, "cannot ") && has(line, "resource \""))
		return fail_rights(what, line, err);
	if (has(line, "admission webhook") || has(line, "violates PodSecurity") ||
	    has(line, "exceeded quota") || has(line, "is forbidden: "))
		return fail_admission(what, line, err);
	for (size_t i = 0; i < COUNT(unreachable); i++)
		if (has(line, unreachable[i]))
			return fail_cluster(what, line, err);
	if (has(line, "Unauthorized") || has(line, "must be logged in")) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "%s: the cluster does not know this user", what);
		return fg_hint(err, "log in as kubectl needs it, and try `kubectl get pods`");
	}
	fg_fail(err, FG_ERR_UNSUPPORTED, "%s: %s", what,
		line[0] ? without_prefix(line) : "kubectl failed and did not say why");
	if (err && (has(line, "(NotFound)") || has(line, " not found")))
		err->code = ENOENT;
	return -1;
}

/* --- a pod that starts --- */

static int fail_start(const json_t *pod, const char *why, const char *reason, const char *message,
		      struct fg_error *err)
{
	const json_t *meta = json_object_get(pod, "metadata");
	const char *node = fg_json_string(json_object_get(pod, "spec"), "nodeName");

	fg_fail(err, FG_ERR_UNSUPPORTED, "pod %.63s/%.80s on node %.80s: %s%s%s%s",
		fg_json_string(meta, "namespace"), fg_json_string(meta, "name"),
		node[0] ? node : "(none)", why, reason[0] ? " (" : "", reason,
		reason[0] ? ")" : "");
	return message[0] ? fg_hint(err, "%.250s", message) : -1;
}

struct cause {
	const char *reason, *why, *hint;
};

/* What the kubelet calls what no waiting helps against (pkg/kubelet/images, kuberuntime). */
static const struct cause waiting_causes[] = {
	{ "ErrImagePull", "its image could not be pulled", "--image names another one" },
	{ "ImagePullBackOff", "its image could not be pulled", "--image names another one" },
	{ "ErrImageNeverPull", "its image is not on the node", "--image names another one" },
	{ "InvalidImageName", "its image has no valid name", "see --image" },
	{ "CreateContainerConfigError", "its container could not be made", NULL },
	{ "CreateContainerError", "its container could not be made", NULL },
	{ "RunContainerError", "its container could not be started", NULL },
	{ "CrashLoopBackOff", "its program ended at once", "kubectl logs says why" },
};

static enum fg_start container_state(const json_t *pod, const json_t *status, struct fg_error *err)
{
	const json_t *state = json_object_get(status, "state");
	const json_t *waiting = json_object_get(state, "waiting");
	const json_t *ended = json_object_get(state, "terminated");
	const char *reason = fg_json_string(waiting, "reason");

	for (size_t i = 0; i < COUNT(waiting_causes); i++) {
		const struct cause *c = &waiting_causes[i];

		if (strcmp(reason, c->reason) != 0)
			continue;
		fail_start(pod, c->why, reason, fg_json_string(waiting, "message"), err);
		if (c->hint && err && !err->hint[0])
			fg_hint(err, "%s", c->hint);
		return FG_START_FAILED;
	}
	if (ended) {
		fail_start(pod, "its program ended", fg_json_string(ended, "reason"),
			   fg_json_string(ended, "message"), err);
		return FG_START_FAILED;
	}
	fail_start(pod, "its container has not started", reason, "", err);
	return json_is_true(json_object_get(status, "ready")) ? FG_START_READY : FG_START_WAITING;
}

static enum fg_start scheduled_state(const json_t *pod, const json_t *status, struct fg_error *err)
{
	const json_t *list = json_object_get(status, "conditions");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		if (strcmp(fg_json_string(c, "type"), "PodScheduled") != 0 ||
		    strcmp(fg_json_string(c, "status"), "False") != 0)
			continue;
		fail_start(pod, "no node takes it", fg_json_string(c, "reason"),
			   fg_json_string(c, "message"), err);
		return FG_START_FAILED;
	}
	return FG_START_WAITING;
}

enum fg_start fg_failure_start(const json_t *pod, struct fg_error *err)
{
	const json_t *status = json_object_get(pod, "status");
	const json_t *containers = json_object_get(status, "containerStatuses");
	const char *phase = fg_json_string(status, "phase");

	if (json_object_get(json_object_get(pod, "metadata"), "deletionTimestamp")) {
		fail_start(pod, "it is being deleted", "", "", err);
		return FG_START_FAILED;
	}
	if (!strcmp(phase, "Failed") || !strcmp(phase, "Succeeded")) {
		fail_start(pod, "it has ended", fg_json_string(status, "reason"),
			   fg_json_string(status, "message"), err);
		return FG_START_FAILED;
	}
	if (json_array_size(containers))
		return container_state(pod, json_array_get(containers, 0), err);
	fail_start(pod, "its node has not taken it up", "", "is the node ready?", err);
	return scheduled_state(pod, status, err);
}
