// SPDX-License-Identifier: GPL-2.0-only
/* packet/tcp.c - TCP as a Linux client or server sends it, and its keys. */
#include <stdio.h>
#include <stdlib.h>

#include "packet/internal.h"

enum {
	OPTION_NOP = 1,
	OPTION_MSS = 2,
	OPTION_WSCALE = 3,
	OPTION_SACK_OK = 4,
	OPTION_TIMESTAMPS = 8
};

#define TIMESTAMPS_LEN                                                                             \
	12 /* with the two NOPs that align it, as it is in each later segment                      \
	    */

static uint8_t flags_of(const struct fg_build *b)
{
	return (uint8_t)fg_chosen(b, FG_TCP_FLAGS, FG_TCP_FLAG_SYN);
}

/*
 * What Linux negotiates is in SYNs only; timestamps, once negotiated, in everything but a
 * reset.
 */
static bool has_option(uint8_t choice, bool by_default)
{
	return choice == FG_CHOICE_DEFAULT ? by_default : choice == FG_CHOICE_ON;
}

static uint32_t default_mss(const struct fg_build *b)
{
	uint32_t headers = b->family == AF_INET ? 40 : 60;

	return b->spec->mtu > headers ? b->spec->mtu - headers : 0;
}

/*
 * tcp_select_initial_window(): as many whole segments as fit into 64 KB, and a server deducts the
 * timestamps from each segment, as it knows by then that they will be there. Later segments show
 * the usual 64256 bytes, scaled by 7.
 */
static uint32_t default_window(const struct fg_build *b, uint8_t flags)
{
	uint32_t mss = default_mss(b);

	if (flags & FG_TCP_FLAG_RST)
		return 0;
	if (!(flags & FG_TCP_FLAG_SYN))
		return 502;
	if (flags & FG_TCP_FLAG_ACK && mss > TIMESTAMPS_LEN)
		mss -= TIMESTAMPS_LEN;
	return mss ? 65535 / mss * mss : 65535;
}

static uint8_t *write_timestamps(struct fg_build *b, uint8_t *p, uint8_t flags)
{
	fg_field_set(FG_TCP_TIMESTAMPS_KIND, p, OPTION_TIMESTAMPS);
	fg_field_set(FG_TCP_TIMESTAMPS_LENGTH, p, 10);
	fg_put(b, FG_TCP_TIMESTAMPS_VALUE, p, fg_random32(b, 1));
	fg_put(b, FG_TCP_TIMESTAMPS_ECHO, p, flags & FG_TCP_FLAG_ACK ? fg_random32(b, 2) : 0);
	return p + 10;
}

/*
 * In the order of tcp_options_write(): MSS; SACK-permitted in the two bytes that align timestamps,
 * or two NOPs; NOP and window scale.
 */
static uint8_t *write_options(struct fg_build *b, uint8_t *p, uint8_t flags)
{
	const struct fg_packet_spec *spec = b->spec;
	bool syn = flags & FG_TCP_FLAG_SYN, sack = has_option(spec->sack, syn);
	bool timestamps = has_option(spec->timestamps, !(flags & FG_TCP_FLAG_RST));

	if (has_option(spec->mss, syn)) {
		fg_field_set(FG_TCP_MSS_KIND, p, OPTION_MSS);
		fg_field_set(FG_TCP_MSS_LENGTH, p, 4);
		fg_put(b, FG_TCP_MSS_MSS, p, default_mss(b));
		p += 4;
	}
	if (timestamps || sack) {
		if (!timestamps || !sack) {
			*p++ = OPTION_NOP;
			*p++ = OPTION_NOP;
		}
		if (sack) {
			*p++ = OPTION_SACK_OK;
			*p++ = 2;
		}
		if (timestamps)
			p = write_timestamps(b, p, flags);
	}
	if (has_option(spec->wscale, syn)) {
		*p++ = OPTION_NOP;
		fg_field_set(FG_TCP_WSCALE_KIND, p, OPTION_WSCALE);
		fg_field_set(FG_TCP_WSCALE_LENGTH, p, 3);
		fg_put(b, FG_TCP_WSCALE_SHIFT, p, 7);
		p += 3;
	}
	memcpy(p, spec->tcp_options, spec->tcp_options_len);
	p += spec->tcp_options_len;
	while ((p - b->transport) % 4)
		*p++ = 0; /* end of options */
	return p;
}

