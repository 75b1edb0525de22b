// SPDX-License-Identifier: GPL-2.0-only
#include "probe/flows.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "base/parse.h"

static const char *const words[] = {
	[FG_FLOWS_ANY] = "any", [FG_FLOWS_ALLOW] = "allow", [FG_FLOWS_DENY] = "deny"
};

static const struct {
	const char *name;
	uint8_t number;
} protocols[] = { { "tcp", IPPROTO_TCP },
		  { "udp", IPPROTO_UDP },
		  { "sctp", IPPROTO_SCTP },
		  { "icmp", IPPROTO_ICMP } };

const char *fg_flows_word_name(enum fg_flows_word word)
{
	return words[word];
}

void fg_flows_expect_free(struct fg_flows_expect *expect)
{
	for (size_t i = 0; i < expect->count; i++)
		fg_ports_free(&expect->rules[i].ports);
	free(expect->rules);
	*expect = (struct fg_flows_expect){};
}

static uint8_t protocol_number(const char *name)
{
	for (size_t i = 0; i < COUNT(protocols); i++)
		if (!strcmp(name, protocols[i].name))
			return protocols[i].number;
	return 0;
}

static int read_protocol(const char *what, const char *name, struct fg_flows_rule *rule,
			 struct fg_error *err)
{
	rule->proto = protocol_number(name);
	if (rule->proto)
		return 0;
	return fg_fail(err, FG_ERR_USAGE, "%s: must be tcp, udp, sctp or icmp, not \"%.40s\"", what,
		       name);
}

static int read_endpoint(const char *what, const char *text, struct fg_flows_rule *rule,
			 struct fg_error *err)
{
	char word[8];
	int port;

	if (fg_parse_endpoint(what, text, &rule->addr, &port, err))
		return -1;
	snprintf(word, sizeof(word), "%d", port);
	return port < 0 ? 0 : fg_parse_ports(what, word, &rule->ports, err);
}

/* "443/tcp", "1-1024", "10.0.0.9:443", "[fd00::9]/udp", "icmp". */
static int read_where(const char *what, char *text, struct fg_flows_rule *rule,
		      struct fg_error *err)
{
	char *slash = strrchr(text, '/');

	rule->placed = true;
	if (slash) {
		*slash = '\0';
		if (read_protocol(what, slash + 1, rule, err))
			return -1;
	} else if (protocol_number(text)) {
		return read_protocol(what, text, rule, err);
	}
	if (*text && strspn(text, "0123456789-") == strlen(text))
		return fg_parse_ports(what, text, &rule->ports, err);
	return read_endpoint(what, text, rule, err);
}

static int read_rule(const char *what, char *text, struct fg_flows_expect *out,
		     struct fg_error *err)
{
	struct fg_flows_rule *rule = out->count < FG_FLOWS_RULES_MAX
					     ? FG_APPEND(out->rules, out->count, what, err)
					     : NULL;
	char *where = strchr(text, ':');
	int word;

	if (!rule)
		return out->count < FG_FLOWS_RULES_MAX
			       ? -1
			       : fg_fail(err, FG_ERR_USAGE, "%s: more than %d expectations", what,
					 FG_FLOWS_RULES_MAX);
	if (where)
		*where++ = '\0';
	word = fg_parse_word(what, text, words, COUNT(words), err);
	if (word < 0)
		return -1;
	rule->word = (enum fg_flows_word)word;
	if (where)
		return read_where(what, where, rule, err);
	for (size_t i = 0; i + 1 < out->count; i++)
		if (!out->rules[i].placed)
			return fg_fail(err, FG_ERR_USAGE,
				       "%s: \"%s\" and \"%s\": one of them must say for which "
				       "flows, as deny:443/tcp does",
				       what, words[out->rules[i].word], text);
	return 0;
}

int fg_flows_expect_parse(const char *what, const char *text, struct fg_flows_expect *out,
			  struct fg_error *err)
{
	FG_FREE char *copy = strdup(text);
	char *rest = copy;

	*out = (struct fg_flows_expect){};
	if (!copy)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", what);
	for (char *part; (part = strsep(&rest, ","));)
		if (read_rule(what, part, out, err))
			return -1;
	return 0;
}

static bool fits(const struct fg_flows_rule *rule, uint8_t proto, const struct fg_addr *addr,
		 uint16_t port)
{
	bool known = !rule->ports.total;

	if (proto == IPPROTO_ICMPV6)
		proto = IPPROTO_ICMP;
	if ((rule->proto && rule->proto != proto) ||
	    (rule->addr.family && !fg_addr_equal(&rule->addr, addr)))
		return false;
	for (size_t i = 0; i < rule->ports.count; i++)
		known |= port >= rule->ports.ranges[i].first && port <= rule->ports.ranges[i].last;
	return known;
}

int fg_flows_expect_for(const struct fg_flows_expect *expect, uint8_t proto,
			const struct fg_addr *addr, uint16_t port)
{
	int open = -1;

	for (size_t i = 0; i < expect->count; i++) {
		const struct fg_flows_rule *rule = &expect->rules[i];

		if (!rule->placed)
			open = (int)i;
		else if (fits(rule, proto, addr, port))
			return (int)i;
	}
	return open;
}
