// SPDX-License-Identifier: GPL-2.0-only
/* inject_tally.c - the summary on standard error, as ping has one. */
#include <inttypes.h>
#include <stdio.h>

#include "inject_parts.h"
#include "names.h"

static const char *time_text(double ns, char buf[32])
{
	if (ns < 1e6)
		snprintf(buf, 32, "%.1f us", ns / 1e3);
	else if (ns < 1e9)
		snprintf(buf, 32, "%.2f ms", ns / 1e6);
	else
		snprintf(buf, 32, "%.3f s", ns / 1e9);
	return buf;
}

static void print_until(const struct fg_sink *sink)
{
	static const char *const words[] = { [FG_EXPECT_DENY] = "denied",
					     [FG_EXPECT_ALLOW] = "allowed",
					     [FG_EXPECT_DROPPED] = "dropped",
					     [FG_EXPECT_DELIVERED] = "delivered" };
	const char *wanted = words[sink->options->until];
	char after[32], before[32];

	if (!sink->met) {
		fprintf(stderr, "flowgen: never %s\n", wanted);
		return;
	}
	time_text((double)(sink->previous_ns - sink->first_ns), before);
	if (sink->tally.sent > 1)
		fprintf(stderr, "flowgen: %s after %s, not yet at %s\n", wanted,
			time_text((double)(sink->met_ns - sink->first_ns), after), before);
	else
		fprintf(stderr, "flowgen: %s from the first probe on\n", wanted);
}

void fg_tally_print(const struct fg_sink *sink)
{
	const struct fg_tally *t = &sink->tally;
	uint64_t ns = fg_inject_now() - sink->started_ns;
	char took[32], min[32], avg[32], max[32];

	fprintf(stderr, "flowgen: %" PRIu64 " sent in %s (%.0f/s)", t->sent,
		time_text((double)ns, took), ns ? (double)t->sent * 1e9 / (double)ns : 0);
	for (int v = FG_VERDICT_ALLOWED; v <= FG_VERDICT_NONE; v++)
		fprintf(stderr, "%s %" PRIu64 " %s", v == FG_VERDICT_ALLOWED ? ":" : ",",
			t->verdicts[v], fg_verdict_name((enum fg_verdict)v));
	fprintf(stderr, ", %" PRIu64 " unknown, %" PRIu64 " inconclusive",
		t->verdicts[FG_VERDICT_UNKNOWN], t->inconclusive);
	if (t->unsent)
		fprintf(stderr, ", %" PRIu64 " not taken by the kernel", t->unsent);
	fputc('\n', stderr);
	if (t->timed)
		fprintf(stderr, "flowgen: from injection to end min/avg/max %s / %s / %s\n",
			time_text((double)t->min_ns, min),
			time_text((double)t->sum_ns / (double)t->timed, avg),
			time_text((double)t->max_ns, max));
	if (sink->options->until)
		print_until(sink);
}
