// SPDX-License-Identifier: GPL-2.0-only
/* run.c - `flowgen kube run`: scenarios whose probes go to the nodes of their senders. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "base/json.h"
#include "base/parse.h"
#include "cases/cases.h"
#include "cases/learn.h"
#include "cases/parts.h"
#include "cluster/join.h"
#include "cluster/receivers.h"
#include "kube/internal.h"
#include "yaml/yaml.h"

#define WHAT "run"
#define NAME "scenario.yaml"
#define AT_NAME "@scenario.yaml"

struct file {
	const char *path;
	struct fg_yaml yaml; /* until it is the scenario's */
	struct fg_split split;
	struct fg_parts parts;
	struct fg_ends *ends; /* by part; owned */
};

/* What a request is of. */
struct ask {
	size_t file, part;
};

/* A result that its controls are held against, once all have come. */
struct later {
	size_t file;
	const struct fg_scenario_block *block;
	json_t *line; /* owned */
};

struct run {
	struct fg_job job;
	struct file *files;
	size_t file_count;
	const char **settings;		   /* --set; owned, ends with NULL */
	struct fg_scenario_setting *given; /* the same; owned */
	size_t given_count;
	const char **rest; /* words for the nodes; owned, ends with NULL */
	size_t rest_count;
	struct ask *asks; /* by request; owned */
	struct later *later;
	size_t later_count;
	uint64_t seed; /* of packets that leave their node */
	struct fg_cases_options cases;
	struct fg_total_options reports;
	bool fail_fast, record;
	char learnt[80]; /* what stands for the file's name */
	struct fg_total total;
};

/* --- files --- */

/* Signals only make stop readable: a terminal or a FIFO that nobody writes to is not waited for. */
static int read_text(const char *path, int stop, struct fg_buffer *text, struct fg_error *err)
{
	FG_FD int fd = !strcmp(path, "-") ? dup(STDIN_FILENO)
					  : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = stop, .events = POLLIN } };
	ssize_t n = fd < 0 ? -1 : 1;

	while (n > 0 && text->len <= FG_YAML_SIZE_MAX) {
		char *at = fg_buffer_reserve(text, 65536);

		if (!at)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", path);
		n = poll(fds, COUNT(fds), -1);
		if (n > 0 && fds[1].revents)
			return fg_fail(err, FG_ERR_INCONCLUSIVE, "interrupted");
		if (n > 0)
			n = read(fd, at, 65536);
		if (n > 0)
			text->len += (size_t)n;
		else if (n < 0 && (errno == EAGAIN || errno == EINTR))
			n = 1;
	}
	return n < 0 ? fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path) : 0;
}

/* An error at a place of the file; nothing is known of where: in the file. Returns -1. */
static int fail_at(const struct file *f, const json_t *where, struct fg_error *err)
{
	const struct fg_yaml_place *p = where ? fg_yaml_place(&f->yaml, where) : NULL;

	if (p && p->line)
		return fg_error_prefix(err, "%s:%u:%u", f->path, p->line, p->column);
	return fg_error_prefix(err, "%s", f->path);
}

/* What is recorded is this text with other expectations. */
static int keep_text(struct file *f, const char *text, size_t len, struct fg_error *err)
{
	struct fg_buffer events = {};
	int ret = fg_yaml_events(&events, f->path, text, len, err);

	if (!ret)
		ret = fg_yaml_keep(&f->yaml, text, len, events.data, events.len, err);
	fg_buffer_free(&events);
	return ret;
}

static int open_text(struct run *r, const char *path, const char *text, size_t len,
		     struct fg_error *err)
{
	struct file *f = FG_APPEND(r->files, r->file_count, WHAT, err);

	if (!f)
		return -1;
	f->path = path;
	if (fg_yaml_read(&f->yaml, path, text, len, err))
		return -1;
	if (r->record && keep_text(f, text, len, err))
		return -1;
	if (fg_split_open(&f->split, f->yaml.root, r->settings, err))
		return fail_at(f, f->split.failed, err);
	return 0;
}

static int open_file(struct run *r, const char *path, struct fg_error *err)
{
	struct fg_buffer text = {};
	int ret = read_text(path, r->job.kube->kubectl.stop, &text, err);

	if (!ret)
		ret = open_text(r, strcmp(path, "-") ? path : "standard input",
				text.len ? text.data : "", text.len, err);
	fg_buffer_free(&text);
	return ret;
}

