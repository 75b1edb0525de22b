// SPDX-License-Identifier: GPL-2.0-only
/* compare/compare.c - two files of results, or two folders of them. */
#include "compare/compare.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/confine.h"

/* What is read of one run: the files of a folder, or one without a name. */
struct side {
	const char *path;
	struct dirent **files; /* owned, and each of them */
	int count;	       /* -1: it is not a folder */
};

static int is_results(const struct dirent *entry)
{
	const char *end = strrchr(entry->d_name, '.');

	return entry->d_name[0] != '.' && end &&
	       (!strcmp(end, ".json") || !strcmp(end, ".jsonl") || !strcmp(end, ".ndjson"));
}

static int open_side(struct side *side, const char *path, struct fg_error *err)
{
	struct stat info;

	*side = (struct side){ .path = path, .count = -1 };
	if (!strcmp(path, "-"))
		return 0;
	if (stat(path, &info))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	if (!S_ISDIR(info.st_mode))
		return 0;
	side->count = scandir(path, &side->files, is_results, alphasort);
	if (side->count < 0)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	if (!side->count)
		return fg_fail(err, FG_ERR_USAGE, "%s: no *.json, *.jsonl or *.ndjson in it", path);
	return 0;
}

static void close_side(struct side *side)
{
	for (int i = 0; i < side->count; i++)
		free(side->files[i]);
	free(side->files);
}

static int write_out(const struct fg_compare_options *o, struct fg_buffer *out,
		     struct fg_error *err)
{
	size_t len = out->len;

	out->len = 0;
	return o->write(out->data, len, err);
}

/* Of a folder's files: a FIFO or a device would wait, or have no end. */
static FILE *open_regular(const char *path, struct fg_error *err)
{
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	FILE *file;

	if (fd < 0 || fstat(fd, &st)) {
		fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
		return NULL;
	}
	if (!S_ISREG(st.st_mode)) {
		fg_fail(err, FG_ERR_USAGE, "%s: not a regular file", path);
		return NULL;
	}
	file = fdopen(fd, "r");
	if (!file)
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s", path);
	else
		fg_fd_take(&fd);
	return file;
}

/* Reads a file line by line: of two long runs only what is compared is kept. */
static int read_file(const struct fg_compare_options *o, struct fg_diff *diff, const char *path,
		     bool within, bool after, struct fg_buffer *out, struct fg_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	FG_FILE FILE *opened = is_stdin ? NULL
			       : within ? open_regular(path, err)
					: fopen(path, "re");
	FILE *in = is_stdin ? stdin : opened;
	FG_FREE char *line = NULL;
	unsigned long number = 0;
	size_t room = 0;
	ssize_t len;
	char where[300];
	int ret = 0;

	if (!in)
		return within ? -1 : fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	while (!ret && (len = getline(&line, &room, in)) >= 0) {
		snprintf(where, sizeof(where), "%.250s:%lu", is_stdin ? "standard input" : path,
			 ++number);
		if (strspn(line, " \t\r\n") == (size_t)len)
			continue;
		ret = after ? fg_diff_after(diff, line, (size_t)len, where, out, err)
			    : fg_diff_before(diff, line, (size_t)len, where, err);
		if (!ret && out->len > 65536)
			ret = write_out(o, out, err);
	}
	/* getline() without memory sets no mark on the stream. */
	if (!ret && !feof(in))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	return ret;
}

static int read_side(const struct fg_compare_options *o, struct fg_diff *diff,
		     const struct side *side, bool after, struct fg_buffer *out,
		     struct fg_error *err)
{
	int ret = 0;

	if (side->count < 0)
		return read_file(o, diff, side->path, false, after, out, err);
	for (int i = 0; i < side->count && !ret; i++) {
		FG_FREE char *path = NULL;

		fg_diff_scope(diff, side->files[i]->d_name);
		if (asprintf(&path, "%s/%s", side->path, side->files[i]->d_name) < 0)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", side->path);
		ret = read_file(o, diff, path, true, after, out, err);
	}
	return ret;
}

static int compare(const struct fg_compare_options *o, const struct side *before,
		   const struct side *after, struct fg_diff_counts *counts, struct fg_error *err)
{
	struct fg_diff *diff = fg_diff_new(o->json, o->pods, err);
	struct fg_buffer out = {};
	int ret = -1;

	if (diff && !read_side(o, diff, before, false, &out, err) &&
	    !read_side(o, diff, after, true, &out, err) && !fg_diff_end(diff, counts, &out, err))
		ret = write_out(o, &out, err);
	fg_buffer_free(&out);
	fg_diff_free(diff);
	return ret;
}

int fg_compare(const struct fg_compare_options *options, struct fg_diff_counts *counts,
	       struct fg_error *err)
{
	struct side before = { .count = -1 }, after = { .count = -1 };
	int ret = -1;

	if (!open_side(&before, options->before, err) && !open_side(&after, options->after, err)) {
		if ((before.count < 0) != (after.count < 0))
			fg_fail(err, FG_ERR_USAGE, "%s is a folder, %s is not: give two of a kind",
				before.count < 0 ? options->after : options->before,
				before.count < 0 ? options->before : options->after);
		else if (!fg_confine(FG_CONFINE_READ, false, err))
			ret = compare(options, &before, &after, counts, err);
	}
	close_side(&before);
	close_side(&after);
	return ret;
}
