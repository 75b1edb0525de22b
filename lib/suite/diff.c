// SPDX-License-Identifier: GPL-2.0-only
#include "suite/diff.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/markup.h"
#include "report/report.h"
#include "suite/internal.h"

struct fg_diff {
	bool json, pods;
	char *pod[2];	   /* of each run, if pods are compared; owned; NULL: none yet */
	json_t *before;	   /* key -> array of the essence's texts or nulls */
	json_t *summaries; /* key -> the first run's summary */
	const char *scope; /* a file's name; NULL: none */
	struct fg_buffer *out;
	json_t *times[2]; /* key without its number -> how often it came, in each run */
	struct fg_diff_counts counts;
};

struct fg_diff *fg_diff_new(bool json, bool pods, struct fg_error *err)
{
	struct fg_diff *d = calloc(1, sizeof(*d));

	if (d) {
		d->json = json;
		d->pods = pods;
		d->before = json_object();
		d->summaries = json_object();
		d->times[0] = json_object();
		d->times[1] = json_object();
		if (d->before && d->summaries && d->times[0] && d->times[1])
			return d;
	}
	fg_diff_free(d);
	fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "comparison");
	return NULL;
}

void fg_diff_free(struct fg_diff *diff)
{
	if (!diff)
		return;
	json_decref(diff->before);
	json_decref(diff->summaries);
	json_decref(diff->times[0]);
	json_decref(diff->times[1]);
	free(diff->pod[0]);
	free(diff->pod[1]);
	free(diff);
}

void fg_diff_scope(struct fg_diff *diff, const char *name)
{
	diff->scope = name;
}

/* --- reading --- */

