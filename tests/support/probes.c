// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "bed.h"
#include "probe/names.h"
#include "probes.h"

struct fg_session *probes_session;

static uint64_t probes_so_far;

static void must(int ret, const struct fg_error *err)
{
	if (ret)
		fail_msg("%s", err->message);
}

void probes_close(void)
{
	fg_session_close(probes_session);
	probes_session = NULL;
}

void probes_open(struct fg_session_options options)
{
	struct fg_error err = {};

	options.host_root = "";
	options.timeout_ns = 3000000000;
	options.cancel_fd = -1;
	probes_close();
	probes_session = fg_session_open(&options, &err);
	if (!probes_session)
		fail_msg("%s", err.message);
}

int probes_pod(const char *ref)
{
	struct fg_error err = {};
	int pod = fg_session_add_pod(probes_session, ref, NULL, FG_METHOD_AUTO, &err);

	must(pod < 0, &err);
	return pod;
}

void probes_put(uint32_t at, int pod, const struct fg_packet_spec *packet, const char *dst,
		uint16_t port)
{
	uint64_t id = ++probes_so_far;
	uint32_t room;
	struct fg_probe *window = fg_session_window(probes_session, &room);
	struct fg_probe_spec spec = {
		.id = id, .pod = pod, .packet = packet, .any_source = true, .fragments = 1
	};

	assert_true(at < room);
	spec.vary.dst = bed_addr(dst);
	spec.vary.src.family = spec.vary.dst.family;
	spec.vary.sport = (uint16_t)(20000 + id);
	spec.vary.dport = port;
	spec.vary.random = id * 0x9e3779b97f4a7c15;
	spec.vary.number = (uint32_t)id;
	window[at] = (struct fg_probe){ .spec = spec };
	window[at].result.denied_by = window[at].result.redirected_by = -1;
}

const struct fg_probe *probes_run(uint32_t count)
{
	struct fg_error err = {};
	uint32_t room, all = count;
	struct fg_probe *window = fg_session_window(probes_session, &room);

	for (uint32_t i = 0; i < count; i++)
		if (fg_session_route(probes_session, &window[i].spec, &err) < 0)
			fail_msg("%s", err.message);
	must(fg_session_run(probes_session, &all, &err), &err);
	assert_int_equal(all, count);
	return window;
}

const struct fg_probe *probes_one(int pod, const struct fg_packet_spec *packet, const char *dst,
				  uint16_t port)
{
	probes_put(0, pod, packet, dst, port);
	return probes_run(1);
}

void probes_is(const struct fg_probe *p, enum fg_verdict verdict, enum fg_outcome outcome)
{
	if (p->result.verdict != verdict ||
	    (outcome != FG_OUTCOMES && p->result.outcome != outcome))
		fail_msg("probe %llu: %s, %s: %s", (unsigned long long)p->spec.id,
			 fg_verdict_name(p->result.verdict), fg_outcome_name(p->result.outcome),
			 p->result.reason ? p->result.reason : "-");
}

const struct fg_program *probes_decider(const struct fg_probe *p)
{
	const struct fg_ladder *ladder = p->context->ladder;

	assert_in_range(p->result.denied_by, 0, (int)ladder->count - 1);
	return &ladder->programs[p->result.denied_by];
}
