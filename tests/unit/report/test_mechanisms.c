// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_mechanisms.c - the node's other mechanisms: what can deny and what translates, as text; the
 * tables of IPVS as the kernel prints them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>

#include "base/count.h"
#include "node/ipvs.h"
#include "listing/mechanisms.h"

static const char services[] =
	"IP Virtual Server version 1.2.1 (size=4096)\n"
	"Prot LocalAddress:Port Scheduler Flags\n"
	"  -> RemoteAddress:Port Forward Weight ActiveConn InActConn\n"
	"UDP  0A600A0A:0035 rr \n"
	"  -> 0A000005:0035      Masq    1      0          0         \n"
	"TCP  0A600A0A:0035 rr \n"
	"  -> 0A000007:1F90      Masq    1      0          0         \n"
	"  -> 0A000006:1F90      Masq    0      0          0         \n"
	"  -> 0A000008:1F91      Masq    3      1          0         \n"
	"TCP  [2001:0db8:0000:0000:0000:0000:0000:0001]:0050 rr \n"
	"  -> [2001:0db8:0000:0000:0000:0000:0000:0002]:1F90      Masq    1      0          0\n"
	"FWM  00000007 rr \n"
	"  -> 0A000009:0000      Masq    1      0          0         \n";

static const char connections[] =
	"Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n"
	"TCP 0A000102 9C40 0A600A0A 0035 0A000008 1F91 ESTABLISHED     899\n"
	"TCP 0A000102 9C41 0A600A0A 0035 0A000007 1F90 SYN_RECV         59\n";

static struct fg_flow flow(const char *dst, uint8_t protocol, uint16_t sport, uint16_t dport)
{
	struct fg_flow f = { .protocol = protocol, .sport = sport, .dport = dport };

	f.family = f.src.family = f.dst.family = strchr(dst, ':') ? AF_INET6 : AF_INET;
	inet_pton(f.family, dst, f.dst.bytes);
	inet_pton(AF_INET, "10.0.1.2", f.src.bytes);
	return f;
}

/* Each service of the flow's destination, as text, with where all of its backends are. */
static const char *find(const struct fg_flow *f, bool connected)
{
	static char text[512];
	struct fg_ipvs_services found;
	FILE *s = fmemopen((void *)services, strlen(services), "r");
	FILE *c = fmemopen((void *)connections, strlen(connections), "r");
	char service[FG_IPVS_TEXT_LEN], addr[FG_ADDR_TEXT_LEN];
	size_t len = 0;

	assert_int_equal(fg_ipvs_read(s, connected ? c : NULL, &f->dst, f, &found), 0);
	text[0] = '\0';
	for (size_t i = 0; i < found.count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s; all at %s",
					i ? "\n" : "",
					fg_ipvs_text(&found.list[i], service, sizeof(service)),
					fg_addr_text(&found.list[i].only, addr, sizeof(addr)));
	fg_ipvs_free(&found);
	fclose(s);
	fclose(c);
	return text;
}

static void test_ipvs(void **state)
{
	struct fg_flow f = flow("10.96.10.10", IPPROTO_TCP, 40000, 53);

	(void)state;
	assert_string_equal(find(&f, false), "udp 10.96.10.10:53 (rr, 1 backend); all at 10.0.0.5\n"
					     "tcp 10.96.10.10:53 (rr, 2 backends); all at -");
	/* Where the connection goes. */
	assert_string_equal(find(&f, true),
			    "udp 10.96.10.10:53 (rr, 1 backend); all at 10.0.0.5\n"
			    "tcp 10.96.10.10:53 (rr, 2 backends), to 10.0.0.8:8081; all at -");
	f.sport = 40001;
	assert_non_null(strstr(find(&f, true), "(rr, 2 backends), to 10.0.0.7:8080"));
	f.sport = 40002;
	assert_null(strstr(find(&f, true), ", to"));
	f = flow("10.96.10.11", IPPROTO_TCP, 40000, 53);
	assert_string_equal(find(&f, true), "");
	f = flow("2001:db8::1", IPPROTO_TCP, 40000, 80);
	assert_string_equal(find(&f, true),
			    "tcp [2001:db8::1]:80 (rr, 1 backend); all at 2001:db8::2");
}

