// SPDX-License-Identifier: GPL-2.0-only
#include "base/parse.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/grow.h"

static int refuse(const char *what, const char *text, const char *expected, struct fg_error *err)
{
	if (!*text)
		return fg_fail(err, FG_ERR_USAGE, "%s: empty; expected %s", what, expected);
	return fg_fail(err, FG_ERR_USAGE, "%s: \"%.200s\" is not %s", what, text, expected);
}

/* strtoull takes signs, white space and octal; none of them is wanted here. */
static bool read_number(const char *text, uint64_t *out)
{
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
	const char *digits = hex ? text + 2 : text;
	unsigned long long value;
	char *end;

	if (!(hex ? isxdigit((unsigned char)*digits) : isdigit((unsigned char)*digits)))
		return false;
	errno = 0;
	value = strtoull(digits, &end, hex ? 16 : 10);
	if (errno || *end)
		return false;
	*out = value;
	return true;
}

int fg_parse_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out,
		 struct fg_error *err)
{
	char expected[80];
	uint64_t value;

	if (read_number(text, &value) && value >= min && value <= max) {
		*out = value;
		return 0;
	}
	snprintf(expected, sizeof(expected), "a number from %llu to %llu", (unsigned long long)min,
		 (unsigned long long)max);
	return refuse(what, text, expected, err);
}

/* Copies [text, text + len) to buf as a string; false if it does not fit. */
static bool copy_part(const char *text, size_t len, char *buf, size_t size)
{
	if (len >= size)
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	return true;
}

static bool read_addr(const char *text, struct fg_addr *out)
{
	const char *zone = strchr(text, '%');
	size_t len = zone ? (size_t)(zone - text) : strlen(text);
	struct fg_addr addr = { 0 };
	char number[FG_ADDR_TEXT_LEN];

	if (!copy_part(text, len, number, sizeof(number)))
		return false;
	text = number;
	if (inet_pton(AF_INET, text, addr.bytes) == 1)
		addr.family = AF_INET;
	else if (inet_pton(AF_INET6, text, addr.bytes) == 1)
		addr.family = AF_INET6;
	else
		return false;
	/* Other addresses are of no link. */
	if (zone && (!zone[1] || !fg_addr_is_link_local(&addr) || strpbrk(zone + 1, " \t\n/%:") ||
		     !copy_part(zone + 1, strlen(zone + 1), addr.zone, sizeof(addr.zone))))
		return false;
	*out = addr;
	return true;
}

int fg_parse_addr(const char *what, const char *text, struct fg_addr *out, struct fg_error *err)
{
	if (!read_addr(text, out))
		return refuse(what, text, "an IPv4 or IPv6 address", err);
	return 0;
}

static const char *behind(const char *text, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(text, word, len) && text[len] == ':' ? text + len + 1 : NULL;
}

const char *fg_parse_plain_reference(const char *text)
{
	const char *rest = behind(text, "pod");

	rest = rest ? rest : behind(text, "ext");
	return rest ? rest : text;
}

int fg_parse_cluster_reference(const char *what, const char *text, struct fg_error *err)
{
	static const char *const words[] = { "deploy", "sts",	    "ds",  "label",
					     "svc",    "endpoints", "node" };

	for (size_t i = 0; i < COUNT(words); i++) {
		if (!behind(text, words[i]))
			continue;
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"%s: \"%.100s\": only the API server knows what this is, and a node's "
			"flowgen does not ask it",
			what, text);
		return fg_hint(err,
			       "kubectl flowgen resolves it; here, name the pod or the address");
	}
	return 0;
}

/*
 * Splits an endpoint into its address and its port text (NULL without one). An address with two
 * colons and no brackets is IPv6 and cannot carry a port: "::1:80" is an address.
 */
static bool split_endpoint(const char *text, char *addr, size_t size, const char **port)
{
	const char *colon = strchr(text, ':');
	const char *close;

	*port = NULL;
	if (*text == '[') {
		close = strchr(text, ']');
		if (!close || (close[1] && close[1] != ':') ||
		    !memchr(text, ':', (size_t)(close - text)))
			return false;
		if (close[1])
			*port = close + 2;
		return copy_part(text + 1, (size_t)(close - text) - 1, addr, size);
	}
	if (!colon || strchr(colon + 1, ':'))
		return copy_part(text, strlen(text), addr, size);
	*port = colon + 1;
	return copy_part(text, (size_t)(colon - text), addr, size);
}

