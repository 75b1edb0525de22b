// SPDX-License-Identifier: GPL-2.0-only
/*
 * test_session_xdp.c - whole probes, in process, on paths with XDP: in a driver it puts packets
 * into other buffers, where they must be known again, or lets no packet exist that could be seen.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "bed.h"
#include "packets.h"
#include "probes.h"
#include "shell.h"

/* web sends; native, generic, plain and both receive; wire is what is outside. */
static struct {
	int web;
	struct fg_packet_spec udp;
} bed;

#define INSN(op, dst, src, at, value)                                                              \
	{                                                                                          \
		.code = (op), .dst_reg = (dst), .src_reg = (src), .off = (at), .imm = (value)      \
	}
#define UDP_END (ETH_HLEN + 20 + 8)

static int make_node(void **state)
{
	struct fg_error err = {};

	(void)state;
	/* What this kernel refuses is tried, and told by the session. */
	libbpf_set_print(NULL);
	bed_node();
	bed_pod("web", "10.9.1.2", "fd09:1::2", NULL);
	bed_pod("native", "10.9.2.2", "fd09:2::2", NULL);
	bed_pod("generic", "10.9.3.2", "fd09:3::2", NULL);
	bed_pod("plain", "10.9.0.9", "fd09::9", "10.9.0.1");
	bed_pod("wire", "198.51.100.1", "fd0e::1", "198.51.100.2");
	assert_int_equal(shell_run(-1, "ip route add default via 198.51.100.1 dev hwire; "
				       "ip -6 addr add fd0e::2/64 dev hwire nodad; "
				       "ip -6 route add default via fd0e::1 dev hwire"),
			 0);
	fg_packet_spec_init(&bed.udp);
	if (packets_set(&bed.udp, "proto=udp", &err))
		fail_msg("%s", err.message);
	bed_deny_by_xdp("native", (struct bed_xdp){ .at_pod = true, .first = 9999, .last = 9999 });
	bed_deny_by_xdp("generic",
			(struct bed_xdp){ true, .generic = true, .first = 9999, .last = 9999 });
	return 0;
}

static int end_node(void **state)
{
	(void)state;
	probes_close();
	fg_packet_spec_free(&bed.udp);
	return 0;
}

static void is_denied_by_xdp(const struct fg_probe *p, enum fg_stage stage)
{
	probes_is(p, FG_VERDICT_DENIED, FG_OUTCOME_DROPPED);
	assert_string_equal(probes_decider(p)->name, "xdp_deny_port");
	assert_int_equal(probes_decider(p)->hook, FG_HOOK_XDP);
	assert_int_equal(probes_decider(p)->stage, stage);
}

/* In the driver of the receiving pod's device the packet is in another buffer from there on. */
static void the_receivers_xdp(void **state)
{
	static const struct {
		const char *four, *six;
		bool native;
	} rows[] = { { "10.9.2.2", "fd09:2::2", true }, { "10.9.3.2", "fd09:3::2", false } };

	(void)state;
	probes_need_tcx();
	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		const char *dst = i % 2 ? rows[i / 2].six : rows[i / 2].four;
		FG_FD int fd =
			bed_socket(rows[i / 2].native ? "native" : "generic", SOCK_DGRAM, dst, 53);
		const struct fg_probe *p;
		char byte;

		/* Each in a session that has seen no other. */
		probes_open((struct fg_session_options){});
		bed.web = probes_pod("netns:web");
		p = probes_one(bed.web, &bed.udp, dst, 53);
		assert_int_equal(p->result.outcome, FG_OUTCOME_DELIVERED);
		assert_true(p->result.stopped);
		assert_int_equal(p->context->far.xdp_copies, rows[i / 2].native);
		assert_int_equal(p->context->ladder->count, 1);
		/* Where no program is traced nothing shows that a generic one ran. */
		if (rows[i / 2].native) {
			probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
			assert_int_equal(p->result.steps[0].ran, FG_RAN_YES);
		}
		assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) < 0);
		is_denied_by_xdp(probes_one(bed.web, &bed.udp, dst, 9999), FG_STAGE_INGRESS);
		/* Where there is none nothing is copied. */
		p = probes_one(bed.web, &bed.udp, i % 2 ? "fd09::9" : "10.9.0.9", 53);
		probes_is(p, FG_VERDICT_NONE, FG_OUTCOME_DELIVERED);
		assert_false(p->context->far.xdp_copies);
	}
}

