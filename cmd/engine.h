/* SPDX-License-Identifier: GPL-2.0-only */
/* engine.h - what the verbs that send probes share: the engine's words to a person, and its end. */
#ifndef FG_CMD_ENGINE_H
#define FG_CMD_ENGINE_H

#include "option/option.h"
#include "run/run.h"
#include "writer/writer.h"

/* Warnings go to standard error; so do the progress bar, if that is a terminal and bar is set, and
 * the signs of a watch. */
struct fg_run_ui fg_engine_ui(bool bar, bool watch);

/* Colour and drawing are for a person at a terminal who has not asked to be spared (no-color.org).
 */
struct fg_report_options fg_engine_style(bool bytes, enum fg_form form);

/* The writer of a form. */
enum fg_writer_form fg_engine_form(enum fg_form form);

/* Whoever started this, and the one that sends, is told that the packets may come. */
void fg_engine_say_awaiting(void *arg);

/* The exit status that follows from a run. */
int fg_engine_status(const struct fg_run_totals *totals);

#endif
