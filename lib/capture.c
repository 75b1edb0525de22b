// SPDX-License-Identifier: GPL-2.0-only
#include "capture.h"

#include <errno.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <stdlib.h>
#include <string.h>

#include "dissect.h"
#include "fd.h"

#define NS_PER_S UINT64_C(1000000000)
#define ETHERTYPE_NONE 0

struct fg_capture {
	pcap_t *pcap; /* owns the stream */
	char *name;   /* of the file, for messages */
	int link;     /* DLT_... */
	bool filtered;
	struct bpf_program filter; /* where filtered */
	uint64_t number;
	uint64_t skipped;
	uint8_t *buffer; /* the packet given out, so that it may be changed */
	size_t size;
};

/* Where a link-layer header ends, and what it says is behind it: an EtherType. */
struct link {
	size_t len;
	uint16_t type;
};

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

/* Goes past VLAN tags (802.1Q, 802.1ad): a pod's own frames have none, its node adds them. */
static void skip_tags(const uint8_t *p, size_t len, struct link *link)
{
	while ((link->type == 0x8100 || link->type == 0x88a8) && link->len + 4 <= len) {
		link->type = get16(p + link->len + 2);
		link->len += 4;
	}
}

/*
 * Raw IP, and loopback, whose address families have other numbers on each system: the packet itself
 * says which.
 */
static uint16_t type_of_packet(const uint8_t *p, size_t len)
{
	if (!len)
		return ETHERTYPE_NONE;
	return p[0] >> 4 == 4 ? 0x0800 : p[0] >> 4 == 6 ? 0x86dd : ETHERTYPE_NONE;
}

static size_t link_len(int link)
{
	switch (link) {
	case DLT_EN10MB:
		return 14;
	case DLT_LINUX_SLL:
		return SLL_HDR_LEN;
	case DLT_LINUX_SLL2:
		return SLL2_HDR_LEN;
	case DLT_NULL:
	case DLT_LOOP:
		return 4;
	default:
		return 0;
	}
}

static bool link_is_known(int link)
{
	return link_len(link) || link == DLT_RAW || link == DLT_IPV4 || link == DLT_IPV6;
}

/* Reads the link-layer header. Returns -1 where it is cut off. */
static int read_link(int kind, const uint8_t *p, size_t len, struct link *link)
{
	link->len = link_len(kind);
	if (len < link->len)
		return -1;
	switch (kind) {
	case DLT_EN10MB:
		link->type = get16(p + 12);
		break;
	case DLT_LINUX_SLL:
		link->type = get16(p + 14);
		break;
	case DLT_LINUX_SLL2:
		link->type = get16(p);
		break;
	default:
		link->type = type_of_packet(p + link->len, len - link->len);
		return 0;
	}
	skip_tags(p, len, link);
	return 0;
}