int fg_parse_endpoint(const char *what, const char *text, struct fg_addr *addr, int *port,
		      struct fg_error *err)
{
	char addr_text[FG_ADDR_TEXT_LEN + sizeof(((struct fg_addr *)0)->zone) + 1];
	const char *port_text;
	struct fg_addr parsed;
	uint64_t number = 0;

	if (fg_parse_cluster_reference(what, text, err))
		return -1;
	if (!strncmp(text, "ext:", 4))
		text = fg_parse_plain_reference(text);
	if (!split_endpoint(text, addr_text, sizeof(addr_text), &port_text) ||
	    !read_addr(addr_text, &parsed))
		return refuse(what, text, "ADDRESS, ADDRESS:PORT or [IPV6]:PORT", err);
	if (port_text && (!read_number(port_text, &number) || number < 1 || number > 65535))
		return refuse(what, text, "an address with a port from 1 to 65535", err);
	*addr = parsed;
	*port = port_text ? (int)number : -1;
	return 0;
}

static int hex_digit(char c)
{
	if (!isxdigit((unsigned char)c))
		return -1;
	return isdigit((unsigned char)c) ? c - '0' : tolower((unsigned char)c) - 'a' + 10;
}

int fg_parse_mac(const char *what, const char *text, uint8_t mac[6], struct fg_error *err)
{
	bool good = strlen(text) == 17;
	uint8_t out[6];

	for (int i = 0; good && i < 6; i++) {
		int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);

		good = high >= 0 && low >= 0 && (i == 5 || text[3 * i + 2] == ':');
		if (good)
			out[i] = (uint8_t)(high << 4 | low);
	}
	if (!good)
		return refuse(what, text, "a MAC address like 02:00:5e:10:00:01", err);
	memcpy(mac, out, sizeof(out));
	return 0;
}

int fg_parse_hex(const char *what, const char *text, uint8_t *out, size_t size, size_t *len,
		 struct fg_error *err)
{
	size_t digits = strlen(text);

	if (!digits || digits % 2 || strspn(text, "0123456789abcdefABCDEF") != digits)
		return refuse(what, text, "an even number of hexadecimal digits", err);
	if (digits / 2 > size)
		return fg_fail(err, FG_ERR_USAGE,
			       "%s: %zu bytes are more than the %zu there is room for", what,
			       digits / 2, size);
	for (size_t i = 0; i < digits / 2; i++)
		out[i] = (uint8_t)(hex_digit(text[2 * i]) * 16 + hex_digit(text[2 * i + 1]));
	*len = digits / 2;
	return 0;
}

/*
 * Reads "12", "0.5" or ".5" and leaves *end after it. No sign, no exponent, no "inf": strtod takes
 * all of these, and a point that depends on the locale.
 */
static bool read_decimal(const char *text, long double *out, const char **end)
{
	long double value = 0, place = 1;
	const char *p = text;
	int digits = 0;

	for (; isdigit((unsigned char)*p); p++, digits++)
		value = value * 10 + (*p - '0');
	if (*p == '.') {
		for (p++; isdigit((unsigned char)*p); p++, digits++) {
			place /= 10;
			value += (*p - '0') * place;
		}
	}
	*end = p;
	*out = value;
	return digits > 0 && p[-1] != '.';
}

int fg_parse_duration(const char *what, const char *text, uint64_t *ns, struct fg_error *err)
{
	static const struct {
		const char *name;
		long double ns;
	} units[] = { { "", 1e9L },   { "s", 1e9L }, { "ms", 1e6L },
		      { "us", 1e3L }, { "ns", 1 },   { "m", 60e9L } };
	long double number;
	const char *unit;

	if (read_decimal(text, &number, &unit)) {
		for (size_t i = 0; i < COUNT(units); i++) {
			if (strcmp(unit, units[i].name) != 0 || number * units[i].ns >= 0x1p63L)
				continue;
			*ns = (uint64_t)(number * units[i].ns + 0.5L);
			return 0;
		}
	}
	return refuse(what, text, "a duration like 500us, 10ms, 2s, 0.5 or 1m", err);
}

