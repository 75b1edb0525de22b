// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "capture/capture.h"
#include "packets.h"

static char path[] = "/tmp/flowgen-test-capture-XXXXXX";
static struct fg_error err;

static struct fg_frame frame_of(const char *keys, int family)
{
	struct fg_packet_vary vary = packets_vary(family);
	struct fg_frame frame;

	assert_int_equal(packets_build(keys, &vary, &frame, NULL, NULL), 0);
	return frame;
}

/* Writes packets with a link-layer header each, through libpcap, as another program would. */
struct record {
	const void *link;
	size_t link_len;
	const uint8_t *packet;
	size_t len;
	uint32_t missing; /* bytes that the capture left out */
};

static void write_capture(int link, const struct record *records, size_t count)
{
	pcap_t *dead =
		pcap_open_dead_with_tstamp_precision(link, 65535, PCAP_TSTAMP_PRECISION_NANO);
	pcap_dumper_t *dumper = pcap_dump_open(dead, path);

	assert_non_null(dumper);
	for (size_t i = 0; i < count; i++) {
		const struct record *record = &records[i];
		uint8_t bytes[2048];
		struct pcap_pkthdr header = {
			.ts = { .tv_sec = 1700000000 + (long)i, .tv_usec = 123456789 },
			.caplen = (uint32_t)(record->link_len + record->len),
		};

		header.len = header.caplen + record->missing;
		memcpy(bytes, record->link, record->link_len);
		memcpy(bytes + record->link_len, record->packet, record->len);
		pcap_dump((uint8_t *)dumper, &header, bytes);
	}
	pcap_dump_close(dumper);
	pcap_close(dead);
}

static void test_write_and_read(void **state)
{
	struct fg_frame a = frame_of("", AF_INET), b = frame_of("proto=udp;size=5", AF_INET6);
	struct fg_capture_writer *writer;
	struct fg_capture *capture;
	struct fg_captured packet;

	(void)state;
	assert_int_equal(fg_capture_create(path, &writer, &err), 0);
	assert_int_equal(fg_capture_write(writer, 1700000000123456789, a.data, a.len, &err), 0);
	assert_int_equal(fg_capture_write(writer, 1700000001000000001, b.data, b.len, &err), 0);
	assert_int_equal(fg_capture_finish(writer, &err), 0);

	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 1);
	assert_true(packet.time_ns == 1700000000123456789);
	assert_int_equal(packet.family, AF_INET);
	assert_int_equal(packet.number, 1);
	assert_int_equal(packet.len, a.len - 14);
	assert_memory_equal(packet.data, a.data + 14, packet.len);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 1);
	assert_true(packet.time_ns == 1700000001000000001);
	assert_int_equal(packet.family, AF_INET6);
	assert_memory_equal(packet.data, b.data + 14, packet.len);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 0);
	fg_capture_close(capture);
	free(a.data);
	free(b.data);
}

static void test_link_layers(void **state)
{
	static const uint8_t ethernet[14] = { [12] = 0x08, 0x00 };
	static const uint8_t vlan[22] = { [12] = 0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 0x08, 0x00 };
	static const uint8_t sll[16] = { [14] = 0x08, 0x00 };
	static const uint8_t sll2[20] = { 0x08, 0x00 };
	static const uint8_t null[4] = { 2 }, loop[4] = { 0, 0, 0, 2 };
	static const struct {
		int link;
		const void *header;
		size_t len;
	} links[] = {
		{ DLT_EN10MB, ethernet, 14 }, { DLT_EN10MB, vlan, 22 }, { DLT_LINUX_SLL, sll, 16 },
		{ DLT_LINUX_SLL2, sll2, 20 }, { DLT_RAW, "", 0 },	{ DLT_IPV4, "", 0 },
		{ DLT_NULL, null, 4 },	      { DLT_LOOP, loop, 4 },
	};
	struct fg_frame frame = frame_of("proto=udp;size=5", AF_INET);

	(void)state;
	for (size_t i = 0; i < COUNT(links); i++) {
		struct record record = { links[i].header, links[i].len, frame.data + 14,
					 frame.len - 14, 0 };
		struct fg_capture *capture;
		struct fg_captured packet;

		write_capture(links[i].link, &record, 1);
		assert_int_equal(fg_capture_open(path, i == 1 ? NULL : "udp port 4444", -1,
						 &capture, &err),
				 0);
		assert_int_equal(fg_capture_next(capture, &packet, &err), 1);
		assert_int_equal(packet.len, frame.len - 14);
		assert_memory_equal(packet.data, frame.data + 14, packet.len);
		assert_int_equal(fg_capture_next(capture, &packet, &err), 0);
		fg_capture_close(capture);
	}
	free(frame.data);
}

