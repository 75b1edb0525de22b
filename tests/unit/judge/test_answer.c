// SPDX-License-Identifier: GPL-2.0-only
/* test_answer.c - which answers fit the packet that was sent, over IPv4 and IPv6. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/count.h"
#include "judge/judge.h"

/* Transport headers. Sequence number 0x1000, acknowledgment number 0x77. */
#define TCP(flags) 0xa0, 0, 0, 80, 0, 0, 0x10, 0, 0, 0, 0, 0x77, 0x50, flags, 0, 0, 0, 0, 0, 0
#define BACK(flags, seq, ack)                                                                      \
	0, 80, 0xa0, 0, 0, 0, (seq) >> 8, (seq)&255, 0, 0, (ack) >> 8, (ack)&255, 0x50, flags, 0,  \
		0, 0, 0, 0, 0
#define UDP(dport, len) 0xa0, 0, 0, dport, 0, len, 0, 0
#define DNS(id, flags) 0, 20, 0, 0, 0, id, flags, 0, 0, 1, 0, 0, 0, 0, 0, 0
#define ECHO(type, id, seq) type, 0, 0, 0, 0, id, 0, seq
#define SCTP(tag, chunk, initiate)                                                                 \
	0xa0, 0, 0, 80, 0, 0, 0, tag, 0, 0, 0, 0, chunk, 0, 0, 20, 0, 0, 0, initiate
#define SCTP_LEN 20
#define DNS_LEN 20

enum { TCP_NUMBER = 6, UDP_NUMBER = 17, ICMP_NUMBER = 1, SCTP_NUMBER = 132 };

struct bytes {
	uint8_t list[40], len;
};

