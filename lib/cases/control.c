// SPDX-License-Identifier: GPL-2.0-only
#include "cases/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/json.h"
#include "base/parse.h"
#include "cluster/awaiting.h"

static int set_port(struct fg_cases_control *c, const char *text, struct fg_error *err)
{
	uint64_t port;

	if (fg_parse_u64("--control: port", text, 1, UINT16_MAX, &port, err))
		return -1;
	c->dst.port = (int)port;
	c->dst.port_name[0] = '\0';
	c->has_port = true;
	return 0;
}

/* Without a port of its own it goes to the one of the packets. */
static int set_destination(struct fg_cases_control *c, const char *text, struct fg_error *err)
{
	const struct fg_name before = c->dst;

	if (fg_names_read_target("--control", text, &c->dst, err))
		return -1;
	if (c->dst.port >= 0 || c->dst.port_name[0]) {
		c->has_port = true;
		return 0;
	}
	c->dst.port = before.port;
	memcpy(c->dst.port_name, before.port_name, sizeof(before.port_name));
	return 0;
}

static int set_field(struct fg_cases_control *c, const char *item, struct fg_error *err)
{
	uint64_t port;

	if (!strncmp(item, "dst=", 4))
		return set_destination(c, item + 4, err);
	if (!strncmp(item, "dport=", 6))
		return set_port(c, item + 6, err);
	if (!strncmp(item, "sport=", 6)) {
		snprintf(c->sport, sizeof(c->sport), "%.7s", item + 6);
		return fg_parse_u64("--control: sport", item + 6, 1, UINT16_MAX, &port, err);
	}
	if (!strncmp(item, "proto=", 6))
		item += 6;
	if (strchr(item, '=') || strlen(item) >= sizeof(c->protocol)) {
		fg_fail(err, FG_ERR_USAGE, "--control: \"%.60s\"", item);
		return fg_hint(err, "over a cluster it is PORT, a receiver, or a list of dst=, "
				    "dport=, sport= and a protocol");
	}
	snprintf(c->protocol, sizeof(c->protocol), "%s", item);
	return 0;
}

/* dst= first: a port of its own is kept, wherever it stands. */
static int read_list(struct fg_cases_control *c, const char *text, struct fg_error *err)
{
	for (int rest = 0; rest < 2; rest++)
		for (const char *at = text; *at;) {
			size_t len = strcspn(at, ",");
			char item[FG_NAME_LEN];

			snprintf(item, sizeof(item), "%.*s", (int)len, at);
			if ((strncmp(item, "dst=", 4) != 0) == rest && set_field(c, item, err))
				return -1;
			at += len + (at[len] == ',');
		}
	return 0;
}

int fg_cases_control_read(struct fg_cases_control *control, const char *text,
			  const struct fg_name *beside, struct fg_error *err)
{
	*control = (struct fg_cases_control){ .dst = *beside };
	if (text[0] && !text[strspn(text, "0123456789")])
		return set_port(control, text, err);
	if (strpbrk(text, "=,") || FG_JSON_ONE_OF(text, "tcp", "udp", "icmp", "sctp"))
		return read_list(control, text, err);
	return set_destination(control, text, err);
}

const char **fg_cases_control_words(const struct fg_cases_control *control,
				    const char *const *given)
{
	static const char *const always[] = { "expect", "count", "duration", "interval", "rate" };
	static const char *const protocols[] = { "tcp", "udp", "icmp" };
	const char **words;
	size_t count = 0;

	while (given[count])
		count++;
	words = calloc(count + 5, sizeof(*words));
	if (!words)
		return NULL;
	fg_awaiting_copy(words, given, "control");
	for (size_t i = 0; i < COUNT(always); i++)
		fg_awaiting_drop(words, always[i], true);
	fg_awaiting_drop(words, "summary", false);
	for (size_t i = 0; i < COUNT(protocols) && control->protocol[0]; i++)
		fg_awaiting_drop(words, protocols[i], false);
	if (control->protocol[0])
		fg_awaiting_drop(words, "proto", true);
	if (control->has_port)
		fg_awaiting_drop(words, "dport", true);
	for (count = 0; words[count];)
		count++;
	if (control->protocol[0]) {
		words[count++] = "--proto";
		words[count++] = control->protocol;
	}
	if (control->sport[0]) {
		words[count++] = "--sport";
		words[count++] = control->sport;
	}
	return words;
}

/* --- what it proves --- */

static const char *verdict_of(const json_t *result)
{
	return fg_json_string(json_object_get(result, "policy"), "verdict");
}

/* As fg_control_passed(). */
static bool passed(const json_t *control)
{
	return FG_JSON_ONE_OF(verdict_of(control), "allowed", "redirected", "none") &&
	       FG_JSON_ONE_OF(fg_json_string(control, "outcome"), "delivered", "forwarded",
			      "replied");
}

/* As fg_control_apply(). */
bool fg_cases_control_apply(json_t *result, const json_t *control, const char *asked)
{
	const char *seen = control ? fg_json_string(control, "outcome") : "inconclusive";
	const json_t *packet = json_object_get(control, "packet"),
		     *port = json_object_get(packet, "dport");
	json_t *expect = json_object_get(result, "expect");
	const char *outcome = fg_json_string(result, "outcome");
	const bool kept = !strcmp(verdict_of(result), "denied") ||
			  FG_JSON_ONE_OF(outcome, "dropped", "rejected");
	const bool failed = kept && !passed(control);

	json_object_set_new(result, "control",
			    json_pack("{s:s, s:O?, s:O?, s:O, s:s, s:s, s:o}", "asked", asked,
				      "proto", json_object_get(packet, "proto"), "dst",
				      json_object_get(packet, "dst"), "port",
				      port ? port : json_null(), "verdict",
				      control ? verdict_of(control) : "unknown", "outcome", seen,
				      "proven", kept ? json_boolean(!failed) : json_null()));
	if (!failed)
		return false;
	json_object_set_new(result, "reason",
			    json_string(!control ? "the control was not answered"
					: FG_JSON_ONE_OF(seen, "inconclusive")
						? "the control is inconclusive"
						: "the control failed too"));
	if (FG_JSON_ONE_OF(fg_json_string(expect, "wanted"), "deny", "denied", "dropped"))
		json_object_set_new(expect, "met", json_false());
	return true;
}