/* --- pcapng, block by block, in either byte order --- */

struct ng {
	uint8_t bytes[4096];
	size_t len;
	bool swap;
};

static void ng32(struct ng *ng, uint32_t value)
{
	value = ng->swap ? __builtin_bswap32(value) : value;
	memcpy(ng->bytes + ng->len, &value, 4);
	ng->len += 4;
}

static void ng16(struct ng *ng, uint16_t value)
{
	value = ng->swap ? __builtin_bswap16(value) : value;
	memcpy(ng->bytes + ng->len, &value, 2);
	ng->len += 2;
}

static void ng_section(struct ng *ng)
{
	ng32(ng, 0x0a0d0d0a);
	ng32(ng, 28);
	ng32(ng, 0x1a2b3c4d);
	ng16(ng, 1);
	ng16(ng, 0);
	ng32(ng, UINT32_MAX);
	ng32(ng, UINT32_MAX);
	ng32(ng, 28);
}

static void ng_interface(struct ng *ng, uint16_t link, uint32_t snap)
{
	ng32(ng, 1);
	ng32(ng, 20);
	ng16(ng, link);
	ng16(ng, 0);
	ng32(ng, snap);
	ng32(ng, 20);
}

/* interface < 0: a simple packet block, which is of the first one. */
static void ng_packet(struct ng *ng, int interface, const void *link, size_t link_len,
		      const struct fg_frame *frame)
{
	uint32_t len = (uint32_t)(link_len + frame->len - 14), padded = (len + 3) & ~3U;
	uint32_t all = padded + (interface < 0 ? 16 : 32);

	ng32(ng, interface < 0 ? 3 : 6);
	ng32(ng, all);
	if (interface >= 0) {
		ng32(ng, (uint32_t)interface);
		ng32(ng, 0);
		ng32(ng, 1500000);
		ng32(ng, len);
	}
	ng32(ng, len);
	memset(ng->bytes + ng->len, 0, padded);
	memcpy(ng->bytes + ng->len, link, link_len);
	memcpy(ng->bytes + ng->len + link_len, frame->data + 14, frame->len - 14);
	ng->len += padded;
	ng32(ng, all);
}

