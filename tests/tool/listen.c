// SPDX-License-Identifier: GPL-2.0-only
/*
 * listen.c - what a pod would run, for the tests: a UDP or TCP server, or an ear on a device.
 *Prints "ready", then one line for each packet or connection, and ends after --count of them (exit
 *0) or after --seconds (exit 1). udp 10.9.1.2:4000 > 9999 12 An ear prints packets as they come in,
 *before anything filters them: protocol, addresses and ports, length.
 */
#include <argp.h>
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parse.h"
#include "podctl.h"

enum what { WHAT_NONE, WHAT_UDP, WHAT_TCP, WHAT_PACKET };

struct args {
	enum what what;
	const char *device;
	uint64_t port, count;
	uint64_t ns; /* how long to wait */
	bool echo, six;
};

static const struct argp_option options[] = {
	{ "port", 'p', "N", 0, "to listen on", 0 },
	{ "dev", 'd', "DEVICE", 0, "packet: the device", 0 },
	{ "count", 'c', "N", 0, "end after so many (0: never)", 0 },
	{ "seconds", 's', "N", 0, "end after so long (10)", 0 },
	{ "echo", 'e', NULL, 0, "send back what came", 0 },
	{ "ipv4", '4', NULL, 0, "not for IPv6 too", 0 },
	{ 0 },
};

static int read_what(struct args *args, const char *arg, struct fg_error *err)
{
	static const char *const names[] = { "", "udp", "tcp", "packet" };

	for (int i = WHAT_UDP; i <= WHAT_PACKET; i++)
		if (!strcmp(arg, names[i]))
			args->what = (enum what)i;
	return args->what ? 0 : fg_fail(err, FG_ERR_USAGE, "\"%s\" is not udp, tcp or packet", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct args *args = state->input;
	struct fg_error err;
	int ret = 0;

	switch (key) {
	case 'p':
		ret = fg_parse_u64("--port", arg, 1, 65535, &args->port, &err);
		break;
	case 'd':
		args->device = arg;
		break;
	case 'c':
		ret = fg_parse_u64("--count", arg, 0, UINT32_MAX, &args->count, &err);
		break;
	case 's':
		ret = fg_parse_duration("--seconds", arg, &args->ns, &err);
		break;
	case 'e':
		args->echo = true;
		break;
	case '4':
		args->six = false;
		break;
	case ARGP_KEY_ARG:
		ret = read_what(args, arg, &err);
		break;
	case ARGP_KEY_END:
		if (!args->what || (args->what == WHAT_PACKET) != !!args->device)
			argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret) {
		argp_failure(state, 2, 0, "%s", err.message);
		exit(2);
	}
	return 0;
}

static int die(const char *what)
{
	perror(what);
	exit(1);
}

static int open_server(const struct args *args)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6,
				    .sin6_port = htons((uint16_t)args->port) };
	struct sockaddr_in four = { .sin_family = AF_INET,
				    .sin_port = htons((uint16_t)args->port) };
	int type = args->what == WHAT_TCP ? SOCK_STREAM : SOCK_DGRAM;
	int fd = socket(args->six ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0), on = 1;
	int ret;

	if (fd < 0)
		die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (args->six)
		ret = bind(fd, (struct sockaddr *)&six, sizeof(six));
	else
		ret = bind(fd, (struct sockaddr *)&four, sizeof(four));
	if (ret || (type == SOCK_STREAM && listen(fd, 128)))
		die("bind");
	return fd;
}

static int open_ear(const struct args *args)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_ALL));

	at.sll_ifindex = (int)if_nametoindex(args->device);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		die(args->device);
	return fd;
}

