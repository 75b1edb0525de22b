// SPDX-License-Identifier: GPL-2.0-only
#include "capture/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pcap/pcap.h>
#include <pcap/sll.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "header/dissect.h"
#include "base/fd.h"
#include "base/grow.h"
#include "capture/internal.h"

#define NS_PER_S UINT64_C(1000000000)
#define ETHERTYPE_NONE 0
#define LINKTYPE_RAW 101 /* in files, while DLT_RAW is another number */

struct fg_capture {
	pcap_t *pcap;			  /* owns the stream */
	char *name;			  /* of the file, for messages */
	struct fg_capture_blocks *blocks; /* the stream's; borrowed */
	int link; /* DLT_... of the packet that was read last, or of the first */
	const struct fg_capture_filter *filter; /* NULL: none */
	struct fg_capture_filter *own;		/* the same, if it is the capture's own */
	uint64_t number;
	uint64_t skipped;
	uint8_t *buffer; /* the packet given out, so that it may be changed */
	size_t size;
	int cancel_fd; /* -1: none */
};

/* Where a link-layer header ends, and what it says follows: an EtherType. */
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

/* Whether packets of this link type can be read. */
static int check_link(const struct fg_capture *capture, const char *where, struct fg_error *err)
{
	const char *name;

	if (fg_capture_link_is_known(capture->link))
		return 0;
	name = pcap_datalink_val_to_name(capture->link);
	return fg_fail(err, FG_ERR_USAGE,
		       "%s: %slink type must be Ethernet, Linux cooked, raw IP or loopback, not %s "
		       "(%d)",
		       capture->name, where, name ? name : "unknown", capture->link);
}

static int prepare(struct fg_capture *capture, struct fg_error *err)
{
	capture->link = pcap_datalink(capture->pcap);
	if (check_link(capture, "", err))
		return -1;
	return capture->filter ? fg_capture_filter_check(capture->filter, capture->link, err) : 0;
}

/* Closes the stream, also after a failure. */
static pcap_t *open_pcap(FILE *stream, struct fg_capture_blocks **blocks,
			 char reason[PCAP_ERRBUF_SIZE])
{
	FILE *wrapped = fg_capture_blocks_open(stream, blocks);
	pcap_t *pcap;

	if (!wrapped) {
		fclose(stream);
		snprintf(reason, PCAP_ERRBUF_SIZE, "%s", strerror(ENOMEM));
		return NULL;
	}
	pcap = pcap_fopen_offline_with_tstamp_precision(wrapped, PCAP_TSTAMP_PRECISION_NANO,
							reason);
	if (!pcap)
		fclose(wrapped);
	return pcap;
}

int fg_capture_open_filtered(FILE *stream, const char *name, const struct fg_capture_filter *filter,
			     struct fg_capture **out, struct fg_error *err)
{
	struct fg_capture *capture = calloc(1, sizeof(*capture));
	char reason[PCAP_ERRBUF_SIZE] = "";

	if (capture) {
		capture->cancel_fd = -1;
		capture->filter = filter;
		capture->name = strdup(name);
	}
	if (!capture || !capture->name) {
		fclose(stream);
		free(capture);
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", name);
	}
	capture->pcap = open_pcap(stream, &capture->blocks, reason);
	if (!capture->pcap) {
		fg_capture_close(capture);
		return fg_fail(err, FG_ERR_USAGE, "%s: not a capture file: %s", name, reason);
	}
	if (prepare(capture, err) < 0) {
		fg_capture_close(capture);
		return -1;
	}
	*out = capture;
	return 0;
}

int fg_capture_open_stream(FILE *stream, const char *name, const char *filter,
			   struct fg_capture **out, struct fg_error *err)
{
	struct fg_capture_filter *own = filter ? fg_capture_filter_make(filter, err) : NULL;

	if (filter && !own) {
		fclose(stream);
		return -1;
	}
	if (fg_capture_open_filtered(stream, name, own, out, err)) {
		fg_capture_filter_free(own);
		return -1;
	}
	(*out)->own = own;
	return 0;
}

/* What may have nothing to read for long: each read waits for it, or for the end of the run. */
struct waiting {
	int fd, cancel_fd;
};

static ssize_t read_waiting(void *self, char *buffer, size_t size)
{
	struct waiting *w = self;
	struct pollfd p[] = { { .fd = w->fd, .events = POLLIN },
			      { .fd = w->cancel_fd, .events = POLLIN } };
	ssize_t n;

	do {
		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -1;
		if (p[1].revents) {
			errno = ECANCELED;
			return -1;
		}
		n = read(w->fd, buffer, size);
	} while (n < 0 && (errno == EAGAIN || errno == EINTR));
	return n;
}

static int close_waiting(void *self)
{
	fg_fd_close(&((struct waiting *)self)->fd);
	free(self);
	return 0;
}

/* Takes *fd over if it returns a stream. */
static FILE *open_waiting(int *fd, int cancel_fd)
{
	const cookie_io_functions_t how = { .read = read_waiting, .close = close_waiting };
	struct waiting *w = malloc(sizeof(*w));
	FILE *stream = NULL;

	if (w) {
		*w = (struct waiting){ *fd, cancel_fd };
		stream = fopencookie(w, "rb", how);
	}
	if (stream)
		*fd = -1;
	else
		free(w);
	return stream;
}

