// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_stated.c - what policy programs say themselves: programs of our own (tests/bpf/stated.bpf.c)
 * that count, write events and enter connections as network plugins do, run for real, and what is
 * made of it.
 */
#include <arpa/inet.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <bpf/bpf.h>

#include "base/count.h"
#include "cni/cni.h"
#include "cni/show.h"
#include "datapath/datapath.h"
#include "datapath/stop.h"
#include "host/capability.h"
#include "host/reason.h"
#include "net/netns.h"
#include "prog.h"
#include "shell.h"
#include "stated/fill.h"
#include "stated/internal.h"
#include "stated/watch.h"
#include "tests/bpf/stated.h"

#define COOKIE 7
#define PROBE 12345
#define GENERATION 3
#define FRAME_BYTES 60

struct bench {
	struct bpf_object *policy;
	struct fg_stated_watch *watch;
	struct fg_stated_packet packet;
	struct fg_stated stated;
};

static uint32_t program_id(const struct bpf_object *obj, const char *name)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	assert_int_equal(bpf_prog_get_info_by_fd(prog_fd(obj, name), &info, &len), 0);
	return info.id;
}

static struct fg_stated_packet packet_of_frame(void)
{
	return (struct fg_stated_packet){
		.flow = { .family = AF_INET,
			  .protocol = IPPROTO_UDP,
			  .src = { AF_INET, { 10, 9, 1, 2 } },
			  .dst = { AF_INET, { 10, 9, 0, 9 } },
			  .sport = 4000,
			  .dport = 53 },
		.length = FRAME_BYTES - 14,
		.probe = PROBE,
		.generation = GENERATION,
	};
}

/* The rule that the callee counts in, and the counters without types, as their owner makes them. */
static void fill_maps(const struct bench *b)
{
	static const struct {
		uint32_t prefixlen, label;
		uint8_t egress, protocol;
		uint16_t dport;
	} rule = { 64, 1002, 0, IPPROTO_UDP, 0x3500 };
	static const uint8_t value[24];
	static const uint32_t interface[2] = { 12, 0 };
	uint8_t *zero = calloc((size_t)libbpf_num_possible_cpus(), 160);
	uint32_t slot = 3;
	int callee = prog_fd(b->policy, "stated_callee");

	assert_non_null(zero);
	assert_int_equal(bpf_map_update_elem(prog_map_fd(b->policy, "steps"), &slot, &callee, 0),
			 0);
	assert_int_equal(
		bpf_map_update_elem(prog_map_fd(b->policy, "cilium_policy_t"), &rule, value, 0), 0);
	assert_int_equal(bpf_map_update_elem(prog_map_fd(b->policy, "cali_counters3"), interface,
					     zero, 0),
			 0);
	free(zero);
}

/* tracked: the table of tracked packets, or -1: one of its own. */
static void bench_open_with(struct bench *b, int tracked, struct fg_stated_tracer *tracer)
{
	uint32_t id;

	memset(b, 0, sizeof(*b));
	b->policy = bpf_object__open_file(FLOWGEN_BUILD_DIR "/tests/bpf/stated.bpf.o", NULL);
	assert_non_null(b->policy);
	if (tracked >= 0)
		assert_int_equal(
			bpf_map__reuse_fd(bpf_object__find_map_by_name(b->policy, "tracked"),
					  tracked),
			0);
	prog_load(b->policy);
	fill_maps(b);
	b->packet = packet_of_frame();
	id = program_id(b->policy, "stated_entry");
	b->watch = fg_stated_watch_open(&id, 1, NULL);
	assert_non_null(b->watch);
	assert_true(fg_stated_watch_writes_perf(b->watch));
	fg_stated_watch_trace(b->watch, tracer);
}

static void bench_open(struct bench *b)
{
	bench_open_with(b, -1, NULL);
}

static void bench_close(struct bench *b)
{
	fg_stated_watch_close(b->watch);
	bpf_object__close(b->policy);
}

