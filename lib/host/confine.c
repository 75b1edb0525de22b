// SPDX-License-Identifier: GPL-2.0-only
#include "host/confine.h"

#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/nsfs.h>
#include <linux/perf_event.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"

#define BIT(capability) (UINT64_C(1) << (capability))

/* --- capabilities --- */

static uint64_t kept_capabilities(enum fg_confine kind, bool files)
{
	/* New pods, next hops and receivers are looked at, and programs loaded, until the end. */
	static const uint64_t session = BIT(CAP_SYS_ADMIN) | BIT(CAP_NET_ADMIN) | BIT(CAP_NET_RAW) |
					BIT(CAP_BPF) | BIT(CAP_PERFMON) | BIT(CAP_SYS_PTRACE) |
					BIT(CAP_DAC_READ_SEARCH);
	uint64_t kept = kind == FG_CONFINE_SESSION ? session
			: kind == FG_CONFINE_EXEC  ? session | BIT(CAP_KILL)
			: kind == FG_CONFINE_STARTER
				? session | BIT(CAP_KILL) | BIT(CAP_DAC_OVERRIDE)
			: kind == FG_CONFINE_READ ? BIT(CAP_DAC_READ_SEARCH)
						  : 0;

	return files ? kept | BIT(CAP_DAC_OVERRIDE) : kept;
}

struct capabilities {
	struct __user_cap_header_struct head;
	struct __user_cap_data_struct data[2]; /* of the lower 32, and of the others */
};

static int read_capabilities(struct capabilities *c, struct fg_error *err)
{
	*c = (struct capabilities){ .head.version = _LINUX_CAPABILITY_VERSION_3 };
	if (syscall(SYS_capget, &c->head, c->data))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "read the capabilities");
	return 0;
}

static int set_effective(bool on, struct fg_error *err)
{
	struct capabilities c;

	if (read_capabilities(&c, err))
		return -1;
	for (int i = 0; i < 2; i++)
		c.data[i].effective = on ? c.data[i].permitted : 0;
	if (syscall(SYS_capset, &c.head, c.data))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "set the capabilities in effect");
	return 0;
}

int fg_confine_rest(struct fg_error *err)
{
	return set_effective(false, err);
}

int fg_confine_resume(struct fg_error *err)
{
	return set_effective(true, err);
}

/* inherit: what is kept gets over to a program that it runs, for another user than root as well. */
static int drop_capabilities(uint64_t kept, bool inherit, struct fg_error *err)
{
	struct capabilities c;

	if (read_capabilities(&c, err))
		return -1;
	/* What is not in the bounding set cannot be had again. EPERM: it is not ours to change. */
	for (int i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++)
		if (!(kept & BIT(i)) && prctl(PR_CAPBSET_DROP, i, 0, 0, 0) && errno != EPERM)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "drop capabilities");
	if (!inherit)
		prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (int i = 0; i < 2; i++) {
		c.data[i].permitted &= (uint32_t)(kept >> 32 * i);
		c.data[i].effective &= (uint32_t)(kept >> 32 * i);
		c.data[i].inheritable &= inherit ? (uint32_t)(kept >> 32 * i) : 0;
	}
	if (syscall(SYS_capset, &c.head, c.data))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "drop capabilities");
	return 0;
}

/* --- system calls --- */

