/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * net/outfile.h - files that are written: beside their place first, and put there whole. flowgen
 * runs as root, so it writes through no symbolic link that another user made, and over none of its
 * own inputs and outputs.
 */
#ifndef FG_OUTFILE_H
#define FG_OUTFILE_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

struct fg_outfile {
	FILE *stream; /* to write to; owned until it is taken */
	int fd;	      /* of the stream, borrowed */
	int dir;      /* where it goes to; owned; -1: it is there already */
	char name[NAME_MAX + 1], temporary[NAME_MAX + 1];
	const char *path; /* as it was given; borrowed */
};

/*
 * Opens a file to write. A regular file, or none yet, is replaced by fg_outfile_commit(), with the
 * permissions of the file that was there; until then there is no trace of it, also if the process
 * is killed (O_TMPFILE, where the file system has it). Another kind of file (a terminal, a
 * FIFO, /dev/stdout) or cannot be replaced (a mount point) is written to at once. at_once: so is
 * the new file: for one that is read while it grows. Symbolic links are followed if this user or
 * root made them.
 *
 * Returns 0, or -1 with FG_ERR_USAGE: it cannot be written, or it is standard output, or another
 * output, or an input (fg_outfile_input()).
 */
int fg_outfile_open(struct fg_outfile *out, const char *path, bool at_once, struct fg_error *err);

/*
 * Everything was written: flushes the stream, and puts the file into its place. The stream stays
 * open. Returns 0, or -1 with FG_ERR_INTERNAL.
 */
int fg_outfile_commit(struct fg_outfile *out, struct fg_error *err);

/*
 * Whether all of it was written, by flushing it and closing a copy of the descriptor: a file system
 * may keep an error back until then, as NFS does. errno says why not; 0: it was told before.
 */
bool fg_outfile_is_whole(const struct fg_outfile *out);

/* Closes what is still owned; what was not committed is gone. */
void fg_outfile_close(struct fg_outfile *out);

/*
 * From now on no output may go to that file. Returns 0, or -1 if one does already. "-" is standard
 * input.
 */
int fg_outfile_input(const char *path, struct fg_error *err);

#endif