/* A packet that is let in goes on in the other buffer, to the socket. */
static void it_is_known_again_up_to_the_socket(void **state)
{
	static const char *const to[] = { "10.9.2.2", "fd09:2::2" };

	(void)state;
	probes_need_tcx();
	for (size_t i = 0; i < COUNT(to); i++) {
		FG_FD int fd = bed_socket("native", SOCK_DGRAM, to[i], 53);
		const struct fg_probe *p;
		char byte;

		probes_open((struct fg_session_options){ .deliver = true });
		bed.web = probes_pod("netns:web");
		p = probes_one(bed.web, &bed.udp, to[i], 53);
		probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
		assert_false(p->result.stopped);
		assert_int_equal(p->result.end->event.kind, FG_EVENT_SOCKET);
		assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) >= 0);
	}
}

/* In the driver of the sender's primary it comes before all that the host has. */
static void the_senders_xdp(void **state)
{
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	for (int generic = 0; generic < 2; generic++) {
		bed_pod("sender", "10.9.5.2", "fd09:5::2", NULL);
		bed_deny_by_xdp("sender", (struct bed_xdp){ .generic = generic,
							    .first = 9999,
							    .last = 9999 });
		probes_open((struct fg_session_options){});
		bed.web = probes_pod("netns:sender");
		for (int v6 = 0; v6 < 2; v6++) {
			const char *dst = v6 ? "fd09::9" : "10.9.0.9";

			p = probes_one(bed.web, &bed.udp, dst, 53);
			probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
			assert_int_equal(p->context->xdp_copies, !generic);
			is_denied_by_xdp(probes_one(bed.web, &bed.udp, dst, 9999), FG_STAGE_EGRESS);
		}
		bed_pod_delete("sender");
	}
}

static const struct fg_probe *from_outside(const char *dst, uint16_t port)
{
	struct fg_probe_spec *spec;
	uint32_t room;

	probes_put(0, bed.web, &bed.udp, dst, port);
	spec = &fg_session_window(probes_session, &room)->spec;
	spec->vary.src = bed_addr(strchr(dst, ':') ? "2001:db8::7" : "203.0.113.7");
	spec->any_source = false;
	return probes_run(1);
}

/*
 * No redirect leads into an uplink's driver: flowgen runs the program on the frame itself, each
 * time on the one that is asked about.
 */
static void what_comes_from_outside_meets_the_drivers_xdp_first(void **state)
{
	static const struct {
		const char *dst;
		uint16_t port;
		bool denied;
	} rows[] = {
		{ "10.9.0.9", 9999, true }, { "10.9.0.9", 53, false },	{ "fd09::9", 53, false },
		{ "fd09::9", 9999, true },  { "10.9.0.9", 9999, true }, { "10.9.0.9", 9998, false },
	};

	(void)state;
	probes_need_tcx();
	bed_deny_by_xdp("wire", (struct bed_xdp){ .first = 9999, .last = 9999 });
	probes_open((struct fg_session_options){});
	bed.web = probes_pod("uplink:hwire");
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct fg_probe *p = from_outside(rows[i].dst, rows[i].port);

		if (rows[i].denied) {
			is_denied_by_xdp(p, FG_STAGE_EGRESS);
		} else {
			probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
			assert_true(p->result.stopped);
		}
		assert_true(p->context->from_uplink);
		assert_int_equal(p->result.steps[0].ran, FG_RAN_YES);
		assert_int_equal(p->result.steps[0].evidence, FG_EVIDENCE_RUN);
		assert_true(p->result.steps[0].has_retval);
		/* It was not translated. */
		assert_int_equal(p->trace.flow_count, 0);
	}
}