/* Memory, time, signals, and what is open already. A C library may use any of several. */
static const char *const basic[] = {
	"read",
	"pread64",
	"readv",
	"preadv",
	"preadv2",
	"write",
	"pwrite64",
	"writev",
	"lseek",
	"_llseek",
	"close",
	"close_range",
	"fstat",
	"fstat64",
	"fstatfs",
	"fstatfs64",
	"fcntl",
	"fcntl64",
	"dup",
	"dup2",
	"dup3",
	"pipe2",
	"brk",
	"munmap",
	"mremap",
	"madvise",
	"mincore",
	"poll",
	"ppoll",
	"ppoll_time64",
	"select",
	"pselect6",
	"pselect6_time64",
	"epoll_create",
	"epoll_create1",
	"epoll_ctl",
	"epoll_wait",
	"epoll_pwait",
	"epoll_pwait2",
	"signalfd4",
	"timerfd_create",
	"timerfd_settime",
	"timerfd_settime64",
	"timerfd_gettime",
	"timerfd_gettime64",
	"eventfd2",
	"clock_gettime",
	"clock_gettime64",
	"clock_getres",
	"clock_nanosleep",
	"clock_nanosleep_time64",
	"nanosleep",
	"gettimeofday",
	"time",
	"times",
	"getrandom",
	"getpid",
	"getppid",
	"gettid",
	"getuid",
	"geteuid",
	"getgid",
	"getegid",
	"getgroups",
	"getrusage",
	"sysinfo",
	"uname",
	"sched_yield",
	"sched_getaffinity",
	"futex",
	"futex_time64",
	"rt_sigaction",
	"rt_sigprocmask",
	"rt_sigpending",
	"rt_sigreturn",
	"sigreturn",
	"rt_sigtimedwait",
	"sigaltstack",
	"restart_syscall",
	"set_robust_list",
	"rseq",
	"membarrier",
	"prlimit64",
	"ugetrlimit",
	"getrlimit",
	"capget",
	/* For a process that was started before: another cannot be. */
	"wait4",
	"waitid",
	"waitpid",
	"exit",
	"exit_group",
	"fsync",
	"fdatasync",
};

/* Looking at files. */
static const char *const reading[] = {
	"stat",	    "stat64",	  "lstat",    "lstat64",    "newfstatat", "fstatat64",
	"statx",    "statfs",	  "statfs64", "access",	    "faccessat",  "faccessat2",
	"readlink", "readlinkat", "getdents", "getdents64", "getcwd",	  "openat2",
};

/* Putting outputs into their places, and giving room back in them. */
static const char *const placing[] = {
	"linkat", "renameat", "renameat2", "unlinkat", "ftruncate", "ftruncate64",
};

/* Asking the kernel of namespaces, programs and packets. fsopen() makes a cgroup2 of our own. */
static const char *const session[] = {
	"bind",	      "connect",  "getsockname", "getpeername",	    "getsockopt",
	"setsockopt", "sendto",	  "sendmsg",	 "sendmmsg",	    "recvfrom",
	"recvmsg",    "recvmmsg", "bpf",	 "perf_event_open", "memfd_create",
	"fsopen",     "fsconfig", "fsmount",	 "setrlimit",	    "kcmp",
};

/* The command is sent signals, and stopped and continued with flowgen. */
static const char *const signalling[] = {
	"kill",		"tgkill",  "timer_create", "timer_settime", "timer_settime64",
	"timer_delete", "getpgrp", "getpgid",
};

/*
 * A process that starts flowgen hands its filter down, and all that flowgen may need to be set up
 * stays: what is left out is what none of it ever needs, and what takes over the kernel, another
 * process or another user.
 */
static const char *const never[] = {
	"acct",
	"add_key",
	"chroot",
	"clock_adjtime",
	"clock_settime",
	"delete_module",
	"fanotify_init",
	"finit_module",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"mknod",
	"mknodat",
	"move_pages",
	"open_by_handle_at",
	"pivot_root",
	"process_madvise",
	"process_vm_readv",
	"process_vm_writev",
	"ptrace",
	"quotactl",
	"reboot",
	"request_key",
	"setdomainname",
	"setfsgid",
	"setfsuid",
	"setgid",
	"setgroups",
	"setregid",
	"setresgid",
	"setresuid",
	"setreuid",
	"settimeofday",
	"setuid",
	"swapoff",
	"swapon",
	"syslog",
	"userfaultfd",
	"vhangup",
};

/* A call that is allowed where the bits of mask in its argument are as in value. */
struct narrow {
	const char *call;
	unsigned int argument;
	uint64_t mask, value;
};
#define WHOLE UINT32_MAX

static const struct narrow narrow_basic[] = {
	/* No memory becomes code. */
	{ "mmap", 2, PROT_EXEC, 0 },	 { "mmap2", 2, PROT_EXEC, 0 },
	{ "mprotect", 2, PROT_EXEC, 0 }, { "ioctl", 1, WHOLE, TCGETS },
#ifdef TCGETS2
	{ "ioctl", 1, WHOLE, TCGETS2 },
#endif
};

