// SPDX-License-Identifier: GPL-2.0-only
/* run/layout.c - the probes of the scenarios, laid out on the pods of this host. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "run/internal.h"

static int choose_blocks(struct fg_run_file *file, const char *only, struct fg_error *err)
{
	FG_FREE bool *chosen = calloc(file->layout.count + 1, sizeof(*chosen));

	if (!chosen)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "probes");
	fg_scenario_choose(&file->scenario, &file->layout, only, chosen);
	for (size_t i = 0; i < file->layout.count; i++)
		if (!chosen[i])
			file->ranges[i].until = 0;
	return 0;
}

static int lay_out_file(struct fg_run_scenarios *s, struct fg_run_file *f, struct fg_error *err)
{
	bool record = s->options->record;

	if (fg_run_find_pods(s, f, err) ||
	    fg_scenario_lay_out(&f->scenario, f->found, &f->layout, err))
		return -1;
	f->marks = calloc(f->layout.total + 1, sizeof(*f->marks));
	f->blocks = calloc(f->layout.count + 1, sizeof(*f->blocks));
	f->ranges = calloc(f->layout.count + 1, sizeof(*f->ranges));
	if (record) {
		f->seen = calloc(f->layout.total + 1, sizeof(*f->seen));
		f->statuses = calloc(f->layout.total + 1, sizeof(*f->statuses));
	}
	if (!f->marks || !f->blocks || !f->ranges || (record && (!f->seen || !f->statuses)))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "probes");
	for (uint64_t i = 0; i < f->layout.total; i++)
		f->marks[i].status = FG_CASE_STATUSES;
	for (size_t i = 0; i < f->layout.count; i++)
		f->ranges[i].until = f->layout.blocks[i].total;
	return 0;
}

int fg_run_lay_out(struct fg_run_scenarios *scenarios, struct fg_error *err)
{
	const char *only = scenarios->options->only, *listed = scenarios->options->blocks;
	uint64_t chosen = 0;

	for (size_t f = 0; f < scenarios->file_count; f++) {
		struct fg_run_file *file = &scenarios->files[f];

		if (lay_out_file(scenarios, file, err))
			return -1;
		if ((only && choose_blocks(file, only, err)) ||
		    (listed && fg_scenario_choose_listed("--blocks", listed, &file->layout,
							 file->ranges, err)))
			return -1;
		for (size_t i = 0; i < file->layout.count; i++) {
			const struct fg_scenario_block *b = &file->layout.blocks[i];

			file->blocks[i].place = scenarios->places;
			scenarios->places += file->scenario.sets[b->set].count;
			if (file->ranges[i].from < file->ranges[i].until)
				chosen += file->ranges[i].until - file->ranges[i].from;
		}
	}
	scenarios->source.planned = chosen;
	return chosen || !only ? 0 : fg_scenario_fail_only(only, err);
}
