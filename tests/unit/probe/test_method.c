// SPDX-License-Identifier: GPL-2.0-only
/* test_method.c - which method is taken, by what the kernel does and what is on the path. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "probe/method.h"
#include "probe/names.h"
#include "traces.h"

#define AUTO FG_METHOD_AUTO
#define PEER_EGRESS FG_METHOD_PEER_EGRESS
#define BOUNCE FG_METHOD_BOUNCE
#define HOST_INGRESS FG_METHOD_HOST_INGRESS
#define POD_SOCKET FG_METHOD_POD_SOCKET
#define REFUSED (-1)

struct trial {
	/*
	 * e the kernel has BPF_F_EGRESS, t tcx; n netkit, b bridged; q queueing discipline, f
	 * filters, c netfilter chains and g generic XDP in the pod
	 */
	const char *facts;
	const char *ladder; /* see traces_ladder() */
	enum fg_method wanted;
	int taken;
	const char *why; /* in what is said; NULL: nothing is */
};

static const struct trial trials[] = {
	{ "et", "", AUTO, PEER_EGRESS, NULL },
	{ "et", "EKXI", AUTO, PEER_EGRESS, NULL },
	{ "etn", "K", AUTO, PEER_EGRESS, NULL },
	{ "t", "", AUTO, HOST_INGRESS, "BPF_F_EGRESS" },
	{ "t", "Ii", AUTO, HOST_INGRESS, "BPF_F_EGRESS" },
	{ "t", "x", AUTO, HOST_INGRESS, "BPF_F_EGRESS" },
	{ "et", "x", AUTO, HOST_INGRESS, "generic XDP on the primary" },
	{ "t", "E", AUTO, BOUNCE, "bypasses the egress programs" },
	{ "t", "X", AUTO, BOUNCE, "bypasses native XDP" },
	{ "tq", "", AUTO, BOUNCE, "bypasses the queueing discipline" },
	{ "tf", "", AUTO, BOUNCE, "bypasses the egress programs" },
	{ "tn", "", AUTO, BOUNCE, "bypasses the netkit programs" },
	{ "tn", "EKI", AUTO, BOUNCE, "bypasses the netkit programs" },
	{ "", "E", AUTO, POD_SOCKET, "no tcx" },
	{ "n", "K", AUTO, POD_SOCKET, "no tcx" },
	{ "t", "Ex", AUTO, POD_SOCKET, "generic XDP on the primary" },
	{ "et", "Ex", AUTO, POD_SOCKET, "generic XDP on the primary" },
	{ "etc", "", AUTO, POD_SOCKET, "bypasses the netfilter chains" },
	{ "tb", "E", AUTO, BOUNCE, "bypasses the egress programs" },
	{ "tb", "EI", AUTO, POD_SOCKET, "hides a redirect" },
	{ "tb", "EI", BOUNCE, BOUNCE, "hides a redirect" },
	{ "etb", "EI", AUTO, PEER_EGRESS, NULL },
	{ "tg", "E", AUTO, POD_SOCKET, "generic XDP on the pod's device" },
	{ "tg", "", AUTO, HOST_INGRESS, "BPF_F_EGRESS" },
	{ "etg", "E", AUTO, PEER_EGRESS, NULL },

	{ "", "", PEER_EGRESS, REFUSED, "peer-egress: this kernel's" },
	{ "ec", "", PEER_EGRESS, REFUSED, "netfilter chains" },
	{ "t", "", BOUNCE, BOUNCE, NULL },
	{ "et", "EKXI", BOUNCE, BOUNCE, NULL },
	{ "e", "", BOUNCE, REFUSED, "bounce: this kernel has no tcx" },
	{ "t", "x", BOUNCE, REFUSED, "generic XDP on the primary" },
	{ "tc", "", BOUNCE, REFUSED, "netfilter chains" },
	{ "tg", "", BOUNCE, REFUSED, "generic XDP on the pod's device" },
	{ "t", "E", HOST_INGRESS, HOST_INGRESS, "bypasses the egress programs" },
	{ "tn", "", HOST_INGRESS, REFUSED, "bypasses the netkit programs" },
	{ "", "EKXxI", POD_SOCKET, POD_SOCKET, NULL },
	{ "ncg", "EKxI", POD_SOCKET, POD_SOCKET, NULL },
};

static void prepare(const struct trial *t, struct fg_ladder *ladder, struct fg_method_facts *facts)
{
	traces_ladder(ladder, t->ladder);
	ladder->tcx = strchr(t->facts, 't');
	ladder->pod_qdisc = strchr(t->facts, 'q');
	ladder->pod_filters = strchr(t->facts, 'f');
	ladder->pod_netfilter = strchr(t->facts, 'c');
	ladder->pod_xdp = strchr(t->facts, 'g');
	*facts = (struct fg_method_facts){ .ladder = ladder,
					   .egress_redirect = strchr(t->facts, 'e'),
					   .netkit = strchr(t->facts, 'n'),
					   .bridged = strchr(t->facts, 'b') };
}

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(trials); i++) {
		const struct trial *t = &trials[i];
		enum fg_method method = AUTO;
		struct fg_method_facts facts;
		struct fg_ladder ladder;
		struct fg_error err = {};
		const char *why;
		int ret;

		prepare(t, &ladder, &facts);
		ret = fg_method_choose(&facts, t->wanted, &method, &why, &err);
		if (ret)
			why = err.message;
		if ((ret ? REFUSED : (int)method) != t->taken ||
		    (t->why ? !why || !strstr(why, t->why) : why != NULL) ||
		    (ret && err.kind != FG_ERR_UNSUPPORTED))
			fail_msg("\"%s\" with \"%s\", %s: %s, %s", t->facts, t->ladder,
				 fg_method_name(t->wanted),
				 ret ? "refused" : fg_method_name(method),
				 why ? why : "nothing is said");
		fg_ladder_free(&ladder);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_table) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
