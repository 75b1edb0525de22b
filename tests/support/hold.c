// SPDX-License-Identifier: GPL-2.0-only
/*
 * hold.c - `podctl hold`: a node for one test. Namespaces of its own for the network, the mounts
 * (with an empty /run) and the processes, so that what runs in it sees nothing of the host's pods,
 * and nothing of it outlives it: its first process dies with this one, and the kernel then ends all
 * others in it and takes the namespaces away.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "podctl.h"
#include "demo/testbed.h"

/* As on any node, the cgroups are seen below /sys. A machine that has none there is left so. */
static int mount_sys(struct fg_error *err)
{
	FG_FD int cgroups = open("/sys/fs/cgroup", O_PATH | O_CLOEXEC);
	char path[32];

	if (mount("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /sys");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", cgroups);
	if (cgroups >= 0 && mount(path, "/sys/fs/cgroup", NULL, MS_BIND | MS_REC, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /sys/fs/cgroup");
	return 0;
}

static int mount_own(struct fg_error *err)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "make the mounts private");
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /proc");
	if (mount_sys(err))
		return -1;
	if (mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /sys/fs/bpf");
	if (mount("run", "/run", "tmpfs", 0, "mode=0755,size=16m") || mkdir("/run/netns", 0755))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /run");
	return 0;
}

/*
 * Process 1 of the node: it only has to be there. The kernel reaps its children, as SIGCHLD is
 * ignored.
 */
static int first_process(int ready)
{
	struct fg_error err;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	if (mount_own(&err) || fg_testbed_node_prepare(-1, &err)) {
		podctl_report(&err);
		return 1;
	}
	if (write(ready, "r", 1) != 1)
		return 1;
	close(ready);
	for (;;)
		pause();
}

/* Until the other end of standard input is closed: the test has ended, however it did. */
static void wait_for_end(void)
{
	char buf[64];

	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
}

int podctl_hold(int argc, char **argv)
{
	int ready[2], status = 1;
	char c;
	pid_t pid;

	(void)argv;
	if (argc != 1) {
		fputs("usage: podctl hold\n", stderr);
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWPID) || pipe(ready)) {
		perror("podctl: new namespaces");
		return 3;
	}
	pid = fork();
	if (pid == 0)
		_exit(first_process(ready[1]));
	close(ready[1]);
	if (pid > 0 && read(ready[0], &c, 1) == 1) {
		printf("%d\n", pid);
		fflush(stdout);
		wait_for_end();
		status = 0;
	}
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
	return status;
}
