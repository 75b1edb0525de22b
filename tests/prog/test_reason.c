// SPDX-License-Identifier: GPL-2.0-only
/* test_reason.c - names of drop reasons: the kernel's own, and those of modules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/count.h"
#include "datapath/datapath.h"
#include "host/reason.h"
#include "net/netns.h"
#include "prog.h"
#include "shell.h"

static int setup(void **state)
{
	*state = fg_reasons_open(NULL);
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	fg_reasons_free(*state);
	return 0;
}

/* The kernel's number of a reason of its own; 0: it has none. */
static uint32_t own_code(struct fg_reasons *reasons, const char *name)
{
	for (uint32_t code = 1; code < 512; code++) {
		const char *text = fg_reasons_name(reasons, code);

		if (text && !strcmp(text, name))
			return code;
	}
	return 0;
}

static void test_own(void **state)
{
	/* Every kernel that flowgen runs on has these (include/net/dropreason-core.h). */
	static const char *const names[] = { "NOT_SPECIFIED", "NO_SOCKET", "NETFILTER_DROP" };

	for (size_t i = 0; i < COUNT(names); i++) {
		uint32_t code = own_code(*state, names[i]);

		assert_int_not_equal(code, 0);
		assert_null(fg_reasons_subsystem(*state, code));
	}
}

/* What the programs found out by themselves is what the BTF says. */
static void test_codes_of_the_judge(void **state)
{
	struct fg_error err;
	struct fg_datapath *dp = fg_datapath_open(0, FG_REPLIES_OFF, &err);
	struct fg_drop_codes codes;

	if (!dp)
		fail_msg("%s", err.message);
	codes = fg_datapath_codes(dp);
	fg_datapath_close(dp);
	assert_int_equal(codes.consumed, own_code(*state, "CONSUMED"));
	assert_int_equal(codes.not_specified, own_code(*state, "NOT_SPECIFIED"));
	assert_int_equal(codes.tc_egress, own_code(*state, "TC_EGRESS"));
	assert_int_equal(codes.tc_ingress, own_code(*state, "TC_INGRESS"));
	assert_int_equal(codes.xdp, own_code(*state, "XDP"));
	assert_int_not_equal(codes.not_specified, 0);
}

/* A packet that arrives waits for no BTF: what is known is told without reading it. */
static void test_known_without_reading(void **state)
{
	const struct fg_drop_codes codes = { 101, 102, 103, 104, 0 };
	struct fg_reasons *reasons = fg_reasons_open(NULL);

	(void)state;
	fg_reasons_know(reasons, &codes);
	/* Other numbers than the kernel has: they do not come from its BTF. */
	assert_string_equal(fg_reasons_name(reasons, 101), "CONSUMED");
	assert_string_equal(fg_reasons_name(reasons, 102), "NOT_SPECIFIED");
	assert_string_equal(fg_reasons_name(reasons, 103), "TC_EGRESS");
	assert_string_equal(fg_reasons_name(reasons, 104), "TC_INGRESS");
	assert_int_equal(fg_reasons_ready(reasons, 104, NULL), 0);
	fg_reasons_free(reasons);
}

static void test_unknown(void **state)
{
	assert_null(fg_reasons_name(*state, 511));
	assert_null(fg_reasons_name(*state, 65535));
	assert_null(fg_reasons_name(*state, 15U << 16 | 1));
	assert_null(fg_reasons_name(*state, UINT32_MAX));
	assert_null(fg_reasons_subsystem(*state, UINT32_MAX));
}

/* The code of a name in a subsystem, found by asking for all; 0: none. */
static uint32_t code_of(struct fg_reasons *reasons, const char *subsystem, const char *name)
{
	for (uint32_t code = 1U << 16; code < 16U << 16;
	     code += (code & 0xff) == 0xff ? 0xff01 : 1) {
		const char *whose = fg_reasons_subsystem(reasons, code);
		const char *text = fg_reasons_name(reasons, code);

		if (whose && text && !strcmp(whose, subsystem) && !strcmp(text, name))
			return code;
	}
	return 0;
}

static void test_openvswitch(void **state)
{
	uint32_t explicit_drop;

	if (shell_try(-1, "modprobe openvswitch") || access("/sys/kernel/btf/openvswitch", R_OK))
		prog_skip("this kernel has no module openvswitch with BTF");
	/* Linux 6.6 gave them reasons of their own. */
	explicit_drop = code_of(*state, "openvswitch", "OVS_DROP_EXPLICIT");
	if (!explicit_drop && shell_try(-1, "uname -r | grep -q '^6\\.1\\.'") == 0)
		prog_skip("this kernel's Open vSwitch gives no drop reasons");
	assert_true(explicit_drop >> 16 > 0);
	assert_true(code_of(*state, "openvswitch", "OVS_DROP_METER") > explicit_drop);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_own),	 T(test_codes_of_the_judge), T(test_known_without_reading),
		T(test_unknown), T(test_openvswitch),
	};

	return cmocka_run_group_tests_name("reason", tests, NULL, NULL);
}
