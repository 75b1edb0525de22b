// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_observe.c - the programs that only look: where a packet ends (freed, handed to a socket,
 * stopped), the kernel's layout, and the kernel's names for its addresses.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

#include "bpf/datapath.skel.h"
#include "prog.h"
#include "bpf/symbol.skel.h"

#define COOKIE 0x01020304
#define PROBE 9
#define GENERATION 4
#define NEXT (-1)
#define SHOT 2

struct bench {
	struct datapath_bpf *bpf;
	struct bpf_object *seeder;
	struct fg_config config;
};

static void bench_open(struct bench *b, const char *const *programs)
{
	*b = (struct bench){ .bpf = datapath_bpf__open(),
			     .config = {
				     .cookie = COOKIE, .generation = GENERATION, .active = 1 } };
	assert_non_null(b->bpf);
	prog_only(b->bpf->obj, programs);
	prog_load(b->bpf->obj);
	prog_set(b->bpf->obj, "config", &b->config);
}

/* The program under test stands behind a jump of one that tracks the packet first. */
static void seeder_open(struct bench *b, const char *const *programs, const char *jumps, int to)
{
	uint32_t zero = 0;

	b->seeder = prog_open_sharing("seed", b->bpf->obj);
	prog_only(b->seeder, programs);
	prog_load(b->seeder);
	assert_int_equal(bpf_map_update_elem(prog_map_fd(b->seeder, jumps), &zero, &to, 0), 0);
}

static void bench_close(struct bench *b)
{
	bpf_object__close(b->seeder);
	datapath_bpf__destroy(b->bpf);
}

static void seed_flags(const struct bench *b, uint32_t probe, uint32_t generation, uint32_t flags)
{
	const struct prog_track t = { .probe = probe, .generation = generation, .flags = flags };

	prog_set_variable(b->seeder, "seed", &t, sizeof(t));
}

static void seed(const struct bench *b, uint32_t probe, uint32_t generation)
{
	seed_flags(b, probe, generation, 0);
}

/* to: the frame's Ethernet destination. A test run is on the loopback device, whose is all zero. */
static int run_to(const struct bench *b, const char *program, uint8_t to)
{
	struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);

	memset(&frame, to, 6);
	/* The kernel gives each run's packet the same place in memory. */
	prog_map_clear(b->bpf->obj, "tracked");
	return prog_run(prog_fd(b->seeder, program), &frame, sizeof(frame), NULL);
}

static int run(const struct bench *b, const char *program)
{
	return run_to(b, program, 0);
}

static void expect_none(const struct bench *b)
{
	struct prog_events events;

	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 0);
}

static struct fg_event expect_one(const struct bench *b, enum fg_event_kind kind)
{
	struct prog_events events;

	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 1);
	assert_int_equal(events.list[0].version, FG_EVENT_VERSION);
	assert_int_equal(events.list[0].kind, kind);
	assert_int_equal(events.list[0].probe, PROBE);
	assert_int_equal(events.list[0].generation, GENERATION);
	assert_int_equal(events.list[0].netns, prog_netns());
	assert_true(events.list[0].time_ns > 0);
	return events.list[0];
}

/*
 * --- the stop program
 * ----------------------------------------------------------------------------------------
 */

/* The namespace that a test run is in holds the frame's destination. */
static void own_destination(const struct bench *b, uint8_t last_byte)
{
	const struct fg_owner owner = { .netns = prog_netns(),
					.family = 4,
					.addr = { 10, 9, 0, last_byte } };
	uint8_t yes = 1;

	assert_int_equal(bpf_map__update_elem(b->bpf->maps.owners, &owner, sizeof(owner), &yes,
					      sizeof(yes), 0),
			 0);
}

static int setup_stop(void **state)
{
	static const char *const programs[] = { "fg_stop", NULL }, *const seeders[] = { "seed_tc",
											NULL };
	static struct bench bench;

	bench_open(&bench, programs);
	seeder_open(&bench, seeders, "jump_tc", bpf_program__fd(bench.bpf->progs.fg_stop));
	bench.config.stop = 1;
	prog_set(bench.bpf->obj, "config", &bench.config);
	*state = &bench;
	return 0;
}

static int teardown(void **state)
{
	bench_close(*state);
	return 0;
}

