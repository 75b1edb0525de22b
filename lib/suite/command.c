// SPDX-License-Identifier: GPL-2.0-only
/* suite/command.c - a probe that was a command: judged, and in the reports of a run. */
#include <regex.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/markup.h"
#include "suite/case.h"

/* Lines of what the command wrote that people are shown. */
#define LINES_MAX 20

/* An empty one stays a string. */
static void put_string(const char *text, struct fg_buffer *out)
{
	if (text && !*text)
		fg_buffer_puts(out, "\"\"");
	else
		fg_json_put_text(out, text);
}

static void put_argv(char *const *argv, struct fg_buffer *out)
{
	for (size_t i = 0; argv[i]; i++) {
		fg_buffer_puts(out, i ? "," : "");
		put_string(argv[i], out);
	}
}

/* Objects that stand one on a line become the items of an array. */
static void put_lines(const char *text, struct fg_buffer *out)
{
	for (const char *next; text && *text; text = next) {
		size_t len = strcspn(text, "\n");

		next = text + len + (text[len] == '\n');
		fg_buffer_put(out, text, len);
		fg_buffer_puts(out, *next ? "," : "");
	}
}

void fg_command_put_json(const struct fg_case *c, struct fg_buffer *out)
{
	const struct fg_scenario_ran *ran = c->ran;

	fg_buffer_printf(out,
			 "{\"schema\":\"flowgen.command/1\",\"id\":%llu,\"command\":{\"argv\":[",
			 (unsigned long long)c->number);
	put_argv(c->scenario->sets[c->block->set].command->argv, out);
	fg_buffer_printf(out, "],\"exit_status\":%d,\"overdue\":%s,\"error\":", ran->status,
			 ran->overdue ? "true" : "false");
	fg_json_put_text(out, ran->failed);
	fg_buffer_puts(out, ",\"output\":");
	put_string(ran->output ? ran->output : "", out);
	fg_buffer_printf(out, ",\"output_cut\":%s,\"duration_ns\":%llu,\"seen\":\"%s\",\"flows\":[",
			 ran->output_cut ? "true" : "false", (unsigned long long)ran->duration_ns,
			 fg_flows_word_name(ran->seen));
	put_lines(ran->flows, out);
	fg_buffer_puts(out, "]},");
}

static void put_output(const struct fg_scenario_ran *ran, struct fg_buffer *out)
{
	const char *at = ran->output ? ran->output : "";

	for (int line = 0; *at && line < LINES_MAX; line++) {
		size_t len = strcspn(at, "\n");

		fg_buffer_puts(out, line ? "                " : "  it wrote      ");
		fg_markup_put_visible(out, at, len);
		fg_buffer_puts(out, "\n");
		at += len + (at[len] == '\n');
	}
	if (*at)
		fg_buffer_puts(out, "                ...\n");
}

void fg_command_put_text(const struct fg_case *c, struct fg_buffer *out)
{
	const char *text = c->scenario->sets[c->block->set].command->text;
	const struct fg_scenario_ran *ran = c->ran;

	fg_buffer_puts(out, "  command       ");
	fg_markup_put_visible(out, text, strlen(text));
	fg_buffer_puts(out, "\n");
	if (ran->failed) {
		fg_buffer_printf(out, "  not run       %s\n", ran->failed);
		return;
	}
	fg_buffer_printf(out, "  exit status   %d%s, after %.2f s\n", ran->status,
			 ran->overdue ? " (its time was over)" : "",
			 (double)ran->duration_ns / 1e9);
	put_output(ran, out);
	fg_buffer_puts(out, ran->flows_text ? ran->flows_text : "");
}

/* --- what came of it, against what was expected --- */

static bool matches(const char *pattern, const char *text)
{
	regex_t re;
	bool found;

	if (regcomp(&re, pattern, REG_EXTENDED | REG_NEWLINE | REG_NOSUB))
		return false;
	found = !regexec(&re, text, 0, NULL, 0);
	regfree(&re);
	return found;
}

/* "28", or what it means if the command did not end by itself. */
static const char *status_text(const struct fg_scenario_command *c,
			       const struct fg_scenario_ran *ran, char *buf, size_t size)
{
	if (ran->overdue)
		snprintf(buf, size, "%d: it took longer than %.3g s", ran->status,
			 (double)c->timeout_ns / 1e9);
	else
		snprintf(buf, size, "%d", ran->status);
	return buf;
}

static enum fg_case_status check_ran(const struct fg_scenario_command *c,
				     const struct fg_scenario_ran *ran, char *why, size_t size)
{
	char text[80];

	if (!c->any_status && ran->status != c->status) {
		snprintf(why, size, "exit status: expected %u, got %s", c->status,
			 status_text(c, ran, text, sizeof(text)));
		return FG_CASE_FAIL;
	}
	if (c->output && !matches(c->output, ran->output)) {
		snprintf(why, size, "output: expected /%.120s/, which is not in %s", c->output,
			 ran->output_cut ? "its beginning" : "it");
		return ran->output_cut ? FG_CASE_INCONCLUSIVE : FG_CASE_FAIL;
	}
	return FG_CASE_PASS;
}

enum fg_case_status fg_command_check(const struct fg_scenario_command *command,
				     const struct fg_scenario_ran *ran, char *why, size_t size)
{
	enum fg_case_status status;

	why[0] = '\0';
	if (ran->stopped) {
		snprintf(why, size, "it was interrupted");
		return FG_CASE_INCONCLUSIVE;
	}
	if (ran->failed) {
		snprintf(why, size, "%s", ran->failed);
		return FG_CASE_FAIL;
	}
	status = check_ran(command, ran, why, size);
	/* What is known not to be so weighs more than what is not known. */
	if (status == FG_CASE_FAIL || !command->flows.count || ran->met == FG_FLOWS_MET ||
	    (status == FG_CASE_INCONCLUSIVE && ran->met == FG_FLOWS_UNKNOWN))
		return status;
	snprintf(why, size, "%s", ran->met_why);
	return ran->met == FG_FLOWS_UNMET ? FG_CASE_FAIL : FG_CASE_INCONCLUSIVE;
}