static void set(const struct bench *b, const struct stated_want *want)
{
	prog_set_variable(b->policy, "want", want, sizeof(*want));
}

static void run(struct bench *b, const struct stated_want *want)
{
	const struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);

	set(b, want);
	assert_int_equal(prog_run(prog_fd(b->policy, "stated_entry"), &frame, sizeof(frame), NULL),
			 want->returns);
}

/* One packet, and what is said of it. */
static void ask(struct bench *b, const struct stated_want *want)
{
	/* Not between: it stands in a map too. */
	set(b, want);
	assert_int_equal(fg_stated_watch_before(b->watch, &b->packet, NULL), 0);
	run(b, want);
	assert_int_equal(fg_stated_watch_after(b->watch, &b->packet, &b->stated, NULL), 0);
}

static void expect_text(const struct bench *b, const char *text)
{
	char buf[FG_CNI_SHOW_LEN];

	assert_string_equal(fg_cni_show_text(&b->stated, false, buf, sizeof(buf)), text);
}

static const struct fg_stated_counter *find(const struct bench *b, const char *map,
					    const char *member)
{
	for (uint32_t i = 0; i < b->stated.counter_count; i++)
		if (!strcmp(b->stated.counters[i].map.name, map) &&
		    !strcmp(b->stated.counters[i].member, member))
			return &b->stated.counters[i];
	return NULL;
}

static void expect_counter(const struct bench *b, const char *map, const char *key,
			   const char *member, uint64_t delta)
{
	const struct fg_stated_counter *c = find(b, map, member);

	if (!c)
		fail_msg("no counter %s %s", map, member);
	assert_string_equal(c->key.text, key);
	assert_int_equal(c->after - c->before, delta);
	assert_int_equal(c->bytes, delta != 1);
}

/* In every kind of map, new and old entries; by the maps' own types; and no scratch space. */
static void test_counters(void **state)
{
	const struct stated_want want = { .traits = STATED_COUNT, .reason = 133, .returns = 2 };
	struct bench b;

	(void)state;
	bench_open(&b);
	for (int i = 0; i < 2; i++) {
		ask(&b, &want);
		expect_counter(&b, "cilium_metrics", "reason 133, dir 1, line 77, file 2", "count",
			       1);
		expect_counter(&b, "cilium_metrics", "reason 133, dir 1, line 77, file 2", "bytes",
			       FRAME_BYTES);
		expect_counter(&b, "cilium_policy_t",
			       "prefixlen 64, sec_label 1002, egress 0, protocol 17, dport 53",
			       "packets", 1);
		expect_counter(&b, "totals", "1", "", 1);
		expect_counter(&b, "stated.bss", "0", "packets_seen", 1);
		assert_null(find(&b, "scratch", "calls"));
		assert_int_equal(b.stated.counter_count, 6);
		assert_int_equal(b.stated.entry_count, 0);
		assert_int_equal(b.stated.says, FG_STATED_DENIED);
		expect_text(&b, "Cilium: policy denied (133), entry for ingress udp port 53 of "
				"identity 1002, ingress");
	}
	bench_close(&b);
}

/* What nobody knows is shown by its counter; what nothing is said of, by nothing. */
static void test_unknown_plugin(void **state)
{
	const struct stated_want silent = { .returns = 2 };
	struct fg_stated *s;
	struct bench b;

	(void)state;
	bench_open(&b);
	ask(&b, &silent);
	assert_true(fg_stated_is_empty(&b.stated));
	expect_text(&b, "");
	ask(&b, &(struct stated_want){ .traits = STATED_COUNT, .reason = 3, .returns = 2 });
	s = &b.stated;
	for (uint32_t i = 0; i < s->counter_count; i++)
		snprintf(s->counters[i].map.name, sizeof(s->counters[i].map.name), "%s",
			 i ? "my_passes" : "my_drops");
	fg_cni_read(s, &b.packet);
	assert_null(s->who);
	for (uint32_t i = 0; i < s->counter_count; i++)
		snprintf(s->counters[i].key.text, sizeof(s->counters[i].key.text), "reason %u", i);
	assert_non_null(strstr(fg_cni_show_text(s, false, (char[200]){ 0 }, 200), "my_drops"));
	bench_close(&b);
}