static const struct {
	const char *what;
	uint8_t protocol;
	struct bytes sent, got;
	bool fits;
} rows[] = {
	{ "SYN-ACK", TCP_NUMBER, { { TCP(2) }, 20 }, { { BACK(0x12, 5, 0x1001) }, 20 }, true },
	{ "SYN-ACK to another SYN",
	  TCP_NUMBER,
	  { { TCP(2) }, 20 },
	  { { BACK(0x12, 5, 0x1002) }, 20 },
	  false },
	{ "SYN-ACK that takes the payload",
	  TCP_NUMBER,
	  { { TCP(2), 1, 2, 3, 4 }, 24 },
	  { { BACK(0x12, 5, 0x1005) }, 20 },
	  true },
	{ "SYN-ACK that does not",
	  TCP_NUMBER,
	  { { TCP(2), 1, 2, 3, 4 }, 24 },
	  { { BACK(0x12, 5, 0x1001) }, 20 },
	  true },
	{ "reset of a SYN",
	  TCP_NUMBER,
	  { { TCP(2) }, 20 },
	  { { BACK(0x14, 0, 0x1001) }, 20 },
	  true },
	{ "made up reset of a SYN",
	  TCP_NUMBER,
	  { { TCP(2) }, 20 },
	  { { BACK(0x14, 0, 0x1000) }, 20 },
	  false },
	{ "reset of a SYN that acknowledges nothing",
	  TCP_NUMBER,
	  { { TCP(2) }, 20 },
	  { { BACK(0x04, 0x77, 0x1001) }, 20 },
	  false },
	{ "reset of data",
	  TCP_NUMBER,
	  { { TCP(0x18), 1, 2, 3, 4 }, 24 },
	  { { BACK(0x04, 0x77, 0) }, 20 },
	  true },
	{ "made up reset of data",
	  TCP_NUMBER,
	  { { TCP(0x18), 1, 2, 3, 4 }, 24 },
	  { { BACK(0x04, 0x78, 0) }, 20 },
	  false },
	{ "a challenge, whose numbers nobody knows",
	  TCP_NUMBER,
	  { { TCP(2) }, 20 },
	  { { BACK(0x10, 0x4711, 0x4712) }, 20 },
	  true },
	{ "half a TCP header",
	  TCP_NUMBER,
	  { { TCP(2) }, 20 },
	  { { BACK(0x12, 5, 0x1001) }, 10 },
	  false },
	{ "a datagram", UDP_NUMBER, { { UDP(77, 8) }, 8 }, { { 0, 77, 0xa0, 0, 0, 8 }, 8 }, true },
	{ "a DNS answer",
	  UDP_NUMBER,
	  { { 0xa0, 0, 0, 53, DNS(7, 1) }, DNS_LEN },
	  { { 0, 53, 0xa0, 0, DNS(7, 0x81) }, DNS_LEN },
	  true },
	{ "a DNS answer to another question",
	  UDP_NUMBER,
	  { { 0xa0, 0, 0, 53, DNS(7, 1) }, DNS_LEN },
	  { { 0, 53, 0xa0, 0, DNS(8, 0x81) }, DNS_LEN },
	  false },
	{ "not a DNS answer",
	  UDP_NUMBER,
	  { { 0xa0, 0, 0, 53, DNS(7, 1) }, DNS_LEN },
	  { { 0, 53, 0xa0, 0, DNS(7, 1) }, DNS_LEN },
	  false },
	{ "too short for a DNS answer",
	  UDP_NUMBER,
	  { { 0xa0, 0, 0, 53, DNS(7, 1) }, DNS_LEN },
	  { { 0, 53, 0xa0, 0, 0, 10, 0, 0, 0, 7 }, 10 },
	  false },
	{ "anything, to what is no DNS query",
	  UDP_NUMBER,
	  { { UDP(53, 12), 1, 2, 3, 4 }, 12 },
	  { { 0, 53, 0xa0, 0, 0, 10, 0, 0, 5, 6 }, 10 },
	  true },
	{ "an echo",
	  ICMP_NUMBER,
	  { { ECHO(8, 3, 4), 'a', 'b' }, 10 },
	  { { ECHO(0, 3, 4), 'a', 'b' }, 10 },
	  true },
	{ "an echo that is cut short",
	  ICMP_NUMBER,
	  { { ECHO(8, 3, 4), 'a', 'b' }, 10 },
	  { { ECHO(0, 3, 4), 'a' }, 9 },
	  true },
	{ "an echo of another number",
	  ICMP_NUMBER,
	  { { ECHO(8, 3, 4), 'a', 'b' }, 10 },
	  { { ECHO(0, 3, 5), 'a', 'b' }, 10 },
	  false },
	{ "an echo of another identifier",
	  ICMP_NUMBER,
	  { { ECHO(8, 3, 4), 'a', 'b' }, 10 },
	  { { ECHO(0, 4, 4), 'a', 'b' }, 10 },
	  false },
	{ "an echo with other data",
	  ICMP_NUMBER,
	  { { ECHO(8, 3, 4), 'a', 'b' }, 10 },
	  { { ECHO(0, 3, 4), 'a', 'c' }, 10 },
	  false },
	{ "INIT ACK",
	  SCTP_NUMBER,
	  { { SCTP(0, 1, 9) }, SCTP_LEN },
	  { { SCTP(9, 2, 3) }, SCTP_LEN },
	  true },
	{ "INIT ACK to another INIT",
	  SCTP_NUMBER,
	  { { SCTP(0, 1, 9) }, SCTP_LEN },
	  { { SCTP(8, 2, 3) }, SCTP_LEN },
	  false },
	{ "ABORT of another INIT",
	  SCTP_NUMBER,
	  { { SCTP(0, 1, 9) }, SCTP_LEN },
	  { { SCTP(0, 6, 0) }, 16 },
	  false },
};

/* A packet with that transport part, back or forth. Returns its length. */
static uint32_t wrap(uint8_t *out, bool six, bool back, uint8_t protocol, const struct bytes *b)
{
	uint8_t v4[20] = { 0x45, 0, 0, (uint8_t)(20 + b->len), 0x12, 0x34, 0, 0, 64, protocol };
	uint8_t v6[40] = { 0x60, 0, 0, 0, 0, b->len, protocol == ICMP_NUMBER ? 58 : protocol, 64 };
	size_t header = six ? 40 : 20;

	v4[15] = v4[19] = 9;
	v4[back ? 19 : 15] = v6[back ? 39 : 23] = 1;
	memcpy(out, six ? v6 : v4, header);
	memcpy(out + header, b->list, b->len);
	if (six && protocol == ICMP_NUMBER && b->list[0] != 1)
		out[header] = b->list[0] ? 128 : 129;
	return (uint32_t)header + b->len;
}

