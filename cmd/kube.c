// SPDX-License-Identifier: GPL-2.0-only
/* kube.c - `flowgen kube`, and kubectl-flowgen: which options are kubectl's, which are the verb's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/grow.h"
#include "cluster/awaiting.h"
#include "cluster/words.h"
#include "cmd.h"
#include "engine.h"
#include "kube/kube.h"
#include "signals/signals.h"

struct options {
	char **kubectl; /* "--context=NAME", ...; owned */
	size_t kubectl_count;
	const char *namespace, *selector, *agent_namespace, *image, *domain;
	uint64_t deadline_ns, start_ns, kube_ns;
	unsigned int requests;
	const char *pod, *dst;
	bool all_namespaces, every_pod, daemonset;
};
#define FG_OPTIONS struct options

static int hand_on(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct options *o = to;
	char **added = FG_APPEND(o->kubectl, o->kubectl_count, "options", err);

	if (added && asprintf(added, "%s%s%s", what, text ? "=" : "", text ?: "") < 0) {
		*added = NULL;
		fg_error_die(12, "options");
	}
	return added ? 0 : -1;
}

static const char *const agent_kinds[] = { "pod", "daemonset", NULL };

/* fg_words_sort() has told them apart. */
static int no_operand(const char *what, const char *text, void *to, struct fg_error *err)
{
	(void)what, (void)to;
	return fg_fail(err, FG_ERR_USAGE, "unexpected argument '%s'", text);
}

#define KUBECTL(name_, argument_, help_, ...)                                                      \
	{                                                                                          \
		.type = FG_OPTION_OWN, .name = (name_), .argument = (argument_), .help = (help_),  \
		.read = hand_on, __VA_ARGS__                                                       \
	}

static const struct fg_option table[] = {
	FG_OPERANDS("VERB [POD [DESTINATION]]", no_operand),
	FG_HEADING("The cluster, as kubectl has them:"),
	KUBECTL("context", "NAME", "The context of the kubeconfig file", FG_COMMON),
	KUBECTL("kubeconfig", "FILE", "The kubeconfig file"),
	KUBECTL("cluster", "NAME", "The cluster of the kubeconfig file"),
	KUBECTL("user", "NAME", "The user of the kubeconfig file"),
	KUBECTL("server", "URL", "The address of the API server"),
	KUBECTL("as", "USER", "Act as this user"),
	KUBECTL("as-group", "GROUP", "Act as a member of this group"),
	KUBECTL("request-timeout", "TIME", "How long kubectl waits for one answer"),
	FG_TEXT("namespace", "NAME", namespace,
		"The namespace of names without one (the context's)", FG_LETTER('n'), FG_COMMON),
	FG_FLAG("all-namespaces", all_namespaces,
		"All namespaces, for pods, check and run --record", FG_LETTER('A'), FG_COMMON),
	FG_TEXT("selector", "LABELS", selector,
		"Only pods with these labels, for pods, check and run --record", FG_LETTER('l'),
		FG_COMMON),
	FG_FLAG("every-pod", every_pod,
		"run --record without a file: every pod sends, not one of each workload"),
	FG_TEXT("cluster-domain", "NAME", domain,
		"What names of services end with (cluster.local)"),

	FG_HEADING("Both ends of the packet:"),
	FG_TEXT("pod", "REF", pod,
		"The sender: [NAMESPACE/]NAME, pod:, deploy:, sts:, ds: or label:NAMESPACE/..., "
		"ip:ADDR",
		FG_COMMON),
	FG_TEXT("dst", "REF", dst,
		"The receiver: the same, svc: or endpoints:NAMESPACE/NAME, node:NAME, ext:ADDR, an "
		"address or a DNS name, each with :PORT",
		FG_COMMON),

	FG_HEADING("Agents:"),
	FG_WORD("agent", "pod|daemonset", daemonset, agent_kinds,
		"Make a pod on each node that is needed, and remove it at the end; or a DaemonSet, "
		"which stays until cleanup (pod)"),
	FG_TEXT("agent-namespace", "NAME", agent_namespace, "Where agents run (kube-system)"),
	FG_TEXT("image", "IMAGE", image, "Their image (FLOWGEN_IMAGE, or localhost/flowgen:latest)",
		FG_COMMON),
	FG_DURATION("agent-deadline", deadline_ns, 1000000000ULL,
		    "Then the kubelet ends the agents' pods, also those in use (10m; 1h for catch, "
		    "exec and what is repeated)"),
	FG_DURATION("start-timeout", start_ns, 1, "Wait this long for a pod to start (60s)"),
	FG_DURATION("kube-timeout", kube_ns, 1, "Wait this long for an answer of kubectl (30s)"),
	FG_NUMBER("requests", "N", requests, 1, 4096, "Requests at a time, on all nodes (64)"),
};

