/* SPDX-License-Identifier: GPL-2.0-only */
/* base/addr.h - IPv4 and IPv6 addresses as one type. Pure. */
#ifndef FG_ADDR_H
#define FG_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * An IPv4 or IPv6 address. bytes is in network order: 4 bytes used for AF_INET, 16 for AF_INET6;
 * family 0: none.
 */
struct fg_addr {
	uint16_t family;
	uint8_t bytes[16];
	/* which link a link-local one is of (RFC 4007): the device's name or index; empty: not said
	 */
	char zone[16];
};

/*
 * Writes the address as text (RFC 5952 for IPv6) to buf, at most size bytes; "-" for family 0.
 * Returns buf.
 */
const char *fg_addr_text(const struct fg_addr *addr, char *buf, size_t size);
#define FG_ADDR_TEXT_LEN 46

/* Zones are not compared. */
bool fg_addr_equal(const struct fg_addr *a, const struct fg_addr *b);

/*
 * fe80::/10, and multicast of the same scope (RFC 4291): each link has its own. (IPv4's 169.254/16
 * should be like this too, but nodes route it to their metadata service.)
 */
bool fg_addr_is_link_local(const struct fg_addr *addr);

/* The address that is this many after the first. */
struct fg_addr fg_addr_at(const struct fg_addr *first, uint32_t index);

#endif