/* Without a file: the matrix of the namespace is one. */
static int learn(struct run *r, struct fg_error *err)
{
	const struct fg_kube *kube = r->job.kube;
	const char *namespace = kube->all_namespaces ? NULL : r->job.namespace;
	struct fg_learn_options options = { .name = r->learnt, .every_pod = kube->every_pod };
	struct fg_learn_left left = {};
	struct fg_objects objects = {};
	struct fg_gather g = {};
	FG_FREE char *text = NULL;
	int ret = -1;

	snprintf(r->learnt, sizeof(r->learnt), "%s%.64s",
		 namespace ? "namespace " : "all namespaces", namespace ? namespace : "");
	/* The labels are those of pods. */
	if (!fg_gather_list(&g, "pods", namespace, kube->selector, NULL, err) &&
	    !fg_gather_list(&g, "replicasets.apps,services,endpointslices.discovery.k8s.io",
			    namespace, NULL, NULL, err) &&
	    !fg_gather_run(&g, &kube->kubectl, &objects, err))
		text = fg_learn_scenario(&objects, &options, &left, err);
	if (text)
		ret = open_text(r, r->learnt, text, strlen(text), err);
	if (left.pods)
		fg_job_warn(&r->job, "pods on their node's network do not send: %zu", left.pods);
	if (left.services)
		fg_job_warn(&r->job, "Services without an address or a backend are left out: %zu",
			    left.services);
	fg_objects_free(&objects);
	fg_gather_free(&g);
	return ret;
}

/* --- words --- */

/* The option's value, if the word at *index is it; *index goes to its last word. */
static const char *value_of(const char *const *words, size_t *index, const char *option)
{
	const char *word = words[*index];
	size_t len = strlen(option);

	if (strncmp(word, option, len) != 0)
		return NULL;
	if (word[len] == '=')
		return word + len + 1;
	return word[len] || !words[*index + 1] ? NULL : words[++*index];
}

/* What goes on, or is of one node. */
static int check_word(const char *word, struct fg_error *err)
{
	static const char *const refused[] = { "--watch", "--host-root" };
	static const char *const local[] = { "--validate", "--list" };

	for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++)
		if (!strncmp(word, refused[i], strlen(refused[i])))
			return fg_fail(err, FG_ERR_USAGE, "%s: not over a cluster", word);
	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		if (!strcmp(word, local[i]))
			return fg_fail(err, FG_ERR_USAGE,
				       "%s needs no cluster: flowgen run %s FILE...", word, word);
	return 0;
}

/* What is done here. Returns 1 if it was that, 0, or -1. */
static int take_word(struct run *r, const char *const *words, size_t *index, struct fg_error *err)
{
	static const char *const forms[FG_WRITER_FORMS] = { [FG_WRITER_JSON] = "--json",
							    [FG_WRITER_TAP] = "--tap",
							    [FG_WRITER_JUNIT] = "--junit",
							    [FG_WRITER_HTML] = "--report",
							    [FG_WRITER_METRICS] = "--metrics" };
	const char *value;

	for (int form = 0; form < FG_WRITER_FORMS; form++) {
		value = forms[form] ? value_of(words, index, forms[form]) : NULL;
		if (!value)
			continue;
		if (r->reports.paths[form])
			return fg_fail(err, FG_ERR_USAGE, "%s is given twice", forms[form]);
		r->reports.paths[form] = value;
		return 1;
	}
	if (!strcmp(words[*index], "--record")) {
		r->record = true;
		return 1;
	}
	value = value_of(words, index, "--set");
	if (!value)
		return 0;
	r->settings[r->given_count] = value;
	r->given[r->given_count++].text = value;
	return 1;
}

/* What is done on the nodes, and has to be known here. */
static int note_word(struct run *r, const char *const *words, size_t index, struct fg_error *err)
{
	size_t at = index;
	const char *only = value_of(words, &at, "--only"), *repeat;

	at = index;
	repeat = value_of(words, &at, "--repeat");
	if (only)
		r->cases.only = only;
	r->fail_fast |= !strcmp(words[index], "--fail-fast");
	if (repeat && fg_parse_u64("--repeat", repeat, 1, UINT32_MAX, &r->cases.rounds, err))
		return -1;
	return 0;
}