static void test_stop_takes_tracked(void **state)
{
	const struct bench *b = *state;
	struct fg_event e;

	own_destination(b, 9);
	seed(b, PROBE, GENERATION);
	assert_int_equal(run(b, "seed_tc"), SHOT);
	e = expect_one(b, FG_EVENT_STOP);
	assert_int_equal(e.ifindex, 1);
	assert_int_equal(e.length, PROG_FRAME_LEN);
}

/* The stack drops that by itself, and says so: a neighbour entry was stale, say. */
static void test_stop_leaves_other_host(void **state)
{
	const struct bench *b = *state;

	own_destination(b, 9);
	seed(b, PROBE, GENERATION);
	assert_int_equal(run_to(b, "seed_tc", 0x22), NEXT);
	expect_none(b);
}

static void test_stop_leaves_others(void **state)
{
	struct bench *b = *state;

	/* Through a router that holds another address. */
	own_destination(b, 1);
	seed(b, PROBE, GENERATION);
	assert_int_equal(run(b, "seed_tc"), NEXT);
	own_destination(b, 9);
	/*
	 * Nobody's packet, one of an earlier window, an answer, and any while the program is not to
	 * stop.
	 */
	seed(b, 0, 0);
	assert_int_equal(run(b, "seed_tc"), NEXT);
	seed(b, PROBE, GENERATION - 1);
	assert_int_equal(run(b, "seed_tc"), NEXT);
	seed_flags(b, PROBE, GENERATION, FG_EVENT_F_REPLY);
	assert_int_equal(run(b, "seed_tc"), NEXT);
	/* Between windows, another packet where a tracked one was before: its flow is another. */
	b->config.active = 0;
	b->config.left = 1;
	prog_set(b->bpf->obj, "config", &b->config);
	seed(b, PROBE, GENERATION);
	assert_int_equal(run(b, "seed_tc"), NEXT);
	b->config.active = 1;
	b->config.left = 0;
	seed(b, PROBE, GENERATION);
	b->config.stop = 0;
	prog_set(b->bpf->obj, "config", &b->config);
	assert_int_equal(run(b, "seed_tc"), NEXT);
	expect_none(b);
}

/*
 * --- the program of the root cgroup
 * --------------------------------------------------------------------------
 */

static int setup_socket(void **state)
{
	static const char *const programs[] = { "fg_socket", NULL }, *const seeders[] = {
		"seed_cgroup", NULL
	};
	static struct bench bench;

	bench_open(&bench, programs);
	seeder_open(&bench, seeders, "jump_cgroup", bpf_program__fd(bench.bpf->progs.fg_socket));
	*state = &bench;
	return 0;
}

static void test_socket(void **state)
{
	struct bench *b = *state;

	seed(b, PROBE, GENERATION);
	/* It never takes a packet from a socket. */
	assert_int_equal(run(b, "seed_cgroup"), 1);
	/* A test run's packet has a socket. */
	assert_true(expect_one(b, FG_EVENT_SOCKET).aux != 0);
	seed(b, PROBE, GENERATION - 1);
	assert_int_equal(run(b, "seed_cgroup"), 1);
	seed(b, 0, 0);
	assert_int_equal(run(b, "seed_cgroup"), 1);
	/* Between windows, when all have ended, nothing is looked up. */
	b->config.active = 0;
	prog_set(b->bpf->obj, "config", &b->config);
	seed(b, PROBE, GENERATION);
	assert_int_equal(run(b, "seed_cgroup"), 1);
	b->config.active = 1;
	prog_set(b->bpf->obj, "config", &b->config);
	expect_none(b);
}

/*
 * --- the observers
 * -------------------------------------------------------------------------------------------
 */

/*
 * At the end of a test run the kernel frees the packet: with the real tracepoint attached, that is
 * seen.
 */