static const struct {
	const char *name;
	const struct fg_verb *verb; /* whose options are handed on; NULL: none */
} kube_verbs[] = {
	{ "inject", &fg_verb_inject }, { "catch", &fg_verb_catch }, { "exec", &fg_verb_exec },
	{ "run", &fg_verb_run },       { "pods", &fg_verb_pods },   { "check", &fg_verb_check },
	{ "cleanup", NULL },
};

int fg_kube_help(const char *verb, bool all)
{
	const enum fg_option_help help = all ? FG_OPTION_HELP_ALL : FG_OPTION_HELP_COMMON;

	for (size_t i = 0; i < COUNT(kube_verbs); i++) {
		if (!kube_verbs[i].verb || strcmp(kube_verbs[i].name, verb) != 0)
			continue;
		puts("The cluster's own options: kubectl flowgen --help");
		return fg_cmd_help(kube_verbs[i].verb, help);
	}
	return !strcmp(verb, "cleanup") ? fg_cmd_help(&fg_verb_kube, FG_OPTION_HELP_COMMON) : -1;
}

static int own_takes(const char *name, size_t len)
{
	return fg_options_takes(&fg_verb_kube, name, len);
}

static int verb_takes(const char *verb, const char *name, size_t len)
{
	for (size_t i = 0; i < COUNT(kube_verbs); i++)
		if (!strcmp(kube_verbs[i].name, verb) && kube_verbs[i].verb)
			return fg_options_takes(kube_verbs[i].verb, name, len);
	return -1;
}

static const char *verb_letter(const char *verb, char letter)
{
	for (size_t i = 0; i < COUNT(kube_verbs); i++)
		if (!strcmp(kube_verbs[i].name, verb) && kube_verbs[i].verb)
			return fg_option_of_letter(kube_verbs[i].verb, letter);
	return NULL;
}

/* `inject POD DESTINATION`, `catch POD`, `exec POD -- COMMAND...`: operands are --pod and --dst. */
static void take_ends(struct options *o, struct fg_words *w)
{
	bool exec = !strcmp(w->verb, "exec"), inject = !strcmp(w->verb, "inject");

	if (!o->pod && (inject || exec || !strcmp(w->verb, "catch")))
		o->pod = fg_words_take(w);
	if (!o->dst && inject)
		o->dst = fg_words_take(w);
}

static bool is_verb(const char *word)
{
	for (size_t i = 0; i < COUNT(kube_verbs); i++)
		if (!strcmp(kube_verbs[i].name, word))
			return true;
	return false;
}

static void warn(const char *text)
{
	fg_cmd_tell("warning", text);
}

static void say(const char *text)
{
	fg_cmd_tell(NULL, text);
}

/* As kubectl's own, these are for people unless they are told otherwise. */
static bool is_text(const char *output, const char *verb)
{
	if (output)
		return !strcmp(output, "text");
	return !strcmp(verb, "pods") || !strcmp(verb, "check") || !strcmp(verb, "run") ||
	       fg_cmd_form() == FG_FORM_TEXT;
}

