// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/show.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/json.h"
#include "base/visible.h"
#include "cluster/join.h"

/* Names of devices and programs come from other machines. */
static void put(struct fg_buffer *out, const char *text)
{
	size_t len;

	while (*text) {
		len = fg_visible(text);
		fg_buffer_put(out, len ? text : "?", len ? len : 1);
		text += len ? len : 1;
	}
}

static void put_words(struct fg_buffer *out, const char *const *words)
{
	for (; *words; words++)
		put(out, *words);
}
#define PUT(out, ...) put_words(out, (const char *const[]){ __VA_ARGS__, NULL })

static void put_upper(struct fg_buffer *out, const char *text)
{
	for (; *text; text++) {
		char c = (char)toupper((unsigned char)*text);

		fg_buffer_put(out, &c, 1);
	}
}

/* "cil_from_container at lxc12 (egress)", "netfilter at eth0 (node)" */
static void put_decider(struct fg_buffer *out, const json_t *decider)
{
	const char *name = fg_json_string(decider, "name"),
		   *device = fg_json_string(decider, "device");

	PUT(out, " by ", name[0] ? name : fg_json_string(decider, "kind"));
	if (device[0])
		PUT(out, " at ", device);
	PUT(out, " (", fg_json_string(decider, "stage"), " stage)");
	if (fg_json_string(decider, "node")[0])
		PUT(out, " on node ", fg_json_string(decider, "node"));
}

/* Where it was last seen. */
static const char *last_node(const json_t *result)
{
	const json_t *list = json_object_get(result, "observations");
	size_t count = json_array_size(list);
	const char *node = count ? fg_json_string(json_array_get(list, count - 1), "node") : "";

	return node[0] ? node : fg_json_string(result, "node");
}

void fg_show_headline(const json_t *result, struct fg_buffer *out)
{
	const char *verdict = fg_json_string(json_object_get(result, "policy"), "verdict");
	const char *outcome = fg_json_string(result, "outcome"),
		   *reason = fg_json_string(result, "reason");
	const json_t *decider = json_object_get(result, "decider");
	bool denied = !strcmp(verdict, "denied");

	put_upper(out, denied ? "denied" : outcome);
	if (json_is_object(decider))
		put_decider(out, decider);
	else if (fg_join_last_seen(result) && !reason[0])
		PUT(out, " at ", fg_join_last_seen(result), " on node ", last_node(result));
	if (reason[0])
		PUT(out, ": ", reason);
}

/* Lines of what a command wrote that are shown. */
#define LINES_MAX 20

static void put_output(struct fg_buffer *out, const char *text)
{
	char line[240];

	for (int i = 0; *text; i++) {
		size_t len = strcspn(text, "\n");

		if (i == LINES_MAX) {
			fg_buffer_puts(out, "         ...\n");
			return;
		}
		snprintf(line, sizeof(line), "%.*s", (int)(len < 230 ? len : 230), text);
		PUT(out, i ? "         " : "output   ", line);
		fg_buffer_puts(out, "\n");
		text += len + (text[len] == '\n');
	}
}

void fg_show_command(const json_t *result, struct fg_buffer *headline, struct fg_buffer *out)
{
	const json_t *command = json_object_get(result, "command");
	const json_t *argv = json_object_get(command, "argv");
	const char *failed = fg_json_string(command, "error");

	if (failed[0])
		PUT(headline, "not run: ", failed);
	else
		fg_buffer_printf(
			headline, "exit status %lld%s",
			(long long)json_integer_value(json_object_get(command, "exit_status")),
			json_is_true(json_object_get(command, "overdue")) ? ", its time was over"
									  : "");
	fg_buffer_puts(out, "command ");
	for (size_t i = 0; i < json_array_size(argv); i++) {
		const char *word = json_string_value(json_array_get(argv, i));

		PUT(out, " ", word ? word : "");
	}
	fg_buffer_puts(out, "\n");
	put_output(out, fg_json_string(command, "output"));
}

static void put_number(struct fg_buffer *out, const char *before, const json_t *value)
{
	if (json_is_integer(value))
		fg_buffer_printf(out, "%s%lld", before, (long long)json_integer_value(value));
}

static void put_packet(struct fg_buffer *out, const json_t *result)
{
	const json_t *packet = json_object_get(result, "packet"), *to;

	PUT(out, "packet   ", fg_json_string(packet, "src"));
	put_number(out, ":", json_object_get(packet, "sport"));
	PUT(out, " > ", fg_json_string(packet, "dst"));
	put_number(out, ":", json_object_get(packet, "dport"));
	PUT(out, " ", fg_json_string(packet, "proto"));
	fg_buffer_puts(out, "\nfrom     ");
	PUT(out, fg_json_string(json_object_get(result, "pod"), "name"), " on node ",
	    fg_json_string(result, "node"));
	to = json_object_get(result, "to");
	fg_buffer_puts(out, "\nto       ");
	PUT(out, fg_json_string(to, "name"));
	if (fg_json_string(to, "pod")[0])
		PUT(out, ", pod ", fg_json_string(to, "namespace"), "/", fg_json_string(to, "pod"));
	if (fg_json_string(to, "node")[0])
		PUT(out, " on node ", fg_json_string(to, "node"));
	fg_buffer_puts(out, fg_json_string(result, "hint")[0] ? "\n" : "");
	if (fg_json_string(result, "hint")[0])
		PUT(out, "hint     ", fg_json_string(result, "hint"));
	fg_buffer_puts(out, "\n\n");
}

static const char *word_of(const char *decided)
{
	static const struct {
		const char *decided, *word;
	} words[] = {
		{ "next", "left it to the next" },
		{ "passed", "let it pass" },
		{ "redirected", "redirected it" },
		{ "denied", "DENIED" },
		{ "kept", "took it" },
		{ "dropped", "DROPPED" },
		{ "refused", "REFUSED" },
	};

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strcmp(decided, words[i].decided))
			return words[i].word;
	return "nothing was seen of it";
}

static void put_decision(struct fg_buffer *out, const json_t *d)
{
	const char *name = fg_json_string(d, "name"), *said = fg_json_string(d, "said");
	const json_t *met = json_object_get(d, "met");

	PUT(out, "    ", name[0] ? name : fg_json_string(d, "what"));
	if (fg_json_string(d, "device")[0])
		PUT(out, " at ", fg_json_string(d, "device"));
	PUT(out, ": ", json_is_false(met) ? "not met" : word_of(fg_json_string(d, "decided")));
	if (said[0])
		PUT(out, " (", said, ")");
	fg_buffer_puts(out, "\n");
}

/* A heading for each stage of each node that has a decision. */
static void put_ladder(struct fg_buffer *out, const json_t *result)
{
	const json_t *list = json_object_get(result, "decisions");
	const char *node = "", *stage = "";

	fg_buffer_puts(out, "ladder, in the order the packet meets it\n");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);

		if (strcmp(node, fg_json_string(d, "node")) != 0 ||
		    strcmp(stage, fg_json_string(d, "stage")) != 0) {
			PUT(out, "  ", fg_json_string(d, "stage"), " stage on node ",
			    fg_json_string(d, "node"));
			fg_buffer_puts(out, "\n");
		}
		node = fg_json_string(d, "node");
		stage = fg_json_string(d, "stage");
		put_decision(out, d);
	}
	if (!json_array_size(list))
		fg_buffer_puts(out, "  nothing that decides was met\n");
}

void fg_show_result(const json_t *result, struct fg_buffer *out)
{
	fg_show_headline(result, out);
	fg_buffer_puts(out, "\n\n");
	put_packet(out, result);
	put_ladder(out, result);
}