static int check_words(const struct run *r, size_t files, struct fg_error *err)
{
	if (!r->record)
		return files ? 0
			     : fg_fail(err, FG_ERR_USAGE,
				       "no scenario given (flowgen kube run FILE...)");
	if (r->job.kube->output || r->cases.rounds > 1 || r->cases.only)
		return fg_fail(err, FG_ERR_USAGE,
			       "--record prints the scenario, once: not with --output, --only or "
			       "--repeat");
	if (files > 1)
		return fg_fail(err, FG_ERR_USAGE, "--record takes one file, or none");
	return 0;
}

static int sort_words(struct run *r, struct fg_error *err)
{
	const struct fg_kube *kube = r->job.kube;
	size_t count = 0, kept = 0, operand = 0;

	while (kube->words[count])
		count++;
	r->settings = calloc(count + 1, sizeof(*r->settings));
	r->given = calloc(count + 1, sizeof(*r->given));
	r->rest = calloc(count + 1, sizeof(*r->rest));
	if (!r->settings || !r->given || !r->rest)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	for (size_t i = 0; i < count; i++) {
		int taken;

		if (kube->words[i] == kube->operands[operand]) {
			operand++;
			continue;
		}
		taken = check_word(kube->words[i], err) ? -1 : take_word(r, kube->words, &i, err);
		if (taken < 0 || (!taken && note_word(r, kube->words, i, err)))
			return -1;
		if (!taken)
			r->rest[kept++] = kube->words[i];
	}
	r->rest_count = kept;
	return check_words(r, operand, err);
}

/* --- what the ends are --- */

static int gather(struct run *r, struct fg_error *err)
{
	struct fg_job *job = &r->job;

	for (size_t i = 0; i < r->file_count; i++)
		for (size_t k = 0; k < r->files[i].split.count; k++)
			if (fg_gather_add(&job->gather, &r->files[i].split.ends[k].name,
					  job->namespace, job->namespace, job->kube->domain, err))
				return -1;
	return fg_job_gather(job, err);
}

static void set_address(struct fg_split_end *e, const struct fg_addr *addr, int port)
{
	char text[FG_ADDR_TEXT_LEN];

	fg_addr_text(addr, text, sizeof(text));
	if (port > 0)
		snprintf(e->address, sizeof(e->address),
			 addr->family == AF_INET6 ? "[%s]:%d" : "%s:%d", text, port);
	else
		snprintf(e->address, sizeof(e->address), "%s", text);
}

/* A pod that is sent to receives it itself. */
static int add_itself(struct fg_split_end *e, struct fg_error *err)
{
	struct fg_target *to = FG_APPEND(e->receivers.list, e->receivers.count, WHAT, err);

	if (!to)
		return -1;
	*to = (struct fg_target){ .port = -1,
				  .namespace = e->object->namespace,
				  .pod = e->object->name,
				  .node = e->object->node };
	if (e->object->address_count)
		to->addr = e->object->addresses[0];
	return 0;
}

static int resolve_sender(const struct fg_resolve *how, struct fg_split_end *e,
			  const struct fg_object_pod **first, struct fg_error *err)
{
	struct fg_resolve_pods pods = {};

	if (fg_resolve_sources(how, &e->name, &pods, err))
		return -1;
	snprintf(e->pod, sizeof(e->pod), "%s/%s", pods.list[0]->namespace, pods.list[0]->name);
	snprintf(e->node, sizeof(e->node), "%s", pods.list[0]->node);
	if (pods.list[0]->address_count)
		set_address(e, &pods.list[0]->addresses[0], -1);
	e->object = pods.list[0];
	if (add_itself(e, err)) {
		free(pods.list);
		return -1;
	}
	if (!*first)
		*first = pods.list[0];
	free(pods.list);
	return 0;
}

