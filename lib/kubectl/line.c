// SPDX-License-Identifier: GPL-2.0-only
#include "kubectl/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"

/* What kubectl proxy says once its socket is there. */
#define SERVES "Starting to serve"

struct fg_line {
	struct sockaddr_un at;
	bool serves, over;
	pid_t keeper;
	int leash; /* the keeper says here where the socket is, and sees this end close */
};

/* What the keeper has. */
struct kept {
	struct sockaddr_un at;
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct fg_kubectl_call proxy;
};

/* --- the keeper --- */

/* A folder of the user's own, where the name of a socket in it is not too long for one. */
static int make_folder(struct kept *k)
{
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp" };
	const int room = (int)sizeof(k->folder) - 8;

	k->at.sun_family = AF_UNIX;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (!places[i] || places[i][0] != '/' ||
		    snprintf(k->folder, (size_t)room, "%s/flowgen-XXXXXX", places[i]) >= room)
			continue;
		if (!mkdtemp(k->folder))
			continue;
		snprintf(k->at.sun_path, sizeof(k->at.sun_path), "%.*s/proxy", room, k->folder);
		return 0;
	}
	k->folder[0] = '\0';
	return -1;
}

static int start_proxy(struct kept *k, const struct fg_kubectl *kubectl)
{
	char at[sizeof(k->at.sun_path) + 20];
	/* By default it lets nobody run commands. It only reads, and what flowgen asks about. */
	const char *const words[] = {
		"proxy",
		at,
		"--accept-paths=^/api/v1/.*,^/apis/(apps|discovery[.]k8s[.]io)/v1/.*",
		"--reject-paths=^$",
		"--reject-methods=^(POST|PUT|PATCH|DELETE)$",
		NULL,
	};

	snprintf(at, sizeof(at), "--unix-socket=%s", k->at.sun_path);
	return fg_kubectl_start(kubectl, words, &k->proxy, NULL);
}

/*
 * Until the proxy ends, or the client. The proxy says what fails, and when nobody reads that it
 * stops to wait for a reader, with all questions; so this reads, and forgets.
 */
static void tend(struct kept *k)
{
	struct pollfd fds[4] = { { .fd = STDIN_FILENO, .events = POLLIN } };
	struct fg_buffer *said = &k->proxy.output;
	bool serves = false;

	for (;;) {
		const size_t n = 1 + fg_kubectl_poll(&k->proxy, fds + 1);

		if ((poll(fds, n, -1) < 0 && errno != EINTR) || fds[0].revents ||
		    fg_kubectl_step(&k->proxy, NULL) != 0)
			return;
		if (!serves && said->len && memmem(said->data, said->len, SERVES, strlen(SERVES))) {
			serves = true;
			if (send(STDIN_FILENO, k->at.sun_path, strlen(k->at.sun_path),
				 MSG_NOSIGNAL) < 0)
				return;
		}
		if (serves)
			said->len = 0;
	}
}

/*
 * The proxy reads nothing, and so would not notice that its client was killed: who has the socket
 * has the user's rights. This process is there before the proxy and its folder, and removes both
 * when the client ends, whatever ends it, and when. They stay only if it is killed itself.
 */
static void keep(const struct fg_kubectl *kubectl, int leash)
{
	struct kept k = { .proxy = FG_KUBECTL_CALL };
	sigset_t all;

	setpgid(0, 0);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	/* Nothing of the client's stays open, so who reads what that writes sees its end. */
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (dup2(leash, fd) < 0)
			_exit(1);
	close_range(STDERR_FILENO + 1, ~0U, 0);
	if (!make_folder(&k) && !start_proxy(&k, kubectl))
		tend(&k);
	/* It has ended before its socket is removed, so it makes none after that. */
	fg_kubectl_close(&k.proxy);
	unlink(k.at.sun_path);
	rmdir(k.folder);
	_exit(0);
}

/* --- the client --- */

struct fg_line *fg_line_open(const struct fg_kubectl *kubectl)
{
	struct fg_line *line = calloc(1, sizeof(*line));
	int ends[2];

	if (!line)
		return NULL;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends)) {
		free(line);
		return NULL;
	}
	line->at.sun_family = AF_UNIX;
	line->leash = ends[0];
	line->keeper = fork();
	if (!line->keeper) {
		close(ends[0]);
		keep(kubectl, ends[1]);
	}
	close(ends[1]);
	if (line->keeper > 0)
		return line;
	fg_line_close(line);
	return NULL;
}

void fg_line_close(struct fg_line *line)
{
	if (!line)
		return;
	fg_fd_close(&line->leash);
	while (line->keeper > 0 && waitpid(line->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	free(line);
}

bool fg_line_serves(struct fg_line *line, const struct fg_kubectl *kubectl)
{
	const uint64_t end = fg_clock_now() + kubectl->timeout_ns;
	struct pollfd fds[2] = { { .fd = kubectl->stop, .events = POLLIN },
				 { .fd = line->leash, .events = POLLIN } };

	while (!line->over && !line->serves) {
		const uint64_t now = fg_clock_now();
		const int wait_ms = now < end ? (int)((end - now) / 1000000) + 1 : 0;
		const int ready = poll(fds, 2, wait_ms);

		if (ready < 0 && errno == EINTR)
			continue;
		/* One byte is left: the end of the text. */
		line->serves =
			ready > 0 && !fds[0].revents &&
			recv(line->leash, line->at.sun_path, sizeof(line->at.sun_path) - 1, 0) > 0;
		line->over = !line->serves;
	}
	return line->serves;
}

int fg_line_connect(struct fg_line *line, const struct fg_kubectl *kubectl)
{
	FG_FD int fd = -1;

	if (!fg_line_serves(line, kubectl))
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&line->at, sizeof(line->at)) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK))
		return -1;
	return fg_fd_take(&fd);
}
