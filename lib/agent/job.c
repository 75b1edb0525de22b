// SPDX-License-Identifier: GPL-2.0-only
#include "agent/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "host/confine.h"

#define CANNOT_START 5 /* the exit status of an internal error */

struct fg_agent_job *fg_agent_job_new(struct fg_agent_request *request)
{
	struct fg_agent_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	job->pidfd = -1;
	job->request = *request;
	*request = (struct fg_agent_request){};
	return job;
}

static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

void fg_agent_job_free(struct fg_agent_job *job)
{
	if (job->pid && !job->reaped_at)
		end_process(job->pid);
	for (size_t i = 0; i < job->stream_count; i++) {
		fg_fd_close(&job->streams[i].fd);
		fg_buffer_free(&job->streams[i].waiting);
	}
	free(job->streams);
	fg_fd_close(&job->pidfd);
	fg_agent_request_free(&job->request);
	free(job);
}

/* --- what it reads and writes --- */

/* A file without a name, which is gone when nobody has it open. At its beginning. */
static int file_of(const struct fg_agent_bytes *content, struct fg_error *err)
{
	FG_FD int fd = memfd_create("flowgen", MFD_CLOEXEC);

	for (size_t done = 0; fd >= 0 && done < content->len;) {
		ssize_t n = write(fd, content->data + done, content->len - done);

		if (n < 0 && errno != EINTR)
			fg_fd_close(&fd);
		done += n > 0 ? (size_t)n : 0;
	}
	if (fd < 0 || lseek(fd, 0, SEEK_SET)) {
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "a file of a request");
		return -1;
	}
	return fg_fd_take(&fd);
}

/* Adds a stream; returns the request's end of it, owned, or -1. */
static int add_stream(struct fg_agent_job *job, enum fg_agent_stream_kind kind, const char *file,
		      struct fg_error *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "a pipe for a request");
	job->streams[job->stream_count++] =
		(struct fg_agent_stream){ .kind = kind, .file = file, .fd = ends[0] };
	return ends[1];
}

/* Opens all files of the request. Their contents are the kernel's from then on. */
static int open_files(struct fg_agent_job *job, struct fg_error *err)
{
	for (size_t i = 0; i < job->request.file_count; i++) {
		struct fg_agent_file *f = &job->request.files[i];

		f->fd = f->output ? add_stream(job, FG_AGENT_OUTPUT, f->name, err)
				  : file_of(&f->content, err);
		if (f->fd < 0)
			return -1;
		snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->fd);
		free(FG_TAKE(f->content.data));
	}
	return 0;
}

static void close_files(struct fg_agent_job *job)
{
	for (size_t i = 0; i < job->request.file_count; i++)
		fg_fd_close(&job->request.files[i].fd);
}

/* --- its process --- */

struct start {
	char **argv;
	int standard[3]; /* owned */
	pid_t agent;
};

/*
 * What a verb does by itself is known before it has begun. One that runs commands of the client's
 * would hand this down to them.
 */
static void confine(const struct fg_agent_verb *verb)
{
	struct fg_error err;

	if (!fg_confine_resume(&err) &&
	    (verb->commands || !fg_confine(FG_CONFINE_STARTER, false, &err)))
		return;
	dprintf(STDERR_FILENO, "flowgen: %s\n", err.message);
	_exit(CANNOT_START);
}

/*
 * In the process. It ends with the agent, even if that is killed. It leaves the terminal's group,
 * so that ^C is the agent's to hand on.
 */
static _Noreturn void become(const struct fg_agent_job *job, const struct start *start)
{
	sigset_t mask;
	bool ready = !prctl(PR_SET_PDEATHSIG, SIGKILL) && getppid() == start->agent;

	setsid();
	sigemptyset(&mask);
	/* Who holds its first packet back has it blocked anyway; others are not ended by it. */
	if (!strcmp(job->verb->name, "inject"))
		sigaddset(&mask, SIGUSR1);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	for (int fd = 0; ready && fd < 3; fd++)
		ready = dup2(start->standard[fd], fd) == fd;
	for (size_t i = 0; ready && i < job->request.file_count; i++)
		ready = !fcntl(job->request.files[i].fd, F_SETFD, 0);
	fg_fd_restore_limit();
	confine(job->verb);
	if (ready && start->argv)
		execv("/proc/self/exe", start->argv);
	dprintf(STDERR_FILENO, "flowgen: /proc/self/exe: %s\n", strerror(errno));
	_exit(CANNOT_START);
}