static int compile_filter(struct fg_capture *capture, const char *filter, struct fg_error *err)
{
	if (pcap_compile(capture->pcap, &capture->filter, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return fg_fail(err, FG_ERR_USAGE, "filter \"%.200s\": %s", filter,
			       pcap_geterr(capture->pcap));
	capture->filtered = true;
	return 0;
}

static int prepare(struct fg_capture *capture, const char *filter, struct fg_error *err)
{
	const char *name;

	capture->link = pcap_datalink(capture->pcap);
	if (!link_is_known(capture->link)) {
		name = pcap_datalink_val_to_name(capture->link);
		return fg_fail(
			err, FG_ERR_USAGE,
			"%s: link type %s (%d) is none of Ethernet, Linux cooked, raw IP, loopback",
			capture->name, name ? name : "unknown", capture->link);
	}
	return filter ? compile_filter(capture, filter, err) : 0;
}

int fg_capture_open_stream(FILE *stream, const char *name, const char *filter,
			   struct fg_capture **out, struct fg_error *err)
{
	struct fg_capture *capture = calloc(1, sizeof(*capture));
	char reason[PCAP_ERRBUF_SIZE] = "";

	if (capture)
		capture->name = strdup(name);
	if (!capture || !capture->name) {
		fclose(stream);
		free(capture);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", name);
	}
	capture->pcap = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO,
								 reason);
	if (!capture->pcap) {
		fclose(stream);
		fg_capture_close(capture);
		return fg_fail(err, FG_ERR_USAGE, "%s: no capture file: %s", name, reason);
	}
	if (prepare(capture, filter, err) < 0) {
		fg_capture_close(capture);
		return -1;
	}
	*out = capture;
	return 0;
}

int fg_capture_open(const char *path, const char *filter, struct fg_capture **out,
		    struct fg_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	int fd = is_stdin ? dup(STDIN_FILENO) : -1;
	FILE *stream = is_stdin ? (fd < 0 ? NULL : fdopen(fd, "rb")) : fopen(path, "rbe");

	if (!stream) {
		fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
		fg_fd_close(&fd);
		return -1;
	}
	return fg_capture_open_stream(stream, is_stdin ? "standard input" : path, filter, out, err);
}

static int fail_packet(const struct fg_capture *capture, struct fg_error *err, const char *why)
{
	return fg_fail(err, FG_ERR_USAGE, "%s: packet %llu: %s", capture->name,
		       (unsigned long long)capture->number, why);
}

/* Copies the packet to the capture's own buffer, which grows to the longest one. */
static int keep(struct fg_capture *capture, const uint8_t *packet, size_t len, struct fg_error *err)
{
	uint8_t *buffer;

	if (len > capture->size) {
		buffer = realloc(capture->buffer, len);
		if (!buffer)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", capture->name);
		capture->buffer = buffer;
		capture->size = len;
	}
	memcpy(capture->buffer, packet, len);
	return 0;
}

/* Takes one packet of the file. Returns 1 with *out, 0 where it is not IP, -1 with an error. */
static int take(struct fg_capture *capture, const struct pcap_pkthdr *header, const uint8_t *bytes,
		struct fg_captured *out, struct fg_error *err)
{
	struct fg_layout layout;
	struct link link;
	uint16_t family;

	if (header->caplen < header->len) {
		fg_fail(err, FG_ERR_USAGE, "%s: packet %llu: only %u of its %u bytes were captured",
			capture->name, (unsigned long long)capture->number, header->caplen,
			header->len);
		return fg_hint(err, "capture whole packets, as tcpdump does with -s 0");
	}
	if (read_link(capture->link, bytes, header->caplen, &link) < 0)
		return fail_packet(capture, err, "shorter than its link-layer header");
	if (link.type != 0x0800 && link.type != 0x86dd)
		return 0;
	bytes += link.len;
	family = link.type == 0x0800 ? AF_INET : AF_INET6;
	if (fg_layout_find(bytes, header->caplen - link.len, &layout) < 0 ||
	    layout.family != family)
		return fail_packet(capture, err, "malformed IP header");
	if (layout.claimed > layout.len)
		return fail_packet(capture, err, "shorter than its IP header says");
	if (keep(capture, bytes, layout.len, err) < 0)
		return -1;
	*out = (struct fg_captured){
		.number = capture->number,
		.time_ns = (uint64_t)header->ts.tv_sec * NS_PER_S + (uint64_t)header->ts.tv_usec,
		.family = family,
		.data = capture->buffer,
		.len = layout.len,
	};
	return 1;
}

int fg_capture_next(struct fg_capture *capture, struct fg_captured *out, struct fg_error *err)
{
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int result;

	for (;;) {
		result = pcap_next_ex(capture->pcap, &header, &bytes);
		if (result == PCAP_ERROR_BREAK)
			return 0;
		capture->number++;
		if (result < 0)
			return fail_packet(capture, err, pcap_geterr(capture->pcap));
		/* Not by pcap_setfilter(), which would hide how many packets it passes over. */
		if (capture->filtered && !pcap_offline_filter(&capture->filter, header, bytes))
			continue;
		result = take(capture, header, bytes, out, err);
		if (result)
			return result;
		capture->skipped++;
	}
}

uint64_t fg_capture_skipped(const struct fg_capture *capture)
{
	return capture->skipped;
}

void fg_capture_close(struct fg_capture *capture)
{
	if (!capture)
		return;
	if (capture->filtered)
		pcap_freecode(&capture->filter);
	if (capture->pcap)
		pcap_close(capture->pcap);
	free(capture->buffer);
	free(capture->name);
	free(capture);
}