static void ng_write(const struct ng *ng)
{
	FILE *file = fopen(path, "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(ng->bytes, 1, ng->len, file), ng->len);
	assert_int_equal(fclose(file), 0);
}

static void expect_packet(struct fg_capture *capture, uint64_t number, const struct fg_frame *frame)
{
	struct fg_captured packet;
	int ret = fg_capture_next(capture, &packet, &err);

	if (ret != 1)
		fail_msg("%d: %s", ret, err.message);
	assert_int_equal(packet.number, number);
	assert_int_equal(packet.len, frame->len - 14);
	assert_memory_equal(packet.data, frame->data + 14, packet.len);
}

static void expect_end(struct fg_capture *capture)
{
	struct fg_captured packet;

	assert_int_equal(fg_capture_next(capture, &packet, &err), 0);
	fg_capture_close(capture);
}

static void test_interfaces_that_differ(void **state)
{
	static const uint8_t ethernet[14] = { [12] = 0x08, 0x00 };
	static const uint8_t ethernet6[14] = { [12] = 0x86, 0xdd };
	static const uint8_t sll[16] = { [14] = 0x08, 0x00 };
	struct fg_frame tcp = frame_of("size=200", AF_INET), udp = frame_of("proto=udp", AF_INET),
			six = frame_of("proto=udp", AF_INET6);
	struct fg_capture *capture;

	(void)state;
	for (int swap = 0; swap < 2; swap++) {
		struct ng ng = { .swap = swap };

		ng_section(&ng);
		ng_interface(&ng, 1, 128); /* Ethernet */
		ng_interface(&ng, 113, 0); /* Linux cooked */
		ng_packet(&ng, 0, ethernet, 14, &udp);
		ng_packet(&ng, 1, sll, 16, &tcp);
		ng_interface(&ng, 101, 65535); /* raw IP */
		ng_packet(&ng, 2, "", 0, &six);
		ng_packet(&ng, -1, ethernet, 14, &udp);
		/* A section begins anew. */
		ng_section(&ng);
		ng_interface(&ng, 101, 1024);
		ng_interface(&ng, 1, 0);
		ng_packet(&ng, 1, ethernet6, 14, &six);
		ng_packet(&ng, 0, "", 0, &tcp);
		ng_write(&ng);
		assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
		expect_packet(capture, 1, &udp);
		expect_packet(capture, 2, &tcp);
		expect_packet(capture, 3, &six);
		expect_packet(capture, 4, &udp);
		expect_packet(capture, 5, &six);
		expect_packet(capture, 6, &tcp);
		expect_end(capture);
		/* The filter finds its way in each of them. */
		assert_int_equal(fg_capture_open(path, "udp and ip6", -1, &capture, &err), 0);
		expect_packet(capture, 3, &six);
		expect_packet(capture, 5, &six);
		expect_end(capture);
		assert_int_equal(fg_capture_open(path, "tcp", -1, &capture, &err), 0);
		expect_packet(capture, 2, &tcp);
		expect_packet(capture, 6, &tcp);
		expect_end(capture);
	}
	free(tcp.data);
	free(udp.data);
	free(six.data);
}

static void test_interface_of_unknown_link(void **state)
{
	static const uint8_t ethernet[14] = { [12] = 0x08, 0x00 };
	struct fg_frame udp = frame_of("proto=udp", AF_INET);
	struct ng ng = {};
	struct fg_capture *capture;
	struct fg_captured packet;

	(void)state;
	ng_section(&ng);
	ng_interface(&ng, 1, 0);
	ng_interface(&ng, 127, 0); /* radiotap */
	ng_packet(&ng, 0, ethernet, 14, &udp);
	ng_packet(&ng, 1, ethernet, 14, &udp);
	ng_write(&ng);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	expect_packet(capture, 1, &udp);
	assert_int_equal(fg_capture_next(capture, &packet, &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_non_null(strstr(err.message, ": packet 2: link type must be Ethernet"));
	fg_capture_close(capture);
	free(udp.data);
}

/* Numbers are those of the file, whatever the filter and the passed-over packets leave. */
static void test_filter_and_others(void **state)
{
	static const uint8_t ip[14] = { [12] = 0x08, 0x00 }, arp[14] = { [12] = 0x08, 0x06 };
	struct fg_frame tcp = frame_of("", AF_INET), udp = frame_of("proto=udp", AF_INET);
	const struct record records[] = {
		{ arp, 14, tcp.data, 28, 0 },
		{ ip, 14, tcp.data + 14, tcp.len - 14, 0 },
		{ ip, 14, udp.data + 14, udp.len - 14, 0 },
		{ ip, 14, tcp.data + 14, 30, 20 }, /* cut off, but not wanted */
	};
	struct fg_capture *capture;
	struct fg_captured packet;

	(void)state;
	write_capture(DLT_EN10MB, records, 4);
	assert_int_equal(fg_capture_open(path, "arp or udp", -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 1);
	assert_int_equal(packet.number, 3);
	assert_int_equal(fg_capture_skipped(capture), 1);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 0);
	fg_capture_close(capture);
	free(tcp.data);
	free(udp.data);
}

/* A length of 0 says nothing of what follows: it is not cut off in silence. */
static void test_no_length(void **state)
{
	static const uint8_t ip6[14] = { [12] = 0x86, 0xdd };
	struct fg_frame tcp = frame_of("size=30", AF_INET6);
	const struct record record = { ip6, 14, tcp.data + 14, tcp.len - 14, 0 };
	struct fg_capture *capture;
	struct fg_captured packet;

	(void)state;
	tcp.data[14 + 4] = tcp.data[14 + 5] = 0;
	write_capture(DLT_EN10MB, &record, 1);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), -1);
	assert_non_null(strstr(err.message, "packet 1: its IPv6 payload length is 0"));
	assert_int_equal(err.kind, FG_ERR_USAGE);
	fg_capture_close(capture);
	/* The hint leaves it out. */
	assert_int_equal(fg_capture_open(path, "not (ip6 and ip6[4:2] = 0)", -1, &capture, &err),
			 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 0);
	fg_capture_close(capture);
	/* After "no next header" comes nothing but padding. */
	tcp.data[14 + 6] = 59;
	write_capture(DLT_EN10MB, &record, 1);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 1);
	assert_int_equal(packet.len, 40);
	fg_capture_close(capture);
	free(tcp.data);
}

