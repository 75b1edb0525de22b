// SPDX-License-Identifier: GPL-2.0-only
#include "kubectl/line.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/clock.h"
#include "base/fd.h"

/* What kubectl proxy says once its socket is there. */
#define SERVES "Starting to serve"

struct fg_line {
	struct sockaddr_un at;
	char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
	struct fg_kubectl_call proxy;
	bool serves, over;
	pid_t keeper;
	int leash; /* the keeper sees its end */
};

static void remove_socket(const struct fg_line *line)
{
	unlink(line->at.sun_path);
	rmdir(line->folder);
}

/*
 * The proxy reads nothing, and so would not notice that its client was killed: who has the socket
 * has the user's rights. This process waits for the client's end, whatever ends it. It has nothing
 * open but the leash and the proxy, and only calls what may be called after fork().
 */
static void keep(const struct fg_line *line, int leash, int proxy)
{
	char byte;

	setpgid(0, 0);
	if (dup2(leash, STDIN_FILENO) < 0 || dup2(proxy, STDOUT_FILENO) < 0)
		_exit(1);
	close_range(STDERR_FILENO, ~0U, 0);
	while (read(STDIN_FILENO, &byte, 1) < 0 && errno == EINTR)
		;
	/* Its number is somebody else's only after it was waited for. */
	if (!pidfd_send_signal(STDOUT_FILENO, SIGTERM, NULL, 0))
		kill(-line->proxy.pid, SIGTERM);
	remove_socket(line);
	_exit(0);
}

static int start_keeper(struct fg_line *line)
{
	FG_FD int proxy = pidfd_open(line->proxy.pid, 0);
	int leash[2];

	if (proxy < 0 || pipe2(leash, O_CLOEXEC))
		return -1;
	line->keeper = fork();
	if (!line->keeper) {
		close(leash[1]);
		keep(line, leash[0], proxy);
	}
	close(leash[0]);
	line->leash = leash[1];
	return line->keeper < 0 ? -1 : 0;
}

/* A folder of the user's own, where the name of a socket in it is not too long for one. */
static int make_folder(struct fg_line *line)
{
	const char *const places[] = { getenv("XDG_RUNTIME_DIR"), getenv("TMPDIR"), "/tmp" };
	const int room = (int)sizeof(line->folder) - 8;

	line->at.sun_family = AF_UNIX;
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		if (!places[i] || places[i][0] != '/' ||
		    snprintf(line->folder, (size_t)room, "%s/flowgen-XXXXXX", places[i]) >= room)
			continue;
		if (!mkdtemp(line->folder))
			continue;
		snprintf(line->at.sun_path, sizeof(line->at.sun_path), "%.*s/proxy", room,
			 line->folder);
		return 0;
	}
	line->folder[0] = '\0';
	return -1;
}

static int start_proxy(struct fg_line *line, const struct fg_kubectl *kubectl)
{
	char at[sizeof(line->at.sun_path) + 20];
	/* By default it lets nobody run commands. It only reads, and what flowgen asks about. */
	const char *const words[] = {
		"proxy",
		at,
		"--accept-paths=^/api/v1/.*,^/apis/(apps|discovery[.]k8s[.]io)/v1/.*",
		"--reject-paths=^$",
		"--reject-methods=^(POST|PUT|PATCH|DELETE)$",
		NULL,
	};

	snprintf(at, sizeof(at), "--unix-socket=%s", line->at.sun_path);
	return fg_kubectl_start(kubectl, words, &line->proxy, NULL);
}

struct fg_line *fg_line_open(const struct fg_kubectl *kubectl)
{
	struct fg_line *line = calloc(1, sizeof(*line));

	if (!line)
		return NULL;
	line->leash = -1;
	line->proxy = (struct fg_kubectl_call)FG_KUBECTL_CALL;
	if (make_folder(line) || start_proxy(line, kubectl) || start_keeper(line)) {
		fg_line_close(line);
		return NULL;
	}
	return line;
}

void fg_line_close(struct fg_line *line)
{
	if (!line)
		return;
	fg_kubectl_close(&line->proxy);
	if (line->folder[0])
		remove_socket(line);
	fg_fd_close(&line->leash);
	while (line->keeper > 0 && waitpid(line->keeper, NULL, 0) < 0 && errno == EINTR)
		;
	free(line);
}

static void wait_for_it(struct fg_line *line, const struct fg_kubectl *kubectl)
{
	const uint64_t end = fg_clock_now() + kubectl->timeout_ns;
	const struct fg_buffer *said = &line->proxy.output;
	struct pollfd fds[4] = { { .fd = kubectl->stop, .events = POLLIN } };

	while (!line->over && !line->serves) {
		const uint64_t now = fg_clock_now();
		const size_t n = 1 + fg_kubectl_poll(&line->proxy, fds + 1);

		line->over =
			now >= end ||
			(poll(fds, n, (int)((end - now) / 1000000) + 1) < 0 && errno != EINTR) ||
			fds[0].revents || fg_kubectl_step(&line->proxy, NULL) != 0;
		line->serves = said->len && memmem(said->data, said->len, SERVES, strlen(SERVES));
	}
}

int fg_line_connect(struct fg_line *line, const struct fg_kubectl *kubectl)
{
	FG_FD int fd = -1;

	wait_for_it(line, kubectl);
	if (line->over)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&line->at, sizeof(line->at)) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK))
		return -1;
	return fg_fd_take(&fd);
}