static struct fg_frame frame_of(uint8_t *bytes, bool six, uint8_t protocol, const struct bytes *b)
{
	return (struct fg_frame){ .data = bytes,
				  .len = 14 + wrap(bytes + 14, six, false, protocol, b) };
}

static void test_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows) * 2; i++) {
		bool six = i % 2;
		uint8_t bytes[128] = {};
		struct fg_event_reply reply = {};
		struct fg_frame frame =
			frame_of(bytes, six, rows[i / 2].protocol, &rows[i / 2].sent);

		reply.captured =
			wrap(reply.bytes, six, true, rows[i / 2].protocol, &rows[i / 2].got);
		if (fg_answer_fits(&frame, &reply) != rows[i / 2].fits)
			fail_msg("%s, %s", rows[i / 2].what, six ? "IPv6" : "IPv4");
		/* Nothing was sent: nothing can be held against it. */
		frame.data = NULL;
		assert_true(fg_answer_fits(&frame, &reply));
	}
}

/* What is no query has no number: then an answer with another one fits. By byte of the message. */
static void test_what_is_a_query(void **state)
{
	static const struct {
		uint8_t at, value;
		bool query;
	} changes[] = {
		{ 0, 9, true },	    { 2, 0x00, true },	{ 2, 0x01, true },  { 2, 0x07, true },
		{ 2, 0x08, false }, { 2, 0x40, false }, { 2, 0x80, false }, { 3, 0xff, true },
		{ 4, 1, false },    { 5, 0, false },	{ 5, 2, false },    { 6, 1, false },
		{ 7, 1, false },    { 8, 1, true },	{ 9, 1, true },	    { 10, 1, true },
		{ 11, 1, true },
	};
	const struct bytes query = { { 0xa0, 0, 0, 53, DNS(7, 1) }, DNS_LEN };
	const struct bytes other = { { 0, 53, 0xa0, 0, DNS(8, 0x81) }, DNS_LEN };

	(void)state;
	for (size_t i = 0; i < COUNT(changes); i++) {
		uint8_t bytes[128] = {};
		struct fg_event_reply reply = {};
		struct bytes sent = query;
		struct fg_frame frame;

		sent.list[8 + changes[i].at] = changes[i].value;
		frame = frame_of(bytes, i % 2, UDP_NUMBER, &sent);
		reply.captured = wrap(reply.bytes, i % 2, true, UDP_NUMBER, &other);
		if (fg_answer_fits(&frame, &reply) == changes[i].query)
			fail_msg("%zu", i);
		/* With one byte less it is none. */
		frame.len--;
		assert_true(fg_answer_fits(&frame, &reply));
	}
}

/* An ICMP error quotes it; one byte of the quote is changed. */
static const struct {
	const char *what;
	uint8_t protocol;
	struct bytes sent;
	int at;	     /* of the changed byte, from the quoted transport header on; -20: from IP */
	uint8_t cut; /* bytes of the transport header that are quoted */
	bool only_v4, fits;
} quotes[] = {
	{ "TCP", TCP_NUMBER, { { TCP(2) }, 20 }, -1, 8, false, true },
	{ "TCP, quoted whole", TCP_NUMBER, { { TCP(2) }, 20 }, -1, 20, false, true },
	{ "another sequence number", TCP_NUMBER, { { TCP(2) }, 20 }, 7, 8, false, false },
	{ "another identification", TCP_NUMBER, { { TCP(2) }, 20 }, -15, 8, true, false },
	{ "too little", TCP_NUMBER, { { TCP(2) }, 20 }, -1, 6, false, false },
	{ "UDP", UDP_NUMBER, { { UDP(77, 8) }, 8 }, -1, 8, false, true },
	{ "another length", UDP_NUMBER, { { UDP(77, 8) }, 8 }, 5, 8, false, false },
	{ "another UDP checksum: the device's",
	  UDP_NUMBER,
	  { { UDP(77, 8) }, 8 },
	  7,
	  8,
	  false,
	  true },
	{ "an echo", ICMP_NUMBER, { { ECHO(8, 3, 4) }, 8 }, -1, 8, false, true },
	{ "another identifier", ICMP_NUMBER, { { ECHO(8, 3, 4) }, 8 }, 5, 8, false, false },
	{ "another number", ICMP_NUMBER, { { ECHO(8, 3, 4) }, 8 }, 7, 8, false, false },
	{ "SCTP", SCTP_NUMBER, { { SCTP(7, 1, 9) }, SCTP_LEN }, -1, 8, false, true },
	{ "another tag", SCTP_NUMBER, { { SCTP(7, 1, 9) }, SCTP_LEN }, 7, 8, false, false },
	{ "another protocol", TCP_NUMBER, { { TCP(2) }, 20 }, -11, 8, true, false },
};

