// SPDX-License-Identifier: GPL-2.0-only
/*
 * warm.c - what one probe costs on a session that is up: build, send, collect and judge, without
 * rendering. warm REF DST COUNT: prints "median_ns p90_ns" to standard output.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "probe/plan.h"
#include "session/session.h"

static int by_size(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static int die(const struct fg_error *err)
{
	fprintf(stderr, "warm: %s\n", err->message);
	return 1;
}

int main(int argc, char **argv)
{
	const struct fg_session_options options = { .host_root = "",
						    .timeout_ns = 1000000000ULL,
						    .cancel_fd = -1 };
	struct fg_packet_spec packet;
	struct fg_ports ports = {};
	struct fg_plan plan = { .packet = &packet, .dports = &ports, .seed = 1 };
	struct fg_session *session;
	struct fg_probe *window;
	struct fg_error err;
	uint64_t *times, count;
	uint32_t room;
	int port;

	libbpf_set_print(NULL);
	if (argc != 4 || fg_parse_u64("count", argv[3], 1, 1000000, &count, &err))
		return 2;
	fg_packet_spec_init(&packet);
	times = calloc(count, sizeof(*times));
	session = fg_session_open(&options, &err);
	if (!times || !session || fg_packet_set(&packet, "proto", "udp", &err) ||
	    fg_parse_endpoint("destination", argv[2], &plan.dst, &port, &err) ||
	    fg_parse_ports("port", "9999", &ports, &err))
		return die(&err);
	plan.pod = fg_session_add_pod(session, argv[1], NULL, FG_METHOD_AUTO, &err);
	if (plan.pod < 0)
		return die(&err);
	plan.src = *fg_pod_address(fg_session_pod(session, plan.pod), plan.dst.family);
	plan.count = count;
	for (uint64_t i = 0; i < count; i++) {
		uint32_t one = 1;
		uint64_t start = fg_clock_now();

		window = fg_session_window(session, &room);
		fg_plan_probe(&plan, i, &window[0].spec);
		if (fg_session_run(session, &one, &err))
			return die(&err);
		times[i] = fg_clock_now() - start;
		if (window[0].result.outcome == FG_OUTCOME_INCONCLUSIVE) {
			fprintf(stderr, "warm: probe %llu is inconclusive\n",
				(unsigned long long)i);
			return 1;
		}
	}
	qsort(times, count, sizeof(*times), by_size);
	printf("%llu %llu\n", (unsigned long long)times[count / 2],
	       (unsigned long long)times[count * 9 / 10]);
	fg_session_close(session);
	fg_ports_free(&ports);
	fg_packet_spec_free(&packet);
	free(times);
	return 0;
}
