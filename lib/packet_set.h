/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * packet_set.h - the setters of single keys, as the table in packet_keys.c names them. For
 * lib/packet_*.c only.
 */
#ifndef FG_PACKET_SET_H
#define FG_PACKET_SET_H

#include "packet.h"

/*
 * Each takes the key's name (for messages) and its value, and leaves the template as it was on
 * error. Flags take NULL too.
 */
#define FG_SETTERS(X)                                                                              \
	X(proto)                                                                                   \
	X(tos)                                                                                     \
	X(dscp)                                                                                    \
	X(ecn)                                                                                     \
	X(df)                                                                                      \
	X(reserved_flag)                                                                           \
	X(fragment)                                                                                \
	X(fragment_offset)                                                                         \
	X(more_fragments)                                                                          \
	X(ip_option)                                                                               \
	X(ext_header)                                                                              \
	X(trace_id)                                                                                \
	X(trace_option)                                                                            \
	X(trace_length)                                                                            \
	X(tcp_flags)                                                                               \
	X(tcp_choice)                                                                              \
	X(sack)                                                                                    \
	X(timestamps)                                                                              \
	X(tcp_option)                                                                              \
	X(icmp_type)                                                                               \
	X(icmp_code)                                                                               \
	X(sctp_chunk)                                                                              \
	X(payload_text)                                                                            \
	X(size)                                                                                    \
	X(dns)                                                                                     \
	X(http)                                                                                    \
	X(bad_checksum)                                                                            \
	X(bad_ip_checksum)                                                                         \
	X(checksum_offload)                                                                        \
	X(gso)

#define X(name)                                                                                    \
	int fg_set_##name(struct fg_packet_spec *spec, const char *key, const char *value,         \
			  struct fg_error *err);
FG_SETTERS(X)
#undef X

/* The value of a flag or of an on-off key: NULL, on, yes, true; off, no, false. */
int fg_parse_switch(const char *key, const char *value, bool *out, struct fg_error *err);

/*
 * The value of a field that takes a name or a number up to max. names end with NULL; a name stands
 * for its value. The error lists the names.
 */
struct fg_name {
	const char *name;
	uint32_t value;
};

int fg_parse_name(const char *key, const char *text, const struct fg_name *names, uint32_t max,
		  uint32_t *out, struct fg_error *err);

/* Notes the user's value for a field. */
static inline void fg_override(struct fg_packet_spec *spec, enum fg_field_id id, uint64_t value)
{
	spec->value[id] = value;
	spec->overridden[id] = true;
}

#endif