static void test_freed(void **state)
{
	static const char *const programs[] = { "fg_inject", "fg_free", "fg_consume", NULL };
	const struct fg_slot_target target = { .ifindex = 1, .method = FG_WIRE_HOST_INGRESS };
	struct prog_frame frame = prog_frame_make(0, PROBE, COOKIE);
	struct prog_events events;
	struct bench b;
	uint32_t slot = 0;

	(void)state;
	bench_open(&b, programs);
	assert_int_equal(bpf_map__update_elem(b.bpf->maps.targets, &slot, sizeof(slot), &target,
					      sizeof(target), 0),
			 0);
	assert_int_equal(datapath_bpf__attach(b.bpf), 0);
	prog_run(bpf_program__fd(b.bpf->progs.fg_inject), &frame, sizeof(frame), NULL);
	prog_events_read(b.bpf->obj, &events);
	assert_int_equal(events.count, 2);
	assert_int_equal(events.list[0].kind, FG_EVENT_INJECT);
	assert_true(events.list[1].kind == FG_EVENT_FREE ||
		    events.list[1].kind == FG_EVENT_CONSUME);
	assert_int_equal(events.list[1].probe, PROBE);
	assert_int_equal(events.list[1].generation, GENERATION);
	assert_true(events.list[1].time_ns >= events.list[0].time_ns);
	if (events.list[1].kind == FG_EVENT_FREE)
		assert_true(events.list[1].aux >> 63);
	/* What has ended is forgotten; another frame without an envelope was nobody's. */
	assert_int_equal(prog_map_count(b.bpf->obj, "tracked"), 0);
	frame.envelope.cookie++;
	prog_run(bpf_program__fd(b.bpf->progs.fg_inject), &frame, sizeof(frame), NULL);
	expect_none(&b);
	bench_close(&b);
}

/* One event, and nothing is tracked any more. */
static void expect_last(const struct bench *b, enum fg_event_kind kind, enum fg_event_kind or)
{
	struct prog_events events;

	prog_events_read(b->bpf->obj, &events);
	assert_int_equal(events.count, 1);
	assert_true(events.list[0].kind == kind || events.list[0].kind == or);
	assert_int_equal(events.list[0].probe, PROBE);
	assert_int_equal(events.list[0].generation, GENERATION);
	/* The packet socket that sent it may still hold it. */
	assert_int_equal(events.list[0].flags & ~FG_EVENT_F_OWNED, 0);
	assert_int_equal(prog_map_count(b->bpf->obj, "tracked"), 0);
}

/*
 * The kernel uses memory again, also for packets: by its data buffer and its flow one is known from
 * the one that was there before. What was tracked is lost then, and its place is another's.
 */
static void test_memory_used_again(void **state)
{
	static const char *const programs[] = { "fg_free", "fg_consume", NULL },
				 *const seeders[] = { "seed_tc", NULL };
	struct prog_track t = {
		.probe = PROBE, .generation = GENERATION, .head = 4711, .flow = prog_frame_flow()
	};
	struct bench b;

	(void)state;
	bench_open(&b, programs);
	b.seeder = prog_open_sharing("seed", b.bpf->obj);
	prog_only(b.seeder, seeders);
	prog_load(b.seeder);
	assert_int_equal(datapath_bpf__attach(b.bpf), 0);
	/* Another buffer, the same flow: it was moved, and its end is seen. */
	prog_set_variable(b.seeder, "seed", &t, sizeof(t));
	run(&b, "seed_tc");
	expect_last(&b, FG_EVENT_FREE, FG_EVENT_CONSUME);
	/* The same identification under another address: translated meanwhile. */
	t.flow.dst[3]++;
	prog_set_variable(b.seeder, "seed", &t, sizeof(t));
	run(&b, "seed_tc");
	expect_last(&b, FG_EVENT_FREE, FG_EVENT_CONSUME);
	/* Another identification, or protocol: what was here is gone. */
	t.flow = prog_frame_flow();
	t.flow.ident++;
	prog_set_variable(b.seeder, "seed", &t, sizeof(t));
	run(&b, "seed_tc");
	expect_last(&b, FG_EVENT_LOST, FG_EVENT_LOST);
	t.flow = prog_frame_flow();
	t.flow.proto = 6;
	prog_set_variable(b.seeder, "seed", &t, sizeof(t));
	run(&b, "seed_tc");
	expect_last(&b, FG_EVENT_LOST, FG_EVENT_LOST);
	/* Of an earlier window: that is nobody's loss. */
	t.generation--;
	prog_set_variable(b.seeder, "seed", &t, sizeof(t));
	run(&b, "seed_tc");
	expect_none(&b);
	assert_int_equal(prog_map_count(b.bpf->obj, "tracked"), 0);
	bench_close(&b);
}

/*
 * --- the layout program
 * --------------------------------------------------------------------------------------
 */

/*
 * The offset of a member in bytes, by libbpf's reading of the kernel's BTF, through members without
 * a name.
 */
