/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * base/parse.h - strict readers of text: one function per type. Empty text, trailing characters,
 * overflow and leading white space are refused. Every error is FG_ERR_USAGE and names `what` (the
 * option or the key). Outputs are untouched on failure. Pure: no I/O.
 */
#ifndef FG_PARSE_H
#define FG_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/error.h"
#include "base/ports.h"

/* Decimal, or hexadecimal with 0x, within [min, max]. */
int fg_parse_u64(const char *what, const char *text, uint64_t min, uint64_t max, uint64_t *out,
		 struct fg_error *err);

/*
 * "10.0.0.9", "fd00::9" or, link-local, "fe80::9%eth0" (RFC 4007 section 11); without brackets,
 * port or prefix.
 */
int fg_parse_addr(const char *what, const char *text, struct fg_addr *out, struct fg_error *err);

/*
 * "ADDR", "ADDR:PORT", "[ADDR6]:PORT", "[ADDR6]" or "ADDR6". *port is in host order and -1 if
 * none was given. Port 0 is refused.
 */
int fg_parse_endpoint(const char *what, const char *text, struct fg_addr *addr, int *port,
		      struct fg_error *err);

/* "aa:bb:cc:dd:ee:ff", in wire order. */
int fg_parse_mac(const char *what, const char *text, uint8_t mac[6], struct fg_error *err);

/*
 * Hexadecimal digits, two a byte, without separators. At most size bytes go to out, and their
 * number to *len; none is an error.
 */
int fg_parse_hex(const char *what, const char *text, uint8_t *out, size_t size, size_t *len,
		 struct fg_error *err);

/*
 * A duration: a decimal number (fractions allowed) followed by ns, us, ms, s or m; a bare number
 * is seconds.
 */
int fg_parse_duration(const char *what, const char *text, uint64_t *ns, struct fg_error *err);

/*
 * A rate in packets per second: a positive number, optionally followed by k or m (thousand,
 * million).
 */
int fg_parse_rate(const char *what, const char *text, double *per_second, struct fg_error *err);

/*
 * "53", "1-1024", "22,80,443", "1-100,8080", "http,https" (fg_ports_service()). Port 0, a backward
 * range and a port named twice are refused.
 */
int fg_parse_ports(const char *what, const char *text, struct fg_ports *out, struct fg_error *err);

/*
 * One of count words. Returns its index, or -1 with an error that lists them: "must be json or
 * text, not "xml"".
 */
int fg_parse_word(const char *what, const char *text, const char *const *words, size_t count,
		  struct fg_error *err);

/*
 * References of `kubectl flowgen` to the ends of a packet, where no API server can be asked. What
 * "pod:REST" or "ext:REST" say on a node too is REST; any other text is returned as it is.
 */
const char *fg_parse_plain_reference(const char *text);

/*
 * Whether only the API server knows what a reference means ("deploy:", "sts:", "ds:", "label:",
 * "svc:", "endpoints:", "node:"): -1 with FG_ERR_UNSUPPORTED, which says what is missing; else 0.
 */
int fg_parse_cluster_reference(const char *what, const char *text, struct fg_error *err);

#endif