static int resolve_receiver(const struct fg_resolve *how, struct fg_split_end *e,
			    const struct fg_object_pod *from, struct fg_error *err)
{
	struct fg_targets targets = {};
	int ret;

	if (!from)
		return fg_fail(err, FG_ERR_USAGE, "%s: the scenario has no sender", e->key);
	if (fg_resolve_targets(how, &e->name, from, &targets, err))
		return -1;
	set_address(e, &targets.list[0].addr, e->ported ? -1 : targets.list[0].port);
	snprintf(e->node, sizeof(e->node), "%s", targets.list[0].node);
	/* The backends of a Service may be anywhere, and an address may be one's. */
	e->elsewhere = !e->node[0] && !fg_names_is_outside(&e->name);
	ret = fg_receivers_find(how, &e->name, from, &targets.list[0], &e->receivers, err);
	free(targets.list);
	return ret;
}

static int resolve(struct run *r, struct file *f, struct fg_error *err)
{
	const struct fg_resolve how = { .objects = &r->job.objects,
					.namespace = r->job.namespace,
					.domain = r->job.kube->domain };
	struct fg_split *split = &f->split;
	const struct fg_object_pod *first = NULL;

	for (size_t i = 0; i < split->count; i++)
		if (split->ends[i].sends && resolve_sender(&how, &split->ends[i], &first, err))
			return fail_at(f, split->ends[i].where, err);
	for (size_t i = 0; i < split->count; i++)
		if (!split->ends[i].sends && resolve_receiver(&how, &split->ends[i], first, err))
			return fail_at(f, split->ends[i].where, err);
	return 0;
}

/* --- what is to come --- */

static int check_settings(const struct run *r, struct fg_error *err)
{
	for (size_t i = 0; i < r->given_count; i++)
		if (!r->given[i].used)
			return fg_fail(err, FG_ERR_USAGE, "--set %.*s: no file has this variable",
				       (int)strcspn(r->given[i].text, "="), r->given[i].text);
	return 0;
}

/* The files as wholes: what is wrong with them is known before anything is sent. */
static int lay_out(struct run *r, struct fg_error *err)
{
	uint64_t chosen = 0;

	if (fg_total_files(&r->total, r->file_count, err))
		return -1;
	for (size_t i = 0; i < r->file_count; i++) {
		struct file *f = &r->files[i];

		if (resolve(r, f, err) || fg_split_whole(&f->split, err) ||
		    fg_cases_open(&r->total.cases[i], &f->split, &f->yaml, r->given, r->given_count,
				  &r->cases, err) ||
		    fg_parts_find(&r->total.cases[i], &f->split, &f->parts, err))
			return -1;
		f->ends = calloc(f->parts.count + 1, sizeof(*f->ends));
		if (!f->ends)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
		chosen += r->total.cases[i].chosen;
	}
	if (check_settings(r, err))
		return -1;
	if (chosen || !r->cases.only)
		return 0;
	return fg_fail(err, FG_ERR_USAGE, "--only: no probe's name contains \"%.100s\"",
		       r->cases.only);
}

/* --- requests --- */

/* The words for a node, with room for more; n: how many there are. NULL: no memory. */
static const char **words_of(const struct run *r, size_t file, size_t *n, struct fg_error *err)
{
	static const char *const run[] = { "run", AT_NAME, "--output", "json", "--node-only" };
	size_t count = 0;
	const char **words;

	while (r->rest[count])
		count++;
	words = calloc(count + 2 * r->given_count + COUNT(run) + 10, sizeof(*words));
	if (!words) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
		return NULL;
	}
	memcpy(words, run, sizeof(run));
	*n = COUNT(run);
	/* Of --set those that the file knows. */
	for (size_t i = 0; i < r->given_count; i++) {
		const char *text = r->given[i].text;
		char name[128];

		snprintf(name, sizeof(name), "%.*s", (int)strcspn(text, "="), text);
		if (!json_object_get(r->total.cases[file].scenario.variables, name))
			continue;
		words[(*n)++] = "--set";
		words[(*n)++] = text;
	}
	return words;
}

/* Asks a node for a document's probes, which is then released. Returns 0 or -1. */
static int ask(struct run *r, const struct ask *of, const char *node, json_t *document,
	       const char *const *words, struct fg_error *err)
{
	FG_FREE char *text = document ? json_dumps(document, JSON_COMPACT) : NULL;
	struct fg_request *request = NULL;
	struct ask *added;
	ptrdiff_t agent;

	json_decref(document);
	if (!text)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	agent = fg_agents_need(&r->job.agents, node, err);
	added = agent < 0 ? NULL : FG_GROW(r->asks, r->job.client.count, 1, WHAT, err);
	request = added ? fg_client_add(&r->job.client, (size_t)agent, words, err) : NULL;
	if (!request)
		return -1;
	*added = *of;
	json_object_set_new(request->body, "files", json_pack("{s:s}", NAME, text));
	return 0;
}