static struct fg_hooks_entry chain(uint8_t family, uint8_t table, const char *type, uint32_t rules,
				   bool drops)
{
	struct fg_hooks_entry e = { .kind = FG_HOOKS_NFT,
				    .family = family,
				    .hook = NF_INET_FORWARD,
				    .table_family = table,
				    .table = "t",
				    .chain = "c",
				    .rules = rules,
				    .drops = drops };

	snprintf(e.type, sizeof(e.type), "%s", type);
	return e;
}

static void test_what_can_deny(void **state)
{
	static const struct {
		const char *type;
		uint32_t rules;
		bool drops, denies, translates;
	} cases[] = { { "filter", 0, false, false, false }, { "filter", 1, false, true, false },
		      { "filter", 0, true, true, false },   { "route", 2, false, true, false },
		      { "nat", 3, false, false, true },	    { "nat", 0, false, false, false },
		      { "nat", 0, true, true, false } };

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct fg_hooks_entry e = chain(NFPROTO_IPV4, NFPROTO_IPV4, cases[i].type,
						      cases[i].rules, cases[i].drops);

		assert_int_equal(fg_hooks_is_policy(&e), cases[i].denies);
		assert_int_equal(fg_hooks_translates(&e), cases[i].translates);
	}
}

static void test_text(void **state)
{
	struct fg_hooks_entry list[] = {
		chain(NFPROTO_IPV4, NFPROTO_INET, "filter", 1, false),
		chain(NFPROTO_IPV6, NFPROTO_INET, "filter", 1, false),
		chain(NFPROTO_IPV4, NFPROTO_IPV4, "filter", 0, false),
		{ .kind = FG_HOOKS_BPF,
		  .family = NFPROTO_IPV6,
		  .hook = NF_INET_LOCAL_IN,
		  .program = 7,
		  .elsewhere = true },
	};
	struct fg_mechanisms_switch ovs = { .device = "ovs-system", .ports = 1 };
	struct fg_mechanisms_qdisc tbf = { .device = "eth0", .kind = "tbf", .drops = 3 };
	const struct fg_mechanisms m = { .hooks = { list, COUNT(list), true },
					 .switches = &ovs,
					 .switch_count = 1,
					 .services = 2,
					 .backends = 1,
					 .qdiscs = &tbf,
					 .qdisc_count = 1 };
	struct fg_buffer out = {};
	static const char expected[] =
		"  netfilter           inet forward       can deny: nft inet t c (1 rule)\n"
		"                      ip6 input          can deny: BPF program 7 (in this or "
		"another namespace)\n"
		"  Open vSwitch        ovs-system: 1 port\n"
		"  IPVS                2 services, 1 backend\n"
		"  qdiscs              eth0: tbf, 3 dropped\n";
	json_t *root = fg_mechanisms_json(&m);

	(void)state;
	fg_mechanisms_text(&m, &out);
	fg_buffer_put(&out, "", 1);
	assert_string_equal(out.data, expected);
	fg_buffer_free(&out);
	assert_non_null(root);
	assert_int_equal(
		json_array_size(json_object_get(json_object_get(root, "netfilter"), "hooks")),
		COUNT(list));
	json_decref(root);
}

static void test_nothing(void **state)
{
	const struct fg_mechanisms m = {};
	struct fg_buffer out = {};

	(void)state;
	fg_mechanisms_text(&m, &out);
	fg_buffer_put(&out, "", 1);
	assert_non_null(
		strstr(out.data, "netfilter           nothing that denies or translates\n"));
	assert_non_null(strstr(out.data, "IPVS                no service\n"));
	fg_buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ipvs),
		cmocka_unit_test(test_what_can_deny),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests_name("mechanisms", tests, NULL, NULL);
}
