// SPDX-License-Identifier: GPL-2.0-only
/* run_sink.c - where the results of a run go: standard output and files, in any of the forms,
 * several at once. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fd.h"
#include "output.h"
#include "run.h"

/* A run may leave out very many; these are named. */
#define SKIPS_MAX 20

static int fail_path(const struct fg_run_sink *sink, struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno ? errno : EIO, "%s",
			     sink->path ? sink->path : "standard output");
}

static bool is_spooled(enum fg_run_form form)
{
	return form == FG_RUN_JUNIT || form == FG_RUN_HTML;
}

int fg_run_sink_open(struct fg_run_sink *sink, enum fg_run_form form, const char *path,
		     const struct fg_run_file *files, size_t file_count, struct fg_error *err)
{
	*sink = (struct fg_run_sink){
		.form = form, .path = path, .files = files, .file_count = file_count
	};
	if (path && !(sink->file = fopen(path, "we")))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	if (form == FG_RUN_TAP)
		return fg_tap_begin(&sink->buffer, err);
	if (!is_spooled(form))
		return 0;
	sink->spools = calloc(file_count, sizeof(FILE *));
	for (size_t i = 0; sink->spools && i < file_count; i++) {
		sink->spools[i] = tmpfile();
		if (!sink->spools[i])
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "temporary file");
	}
	return sink->spools ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "output");
}

int fg_run_sink_flush(struct fg_run_sink *sink, struct fg_error *err)
{
	size_t len = sink->buffer.len;

	sink->buffer.len = 0;
	if (!len)
		return 0;
	if (!sink->file)
		return fg_output_write(sink->buffer.data, len, err) ? -1 : fg_output_flush(err);
	errno = 0;
	return fwrite(sink->buffer.data, 1, len, sink->file) == len && !fflush(sink->file)
		       ? 0
		       : fail_path(sink, err);
}

/* What waits for the counts that stand before it. */
static int spool(struct fg_run_sink *sink, size_t file, struct fg_error *err)
{
	size_t len = sink->buffer.len;

	sink->buffer.len = 0;
	errno = 0;
	if (fwrite(sink->buffer.data, 1, len, sink->spools[file]) == len)
		return 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno ? errno : EIO, "temporary file");
}

static int text_case(struct fg_run_sink *sink, const struct fg_case *c, bool changed,
		     struct fg_error *err)
{
	bool quiet = c->status == FG_CASE_PASS && !changed;

	if (quiet)
		return 0;
	if (c->status != FG_CASE_SKIP)
		return fg_case_text(c, &sink->buffer, err);
	if (sink->skip_count++ >= SKIPS_MAX)
		return 0;
	return fg_case_text(c, &sink->skips, err);
}

int fg_run_sink_case(struct fg_run_sink *sink, const struct fg_case *c, size_t file, bool changed,
		     struct fg_error *err)
{
	switch (sink->form) {
	case FG_RUN_JSON:
		return fg_case_json(c, &sink->buffer, err);
	case FG_RUN_TEXT:
		return text_case(sink, c, changed, err);
	case FG_RUN_TAP:
		return fg_tap_case(c, &sink->buffer, err);
	case FG_RUN_JUNIT:
		return fg_junit_case(c, &sink->buffer, err) ? -1 : spool(sink, file, err);
	case FG_RUN_HTML:
		if (!sink->files[file].marks[c->block->first + c->index].detailed)
			return 0;
		return fg_html_case(c, &sink->buffer, err) ? -1 : spool(sink, file, err);
	case FG_RUN_FORMS:
		break;
	}
	return 0;
}

/* Puts a spooled part behind what is in the buffer. */
static int unspool(struct fg_run_sink *sink, size_t file, struct fg_error *err)
{
	FILE *from = sink->spools[file];
	char block[65536];
	size_t n;

	if (fflush(from) || fseek(from, 0, SEEK_SET))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "temporary file");
	while ((n = fread(block, 1, sizeof(block), from)) > 0) {
		fg_buffer_put(&sink->buffer, block, n);
		if (fg_run_sink_flush(sink, err))
			return -1;
	}
	return ferror(from) ? fg_fail_errno(err, FG_ERR_INTERNAL, EIO, "temporary file") : 0;
}

static int end_junit(struct fg_run_sink *sink, const struct fg_case_counts *counts,
		     struct fg_error *err)
{
	if (fg_junit_begin(counts, &sink->buffer, err))
		return -1;
	for (size_t i = 0; i < sink->file_count; i++)
		if (fg_junit_suite(&sink->files[i].scenario, &sink->files[i].counts, &sink->buffer,
				   err) ||
		    unspool(sink, i, err) || fg_junit_suite_end(&sink->buffer, err))
			return -1;
	return fg_junit_end(&sink->buffer, err);
}

static int end_html(struct fg_run_sink *sink, const struct fg_case_counts *counts,
		    struct fg_error *err)
{
	if (fg_html_begin(counts, &sink->buffer, err))
		return -1;
	for (size_t i = 0; i < sink->file_count; i++) {
		const struct fg_run_file *f = &sink->files[i];

		if (fg_html_scenario(&f->scenario, &f->layout, f->marks, &f->counts, &sink->buffer,
				     err) ||
		    unspool(sink, i, err))
			return -1;
	}
	return fg_html_end(&sink->buffer, err);
}

static int end_text(struct fg_run_sink *sink, const struct fg_case_counts *counts,
		    struct fg_error *err)
{
	fg_buffer_put(&sink->buffer, sink->skips.data, sink->skips.len);
	if (sink->skip_count > SKIPS_MAX)
		fg_buffer_printf(&sink->buffer, "... and %llu more skipped\n",
				 (unsigned long long)(sink->skip_count - SKIPS_MAX));
	return fg_case_text_end(counts, &sink->buffer, err);
}

int fg_run_sink_end(struct fg_run_sink *sink, const struct fg_case_counts *counts,
		    struct fg_error *err)
{
	int ret = 0;

	switch (sink->form) {
	case FG_RUN_JSON:
		ret = fg_case_json_end(counts, &sink->buffer, err);
		break;
	case FG_RUN_TEXT:
		ret = end_text(sink, counts, err);
		break;
	case FG_RUN_TAP:
		ret = fg_tap_end(counts, &sink->buffer, err);
		break;
	case FG_RUN_JUNIT:
		ret = end_junit(sink, counts, err);
		break;
	case FG_RUN_HTML:
		ret = end_html(sink, counts, err);
		break;
	case FG_RUN_FORMS:
		break;
	}
	if (ret || fg_run_sink_flush(sink, err))
		return -1;
	errno = 0;
	if (sink->file && fclose(FG_TAKE(sink->file)))
		return fail_path(sink, err);
	return 0;
}

void fg_run_sink_close(struct fg_run_sink *sink)
{
	for (size_t i = 0; sink->spools && i < sink->file_count; i++)
		if (sink->spools[i])
			fclose(sink->spools[i]);
	free(sink->spools);
	if (sink->file)
		fclose(sink->file);
	fg_buffer_free(&sink->buffer);
	fg_buffer_free(&sink->skips);
	*sink = (struct fg_run_sink){};
}
