// SPDX-License-Identifier: GPL-2.0-only
/* What a confined process must not do any more is tried, and what it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "host/apart.h"
#include "host/confine.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/rtnl.h"

static const char attempts_are_tried[] = "x";

/* Each returns 0 if it could do it. */
static int run_program(void)
{
	return execl("/bin/true", "true", NULL);
}

static int leave(void *unused)
{
	(void)unused;
	return 0;
}

static int start_process(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

/* Without a fork: it would share all but its identity. */
static int start_helper(void)
{
	static char stack[16384] __attribute__((aligned(16)));
	pid_t pid = clone(leave, stack + sizeof(stack), CLONE_VM | CLONE_FS | SIGCHLD, NULL);

	return pid < 0 || waitpid(pid, NULL, 0) != pid ? -1 : 0;
}

static void *nothing(void *unused)
{
	return unused;
}

static int start_thread(void)
{
	pthread_t thread;

	return pthread_create(&thread, NULL, nothing, NULL) || pthread_join(thread, NULL) ? -1 : 0;
}

static int trace_parent(void)
{
	return (int)ptrace(PTRACE_SEIZE, getppid(), NULL, NULL);
}

static int signal_parent(void)
{
	return kill(getppid(), 0);
}

static int write_file(void)
{
	return open("/proc/self/comm", O_WRONLY) < 0 ? -1 : 0;
}

static int mount_something(void)
{
	return mount("none", "/mnt", "tmpfs", 0, NULL);
}

static int make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static int open_stream(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? -1 : 0;
}

static int leave_mounts(void)
{
	return unshare(CLONE_NEWNS);
}

static int become_other(void)
{
	return (int)syscall(SYS_setuid, 65534);
}

static int look_into_parent(void)
{
	char here;
	struct iovec local = { &here, 1 }, remote = { (void *)attempts_are_tried, 1 };

	return process_vm_readv(getppid(), &local, 1, &remote, 1, 0) == 1 ? 0 : -1;
}

static int change_root(void)
{
	return chroot("/");
}

static int make_device(void)
{
	return mknod("/mnt/confine", S_IFCHR | 0600, makedev(1, 3));
}

static int load_module(void)
{
	return (int)syscall(SYS_finit_module, 0, "", 0) && errno != ENOSYS && errno != EPERM ? 0
											     : -1;
}

static int read_file(void)
{
	return open("/proc/self/status", O_RDONLY) < 0 ? -1 : 0;
}

static int make_netlink(void)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, NULL);
	struct fg_link lo;

	return sk && !fg_link_get(sk, 1, NULL, &lo, NULL) ? 0 : -1;
}

static int make_map(void)
{
	union bpf_attr attr = {
		.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1
	};

	return syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)) < 0 ? -1 : 0;
}

static int stay_in_netns(void)
{
	return fg_netns_create(NULL) < 0 ? -1 : 0;
}

/* So a name is looked up as the pod (lib/exec/lookup.c). */
static int wear_name(void)
{
	return unshare(CLONE_NEWUTS) || sethostname("web-0", 5);
}

#define SESSION (1U << FG_CONFINE_SESSION | 1U << FG_CONFINE_EXEC)
#define EXEC (1U << FG_CONFINE_EXEC)
#define READ (1U << FG_CONFINE_READ)
#define STARTER (1U << FG_CONFINE_STARTER)

static const struct {
	const char *name;
	int (*what)(void);
	unsigned int allowed; /* who may do it */
} attempts[] = {
	{ "run a program", run_program, STARTER },
	{ "start a process", start_process, STARTER },
	{ "start a process that shares its memory", start_helper, STARTER },
	{ "start a thread", start_thread, SESSION | STARTER },
	{ "trace a process", trace_parent, 0 },
	{ "read another's memory", look_into_parent, 0 },
	{ "change the root", change_root, 0 },
	{ "make a device file", make_device, 0 },
	{ "signal a process", signal_parent, EXEC | STARTER },
	{ "open a file to write", write_file, STARTER },
	{ "mount", mount_something, STARTER },
	{ "make memory that runs", make_code, STARTER },
	{ "open a TCP socket", open_stream, STARTER },
	{ "leave the mount namespace", leave_mounts, STARTER },
	{ "wear a pod's host name", wear_name, STARTER },
	{ "become another user", become_other, 0 },
	{ "load a module", load_module, 0 },
	{ "read a file", read_file, SESSION | READ | STARTER },
	{ "ask rtnetlink", make_netlink, SESSION | STARTER },
	{ "make a BPF map", make_map, SESSION | STARTER },
	{ "visit a network namespace", stay_in_netns, SESSION | STARTER },
};

/* What it mounts, and the files in /mnt, are its own. */
static int alone(void)
{
	return unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	       mount("none", "/mnt", "tmpfs", 0, NULL);
}

/* Returns what the child's exit status says: 0: it did it, 1: it did not, 2: it was not confined.
 */
