// SPDX-License-Identifier: GPL-2.0-only
/*
 * session/halfopen.c - what a SYN-ACK leaves behind: a peer that waits for a handshake to end. The
 * pod's stack knows nothing of it and will not reply, so flowgen ends it with a reset, sent the
 * same way as the SYN.
 */
#include <stdio.h>
#include <string.h>

#include "session/internal.h"

#define RESET_ROOM 256

static int make_reset(struct fg_packet_spec *spec, uint32_t seq, struct fg_error *err)
{
	char text[16];

	/*
	 * RFC 9293 section 3.10.7.4: in SYN-RECEIVED a reset counts when its sequence number is the
	 * next one awaited.
	 */
	snprintf(text, sizeof(text), "%u", seq);
	return fg_packet_set(spec, "proto", "tcp", err) || fg_packet_set(spec, "flags", "R", err) ||
			       fg_packet_set(spec, "seq", text, err)
		       ? -1
		       : 0;
}

static int send_reset(struct fg_session *s, struct fg_endpoint *m, const struct fg_probe *probe,
		      const struct fg_packet_spec *spec, struct fg_error *err)
{
	const struct fg_hop *hop = fg_hop_find(s, &probe->spec, err);
	uint8_t bytes[RESET_ROOM];
	struct fg_frame frame = { .data = bytes, .size = sizeof(bytes) };
	struct fg_chunk chunk;

	if (!hop || fg_packet_build(spec, &probe->spec.vary, &frame, err))
		return -1;
	if (m->port < 0) {
		memcpy(bytes, hop->mac, 6);
		memcpy(bytes + 6, m->pod.peer.mac, 6);
	} else {
		fg_datapath_envelope(s->datapath, hop->slot, FG_PROBE_SILENT, bytes);
	}
	chunk = (struct fg_chunk){ .data = bytes, .len = frame.len };
	return fg_sender_write(m->port < 0 ? &m->sender : &s->injectors[m->port].sender, &chunk, 1,
			       err) == 1
		       ? 0
		       : -1;
}

int fg_session_close_half_open(struct fg_session *session, const struct fg_probe *probe,
			       struct fg_error *err)
{
	struct fg_packet_spec spec;
	int ret;

	if (probe->result.reply.kind != FG_REPLY_SYN_ACK)
		return 0;
	fg_packet_spec_init(&spec);
	ret = make_reset(&spec, probe->result.reply.tcp_ack, err);
	if (!ret)
		ret = send_reset(session, session->endpoints[probe->spec.pod], probe, &spec, err);
	fg_packet_spec_free(&spec);
	return ret ? fg_error_prefix(err, "reset of the half-open connection") : 0;
}