/* No two nodes, files and rounds send what is the same on arrival. */
static void make_seed(const struct run *r, const struct ask *of, const struct fg_part *part,
		      char *buf, size_t size)
{
	const struct fg_scenario *s = &r->total.cases[of->file].scenario;
	size_t node = 0;

	for (size_t i = 0; i < of->part; i++)
		node += strcmp(r->files[of->file].parts.list[i].node, part->node) != 0;
	snprintf(buf, size, "%llu",
		 (unsigned long long)((s->seeded ? s->seed : r->seed) +
				      0x9e3779b97f4a7c15ULL * (1 + part->round + (node << 20) +
							       ((uint64_t)of->file << 40))));
}

static int ask_sender(struct run *r, const struct ask *of, const char *seed, struct fg_error *err)
{
	struct file *f = &r->files[of->file];
	const struct fg_part *part = &f->parts.list[of->part];
	size_t n;
	FG_FREE const char **words = words_of(r, of->file, &n, err);

	if (!words)
		return -1;
	if (part->blocks) {
		n += fg_awaiting_part(words + n, r->rest, !part->half_count);
		words[n++] = "--blocks";
		words[n++] = part->blocks;
		words[n++] = "--seed";
		words[n++] = seed;
	} else {
		memcpy(words + n, r->rest, r->rest_count * sizeof(*words));
	}
	return ask(r, of, part->node, fg_split_node(&f->split, part->node), words, err);
}

static int ask_receiver(struct run *r, const struct ask *of, const char *seed,
			const struct fg_part_half *half, struct fg_error *err)
{
	struct file *f = &r->files[of->file];
	const struct fg_part *part = &f->parts.list[of->part];
	const char *const more[] = { "--await", "--timeout", "10m",	   "--seed",
				     seed,	"--blocks",  half->blocks, NULL };
	size_t n;
	FG_FREE const char **words = words_of(r, of->file, &n, err);

	if (!words || !fg_ends_add(&f->ends[of->part], half->node, err))
		return -1;
	memcpy(words + n, more, sizeof(more));
	return ask(r, of, half->node,
		   fg_split_awaited(&f->split, part->node, half->node, half->rank), words, err);
}

static int add_part(struct run *r, const struct ask *of, struct fg_error *err)
{
	struct file *f = &r->files[of->file];
	const struct fg_part *part = &f->parts.list[of->part];
	struct fg_ends *ends = &f->ends[of->part];
	size_t request = r->job.client.count;
	char seed[24];

	make_seed(r, of, part, seed, sizeof(seed));
	ends->node = part->node;
	ends->many = part->probes > 1;
	if (ask_sender(r, of, seed, err))
		return -1;
	for (size_t i = 0; i < part->half_count; i++)
		if (ask_receiver(r, of, seed, &part->halves[i], err))
			return -1;
	fg_ends_asked(ends, &r->job.client, request);
	return 0;
}

static int add_requests(struct run *r, struct fg_error *err)
{
	const char *given = fg_awaiting_given(r->rest, "seed");

	if (given ? fg_parse_u64("--seed", given, 0, UINT64_MAX, &r->seed, err)
		  : fg_job_seed(&r->seed, err))
		return -1;
	for (size_t f = 0; f < r->file_count; f++)
		for (size_t i = 0; i < r->files[f].parts.count; i++)
			if (add_part(r, &(struct ask){ f, i }, err))
				return -1;
	return 0;
}

/* --- answers --- */

static const char *node_of(const struct run *r, size_t request)
{
	return r->job.agents.list[r->job.client.requests[request].agent].node;
}

static struct fg_target target_of(const struct fg_split_end *e, const char *key)
{
	struct fg_target to = { .namespace = "", .pod = "", .node = e ? e->node : "" };

	if (e && e->node[0] && e->receivers.count) {
		to.namespace = e->receivers.list[0].namespace;
		to.pod = e->receivers.list[0].pod;
	}
	snprintf(to.text, sizeof(to.text), "%.150s", key);
	return to;
}

