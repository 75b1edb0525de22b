// SPDX-License-Identifier: GPL-2.0-only
#include "net/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/stat.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/grow.h"

#define LINKS_MAX 40 /* as many as the kernel follows (MAXSYMLINKS) */

/* The files of this process: by their inode, and those not made yet by their place. */
struct file {
	dev_t dev;
	ino_t ino;  /* of the file, or of the directory */
	char *name; /* in the directory; NULL: dev and ino are the file's; owned by the process */
	bool input;
};
static struct file *files;
static size_t file_count;

/* --- whether it is used already --- */

static const struct file *find(const struct stat *st, const char *name)
{
	for (size_t i = 0; i < file_count; i++)
		if (files[i].dev == st->st_dev && files[i].ino == st->st_ino &&
		    (name ? files[i].name && !strcmp(files[i].name, name) : !files[i].name))
			return &files[i];
	return NULL;
}

static int note(const struct stat *st, const char *name, bool input, struct fg_error *err)
{
	char *copy = name ? strdup(name) : NULL;
	struct file *added = FG_APPEND(files, file_count, "files", err);

	if (!added || (name && !copy)) {
		free(copy);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "files");
	}
	*added = (struct file){ st->st_dev, st->st_ino, copy, input };
	return 0;
}

static bool is_standard_output(const struct stat *st)
{
	struct stat out;

	return !fstat(STDOUT_FILENO, &out) && S_ISREG(out.st_mode) && out.st_dev == st->st_dev &&
	       out.st_ino == st->st_ino;
}

static int refuse(const char *path, const char *what, struct fg_error *err)
{
	return fg_fail(err, FG_ERR_USAGE, "%s: %s", path, what);
}

/* Refuses what is used already, and notes what is not. st: of the file; NULL: there is none yet. */
static int claim(const struct stat *st, int dir, const char *name, const char *path,
		 struct fg_error *err)
{
	const struct file *same;
	struct stat parent;

	if (fstat(dir, &parent))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	same = find(&parent, name);
	if (!same && st)
		same = find(st, NULL);
	if (same)
		return refuse(path, same->input ? "is an input too" : "two outputs go there", err);
	if (st && is_standard_output(st))
		return refuse(path, "standard output goes there too", err);
	if (note(&parent, name, false, err))
		return -1;
	return st ? note(st, NULL, false, err) : 0;
}

int fg_outfile_input(const char *path, struct fg_error *err)
{
	struct stat st;
	const struct file *same;
	bool is_stdin = !strcmp(path, "-");

	/* What cannot be opened is told by who opens it. */
	if ((is_stdin ? fstat(STDIN_FILENO, &st) : stat(path, &st)) || !S_ISREG(st.st_mode))
		return 0;
	same = find(&st, NULL);
	if (same && !same->input)
		return refuse(path, "is an output too", err);
	return same ? 0 : note(&st, NULL, true, err);
}

/* --- where it is --- */

/* A directory, and a name in it that is not a symbolic link, or one of the kernel's own. */
struct place {
	int dir;
	char name[NAME_MAX + 1];
	bool exists;
	bool direct; /* is opened as it is */
	struct stat st;
};

static int split(int from, const char *path, struct place *at)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char parent[PATH_MAX];

	if (!*name || !strcmp(name, ".") || !strcmp(name, ".."))
		errno = EISDIR;
	else if (strlen(path) >= sizeof(parent) || strlen(name) > NAME_MAX)
		errno = ENAMETOOLONG;
	else
		errno = 0;
	if (errno)
		return -1;
	snprintf(parent, sizeof(parent), "%.*s", slash ? (int)(slash - path) + 1 : 1,
		 slash ? path : ".");
	snprintf(at->name, sizeof(at->name), "%s", name);
	at->dir = openat(from, parent, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return at->dir < 0 ? -1 : 0;
}

static bool is_of_proc(int fd)
{
	struct statfs fs;

	return !fstatfs(fd, &fs) && fs.f_type == PROC_SUPER_MAGIC;
}