static const char *text_at(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_int_t number_at(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

static const char *pod_of(const json_t *line)
{
	const json_t *pod = json_object_get(line, "pod");

	return *text_at(pod, "name") ? text_at(pod, "name") : text_at(pod, "ref");
}

/* Of one pod with another there is no more than one in each run. */
static int note_pod(struct fg_diff *d, int run, const json_t *line, const char *where,
		    struct fg_error *err)
{
	const char *pod = pod_of(line);

	if (!d->pods)
		return 0;
	if (d->pod[run] && strcmp(d->pod[run], pod) != 0)
		return fg_fail(
			err, FG_ERR_USAGE,
			"%s: of \"%.60s\", and before of \"%.60s\": --pods takes one pod in each",
			where, pod, d->pod[run]);
	if (!d->pod[run])
		d->pod[run] = strdup(pod);
	return d->pod[run] ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", where);
}

/* What the result is known by; for people too. */
static char *make_key(const struct fg_diff *d, const json_t *line)
{
	const char *scope = d->scope ? d->scope : "", *colon = d->scope ? ": " : "";
	const json_t *scenario = json_object_get(line, "scenario");
	const json_t *packet = json_object_get(line, "packet");
	/* A probe's name may have that of its sender. */
	const char *name = text_at(d->pods && scenario ? scenario : line, "name");
	const char *pod = d->pods ? "" : pod_of(line);
	char *key = NULL;
	int len;

	if (scenario && !(d->pods && packet))
		len = asprintf(&key, "%s%s%s: %s", scope, colon, text_at(scenario, "name"),
			       text_at(scenario, "probe"));
	else if (!packet)
		len = asprintf(&key, "%s%s%s", scope, colon, d->pods ? "the pods" : pod);
	else
		len = asprintf(&key, "%s%s%s%s%s%sto %s %s/%lld", scope, colon, name,
			       *name ? ": " : "", pod, d->pods ? "" : " ", text_at(packet, "dst"),
			       text_at(packet, "proto"), (long long)number_at(packet, "dport"));
	return len < 0 ? NULL : key;
}

static char *number_key(struct fg_diff *d, int run, char *base)
{
	json_int_t times = number_at(d->times[run], base) + 1;
	char *key = NULL;

	if (json_object_set_new_nocheck(d->times[run], base, json_integer(times)) ||
	    (times > 1 && asprintf(&key, "%s (%lld)", base, (long long)times) < 0)) {
		free(base);
		return NULL;
	}
	if (times == 1)
		return base;
	free(base);
	return key;
}

static bool is_summary(const json_t *line)
{
	return !strcmp(text_at(line, "schema"), "flowgen.summary/2");
}

/* Returns the line, with its key and essence, which point into it; *key NULL: nothing to compare.
 * NULL on an error. */
static json_t *read_line(struct fg_diff *d, int run, const char *text, size_t len,
			 const char *where, char **key, struct fg_essence *essence,
			 struct fg_error *err)
{
	json_error_t cause;
	json_t *line = json_loadb(text, len, 0, &cause);
	const char *schema = text_at(line, "schema");
	bool sent = !strcmp(schema, "flowgen.result/2") || !strcmp(schema, "flowgen.result/1");

	bool command = !strcmp(schema, "flowgen.command/1");

	*key = NULL;
	if (!line) {
		fg_fail(err, FG_ERR_USAGE, "%s:%d: %s", where, cause.column, cause.text);
		return NULL;
	}
	if (!strcmp(schema, "flowgen.run/1"))
		return line;
	if (!sent && !command && !is_summary(line) && strcmp(schema, "flowgen.unsent/1") != 0) {
		fg_fail(err, FG_ERR_USAGE, "%s: not a flowgen result (schema \"%.60s\")", where,
			schema);
		json_decref(line);
		return NULL;
	}
	if (note_pod(d, run, line, where, err)) {
		json_decref(line);
		return NULL;
	}
	*key = make_key(d, line);
	if (*key)
		*key = number_key(d, run, *key);
	if (!*key) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", where);
		json_decref(line);
		return NULL;
	}
	fg_essence_read(line, essence);
	return line;
}

int fg_diff_before(struct fg_diff *diff, const char *line, size_t len, const char *where,
		   struct fg_error *err)
{
	struct fg_essence e;
	char *key;
	json_t *result = read_line(diff, 0, line, len, where, &key, &e, err), *kept;
	int ret = 0;

	if (!result)
		return -1;
	if (key && is_summary(result)) {
		ret = json_object_set_nocheck(diff->summaries, key, result);
	} else if (key) {
		kept = json_array();
		for (int i = 0; kept && i < FG_ESSENCE_PARTS && !ret; i++)
			ret = json_array_append_new(kept, e.part[i] ? json_string_nocheck(e.part[i])
								    : json_null());
		ret |= json_object_set_new_nocheck(diff->before, key, kept);
	}
	free(key);
	json_decref(result);
	return ret ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", where) : 0;
}

/* --- telling --- */

static void put_side(struct fg_buffer *out, const char *key, const struct fg_essence *e)
{
	fg_buffer_printf(out, ",\"%s\":", key);
	if (!e) {
		fg_buffer_puts(out, "null");
		return;
	}
	for (int i = 0; i < FG_ESSENCE_PARTS; i++) {
		fg_buffer_printf(out, "%s\"%s\":", i ? "," : "{",
				 fg_essence_name((enum fg_essence_part)i));
		fg_json_put_text(out, e->part[i]);
	}
	fg_buffer_puts(out, "}");
}

static const char *or_none(const char *text)
{
	return text ? text : "none";
}

/* From a file, which may come from anybody. */
static void put_part(struct fg_buffer *out, const char *before, const char *part, const char *after)
{
	fg_buffer_puts(out, before);
	fg_markup_put_visible(out, or_none(part), strlen(or_none(part)));
	fg_buffer_puts(out, after);
}

static void put_text(struct fg_buffer *out, const struct fg_essence *before,
		     const struct fg_essence *after)
{
	static const char *const labels[FG_ESSENCE_PARTS] = { "verdict", "denied by", "outcome",
							      "drop reason" };
	const struct fg_essence *one = before ? before : after;

	if (!before || !after) {
		put_part(out, "    verdict ", one->part[FG_ESSENCE_VERDICT], "");
		if (one->part[FG_ESSENCE_DENIED_BY])
			put_part(out, " by ", one->part[FG_ESSENCE_DENIED_BY], "");
		put_part(out, ", outcome ", one->part[FG_ESSENCE_OUTCOME], "\n");
		return;
	}
	for (int i = 0; i < FG_ESSENCE_PARTS; i++) {
		if (!strcmp(or_none(before->part[i]), or_none(after->part[i])))
			continue;
		fg_buffer_printf(out, "    %-11s ", labels[i]);
		put_part(out, "", before->part[i], " -> ");
		put_part(out, "", after->part[i], "\n");
	}
}

static void put_difference(const struct fg_diff *d, struct fg_buffer *out, const char *change,
			   const char *key, const struct fg_essence *before,
			   const struct fg_essence *after)
{
	if (d->json) {
		fg_buffer_printf(
			out, "{\"schema\":\"flowgen.diff/1\",\"change\":\"%s\",\"name\":", change);
		fg_json_put_text(out, key);
		put_side(out, "before", before);
		put_side(out, "after", after);
		fg_buffer_puts(out, "}\n");
		return;
	}
	fg_buffer_printf(out, "%-7s  ", change);
	fg_markup_put_visible(out, key, strlen(key));
	fg_buffer_puts(out, "\n");
	put_text(out, before, after);
}

static void unpack(const json_t *kept, struct fg_essence *out)
{
	for (int i = 0; i < FG_ESSENCE_PARTS; i++)
		out->part[i] = json_string_value(json_array_get(kept, (size_t)i));
}

static void tell(void *arg, const char *name, const struct fg_essence *before,
		 const struct fg_essence *after)
{
	struct fg_diff *d = arg;

	if (!before) {
		d->counts.added++;
		put_difference(d, d->out, "added", name, NULL, after);
	} else if (!after) {
		d->counts.removed++;
		put_difference(d, d->out, "removed", name, before, NULL);
	} else if (fg_essence_is_same(before, after)) {
		d->counts.same++;
	} else {
		d->counts.changed++;
		put_difference(d, d->out, "changed", name, before, after);
	}
}

static void tell_summary(struct fg_diff *d, const char *key, const json_t *after,
			 struct fg_buffer *out)
{
	d->out = out;
	out->failed |= fg_ports_compare(key, json_object_get(d->summaries, key), after, tell, d) !=
		       0;
}

int fg_diff_after(struct fg_diff *diff, const char *line, size_t len, const char *where,
		  struct fg_buffer *out, struct fg_error *err)
{
	struct fg_essence before, after;
	size_t start = out->len;
	char *key;
	json_t *result = read_line(diff, 1, line, len, where, &key, &after, err);
	const json_t *kept;

	if (!result)
		return -1;
	diff->out = out;
	if (key && is_summary(result)) {
		tell_summary(diff, key, result, out);
		json_object_del(diff->summaries, key);
	} else if (key) {
		kept = json_object_get(diff->before, key);
		if (kept)
			unpack(kept, &before);
		tell(diff, key, kept ? &before : NULL, &after);
		json_object_del(diff->before, key);
	}
	free(key);
	json_decref(result);
	return fg_report_finish(out, start, err);
}

int fg_diff_end(struct fg_diff *diff, struct fg_diff_counts *counts, struct fg_buffer *out,
		struct fg_error *err)
{
	size_t start = out->len;
	struct fg_essence before;
	const char *key;
	json_t *kept;

	diff->out = out;
	json_object_foreach (diff->before, key, kept) {
		unpack(kept, &before);
		tell(diff, key, &before, NULL);
	}
	json_object_foreach (diff->summaries, key, kept) {
		tell_summary(diff, key, NULL, out);
	}
	fg_buffer_printf(
		out,
		diff->json
			? "{\"schema\":\"flowgen.diff-summary/1\",\"same\":%llu,\"changed\":%llu,"
			  "\"added\":%llu,\"removed\":%llu}\n"
			: "%llu the same, %llu changed, %llu added, %llu removed\n",
		(unsigned long long)diff->counts.same, (unsigned long long)diff->counts.changed,
		(unsigned long long)diff->counts.added, (unsigned long long)diff->counts.removed);
	if (counts)
		*counts = diff->counts;
	return fg_report_finish(out, start, err);
}
