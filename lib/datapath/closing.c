// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/closing.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fg_closing {
	pthread_t thread;
	size_t count;
	int fds[];
};

static void close_all(const int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

static void *run(void *closing)
{
	const struct fg_closing *c = closing;

	close_all(c->fds, c->count);
	return NULL;
}

/* Signals are the business of the thread that is there already. Returns 0 or an errno value. */
static int start(struct fg_closing *closing)
{
	sigset_t all, before;
	int ret;

	sigfillset(&all);
	ret = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (ret)
		return ret;
	ret = pthread_create(&closing->thread, NULL, run, closing);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return ret;
}

struct fg_closing *fg_closing_begin(const int *fds, size_t count)
{
	struct fg_closing *closing;

	if (!count)
		return NULL;
	closing = malloc(sizeof(*closing) + count * sizeof(*fds));
	if (closing) {
		closing->count = count;
		memcpy(closing->fds, fds, count * sizeof(*fds));
		if (!start(closing))
			return closing;
	}
	free(closing);
	close_all(fds, count);
	return NULL;
}

void fg_closing_end(struct fg_closing *closing)
{
	if (!closing)
		return;
	pthread_join(closing->thread, NULL);
	free(closing);
}
