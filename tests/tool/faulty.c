// SPDX-License-Identifier: GPL-2.0-only
/*
 * faulty - runs a command in which a system call fails: the kernel asks this process about each
 * call (seccomp_unotify(2)), and gets the error or the leave to go on. It works for static binaries
 * too, and costs some microseconds for each call.
 *
 * Counting begins with main() of flowgen, whose first call is fcntl(0, F_GETFD): what the dynamic
 * loader does is not flowgen's.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CALLS 1024

struct want {
	int call; /* -1: any */
	bool by_first;
	uint64_t first; /* its first argument */
	const char *path;
	FILE *log; /* gets a line for each call: its number, and what bpf() or ioctl() is to do */
	uint64_t nth, times;
	uint64_t shift;
	int error; /* 0: one that this call may end with, chosen by nth + shift */
};

static struct {
	uint64_t all, by_call[CALLS];
	uint64_t matching, failed;
	bool begun, from_start;
	int call, error; /* of the first that failed */
} seen;

/* What a call may really end with on a machine that is short of something, or locked down. */
static const struct {
	int call;
	int errors[4];
} usual[] = {
	{ SYS_openat, { EMFILE, EACCES, ENOMEM, EIO } },
	{ SYS_socket, { EMFILE, EPERM, ENOBUFS, ENOMEM } },
	{ SYS_bpf, { EPERM, ENOMEM, EMFILE, EINVAL } },
	{ SYS_recvmsg, { ENOBUFS, ENOMEM, EINTR, EIO } },
	{ SYS_sendmsg, { ENOBUFS, ENOMEM, EPERM, EIO } },
	{ SYS_setns, { EPERM, ENOMEM, EINVAL, EMFILE } },
	{ SYS_mmap, { ENOMEM, EPERM, ENOMEM, EAGAIN } },
	{ SYS_poll, { EINTR, ENOMEM, EINTR, ENOMEM } },
	{ SYS_ppoll, { EINTR, ENOMEM, EINTR, ENOMEM } },
	{ SYS_write, { ENOSPC, EIO, EPIPE, EFBIG } },
};

static int usual_error(int call, uint64_t n)
{
	static const int any[] = { ENOMEM, EPERM, EIO, EMFILE };

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++)
		if (usual[i].call == call)
			return usual[i].errors[n % 4];
	return any[n % 4];
}

static void die(const char *what)
{
	perror(what);
	exit(125);
}

/* These cannot fail, or their failure is not a program's to deal with. */
static bool is_exempt(const struct seccomp_data *d)
{
	switch (d->nr) {
	case SYS_exit:
	case SYS_exit_group:
	case SYS_rt_sigreturn:
	case SYS_restart_syscall:
	case SYS_futex:
	case SYS_set_robust_list:
	case SYS_rseq:
	case SYS_munmap:
	case SYS_brk: /* returns no error, but the break as it was */
	case SYS_execve:
	case SYS_gettid:
	case SYS_getpid:
	case SYS_clock_gettime:
		return true;
	case SYS_write:
	case SYS_writev:
		/* The line that is to be there. */
		return d->args[0] == STDERR_FILENO;
	default:
		return false;
	}
}

static bool has_path(pid_t pid, const struct seccomp_data *d, const char *path)
{
	char name[64], text[512] = "";
	uint64_t at = d->nr == SYS_openat || d->nr == SYS_newfstatat || d->nr == SYS_readlinkat
			      ? d->args[1]
			      : d->args[0];
	int fd;

	snprintf(name, sizeof(name), "/proc/%d/mem", pid);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (pread(fd, text, sizeof(text) - 1, (off_t)at) < 0)
		text[0] = '\0';
	close(fd);
	return !strcmp(text, path);
}

/* The error that the call is to end with; 0: none. */
static int judge(const struct want *w, pid_t pid, const struct seccomp_data *d)
{
	if (!seen.begun)
		seen.begun = seen.from_start ||
			     (d->nr == SYS_fcntl && d->args[0] == 0 && d->args[1] == F_GETFD);
	if (!seen.begun || is_exempt(d))
		return 0;
	seen.all++;
	if (w->log)
		fprintf(w->log, "%d/%llu\n", d->nr,
			d->nr == SYS_bpf || d->nr == SYS_ioctl ? (unsigned long long)d->args[0]
							       : 0);
	if (d->nr >= 0 && d->nr < CALLS)
		seen.by_call[d->nr]++;
	if ((w->call >= 0 && w->call != d->nr) || (w->by_first && w->first != d->args[0]) ||
	    (w->path && !has_path(pid, d, w->path)))
		return 0;
	seen.matching++;
	if (seen.matching < w->nth || seen.matching - w->nth >= w->times)
		return 0;
	seen.failed++;
	if (seen.failed == 1) {
		seen.call = d->nr;
		seen.error = w->error ? w->error : usual_error(d->nr, w->nth + w->shift);
	}
	return seen.error;
}