/* Traffic of others: what moved by more than one packet is not believed, and said to be busy. */
static void test_others(void **state)
{
	const struct stated_want busy = { .traits = STATED_COUNT | STATED_OTHERS,
					  .reason = 133,
					  .returns = 2 };
	const struct stated_want quiet = { .traits = STATED_COUNT, .reason = 133, .returns = 2 };
	struct fg_stated *first = calloc(1, sizeof(*first));
	struct bench b;

	(void)state;
	bench_open(&b);
	ask(&b, &quiet);
	ask(&b, &busy);
	assert_null(find(&b, "cilium_metrics", "count"));
	assert_null(b.stated.who);
	assert_true(b.stated.others > 0);
	/* A packet of somebody else moves what ours does not: gone when asked again. */
	assert_int_equal(fg_stated_watch_before(b.watch, &b.packet, NULL), 0);
	run(&b, &(struct stated_want){ .traits = STATED_RULES, .returns = 2 });
	run(&b, &quiet);
	assert_int_equal(fg_stated_watch_after(b.watch, &b.packet, first, NULL), 0);
	assert_int_equal(first->counter_count, 8);
	ask(&b, &quiet);
	fg_stated_repeat(first, &b.stated);
	assert_true(first->repeated);
	assert_int_equal(first->counter_count, 5);
	free(first);
	bench_close(&b);
}

/* The connection that the packet enters; a later packet of it is no news. */
static void test_state(void **state)
{
	const struct stated_want want = { .traits = STATED_CONNECT, .returns = 0 };
	struct bench b;

	(void)state;
	bench_open(&b);
	ask(&b, &want);
	assert_int_equal(b.stated.entry_count, 1);
	assert_string_equal(b.stated.entries[0].map.name, "connections");
	assert_string_equal(b.stated.entries[0].key.text,
			    "daddr 10.9.0.9, saddr 10.9.1.2, dport 53, sport 4000, nexthdr 17, "
			    "flags 0");
	assert_int_equal(b.stated.counter_count, 0);
	ask(&b, &want);
	assert_int_equal(b.stated.entry_count, 0);
	assert_int_equal(b.stated.counter_count, 0);
	/* Somebody else's connection is none of this packet's. */
	b.packet.flow.src.bytes[0] = b.packet.flow.dst.bytes[0] = 11;
	assert_int_equal(fg_stated_watch_before(b.watch, &b.packet, NULL), 0);
	prog_map_clear(b.policy, "connections");
	run(&b, &want);
	assert_int_equal(fg_stated_watch_after(b.watch, &b.packet, &b.stated, NULL), 0);
	assert_int_equal(b.stated.entry_count, 0);
	bench_close(&b);
}

/* Tables too big to be read are asked for the packet's own entry, however it is keyed. */
static void test_big_tables(void **state)
{
	const struct stated_want want = { .traits = STATED_TABLES, .returns = 0 };
	struct bench b;

	(void)state;
	bench_open(&b);
	ask(&b, &want);
	assert_int_equal(b.stated.entry_count, 2);
	for (uint32_t i = 0; i < 2; i++)
		assert_string_equal(b.stated.entries[i].key.text,
				    !strcmp(b.stated.entries[i].map.name, "big_connections")
					    ? "daddr 10.9.0.9, saddr 10.9.1.2, dport 4000, sport "
					      "53, nexthdr 17, flags 1"
					    : "src_ip 10.9.1.2, src_port 4000, dest_ip 10.9.0.9, "
					      "dest_port 53, protocol 17, owner_addr 10.9.0.9");
	ask(&b, &want);
	assert_int_equal(b.stated.entry_count, 0);
	bench_close(&b);
}

