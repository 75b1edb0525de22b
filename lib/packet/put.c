// SPDX-License-Identifier: GPL-2.0-only
/* packet/put.c - what several protocols call to put values into their headers. */
#include "header/checksum.h"
#include "packet/internal.h"

void fg_put_too_large(struct fg_build *b, enum fg_field_id id)
{
	if (!b->failed)
		fg_fail(b->err, FG_ERR_USAGE, "%s %s: %llu does not fit into %u bits",
			fg_field_headers[fg_fields[id].header].name, fg_fields[id].name,
			(unsigned long long)b->spec->value[id], fg_fields[id].width);
	b->failed = true;
}

void fg_put_checksum(struct fg_build *b, enum fg_field_id id, bool pseudo)
{
	size_t len = fg_build_data_len(b);
	uint64_t sum = 0;
	uint16_t checksum;

	if (pseudo)
		sum = fg_checksum_add_pseudo(0, &b->vary->src, &b->vary->dst, b->protocol,
					     (uint32_t)len);
	/* The kernel computes the checksum of each segment that it cuts from a super-packet. */
	if ((b->spec->checksum_offload || b->spec->gso_size) && pseudo) {
		b->offload->needs_checksum = true;
		b->offload->csum_start = (uint16_t)(FG_ETHERNET_LEN + b->network_len);
		b->offload->csum_offset = fg_fields[id].bit / 8;
		fg_put(b, id, b->transport, fg_checksum_fold(sum));
		return;
	}
	fg_field_set(id, b->transport, 0);
	checksum = (uint16_t)~fg_checksum_fold(fg_checksum_add(sum, b->transport, len));
	if (b->protocol == IPPROTO_UDP && !checksum)
		checksum = 0xffff; /* RFC 768: 0 says that there is none */
	fg_put(b, id, b->transport, fg_spoil(b->spec->bad_checksum, checksum));
}

uint8_t fg_put_protocol(const struct fg_packet_spec *spec, uint16_t family)
{
	if (spec->protocol == FG_PROTOCOL_ICMP_OF_FAMILY)
		return family == AF_INET6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	return (uint8_t)spec->protocol;
}

uint8_t fg_put_icmp_type(const struct fg_packet_spec *spec, uint16_t family)
{
	enum fg_field_id field = family == AF_INET ? FG_ICMP_TYPE : FG_ICMPV6_TYPE;

	if (spec->overridden[field])
		return (uint8_t)spec->value[field];
	return family == AF_INET ? 8 : 128;
}
