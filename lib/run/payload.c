// SPDX-License-Identifier: GPL-2.0-only
#include "run/payload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "net/outfile.h"

#define FILE_MAX 65536

static int read_file(struct fg_packet_spec *packet, const char *path, struct fg_error *err)
{
	FG_FREE char *bytes = malloc(FILE_MAX);
	FG_FILE FILE *f = fopen(path, "re");
	size_t len;

	if (f && fg_outfile_input(path, err))
		return -1;
	if (!f)
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	if (!bytes)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "payload");
	len = fread(bytes, 1, FILE_MAX, f);
	if (ferror(f))
		return fg_fail_errno(err, FG_ERR_USAGE, errno, "%s", path);
	return fg_packet_set_payload(packet, bytes, len, err);
}

int fg_run_payload_set(struct fg_packet_spec *packet, const struct fg_packet_key *key,
		       const char *text, struct fg_error *err)
{
	if (text && !strcmp(key->name, "payload") && text[0] == '@')
		return read_file(packet, text + 1, err);
	return fg_packet_set(packet, key->name, text, err);
}