static void test_skipped(void **state)
{
	uint32_t programs, maps;
	struct bench b;

	(void)state;
	bench_open(&b);
	fg_stated_watch_size(b.watch, &programs, &maps);
	assert_int_equal(programs, 2);
	assert_true(maps >= 12);
	ask(&b, &(struct stated_want){ .returns = 0 });
	assert_int_equal(b.stated.skipped_count, 3);
	assert_string_equal(b.stated.skipped[2].map.name, "everything");
	assert_string_equal(b.stated.skipped[2].why, "too big");
	assert_false(b.stated.traced);
	bench_close(&b);
}

static int count_record(void *arg, void *data, size_t size)
{
	(void)data;
	*(size_t *)arg += size;
	return 0;
}

/* Records are seen where they are, and the one who reads them still finds them all. */
static void test_ring(void **state)
{
	const struct stated_want want = { .traits = STATED_FLOW, .returns = 2 };
	struct ring_buffer *reader;
	size_t bytes = 0;
	struct bench b;

	(void)state;
	bench_open(&b);
	reader = ring_buffer__new(prog_map_fd(b.policy, "policy_events"), count_record, &bytes,
				  NULL);
	assert_non_null(reader);
	run(&b, &want);
	ask(&b, &want);
	assert_int_equal(b.stated.event_count, 1);
	assert_int_equal(b.stated.events[0].source, FG_STATED_FROM_RING);
	assert_true(b.stated.events[0].ours && b.stated.events[0].known);
	assert_int_equal(b.stated.events[0].length, 32);
	expect_text(&b, "AWS network policy agent: denied, network policy tier, ingress");
	assert_int_equal(ring_buffer__consume(reader), 2);
	assert_int_equal(bytes, 64);
	/* Many times round, with a reader and without: then the writer finds no room. */
	for (int i = 0; i < 300; i++) {
		ask(&b, &want);
		assert_int_equal(b.stated.event_count, 1);
		ring_buffer__consume(reader);
	}
	for (int i = 0; i < 200; i++)
		run(&b, &want);
	ask(&b, &want);
	assert_int_equal(b.stated.event_count, 0);
	ring_buffer__free(reader);
	bench_close(&b);
}

/* Among others' records only those with the packet's addresses; alone, one that nobody knows too.
 */
static void test_ring_of_others(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	ask(&b, &(struct stated_want){ .traits = STATED_UNKNOWN, .returns = 2 });
	assert_int_equal(b.stated.event_count, 1);
	assert_false(b.stated.events[0].ours || b.stated.events[0].known);
	expect_text(&b, "an event of 8 bytes in policy_events");
	ask(&b, &(struct stated_want){
			.traits = STATED_UNKNOWN | STATED_FLOW, .verdict = 1, .returns = 0 });
	assert_int_equal(b.stated.event_count, 1);
	assert_true(b.stated.events[0].ours);
	assert_int_equal(b.stated.says, FG_STATED_ALLOWED);
	bench_close(&b);
}

static void test_numbered(void **state)
{
	struct bench b;

	(void)state;
	bench_open(&b);
	for (int i = 0; i < 2; i++) {
		ask(&b, &(struct stated_want){ .traits = STATED_RULES, .returns = 2 });
		assert_int_equal(b.stated.counter_count, 3);
		expect_counter(&b, "cali_counters3", "12", "+32", 1);
		expect_text(&b, "Calico: dropped by policy (4), rule 0x0123456789abcdef");
	}
	bench_close(&b);
}

/* --- perf events: only where this kernel allows fentry --- */

struct traced {
	struct fg_datapath *dp;
	struct fg_stated_tracer *tracer;
	struct bench bench;
};

