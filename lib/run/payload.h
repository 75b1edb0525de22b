/* SPDX-License-Identifier: GPL-2.0-only */
/* run/payload.h - packet keys as the command line takes them: a payload may come from a file. */
#ifndef FG_RUN_PAYLOAD_H
#define FG_RUN_PAYLOAD_H

#include "packet/packet.h"

/*
 * fg_packet_set(), where the key "payload" also takes @FILE: at most 65,536 bytes are read, so that
 * a longer file is refused as a payload of that length is. Returns 0 or -1.
 */
int fg_run_payload_set(struct fg_packet_spec *packet, const struct fg_packet_key *key,
		       const char *text, struct fg_error *err);

#endif
