// SPDX-License-Identifier: GPL-2.0-only
/*
 * bare.c - the peer that flowgen's speed is compared with: the least that puts frames on a pod's
 * egress path, by flowgen's own way (a pair of devices in a namespace apart, a redirect to the
 * ingress side of the pod's device), in batches of the same size.
 *
 *     bare sweep COUNT     frames to COUNT ports; three events for each are read
 *     bare stream COUNT    the same frame COUNT times; only counters
 *     bare gso COUNT       the same super-packet COUNT times; only counters
 *     bare relay           only the programs: something else sends, until standard input ends
 *
 * It runs on a node with the pods web (10.9.1.2, its device hweb) and dst (10.9.0.9, hdst), and the
 * pair bare0, eth0 in the namespace `bare`; the receiver's eth0 stops everything. Prints "SECONDS
 * SENT", where SECONDS are those of sending and, in a sweep, reading the events.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/parse.h"
#include "net/netns.h"
#include "tests/bpf/bare.h"

/* As lib/session and lib/datapath/sender.c have them. */
#define WINDOW 1024
#define BATCH 64
#define SEND_BUFFER (8 << 20)

#define EVENTS 3
#define EVENTS_WITHIN_NS 1000000000ULL
#define DENIED_PORT 9999
#define GSO_SIZE 1000
#define GSO_LENGTH 60000
#define HEADERS_UDP (sizeof(struct ether_header) + sizeof(struct iphdr) + sizeof(struct udphdr))
#define HEADERS_TCP (sizeof(struct ether_header) + sizeof(struct iphdr) + sizeof(struct tcphdr))

struct bare {
	struct bpf_object *obj;
	struct ring_buffer *ring;
	int bare_netns, dst_netns;
	int socket;
	uint64_t events;
};

static void fail(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void enter(int netns, int *back)
{
	if (fg_netns_enter(netns, back, NULL))
		fail("namespace");
}

static int count_event(void *ctx, void *data, size_t size)
{
	struct bare *b = ctx;

	(void)data;
	(void)size;
	b->events++;
	return 0;
}

/* --- programs --- */

static void attach(struct bare *b, const char *program, const char *device)
{
	struct bpf_program *p = bpf_object__find_program_by_name(b->obj, program);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex(device),
		    .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(p), .flags = BPF_TC_F_REPLACE,
		    .handle = 1, .priority = 1);
	int ret = bpf_tc_hook_create(&hook);

	if ((ret && ret != -EEXIST) || bpf_tc_attach(&hook, &opts))
		fail(device);
}

static void read_address(const char *device, uint8_t to[ETH_ALEN])
{
	struct ifreq request = {};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device);
	if (fd < 0 || ioctl(fd, SIOCGIFHWADDR, &request))
		fail(device);
	memcpy(to, request.ifr_hwaddr.sa_data, ETH_ALEN);
	close(fd);
}

static void load(struct bare *b, bool observed)
{
	struct bare_config *config;
	struct bpf_map *rodata;
	size_t size;
	int back;

	b->obj = bpf_object__open_file(FLOWGEN_BUILD_DIR "/tests/bpf/bare.bpf.o", NULL);
	rodata = b->obj ? bpf_object__find_map_by_name(b->obj, ".rodata") : NULL;
	config = rodata ? bpf_map__initial_value(rodata, &size) : NULL;
	if (!config || size < sizeof(*config))
		fail("open");
	config->observed = observed;
	config->target = if_nametoindex("hweb");
	read_address("hweb", config->addresses);
	bpf_program__set_autoload(bpf_object__find_program_by_name(b->obj, "bare_receive"),
				  observed);
	if (bpf_object__load(b->obj))
		fail("load");
	if (observed &&
	    !bpf_program__attach(bpf_object__find_program_by_name(b->obj, "bare_receive")))
		fail("observe");
	attach(b, "bare_send", "bare0");
	enter(b->dst_netns, &back);
	attach(b, "bare_stop", "eth0");
	fg_netns_leave(&back);
	b->ring = ring_buffer__new(bpf_object__find_map_fd_by_name(b->obj, "events"), count_event,
				   b, NULL);
	if (!b->ring)
		fail("events");
}

