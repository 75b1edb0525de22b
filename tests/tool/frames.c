// SPDX-License-Identifier: GPL-2.0-only
/*
 * frames - writes one frame of every kind that flowgen builds to a capture, and says for each what
 * tshark must find in it.
 *
 *     frames FILE.pcap
 *
 * A line is the number of the (first) frame, its name, and a tshark display filter that must match.
 *
 * A case is the keys as a user gives them and the values as another program reads them, so nothing
 * of flowgen is asked whether flowgen is right. A case named "bad..." is malformed on purpose.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/count.h"
#include "capture/capture.h"
#include "packets.h"

struct frame_case {
	const char *name;
	int family;	    /* 4, 6, or 46: both */
	const char *keys;   /* "key=value;key=value;flag" */
	const char *filter; /* for any family; the first frame of several */
};

static const struct frame_case cases[] = {
	{ "tcp-syn", 46, "",
	  "tcp.flags == 0x002 && tcp.option_kind == 2 && tcp.option_kind == 4 && tcp.option_kind == 8 "
	  "&& tcp.options.wscale.shift == 7 && tcp.seq_raw == 0x89abcdef && tcp.srcport == 40000 && "
	  "tcp.dstport == 4444 && tcp.hdr_len == 40" },
	{ "tcp-syn-v4", 4, "",
	  "ip.len == 60 && ip.flags.df == 1 && ip.ttl == 64 && ip.id == 0x4567 && "
	  "tcp.window_size_value == 64240 && tcp.options.mss_val == 1460 && ip.src == 10.0.0.5 && "
	  "ip.dst == 10.0.0.9" },
	{ "tcp-syn-v6", 6, "",
	  "ipv6.plen == 40 && ipv6.hlim == 64 && tcp.window_size_value == 64800 && "
	  "tcp.options.mss_val == 1440 && ipv6.src == fd00::5 && ipv6.dst == fd00::9" },
	{ "tcp-syn-ack", 46, "flags=SA;ack=7", "tcp.flags == 0x012 && tcp.ack_raw == 7" },
	{ "tcp-data", 46, "flags=PA;payload=hello;seq=1;ack=2;window=99;urgent=0",
	  "tcp.flags == 0x018 && tcp.len == 5 && tcp.payload == 68:65:6c:6c:6f && tcp.hdr_len == 32 "
	  "&& tcp.window_size_value == 99 && tcp.seq_raw == 1 && tcp.ack_raw == 2" },
	{ "tcp-rst", 46, "flags=RA;seq=0;ack=1",
	  "tcp.flags == 0x014 && tcp.hdr_len == 20 && tcp.window_size_value == 0" },
	{ "tcp-fin", 46, "flags=FA", "tcp.flags == 0x011" },
	{ "tcp-all-flags", 46, "flags=FSRPAUEC;urgent=9",
	  "tcp.flags == 0x0ff && tcp.urgent_pointer == 9" },
	{ "tcp-no-options", 46, "mss=off;wscale=off;sack=off;timestamps=off", "tcp.hdr_len == 20" },
	{ "tcp-own-options", 46, "mss=536;wscale=14;sack=on;timestamps=100,200",
	  "tcp.options.mss_val == 536 && tcp.options.wscale.shift == 14 && "
	  "tcp.options.timestamp.tsval == 100 && tcp.options.timestamp.tsecr == 200" },
	{ "tcp-sack-alone", 46, "mss=off;wscale=off;timestamps=off",
	  "tcp.hdr_len == 24 && tcp.option_kind == 4" },
	{ "tcp-user-timeout", 46, "tcp-option=1c048005",
	  "tcp.options.user_to_val == 5 && tcp.hdr_len == 44" },
	{ "tcp-http", 46, "flags=PA;http=HEAD http://shop.example/cart",
	  "tcp.payload contains \"HEAD /cart HTTP/1.1\\r\\nHost: shop.example\\r\\n\"" },
	{ "tcp-dns", 46, "flags=PA;dns=flowgen.example", "tcp.len == 35" },
	{ "udp-empty", 46, "proto=udp",
	  "udp.length == 8 && udp.srcport == 40000 && udp.dstport == 4444" },
	{ "udp-text", 46, "proto=udp;payload=hello",
	  "udp.payload == 68:65:6c:6c:6f && udp.length == 13" },
	{ "udp-odd-pattern", 46, "proto=udp;size=33",
	  "udp.length == 41 && udp.payload contains \"flowgen flowgen \"" },
	{ "udp-v4-no-checksum", 4, "proto=udp;checksum=0;size=8", "udp.checksum == 0" },
	{ "udp-dscp", 46, "proto=udp;dscp=ef;ecn=ect0;ttl=7", "udp" },
	{ "udp-dscp-v4", 4, "proto=udp;dscp=af41;ecn=ce;ttl=7;df=off;id=258",
	  "ip.dsfield.dscp == 34 && ip.dsfield.ecn == 3 && ip.ttl == 7 && ip.flags.df == 0 && "
	  "ip.id == 258" },
	{ "udp-dscp-v6", 6, "proto=udp;tos=0xb9;ttl=9;flow-label=0xabcde",
	  "ipv6.tclass.dscp == 46 && ipv6.tclass.ecn == 1 && ipv6.hlim == 9 && ipv6.flow == 0xabcde" },
	{ "udp-reserved-flag", 4, "proto=udp;reserved-flag", "ip.flags.rb == 1" },
	{ "icmp-echo", 4, "proto=icmp",
	  "icmp.type == 8 && icmp.code == 0 && icmp.ident == 0x0123 && icmp.seq == 4 && data.len == 56" },
	{ "icmpv6-echo", 6, "proto=icmp",
	  "icmpv6.type == 128 && icmpv6.code == 0 && icmpv6.echo.identifier == 0x0123 && "
	  "icmpv6.echo.sequence_number == 4 && data.len == 56" },
	{ "icmp-reply", 4, "proto=icmp;icmp-type=echo-reply;icmp-id=5;icmp-seq=6;size=3",
	  "icmp.type == 0 && icmp.ident == 5 && icmp.seq == 6 && data.len == 3" },
	{ "icmpv6-reply", 6, "proto=icmpv6;icmp-type=echo-reply;icmp-id=5;icmp-seq=6;size=3",
	  "icmpv6.type == 129 && icmpv6.echo.identifier == 5 && icmpv6.echo.sequence_number == 6" },
	{ "icmp-unreachable", 4,
	  "proto=icmp;icmp-type=destination-unreachable;icmp-code=fragmentation-needed;icmp-rest=1400;"
	  "payload=hex:4500001c00004000401126c40a0000090a000005115c9c4000080000",
	  "icmp.type == 3 && icmp.code == 4 && icmp.mtu == 1400 && udp.srcport == 4444" },
	{ "icmpv6-too-big", 6,
	  "proto=icmp;icmp-type=packet-too-big;icmp-rest=1280;payload=hex:"
	  "6000000000081140fd000000000000000000000000000009fd000000000000000000000000000005115c9c4000085832",
	  "icmpv6.type == 2 && icmpv6.mtu == 1280 && udp.srcport == 4444" },
	{ "icmpv6-neighbour", 6,
	  "proto=icmp;icmp-type=neighbour-solicitation;ttl=255;payload=hex:fd000000000000000000000000000009",
	  "icmpv6.type == 135 && icmpv6.nd.ns.target_address == fd00::9" },
	{ "sctp-init", 46, "proto=sctp",
	  "sctp.chunk_type == 1 && sctp.verification_tag == 0 && sctp.init_nr_out_streams == 10 && "
	  "sctp.init_nr_in_streams == 65535 && sctp.init_credit == 106496 && sctp.srcport == 40000" },
	{ "sctp-init-own", 46,
	  "proto=sctp;sctp-init-tag=77;sctp-tsn=88;sctp-window=99;sctp-out-streams=3;sctp-in-streams=4",
	  "sctp.init_initiate_tag == 77 && sctp.init_initial_tsn == 88 && sctp.init_credit == 99 && "
	  "sctp.init_nr_out_streams == 3 && sctp.init_nr_in_streams == 4" },
	{ "sctp-init-ack", 46, "proto=sctp;sctp-chunk=init-ack;sctp-tag=0x12345678",
	  "sctp.chunk_type == 2 && sctp.verification_tag == 0x12345678 && sctp.parameter_type == 7" },
	{ "sctp-data", 46,
	  "proto=sctp;sctp-chunk=data;payload=hello;sctp-tsn=9;sctp-stream=2;sctp-stream-seq=3;sctp-ppid=0",
	  "sctp.chunk_type == 0 && sctp.data_tsn_raw == 9 && sctp.data_sid == 2 && sctp.data_ssn == 3 && "
	  "sctp.chunk_length == 21 && sctp.chunk_padding" },
	{ "sctp-sack", 46, "proto=sctp;sctp-chunk=sack;sctp-tsn=9;sctp-window=1000",
	  "sctp.chunk_type == 3 && sctp.sack_cumulative_tsn_ack_raw == 9 && sctp.sack_a_rwnd == 1000" },
	{ "sctp-heartbeat", 46, "proto=sctp;sctp-chunk=heartbeat",
	  "sctp.chunk_type == 4 && sctp.parameter_type == 1" },
	{ "sctp-heartbeat-ack", 46, "proto=sctp;sctp-chunk=heartbeat-ack", "sctp.chunk_type == 5" },
	{ "sctp-abort", 46, "proto=sctp;sctp-chunk=abort;sctp-flags=1",
	  "sctp.chunk_type == 6 && sctp.chunk_flags == 1 && sctp.chunk_length == 4" },
	{ "sctp-shutdown", 46, "proto=sctp;sctp-chunk=shutdown;sctp-tsn=5",
	  "sctp.chunk_type == 7 && sctp.shutdown_cumulative_tsn_ack == 5" },
	{ "sctp-shutdown-ack", 46, "proto=sctp;sctp-chunk=shutdown-ack", "sctp.chunk_type == 8" },
	{ "sctp-cookie-echo", 46, "proto=sctp;sctp-chunk=cookie-echo;size=5",
	  "sctp.chunk_type == 10 && sctp.chunk_length == 9" },
	{ "sctp-cookie-ack", 46, "proto=sctp;sctp-chunk=11", "sctp.chunk_type == 11" },
	{ "sctp-shutdown-complete", 46, "proto=sctp;sctp-chunk=shutdown-complete",
	  "sctp.chunk_type == 14" },
	{ "protocol-raw", 46, "proto=253;payload=hex:00ff10", "data.data == 00:ff:10" },
	{ "protocol-raw-v4", 4, "proto=253;payload=x", "ip.proto == 253 && ip.len == 21" },
	{ "protocol-raw-v6", 6, "proto=253;payload=x", "ipv6.nxt == 253 && ipv6.plen == 1" },
	{ "udp-router-alert", 4, "proto=udp;ip-option=94040000",
	  "ip.opt.type == 148 && ip.opt.ra == 0 && ip.hdr_len == 24" },
	{ "trace-2", 4, "trace-id=513",
	  "ip.opt.sid == 513 && ip.opt.len == 4 && ip.hdr_len == 24" },
	{ "trace-4", 4, "trace-id=66051;trace-option=159",
	  "ip.hdr_len == 28 && ip contains 9f:06:00:01:02:03:00:00" },
	{ "trace-8", 4, "proto=udp;trace-id=1;trace-length=8;trace-option=159",
	  "ip.hdr_len == 32 && ip contains 9f:0a:00:00:00:00:00:00:00:01:00:00" },
	{ "hop-by-hop", 6, "proto=udp;ext-header=hop-by-hop",
	  "ipv6.hopopts.len == 0 && ipv6.opt.type == 1 && udp.dstport == 4444" },
	{ "hop-by-hop-alert", 6, "ext-header=hop-by-hop:05020000;ext-header=destination",
	  "ipv6.opt.router_alert == 0 && ipv6.dstopts && tcp.dstport == 4444" },
	{ "atomic-fragment", 6, "proto=udp;ext-header=fragment;id=0x01020304",
	  "ipv6.fraghdr.offset == 0 && ipv6.fraghdr.more == 0 && ipv6.fraghdr.ident == 0x01020304 && "
	  "udp.dstport == 4444" },
	{ "fragments-v4", 4, "proto=udp;size=1000;fragment=512",
	  "ip.flags.mf == 1 && ip.frag_offset == 0 && ip.len == 532 && ip.flags.df == 0" },
	{ "fragments-v6", 6, "proto=udp;size=1000;fragment=512;ext-header=destination",
	  "ipv6.fraghdr.more == 1 && ipv6.fraghdr.offset == 0 && ipv6.plen == 520" },
	{ "fragments-options", 4,
	  "size=100;fragment=64;ip-option=94040000;ip-option=07070400000000",
	  "ip.flags.mf == 1 && ip.hdr_len == 32" },
	{ "later-fragment-v4", 4, "proto=udp;fragment-offset=800;size=24;id=99",
	  "ip.frag_offset == 100 && ip.len == 44 && ip.id == 99" },
	{ "later-fragment-v6", 6, "proto=udp;fragment-offset=800;more-fragments;size=24;id=99",
	  "ipv6.fraghdr.offset == 100 && ipv6.fraghdr.more == 1 && ipv6.plen == 32" },
	{ "first-fragment-v4", 4, "proto=udp;more-fragments;size=16;id=98;udp-length=64",
	  "ip.flags.mf == 1 && ip.frag_offset == 0 && ip.len == 44" },
	{ "udp-dns", 46, "proto=udp;dns=flowgen.example,AAAA", "udp.length == 41" },
	{ "bad-tcp", 46, "bad-checksum", "tcp.checksum.status == \"Bad\"" },
	{ "bad-udp", 46, "proto=udp;bad-checksum", "udp.checksum.status == \"Bad\"" },
	{ "bad-icmp", 4, "proto=icmp;bad-checksum", "icmp.checksum.status == \"Bad\"" },
	{ "bad-icmpv6", 6, "proto=icmp;bad-checksum", "icmpv6.checksum.status == \"Bad\"" },
	{ "bad-sctp", 46, "proto=sctp;bad-checksum", "sctp.checksum.status == \"Bad\"" },
	{ "bad-ip", 4, "bad-ip-checksum",
	  "ip.checksum.status == \"Bad\" && tcp.checksum.status == \"Good\"" },
	{ "bad-own-checksum", 46, "checksum=0x1234", "tcp.checksum == 0x1234" },
	{ "bad-own-sctp", 46, "proto=sctp;checksum=0x12345678", "sctp.checksum == 0x12345678" },
	{ "bad-own-ip-checksum", 4, "ip-checksum=0x1234", "ip.checksum == 0x1234" },
	{ "bad-total-length", 4, "proto=udp;total-length=2000", "ip.len == 2000" },
	{ "bad-payload-length", 6, "proto=udp;payload-length=2000", "ipv6.plen == 2000" },
	{ "bad-version", 4, "proto=udp;ip-version=5", "ip.version == 5 || ip.bogus_ip_version" },
	{ "bad-ihl", 4, "proto=udp;ihl=4", "ip.bogus_header_length || ip.hdr_len == 16" },
	{ "bad-udp-length", 46, "proto=udp;size=20;udp-length=9", "udp.length == 9" },
	{ "bad-data-offset", 46, "data-offset=15;tcp-reserved=5", "tcp" },
	{ "bad-sctp-length", 46, "proto=sctp;sctp-length=9", "sctp.chunk_length == 9" },
};

