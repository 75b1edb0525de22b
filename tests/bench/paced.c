// SPDX-License-Identifier: GPL-2.0-only
/*
 * paced.c - a bystander: a pod that sends datagrams at a steady pace to another pod. All of their
 * way up to the other's socket happens in the sender's own time, so that is what one packet costs
 * the node.
 *
 *     paced NETNS ADDRESS PORT PACKETS RATE
 *
 * runs in the sender, and opens the receiver's socket itself, in the namespace NETNS: nobody has to
 * be woken. For each line that it reads it sends PACKETS, RATE of them a second, and prints "CPU_NS
 * INSTRUCTIONS", both for one packet; INSTRUCTIONS is "-" where the processor's counters are not to
 * be had.
 */
#include <arpa/inet.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/parse.h"
#include "net/netns.h"

/* So many at once, and then a pause: a timer for each would be most of the cost. */
#define BURST 50

struct bystander {
	int from, to; /* the sockets of both ends */
	int counter;  /* -1: none */
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* -1 where there is no such counter, as in many virtual machines. */
static int open_counter(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
					.size = sizeof(attr),
					.config = PERF_COUNT_HW_INSTRUCTIONS };

	return (int)syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

static uint64_t read_counter(int fd)
{
	uint64_t value = 0;

	return fd >= 0 && read(fd, &value, sizeof(value)) == sizeof(value) ? value : 0;
}

static void sleep_until(uint64_t at)
{
	const struct timespec ts = { .tv_sec = (time_t)(at / 1000000000ULL),
				     .tv_nsec = (long)(at % 1000000000ULL) };

	(void)clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int receive_at(const char *netns, const struct sockaddr_in *at)
{
	int in = fg_netns_open(netns, NULL), back, fd;

	if (in < 0 || fg_netns_enter(in, &back, NULL))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind(fd, (const struct sockaddr *)at, sizeof(*at)))
		fg_fd_close(&fd);
	fg_netns_leave(&back);
	fg_fd_close(&in);
	return fd;
}

/* Sends a burst, and empties the receiver. Only the sending is counted. */
static int burst(const struct bystander *b, uint64_t *cpu, uint64_t *instructions)
{
	uint64_t since = cpu_ns(), counted = read_counter(b->counter);
	char payload[64] = {};
	int got = 0;

	for (int i = 0; i < BURST; i++)
		if (send(b->from, payload, sizeof(payload), 0) < 0) {
			perror("paced: send");
			return 1;
		}
	*cpu += cpu_ns() - since;
	*instructions += read_counter(b->counter) - counted;
	while (recv(b->to, payload, sizeof(payload), 0) >= 0)
		got++;
	if (got == BURST)
		return 0;
	fprintf(stderr, "paced: %d of %d arrived\n", got, BURST);
	return 1;
}

static int turn(const struct bystander *b, uint64_t packets, uint64_t rate)
{
	uint64_t at = fg_clock_now(), cpu = 0, instructions = 0, sent = 0;

	for (; sent < packets; sent += BURST) {
		if (burst(b, &cpu, &instructions))
			return 1;
		at += BURST * 1000000000ULL / rate;
		sleep_until(at);
	}
	printf("%.1f ", (double)cpu / (double)sent);
	if (b->counter >= 0)
		printf("%.1f\n", (double)instructions / (double)sent);
	else
		puts("-");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint64_t port, packets, rate;
	struct bystander b = { .counter = open_counter() };
	char line[16];

	if (argc != 6 || inet_pton(AF_INET, argv[2], &to.sin_addr) != 1 ||
	    fg_parse_u64("port", argv[3], 1, 65535, &port, NULL) ||
	    fg_parse_u64("packets", argv[4], BURST, 1U << 30, &packets, NULL) ||
	    fg_parse_u64("rate", argv[5], BURST, 10000000, &rate, NULL)) {
		fprintf(stderr, "usage: paced NETNS ADDRESS PORT PACKETS RATE\n");
		return 2;
	}
	to.sin_port = htons((uint16_t)port);
	b.to = receive_at(argv[1], &to);
	b.from = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (b.to < 0 || b.from < 0 || connect(b.from, (struct sockaddr *)&to, sizeof(to))) {
		perror("paced");
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		if (turn(&b, packets, rate))
			return 1;
	return 0;
}