static void write_tcp(struct fg_build *b)
{
	uint8_t flags = flags_of(b), *h = b->transport;

	memset(h, 0, 20);
	fg_put(b, FG_TCP_SPORT, h, b->vary->sport);
	fg_put(b, FG_TCP_DPORT, h, b->vary->dport);
	fg_put(b, FG_TCP_SEQ, h, fg_random32(b, 0));
	fg_put(b, FG_TCP_ACK, h, flags & FG_TCP_FLAG_ACK ? fg_random32(b, 3) : 0);
	fg_put(b, FG_TCP_RESERVED, h, 0);
	fg_put(b, FG_TCP_FLAGS, h, flags);
	fg_put(b, FG_TCP_WINDOW, h, default_window(b, flags));
	fg_put(b, FG_TCP_URGENT, h, 0);
	b->transport_len = (size_t)(write_options(b, h + 20, flags) - h);
	if (b->transport_len > 20 + FG_TCP_OPTIONS_MAX) {
		fg_fail(b->err, FG_ERR_USAGE,
			"tcp-option: %zu bytes of TCP options with the usual ones, at most %d fit",
			b->transport_len - 20, FG_TCP_OPTIONS_MAX);
		b->failed = true;
	}
	fg_put(b, FG_TCP_DATA_OFFSET, h, b->transport_len / 4);
}

static void finish_tcp(struct fg_build *b)
{
	fg_put_checksum(b, FG_TCP_CHECKSUM, true);
}

const struct fg_transport fg_tcp = { write_tcp, finish_tcp };

int fg_tcp_set_flags(struct fg_packet_spec *spec, const char *key, const char *value,
		     struct fg_error *err)
{
	static const char letters[] = "FSRPAUEC"; /* from the least significant bit on */
	uint8_t flags = 0;

	for (const char *p = value; *p && strcmp(value, "none") != 0; p++) {
		const char *letter = strchr(letters, *p);

		if (!letter || flags & 1 << (letter - letters))
			return fg_fail(err, FG_ERR_USAGE,
				       "%s: \"%.40s\" is not a set of the letters F S R P A U E C "
				       "(FIN SYN RST PSH ACK URG ECE CWR), each once, or none",
				       key, value);
		flags |= (uint8_t)(1 << (letter - letters));
	}
	if (!*value)
		return fg_fail(err, FG_ERR_USAGE, "%s: empty; for no flags write none", key);
	fg_override(spec, FG_TCP_FLAGS, flags);
	return 0;
}

/* mss and wscale take a number or off; on means the default value. */
int fg_tcp_set_choice(struct fg_packet_spec *spec, const char *key, const char *value,
		      struct fg_error *err)
{
	bool is_mss = !strcmp(key, "mss");
	enum fg_field_id field = is_mss ? FG_TCP_MSS_MSS : FG_TCP_WSCALE_SHIFT;
	uint8_t *choice = is_mss ? &spec->mss : &spec->wscale;
	uint64_t number;

	if (!strcmp(value, "on") || !strcmp(value, "off")) {
		*choice = value[1] == 'n' ? FG_CHOICE_ON : FG_CHOICE_OFF;
		spec->overridden[field] = false;
		return 0;
	}
	if (fg_parse_u64(key, value, 0, fg_field_max(field), &number, err) < 0)
		return fg_hint(err, "on and off are also possible");
	*choice = FG_CHOICE_ON;
	fg_override(spec, field, number);
	return 0;
}

static int read_timestamps(const char *key, const char *value, uint64_t *own, uint64_t *echo,
			   bool *has_echo, struct fg_error *err)
{
	char first[24];
	const char *comma = strchr(value, ',');

	snprintf(first, sizeof(first), "%.*s", comma ? (int)(comma - value) : 23, value);
	*has_echo = comma != NULL;
	if (fg_parse_u64(key, first, 0, UINT32_MAX, own, err) < 0 ||
	    (comma && fg_parse_u64(key, comma + 1, 0, UINT32_MAX, echo, err) < 0))
		return fg_hint(
			err,
			"expected on, off, or two values like 100,200: its own and the echoed one");
	return 0;
}

int fg_tcp_set_timestamps(struct fg_packet_spec *spec, const char *key, const char *value,
			  struct fg_error *err)
{
	uint64_t own = 0, echo = 0;
	bool has_echo = false, is_switch = !strcmp(value, "on") || !strcmp(value, "off");

	if (!is_switch && read_timestamps(key, value, &own, &echo, &has_echo, err) < 0)
		return -1;
	spec->timestamps = !strcmp(value, "off") ? FG_CHOICE_OFF : FG_CHOICE_ON;
	spec->overridden[FG_TCP_TIMESTAMPS_VALUE] = !is_switch;
	spec->overridden[FG_TCP_TIMESTAMPS_ECHO] = has_echo;
	spec->value[FG_TCP_TIMESTAMPS_VALUE] = own;
	spec->value[FG_TCP_TIMESTAMPS_ECHO] = echo;
	return 0;
}

int fg_tcp_set_option(struct fg_packet_spec *spec, const char *key, const char *value,
		      struct fg_error *err)
{
	size_t len;

	if (fg_parse_hex(key, value, spec->tcp_options + spec->tcp_options_len,
			 FG_TCP_OPTIONS_MAX - spec->tcp_options_len, &len, err) < 0)
		return -1;
	spec->tcp_options_len = (uint8_t)(spec->tcp_options_len + len);
	return 0;
}