/* The program, in the driver of hwire; then what it does with a packet for port 53 of plain. */
static const struct fg_probe *through(const struct bpf_insn *insns, size_t count)
{
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "frame", "GPL", insns, count, NULL);
	int device = (int)if_nametoindex("hwire");

	assert_true(fd >= 0);
	assert_int_equal(bpf_xdp_attach(device, fd, XDP_FLAGS_DRV_MODE, NULL), 0);
	close(fd);
	probes_open((struct fg_session_options){});
	bed.web = probes_pod("uplink:hwire");
	return from_outside("10.9.0.9", 53);
}

static uint32_t word(const uint8_t *bytes)
{
	uint32_t out;

	memcpy(&out, bytes, sizeof(out));
	return out;
}

/* The frame that the program sees has the addresses that it would have on this wire. */
static void the_program_sees_the_frame_as_it_is_on_the_wire(void **state)
{
	const struct fg_pod *pod;
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	probes_open((struct fg_session_options){});
	pod = fg_session_pod(probes_session, probes_pod("uplink:hwire"));
	for (int wrong = 0; wrong < 3; wrong++) {
		const struct bpf_insn insns[] = {
			INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, data), 0),
			INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct xdp_md, data_end), 0),
			INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
			INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, ETH_HLEN),
			INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_DROP),
			INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 5, 0),
			INSN(BPF_LDX | BPF_MEM | BPF_W, 5, 2, 0, 0),
			INSN(BPF_JMP32 | BPF_JNE | BPF_K, 5, 0, 3,
			     (int)word(pod->primary.mac) ^ (wrong == 1)),
			INSN(BPF_LDX | BPF_MEM | BPF_W, 5, 2, 6, 0),
			INSN(BPF_JMP32 | BPF_JNE | BPF_K, 5, 0, 1,
			     (int)word(pod->peer.mac) ^ (wrong == 2)),
			INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
			INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
		};

		p = through(insns, COUNT(insns));
		probes_is(p, wrong ? FG_VERDICT_DENIED : FG_VERDICT_ALLOWED,
			  wrong ? FG_OUTCOME_DROPPED : FG_OUTCOME_DELIVERED);
		pod = fg_session_pod(probes_session, bed.web);
	}
}

/* The packet goes on as the program has made it; metadata it cannot take along, and says so. */
static void what_the_program_makes_of_it_goes_on(void **state)
{
	const struct bpf_insn translates[] = {
		INSN(BPF_LDX | BPF_MEM | BPF_W, 2, 1, offsetof(struct xdp_md, data), 0),
		INSN(BPF_LDX | BPF_MEM | BPF_W, 3, 1, offsetof(struct xdp_md, data_end), 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_X, 4, 2, 0, 0),
		INSN(BPF_ALU64 | BPF_ADD | BPF_K, 4, 0, 0, UDP_END),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_DROP),
		INSN(BPF_JMP | BPF_JGT | BPF_X, 4, 3, 3, 0),
		/* Port 54, and no checksum. */
		INSN(BPF_ST | BPF_MEM | BPF_H, 2, 0, UDP_END - 6, htons(54)),
		INSN(BPF_ST | BPF_MEM | BPF_H, 2, 0, UDP_END - 2, 0),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	const struct bpf_insn notes[] = {
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 2, 0, 0, -4),
		INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_xdp_adjust_meta),
		INSN(BPF_ALU64 | BPF_MOV | BPF_K, 0, 0, 0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	const struct fg_probe *p;

	(void)state;
	probes_need_tcx();
	p = through(translates, COUNT(translates));
	probes_is(p, FG_VERDICT_ALLOWED, FG_OUTCOME_DELIVERED);
	assert_int_equal(p->trace.flow_count, 1);
	assert_int_equal(p->trace.flows[0].dport, htons(54));
	assert_false(p->trace.metadata);
	p = through(notes, COUNT(notes));
	assert_true(p->trace.metadata);
	assert_int_equal(p->trace.flow_count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_receivers_xdp),
		cmocka_unit_test(it_is_known_again_up_to_the_socket),
		cmocka_unit_test(the_senders_xdp),
		cmocka_unit_test(what_comes_from_outside_meets_the_drivers_xdp_first),
		cmocka_unit_test(the_program_sees_the_frame_as_it_is_on_the_wire),
		cmocka_unit_test(what_the_program_makes_of_it_goes_on),
	};

	return cmocka_run_group_tests(tests, make_node, end_node);
}