static void test_padding_is_dropped(void **state)
{
	static const uint8_t ip[14] = { [12] = 0x08, 0x00 };
	struct fg_frame udp = frame_of("proto=udp", AF_INET);
	uint8_t padded[46] = { 0 };
	struct record record = { ip, 14, padded, sizeof(padded), 0 };
	struct fg_capture *capture;
	struct fg_captured packet;

	(void)state;
	memcpy(padded, udp.data + 14, udp.len - 14);
	write_capture(DLT_EN10MB, &record, 1);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), 1);
	assert_int_equal(packet.len, 28);
	fg_capture_close(capture);
	free(udp.data);
}

static void expect_error(const char *what)
{
	struct fg_capture *capture;
	struct fg_captured packet;
	char message[256];

	snprintf(message, sizeof(message), "%s: %s", path, what);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &packet, &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_string_equal(err.message, message);
	fg_capture_close(capture);
}

static void test_bad_packets(void **state)
{
	static const uint8_t v4[14] = { [12] = 0x08, 0x00 }, v6[14] = { [12] = 0x86, 0xdd };
	struct fg_frame tcp = frame_of("", AF_INET);
	struct record record = { v4, 14, tcp.data + 14, 30, 30 };

	(void)state;
	write_capture(DLT_EN10MB, &record, 1);
	expect_error("packet 1: only 44 of its 74 bytes were captured");
	assert_string_equal(err.hint, "capture whole packets, as tcpdump does with -s 0");
	record.missing = 0;
	write_capture(DLT_EN10MB, &record, 1);
	expect_error("packet 1: shorter than its IP header says");
	record.len = 10;
	write_capture(DLT_EN10MB, &record, 1);
	expect_error("packet 1: malformed IP header");
	record = (struct record){ v6, 14, tcp.data + 14, 60, 0 };
	write_capture(DLT_EN10MB, &record, 1);
	expect_error("packet 1: malformed IP header");
	record = (struct record){ v6, 13, tcp.data, 0, 0 };
	write_capture(DLT_EN10MB, &record, 1);
	expect_error("packet 1: shorter than its link-layer header");
	free(tcp.data);
}

static void test_bad_files(void **state)
{
	struct fg_frame tcp = frame_of("", AF_INET);
	static const uint8_t v4[14] = { [12] = 0x08, 0x00 };
	struct record record = { v4, 14, tcp.data + 14, tcp.len - 14, 0 };
	struct fg_capture *capture = NULL;

	(void)state;
	/* A file that ends within its second packet. */
	write_capture(DLT_EN10MB, (struct record[]){ record, record }, 2);
	assert_int_equal(truncate(path, 24 + 2 * (16 + 74) - 5), 0);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &(struct fg_captured){ 0 }, &err), 1);
	assert_int_equal(fg_capture_next(capture, &(struct fg_captured){ 0 }, &err), -1);
	assert_non_null(strstr(err.message, "packet 2: truncated dump file"));
	fg_capture_close(capture);
	capture = NULL;

	assert_int_equal(truncate(path, 10), 0);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_non_null(strstr(err.message, ": not a capture file: "));
	assert_int_equal(fg_capture_open("/nonexistent/x.pcap", NULL, -1, &capture, &err), -1);
	assert_string_equal(err.message, "/nonexistent/x.pcap: No such file or directory");
	assert_int_equal(err.kind, FG_ERR_USAGE);

	write_capture(DLT_IEEE802_11, &record, 1);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), -1);
	assert_non_null(strstr(err.message, "link type must be Ethernet, "));
	write_capture(DLT_EN10MB, &record, 1);
	assert_int_equal(fg_capture_open(path, "port http or", -1, &capture, &err), -1);
	assert_non_null(strstr(err.message, "filter \"port http or\": "));
	assert_null(capture);
	free(tcp.data);
}

