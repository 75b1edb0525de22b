// SPDX-License-Identifier: GPL-2.0-only
/* scenario/command.c - a probe that is a command: reading it. */
#include <errno.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "base/count.h"
#include "base/fd.h"
#include "base/parse.h"
#include "scenario/internal.h"

void fg_scenario_command_free(struct fg_scenario_command *command)
{
	if (!command)
		return;
	for (char **word = command->argv; word && *word; word++)
		free(*word);
	free(command->argv);
	free(command->text);
	free(command->output);
	fg_flows_expect_free(&command->flows);
	free(command);
}

void fg_scenario_ran_free(struct fg_scenario_ran *ran)
{
	free(ran->failed);
	free(ran->output);
	free(ran->flows);
	free(ran->flows_text);
	*ran = (struct fg_scenario_ran){};
}

/* --- reading --- */

static int no_memory(struct fg_scenario_reader *r)
{
	return fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "%s", r->scenario->yaml.file);
}

struct words {
	struct fg_scenario_command *command;
	size_t count;
};

/* word becomes the list's. */
static int add_word(struct fg_scenario_reader *r, struct words *w, char *word)
{
	char **added = word ? FG_GROW(w->command->argv, w->count, 2, r->scenario->yaml.file, r->err)
			    : NULL;

	if (!added) {
		free(word);
		return -1;
	}
	added[0] = word;
	added[1] = NULL;
	w->count++;
	return 0;
}

static int read_word(struct fg_scenario_reader *r, const json_t *node, void *arg)
{
	return add_word(r, arg, fg_scenario_text(r, node));
}

