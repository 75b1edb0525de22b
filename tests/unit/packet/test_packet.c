// SPDX-License-Identifier: GPL-2.0-only
/*
 * Golden frames: the bytes are written down field by field from the RFCs, and none of flowgen's own
 * code has a say in what is right. What the golden frames do not hold of the table of fields fails
 * a test here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/count.h"
#include "header/dissect.h"
#include "packets.h"

#define ETH4 "000000000000 000000000000 0800 "
#define ETH6 "000000000000 000000000000 86dd "
#define A4 "0a000005 0a000009 "
#define A6 "fd000000000000000000000000000005 fd000000000000000000000000000009 "

struct golden {
	const char *name;
	int family;
	const char *keys; /* NULL: cannot be built, only dissected */
	const char *hex;  /* blanks between fields */
};

static const struct golden goldens[] = {
	{ "tcp syn", AF_INET, "",
	  ETH4 "45 00 003c 4567 4000 40 06 e147 " A4
	       "9c40 115c 89abcdef 00000000 a0 02 faf0 678d 0000 "
	       "02 04 05b4 04 02 08 0a aacb2171 00000000 01 03 03 07" },
	{ "tcp syn v6", AF_INET6, "flow-label=0x12345",
	  ETH6 "6 00 12345 0028 06 40 " A6 "9c40 115c 89abcdef 00000000 a0 02 fd20 7f6f 0000 "
	       "02 04 05a0 04 02 08 0a aacb2171 00000000 01 03 03 07" },
	{ "tcp data", AF_INET, "flags=PAUC;payload=x;seq=1;ack=2;window=3;urgent=4;tcp-reserved=1",
	  ETH4 "45 00 0035 4567 4000 40 06 e14e " A4
	       "9c40 115c 00000001 00000002 81 b8 0003 8af6 0004 "
	       "01 01 08 0a aacb2171 4902 9b2a 78" },
	{ "tcp other option", AF_INET, "flags=R;seq=0;tcp-option=1c048005",
	  ETH4 "45 00 002c 4567 4000 40 06 e157 " A4
	       "9c40 115c 00000000 00000000 60 04 0000 4229 0000 1c 04 8005" },
	{ "udp", AF_INET, "proto=udp;payload=hi",
	  ETH4 "45 00 001e 4567 4000 40 11 e15a " A4 "9c40 115c 000a d5c6 6869" },
	{ "udp v6", AF_INET6, "proto=udp;payload=hi;flow-label=1;dscp=46;ecn=ce;ttl=3",
	  ETH6 "6 bb 00001 000a 11 03 " A6 "9c40 115c 000a efc4 6869" },
	{ "udp dscp", AF_INET, "proto=udp;dscp=ef;ecn=ect0;ttl=7;df=off;id=258;reserved-flag",
	  ETH4 "45 ba 001c 0102 8000 07 11 1e08 " A4 "9c40 115c 0008 3e34" },
	{ "udp none", AF_INET, "proto=udp;checksum=0",
	  ETH4 "45 00 001c 4567 4000 40 11 e15c " A4 "9c40 115c 0008 0000" },
	{ "icmp", AF_INET, "proto=icmp;size=4",
	  ETH4 "45 00 0020 4567 4000 40 01 e168 " A4 "08 00 20f5 0123 0004 666c6f77" },
	{ "icmp unreachable", AF_INET,
	  "proto=icmp;icmp-type=destination-unreachable;icmp-code=port-unreachable;"
	  "payload=hex:4500001c00000000401166c40a0000090a000005115c9c4000080000",
	  ETH4 "45 00 0038 4567 4000 40 01 e150 " A4 "03 03 4f58 00000000 "
	       "45 00 001c 0000 0000 40 11 66c4 0a000009 0a000005 115c 9c40 0008 0000" },
	{ "icmpv6", AF_INET6, "proto=icmp;size=4;flow-label=0",
	  ETH6 "6 00 00000 000c 3a 40 " A6 "80 00 ae9e 0123 0004 666c6f77" },
	{ "icmpv6 too big", AF_INET6,
	  "proto=icmpv6;icmp-type=packet-too-big;icmp-rest=1280;flow-label=0;payload=hex:60",
	  ETH6 "6 00 00000 0009 3a 40 " A6 "02 00 9eac 00000500 60" },
	{ "sctp init", AF_INET, "proto=sctp",
	  ETH4 "45 00 004c 4567 4000 40 84 e0b9 " A4 "9c40 115c 00000000 228e5c48 "
	       "01 00 002c aacb2171 0001a000 000a ffff 49029b2a "
	       "000c 0006 0005 0000 8000 0004 8008 0005 c0 000000 c000 0004" },
	{ "sctp init v6", AF_INET6, "proto=sctp;flow-label=0",
	  ETH6 "6 00 00000 0038 84 40 " A6 "9c40 115c 00000000 2e1508e5 "
	       "01 00 002c aacb2171 0001a000 000a ffff 49029b2a "
	       "000c 0008 0006 0005 8000 0004 8008 0005 c0 000000 c000 0004" },
	{ "sctp data", AF_INET,
	  "proto=sctp;sctp-chunk=data;payload=hello;sctp-tag=1;sctp-tsn=2;sctp-stream=3;"
	  "sctp-stream-seq=4;sctp-ppid=5",
	  ETH4 "45 00 0038 4567 4000 40 84 e0cd " A4 "9c40 115c 00000001 bc035970 "
	       "00 03 0015 00000002 0003 0004 00000005 68656c6c6f 000000" },
	{ "sctp sack", AF_INET, "proto=sctp;sctp-chunk=sack;sctp-tag=1;sctp-tsn=2;sctp-window=3",
	  ETH4 "45 00 0030 4567 4000 40 84 e0d5 " A4 "9c40 115c 00000001 220d1d58 "
	       "03 00 0010 00000002 00000003 0000 0000" },
	{ "sctp shutdown", AF_INET, "proto=sctp;sctp-chunk=shutdown;sctp-tag=1;sctp-tsn=2",
	  ETH4 "45 00 0028 4567 4000 40 84 e0dd " A4
	       "9c40 115c 00000001 9c66c471 07 00 0008 00000002" },
	{ "raw", AF_INET, "proto=253;payload=x", ETH4 "45 00 0015 4567 4000 40 fd e077 " A4 "78" },
	{ "trace id", AF_INET, "trace-id=513;proto=udp",
	  ETH4 "46 00 0020 4567 4000 40 11 5653 " A4 "88 04 0201 9c40 115c 0008 3e34" },
	{ "trace id and another option", AF_INET,
	  "trace-id=1;trace-length=8;trace-option=152;ip-option=94040000;proto=udp",
	  ETH4 "49 00 002c 4567 4000 40 11 b13c " A4 "98 0a 0000000000000001 94 04 0000 00 00 "
	       "9c40 115c 0008 3e34" },
	{ "hop-by-hop", AF_INET6, "proto=udp;ext-header=hop-by-hop:05020000;flow-label=0",
	  ETH6 "6 00 00000 0010 00 40 " A6 "11 00 05 02 0000 01 00 9c40 115c 0008 5832" },
	{ "three extension headers", AF_INET6,
	  "proto=udp;ext-header=hop-by-hop;ext-header=destination;ext-header=fragment;id=7;flow-label=0",
	  ETH6 "6 00 00000 0020 00 40 " A6 "3c 00 01 04 00000000 2c 00 01 04 00000000 "
	       "11 00 0000 00000007 9c40 115c 0008 5832" },
	{ "fragments", AF_INET, "proto=udp;size=16;fragment=16;id=9",
	  ETH4 "45 00 0024 0009 2000 40 11 46b3 " A4 "9c40 115c 0018 e740 666c6f7767656e20 " ETH4
	       "45 00 001c 0009 0002 40 11 66b9 " A4 "666c6f7767656e20" },
	{ "fragments v6", AF_INET6, "proto=udp;size=16;fragment=16;id=9;flow-label=0",
	  ETH6 "6 00 00000 0018 2c 40 " A6
	       "11 00 0001 00000009 9c40 115c 0018 013f 666c6f7767656e20 " ETH6
	       "6 00 00000 0010 2c 40 " A6 "11 00 0010 00000009 666c6f7767656e20" },
	{ "routing", AF_INET6, NULL,
	  ETH6 "6 00 00000 0020 2b 40 " A6 "11 02 04 01 00000000 fd000000000000000000000000000001 "
	       "9c40 115c 0008 0000" },
};