int fg_parse_rate(const char *what, const char *text, double *per_second, struct fg_error *err)
{
	long double number, factor = 0;
	const char *unit;

	if (read_decimal(text, &number, &unit)) {
		if (!*unit)
			factor = 1;
		else if (!strcmp(unit, "k"))
			factor = 1e3L;
		else if (!strcmp(unit, "m"))
			factor = 1e6L;
		if (factor > 0 && number > 0 && number * factor <= 1e9L) {
			*per_second = (double)(number * factor);
			return 0;
		}
	}
	return refuse(what, text, "a rate in packets per second up to 1000m, like 100, 10k or 1.5m",
		      err);
}

/*
 * Reads one "N", "N-M" or name of a port list, ended by a comma or the end of the text, and leaves
 * *next after it.
 */
static bool read_range(const char *text, struct fg_port_range *out, const char **next)
{
	unsigned int ends[2] = { 0, 0 };
	const char *p = text;
	size_t word = strcspn(text, ",");
	uint16_t service = fg_ports_service(text, word);
	int count = 0;

	if (service) {
		*out = (struct fg_port_range){ .first = service, .last = service };
		*next = text + word;
		return true;
	}
	do {
		unsigned int *end = &ends[count];
		const char *start = p += count;

		for (; isdigit((unsigned char)*p) && *end <= 65535; p++)
			*end = *end * 10 + (unsigned int)(*p - '0');
		if (p == start || *end < 1 || *end > 65535)
			return false;
		count++;
	} while (*p == '-' && count < 2);
	if (count == 1)
		ends[1] = ends[0];
	if ((*p && *p != ',') || ends[0] > ends[1])
		return false;
	*out = (struct fg_port_range){ .first = (uint16_t)ends[0], .last = (uint16_t)ends[1] };
	*next = p;
	return true;
}

static int add_range(const char *what, struct fg_ports *ports, uint8_t *seen,
		     const struct fg_port_range *range, struct fg_error *err)
{
	struct fg_port_range *added;

	for (unsigned int port = range->first; port <= range->last; port++) {
		if (seen[port / 8] & 1 << port % 8)
			return fg_fail(err, FG_ERR_USAGE, "%s: port %u is named twice", what, port);
		seen[port / 8] |= (uint8_t)(1 << port % 8);
	}
	added = FG_APPEND(ports->ranges, ports->count, what, err);
	if (!added)
		return -1;
	*added = *range;
	added->before = (uint32_t)ports->total;
	ports->total += (size_t)(range->last - range->first) + 1;
	return 0;
}

int fg_parse_ports(const char *what, const char *text, struct fg_ports *out, struct fg_error *err)
{
	uint8_t seen[65536 / 8] = { 0 };
	struct fg_ports ports = { 0 };
	struct fg_port_range range;
	const char *p = text;

	for (;;) {
		if (!read_range(p, &range, &p)) {
			fg_ports_free(&ports);
			return refuse(
				what, text,
				"a list of ports from 1 to 65535 like 53, 1-1024 or 22,80,443",
				err);
		}
		if (add_range(what, &ports, seen, &range, err) < 0) {
			fg_ports_free(&ports);
			return -1;
		}
		if (!*p)
			break;
		p++;
	}
	*out = ports;
	return 0;
}

int fg_parse_word(const char *what, const char *text, const char *const *words, size_t count,
		  struct fg_error *err)
{
	char list[256] = "";
	size_t len = 0;

	for (size_t i = 0; i < count; i++) {
		const char *before = !i ? "" : i + 1 < count ? ", " : " or ";

		if (!strcmp(words[i], text))
			return (int)i;
		if (len < sizeof(list))
			len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", before,
						words[i]);
	}
	return fg_fail(err, FG_ERR_USAGE, "%s: must be %s, not \"%.200s\"", what, list, text);
}
