/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * dissect_layers.h - how the dissectors of the layers go through the bytes. For lib/dissect*.c
 * only.
 */
#ifndef FG_DISSECT_LAYERS_H
#define FG_DISSECT_LAYERS_H

#include "dissect.h"

struct fg_walk {
	const uint8_t *at; /* the first byte not yet taken */
	size_t left;	   /* bytes from there on */
	bool fragment;	   /* the first of several: what it holds may go on in the others */
	bool quoted;	   /* within the packet that an ICMP error quotes */
	struct fg_dissection *out;
};

/* Notes the first thing that is wrong. */
void fg_walk_problem(struct fg_walk *walk, const char *text);

/* Goes on by len bytes, or to the end. */
void fg_walk_skip(struct fg_walk *walk, size_t len);

/*
 * Adds a layer of len bytes from here on, of fewer where the bytes end, without (add) or with
 * (take) going past it.
 */
void fg_layer_add(struct fg_walk *walk, enum fg_header header, size_t len);
void fg_layer_take(struct fg_walk *walk, enum fg_header header, size_t len);

/* Takes the rest, where there is any, as payload. */
void fg_layer_payload(struct fg_walk *walk);

/* Goes on with an IP packet; with a transport header of this IP protocol number. */
void fg_walk_packet(struct fg_walk *walk);
void fg_walk_transport(struct fg_walk *walk, uint8_t protocol, uint16_t family);

#endif
