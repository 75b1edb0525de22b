/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * header/checksum.h - the internet checksum (RFC 1071), its incremental update (RFC 1624), and
 * CRC32c (RFC 9260 appendix A). Pure.
 */
#ifndef FG_CHECKSUM_H
#define FG_CHECKSUM_H

#include <stddef.h>
#include <stdint.h>

#include "base/parse.h"

/*
 * Adds bytes to a running sum, which begins with 0. All pieces but the last have an even length.
 * The sum is not folded and in the byte order of this machine: only for fg_checksum_fold() and for
 * adding on.
 */
uint64_t fg_checksum_add(uint64_t sum, const void *bytes, size_t len);

/*
 * Adds the pseudo header of IPv4 (RFC 9293 section 3.1) or IPv6 (RFC 8200 section 8.1). len: bytes
 * of transport header and data.
 */
uint64_t fg_checksum_add_pseudo(uint64_t sum, const struct fg_addr *src, const struct fg_addr *dst,
				uint8_t protocol, uint32_t len);

/* Folds a sum to its 16 bits, in host order; the checksum to send is ~ of it. */
uint16_t fg_checksum_fold(uint64_t sum);

/*
 * The checksum after some of the bytes that it covers were replaced: RFC 1624 equation 3. before
 * and after are len bytes each, len is even, and they begin at an even offset. checksum is as
 * fg_checksum_fold() and the header fields give it: in host order.
 */
uint16_t fg_checksum_update(uint16_t checksum, const void *before, const void *after, size_t len);

/* CRC32c of the bytes. SCTP sends its bytes least significant first. */
uint32_t fg_checksum_crc32c(const void *bytes, size_t len);

#endif