static int attempt(enum fg_confine kind, int (*what)(void))
{
	pid_t pid = fork();
	int status = 0;

	if (!pid)
		_exit(alone() || fg_confine(kind, false, NULL) ? 2 : what() != 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_attempts(void **state)
{
	(void)state;
	if (fg_confine_probe(NULL)) {
		print_message("# skip: this kernel has no seccomp\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		for (int kind = FG_CONFINE_SESSION; kind <= FG_CONFINE_STARTER; kind++) {
			int done = attempt((enum fg_confine)kind, attempts[i].what);
			bool may = attempts[i].allowed & 1U << kind;

			if (done != !may)
				print_error("%s, confined as %d: %d\n", attempts[i].name, kind,
					    done);
			assert_int_equal(done, !may);
		}
}

/* The same is possible before, or the test above shows nothing. */
static void test_unconfined(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++) {
		pid_t pid;
		int status = 0;

		if (attempts[i].what == trace_parent || attempts[i].what == load_module)
			continue;
		pid = fork();
		if (!pid)
			_exit(alone() ? 2 : attempts[i].what() != 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFEXITED(status) || WEXITSTATUS(status))
			print_error("%s: %d\n", attempts[i].name, status);
		assert_true(WIFEXITED(status) && !WEXITSTATUS(status));
	}
}

static uint64_t read_status(const char *name, int base)
{
	FG_FILE FILE *file = fopen("/proc/self/status", "re");
	char line[200];

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, name, strlen(name)))
			return strtoull(line + strlen(name), NULL, base);
	return UINT64_MAX;
}

static int is_dropped(void)
{
	/* CAP_SYS_MODULE, CAP_SYS_RAWIO, CAP_SETUID, CAP_DAC_OVERRIDE */
	const uint64_t gone = 1ULL << 16 | 1ULL << 17 | 1ULL << 7 | 1ULL << 1;

	return (read_status("CapEff:", 16) & gone) || (read_status("CapPrm:", 16) & gone) ||
	       (read_status("CapBnd:", 16) & gone) || read_status("CapInh:", 16) ||
	       read_status("NoNewPrivs:", 10) != 1 || read_status("Seccomp:", 10) != 2;
}

static void test_capabilities(void **state)
{
	(void)state;
	assert_int_equal(attempt(FG_CONFINE_SESSION, is_dropped), 0);
	assert_int_equal(attempt(FG_CONFINE_READ, is_dropped), 0);
	assert_int_equal(attempt(FG_CONFINE_EXEC, is_dropped), 0);
}

/* Of a program that was run: the file says what it has. */
static int run_script(const char *script)
{
	return execl("/bin/sh", "sh", "-c", script, NULL);
}

static int is_handed_down(void)
{
	/* CAP_SYS_ADMIN is left, CAP_SYS_MODULE (16) and CAP_SYS_RAWIO (17) are not. */
	return run_script(
		"while read -r key value; do case $key in "
		"CapEff: | CapPrm: | CapBnd:) "
		"[ $((0x$value >> 21 & 1)) = 1 ] && [ $((0x$value >> 16 & 3)) = 0 ] || exit 1 ;; "
		"NoNewPrivs:) [ $value = 1 ] || exit 1 ;; "
		"Seccomp:) [ $value = 2 ] || exit 1 ;; "
		"esac; done < /proc/self/status");
}

/* What waits has nothing in effect, and all of it again when it is told. */
static int is_at_rest(void)
{
	const uint64_t before = read_status("CapEff:", 16);

	if (!before || fg_confine_rest(NULL) || read_status("CapEff:", 16) ||
	    read_status("CapPrm:", 16) != before || !make_map() || !leave_mounts())
		return 1;
	return fg_confine_resume(NULL) || read_status("CapEff:", 16) != before || make_map();
}

static void test_starter(void **state)
{
	(void)state;
	assert_int_equal(attempt(FG_CONFINE_STARTER, is_handed_down), 0);
	assert_int_equal(attempt(FG_CONFINE_STARTER, is_at_rest), 0);
}

static int read_all_capabilities(void)
{
	return read_status("CapEff:", 16) != 0;
}

static void has_none(enum fg_confine kind)
{
	pid_t pid = fork();
	int status = 0, fd;

	if (!pid) {
		char text[4096] = "";

		/* It opens no file any more. */
		fd = open("/proc/self/status", O_RDONLY);
		_exit(fg_confine(kind, false, NULL) || read(fd, text, sizeof(text) - 1) <= 0 ||
		      !strstr(text, "CapEff:\t0000000000000000") ||
		      !strstr(text, "CapPrm:\t0000000000000000"));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* What it was given, and nothing else: neither the descriptors of its parent. */
static int look_around(void *arg, int fd)
{
	char seen[64] = "";
	int kept = *(int *)arg, others = 0;

	for (int i = 0; i < 256; i++)
		others += i != fd && i != kept && fcntl(i, F_GETFD) >= 0;
	for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
		others += attempts[i].what != trace_parent && !attempts[i].what();
	if (pread(kept, seen, sizeof(seen) - 1, 0) <= 0 || others)
		return 1;
	return write(fd, seen, strlen(seen)) > 0 ? 7 : 2;
}

static void test_apart(void **state)
{
	int kept = open("/proc/self/comm", O_RDONLY), other = open("/", O_PATH);
	struct fg_apart apart;
	char said[64] = "";

	(void)state;
	for (int packets = 0; packets < 2; packets++) {
		assert_int_equal(fg_apart_start(&apart, look_around, &kept, kept, packets, NULL),
				 0);
		assert_true(read(apart.fd, said, sizeof(said) - 1) > 0);
		assert_non_null(strstr(said, "test_confine"));
		assert_int_equal(fg_apart_end(&apart), 7);
	}
	assert_int_equal(fg_apart_end(&apart), -1);
	close(kept);
	close(other);
}

static void test_some_have_none(void **state)
{
	(void)state;
	has_none(FG_CONFINE_WATCH);
	has_none(FG_CONFINE_PARSE);
	assert_int_equal(attempt(FG_CONFINE_SESSION, read_all_capabilities), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),     cmocka_unit_test(test_unconfined),
		cmocka_unit_test(test_capabilities), cmocka_unit_test(test_some_have_none),
		cmocka_unit_test(test_apart),	     cmocka_unit_test(test_starter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
