// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_capability.c - the probes tell the truth, with every set of privileges, and leave nothing
 * behind.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/count.h"
#include "host/capability.h"
#include "probe/names.h"
#include "podctl.h"
#include "prog.h"

/* The place of host-ingress among the methods: it needs nothing that a kernel may lack. */
#define HOST_INGRESS 2

static struct fg_capabilities all;

static bool works(enum fg_feature feature)
{
	return all.list[feature].works;
}

static void test_complete(void **state)
{
	(void)state;
	for (int i = 0; i < FG_FEATURES; i++) {
		const struct fg_capability *c = &all.list[i];

		assert_non_null(c->name);
		assert_true(strlen(c->need) > 5);
		assert_string_equal(c->name, fg_capability_feature_name((enum fg_feature)i));
		assert_string_equal(c->need, fg_capability_feature_need((enum fg_feature)i));
		/* There is a reason exactly where it does not work. */
		assert_int_equal(c->works, c->why[0] == '\0');
		if (!c->works)
			printf("# %s: %s\n", c->name, c->why);
	}
}

/* podctl finds out on its own, by other programs; it is what other tests are skipped by. */
static void test_agrees_with_podctl(void **state)
{
	static const struct {
		const char *thing;
		enum fg_feature feature;
	} same[] = { { "netkit", FG_FEATURE_NETKIT },
		     { "tcx", FG_FEATURE_TCX },
		     { "peer-egress", FG_FEATURE_EGRESS_FLAG },
		     { "fexit", FG_FEATURE_FEXIT } };

	(void)state;
	for (size_t i = 0; i < COUNT(same); i++) {
		char verb[] = "can", thing[16], *argv[] = { verb, thing, NULL };

		snprintf(thing, sizeof(thing), "%s", same[i].thing);
		assert_int_equal(podctl_can(2, argv), works(same[i].feature) ? 0 : 1);
	}
}

/* What flowgen cannot do without, every kernel in question has. */
static void test_kernel_has_the_basics(void **state)
{
	(void)state;
	assert_true(works(FG_FEATURE_BTF));
	assert_true(works(FG_FEATURE_RING_BUFFER));
	assert_true(works(FG_FEATURE_PROBE_READ));
	assert_true(works(FG_FEATURE_TP_BTF));
	assert_true(works(FG_FEATURE_SYSCALL_PROGRAM));
	assert_true(works(FG_FEATURE_AF_PACKET));
	assert_true(works(FG_FEATURE_VETH));
	assert_true(works(FG_FEATURE_CLSACT));
	assert_true(works(FG_FEATURE_REDIRECT_PEER));
	assert_true(works(FG_FEATURE_XDP));
	assert_true(works(FG_FEATURE_RUN_STATS));
	/* Where there is netkit there is tcx: both came with the same list of programs. */
	assert_true(works(FG_FEATURE_TCX) || !works(FG_FEATURE_NETKIT));
}

static void test_methods(void **state)
{
	const struct fg_method_support *peer = &all.methods[0], *bounce = &all.methods[1];

	(void)state;
	assert_int_equal(peer->method, FG_METHOD_PEER_EGRESS);
	assert_int_equal(bounce->method, FG_METHOD_BOUNCE);
	assert_int_equal(all.methods[HOST_INGRESS].method, FG_METHOD_HOST_INGRESS);
	assert_int_equal(all.methods[3].method, FG_METHOD_POD_SOCKET);
	assert_int_equal(peer->works, works(FG_FEATURE_EGRESS_FLAG));
	assert_string_equal(peer->missing, peer->works ? "" : "BPF_F_EGRESS");
	assert_int_equal(bounce->works, works(FG_FEATURE_TCX));
	assert_string_equal(bounce->missing, bounce->works ? "" : "tcx");
	assert_true(all.methods[2].works && all.methods[3].works);
	assert_true(fg_capability_any_method(&all));
}

static int count_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* All that a probe makes hangs on a descriptor or on a namespace: none may stay. */
static void test_leaves_nothing(void **state)
{
	uint32_t netns = prog_netns();
	int before = count_fds();

	(void)state;
	for (int i = 0; i < FG_FEATURES; i++) {
		fg_capability_feature_probe((enum fg_feature)i, NULL);
		assert_int_equal(count_fds(), before);
		assert_int_equal(prog_netns(), netns);
	}
}

/*
 * --- fewer privileges: each case in a process of its own, whose exit status is the number of the
 * check that failed ----
 */

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			printf("# line %d: %s\n", __LINE__, #condition);                           \
			return 1;                                                                  \
		}                                                                                  \
	} while (0)

static void expect_child(int (*body)(int), int arg)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		status = body(arg);
		fflush(stdout);
		_exit(status);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	/* An abort counts as a failure too. */
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int drop(int capability)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return -1;
	data[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
	return (int)syscall(SYS_capset, &head, data);
}

static enum fg_feature feature_of(int capability)
{
	switch (capability) {
	case CAP_SYS_ADMIN:
		return FG_FEATURE_CAP_SYS_ADMIN;
	case CAP_NET_ADMIN:
		return FG_FEATURE_CAP_NET_ADMIN;
	case CAP_SYS_PTRACE:
		return FG_FEATURE_CAP_SYS_PTRACE;
	default:
		return FG_FEATURE_CAP_NET_RAW;
	}
}

