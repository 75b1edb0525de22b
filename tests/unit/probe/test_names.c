// SPDX-License-Identifier: GPL-2.0-only
/*
 * The words: each has a name of its own, is found by it, and return values read as the kernel reads
 * them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "probe/names.h"

struct reading {
	enum fg_hook hook;
	int retval;
	enum fg_effect effect;
	const char *name;
};

static const struct reading readings[] = {
	{ FG_HOOK_TCX_EGRESS, -1, FG_EFFECT_NEXT, "TCX_NEXT" },
	{ FG_HOOK_TCX_INGRESS, 0, FG_EFFECT_PASS, "TCX_PASS" },
	{ FG_HOOK_TCX_INGRESS, 2, FG_EFFECT_DROP, "TCX_DROP" },
	{ FG_HOOK_TCX_EGRESS, 7, FG_EFFECT_REDIRECT, "TCX_REDIRECT" },
	/*
	 * tcx_action_code(): what it does not know is NEXT, so TC_ACT_STOLEN steals nothing there.
	 */
	{ FG_HOOK_TCX_INGRESS, 4, FG_EFFECT_NEXT, "TCX_NEXT" },
	{ FG_HOOK_TCX_INGRESS, 1234, FG_EFFECT_NEXT, "TCX_NEXT" },
	{ FG_HOOK_TC_EGRESS, -1, FG_EFFECT_NEXT, "TC_ACT_UNSPEC" },
	{ FG_HOOK_TC_INGRESS, 0, FG_EFFECT_PASS, "TC_ACT_OK" },
	{ FG_HOOK_TC_INGRESS, 2, FG_EFFECT_DROP, "TC_ACT_SHOT" },
	{ FG_HOOK_TC_EGRESS, 4, FG_EFFECT_TAKEN, "TC_ACT_STOLEN" },
	{ FG_HOOK_TC_EGRESS, 7, FG_EFFECT_REDIRECT, "TC_ACT_REDIRECT" },
	{ FG_HOOK_TC_EGRESS, 8, FG_EFFECT_TAKEN, "TC_ACT_TRAP" },
	/* cls_bpf_exec_opcode(): RECLASSIFY, PIPE, QUEUED and REPEAT are UNSPEC. */
	{ FG_HOOK_TC_INGRESS, 1, FG_EFFECT_NEXT, "TC_ACT_UNSPEC" },
	{ FG_HOOK_TC_INGRESS, 3, FG_EFFECT_NEXT, "TC_ACT_UNSPEC" },
	{ FG_HOOK_TC_INGRESS, 5, FG_EFFECT_NEXT, "TC_ACT_UNSPEC" },
	{ FG_HOOK_TC_INGRESS, 6, FG_EFFECT_NEXT, "TC_ACT_UNSPEC" },
	{ FG_HOOK_NETKIT_PEER, -1, FG_EFFECT_NEXT, "NETKIT_NEXT" },
	{ FG_HOOK_NETKIT_PEER, 0, FG_EFFECT_PASS, "NETKIT_PASS" },
	{ FG_HOOK_NETKIT_PEER, 2, FG_EFFECT_DROP, "NETKIT_DROP" },
	{ FG_HOOK_NETKIT_PEER, 7, FG_EFFECT_REDIRECT, "NETKIT_REDIRECT" },
	/* netkit_xmit(): every other value drops. */
	{ FG_HOOK_NETKIT_PEER, 1, FG_EFFECT_DROP, "NETKIT_DROP" },
	{ FG_HOOK_XDP, 0, FG_EFFECT_DROP, "XDP_ABORTED" },
	{ FG_HOOK_XDP, 1, FG_EFFECT_DROP, "XDP_DROP" },
	{ FG_HOOK_XDP, 2, FG_EFFECT_PASS, "XDP_PASS" },
	{ FG_HOOK_XDP, 3, FG_EFFECT_REDIRECT, "XDP_TX" },
	{ FG_HOOK_XDP, 4, FG_EFFECT_REDIRECT, "XDP_REDIRECT" },
	{ FG_HOOK_XDP, 77, FG_EFFECT_DROP, "XDP_ABORTED" },
};