static size_t from_hex(const char *hex, uint8_t *out, size_t size)
{
	size_t len = 0;
	unsigned int byte;
	char digits[3] = "";

	while (*hex) {
		size_t have = strlen(digits);

		if (*hex != ' ') {
			digits[have] = *hex;
			digits[have + 1] = '\0';
			if (have == 1) {
				assert_int_equal(sscanf(digits, "%2x", &byte), 1);
				assert_true(len < size);
				out[len++] = (uint8_t)byte;
				digits[0] = '\0';
			}
		}
		hex++;
	}
	assert_int_equal(strlen(digits), 0);
	return len;
}

static void build(const char *keys, int family, struct fg_frame *frame)
{
	struct fg_packet_vary vary = packets_vary(family);
	struct fg_error err;

	if (packets_build(keys, &vary, frame, NULL, &err) < 0)
		fail_msg("%s: %s", keys, err.message);
}

static void test_golden(void **state)
{
	uint8_t wanted[512];
	struct fg_frame frame;

	(void)state;
	for (size_t i = 0; i < COUNT(goldens); i++) {
		size_t len = from_hex(goldens[i].hex, wanted, sizeof(wanted));

		if (!goldens[i].keys)
			continue;
		build(goldens[i].keys, goldens[i].family, &frame);
		for (size_t at = 0; at < len && at < frame.len; at++)
			if (frame.data[at] != wanted[at])
				fail_msg("%s: byte %zu is %02x, not %02x", goldens[i].name, at,
					 frame.data[at], wanted[at]);
		assert_int_equal(frame.len, len);
		free(frame.data);
	}
}

