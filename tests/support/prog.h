/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * prog.h - for tests of BPF programs under BPF_PROG_TEST_RUN: frames, runs, settings, and the
 * events that came of it.
 */
#ifndef PROG_H
#define PROG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <bpf/libbpf.h>

#include "bpf/event.h"

/*
 * As struct fg_track of bpf/maps.h, which only the BPF compiler can read; test_inject compares the
 * sizes.
 */
struct prog_track {
	uint32_t probe;
	uint32_t generation;
	uint64_t head;
	uint64_t start_ns;
	uint32_t flags;
	uint32_t branch;
	uint32_t branches;
	uint32_t reserved;
	uint32_t again_if, again_ns;
	struct fg_wire_flow flow;
};

/* Ethernet with an envelope, IPv4 10.9.1.2 -> 10.9.0.9, UDP 4000 -> 53, no payload. */
#define PROG_FRAME_LEN 60
struct prog_frame {
	struct fg_envelope envelope;
	uint8_t rest[PROG_FRAME_LEN - sizeof(struct fg_envelope)];
} __attribute__((packed));

/* A good frame for slot and probe (host order) of the session that has this cookie. */
struct prog_frame prog_frame_make(uint16_t slot, uint32_t probe, uint32_t cookie);

/* The flow of that frame, as the programs read it. */
struct fg_wire_flow prog_frame_flow(void);

/*
 * Runs a program once on len bytes; out gets as many back. Returns its return value; fails the test
 * where it cannot run.
 */
int prog_run(int fd, const void *frame, size_t len, void *out);

/* Loads what is not switched off, or fails the test with libbpf's words. */
void prog_load(struct bpf_object *obj);

/* Switches off every program but these; the list ends with NULL. */
void prog_only(struct bpf_object *obj, const char *const *names);

/*
 * Gives an object that is not loaded yet the maps of a loaded one, where both have one of that
 * name.
 */
void prog_share_maps(struct bpf_object *obj, const struct bpf_object *with);

/* Opens an object of tests/bpf by its name, sharing maps. */
struct bpf_object *prog_open_sharing(const char *name, const struct bpf_object *with);

/*
 * Sets or reads element 0 of an array map; sets a global variable (without initial value) of an
 * object.
 */
void prog_set(const struct bpf_object *obj, const char *map, const void *value);
void prog_get(const struct bpf_object *obj, const char *map, void *value);
void prog_set_variable(const struct bpf_object *obj, const char *name, const void *value,
		       size_t size);

int prog_fd(const struct bpf_object *obj, const char *program);
int prog_map_fd(const struct bpf_object *obj, const char *map);
size_t prog_map_count(const struct bpf_object *obj, const char *map);
void prog_map_clear(const struct bpf_object *obj, const char *map);

/* What is in the ring buffer; and the last answer that is reported there, whole. */
#define PROG_EVENTS_MAX 128
struct prog_events {
	struct fg_event list[PROG_EVENTS_MAX];
	size_t count;
	struct fg_event_reply reply;
};
void prog_events_read(const struct bpf_object *obj, struct prog_events *out);

/* The inode number of the network namespace that we are in. */
uint32_t prog_netns(void);

/* Says why, for the test runner, and skips the test. */
#define prog_skip(...)                                                                             \
	do {                                                                                       \
		printf("# skip: " __VA_ARGS__);                                                    \
		puts("");                                                                          \
		skip();                                                                            \
	} while (0)

#endif