static void test_return_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(readings); i++) {
		const struct reading *r = &readings[i];
		const char *name = NULL;

		assert_int_equal(fg_action_read(r->hook, r->retval, &name), r->effect);
		assert_string_equal(name, r->name);
		assert_int_equal(fg_action_read(r->hook, r->retval, NULL), r->effect);
	}
}

static void test_hooks_and_sides(void **state)
{
	(void)state;
	assert_string_equal(fg_hook_name(FG_HOOK_TCX_EGRESS), "tcx/egress");
	assert_string_equal(fg_hook_name(FG_HOOK_TC_EGRESS), "tc/egress");
	assert_string_equal(fg_hook_name(FG_HOOK_NETKIT_PEER), "netkit/peer");
	assert_string_equal(fg_hook_name(FG_HOOK_XDP), "xdp");
	assert_string_equal(fg_hook_name(FG_HOOK_TCX_INGRESS), "tcx/ingress");
	assert_string_equal(fg_hook_name(FG_HOOK_TC_INGRESS), "tc/ingress");
	assert_string_equal(fg_side_name(FG_SIDE_POD), "pod");
	assert_string_equal(fg_side_name(FG_SIDE_HOST), "host");
}

static void test_all_values_have_names(void **state)
{
	(void)state;
	for (int i = 0; i <= FG_VERDICT_NONE; i++)
		assert_non_null(fg_verdict_name((enum fg_verdict)i));
	for (int i = 0; i < FG_OUTCOMES; i++)
		assert_non_null(fg_outcome_name((enum fg_outcome)i));
	for (int i = 0; i <= FG_EVIDENCE_FEXIT; i++)
		assert_non_null(fg_evidence_name((enum fg_evidence)i));
	assert_string_equal(fg_verdict_name(FG_VERDICT_NONE), "none");
	assert_string_equal(fg_outcome_name(FG_OUTCOME_INCONCLUSIVE), "inconclusive");
	assert_string_equal(fg_evidence_name(FG_EVIDENCE_DROP_REASON), "drop-reason");
}

static void test_words_are_found_again(void **state)
{
	struct fg_error err = {};
	enum fg_method method;
	enum fg_expect expect;

	(void)state;
	for (int i = 0; i <= FG_METHOD_POD_SOCKET; i++) {
		assert_int_equal(fg_method_parse("--method", fg_method_name((enum fg_method)i),
						 &method, &err),
				 0);
		assert_int_equal(method, i);
	}
	assert_int_equal(fg_expect_parse("--expect", "denied", &expect, &err), 0);
	assert_int_equal(expect, FG_EXPECT_DENY);
	for (int i = FG_EXPECT_ALLOW; i <= FG_EXPECT_ALLOWED; i++) {
		assert_int_equal(fg_expect_parse("--expect", fg_expect_name((enum fg_expect)i),
						 &expect, &err),
				 0);
		assert_int_equal(expect, i);
	}
}

static void test_other_words_are_refused(void **state)
{
	static const char *const words[] = { "", "Deny", "deny ", " deny", "nothing" };
	enum fg_expect expect = FG_EXPECT_DROPPED;
	enum fg_method method = FG_METHOD_AUTO;
	struct fg_error err = {};

	(void)state;
	for (size_t i = 0; i < COUNT(words); i++) {
		assert_int_equal(fg_expect_parse("--expect", words[i], &expect, &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		assert_int_equal(expect, FG_EXPECT_DROPPED);
	}
	assert_string_equal(err.message,
			    "--expect: must be allow, allowed, deny, denied, delivered, "
			    "forwarded, dropped or not-sent, not \"nothing\"");
	assert_int_equal(fg_method_parse("--method", "peer", &method, &err), -1);
	assert_string_equal(err.message,
			    "--method: must be auto, peer-egress, bounce, host-ingress or "
			    "pod-socket, not \"peer\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_return_values),
		cmocka_unit_test(test_hooks_and_sides),
		cmocka_unit_test(test_all_values_have_names),
		cmocka_unit_test(test_words_are_found_again),
		cmocka_unit_test(test_other_words_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