/* What is written to is open. */
static const struct narrow narrow_reading[] = {
	{ "open", 1, O_ACCMODE, O_RDONLY },
	{ "openat", 2, O_ACCMODE, O_RDONLY },
};

static const struct narrow narrow_session[] = {
	{ "socket", 0, WHOLE, AF_NETLINK },
	{ "socket", 0, WHOLE, AF_PACKET },
	/* For SIOCETHTOOL and the tables of iptables-legacy: no stream, and none to an address. */
	{ "socket", 1, 0xf, SOCK_DGRAM },
	{ "socket", 1, 0xf, SOCK_RAW },
	{ "setns", 1, WHOLE, CLONE_NEWNET },
	{ "unshare", 0, WHOLE, CLONE_NEWNET },
	/* A thread (datapath/closing.h). A filter cannot look into clone3(). */
	{ "clone", 0, CLONE_THREAD, CLONE_THREAD },
	{ "ioctl", 1, WHOLE, NS_GET_NSTYPE },
	{ "ioctl", 1, WHOLE, SIOCETHTOOL },
	{ "ioctl", 1, WHOLE, PERF_EVENT_IOC_ENABLE },
	{ "ioctl", 1, WHOLE, PERF_EVENT_IOC_DISABLE },
	{ "ioctl", 1, WHOLE, PERF_EVENT_IOC_SET_BPF },
};

static const struct narrow narrow_signalling[] = {
	{ "ioctl", 1, WHOLE, TIOCGPGRP },
	{ "ioctl", 1, WHOLE, TIOCSPGRP },
};

static const struct narrow narrow_watch[] = {
	{ "bpf", 0, WHOLE, BPF_OBJ_GET_INFO_BY_FD },
};

static int list(scmp_filter_ctx filter, uint32_t action, const char *const *names, size_t count)
{
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++) {
		int call = seccomp_syscall_resolve_name(names[i]);

		/* Negative: another architecture has it. */
		if (call >= 0)
			ret = seccomp_rule_add(filter, action, call, 0);
	}
	return ret;
}

static int allow(scmp_filter_ctx filter, const char *const *names, size_t count)
{
	return list(filter, SCMP_ACT_ALLOW, names, count);
}

static int allow_narrow(scmp_filter_ctx filter, const struct narrow *list, size_t count)
{
	int ret = 0;

	for (size_t i = 0; i < count && !ret; i++) {
		const struct narrow *n = &list[i];
		int call = seccomp_syscall_resolve_name(n->call);

		if (call >= 0)
			ret = seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
					       SCMP_CMP(n->argument, SCMP_CMP_MASKED_EQ, n->mask,
							n->value));
	}
	return ret;
}

static bool is_session(enum fg_confine kind)
{
	return kind == FG_CONFINE_SESSION || kind == FG_CONFINE_EXEC;
}

static bool opens_files(enum fg_confine kind)
{
	return is_session(kind) || kind == FG_CONFINE_READ;
}

static int fill(scmp_filter_ctx f, enum fg_confine kind, bool files)
{
	int ret;

	if (kind == FG_CONFINE_STARTER)
		return list(f, SCMP_ACT_ERRNO(ENOSYS), never, COUNT(never));
	ret = allow(f, basic, COUNT(basic));
	if (!ret)
		ret = allow_narrow(f, narrow_basic, COUNT(narrow_basic));
	if (!ret && opens_files(kind))
		ret = allow(f, reading, COUNT(reading));
	if (!ret && opens_files(kind))
		ret = allow_narrow(f, narrow_reading, COUNT(narrow_reading));
	if (!ret && files)
		ret = allow(f, placing, COUNT(placing));
	if (!ret && is_session(kind))
		ret = allow(f, session, COUNT(session));
	if (!ret && is_session(kind))
		ret = allow_narrow(f, narrow_session, COUNT(narrow_session));
	if (!ret && kind == FG_CONFINE_EXEC)
		ret = allow(f, signalling, COUNT(signalling));
	if (!ret && kind == FG_CONFINE_EXEC)
		ret = allow_narrow(f, narrow_signalling, COUNT(narrow_signalling));
	/* The end of an answer. */
	if (!ret && kind == FG_CONFINE_PARSE)
		ret = allow(f, (const char *const[]){ "shutdown" }, 1);
	if (!ret && kind == FG_CONFINE_WATCH)
		ret = allow_narrow(f, narrow_watch, COUNT(narrow_watch));
	return ret;
}