static int launch(struct fg_agent_job *job, const struct start *start, struct fg_error *err)
{
	sigset_t go, before;
	pid_t pid;

	/* It may be told to go before it has begun. */
	sigemptyset(&go);
	sigaddset(&go, SIGUSR1);
	sigprocmask(SIG_BLOCK, &go, &before);
	pid = fork();
	if (!pid)
		become(job, start);
	sigprocmask(SIG_SETMASK, &before, NULL);
	if (pid < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "start a process");
	job->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (job->pidfd < 0) {
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "watch a process");
		end_process(pid);
		return -1;
	}
	job->pid = pid;
	return 0;
}

static int prepare(struct fg_agent_job *job, const struct fg_agent_options *options,
		   struct start *start, struct fg_error *err)
{
	job->streams = calloc(2 + job->request.file_count, sizeof(*job->streams));
	if (!job->streams)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "a request");
	start->standard[0] = file_of(&job->request.input, err);
	if (start->standard[0] < 0)
		return -1;
	start->standard[1] = add_stream(job, FG_AGENT_STDOUT, NULL, err);
	if (start->standard[1] < 0)
		return -1;
	start->standard[2] = add_stream(job, FG_AGENT_STDERR, NULL, err);
	if (start->standard[2] < 0 || open_files(job, err))
		return -1;
	free(FG_TAKE(job->request.input.data));
	start->argv = fg_agent_command(options, job->verb, &job->request);
	return start->argv ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "a request");
}

int fg_agent_job_start(struct fg_agent_job *job, const struct fg_agent_options *options,
		       struct fg_error *err)
{
	struct start start = { .standard = { -1, -1, -1 }, .agent = getpid() };
	int ret = prepare(job, options, &start, err);

	if (!ret)
		ret = launch(job, &start, err);
	if (!ret && job->go)
		kill(job->pid, SIGUSR1);
	for (int i = 0; i < 3; i++)
		fg_fd_close(&start.standard[i]);
	fg_agent_command_free(start.argv);
	close_files(job);
	return ret;
}

void fg_agent_job_cancel(struct fg_agent_job *job, uint64_t kill_at)
{
	if (job->cancelled)
		return;
	job->cancelled = true;
	if (!job->pid || job->reaped_at)
		return;
	kill(job->pid, SIGINT);
	job->kill_at = kill_at;
}

void fg_agent_job_go(struct fg_agent_job *job)
{
	if (strcmp(job->verb->name, "inject") != 0 || job->reaped_at)
		return;
	/* It may wait for its turn: then it is told when it begins. */
	job->go = true;
	if (job->pid)
		kill(job->pid, SIGUSR1);
}

void fg_agent_job_reap(struct fg_agent_job *job, uint64_t now)
{
	if (waitpid(job->pid, &job->status, WNOHANG) != job->pid)
		return;
	job->reaped_at = now;
	job->kill_at = 0;
	fg_fd_close(&job->pidfd);
}

void fg_agent_job_read(struct fg_agent_job *job, struct fg_agent_stream *stream,
		       struct fg_buffer *out)
{
	char *to = fg_buffer_reserve(&stream->waiting, FG_AGENT_PIECE_BYTES);
	ssize_t n = to ? read(stream->fd, to, FG_AGENT_PIECE_BYTES) : -1;

	if (n < 0 && to && (errno == EINTR || errno == EAGAIN))
		return;
	stream->waiting.len += n > 0 ? (size_t)n : 0;
	fg_agent_stream_answer(stream, &job->request, n <= 0, out);
	if (n <= 0)
		fg_fd_close(&stream->fd);
}

bool fg_agent_job_over(const struct fg_agent_job *job)
{
	if (!job->reaped_at)
		return false;
	for (size_t i = 0; i < job->stream_count; i++)
		if (job->streams[i].fd >= 0)
			return false;
	return true;
}