static void traced_open(struct traced *t)
{
	const struct prog_track seed = { .probe = PROBE, .generation = GENERATION };
	struct fg_error err = {};

	t->dp = fg_datapath_open(0, FG_REPLIES_OFF, &err);
	if (!t->dp)
		fail_msg("%s", err.message);
	while (fg_datapath_begin_window(t->dp, 0) != GENERATION)
		fg_datapath_end_window(t->dp, 0);
	t->tracer = fg_stated_tracer_open(t->dp, &err);
	if (!t->tracer) {
		assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
		fg_datapath_close(t->dp);
		prog_skip("%s", err.message);
	}
	bench_open_with(&t->bench, fg_datapath_maps(t->dp).tracked, t->tracer);
	prog_set_variable(t->bench.policy, "seed", &seed, sizeof(seed));
}

static void traced_close(struct traced *t)
{
	bench_close(&t->bench);
	fg_stated_tracer_close(t->tracer);
	fg_datapath_close(t->dp);
}

static void test_perf_event(void **state)
{
	const struct stated_want want = { .traits = STATED_NOTIFY | STATED_COUNT,
					  .reason = 133,
					  .returns = 2 };
	struct traced t;

	(void)state;
	traced_open(&t);
	ask(&t.bench, &want);
	assert_true(t.bench.stated.traced);
	assert_int_equal(t.bench.stated.event_count, 1);
	assert_int_equal(t.bench.stated.events[0].length, 36);
	assert_string_equal(t.bench.stated.events[0].map.name, "cilium_events");
	assert_true(t.bench.stated.events[0].ours && t.bench.stated.events[0].known);
	assert_string_equal(t.bench.stated.callee.name, "stated_callee");
	assert_int_equal(t.bench.stated.callee.id, program_id(t.bench.policy, "stated_callee"));
	expect_text(
		&t.bench,
		"Cilium: policy denied (133), identity 1001 -> 1002, entry for ingress udp port "
		"53 of identity 1002, ingress of endpoint 102, in stated_callee");
	/* Another window's packet is another packet. */
	t.bench.packet.generation++;
	ask(&t.bench, &want);
	assert_int_equal(t.bench.stated.event_count, 0);
	traced_close(&t);
}

/* --- a pod's own packet, on a pair of devices --- */

struct pods {
	int node, pod;
	int link;
};

/*
 * A device that comes up asks for routers and groups, and tests its address, for seconds: on a slow
 * machine one of these packets was counted between the two looks.
 */
static const char no_ipv6[] =
	"f=/proc/sys/net/ipv6/conf/all/disable_ipv6; [ ! -e $f ] || echo 1 > $f";

static void pods_open(struct pods *p, const struct bench *b)
{
	struct fg_error err = {};
	int back, ifindex;

	p->node = fg_netns_create(&err);
	p->pod = fg_netns_create(&err);
	assert_true(p->node >= 0 && p->pod >= 0);
	assert_int_equal(shell_run(p->node, "%s", no_ipv6), 0);
	assert_int_equal(shell_run(p->pod, "%s", no_ipv6), 0);
	assert_int_equal(shell_run(p->node,
				   "ip link add host type veth peer name eth0 && "
				   "ip link set eth0 netns /proc/%d/fd/%d && ip link set host up",
				   getpid(), p->pod),
			 0);
	assert_int_equal(shell_run(p->pod,
				   "ip link set eth0 up && ip addr add 10.9.1.2/32 dev eth0 && "
				   "ip route add default dev eth0 && ip neigh add 10.9.0.9 "
				   "lladdr 02:00:00:00:00:09 dev eth0"),
			 0);
	assert_int_equal(fg_netns_enter(p->node, &back, NULL), 0);
	ifindex = (int)if_nametoindex("host");
	fg_netns_leave(&back);
	p->link = fg_stop_attach(p->node, ifindex, FG_HOOK_TCX_INGRESS,
				 prog_fd(b->policy, "stated_entry"), &err);
	if (p->link < 0)
		fail_msg("%s", err.message);
}

static void pods_close(struct pods *p)
{
	close(p->link);
	close(p->pod);
	close(p->node);
}