/* The receiver is as it was; the pair is its maker's. */
static void unload(struct bare *b)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);
	int back;

	enter(b->dst_netns, &back);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("eth0"),
		    .attach_point = BPF_TC_INGRESS);

	if (bpf_tc_detach(&hook, &opts))
		fail("detach");
	fg_netns_leave(&back);
	ring_buffer__free(b->ring);
	bpf_object__close(b->obj);
}

struct totals {
	uint64_t sent, stopped;
};

static struct totals totals(const struct bare *b)
{
	int fd = bpf_object__find_map_fd_by_name(b->obj, ".bss");
	struct totals t;
	uint32_t zero = 0;

	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, &t))
		fail("counters");
	return t;
}

/* --- frames --- */

static uint16_t checksum(const void *data, size_t bytes)
{
	const uint8_t *p = data;
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < bytes; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void build_ip(uint8_t *frame, uint8_t proto, size_t length)
{
	struct ether_header *eth = (struct ether_header *)frame;
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .tot_len = htons((uint16_t)length),
			    .frag_off = htons(IP_DF),
			    .ttl = 64,
			    .protocol = proto };

	eth->ether_type = htons(ETHERTYPE_IP);
	inet_pton(AF_INET, "10.9.1.2", &ip.saddr);
	inet_pton(AF_INET, "10.9.0.9", &ip.daddr);
	ip.check = checksum(&ip, sizeof(ip));
	memcpy(eth + 1, &ip, sizeof(ip));
}

/* Over IPv4 a checksum of zero is none (RFC 768). */
static void build_udp(uint8_t frame[HEADERS_UDP], uint32_t number, uint16_t port)
{
	const struct udphdr udp = { .source = htons(40000),
				    .dest = htons(port),
				    .len = htons(sizeof(udp)) };

	memset(frame, 0, HEADERS_UDP);
	build_ip(frame, IPPROTO_UDP, sizeof(struct iphdr) + sizeof(udp));
	memcpy(frame + BARE_NUMBER_AT, &number, sizeof(number));
	memcpy(frame + HEADERS_UDP - sizeof(udp), &udp, sizeof(udp));
}

static void build_tcp(uint8_t *frame)
{
	const struct tcphdr tcp = { .source = htons(40000),
				    .dest = htons(53),
				    .seq = htonl(1),
				    .ack_seq = htonl(1),
				    .doff = 5,
				    .psh = 1,
				    .ack = 1,
				    .window = htons(64240) };

	build_ip(frame, IPPROTO_TCP, GSO_LENGTH);
	memcpy(frame + HEADERS_TCP - sizeof(tcp), &tcp, sizeof(tcp));
}

/* --- sending --- */

static void open_socket(struct bare *b)
{
	int bytes = SEND_BUFFER, one = 1, back;
	struct sockaddr_ll at = { .sll_family = AF_PACKET };

	enter(b->bare_netns, &back);
	b->socket = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	at.sll_ifindex = (int)if_nametoindex("eth0");
	fg_netns_leave(&back);
	if (b->socket < 0 || bind(b->socket, (struct sockaddr *)&at, sizeof(at)) ||
	    setsockopt(b->socket, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)) ||
	    setsockopt(b->socket, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)) ||
	    setsockopt(b->socket, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		fail("packet socket");
}

/* count frames of len bytes each, step bytes apart (0: the same one again and again). */
static void send_frames(int fd, uint8_t *frames, size_t len, size_t step, unsigned int count,
			struct virtio_net_hdr *header)
{
	struct mmsghdr msgs[BATCH] = {};
	struct iovec iov[BATCH][2];
	unsigned int sent = 0;

	while (sent < count) {
		unsigned int n = count - sent < BATCH ? count - sent : BATCH;
		int ret;

		for (unsigned int i = 0; i < n; i++) {
			iov[i][0] = (struct iovec){ header, sizeof(*header) };
			iov[i][1] = (struct iovec){ frames + (sent + i) * step, len };
			msgs[i].msg_hdr.msg_iov = iov[i];
			msgs[i].msg_hdr.msg_iovlen = 2;
		}
		ret = sendmmsg(fd, msgs, n, 0);
		if (ret < 0 && errno != ENOBUFS && errno != EINTR)
			fail("send");
		sent += ret > 0 ? (unsigned int)ret : 0;
	}
}

