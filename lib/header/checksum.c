// SPDX-License-Identifier: GPL-2.0-only
#include "header/checksum.h"

#include <arpa/inet.h>
#include <string.h>

/*
 * The ones' complement sum is the same in either byte order but for a swap of the result (RFC 1071
 * section 2), so the bytes are added as this machine reads them, 32 bits at a time, and swapped
 * once by fg_checksum_fold().
 */
uint64_t fg_checksum_add(uint64_t sum, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t word;
	uint16_t half;

	for (; len >= 4; p += 4, len -= 4) {
		memcpy(&word, p, 4);
		sum += word;
	}
	if (len >= 2) {
		memcpy(&half, p, 2);
		sum += half;
		p += 2;
		len -= 2;
	}
	if (len) {
		/* An odd trailing byte counts as if a zero byte followed it. */
		half = htons((uint16_t)(*p << 8));
		sum += half;
	}
	return sum;
}

uint64_t fg_checksum_add_pseudo(uint64_t sum, const struct fg_addr *src, const struct fg_addr *dst,
				uint8_t protocol, uint32_t len)
{
	size_t size = src->family == AF_INET ? 4 : 16;

	sum = fg_checksum_add(sum, src->bytes, size);
	sum = fg_checksum_add(sum, dst->bytes, size);
	/*
	 * Both pseudo headers hold the length and the protocol in 16-bit words that are else zero.
	 */
	return sum + htons((uint16_t)(len >> 16)) + htons((uint16_t)len) + htons(protocol);
}

uint16_t fg_checksum_fold(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return ntohs((uint16_t)sum);
}

uint16_t fg_checksum_update(uint16_t checksum, const void *before, const void *after, size_t len)
{
	/* ~HC + ~m + m': subtracting m is adding its complement. */
	uint64_t sum = (uint16_t)~checksum;

	sum += (uint16_t)~fg_checksum_fold(fg_checksum_add(0, before, len));
	sum += fg_checksum_fold(fg_checksum_add(0, after, len));
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/*
 * The remainders of the sixteen values of four bits, for the reflected Castagnoli polynomial
 * 0x82f63b78. Four bits at a time keep the table small enough to check by eye; SCTP packets are
 * short.
 */
static const uint32_t remainders[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
	0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};

uint32_t fg_checksum_crc32c(const void *bytes, size_t len)
{
	const uint8_t *p = bytes;
	uint32_t crc = 0xffffffff;

	for (; len; len--) {
		crc ^= *p++;
		crc = crc >> 4 ^ remainders[crc & 15];
		crc = crc >> 4 ^ remainders[crc & 15];
	}
	return ~crc;
}