/* In IPv6 the error is a packet of 48 bytes with the quote, in IPv4 of 28. */
static void quote(struct fg_event_reply *reply, bool six, const struct fg_frame *frame, size_t cut)
{
	struct bytes error = { .list = { six ? 1 : 3, six ? 4 : 3 }, .len = 8 };
	size_t header = six ? 40 : 20;
	uint32_t len = wrap(reply->bytes, six, true, ICMP_NUMBER, &error);

	memcpy(reply->bytes + len, frame->data + 14, header + cut);
	len += (uint32_t)(header + cut);
	reply->bytes[six ? 5 : 3] = (uint8_t)(six ? len - 40 : len);
	reply->captured = len;
}

static void test_quotes(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(quotes) * 2; i++) {
		bool six = i % 2;
		uint8_t bytes[128] = {};
		struct fg_event_reply reply = {};
		struct fg_frame frame =
			frame_of(bytes, six, quotes[i / 2].protocol, &quotes[i / 2].sent);
		int at = quotes[i / 2].at;

		if (six && quotes[i / 2].only_v4)
			continue;
		quote(&reply, six, &frame, quotes[i / 2].cut);
		/* The TTL is never what it was, nor the IPv4 checksum. */
		reply.bytes[six ? 48 + 7 : 28 + 8]--;
		if (at != -1)
			reply.bytes[(six ? 88 : 48) + at] ^= 1;
		if (fg_answer_fits(&frame, &reply) != quotes[i / 2].fits)
			fail_msg("%s, %s", quotes[i / 2].what, six ? "IPv6" : "IPv4");
	}
}

/* An identification that is not there, and those of segments, are no reason. */
static void test_ident(void **state)
{
	uint8_t bytes[128] = {};
	struct fg_event_reply reply = {};
	const struct bytes tcp = { { TCP(2) }, 20 };
	struct fg_frame frame = frame_of(bytes, false, TCP_NUMBER, &tcp);

	(void)state;
	quote(&reply, false, &frame, 8);
	reply.bytes[28 + 4] = reply.bytes[28 + 5] = 0;
	assert_true(fg_answer_fits(&frame, &reply));
	reply.bytes[28 + 5] = 1;
	assert_false(fg_answer_fits(&frame, &reply));
	frame.offload.gso_size = 1000;
	assert_true(fg_answer_fits(&frame, &reply));
	reply.bytes[28 + 20 + 6] = 0x20;
	assert_true(fg_answer_fits(&frame, &reply));
	reply.bytes[28 + 20 + 5] = 0x20;
	assert_false(fg_answer_fits(&frame, &reply));
}

/* A later fragment has no numbers but its identification. */
static void test_fragments(void **state)
{
	uint8_t bytes[128] = {};
	struct fg_event_reply reply = {};
	const struct bytes udp = { { UDP(77, 200) }, 8 };
	struct fg_frame frame = frame_of(bytes, false, UDP_NUMBER, &udp);

	(void)state;
	frame.data[14 + 7] = 10;
	quote(&reply, false, &frame, 8);
	reply.bytes[28 + 20 + 5] ^= 1;
	assert_true(fg_answer_fits(&frame, &reply));
	reply.bytes[28 + 5] ^= 1;
	assert_false(fg_answer_fits(&frame, &reply));
	/* That the datagram was not complete in time is told with its first fragment. */
	reply.bytes[28 + 5] ^= 1;
	reply.bytes[28 + 7] = 0;
	assert_true(fg_answer_fits(&frame, &reply));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),	  cmocka_unit_test(test_what_is_a_query),
		cmocka_unit_test(test_quotes),	  cmocka_unit_test(test_ident),
		cmocka_unit_test(test_fragments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