/* Of one that no other node was asked about. */
static void judge(const struct file *f, const char *node, json_t *line)
{
	json_t *scenario = json_object_get(line, "scenario");
	const char *key = fg_json_string(scenario, "to");
	const struct fg_split_end *e = fg_split_find(&f->split, key);
	const struct fg_target to = target_of(e, key);
	struct fg_join_end end = { .node = node,
				   .to = &to,
				   .why = "the receiver's node was not looked at" };

	end.cluster = !e || e->elsewhere || (e->node[0] && strcmp(e->node, node) != 0);
	if (!json_object_get(line, "outcome")) {
		json_object_set_new(line, "node", json_string(node));
		return;
	}
	/* What was expected of the whole way is not known of a half. */
	if (fg_join_sender(line, &end)) {
		json_object_set_new(scenario, "status", json_string("inconclusive"));
		json_object_set(scenario, "why", json_object_get(line, "reason"));
	}
}

/* One that is not as expected ends all, on all nodes. */
static void end_early(struct run *r, const json_t *line)
{
	const json_t *scenario = json_object_get(line, "scenario");

	if (r->fail_fast && !strcmp(fg_json_string(scenario, "status"), "fail"))
		r->job.client.enough = true;
}

static int take(struct run *r, size_t file, json_t *line, struct fg_error *err)
{
	const json_t *scenario = json_object_get(line, "scenario");

	/* It was cut short itself. */
	if (r->job.client.enough && !strcmp(fg_json_string(scenario, "status"), "inconclusive"))
		return 0;
	end_early(r, line);
	return fg_total_take(&r->total, file, line, err);
}

/* --- both halves --- */

static int join_halves(struct run *r, const struct ask *of, const struct fg_split_end *e,
		       json_t *line, struct fg_error *err)
{
	const struct file *f = &r->files[of->file];
	const struct fg_part *part = &f->parts.list[of->part];
	const struct fg_target to = target_of(e, e->key);
	const struct fg_join_end end = {
		.node = part->node, .to = &to, .cluster = true, .why = ""
	};
	FG_FREE struct fg_half *halves = calloc(e->receivers.count + 1, sizeof(*halves));
	const char *unasked = NULL;
	size_t count = 0;

	if (!halves)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	for (size_t i = 0; i < e->receivers.count; i++) {
		const struct fg_target *receiver = &e->receivers.list[i];
		ptrdiff_t half = fg_parts_half(part, &e->receivers, i);

		if (!strcmp(receiver->node, part->node))
			continue;
		if (half < 0) {
			unasked = receiver->node;
			continue;
		}
		halves[count] =
			fg_ends_half(&f->ends[of->part], &r->job.client, (size_t)half, line);
		halves[count].namespace = receiver->namespace;
		halves[count++].pod = receiver->pod;
	}
	if (unasked)
		halves[count++] =
			(struct fg_half){ .node = unasked, .why = "no more backends are asked" };
	fg_halves_join(line, &end, halves, count);
	return 0;
}

static bool leaves(const struct fg_split_end *e, const char *node)
{
	for (size_t i = 0; e && i < e->receivers.count; i++)
		if (strcmp(e->receivers.list[i].node, node) != 0)
			return true;
	return false;
}

/* What fails does so whatever its controls say: they only tell whether a denial is proven. */
static void look_early(struct run *r, size_t file, const struct fg_scenario_block *b,
		       const json_t *line)
{
	json_t *copy = r->fail_fast ? json_deep_copy(line) : NULL;

	if (!copy)
		return;
	fg_cases_judge(&r->total.cases[file], b, copy);
	end_early(r, copy);
	json_decref(copy);
}

static int keep_for_later(struct run *r, size_t file, const struct fg_scenario_block *b,
			  json_t *line, struct fg_error *err)
{
	struct later *later = FG_APPEND(r->later, r->later_count, WHAT, err);

	if (!later)
		return -1;
	*later = (struct later){ file, b, json_incref(line) };
	look_early(r, file, b, line);
	return 0;
}