/* In seconds. Whether they are still used the kubelet does not know. */
static unsigned int deadline_of(const struct options *o, const struct fg_words *w)
{
	static const char *const lasting[] = { "until",	 "duration", "interval",
					       "repeat", "watch",    "rate" };
	bool lasts = w->verb && (!strcmp(w->verb, "exec") || !strcmp(w->verb, "catch"));

	for (size_t i = 0; i < COUNT(lasting); i++)
		lasts |= fg_awaiting_given(w->words, lasting[i]) != NULL;
	if (o->deadline_ns)
		return (unsigned int)(o->deadline_ns / 1000000000);
	return lasts ? 3600 : 600;
}

static int run_verb(const struct options *o, const struct fg_words *w, int *status,
		    struct fg_error *err)
{
	const char *output = fg_words_output(w);
	const char *image = getenv("FLOWGEN_IMAGE");
	struct fg_kube kube = {
		.kubectl = { .options = (const char *const *)o->kubectl,
			     .option_count = o->kubectl_count,
			     .timeout_ns = o->kube_ns,
			     .stop = fg_signals_open(err) },
		.namespace = o->all_namespaces ? NULL : o->namespace,
		.all_namespaces = o->all_namespaces,
		.every_pod = o->every_pod,
		.selector = o->selector,
		.domain = o->domain,
		.agents = { .namespace = o->agent_namespace,
			    .image = o->image ? o->image
				     : image  ? image
					      : "localhost/flowgen:latest",
			    .deadline_s = deadline_of(o, w),
			    .start_ns = o->start_ns,
			    .daemonset = o->daemonset },
		.parallel = o->requests,
		.words = w->words,
		.operands = w->operands,
		.output = output,
		.text = is_text(output, w->verb ? w->verb : ""),
		.out = stdout,
		.style = fg_engine_style(false, FG_FORM_TEXT),
		.warn = warn,
		.say = say,
	};

	if (kube.kubectl.stop < 0)
		return -1;
	if (!w->verb)
		return fg_fail(err, FG_ERR_USAGE, "no verb given (see flowgen kube --help)");
	/* A scenario's report has more forms, which fg_kube_run() reads. */
	if (output && strcmp(output, "json") != 0 && strcmp(output, "text") != 0 &&
	    strcmp(w->verb, "run") != 0)
		return fg_fail(err, FG_ERR_USAGE, "--output: over a cluster it is json or text");
	return fg_kube_verb(&kube, w->verb, &(struct fg_kube_ends){ o->pod, o->dst, w->protocol },
			    status, err);
}

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	static const struct fg_words_tables tables = { own_takes, verb_takes, is_verb,
						       verb_letter };
	struct options o = { .agent_namespace = "kube-system",
			     .domain = "cluster.local",
			     .start_ns = 60000000000ULL,
			     .kube_ns = 30000000000ULL,
			     .requests = 64 };
	struct fg_words w = {};
	struct fg_error err;
	int status = 0;

	if (fg_words_sort(&w, &tables, argc, argv, &err)) {
		status = fg_cmd_fail(&err);
	} else if (w.verb && fg_words_help(&w)) {
		/* `inject --help` is about inject. */
		status = fg_kube_help(w.verb, strstr(fg_words_help(&w), "all") != NULL);
		fg_words_free(&w);
		return status;
	} else
		status = fg_cmd_read(verb, (int)w.own_count, (char **)w.own, &o);
	if (!status && w.verb)
		take_ends(&o, &w);
	if (!status && run_verb(&o, &w, &status, &err))
		status = fg_cmd_fail(&err);
	for (size_t i = 0; i < o.kubectl_count; i++)
		free(o.kubectl[i]);
	free(o.kubectl);
	fg_words_free(&w);
	return status;
}

const struct fg_verb fg_verb_kube = {
	.name = "kube",
	.summary = "ask over a cluster, with kubectl: kubectl flowgen VERB",
	.about =
		"Ask about pods of a cluster from anywhere, with kubectl. VERB is inject, run, catch, exec, pods, check or cleanup. "
		"flowgen starts on the nodes that are needed, and is removed again. The other "
		"options are those of the verb on a node.",
	.end = "The same program is `kubectl flowgen VERB` if it is on PATH as kubectl-flowgen. Exit "
	       "status: as on a node.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