/* From port 4000 to 53, without payload. */
static void pod_sends(const struct pods *p)
{
	const struct sockaddr_in from = { .sin_family = AF_INET, .sin_port = htons(4000) };
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_port = htons(53),
					.sin_addr.s_addr = htonl(0x0a090009) };
	int back, sock;

	assert_int_equal(fg_netns_enter(p->pod, &back, NULL), 0);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(sock, (const struct sockaddr *)&from, sizeof(from)), 0);
	assert_int_equal(sendto(sock, "", 0, 0, (const struct sockaddr *)&to, sizeof(to)), 0);
	close(sock);
	fg_netns_leave(&back);
}

static void test_pod(void **state)
{
	const struct stated_want want = { .traits = STATED_COUNT | STATED_FLOW | STATED_CONNECT,
					  .reason = 181,
					  .returns = 2 };
	struct pods p;
	struct bench b;

	(void)state;
	if (fg_capability_feature_probe(FG_FEATURE_TCX, NULL))
		prog_skip("this kernel has no tcx");
	bench_open(&b);
	pods_open(&p, &b);
	b.packet.length = 28;
	set(&b, &want);
	assert_int_equal(fg_stated_watch_before(b.watch, &b.packet, NULL), 0);
	pod_sends(&p);
	assert_int_equal(fg_stated_watch_after(b.watch, &b.packet, &b.stated, NULL), 0);
	expect_counter(&b, "cilium_metrics", "reason 181, dir 1, line 77, file 2", "bytes", 42);
	assert_int_equal(b.stated.event_count, 1);
	assert_int_equal(b.stated.entry_count, 1);
	/* One of them says more, and was first. */
	expect_text(&b, "AWS network policy agent: denied, network policy tier, ingress");
	pods_close(&p);
	bench_close(&b);
}

/* --- tables --- */

#define ENTRIES 200

/* A map of ENTRIES entries, each with its number at the end of key and value. */
static struct stated_map filled_map(uint32_t key_size, uint32_t value_size)
{
	struct stated_map map = { .type = BPF_MAP_TYPE_HASH,
				  .key_size = key_size,
				  .value_size = value_size,
				  .stride = value_size,
				  .max_entries = ENTRIES,
				  .copies = 1 };
	uint8_t key[256] = {}, value[256] = {};

	map.fd = bpf_map_create(BPF_MAP_TYPE_HASH, "filled", key_size, value_size, ENTRIES, NULL);
	assert_true(map.fd >= 0);
	for (uint32_t i = 0; i < ENTRIES; i++) {
		memcpy(key + key_size - 4, &i, 4);
		memcpy(value + value_size - 4, &i, 4);
		assert_int_equal(bpf_map_update_elem(map.fd, key, value, 0), 0);
	}
	return map;
}

/* One after the other, and the next one's entries may be longer. */
static void test_one_table_for_all_maps(void **state)
{
	static const uint32_t sizes[][2] = {
		{ 4, 4 }, { 64, 8 }, { 8, 240 }, { 240, 240 }, { 4, 4 }
	};
	struct stated_table table = {};

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct stated_map map = filled_map(sizes[i][0], sizes[i][1]);
		uint64_t sum = 0;

		assert_int_equal(fg_stated_table_read(&map, &table), 0);
		assert_int_equal(table.count, ENTRIES);
		assert_true(table.key_room >= (size_t)ENTRIES * map.key_size);
		assert_true(table.value_room >= (size_t)ENTRIES * map.stride);
		for (uint32_t k = 0; k < ENTRIES; k++) {
			uint32_t key, value;

			memcpy(&key, table.keys + (size_t)(k + 1) * map.key_size - 4, 4);
			memcpy(&value, table.values + (size_t)(k + 1) * map.stride - 4, 4);
			assert_int_equal(key, value);
			sum += key;
		}
		assert_int_equal(sum, ENTRIES * (ENTRIES - 1) / 2);
		close(map.fd);
	}
	fg_stated_table_free(&table);
}

/* --- what several packets add --- */

