// SPDX-License-Identifier: GPL-2.0-only
/*
 * packet/build.c - from the template to the bytes of one probe: order of the stages, checksums,
 * fragments, GSO.
 */
#include "packet/internal.h"

#define IP_LEN_MAX 65535
/*
 * The most that a transport puts before and after the payload: TCP's 20 with the 20 of options
 * that are its own and the 40 of the user's, which is found to be too long only then; SCTP's INIT
 * ACK has 12 + 4 + 16 + 24 + 4 + 3.
 */
#define TRANSPORT_LEN_MAX 80

static void write_raw(struct fg_build *b)
{
	b->transport_len = 0;
}

static void finish_raw(struct fg_build *b)
{
	(void)b; /* flowgen knows neither lengths nor checksums of this protocol */
}

static const struct fg_transport raw = { write_raw, finish_raw };

static const struct fg_transport *transport_of(const struct fg_build *b)
{
	if (b->later_fragment)
		return &raw;
	switch (b->protocol) {
	case IPPROTO_TCP:
		return &fg_tcp;
	case IPPROTO_UDP:
		return &fg_udp;
	case IPPROTO_SCTP:
		return &fg_sctp;
	case IPPROTO_ICMP:
		return b->family == AF_INET ? &fg_icmp : &raw;
	case IPPROTO_ICMPV6:
		return b->family == AF_INET6 ? &fg_icmpv6 : &raw;
	default:
		return &raw;
	}
}

static bool is_later_fragment(const struct fg_packet_spec *spec)
{
	return spec->overridden[FG_IPV4_OFFSET] && spec->value[FG_IPV4_OFFSET];
}

bool fg_packet_has_ports(const struct fg_packet_spec *spec)
{
	return (spec->protocol == IPPROTO_TCP || spec->protocol == IPPROTO_UDP ||
		spec->protocol == IPPROTO_SCTP) &&
	       !is_later_fragment(spec);
}

/*
 * The longest headers before the data that the two families would have, with the longest trace ID.
 */
static size_t network_bound(const struct fg_packet_spec *spec)
{
	size_t v4 = fg_ip_len(spec, AF_INET, UINT64_MAX), v6 = fg_ip_len(spec, AF_INET6, 0);

	return v4 > v6 ? v4 : v6;
}

size_t fg_packet_bound(const struct fg_packet_spec *spec)
{
	size_t v4 = fg_payload_len(spec, AF_INET), v6 = fg_payload_len(spec, AF_INET6);
	size_t data = TRANSPORT_LEN_MAX + (v4 > v6 ? v4 : v6);
	size_t headers = FG_ETHERNET_LEN + network_bound(spec);

	if (!spec->fragment_size)
		return headers + data;
	/* What follows an IPv6 fragment header is split too. */
	data += network_bound(spec);
	return (data / spec->fragment_size + 1) * headers + data;
}

static void write_ethernet(uint8_t *p, uint16_t family)
{
	memset(p, 0, FG_ETHERNET_LEN);
	fg_field_set(FG_ETHERNET_TYPE, p, family == AF_INET ? 0x0800 : 0x86dd);
}

/*
 * Splits the packet that is whole in the buffer. A fragment lies further back than its data
 * did, so the last is moved first, and the first one's headers stay until they are copied no more.
 */
static int split(struct fg_build *b, struct fg_frame *frame)
{
	size_t size = b->spec->fragment_size;
	size_t headers = b->family == AF_INET ? b->network_len
					      : (size_t)(b->fragment - b->network) + 8;
	size_t data = b->network_len + fg_build_data_len(b) - headers;
	size_t count = (data + size - 1) / size;

	if (count < 2)
		return fg_fail(
			b->err, FG_ERR_USAGE,
			"fragment: nothing to split: the packet has %zu bytes of data, and one "
			"fragment holds %zu",
			data, size);
	headers += FG_ETHERNET_LEN;
	frame->count = (uint32_t)count;
	frame->part_len = (uint32_t)(headers + size);
	frame->len = count * headers + data;
	for (size_t i = count; i-- > 0;) {
		uint8_t *part = frame->data + i * frame->part_len;
		size_t len = i + 1 == count ? data - i * size : size;

		memmove(part + headers, frame->data + headers + i * size, len);
		if (i)
			memcpy(part, frame->data, headers);
		fg_ip_set_fragment(b, part + FG_ETHERNET_LEN, i * size, len, i + 1 < count);
	}
	return 0;
}

