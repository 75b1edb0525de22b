// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/awaiting.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/parse.h"
#include "base/ports.h"

struct option_name {
	const char *name;
	bool takes; /* a value, which may be the next word */
};

/* Options of `flowgen inject` that have a letter (cmd/inject.c), too. */
static char letter_of(const char *name)
{
	return !strcmp(name, "count")	   ? 'c'
	       : !strcmp(name, "interval") ? 'i'
	       : !strcmp(name, "dport")	   ? 'p'
					   : 0;
}

/*
 * "--NAME", "--NAME=VALUE" or "--NAME" and a value, where NAME may be abbreviated: how many words,
 * 0: it is another.
 */
static size_t words_of(const char *const *words, const struct option_name *o)
{
	const char *name = words[0] + 2;
	size_t len;

	if (words[0][0] == '-' && words[0][1] && words[0][1] == letter_of(o->name))
		return words[0][2] || !words[1] ? 1 : 2;
	if (strncmp(words[0], "--", 2) != 0)
		return 0;
	len = strcspn(name, "=");
	if (!len || strncmp(name, o->name, len) != 0)
		return 0;
	if (name[len] == '=')
		return 1;
	return o->takes && words[1] ? 2 : 1;
}

const char *fg_awaiting_given(const char *const *words, const char *name)
{
	const struct option_name o = { name, true };

	for (; *words; words++) {
		size_t n = words_of(words, &o);

		if (n)
			return n == 2		       ? words[1]
			       : strchr(words[0], '=') ? strchr(words[0], '=') + 1
			       : words[0][1] != '-'    ? words[0] + 2
						       : "";
	}
	return NULL;
}

void fg_awaiting_copy(const char **to, const char *const *words, const char *without)
{
	const struct option_name o = { without, true };

	while (*words) {
		size_t n = *without ? words_of(words, &o) : 0;

		if (!n)
			*to++ = *words;
		words += n ? n : 1;
	}
}

void fg_awaiting_drop(const char **words, const char *without, bool takes)
{
	const struct option_name o = { without, takes };
	const char **to = words;

	while (*words) {
		size_t n = words_of(words, &o);

		if (!n)
			*to++ = *words;
		words += n ? n : 1;
	}
	*to = NULL;
}

size_t fg_awaiting_part(const char **to, const char *const *words, bool staying)
{
	static const struct option_name names[] = {
		{ "seed", true }, { "only", true }, { "repeat", true }, { "fail-fast", false }
	};
	size_t kept = 0;

	while (*words) {
		size_t n = 0;

		/* All rounds of what stays are one request, which stops by itself. */
		for (size_t i = 0; i < COUNT(names) - (staying ? 2 : 0) && !n; i++)
			n = words_of(words, &names[i]);
		if (!n)
			to[kept++] = *words;
		words += n ? n : 1;
	}
	return kept;
}

const char *fg_awaiting_obstacle(const char *const *words)
{
	static const char *const names[] = { "pcap",	"dry-run",     "gso",	"fragment",
					     "summary", "from-uplink", "await", "write" };
	const char *count = fg_awaiting_given(words, "count");

	for (size_t i = 0; i < COUNT(names); i++)
		if (fg_awaiting_given(words, names[i]))
			return names[i];
	/* What never ends has no second half. */
	return count && !strcmp(count, "0") && !fg_awaiting_given(words, "duration") ? "count 0"
										     : NULL;
}

int fg_awaiting_pace(const char *const *words, double *ns, struct fg_error *err)
{
	const char *interval = fg_awaiting_given(words, "interval");
	const char *rate = fg_awaiting_given(words, "rate");
	uint64_t whole = 0;

	*ns = 0;
	if (interval && fg_parse_duration("--interval", interval, &whole, err))
		return -1;
	*ns = (double)whole;
	if (rate && fg_parse_rate("--rate", rate, ns, err))
		return -1;
	if (rate)
		*ns = 1e9 / *ns;
	return 0;
}

/* The first is sent at once, and one more may be on its way at the end. */
static int count_in_time(const char *const *words, const char *duration, uint64_t ports,
			 struct fg_awaiting_count *out, struct fg_error *err)
{
	uint64_t ns, times;
	double pace;

	if (fg_parse_duration("--duration", duration, &ns, err) ||
	    fg_awaiting_pace(words, &pace, err))
		return -1;
	if (pace < 1) {
		fg_fail(err, FG_ERR_USAGE,
			"--duration: how many packets another node is to wait for is not known");
		return fg_hint(err, "add --interval TIME or --rate N");
	}
	times = ((uint64_t)((double)ns / pace) + 2 + ports - 1) / ports;
	if (!out->packets || times < out->packets)
		out->packets = times;
	snprintf(out->times, sizeof(out->times), "%llu", (unsigned long long)out->packets);
	return 0;
}

int fg_awaiting_count(const char *const *words, struct fg_awaiting_count *out, struct fg_error *err)
{
	const char *times = fg_awaiting_given(words, "count");
	const char *duration = fg_awaiting_given(words, "duration");
	const char *dports = fg_awaiting_given(words, "dport");
	struct fg_ports ports = {};
	uint64_t each = 1;

	*out = (struct fg_awaiting_count){ .packets = duration ? 0 : 1 };
	if (times && fg_parse_u64("--count", times, 0, UINT32_MAX, &out->packets, err))
		return -1;
	/* Of names that only the node knows as services: at least so many. */
	if (dports && !fg_parse_ports("--dport", dports, &ports, NULL))
		each = ports.total;
	else if (dports && strchr(dports, ','))
		each = 2;
	fg_ports_free(&ports);
	if (duration && count_in_time(words, duration, each, out, err))
		return -1;
	out->packets *= each;
	return 0;
}

/* Options that are about the sender alone, or that the receiver's end has for itself. */
static size_t senders_own(const char *const *words)
{
	static const struct option_name names[] = {
		{ "method", true },	 { "interface", true }, { "src", true },
		{ "spoof", false },	 { "seed", true },	{ "timeout", true },
		{ "no-explain", false }, { "interval", true },	{ "rate", true },
		{ "duration", true },
	};

	for (size_t i = 0; i < COUNT(names); i++)
		if (words_of(words, &names[i]))
			return words_of(words, &names[i]);
	return 0;
}

const char **fg_awaiting_words(const struct fg_awaiting *a, const char *const *given,
			       struct fg_error *err)
{
	const struct option_name count_option = { "count", true };
	const char *fixed[21] = { "inject", "--await",	"--node-only", "--src", a->src,
				  "--dst",  a->dst,	"--seed",      a->seed, "--timeout",
				  "10m",    "--output", "json" };
	size_t n = 13, count = 0, fixed_count;
	const char **words;

	if (a->protocol) {
		fixed[n++] = "--proto";
		fixed[n++] = a->protocol;
	}
	if (a->sport) {
		fixed[n++] = "--sport";
		fixed[n++] = a->sport;
	}
	if (a->times[0]) {
		fixed[n++] = "--count";
		fixed[n++] = a->times;
	}
	fixed_count = n;
	while (given[count])
		count++;
	words = calloc(fixed_count + count + 1, sizeof(*words));
	if (!words) {
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "requests");
		return NULL;
	}
	memcpy(words, fixed, fixed_count * sizeof(*words));
	for (size_t i = 0; i < count;) {
		size_t own = senders_own(given + i);

		if (!own && a->times[0])
			own = words_of(given + i, &count_option);
		if (!own)
			words[n++] = given[i];
		i += own ? own : 1;
	}
	return words;
}