/*
 * pcapng: a section header, an interface with nanosecond stamps, one enhanced packet
 * (draft-ietf-opsawg-pcapng).
 */
static void test_pcapng(void **state)
{
	struct fg_frame udp = frame_of("proto=udp;size=5", AF_INET);
	uint32_t len = (uint32_t)udp.len, padded = (len + 3) & ~3U;
	const uint32_t section[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1, 0xffffffff, 0xffffffff, 28 };
	const uint32_t interface[] = { 1, 32, DLT_EN10MB, 0, 0x00010009, 9, 0, 32 };
	const uint64_t time_ns = 1700000000123456789;
	const uint32_t packet[] = {
		6, 32 + padded, 0, (uint32_t)(time_ns >> 32), (uint32_t)time_ns, len, len
	};
	struct fg_capture *capture;
	struct fg_captured found;
	FILE *file = fopen(path, "wb");

	(void)state;
	assert_non_null(file);
	fwrite(section, 1, sizeof(section), file);
	fwrite(interface, 1, sizeof(interface), file);
	fwrite(packet, 1, sizeof(packet), file);
	fwrite(udp.data, 1, len, file);
	fwrite("\0\0\0", 1, padded - len, file);
	fwrite(&packet[1], 1, 4, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(fg_capture_open(path, NULL, -1, &capture, &err), 0);
	assert_int_equal(fg_capture_next(capture, &found, &err), 1);
	assert_true(found.time_ns == time_ns);
	assert_int_equal(found.len, len - 14);
	assert_memory_equal(found.data, udp.data + 14, found.len);
	fg_capture_close(capture);
	free(udp.data);
}

static void test_write_errors(void **state)
{
	struct fg_capture_writer *writer;
	static uint8_t frame[262145];
	int result = 0;

	(void)state;
	assert_int_equal(fg_capture_create("/nonexistent/x.pcap", &writer, &err), -1);
	assert_string_equal(err.message, "write: /nonexistent/x.pcap: No such file or directory");
	assert_int_equal(fg_capture_create("/dev/full", &writer, &err), 0);
	assert_int_equal(fg_capture_write(writer, 0, frame, 60, &err), 0); /* still in the buffer */
	assert_int_equal(fg_capture_finish(writer, &err), -1);
	assert_string_equal(err.message, "write: /dev/full: No space left on device");
	assert_int_equal(fg_capture_create("/dev/full", &writer, &err), 0);
	for (int i = 0; i < 10 && result == 0; i++)
		result = fg_capture_write(writer, 0, frame, 60000, &err);
	assert_int_equal(result, -1);
	assert_string_equal(err.message, "write: /dev/full: No space left on device");
	assert_int_equal(fg_capture_finish(writer, &err), -1);
	assert_int_equal(fg_capture_create("/dev/null", &writer, &err), 0);
	assert_int_equal(fg_capture_write(writer, 0, frame, sizeof(frame), &err), -1);
	assert_string_equal(err.message,
			    "write: /dev/null: a frame of 262145 bytes, at most 262144 fit");
	assert_int_equal(fg_capture_finish(writer, &err), 0);
}

static int remove_file(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_write_and_read),
		cmocka_unit_test(test_link_layers),
		cmocka_unit_test(test_interfaces_that_differ),
		cmocka_unit_test(test_interface_of_unknown_link),
		cmocka_unit_test(test_filter_and_others),
		cmocka_unit_test(test_no_length),
		cmocka_unit_test(test_padding_is_dropped),
		cmocka_unit_test(test_bad_packets),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_pcapng),
		cmocka_unit_test(test_write_errors),
	};
	int fd = mkstemp(path);

	if (fd < 0)
		return 1;
	close(fd);
	return cmocka_run_group_tests(tests, NULL, remove_file);
}
