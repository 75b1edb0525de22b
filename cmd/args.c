// SPDX-License-Identifier: GPL-2.0-only
/*
 * args.c - how a command line is read, and how flowgen ends: the exit status of an error, and its
 * line on standard error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/visible.h"
#include "cmd.h"
#include "output.h"
#include "settings/settings.h"

int fg_cmd_refuse(const char *name, const struct fg_error *err)
{
	if (err->hint[0])
		fprintf(stderr, "%s: %s (%s)\n", name, err->message, err->hint);
	else
		fprintf(stderr, "%s: %s\n", name, err->message);
	return fg_error_status(err->kind);
}

int fg_cmd_fail(const struct fg_error *err)
{
	return fg_cmd_refuse("flowgen", err);
}

/* Of the terminal; where there is none, that of a page. */
unsigned int fg_cmd_width(int fd)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	uint64_t number;

	if (columns && !fg_parse_u64("COLUMNS", columns, 1, 10000, &number, NULL))
		return (unsigned int)number;
	return ioctl(fd, TIOCGWINSZ, &size) || !size.ws_col ? 80 : size.ws_col;
}

int fg_cmd_help(const struct fg_verb *verb, enum fg_option_help help)
{
	struct fg_buffer out = {};
	struct fg_error err;
	int failed;

	fg_option_help_put(verb, help, fg_cmd_width(STDOUT_FILENO), &out);
	failed = fg_output_write(out.data, out.len, &err) || fg_output_flush(&err);
	fg_buffer_free(&out);
	return failed ? fg_cmd_fail(&err) : FG_EXIT_OK;
}

static struct fg_option_heard heard;

bool fg_cmd_is_quiet(void)
{
	return heard.quiet;
}

bool fg_cmd_is_verbose(void)
{
	return heard.verbose;
}

enum fg_form fg_cmd_form(void)
{
	return isatty(STDOUT_FILENO) ? FG_FORM_TEXT : FG_FORM_JSON;
}

bool fg_cmd_is_coloured(void)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (heard.color != FG_OPTION_COLOR_AUTO)
		return heard.color == FG_OPTION_COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) &&
	       !(term && !strcmp(term, "dumb"));
}

void fg_cmd_tell(const char *kind, const char *text)
{
	if (heard.quiet)
		return;
	fprintf(stderr, "flowgen: %s%s", kind ? kind : "", kind ? ": " : "");
	/* There may be names in it that a pod or a cluster chose. */
	for (size_t n; *text; text += n ? n : 1) {
		n = fg_visible(text);
		fprintf(stderr, "%.*s", n ? (int)n : 1, n ? text : "?");
	}
	fputc('\n', stderr);
}

int fg_cmd_read(const struct fg_verb *verb, int argc, char **argv, void *options)
{
	static struct fg_settings settings; /* the options borrow from it */
	struct fg_error err = {};

	if (fg_settings_read(&settings, verb->name, fg_option_verbs, &err)) {
		/* Help is there to mend it, too. */
		if (!fg_options_read(verb, argc, argv, NULL, 0, options, &heard, NULL) &&
		    heard.help)
			exit(fg_cmd_help(verb, heard.help));
		return fg_cmd_fail(&err);
	}
	if (fg_options_read(verb, argc, argv, settings.list, settings.count, options, &heard, &err))
		return fg_cmd_refuse(err.kind == FG_ERR_USAGE ? argv[0] : "flowgen", &err);
	if (heard.help)
		exit(fg_cmd_help(verb, heard.help));
	if (heard.note[0])
		fg_cmd_tell("note", heard.note);
	return 0;
}