static int join_one(struct run *r, const struct ask *of, json_t *line, struct fg_error *err)
{
	const struct file *f = &r->files[of->file];
	const struct fg_part *part = &f->parts.list[of->part];
	struct fg_cases *cases = &r->total.cases[of->file];
	json_t *scenario = json_object_get(line, "scenario");
	const struct fg_split_end *e = NULL;
	json_int_t id = json_integer_value(json_object_get(line, "id"));
	const struct fg_scenario_block *b;

	json_object_set_new(scenario, "round", json_integer((json_int_t)part->round));
	b = id > 0 ? fg_parts_block(cases, &f->split, part->node, (uint64_t)(id - 1) >> 20, &e)
		   : NULL;
	if (!b || !json_object_get(line, "outcome") || !leaves(e, part->node))
		judge(f, part->node, line);
	else if (join_halves(r, of, e, line, err))
		return -1;
	if (!b || !json_object_get(line, "outcome"))
		return take(r, of->file, line, err);
	if (fg_scenario_has_control(&cases->scenario, b->set))
		return keep_for_later(r, of->file, b, line, err);
	fg_cases_judge(cases, b, line);
	return take(r, of->file, line, err);
}

/* All of its requests are over. */
static int join(struct run *r, const struct ask *of, struct fg_error *err)
{
	struct fg_ends *ends = &r->files[of->file].ends[of->part];
	size_t index;
	json_t *line;
	int ret = 0;

	ends->left = 0;
	json_array_foreach (ends->sent, index, line) {
		if (!json_is_object(json_object_get(line, "scenario")))
			fg_total_node(&r->total, line);
		else if (!ret)
			ret = join_one(r, of, line, err);
	}
	fg_ends_empty(ends);
	return ret;
}

static int judge_later(struct run *r, struct fg_error *err)
{
	for (size_t i = 0; i < r->later_count; i++) {
		const struct later *l = &r->later[i];

		fg_cases_judge(&r->total.cases[l->file], l->block, l->line);
		if (fg_total_take(&r->total, l->file, l->line, err))
			return -1;
	}
	return 0;
}

static int answer(void *arg, size_t request, const json_t *line, struct fg_error *err)
{
	struct run *r = arg;
	const struct ask *of = &r->asks[request];
	const struct file *f = &r->files[of->file];
	const char *message = json_string_value(json_object_get(line, "message"));
	json_t *result = json_object_get(line, "result");

	if (f->ends[of->part].count)
		return fg_ends_take(&f->ends[of->part], &r->job, request, line) ? join(r, of, err)
										: 0;
	if (message)
		fg_job_say(&r->job, node_of(r, request), message);
	if (!json_is_object(json_object_get(result, "scenario"))) {
		fg_total_node(&r->total, result);
		return 0;
	}
	judge(f, node_of(r, request), result);
	return take(r, of->file, result, err);
}

/* Whether what has not come was not to come. */
static bool is_whole(const struct run *r, const struct fg_request *q)
{
	bool ended = q->status == 0 || q->status == 1 || q->status == 4;

	return q->state == FG_REQUEST_DONE && ended && (r->job.client.stopped || r->fail_fast);
}

/* What it could not look at, its probes say. */
static void conclude_receiver(struct run *r, size_t request)
{
	const struct fg_request *q = &r->job.client.requests[request];

	for (size_t i = 0; i < request; i++)
		if (r->job.client.requests[i].agent == q->agent)
			return;
	if (!r->job.agents.list[q->agent].failed)
		return;
	fg_job_lose(&r->job, &q->why);
	fg_total_lose(&r->total, node_of(r, request));
}

/* As expected and failed are counted from the results; the node's word is for what has none. */
static int conclude_request(struct run *r, size_t request, struct fg_error *err)
{
	const struct fg_request *q = &r->job.client.requests[request];
	const struct ask *of = &r->asks[request];
	const bool leaves = r->files[of->file].ends[of->part].count;
	const bool lost = r->job.agents.list[q->agent].failed;
	char why[sizeof(q->why.message) + 40];

	/* Cut short by a failure elsewhere: what it had to say was taken. */
	if (r->job.client.enough && !lost)
		return 0;
	if (q->partner) {
		conclude_receiver(r, request);
		return 0;
	}
	snprintf(why, sizeof(why), "its node did not answer for it (exit status %d)", q->status);
	if (q->state != FG_REQUEST_DONE) {
		fg_job_lose(&r->job, &q->why);
		snprintf(why, sizeof(why), "the node was lost: %s", q->why.message);
		fg_total_lose(&r->total, node_of(r, request));
	} else if ((q->status != 1 && q->status != 4) ||
		   (!leaves && !r->record && !r->total.made_unknown)) {
		fg_job_conclude(&r->job, q->status);
	}
	if (is_whole(r, q))
		return 0;
	return fg_total_miss(&r->total, of->file, node_of(r, request), why, err);
}