/* A program that uses the map, and does nothing. */
static int program_with(int map, uint32_t *id)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map },
		{},
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "uses", "GPL", insns, COUNT(insns), NULL);

	assert_true(fd >= 0);
	assert_int_equal(bpf_prog_get_info_by_fd(fd, &info, &len), 0);
	*id = info.id;
	return fd;
}

/* As many entries more for the address (10.9.0.LAST), each with a number of its own. */
static void add_entries(int map, uint8_t last, uint32_t count)
{
	static uint32_t number;
	uint8_t key[8] = { 10, 9, 0, last };
	const uint64_t value = 0;

	for (uint32_t i = 0; i < count; i++) {
		number++;
		memcpy(key + 4, &number, 4);
		assert_int_equal(bpf_map_update_elem(map, key, &value, 0), 0);
	}
}

static void assert_gained(const struct fg_stated_fill *fill, uint32_t probes, uint64_t gained,
			  uint64_t entries)
{
	struct fg_leftover_maps maps;

	fg_stated_fill_read(fill, probes, &maps);
	assert_int_equal(maps.probes, probes);
	assert_int_equal(maps.count, gained > 0);
	if (!gained)
		return;
	assert_int_equal(maps.list[0].gained, gained);
	assert_int_equal(maps.list[0].entries, entries);
	assert_int_equal(maps.list[0].max, 1000);
	assert_string_equal(maps.list[0].name, "filled");
	assert_false(maps.list[0].about);
}

/* What was there before is no gain; and with less than one for two probes nothing is said. */
static void test_gained(void **state)
{
	const struct fg_addr ours = { AF_INET, { 10, 9, 0, 9 } };
	struct fg_addr many[FG_STATED_ADDRS_MAX + 1];
	struct fg_stated_fill *fill, *all, *too_many;
	uint32_t id;
	int map = bpf_map_create(BPF_MAP_TYPE_HASH, "filled", 8, 8, 1000, NULL);
	int program = program_with(map, &id);

	(void)state;
	for (size_t i = 0; i < COUNT(many); i++)
		many[i] = (struct fg_addr){ AF_INET, { 192, 0, 2, (uint8_t)i } };
	add_entries(map, 9, 50);
	add_entries(map, 7, 20);
	fill = fg_stated_fill_open(&id, 1, &ours, 1, NULL);
	all = fg_stated_fill_open(&id, 1, NULL, 0, NULL);
	too_many = fg_stated_fill_open(&id, 1, many, COUNT(many), NULL);
	assert_true(fill && all && too_many);
	assert_gained(fill, 1, 0, 0);
	assert_gained(all, 1, 0, 0);
	add_entries(map, 9, 40);
	add_entries(map, 7, 15);
	assert_gained(fill, 40, 40, 125);
	assert_gained(fill, 80, 40, 125);
	assert_gained(fill, 81, 0, 0);
	assert_gained(all, 110, 55, 125);
	assert_gained(all, 111, 0, 0);
	assert_gained(too_many, 110, 55, 125);
	fg_stated_fill_close(fill);
	/* With as many addresses as it takes, only theirs. */
	many[0] = ours;
	fill = fg_stated_fill_open(&id, 1, many, FG_STATED_ADDRS_MAX, NULL);
	add_entries(map, 7, 100);
	assert_gained(fill, 1, 0, 0);
	add_entries(map, 9, 3);
	assert_gained(fill, 3, 3, 228);
	fg_stated_fill_close(fill);
	fg_stated_fill_close(all);
	fg_stated_fill_close(too_many);
	close(program);
	close(map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gained),
		cmocka_unit_test(test_counters),
		cmocka_unit_test(test_unknown_plugin),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_big_tables),
		cmocka_unit_test(test_skipped),
		cmocka_unit_test(test_ring),
		cmocka_unit_test(test_ring_of_others),
		cmocka_unit_test(test_numbered),
		cmocka_unit_test(test_perf_event),
		cmocka_unit_test(test_pod),
		cmocka_unit_test(test_one_table_for_all_maps),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
