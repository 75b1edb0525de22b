/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * parse.h - strict readers of text: one function per type. Empty text, trailing characters, overflow and
 * leading white space are refused. Every error is FG_ERR_USAGE and names `what` (the option or the key).
 * Outputs are untouched on failure. Pure: no I/O.
 */
#ifndef FG_PARSE_H
#define FG_PARSE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "error.h"

/* An IPv4 or IPv6 address. bytes is in network order: 4 bytes used for AF_INET, 16 for AF_INET6; family 0: none. */
struct fg_addr {
	uint16_t family;
	uint8_t bytes[16];
};

/* Decimal, or hexadecimal with 0x, within [min, max]. */
int fg_parse_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out,
		 struct fg_error *err);

/* "10.0.0.9" or "fd00::9", without brackets, port, prefix or zone. */
int fg_parse_addr(const char *what, const char *text, struct fg_addr *out, struct fg_error *err);

/*
 * "ADDR", "ADDR:PORT", "[ADDR6]:PORT", "[ADDR6]" or "ADDR6". *port is in host order and -1 where none
 * was given. Port 0 is refused.
 */
int fg_parse_endpoint(const char *what, const char *text, struct fg_addr *addr, int *port,
		      struct fg_error *err);

/* "aa:bb:cc:dd:ee:ff", in wire order. */
int fg_parse_mac(const char *what, const char *text, uint8_t mac[6], struct fg_error *err);

/*
 * Hexadecimal digits, two a byte, without separators. At most size bytes go to out, and their number to *len; none is an error.
 */
int fg_parse_hex(const char *what, const char *text, uint8_t *out, size_t size, size_t *len,
		 struct fg_error *err);

/* A duration: a decimal number (fractions allowed) with ns, us, ms, s or m behind it; a bare number is seconds. */
int fg_parse_duration(const char *what, const char *text, uint64_t *ns, struct fg_error *err);

/* A rate in packets per second: a positive number, with k or m (thousand, million) behind it where wanted. */
int fg_parse_rate(const char *what, const char *text, double *per_second, struct fg_error *err);

/* A set of ports, kept as ranges in the order they were written. Host order, both ends included. */
struct fg_port_range {
	uint16_t first;
	uint16_t last;
	uint32_t before; /* ports in the ranges before this one */
};

struct fg_ports {
	struct fg_port_range *ranges; /* owned; fg_ports_free() */
	size_t count;		      /* ranges */
	size_t total;		      /* ports in all of them together */
};

/* "53", "1-1024", "22,80,443", "1-100,8080". Port 0, a backward range and a port named twice are refused. */
int fg_parse_ports(const char *what, const char *text, struct fg_ports *out, struct fg_error *err);
void fg_ports_free(struct fg_ports *ports);

/* The index-th port of the set, in host order; index < total. */
uint16_t fg_ports_get(const struct fg_ports *ports, size_t index);

/* Writes the address as text (RFC 5952 for IPv6) to buf, at most size bytes; "-" for family 0. Returns buf. */
const char *fg_addr_text(const struct fg_addr *addr, char *buf, size_t size);
#define FG_ADDR_TEXT_LEN 46

bool fg_addr_equal(const struct fg_addr *a, const struct fg_addr *b);

#endif
