// SPDX-License-Identifier: GPL-2.0-only
#include "runtime/internal.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "base/fd.h"
#include "base/grow.h"

/*
 * A specification of a pod with many mounts is some 100 KB; what is far beyond was not written by a
 * runtime.
 */
#define FILE_MAX (4U << 20)

bool fg_scan_path(char *path, size_t size, const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(path, size, fmt, args);
	va_end(args);
	return len >= 0 && (size_t)len < size;
}

bool fg_scan_text_set(char *field, size_t size, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	field[0] = '\0';
	if (!len || len >= size)
		return false;
	for (size_t i = 0; i < len; i++)
		if (iscntrl((unsigned char)text[i]))
			return false;
	memcpy(field, text, len + 1);
	return true;
}

bool fg_scan_json_set(char *field, size_t size, const json_t *text)
{
	const char *value = json_string_value(text);

	if (value && strlen(value) != json_string_length(text))
		value = NULL;
	return fg_scan_text_set(field, size, value);
}

void fg_scan_set_netns(struct fg_record *record, const json_t *spec)
{
	const json_t *list = json_object_get(json_object_get(spec, "linux"), "namespaces");
	const json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		const char *type = json_string_value(json_object_get(entry, "type"));

		if (!type || strcmp(type, "network") != 0)
			continue;
		record->own_netns = true;
		fg_scan_json_set(record->netns, sizeof(record->netns),
				 json_object_get(entry, "path"));
	}
}

int fg_scan_skip(struct fg_scan *scan, const char *path)
{
	if (!scan->skipped++)
		snprintf(scan->first_skipped, sizeof(scan->first_skipped), "%s/%s", scan->root,
			 path);
	return 0;
}

int fg_scan_add(struct fg_scan *scan, const struct fg_record *record)
{
	struct fg_record *added = FG_APPEND(scan->records, scan->count, "list of pods", scan->err);

	if (!added)
		return -1;
	*added = *record;
	return 0;
}

/*
 * Opens a path of the host. Below another root an absolute symbolic link (such as /var/run, or
 * /var/lib/docker moved to a bigger disk) must be followed below that root too.
 */
static int scan_open(const struct fg_scan *scan, const char *path, int flags)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_RDONLY | O_CLOEXEC),
				.resolve = RESOLVE_IN_ROOT };

	if (!scan->root[0])
		return openat(scan->root_fd, path, flags | O_RDONLY | O_CLOEXEC);
	return (int)syscall(SYS_openat2, scan->root_fd, path, &how, sizeof(how));
}

/*
 * What is not there is not an error, and what cannot be read for another reason than a missing
 * privilege is counted.
 */
static int open_failed(struct fg_scan *scan, const char *path, int code)
{
	if (code == ENOENT || code == ENOTDIR)
		return 0;
	if (code == EACCES || code == EPERM) {
		fg_fail_errno(scan->err, FG_ERR_UNSUPPORTED, code, "read %s/%s", scan->root, path);
		return fg_hint(scan->err, "run as root, or with CAP_DAC_READ_SEARCH");
	}
	return fg_scan_skip(scan, path);
}

int fg_scan_each(struct fg_scan *scan, const char *path, fg_scan_cb cb, void *arg)
{
	int fd = scan_open(scan, path, O_DIRECTORY);
	struct dirent *entry;
	int ret = 0;
	DIR *dir;

	if (fd < 0)
		return open_failed(scan, path, errno);
	dir = fdopendir(fd);
	if (!dir) {
		fg_fd_close(&fd);
		return fg_fail_errno(scan->err, FG_ERR_INTERNAL, errno, "read %s/%s", scan->root,
				     path);
	}
	while (!ret && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ret = cb(scan, path, entry->d_name, arg);
	closedir(dir);
	return ret;
}

/* Reads a whole file into the buffer. Returns 1, 0 if there is nothing to parse, or -1. */
static int read_file(struct fg_scan *scan, const char *path, size_t *len, struct stat *st)
{
	FG_FD int fd = scan_open(scan, path, O_NONBLOCK);
	size_t have = 0;
	ssize_t n;

	if (fd < 0)
		return open_failed(scan, path, errno);
	if (fstat(fd, st) || !S_ISREG(st->st_mode) || st->st_size > FILE_MAX)
		return fg_scan_skip(scan, path);
	if (!FG_GROW_TO(scan->buffer, scan->buffer_size, (size_t)st->st_size + 1, "list of pods",
			scan->err))
		return -1;
	while (have < scan->buffer_size) {
		n = read(fd, scan->buffer + have, scan->buffer_size - have);
		if (n < 0)
			return fg_scan_skip(scan, path);
		if (!n)
			break;
		have += (size_t)n;
	}
	*len = have;
	return 1;
}

static json_t *parse_any(const char *text, size_t len)
{
	/*
	 * A limit without end is 2^64-1, which jansson's integer cannot hold; and one pod's
	 * annotation with a NUL character must not hide it.
	 */
	return json_loadb(text, len, JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL, NULL);
}

static int scan_parsed(struct fg_scan *scan, const char *path,
		       json_t *(*parse)(const char *text, size_t len), json_t **out,
		       int64_t *changed)
{
	struct stat st = {};
	size_t len = 0;
	int got;

	*out = NULL;
	got = read_file(scan, path, &len, &st);
	if (got <= 0)
		return got;
	*out = parse(scan->buffer, len);
	if (!*out)
		return fg_scan_skip(scan, path);
	if (changed)
		*changed = st.st_mtim.tv_sec;
	return 0;
}

int fg_scan_json(struct fg_scan *scan, const char *path, json_t **out, int64_t *changed)
{
	return scan_parsed(scan, path, parse_any, out, changed);
}

int fg_scan_spec(struct fg_scan *scan, const char *path, json_t **out, int64_t *changed)
{
	return scan_parsed(scan, path, fg_oci_spec_parse, out, changed);
}

pid_t fg_scan_pid(struct fg_scan *scan, const char *path)
{
	FG_FD int fd = scan_open(scan, path, O_NONBLOCK);
	char text[24] = "";
	char *end;
	long pid;

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 || !isdigit((unsigned char)text[0]))
		return 0;
	pid = strtol(text, &end, 10);
	if ((*end && *end != '\n') || pid > INT32_MAX)
		return 0;
	return (pid_t)pid;
}