static const char *sender_text(const struct sockaddr_storage *from, char *buf, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	const struct sockaddr_in6 *six = (const void *)from;
	const struct sockaddr_in *four = (const void *)from;
	bool mapped = from->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr);

	if (from->ss_family == AF_INET)
		inet_ntop(AF_INET, &four->sin_addr, host, sizeof(host));
	else if (mapped)
		inet_ntop(AF_INET, &six->sin6_addr.s6_addr[12], host, sizeof(host));
	else
		inet_ntop(AF_INET6, &six->sin6_addr, host, sizeof(host));
	/* The port is at the same place in both. */
	snprintf(buf, size, strchr(host, ':') ? "[%s]:%u" : "%s:%u", host, ntohs(four->sin_port));
	return buf;
}

static bool take_datagram(const struct args *args, int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	char data[2048], text[80];
	ssize_t size = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&from, &len);

	if (size < 0)
		return false;
	printf("udp %s > %u %zd\n", sender_text(&from, text, sizeof(text)),
	       (unsigned int)args->port, size);
	if (args->echo && sendto(fd, data, (size_t)size, 0, (struct sockaddr *)&from, len) < 0)
		perror("sendto");
	return true;
}

static bool take_connection(const struct args *args, int fd)
{
	struct sockaddr_storage from;
	socklen_t len = sizeof(from);
	int peer = accept(fd, (struct sockaddr *)&from, &len);
	char text[80];

	if (peer < 0)
		return false;
	printf("tcp %s > %u\n", sender_text(&from, text, sizeof(text)), (unsigned int)args->port);
	close(peer);
	return true;
}

static const char *protocol_name(uint8_t number)
{
	switch (number) {
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "ip";
	}
}

/*
 * Only what comes in, and only IP: what the pod itself sends, and ARP, is not what was asked for.
 */
static bool take_packet(int fd)
{
	struct sockaddr_ll from;
	socklen_t len = sizeof(from);
	char src[INET6_ADDRSTRLEN], dst[INET6_ADDRSTRLEN];
	uint8_t p[2048];
	ssize_t size = recvfrom(fd, p, sizeof(p), 0, (struct sockaddr *)&from, &len);
	bool six = size >= 40 && p[0] >> 4 == 6;
	size_t header = six ? 40 : (size_t)(p[0] & 15) * 4;
	uint8_t proto = six ? p[6] : p[9];
	bool ports = proto == IPPROTO_UDP || proto == IPPROTO_TCP || proto == IPPROTO_SCTP;

	if (size < 20 || from.sll_pkttype == PACKET_OUTGOING || (!six && p[0] >> 4 != 4))
		return false;
	inet_ntop(six ? AF_INET6 : AF_INET, p + (six ? 8 : 12), src, sizeof(src));
	inet_ntop(six ? AF_INET6 : AF_INET, p + (six ? 24 : 16), dst, sizeof(dst));
	if (ports && (size_t)size >= header + 4)
		printf("%s %s:%u > %s:%u %zd\n", protocol_name(proto), src,
		       (unsigned int)(p[header] << 8 | p[header + 1]), dst,
		       (unsigned int)(p[header + 2] << 8 | p[header + 3]), size);
	else
		printf("%s %s > %s %zd\n", protocol_name(proto), src, dst, size);
	return true;
}

static bool take(const struct args *args, int fd)
{
	if (args->what == WHAT_UDP)
		return take_datagram(args, fd);
	return args->what == WHAT_TCP ? take_connection(args, fd) : take_packet(fd);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		options, parse, "udp|tcp|packet", "Listens, and tells.", 0, 0, 0
	};
	struct args args = { .count = 1, .ns = 120000000000, .six = true };
	struct pollfd pfd = { .events = POLLIN };
	uint64_t end, seen = 0;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	pfd.fd = args.what == WHAT_PACKET ? open_ear(&args) : open_server(&args);
	end = fg_clock_now() + args.ns;
	setvbuf(stdout, NULL, _IOLBF, 0);
	puts("ready");
	while (!args.count || seen < args.count) {
		uint64_t t = fg_clock_now();

		if (t >= end || poll(&pfd, 1, (int)((end - t) / 1000000 + 1)) < 0)
			return args.count ? 1 : 0;
		if (pfd.revents && take(&args, pfd.fd))
			seen++;
	}
	return 0;
}