/* Writes what a dissection found into an empty packet, field by field. */
static void write_back(const struct fg_dissection *dissection, uint8_t *out, bool *seen)
{
	struct fg_dissect_cursor cursor = { 0 };

	while (fg_dissect_next(dissection, &cursor)) {
		const struct fg_field *field = &fg_fields[cursor.field];
		size_t at = (size_t)(cursor.header - dissection->bytes), first = field->bit / 8;

		seen[cursor.field] = true;
		if (!field->width)
			memcpy(out + at + first, cursor.header + first, cursor.len - first);
		else if (field->width > 64)
			memcpy(out + at + first, cursor.header + first, field->width / 8);
		else
			fg_field_set(cursor.field, out + at,
				     fg_field_get(cursor.field, cursor.header));
	}
}

/*
 * The fields that a dissection finds are all there is in a packet, and every field of the table is
 * in some golden frame.
 */
static void test_golden_dissected(void **state)
{
	bool seen[FG_FIELD_COUNT] = { false };
	uint8_t bytes[512], copy[512];
	struct fg_dissection dissection;

	(void)state;
	for (size_t i = 0; i < COUNT(goldens); i++) {
		size_t len = from_hex(goldens[i].hex, bytes, sizeof(bytes));

		if (strstr(goldens[i].name, "fragments"))
			len = goldens[i].family == AF_INET ? 50 : 78; /* the first of them */
		fg_dissect_frame(bytes, len, &dissection);
		if (dissection.problem)
			fail_msg("%s: %s", goldens[i].name, dissection.problem);
		memset(copy, 0, sizeof(copy));
		write_back(&dissection, copy, seen);
		assert_memory_equal(copy, bytes, len);
	}
	for (unsigned int id = 0; id < FG_FIELD_COUNT; id++)
		if (!seen[id])
			fail_msg("no golden frame has %s of %s", fg_fields[id].name,
				 fg_field_headers[fg_fields[id].header].name);
}

static void test_gso(void **state)
{
	struct fg_frame frame;

	(void)state;
	build("flags=PA;size=4000;gso=1448;checksum-offload", AF_INET, &frame);
	assert_int_equal(frame.count, 1);
	assert_int_equal(frame.len, 14 + 20 + 32 + 4000);
	assert_int_equal(frame.offload.gso_type, FG_GSO_TCPV4);
	assert_int_equal(frame.offload.gso_size, 1448);
	assert_int_equal(frame.offload.hdr_len, 14 + 20 + 32);
	assert_true(frame.offload.needs_checksum);
	assert_int_equal(frame.offload.csum_start, 34);
	assert_int_equal(frame.offload.csum_offset, 16);
	/* The sum of 0a00 0005 0a00 0009, protocol 6 and length 4032, not inverted. */
	assert_int_equal(fg_field_get(FG_TCP_CHECKSUM, frame.data + 34), 0x23d4);
	free(frame.data);

	build("proto=udp;size=4000;gso=1400", AF_INET6, &frame);
	assert_int_equal(frame.offload.gso_type, FG_GSO_UDP_L4);
	assert_int_equal(frame.offload.hdr_len, 14 + 40 + 8);
	assert_int_equal(frame.offload.csum_start, 54);
	assert_int_equal(frame.offload.csum_offset, 6);
	free(frame.data);

	build("flags=PAC;size=4000;gso=1400", AF_INET6, &frame);
	assert_int_equal(frame.offload.gso_type, FG_GSO_TCPV6 | FG_GSO_ECN);
	free(frame.data);

	build("flags=PA;size=1400;gso=1400", AF_INET, &frame);
	assert_int_equal(frame.offload.gso_type, FG_GSO_NONE);
	assert_int_equal(frame.offload.gso_size, 0);
	assert_true(frame.offload.needs_checksum);
	free(frame.data);

	build("", AF_INET, &frame);
	assert_false(frame.offload.needs_checksum);
	free(frame.data);
}

