/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/fd.h - owning file descriptors and memory: cleanup attributes and explicit transfer. The
 * empty fd is -1.
 */
#ifndef FG_FD_H
#define FG_FD_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * As many descriptors as this process may have: a run takes some for each pod. What it starts is
 * not to have more than it would without: programs that use select() break.
 */
void fg_fd_raise_limit(void);

/* The limit that flowgen itself was started with: where a process becomes another program. */
void fg_fd_restore_limit(void);

/* Closes *fd if it holds one, and makes it empty. errno is kept. */
void fg_fd_close(int *fd);

static inline void fg_cleanup_fd(int *fd)
{
	fg_fd_close(fd);
}

static inline void fg_cleanup_free(void *p)
{
	free(*(void **)p);
}

static inline void fg_cleanup_file(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* A local that is closed or freed when its scope ends. */
#define FG_FD __attribute__((cleanup(fg_cleanup_fd)))
#define FG_FREE __attribute__((cleanup(fg_cleanup_free)))
#define FG_FILE __attribute__((cleanup(fg_cleanup_file)))

/* Hands the descriptor on: returns it, and leaves the local empty. */
static inline int fg_fd_take(int *fd)
{
	int taken = *fd;

	*fd = -1;
	return taken;
}

/* Hands a pointer on: returns it, and leaves the local NULL. */
#define FG_TAKE(p)                                                                                 \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#endif