/* The program that libseccomp makes of the rules. Returns 0 or a negative errno value. */
static int compile(scmp_filter_ctx filter, struct sock_filter *code, size_t size, size_t *len)
{
	FG_FD int fd = memfd_create("filter", MFD_CLOEXEC);
	ssize_t n;
	int ret;

	if (fd < 0)
		return -errno;
	ret = seccomp_export_bpf(filter, fd);
	if (ret)
		return ret;
	n = pread(fd, code, size, 0);
	if (n <= 0 || (size_t)n == size || (size_t)n % sizeof(*code))
		return n < 0 ? -errno : -E2BIG;
	*len = (size_t)n / sizeof(*code);
	return 0;
}

/*
 * A call that is not listed does not exist (ENOSYS): a C library then tries an older one.
 * libseccomp 2.5 does not report all of its failed allocations, but makes a program without some of
 * the rules: so errno is asked too, and the program installed only then. Returns 0 or a negative
 * errno value.
 */
static int load_filter(enum fg_confine kind, bool files)
{
	static struct sock_filter code[BPF_MAXINSNS + 1];
	struct sock_fprog program = { .filter = code };
	scmp_filter_ctx filter;
	size_t len = 0;
	int ret;

	errno = 0;
	filter = seccomp_init(kind == FG_CONFINE_STARTER ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOSYS));
	ret = filter ? fill(filter, kind, files) : -ENOMEM;
	if (!ret)
		ret = compile(filter, code, sizeof(code), &len);
	if (!ret && errno == ENOMEM)
		ret = -ENOMEM;
	if (filter)
		seccomp_release(filter);
	program.len = (unsigned short)len;
	if (!ret && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program))
		ret = -errno;
	return ret;
}

/* A kernel without seccomp has no such call, or no such mode. */
static bool is_missing(int code)
{
	return code == ENOSYS || code == EINVAL || code == EOPNOTSUPP;
}

static int give_up(enum fg_confine kind, bool files, struct fg_error *err)
{
	int ret;

	if (drop_capabilities(kept_capabilities(kind, files), kind == FG_CONFINE_STARTER, err))
		return -1;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "no_new_privs");
	ret = load_filter(kind, files);
	if (ret && !is_missing(-ret))
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "seccomp filter");
	return 0;
}

int fg_confine(enum fg_confine kind, bool files, struct fg_error *err)
{
	int ret = give_up(kind, files, err);

	/* Whatever errno says: it is not that flowgen cannot do here what it was asked. */
	if (ret && err)
		err->kind = FG_ERR_INTERNAL;
	return ret;
}

int fg_confine_probe(struct fg_error *err)
{
	pid_t pid = fork();
	int status = 0, code, failed = 0;

	/* What it ends with is told by the parent. */
	if (!pid)
		close(STDERR_FILENO);
	if (!pid)
		_exit(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
			      ? errno
			      : -load_filter(FG_CONFINE_READ, false));
	if (pid < 0)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "start a process");
	/* Once more, whatever it was: else the process would stay as long as this one. */
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR && failed++)
			return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "wait for a process");
	if (!WIFEXITED(status))
		return fg_fail(err, FG_ERR_UNSUPPORTED, "seccomp filter: signal %d",
			       WTERMSIG(status));
	/* The status that fg_error_die() ends with, for want of memory; no filter fails with EIO.
	 */
	code = WEXITSTATUS(status) == EIO ? ENOMEM : WEXITSTATUS(status);
	return code ? fg_fail_errno(err, FG_ERR_UNSUPPORTED, code, "seccomp filter") : 0;
}