static void test_sizes(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_packet_spec spec;
	struct fg_frame frame;
	struct fg_error err;
	uint8_t small[41];

	(void)state;
	build("proto=udp;size=65507", AF_INET, &frame);
	assert_int_equal(frame.len, 14 + 65535);
	free(frame.data);
	assert_int_equal(packets_build("proto=udp;size=65508", &vary, &frame, NULL, &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_string_equal(err.message,
			    "payload: 65508 bytes make a packet of 65536, 1 more than IP allows");
	build("proto=udp;size=65507;fragment=8", AF_INET, &frame);
	assert_int_equal(frame.count, (65515 + 7) / 8);
	free(frame.data);
	assert_int_equal(packets_build("proto=udp;size=8;fragment=16", &vary, &frame, NULL, &err),
			 -1);
	assert_string_equal(
		err.message,
		"fragment: nothing to split: the packet has 16 bytes of data, and one fragment holds 16");
	assert_int_equal(
		packets_build("tcp-option=0101010101010101010101010101010101010101;tcp-option=01",
			      &vary, &frame, NULL, &err),
		-1);
	assert_string_equal(
		err.message,
		"tcp-option: 44 bytes of TCP options with the usual ones, at most 40 fit");
	assert_int_equal(packets_build("trace-id=1;ip-option=01010101010101010101010101010101010101"
				       "0101010101010101010101010101010101010101",
				       &vary, &frame, NULL, &err),
			 -1);
	assert_string_equal(err.message,
			    "ip-option: 44 bytes of options with the trace ID, at most 40 fit");

	fg_packet_spec_init(&spec);
	frame = (struct fg_frame){ .data = small, .size = sizeof(small) };
	assert_int_equal(fg_packet_build(&spec, &vary, &frame, &err), -1);
	assert_non_null(strstr(err.message, "frame buffer: 41 bytes, but "));
	vary.dst.family = AF_INET6;
	assert_int_equal(fg_packet_build(&spec, &vary, &frame, &err), -1);
	assert_string_equal(err.message,
			    "source and destination: expected two IPv4 or two IPv6 addresses");
}

static void test_too_large_for_the_field(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_frame frame;
	struct fg_error err;

	(void)state;
	assert_int_equal(packets_build("id=65536", &vary, &frame, NULL, &err), -1);
	assert_string_equal(err.message, "IPv4 identification: 65536 does not fit into 16 bits");
	assert_int_equal(packets_build("checksum=0x10000", &vary, &frame, NULL, &err), -1);
	assert_string_equal(err.message, "TCP checksum: 65536 does not fit into 16 bits");
}

/*
 * The trace ID of the probe takes the place of the template's, and a DNS query's ID is the probe's.
 */
static void test_per_probe(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_frame frame;
	struct fg_error err;

	(void)state;
	vary.trace_id = 0x010203;
	assert_int_equal(packets_build("trace-id=1", &vary, &frame, NULL, &err), 0);
	assert_memory_equal(frame.data + 34, "\x88\x06\x00\x01\x02\x03\x00\x00", 8);
	free(frame.data);
	assert_int_equal(packets_build("", &vary, &frame, NULL, &err), 0);
	assert_int_equal(frame.data[14], 0x45);
	free(frame.data);
	assert_int_equal(packets_build("proto=udp;dns=a.b", &vary, &frame, NULL, &err), 0);
	assert_memory_equal(frame.data + 42, "\x01\x23\x01\0\0\x01\0\0\0\0\0\0\1a\1b\0\0\1\0\1",
			    21);
	free(frame.data);
	assert_int_equal(packets_build("flags=PA;dns=a.b", &vary, &frame, NULL, &err), 0);
	assert_memory_equal(frame.data + 66, "\0\x15\x01\x23\x01\0\0\x01", 8);
	free(frame.data);
}

/*
 * The router alert goes into each fragment; the record route does not, and NOPs stand in its place.
 */
static void test_options_of_later_fragments(void **state)
{
	struct fg_frame frame;
	uint8_t *later;
	size_t len;

	(void)state;
	build("proto=udp;size=16;fragment=16;ip-option=94040000;ip-option=07070400000000", AF_INET,
	      &frame);
	assert_memory_equal(frame.data + 34, "\x94\4\0\0\7\7\4\0\0\0\0\0", 12);
	later = fg_frame_part(&frame, 1, &len);
	assert_memory_equal(later + 34, "\x94\4\0\0\1\1\1\1\1\1\1\0", 12);
	free(frame.data);
}

/* RFC 768: a checksum that comes out as 0 is sent as 0xffff. */
static void test_udp_checksum_is_never_none(void **state)
{
	struct fg_frame frame;
	char keys[64];

	(void)state;
	build("proto=udp;payload=hex:0000", AF_INET, &frame);
	snprintf(keys, sizeof(keys), "proto=udp;payload=hex:%04x",
		 (unsigned int)fg_field_get(FG_UDP_CHECKSUM, frame.data + 34));
	free(frame.data);
	build(keys, AF_INET, &frame);
	assert_int_equal(fg_field_get(FG_UDP_CHECKSUM, frame.data + 34), 0xffff);
	free(frame.data);
}

/* A server's window is as many segments as fit, each less the timestamps (as Linux sends it). */
static void test_server_window(void **state)
{
	struct fg_frame frame;

	(void)state;
	build("flags=SA", AF_INET, &frame);
	assert_int_equal(fg_field_get(FG_TCP_WINDOW, frame.data + 34), 65160);
	free(frame.data);
	build("flags=SA", AF_INET6, &frame);
	assert_int_equal(fg_field_get(FG_TCP_WINDOW, frame.data + 54), 64260);
	free(frame.data);
}

static void test_mtu(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_packet_spec spec;
	uint8_t buffer[256];
	struct fg_frame frame = { .data = buffer, .size = sizeof(buffer) };

	(void)state;
	fg_packet_spec_init(&spec);
	spec.mtu = 9000;
	assert_int_equal(fg_packet_build(&spec, &vary, &frame, NULL), 0);
	assert_int_equal(fg_field_get(FG_TCP_MSS_MSS, buffer + 54), 8960);
	assert_int_equal(fg_field_get(FG_TCP_WINDOW, buffer + 34), 62720);
}

#ifdef __SANITIZE_ADDRESS__
#define SLOWEST_NS 50000
#else
#define SLOWEST_NS 1000
#endif

/*
 * A sweep must not wait for the building of packets: under a microsecond each, of this process's
 * own processor time.
 */
static void test_speed(void **state)
{
	struct fg_packet_vary vary = packets_vary(AF_INET);
	struct fg_packet_spec spec;
	uint8_t buffer[256];
	struct fg_frame frame = { .data = buffer, .size = sizeof(buffer) };
	struct timespec start, end;
	double ns;

	(void)state;
	fg_packet_spec_init(&spec);
	assert_int_equal(packets_set(&spec, "proto=udp;size=18", NULL), 0);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	for (unsigned int port = 1; port <= 65535; port++) {
		vary.dport = (uint16_t)port;
		assert_true(fg_packet_build(&spec, &vary, &frame, NULL) == 0);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	ns = ((double)(end.tv_sec - start.tv_sec) * 1e9 + (double)(end.tv_nsec - start.tv_nsec)) /
	     65535;
	printf("# %.0f ns for a UDP packet of 60 bytes\n", ns);
	assert_int_equal(frame.len, 60);
	assert_true(ns < SLOWEST_NS);
	fg_packet_spec_free(&spec);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_golden_dissected),
		cmocka_unit_test(test_gso),
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_too_large_for_the_field),
		cmocka_unit_test(test_per_probe),
		cmocka_unit_test(test_options_of_later_fragments),
		cmocka_unit_test(test_udp_checksum_is_never_none),
		cmocka_unit_test(test_server_window),
		cmocka_unit_test(test_mtu),
		cmocka_unit_test(test_speed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