static void serve(int listener, const struct want *w)
{
	struct pollfd p = { .fd = listener, .events = POLLIN };

	while (poll(&p, 1, -1) > 0 && p.revents & POLLIN) {
		struct seccomp_notif ask = {};
		struct seccomp_notif_resp answer = {};

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &ask))
			continue;
		answer.id = ask.id;
		answer.error = -judge(w, (pid_t)ask.pid, &ask.data);
		if (!answer.error)
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* The child's descriptor of its listener comes by memory: any call for it would wait already. */
static void run_child(char **argv, volatile int *listener)
{
	struct sock_filter ask[] = { BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF) };
	struct sock_fprog program = { .len = 1, .filter = ask };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL))
		_exit(125);
	*listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
				 SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
	if (*listener < 0)
		_exit(125);
	execvp(argv[0], argv);
	_exit(127);
}

static int errno_of(const char *name)
{
	for (int i = 1; i < 134; i++)
		if (strerrorname_np(i) && !strcmp(strerrorname_np(i), name))
			return i;
	fprintf(stderr, "faulty: no error %s\n", name);
	exit(125);
}

static void read_call(struct want *w, char *text)
{
	char *first = strchr(text, '/');

	if (first) {
		*first++ = '\0';
		w->by_first = true;
		w->first = strtoull(first, NULL, 0);
	}
	w->call = seccomp_syscall_resolve_name(text);
	if (w->call < 0) {
		fprintf(stderr, "faulty: no system call %s\n", text);
		exit(125);
	}
}

static void write_counts(const char *path)
{
	FILE *out = fopen(path, "we");

	if (!out)
		die(path);
	fprintf(out, "all %llu\n", (unsigned long long)seen.all);
	for (int i = 0; i < CALLS; i++)
		if (seen.by_call[i])
			fprintf(out, "%s %llu\n",
				seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, i),
				(unsigned long long)seen.by_call[i]);
	if (seen.failed)
		fprintf(out, "failed %s with %s\n",
			seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, seen.call),
			strerrorname_np(seen.error));
	fclose(out);
}

static int start(char **argv, pid_t *pid)
{
	volatile int *listener =
		mmap(NULL, sizeof(int), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int pidfd, fd;

	*listener = 0;
	*pid = fork();
	if (!*pid)
		run_child(argv, listener);
	if (*pid < 0)
		die("fork");
	while (!*listener)
		sched_yield();
	pidfd = (int)syscall(SYS_pidfd_open, *pid, 0);
	fd = *listener < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, *listener, 0);
	close(pidfd);
	if (fd < 0)
		die("seccomp listener");
	return fd;
}

int main(int argc, char **argv)
{
	static const struct option options[] = { { "call", required_argument, NULL, 'c' },
						 { "path", required_argument, NULL, 'p' },
						 { "nth", required_argument, NULL, 'n' },
						 { "times", required_argument, NULL, 't' },
						 { "errno", required_argument, NULL, 'e' },
						 { "counts", required_argument, NULL, 'o' },
						 { "log", required_argument, NULL, 'l' },
						 { "shift", required_argument, NULL, 'r' },
						 { "from-start", no_argument, NULL, 's' },
						 {} };
	struct want want = { .call = -1, .nth = UINT64_MAX, .times = 1, .error = 0 };
	const char *counts = NULL;
	int option, status, listener;
	pid_t pid;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			read_call(&want, optarg);
			break;
		case 'p':
			want.path = optarg;
			break;
		case 'n':
			want.nth = strtoull(optarg, NULL, 0);
			break;
		case 't':
			want.times = strtoull(optarg, NULL, 0);
			break;
		case 'e':
			want.error = errno_of(optarg);
			break;
		case 'o':
			counts = optarg;
			break;
		case 'l':
			want.log = fopen(optarg, "we");
			break;
		case 'r':
			want.shift = strtoull(optarg, NULL, 0);
			break;
		case 's':
			seen.from_start = true;
			break;
		default:
			return 125;
		}
	}
	if (optind == argc) {
		fputs("usage: faulty [--call NAME[/ARG0]] [--path PATH] [--nth N] [--times N] [--errno E | "
		      "--shift N] [--counts FILE] [--log FILE] [--from-start] COMMAND...\n",
		      stderr);
		return 125;
	}
	listener = start(argv + optind, &pid);
	serve(listener, &want);
	if (want.log)
		fclose(want.log);
	if (counts)
		write_counts(counts);
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