static void read_events(struct bare *b, uint64_t expected)
{
	uint64_t until = fg_clock_now() + EVENTS_WITHIN_NS;

	while (b->events < expected) {
		if (ring_buffer__consume(b->ring) < 0 || fg_clock_now() > until) {
			errno = ETIMEDOUT;
			fail("events");
		}
		/* The packets may be with the softirq thread of this processor. */
		if (b->events < expected)
			sched_yield();
	}
}

/* The pod's policy denies one, and of what is dropped on the way there is no third event. */
static uint16_t port_of(uint64_t number)
{
	uint16_t port = (uint16_t)(1 + number % 65535);

	return port == DENIED_PORT ? port - 1 : port;
}

static void sweep(struct bare *b, uint64_t count)
{
	static uint8_t frames[WINDOW][HEADERS_UDP];
	struct virtio_net_hdr none = {};

	for (uint64_t done = 0; done < count;) {
		unsigned int n = (unsigned int)(count - done < WINDOW ? count - done : WINDOW);

		for (unsigned int i = 0; i < n; i++)
			build_udp(frames[i], i, port_of(done + i));
		send_frames(b->socket, frames[0], sizeof(frames[0]), sizeof(frames[0]), n, &none);
		done += n;
		read_events(b, done * EVENTS);
	}
}

static void stream(struct bare *b, uint64_t count)
{
	struct virtio_net_hdr none = {};
	uint8_t frame[HEADERS_UDP];

	build_udp(frame, 0, 53);
	send_frames(b->socket, frame, sizeof(frame), 0, (unsigned int)count, &none);
}

static void gso(struct bare *b, uint64_t count)
{
	static uint8_t frame[sizeof(struct ether_header) + GSO_LENGTH];
	struct virtio_net_hdr header = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = HEADERS_TCP,
		.gso_size = GSO_SIZE,
		.csum_start = sizeof(struct ether_header) + sizeof(struct iphdr),
		.csum_offset = 16,
	};

	build_tcp(frame);
	send_frames(b->socket, frame, sizeof(frame), 0, (unsigned int)count, &header);
}

static void relay(struct bare *b, uint64_t count)
{
	char byte;

	(void)b;
	(void)count;
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
}

static const struct mode {
	const char *name;
	void (*run)(struct bare *b, uint64_t count);
	bool observed;
} modes[] = {
	{ "sweep", sweep, true },
	{ "stream", stream, false },
	{ "gso", gso, false },
	{ "relay", relay, false },
	{},
};

int main(int argc, char **argv)
{
	const struct mode *mode = modes;
	struct bare b = { .bare_netns = fg_netns_open("/run/netns/bare", NULL),
			  .dst_netns = fg_netns_open("/run/netns/dst", NULL) };
	uint64_t count = 0, start, took;
	struct totals t;

	while (mode->name && (argc < 2 || strcmp(mode->name, argv[1])))
		mode++;
	if (!mode->name || (mode->run != relay && argc != 3) ||
	    (argc > 2 && fg_parse_u64("count", argv[2], 1, 1U << 30, &count, NULL))) {
		fprintf(stderr, "usage: bare sweep|stream|gso COUNT, or bare relay\n");
		return 2;
	}
	libbpf_set_print(NULL);
	load(&b, mode->observed);
	open_socket(&b);
	start = fg_clock_now();
	mode->run(&b, count);
	took = fg_clock_now() - start;
	t = totals(&b);
	unload(&b);
	printf("%.6f %llu\n", (double)took / 1e9, (unsigned long long)t.sent);
	if (t.sent < count || t.stopped < t.sent) {
		fprintf(stderr, "bare: %llu sent, %llu arrived\n", (unsigned long long)t.sent,
			(unsigned long long)t.stopped);
		return 1;
	}
	return 0;
}