static void die(const struct frame_case *item, const struct fg_error *err)
{
	fprintf(stderr, "frames: %s: %s\n", item->name, err->message);
	exit(1);
}

static void write_case(struct fg_capture_writer *writer, const struct frame_case *item, int family)
{
	static unsigned int number;
	struct fg_packet_vary vary = packets_vary(family);
	struct fg_frame frame;
	struct fg_error err;

	if (packets_build(item->keys, &vary, &frame, NULL, &err) < 0)
		die(item, &err);
	printf("%u\t%s/%d\t%s\n", number + 1, item->name, family == AF_INET ? 4 : 6, item->filter);
	for (uint32_t i = 0; i < frame.count; i++) {
		size_t len;
		uint8_t *part = fg_frame_part(&frame, i, &len);

		number++;
		if (fg_capture_write(writer, number * UINT64_C(1000000007), part, len, &err) < 0)
			die(item, &err);
	}
	free(frame.data);
}

int main(int argc, char **argv)
{
	struct fg_capture_writer *writer;
	struct fg_error err;

	if (argc != 2) {
		fprintf(stderr, "usage: frames FILE.pcap\n");
		return 2;
	}
	if (fg_capture_create(argv[1], &writer, &err) < 0) {
		fprintf(stderr, "frames: %s\n", err.message);
		return 1;
	}
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].family != 6)
			write_case(writer, &cases[i], AF_INET);
		if (cases[i].family != 4)
			write_case(writer, &cases[i], AF_INET6);
	}
	if (fg_capture_finish(writer, &err) < 0) {
		fprintf(stderr, "frames: %s\n", err.message);
		return 1;
	}
	return fclose(stdout) ? 1 : 0;
}