static const char *name_of(const char *path)
{
	return strcmp(path, "-") ? path : "standard input";
}

int fg_capture_file(const char *path, bool *waits, struct fg_error *err)
{
	bool is_stdin = !strcmp(path, "-");
	/* Without a writer a FIFO would keep the process waiting in open(). */
	FG_FD int fd = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0)
				: open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) ||
	    (!is_stdin && S_ISREG(st.st_mode) && fcntl(fd, F_SETFL, O_RDONLY)))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", name_of(path));
	*waits = !S_ISREG(st.st_mode);
	return fg_fd_take(&fd);
}

FILE *fg_capture_stream(int fd, bool waits, int cancel_fd, struct fg_error *err)
{
	FG_FD int own = fd;
	FILE *stream = waits ? open_waiting(&own, cancel_fd) : fdopen(fd, "rb");

	if (stream)
		own = -1;
	else
		fg_fail_errno(err, FG_ERR_INTERNAL, errno, "read a capture");
	return stream;
}

static int fail_cancelled(const char *name, struct fg_error *err)
{
	fg_fail(err, FG_ERR_INCONCLUSIVE, "%s: interrupted before its end", name);
	if (err)
		err->code = ECANCELED;
	return -1;
}

static bool is_cancelled(int cancel_fd)
{
	struct pollfd p = { .fd = cancel_fd, .events = POLLIN };

	return cancel_fd >= 0 && poll(&p, 1, 0) > 0;
}

int fg_capture_open(const char *path, const char *filter, int cancel_fd, struct fg_capture **out,
		    struct fg_error *err)
{
	bool waits = false;
	int fd = fg_capture_file(path, &waits, err);
	FILE *stream = fd < 0 ? NULL : fg_capture_stream(fd, waits, cancel_fd, err);

	if (!stream)
		return -1;
	if (!fg_capture_open_stream(stream, name_of(path), filter, out, err)) {
		(*out)->cancel_fd = cancel_fd;
		return 0;
	}
	return is_cancelled(cancel_fd) ? fail_cancelled(name_of(path), err) : -1;
}

static int fail_packet(const struct fg_capture *capture, struct fg_error *err, const char *why)
{
	return fg_fail(err, FG_ERR_USAGE, "%s: packet %llu: %s", capture->name,
		       (unsigned long long)capture->number, why);
}

/* Copies the packet to the capture's own buffer, which grows to the longest one. */
static int keep(struct fg_capture *capture, const uint8_t *packet, size_t len, struct fg_error *err)
{
	if (!FG_GROW_TO(capture->buffer, capture->size, len, capture->name, err))
		return -1;
	memcpy(capture->buffer, packet, len);
	return 0;
}

/*
 * The length of what is more than 65,535 bytes long is elsewhere (RFC 2675), or nowhere (a packet
 * that the capturing host has not segmented yet). Of "no next header" (59) nothing follows.
 */
static bool is_without_length(const struct fg_layout *layout, const uint8_t *packet, size_t len)
{
	return layout->family == AF_INET6 && layout->claimed == 40 && len > 40 &&
	       fg_field_get(FG_IPV6_NEXT_HEADER, packet) != IPPROTO_NONE;
}

/* Takes one packet of the file. Returns 1 with *out, 0 if it is not IP, -1 with an error. */
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
	if (fg_flow_layout_find(bytes, header->caplen - link.len, &layout) < 0 ||
	    layout.family != family)
		return fail_packet(capture, err, "malformed IP header");
	if (layout.claimed > layout.len)
		return fail_packet(capture, err, "shorter than its IP header says");
	if (is_without_length(&layout, bytes, header->caplen - link.len)) {
		fail_packet(capture, err,
			    "its IPv6 payload length is 0: a jumbogram or a super-packet");
		return fg_hint(err, "leave it out with --filter 'not (ip6 and ip6[4:2] = 0)'");
	}
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

/* Interfaces of a file may differ. */
static int read_packet_link(struct fg_capture *capture, struct fg_error *err)
{
	int link = fg_capture_blocks_next_link(capture->blocks);
	char where[40];

	if (link < 0)
		return 0;
	/* The one that libpcap reads as another number than it writes. */
	capture->link = link == LINKTYPE_RAW ? DLT_RAW : link;
	snprintf(where, sizeof(where), "packet %llu: ", (unsigned long long)capture->number);
	return check_link(capture, where, err);
}

/* Whether the filter lets it through; -1 if that cannot be said. */
static int passes(struct fg_capture *capture, const struct pcap_pkthdr *header,
		  const uint8_t *bytes, struct fg_error *err)
{
	if (!capture->filter)
		return 1;
	if (fg_capture_filter_check(capture->filter, capture->link, err))
		return -1;
	return fg_capture_filter_passes(capture->filter, capture->link, header, bytes);
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
		if (result < 0 && is_cancelled(capture->cancel_fd))
			return fail_cancelled(capture->name, err);
		if (result < 0)
			return fail_packet(capture, err, pcap_geterr(capture->pcap));
		if (read_packet_link(capture, err))
			return -1;
		/* Not by pcap_setfilter(), which would hide how many packets it passes over. */
		result = passes(capture, header, bytes, err);
		if (result < 0)
			return -1;
		if (!result)
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
	if (capture->pcap)
		pcap_close(capture->pcap);
	fg_capture_filter_free(capture->own);
	free(capture->buffer);
	free(capture->name);
	free(capture);
}