static void set_gso(struct fg_build *b, struct fg_offload *offload)
{
	size_t headers = FG_ETHERNET_LEN + b->network_len + b->transport_len;

	/*
	 * The kernel takes a super-packet that fits into one segment for an ordinary packet; so
	 * does this.
	 */
	if (b->payload_len <= b->spec->gso_size)
		return;
	if (b->protocol == IPPROTO_UDP)
		offload->gso_type = FG_GSO_UDP_L4;
	else
		offload->gso_type = b->family == AF_INET ? FG_GSO_TCPV4 : FG_GSO_TCPV6;
	if (b->protocol == IPPROTO_TCP &&
	    fg_field_get(FG_TCP_FLAGS, b->transport) & FG_TCP_FLAG_CWR)
		offload->gso_type |= FG_GSO_ECN;
	offload->gso_size = b->spec->gso_size;
	offload->hdr_len = (uint16_t)headers;
}

static int start(struct fg_build *b, struct fg_frame *frame, struct fg_error *err)
{
	const struct fg_packet_vary *vary = b->vary;
	size_t bound = fg_packet_bound(b->spec);
	uint64_t trace_id = vary->trace_id ? vary->trace_id : b->spec->trace_id;

	if (vary->src.family != vary->dst.family || (b->family != AF_INET && b->family != AF_INET6))
		return fg_fail(err, FG_ERR_USAGE,
			       "source and destination: expected two IPv4 or two IPv6 addresses");
	if (frame->size < bound)
		return fg_fail(err, FG_ERR_USAGE, "frame buffer: %zu bytes, but %zu are needed",
			       frame->size, bound);
	b->protocol = fg_put_protocol(b->spec, b->family);
	b->later_fragment = is_later_fragment(b->spec);
	b->network = frame->data + FG_ETHERNET_LEN;
	b->network_len = fg_ip_len(b->spec, b->family, trace_id);
	b->transport = b->network + b->network_len;
	b->payload_len = fg_payload_len(b->spec, b->family);
	if (b->family == AF_INET && b->network_len > 60)
		return fg_fail(err, FG_ERR_USAGE,
			       "ip-option: %zu bytes of options with the trace ID, at most %d fit",
			       b->network_len - 20, FG_IP_OPTIONS_MAX);
	return 0;
}

int fg_packet_build(const struct fg_packet_spec *spec, const struct fg_packet_vary *vary,
		    struct fg_frame *frame, struct fg_error *err)
{
	struct fg_build b = { .spec = spec, .vary = vary, .family = vary->src.family, .err = err };
	const struct fg_transport *transport;
	size_t len;

	frame->offload = (struct fg_offload){ 0 };
	b.offload = &frame->offload;
	if (start(&b, frame, err) < 0)
		return -1;
	transport = transport_of(&b);
	transport->write(&b);
	if (b.failed)
		return -1;
	len = b.network_len + fg_build_data_len(&b) - (b.family == AF_INET6 ? FG_IPV6_LEN : 0);
	if (len > IP_LEN_MAX)
		return fg_fail(err, FG_ERR_USAGE,
			       "payload: %zu bytes make a packet of %zu, %zu more than IP allows",
			       b.payload_len, len, len - IP_LEN_MAX);
	fg_payload_write(&b, b.transport + b.transport_len);
	memset(b.transport + b.transport_len + b.payload_len, 0, b.padding);
	transport->finish(&b);
	write_ethernet(frame->data, b.family);
	fg_ip_write(&b);
	frame->count = 1;
	frame->len = FG_ETHERNET_LEN + b.network_len + fg_build_data_len(&b);
	frame->part_len = (uint32_t)frame->len;
	if (spec->gso_size)
		set_gso(&b, &frame->offload);
	if (spec->fragment_size && split(&b, frame) < 0)
		return -1;
	return b.failed ? -1 : 0;
}