/* Without one of the four nothing works, and the message names it, and not the others. */
static int without_one(int capability)
{
	static const int needed[] = { CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_PTRACE };
	struct fg_capabilities now;
	struct fg_error err = {};

	CHECK(!drop(capability));
	CHECK(fg_capability_preflight(&err) == -1);
	CHECK(err.kind == FG_ERR_UNSUPPORTED);
	CHECK(err.hint[0]);
	for (int i = 0; i < 4; i++)
		CHECK(!strstr(err.message, fg_capability_feature_name(feature_of(needed[i]))) ==
		      (needed[i] != capability));
	CHECK(strstr(err.message, fg_capability_feature_need(feature_of(capability))));
	fg_capability_probe(&now);
	CHECK(!now.list[feature_of(capability)].works);
	CHECK(!strcmp(now.list[feature_of(capability)].why, "not held"));
	CHECK(!fg_capability_any_method(&now));
	/* What could not be tried for want of it is not said to be missing. */
	CHECK(!strcmp(now.methods[HOST_INGRESS].missing,
		      fg_capability_feature_name(feature_of(capability))) ||
	      capability == CAP_NET_RAW);
	return 0;
}

static void test_missing_privilege(void **state)
{
	(void)state;
	expect_child(without_one, CAP_SYS_ADMIN);
	expect_child(without_one, CAP_NET_ADMIN);
	expect_child(without_one, CAP_NET_RAW);
	expect_child(without_one, CAP_SYS_PTRACE);
}

/* The kernel takes CAP_SYS_ADMIN for these two, and flowgen needs that one anyway. */
static int without_implied(int unused)
{
	struct fg_error err = {};

	(void)unused;
	CHECK(!drop(CAP_BPF) && !drop(CAP_PERFMON) && !drop(CAP_DAC_READ_SEARCH));
	CHECK(!fg_capability_preflight(&err));
	CHECK(!fg_capability_feature_probe(FG_FEATURE_CAP_BPF, NULL));
	CHECK(!fg_capability_feature_probe(FG_FEATURE_CAP_PERFMON, NULL));
	CHECK(!fg_capability_feature_probe(FG_FEATURE_TP_BTF, NULL));
	CHECK(!fg_capability_feature_probe(FG_FEATURE_PROBE_READ, NULL));
	CHECK(fg_capability_feature_probe(FG_FEATURE_CAP_DAC_READ_SEARCH, NULL));
	return 0;
}

static void test_implied_privileges(void **state)
{
	(void)state;
	expect_child(without_implied, 0);
}

/* Root of a user namespace holds every capability, and may not use one of them on the host. */
static int in_user_namespace(int unused)
{
	struct fg_capabilities now;
	struct fg_error err = {};

	(void)unused;
	if (unshare(CLONE_NEWUSER)) {
		printf("# no user namespaces here: %s\n", strerror(errno));
		return 0;
	}
	CHECK(fg_capability_preflight(&err) == -1);
	CHECK(err.kind == FG_ERR_UNSUPPORTED);
	CHECK(strstr(err.message, "CAP_SYS_ADMIN") && strstr(err.message, "CAP_BPF"));
	fg_capability_probe(&now);
	CHECK(!fg_capability_any_method(&now));
	CHECK(strstr(now.list[FG_FEATURE_CAP_SYS_ADMIN].why, "user namespace"));
	return 0;
}

static void test_user_namespace(void **state)
{
	(void)state;
	expect_child(in_user_namespace, 0);
}

static double milliseconds(int (*action)(void))
{
	double best = 1e9;

	for (int i = 0; i < 10; i++) {
		uint64_t start = fg_clock_now();
		double ms;

		assert_int_equal(action(), 0);
		ms = (double)(fg_clock_now() - start) / 1e6;
		best = ms < best ? ms : best;
	}
	return best;
}

static int preflight(void)
{
	return fg_capability_preflight(NULL);
}

static int probe_egress(void)
{
	fg_capability_feature_probe(FG_FEATURE_EGRESS_FLAG, NULL);
	return 0;
}

/* Part of every cold start. The limits leave room for an emulated machine. */
static void test_cheap(void **state)
{
	double first = milliseconds(preflight), second = milliseconds(probe_egress);

	(void)state;
	printf("# preflight %.3f ms, BPF_F_EGRESS %.3f ms\n", first, second);
	assert_true(first < 1);
	assert_true(second < 10);
}

static int setup(void **state)
{
	(void)state;
	fg_capability_probe(&all);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_complete),
		cmocka_unit_test(test_agrees_with_podctl),
		cmocka_unit_test(test_kernel_has_the_basics),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_leaves_nothing),
		cmocka_unit_test(test_missing_privilege),
		cmocka_unit_test(test_implied_privileges),
		cmocka_unit_test(test_user_namespace),
		cmocka_unit_test(test_cheap),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, setup, NULL);
}