static int offset_of(const struct btf *btf, int type_id, const char *name)
{
	const struct btf_type *type = btf__type_by_id(btf, (uint32_t)type_id);
	const struct btf_member *m = btf_members(type);

	for (int i = 0; i < btf_vlen(type); i++, m++) {
		const char *text = btf__name_by_offset(btf, m->name_off);
		int inside = -1;

		if (!strcmp(text, name))
			return (int)btf_member_bit_offset(type, (uint32_t)i) / 8;
		if (!text[0] && btf_is_composite(btf__type_by_id(btf, m->type)))
			inside = offset_of(btf, (int)m->type, name);
		if (inside >= 0)
			return (int)btf_member_bit_offset(type, (uint32_t)i) / 8 + inside;
	}
	return -1;
}

static int offset_in(const struct btf *btf, const char *type, const char *member)
{
	return offset_of(btf, btf__find_by_name_kind(btf, type, BTF_KIND_STRUCT), member);
}

static void test_layout(void **state)
{
	static const char *const programs[] = { "fg_layout", NULL };
	struct btf *btf = btf__load_vmlinux_btf();
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	struct fg_config before, after;
	struct bench b;

	(void)state;
	assert_non_null(btf);
	bench_open(&b, programs);
	prog_get(b.bpf->obj, "config", &before);
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(b.bpf->progs.fg_layout), &opts), 0);
	assert_int_equal(opts.retval, 0);
	prog_get(b.bpf->obj, "config", &after);
	assert_int_equal(after.offset_skb_dev, offset_in(btf, "sk_buff", "dev"));
	assert_int_equal(after.offset_dev_ifindex, offset_in(btf, "net_device", "ifindex"));
	assert_int_equal(after.offset_dev_net, offset_in(btf, "net_device", "nd_net"));
	assert_int_equal(after.offset_net_inum,
			 offset_in(btf, "net", "ns") + offset_in(btf, "ns_common", "inum"));
	assert_int_equal(after.offset_xdp_data, offset_in(btf, "xdp_buff", "data"));
	/* Everything else is as it was. */
	assert_memory_equal(&after, &before, offsetof(struct fg_config, offset_skb_dev));
	bench_close(&b);
	btf__free(btf);
}

/*
 * --- the symbol program
 * --------------------------------------------------------------------------------------
 */

/*
 * Two addresses of functions that every kernel has, as the kernel lists them; 0 where it does not
 * tell.
 */
static uint64_t address_of(const char *wanted)
{
	FILE *list = fopen("/proc/kallsyms", "re");
	uint64_t address, found = 0;
	char line[512], name[256];

	while (list && !found && fgets(line, sizeof(line), list))
		if (sscanf(line, "%" SCNx64 " %*c %255s", &address, name) == 2 &&
		    !strcmp(name, wanted))
			found = address;
	if (list)
		fclose(list);
	return found;
}

static void expect_name(struct symbol_bpf *bpf, uint64_t address, const char *begin)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	bpf->bss->address = address;
	memset(bpf->bss->name, 0, sizeof(bpf->bss->name));
	assert_int_equal(bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.fg_symbol), &opts), 0);
	assert_int_equal(opts.retval, 0);
	bpf->bss->name[strlen(begin)] = '\0';
	assert_string_equal(bpf->bss->name, begin);
}

static void test_symbol(void **state)
{
	struct symbol_bpf *bpf = symbol_bpf__open_and_load();
	uint64_t address = address_of("consume_skb");

	(void)state;
	assert_non_null(bpf);
	expect_name(bpf, 0x10, "0x10");
	if (!address) {
		symbol_bpf__destroy(bpf);
		prog_skip("this kernel does not tell its addresses");
	}
	expect_name(bpf, address + 5, "consume_skb+0x5/0x");
	expect_name(bpf, address, "consume_skb+0x0/0x");
	symbol_bpf__destroy(bpf);
}

/*
 * --- all of it
 * -----------------------------------------------------------------------------------------------
 */

static void test_everything_loads(void **state)
{
	struct datapath_bpf *bpf = datapath_bpf__open();

	(void)state;
	assert_non_null(bpf);
	prog_load(bpf->obj);
	datapath_bpf__destroy(bpf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_stop_takes_tracked, setup_stop, teardown),
		cmocka_unit_test_setup_teardown(test_stop_leaves_other_host, setup_stop, teardown),
		cmocka_unit_test_setup_teardown(test_stop_leaves_others, setup_stop, teardown),
		cmocka_unit_test_setup_teardown(test_socket, setup_socket, teardown),
		cmocka_unit_test(test_freed),
		cmocka_unit_test(test_memory_used_again),
		cmocka_unit_test(test_layout),
		cmocka_unit_test(test_symbol),
		cmocka_unit_test(test_everything_loads),
	};

	libbpf_set_print(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