/* As a YAML file breaks a long line: people read it on one. */
static int make_text(struct fg_scenario_reader *r, struct fg_scenario_command *c, bool shell)
{
	struct fg_buffer text = {};

	for (char **word = c->argv + (shell ? 2 : 0); *word; word++) {
		fg_buffer_puts(&text, text.len ? " " : "");
		fg_buffer_puts(&text, *word);
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n' || text.data[i] == '\t')
			text.data[i] = ' ';
	while (text.len && text.data[text.len - 1] == ' ')
		text.len--;
	fg_buffer_put(&text, "", 1);
	if (text.failed) {
		fg_buffer_free(&text);
		return no_memory(r);
	}
	c->text = text.data;
	return 0;
}

/* One text is for the shell, a list is the words themselves. */
static int read_words(struct fg_scenario_reader *r, const json_t *node,
		      struct fg_scenario_command *c)
{
	struct words w = { .command = c };
	bool shell = !json_is_array(node);
	size_t mark = fg_scenario_enter(r, "exec", 0);

	if (shell && (add_word(r, &w, strdup("/bin/sh")) || add_word(r, &w, strdup("-c"))))
		return -1;
	if (fg_scenario_each(r, node, read_word, &w))
		return -1;
	if (!c->argv[shell ? 2 : 0][0])
		return fg_scenario_fail(r, node, "the command is empty");
	fg_scenario_leave(r, mark);
	return make_text(r, c, shell);
}

/* Without a word about it 0 is expected, but not of a command that is to meet a denial. */
static int read_status(struct fg_scenario_reader *r, const json_t *map,
		       struct fg_scenario_command *c)
{
	const json_t *node = json_object_get(map, "exit-status");
	FG_FREE char *text = NULL;
	uint64_t status = 0;
	size_t mark;

	for (size_t i = 0; !node && i < c->flows.count; i++)
		c->any_status |= c->flows.rules[i].word == FG_FLOWS_DENY;
	if (!node)
		return 0;
	mark = fg_scenario_enter(r, "exit-status", 0);
	text = fg_scenario_text(r, node);
	if (!text)
		return -1;
	c->any_status = !strcmp(text, "any");
	if (!c->any_status && fg_parse_u64("exit-status", text, 0, 255, &status, r->err))
		return fg_scenario_fail(r, node,
					"must be any, or a number from 0 to 255, not "
					"\"%.40s\"",
					text);
	c->status = (uint8_t)status;
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_output(struct fg_scenario_reader *r, const json_t *map,
		       struct fg_scenario_command *c)
{
	const json_t *node = json_object_get(map, "output");
	char why[120];
	size_t mark;
	regex_t re;
	int ret;

	if (fg_scenario_text_at(r, map, "output", &c->output) || !node)
		return node ? -1 : 0;
	mark = fg_scenario_enter(r, "output", 0);
	ret = regcomp(&re, c->output, REG_EXTENDED | REG_NEWLINE | REG_NOSUB);
	if (ret) {
		regerror(ret, &re, why, sizeof(why));
		return fg_scenario_fail(r, node, "not an extended regular expression: %s", why);
	}
	regfree(&re);
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_timeout(struct fg_scenario_reader *r, const json_t *map,
			struct fg_scenario_command *c)
{
	const json_t *node = json_object_get(map, "timeout");
	FG_FREE char *text = NULL;
	size_t mark = fg_scenario_enter(r, "timeout", 0);

	c->timeout_ns = FG_SCENARIO_COMMAND_TIMEOUT_NS;
	if (node && !(text = fg_scenario_text(r, node)))
		return -1;
	if (node && fg_parse_duration("timeout", text, &c->timeout_ns, r->err))
		return fg_scenario_fail_parsed(r, node);
	if (!c->timeout_ns)
		return fg_scenario_fail(r, node, "must be more than 0");
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_flows(struct fg_scenario_reader *r, const json_t *map,
		      struct fg_scenario_command *c)
{
	const json_t *node = json_object_get(map, "expect");
	FG_FREE char *text = NULL;
	size_t mark = fg_scenario_enter(r, "expect", 0);

	if (node && !(text = fg_scenario_text(r, node)))
		return -1;
	if (node && fg_flows_expect_parse("expect", text, &c->flows, r->err))
		return fg_scenario_fail_parsed(r, node);
	fg_scenario_leave(r, mark);
	return 0;
}

/* Who answers for names; the key of the same name in `defaults` is a packet's payload. */
static int read_dns(struct fg_scenario_reader *r, const json_t *map, struct fg_scenario_command *c)
{
	const json_t *node = json_object_get(map, "dns");
	FG_FREE char *text = NULL;
	size_t mark = fg_scenario_enter(r, "dns", 0);

	if (node && !(text = fg_scenario_text(r, node)))
		return -1;
	c->host_names = text && !strcmp(text, "host");
	if (text && !c->host_names && strcmp(text, "pod") != 0 &&
	    fg_parse_addr("dns", text, &c->server, NULL))
		return fg_scenario_fail(r, node, "must be pod, host or an address, not \"%.60s\"",
					text);
	fg_scenario_leave(r, mark);
	return 0;
}

/* What is expected, in one line. */
static int describe(struct fg_scenario_reader *r, const json_t *map, struct fg_scenario_set *set)
{
	const struct fg_scenario_command *c = set->command;
	const json_t *node = json_object_get(map, "expect");
	FG_FREE char *flows = node ? fg_scenario_text(r, node) : NULL;
	struct fg_buffer text = {};

	if (!c->any_status)
		fg_buffer_printf(&text, "exit status %u", c->status);
	if (c->output)
		fg_buffer_printf(&text, "%soutput /%s/", text.len ? ", " : "", c->output);
	if (flows)
		fg_buffer_printf(&text, "%s%s", text.len ? ", " : "", flows);
	fg_buffer_puts(&text, text.len ? "" : "any");
	fg_buffer_put(&text, "", 1);
	if (text.failed) {
		fg_buffer_free(&text);
		return no_memory(r);
	}
	set->expect.text = text.data;
	return 0;
}

/* What reports and tables say in place of a destination and a port. */
static int stand_in(struct fg_scenario_reader *r, struct fg_scenario_set *set)
{
	struct fg_scenario *s = r->scenario;
	struct fg_scenario_place *place = FG_SCENARIO_APPEND(r, s->places, s->place_count);
	uint32_t *to = place ? FG_SCENARIO_APPEND(r, set->to, set->to_count) : NULL;
	struct fg_scenario_ports *ports = to ? FG_SCENARIO_APPEND(r, set->ports, set->port_count)
					     : NULL;

	if (!ports)
		return -1;
	*to = (uint32_t)s->place_count - 1;
	*place = (struct fg_scenario_place){
		.name = strdup(set->command->text), .nowhere = true, .port = -1, .pods = -1
	};
	ports->label = strdup("exec");
	return place->name && ports->label ? 0 : no_memory(r);
}

int fg_scenario_read_command(struct fg_scenario_reader *r, const json_t *map,
			     struct fg_scenario_set *set)
{
	struct fg_scenario_command *c = calloc(1, sizeof(*c));

	if (!c)
		return no_memory(r);
	set->command = c;
	c->node = json_object_get(map, "exec");
	c->src = set->src;
	return read_words(r, c->node, c) || read_flows(r, map, c) || read_status(r, map, c) ||
			       read_output(r, map, c) || read_timeout(r, map, c) ||
			       read_dns(r, map, c) || describe(r, map, set) || stand_in(r, set)
		       ? -1
		       : 0;
}
