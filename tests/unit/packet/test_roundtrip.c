// SPDX-License-Identifier: GPL-2.0-only
/*
 * dissect(build(x)) = x for random templates: each value that was set is in the packet at its
 * place, nothing is malformed, and the checksums add up by an implementation of their own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "header/dissect.h"
#include "packets.h"
#include "seed.h"

/*
 * Keys that make a packet contradict itself, or that put something else into the place of what is
 * looked for.
 */
static bool is_wrecking(const char *name)
{
	static const char *const names[] = { "ihl",	    "ip-version",     "total-length",
					     "data-offset", "payload-length", "udp-length",
					     "sctp-length", "icmp-rest",      "checksum",
					     "ip-checksum" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* A random number for each key that is a number, and now and then one of the others. */
static void random_keys(char *keys, size_t size, int family)
{
	static const char *const protocols[] = { "tcp", "udp", "icmp", "sctp", "253" };
	static const unsigned int bits[] = { FG_FOR_TCP, FG_FOR_UDP, FG_FOR_ICMP, FG_FOR_SCTP, 0 };
	static const char *const v4[] = { "df=off", "reserved-flag", "trace-id=77",
					  "ip-option=94040000" };
	static const char *const v6[] = { "ext-header=hop-by-hop", "ext-header=destination:0102",
					  "ext-header=fragment" };
	static const char *const tcp[] = { "flags=FSRPAUEC", "flags=PA",	   "mss=off",
					   "wscale=3",	     "timestamps=5,6",	   "sack=off",
					   "mss=1000",	     "tcp-option=fe04abcd" };
	static const char *const sctp[] = { "sctp-chunk=data",	   "sctp-chunk=sack",
					    "sctp-chunk=shutdown", "sctp-chunk=init-ack",
					    "sctp-chunk=abort",	   "sctp-chunk=heartbeat" };
	size_t kind = seed_below(5), used;
	unsigned int version = family == AF_INET ? FG_FOR_IPV4 : FG_FOR_IPV6;

	used = (size_t)snprintf(keys, size, "proto=%s;size=%zu", protocols[kind], seed_below(1500));
	if (family == AF_INET && seed_below(2))
		used += (size_t)snprintf(keys + used, size - used, ";%s", v4[seed_below(4)]);
	if (family == AF_INET6 && seed_below(2))
		used += (size_t)snprintf(keys + used, size - used, ";%s", v6[seed_below(3)]);
	for (int i = 0; i < 3 && kind == 0; i++)
		used += (size_t)snprintf(keys + used, size - used, ";%s", tcp[seed_below(8)]);
	if (kind == 3)
		used += (size_t)snprintf(keys + used, size - used, ";%s", sctp[seed_below(6)]);
	for (size_t i = 0; i < fg_packet_key_count; i++) {
		const struct fg_packet_key *key = &fg_packet_keys[i];
		unsigned int protocol = key->applies & ~(unsigned int)(FG_FOR_IPV4 | FG_FOR_IPV6);
		uint64_t max = key->max;

		if (key->set || is_wrecking(key->name) || seed_below(2) ||
		    (protocol && !(protocol & bits[kind])) ||
		    (key->applies & (FG_FOR_IPV4 | FG_FOR_IPV6) && !(key->applies & version)))
			continue;
		if (!strcmp(key->name, "id")) {
			if (family == AF_INET6 && !strstr(keys, "=fragment"))
				continue;
			max = 65535;
		}
		used += (size_t)snprintf(
			keys + used, size - used, ";%s=%llu", key->name,
			(unsigned long long)(key->min + seed_next() % (max - key->min + 1)));
	}
}

/* Each value that was set stands in its layer, where the packet has such a layer. */
static void check_values(const char *keys, const struct fg_dissection *dissection)
{
	struct fg_packet_spec spec;

	fg_packet_spec_init(&spec);
	assert_int_equal(packets_set(&spec, keys, NULL), 0);
	for (unsigned int id = 0; id < FG_FIELD_COUNT; id++) {
		const struct fg_layer *layer = fg_dissect_find(dissection, fg_fields[id].header);

		if (!spec.overridden[id] || !layer)
			continue;
		if (fg_field_get(id, dissection->bytes + layer->offset) != spec.value[id])
			fail_msg("%s: %s of %s is wrong", keys, fg_fields[id].name,
				 fg_field_headers[fg_fields[id].header].name);
	}
	fg_packet_spec_free(&spec);
}

static uint32_t add_words(uint32_t sum, const uint8_t *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return sum;
}

/* The whole of what a checksum covers, itself included, adds up to all ones. */
static void check_checksums(const char *keys, const uint8_t *packet, size_t len)
{
	struct fg_layout layout;
	uint32_t sum = 0;
	uint8_t protocol;

	assert_int_equal(fg_flow_layout_find(packet, len, &layout), 0);
	protocol = layout.protocol;
	if (layout.family == AF_INET) {
		sum = add_words(0, packet, (packet[0] & 15u) * 4);
		if ((sum & 0xffff) + (sum >> 16) != 0xffff)
			fail_msg("%s: the IPv4 checksum is wrong", keys);
	}
	if (protocol == IPPROTO_SCTP || protocol == 253)
		return;
	sum = add_words(0, packet + layout.transport, len - layout.transport);
	if (protocol != IPPROTO_ICMP)
		sum = add_words(sum, packet + (layout.family == AF_INET ? 12 : 8),
				layout.family == AF_INET ? 8 : 32) +
		      protocol + (uint32_t)(len - layout.transport);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	if (sum != 0xffff)
		fail_msg("%s: the checksum is wrong", keys);
}

static void random_addresses(struct fg_packet_vary *vary)
{
	seed_fill(vary->src.bytes, vary->src.family == AF_INET ? 4 : 16);
	seed_fill(vary->dst.bytes, vary->dst.family == AF_INET ? 4 : 16);
	vary->sport = (uint16_t)seed_next();
	vary->dport = (uint16_t)seed_next();
	vary->random = seed_next();
	vary->number = (uint32_t)seed_next();
}

static void check_flow(const char *keys, const struct fg_packet_vary *vary, const uint8_t *packet,
		       size_t len)
{
	struct fg_flow flow;

	assert_int_equal(fg_flow_extract(packet, len, &flow), 0);
	if (!fg_addr_equal(&flow.src, &vary->src) || !fg_addr_equal(&flow.dst, &vary->dst))
		fail_msg("%s: wrong addresses", keys);
	if (strstr(keys, "proto=icmp") || strstr(keys, "proto=253"))
		return;
	if (flow.sport != vary->sport || flow.dport != vary->dport)
		fail_msg("%s: wrong ports", keys);
}

static void test_roundtrip(void **state)
{
	(void)state;
	for (int round = 0; round < 20000; round++) {
		int family = seed_below(2) ? AF_INET : AF_INET6;
		struct fg_packet_vary vary = packets_vary(family);
		struct fg_dissection dissection;
		struct fg_frame frame;
		struct fg_error err;
		char keys[1024];

		random_keys(keys, sizeof(keys), family);
		random_addresses(&vary);
		if (packets_build(keys, &vary, &frame, NULL, &err) < 0)
			fail_msg("%s: %s", keys, err.message);
		fg_dissect_frame(frame.data, frame.len, &dissection);
		if (dissection.problem)
			fail_msg("%s: %s", keys, dissection.problem);
		check_values(keys, &dissection);
		check_checksums(keys, frame.data + 14, frame.len - 14);
		check_flow(keys, &vary, frame.data + 14, frame.len - 14);
		free(frame.data);
	}
}

/* The fragments of a random datagram hold, in order, what the whole one does. */
static void test_fragments(void **state)
{
	(void)state;
	for (int round = 0; round < 2000; round++) {
		int family = seed_below(2) ? AF_INET : AF_INET6;
		size_t size = 8 + 8 * seed_below(40), payload = size + seed_below(2000), at = 0;
		const char *extra = family == AF_INET6 && seed_below(2) ? ";ext-header=destination"
									: "";
		struct fg_packet_vary vary = packets_vary(family);
		struct fg_frame whole, frame;
		char keys[200];
		size_t headers = family == AF_INET ? 20 : 40;

		snprintf(keys, sizeof(keys), "proto=udp;size=%zu%s", payload, extra);
		assert_int_equal(packets_build(keys, &vary, &whole, NULL, NULL), 0);
		snprintf(keys + strlen(keys), 32, ";fragment=%zu", size);
		assert_int_equal(packets_build(keys, &vary, &frame, NULL, NULL), 0);
		for (uint32_t i = 0; i < frame.count; i++) {
			struct fg_layout layout;
			size_t len;
			const uint8_t *part = fg_frame_part(&frame, i, &len) + 14;
			size_t data;

			assert_int_equal(fg_flow_layout_find(part, len - 14, &layout), 0);
			assert_int_equal(layout.claimed, len - 14);
			assert_int_equal(layout.fragment_offset, at);
			assert_int_equal(layout.more_fragments, i + 1 < frame.count);
			data = layout.len - headers - (family == AF_INET6 ? 8 : 0);
			assert_memory_equal(part + layout.len - data,
					    whole.data + 14 + headers + at, data);
			at += data;
		}
		assert_int_equal(at, whole.len - 14 - headers);
		free(whole.data);
		free(frame.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roundtrip),
		cmocka_unit_test(test_fragments),
	};

	seed_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
