// SPDX-License-Identifier: GPL-2.0-only
#include "engine.h"

#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static void warn(void *arg, const char *text)
{
	(void)arg;
	fg_cmd_tell("warning", text);
}

struct fg_run_ui fg_engine_ui(bool bar, bool watch)
{
	static struct fg_writer_bar drawn;

	drawn = (struct fg_writer_bar){ stderr, fg_cmd_width(STDERR_FILENO), false,
					isatty(STDERR_FILENO), watch };
	bar = bar && !fg_cmd_is_quiet();
	return (struct fg_run_ui){ .warn = warn,
				   .beat = bar && watch ? fg_writer_beat : NULL,
				   .progress = bar && drawn.terminal ? fg_writer_draw_bar : NULL,
				   .arg = &drawn };
}

struct fg_report_options fg_engine_style(bool bytes, enum fg_form form)
{
	unsigned int width = form == FG_FORM_WIDE ? FG_REPORT_WIDEST : fg_cmd_width(STDOUT_FILENO);

	setlocale(LC_CTYPE, "");
	return (struct fg_report_options){
		.bytes = bytes,
		.colour = fg_cmd_is_coloured(),
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.verbose = form == FG_FORM_WIDE || fg_cmd_is_verbose(),
		.width = width > FG_REPORT_WIDEST ? FG_REPORT_WIDEST : (uint16_t)width,
	};
}

enum fg_writer_form fg_engine_form(enum fg_form form)
{
	static const enum fg_writer_form forms[] = {
		[FG_FORM_JSON] = FG_WRITER_JSON,   [FG_FORM_JSONL] = FG_WRITER_JSON,
		[FG_FORM_TEXT] = FG_WRITER_TEXT,   [FG_FORM_WIDE] = FG_WRITER_TEXT,
		[FG_FORM_TAP] = FG_WRITER_TAP,	   [FG_FORM_ONELINE] = FG_WRITER_ONELINE,
		[FG_FORM_JUNIT] = FG_WRITER_JUNIT,
	};

	return forms[form];
}

void fg_engine_say_awaiting(void *arg)
{
	(void)arg;
	fputs("flowgen: awaiting\n", stderr);
}

int fg_engine_status(const struct fg_run_totals *totals)
{
	switch (fg_run_conclude(totals)) {
	case FG_RUN_AS_EXPECTED:
		return FG_EXIT_OK;
	case FG_RUN_UNEXPECTED:
		return FG_EXIT_UNEXPECTED;
	case FG_RUN_INCONCLUSIVE:
		return fg_error_status(FG_ERR_INCONCLUSIVE);
	case FG_RUN_NOTHING_SENT:
		break;
	}
	/* What this host cannot do must not look like a success. */
	return fg_error_status(FG_ERR_UNSUPPORTED);
}
