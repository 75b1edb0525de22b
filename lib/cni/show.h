/* SPDX-License-Identifier: GPL-2.0-only */
/* cni/show.h - what the policy itself says (facts/stated.h), for people and for programs. Pure. */
#ifndef FG_CNI_SHOW_H
#define FG_CNI_SHOW_H

#include "base/buffer.h"
#include "facts/stated.h"

/*
 * In one line: "Cilium: policy denied (133), identity 1001 -> 1002, ingress of endpoint 102";
 * if nobody's format is known, the counter or the event that says most. "" if there is
 * nothing to say. Control characters become '?'. Returns buf.
 */
const char *fg_cni_show_text(const struct fg_stated *stated, bool utf8, char *buf, size_t size);
#define FG_CNI_SHOW_LEN 512

/* Appends it as a JSON object. */
void fg_cni_show_json(struct fg_buffer *out, const struct fg_stated *stated);

#endif