/* Returns 1 if at is where it ends, 0 with the next step in path, or -1. */
static int follow(struct place *at, char path[PATH_MAX], const char *shown, struct fg_error *err)
{
	FG_FD int fd = openat(at->dir, at->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ssize_t len;

	at->exists = fd >= 0;
	if (fd < 0 && errno == ENOENT)
		return 1;
	if (fd < 0 || fstat(fd, &at->st))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", shown);
	if (!S_ISLNK(at->st.st_mode))
		return 1;
	/* Links of proc lead to open files, wherever these are: nobody else makes them. */
	if (is_of_proc(fd)) {
		at->direct = true;
		return 1;
	}
	if (at->st.st_uid != 0 && at->st.st_uid != geteuid()) {
		fg_fail(err, FG_ERR_USAGE, "%s: a symbolic link that user %u made", shown,
			at->st.st_uid);
		return fg_hint(err, "name the file that is to be written");
	}
	len = readlinkat(fd, "", path, PATH_MAX - 1);
	if (len < 0)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", shown);
	path[len] = '\0';
	return 0;
}

static int find_place(const char *shown, struct place *at, struct fg_error *err)
{
	char path[PATH_MAX];
	int from = AT_FDCWD, ret = 0;

	at->dir = -1;
	if (strlen(shown) >= sizeof(path))
		return fg_fail_errno(err, FG_ERR_USAGE, ENAMETOOLONG, "%.60s...", shown);
	memcpy(path, shown, strlen(shown) + 1);
	for (int i = 0; !ret && i < LINKS_MAX; i++) {
		int before = at->dir;

		ret = split(from, path, at);
		fg_fd_close(&before);
		if (ret)
			return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", shown);
		ret = follow(at, path, shown, err);
		from = at->dir;
	}
	return ret > 0 ? 0 : ret ? -1 : fg_fail_errno(err, FG_ERR_USAGE, ELOOP, "%s", shown);
}

/* A file that something is mounted on, as containers have them, cannot be replaced. */
static bool is_mount(const struct place *at)
{
	struct statx st;

	return !statx(at->dir, at->name, AT_SYMLINK_NOFOLLOW, 0, &st) &&
	       st.stx_attributes & STATX_ATTR_MOUNT_ROOT;
}

/* --- writing --- */

static void temporary_name(const char *name, char *out, size_t size)
{
	uint64_t random = 0;

	if (getrandom(&random, sizeof(random), 0) < 0)
		random = (uint64_t)getpid();
	snprintf(out, size, ".%.200s.%016llx", name, (unsigned long long)random);
}

static int open_directly(const struct place *at)
{
	int flags = O_WRONLY | O_CLOEXEC | O_NOCTTY;
	int fd = openat(at->dir, at->name, at->direct ? flags : flags | O_NOFOLLOW);
	struct stat st;

	if (fd >= 0 && (fstat(fd, &st) || (S_ISREG(st.st_mode) && ftruncate(fd, 0))))
		fg_fd_close(&fd);
	return fd;
}

/* Without a name until it is put into its place; a file system without such files needs a name. */
static int open_beside(const struct place *at, struct fg_outfile *out, mode_t mode)
{
	int fd = openat(at->dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL))
		return fd;
	temporary_name(at->name, out->temporary, sizeof(out->temporary));
	fd = openat(at->dir, out->temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    mode);
	if (fd < 0)
		out->temporary[0] = '\0';
	return fd;
}

static int open_at(struct place *at, struct fg_outfile *out, struct fg_error *err)
{
	bool regular = !at->exists || S_ISREG(at->st.st_mode);
	FG_FD int fd = -1;

	if (at->direct || !regular || (at->exists && is_mount(at))) {
		fd = open_directly(at);
	} else {
		/* What may not be written is not replaced either. */
		if (at->exists && faccessat(at->dir, at->name, W_OK, AT_EACCESS))
			return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", out->path);
		fd = open_beside(at, out, 0666);
		out->dir = fd < 0 ? -1 : fg_fd_take(&at->dir);
		if (fd >= 0 && at->exists &&
		    (fchown(fd, at->st.st_uid, at->st.st_gid) ||
		     fchmod(fd, at->st.st_mode & 07777)) &&
		    errno != EPERM)
			return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", out->path);
	}
	out->stream = fd < 0 ? NULL : fdopen(fd, "w");
	if (!out->stream)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", out->path);
	out->fd = fg_fd_take(&fd);
	memcpy(out->name, at->name, sizeof(out->name));
	return 0;
}

int fg_outfile_open(struct fg_outfile *out, const char *path, bool at_once, struct fg_error *err)
{
	struct place at = {};
	int ret;

	*out = (struct fg_outfile){ .fd = -1, .dir = -1, .path = path };
	ret = find_place(path, &at, err);
	if (!ret && (!at.exists || S_ISREG(at.st.st_mode)))
		ret = claim(at.exists ? &at.st : NULL, at.dir, at.name, path, err);
	if (!ret)
		ret = open_at(&at, out, err);
	fg_fd_close(&at.dir);
	if (!ret && at_once)
		ret = fg_outfile_commit(out, err);
	if (ret)
		fg_outfile_close(out);
	return ret;
}

/* Gives a file without a name one, for the moment until it is renamed. */
static int give_name(struct fg_outfile *out)
{
	char self[40];

	if (out->temporary[0])
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", out->fd);
	temporary_name(out->name, out->temporary, sizeof(out->temporary));
	if (!linkat(AT_FDCWD, self, out->dir, out->temporary, AT_SYMLINK_FOLLOW) ||
	    !linkat(out->fd, "", out->dir, out->temporary, AT_EMPTY_PATH))
		return 0;
	out->temporary[0] = '\0';
	return -1;
}

int fg_outfile_commit(struct fg_outfile *out, struct fg_error *err)
{
	errno = 0;
	if (ferror(out->stream) || fflush(out->stream) ||
	    (out->dir >= 0 &&
	     (give_name(out) || renameat(out->dir, out->temporary, out->dir, out->name))))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno ? errno : EIO, "%s", out->path);
	out->temporary[0] = '\0';
	fg_fd_close(&out->dir);
	return 0;
}

bool fg_outfile_is_whole(const struct fg_outfile *out)
{
	int other;

	errno = 0;
	if (ferror(out->stream) || fflush(out->stream))
		return false;
	other = fcntl(out->fd, F_DUPFD_CLOEXEC, 0);
	return other >= 0 && !close(other);
}

void fg_outfile_close(struct fg_outfile *out)
{
	if (out->stream)
		fclose(out->stream);
	if (out->temporary[0])
		unlinkat(out->dir, out->temporary, 0);
	fg_fd_close(&out->dir);
	*out = (struct fg_outfile){ .fd = -1, .dir = -1 };
}