static int record(struct run *r, struct fg_error *err)
{
	uint64_t unknown = 0;
	const char *lost;
	FG_FREE char *text =
		fg_cases_record(&r->total.cases[0], &r->files[0].split, &unknown, &lost, err);
	struct fg_buffer out = {};
	int ret;

	if (!text)
		return -1;
	if (lost)
		fg_job_warn(&r->job, FG_SCENARIO_LOST, lost);
	if (unknown)
		fg_job_warn(&r->job,
			    "of %llu probes nothing is known: they are recorded as \"any\"",
			    (unsigned long long)unknown);
	if (r->job.client.stopped)
		fg_job_conclude(&r->job, 4);
	fg_buffer_puts(&out, text);
	ret = fg_job_write(&r->job, &out, err);
	fg_buffer_free(&out);
	return ret;
}

static int conclude(struct run *r, struct fg_error *err)
{
	for (size_t i = 0; i < r->job.client.count; i++) {
		const struct ask *of = &r->asks[i];
		const struct fg_ends *ends = &r->files[of->file].ends[of->part];

		if (ends->count && ends->left && join(r, of, err))
			return -1;
	}
	if (judge_later(r, err))
		return -1;
	/* What a lost node left has its loss as the reason, though earlier requests ended. */
	for (int ended = 0; ended < 2; ended++)
		for (size_t i = 0; i < r->job.client.count; i++)
			if ((r->job.client.requests[i].state == FG_REQUEST_DONE) == ended &&
			    conclude_request(r, i, err))
				return -1;
	if (r->record)
		return fg_total_end(&r->total, r->job.client.stopped, err) || record(r, err) ? -1
											     : 0;
	fg_job_conclude(&r->job, fg_total_status(&r->total));
	return fg_total_end(&r->total, r->job.client.stopped, err);
}

static int run(struct run *r, struct fg_error *err)
{
	const struct fg_kube *kube = r->job.kube;

	if (sort_words(r, err))
		return -1;
	for (size_t i = 0; kube->operands[i]; i++)
		if (open_file(r, kube->operands[i], err))
			return -1;
	r->reports.output = kube->output;
	r->reports.quiet = r->record;
	r->reports.out = kube->out;
	r->reports.style = &kube->style;
	if (!r->job.namespace[0] &&
	    fg_gather_namespace(&kube->kubectl, r->job.namespace, sizeof(r->job.namespace), err))
		return -1;
	if (!r->file_count && learn(r, err))
		return -1;
	if (gather(r, err) || lay_out(r, err) || add_requests(r, err) ||
	    fg_total_open(&r->total, &r->reports, err))
		return -1;
	r->job.client.answer = answer;
	r->job.client.arg = r;
	return fg_job_run(&r->job, err) || conclude(r, err) ? -1 : 0;
}

static void free_file(struct file *f)
{
	for (size_t i = 0; f->ends && i < f->parts.count; i++)
		fg_ends_free(&f->ends[i]);
	free(f->ends);
	fg_parts_free(&f->parts);
	fg_split_free(&f->split);
	fg_yaml_free(&f->yaml);
}

int fg_kube_run(const struct fg_kube *kube, int *status, struct fg_error *err)
{
	struct run r = {};
	int ret;

	fg_run_origin(); /* it begins now */
	/* The files are read before anybody is asked. */
	ret = fg_job_open(&r.job, kube, false, err) || run(&r, err) ? -1 : 0;
	*status = r.job.status;
	fg_total_close(&r.total);
	for (size_t i = 0; i < r.file_count; i++)
		free_file(&r.files[i]);
	for (size_t i = 0; i < r.later_count; i++)
		json_decref(r.later[i].line);
	free(r.later);
	free(r.files);
	free(r.settings);
	free(r.given);
	free(r.rest);
	free(r.asks);
	fg_job_close(&r.job);
	return ret;
}
