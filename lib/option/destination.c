// SPDX-License-Identifier: GPL-2.0-only
#include "option/destination.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/parse.h"

#define ADDRESSES_MAX 4096U

static const char expected[] = "ADDRESS[:PORTS], [IPV6]:PORTS, NETWORK/PREFIX, pod:NAME, "
			       "netns:NAME or a host name";

static int refuse(const char *what, const char *text, struct fg_error *err)
{
	if (!*text)
		return fg_fail(err, FG_ERR_USAGE, "%s: empty; expected %s", what, expected);
	return fg_fail(err, FG_ERR_USAGE, "%s: \"%.100s\" is not %s", what, text, expected);
}

/* Whether it begins with a word that stands for a pod on this host. */
static bool is_reference(const char *text)
{
	static const char *const words[] = { "pod:", "netns:", "uid:", "container:", "pid:" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (!strncmp(text, words[i], strlen(words[i])) && text[strlen(words[i])])
			return true;
	return false;
}

/* Letters, digits, - _ and dots between them; what ends like an address is a wrong one (RFC 3696).
 */
static bool is_host_name(const char *text)
{
	const char *last = strrchr(text, '.');
	size_t len = strlen(text);

	if (!len || !isalnum((unsigned char)text[0]) || strstr(text, ".."))
		return false;
	for (const char *p = text; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("-_.", *p))
			return false;
	last = last && !last[1] ? NULL : last ? last + 1 : text;
	return !last || strspn(last, "0123456789") != strlen(last);
}

/* Splits at the colon before the ports; *ports NULL: there are none. False: it is malformed. */
static bool split(const char *text, char *end, size_t size, const char **ports)
{
	const char *close = *text == '[' ? strchr(text, ']') : NULL, *colon;
	const char *from = text, *prefix = "";
	size_t len, prefix_len = 0;

	if (*text == '[') {
		if (!close || (close[1] && close[1] != ':' && close[1] != '/') ||
		    !memchr(text, ':', (size_t)(close - text)))
			return false;
		from++;
		colon = strchr(close, ':');
		len = (size_t)(close - from);
		/* "[fd00::]/120" is the network that "[fd00::/120]" is. */
		prefix = close + 1;
		prefix_len = colon ? (size_t)(colon - prefix) : strlen(prefix);
	} else {
		colon = strchr(is_reference(text) ? strchr(text, ':') + 1 : text, ':');
		/* Two of them, without brackets: IPv6, which has no port then. */
		if (colon && strchr(colon + 1, ':'))
			colon = NULL;
		len = colon ? (size_t)(colon - text) : strlen(text);
	}
	*ports = colon ? colon + 1 : NULL;
	if (len + prefix_len >= size)
		return false;
	memcpy(end, from, len);
	memcpy(end + len, prefix, prefix_len);
	end[len + prefix_len] = '\0';
	return true;
}

/* The addresses of a network with this many leading bits. */
static void set_network(struct fg_destination *d, unsigned int prefix)
{
	unsigned int bits = d->addr.family == AF_INET ? 32 : 128;

	for (unsigned int bit = prefix; bit < bits; bit++)
		d->addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	d->count = 1U << (bits - prefix);
	if (d->addr.family != AF_INET || bits - prefix < 2)
		return;
	d->addr = fg_addr_at(&d->addr, 1);
	d->count -= 2;
}

static int read_network(const char *what, const char *text, struct fg_destination *d,
			struct fg_error *err)
{
	const char *slash = strchr(text, '/');
	char addr[80];
	uint64_t prefix, bits;

	snprintf(addr, sizeof(addr), "%.*s", (int)(slash - text), text);
	if (fg_parse_addr(what, addr, &d->addr, err))
		return -1;
	bits = d->addr.family == AF_INET ? 32 : 128;
	if (fg_parse_u64(what, slash + 1, 0, bits, &prefix, err))
		return -1;
	if (bits - prefix >= 32 || (1U << (bits - prefix)) > ADDRESSES_MAX) {
		fg_fail(err, FG_ERR_USAGE, "%s: a network has at most %u addresses", what,
			ADDRESSES_MAX);
		return fg_hint(err, "/%u or longer", (unsigned int)bits - 12);
	}
	set_network(d, (unsigned int)prefix);
	return 0;
}

/* Of "fd00::1:80-90" the brackets are missing. */
static int hint_brackets(const char *text, struct fg_error *err)
{
	const char *colon = strrchr(text, ':');
	struct fg_addr addr;
	char head[60];

	if (!colon || colon == text || (size_t)(colon - text) >= sizeof(head))
		return -1;
	snprintf(head, sizeof(head), "%.*s", (int)(colon - text), text);
	if (!fg_parse_addr("", head, &addr, NULL) && addr.family == AF_INET6)
		fg_hint(err, "[%s]:%.60s has a port", head, colon + 1);
	return -1;
}

static int read_end(const char *what, const char *whole, const char *end, bool bracketed,
		    struct fg_destination *d, struct fg_error *err)
{
	if (is_reference(whole)) {
		d->kind = FG_DESTINATION_POD;
		snprintf(d->name, sizeof(d->name), "%s", end);
		return 0;
	}
	d->kind = FG_DESTINATION_ADDRESS;
	if (strchr(end, '/'))
		return read_network(what, end, d, err);
	if (!fg_parse_addr(what, end, &d->addr, NULL) && (!bracketed || d->addr.family == AF_INET6))
		return 0;
	if (bracketed || !is_host_name(end)) {
		refuse(what, whole, err);
		return hint_brackets(whole, err);
	}
	d->kind = FG_DESTINATION_NAME;
	snprintf(d->name, sizeof(d->name), "%s", end);
	return 0;
}

int fg_destination_parse(const char *what, const char *text, struct fg_destination *out,
			 struct fg_error *err)
{
	struct fg_destination d = { .text = text, .count = 1 };
	const char *ports;
	char end[sizeof(d.name)];

	if (fg_parse_cluster_reference(what, text, err))
		return -1;
	if (!strncmp(text, "ext:", 4))
		text = fg_parse_plain_reference(text);
	if (!split(text, end, sizeof(end), &ports))
		return refuse(what, text, err);
	if (ports && !end[0]) {
		fg_fail(err, FG_ERR_USAGE, "%s: \"%.100s\" has no address", what, text);
		return fg_hint(err, "ADDRESS:%.60s", ports);
	}
	if (read_end(what, text, end, *text == '[', &d, err) ||
	    (ports && fg_parse_ports(what, ports, &d.ports, err)))
		return -1;
	fg_destination_free(out);
	*out = d;
	return 0;
}

void fg_destination_free(struct fg_destination *destination)
{
	fg_ports_free(&destination->ports);
	*destination = (struct fg_destination){};
}
