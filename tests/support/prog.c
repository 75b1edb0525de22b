// SPDX-License-Identifier: GPL-2.0-only
#include "prog.h"

#include <arpa/inet.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>

struct prog_frame prog_frame_make(uint16_t slot, uint32_t probe, uint32_t cookie)
{
	struct prog_frame frame = {
		.envelope = { .magic = { FG_ENVELOPE_MAGIC0, FG_ENVELOPE_MAGIC1 },
			      .slot = htons(slot),
			      .probe = htonl(probe),
			      .cookie = cookie },
		.rest = { 0x08, 0x00, /* IPv4 */
			  0x45, 0,    0, 28, 0x12, 0x34, 0, 0,
			  64,	17,   0, 0,			 /* ident 0x1234, TTL 64, UDP */
			  10,	9,    1, 2,  10,   9,	 0, 9,	 /* addresses */
			  0x0f, 0xa0, 0, 53, 0,	   8,	 0, 0 }, /* ports 4000, 53 */
	};

	return frame;
}

struct fg_wire_flow prog_frame_flow(void)
{
	return (struct fg_wire_flow){ .family = 4,
				      .proto = 17,
				      .sport = htons(4000),
				      .dport = htons(53),
				      .ident = htons(0x1234),
				      .src = { 10, 9, 1, 2 },
				      .dst = { 10, 9, 0, 9 } };
}

int prog_run(int fd, const void *frame, size_t len, void *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = (uint32_t)len,
		    .data_out = out, .data_size_out = out ? (uint32_t)len : 0);
	int ret = bpf_prog_test_run_opts(fd, &run);

	if (ret)
		fail_msg("BPF_PROG_TEST_RUN: %s", strerror(-ret));
	if (out)
		assert_int_equal(run.data_size_out, len);
	return (int)run.retval;
}

void prog_load(struct bpf_object *obj)
{
	int ret = bpf_object__load(obj);

	if (ret)
		fail_msg("load %s: %s", bpf_object__name(obj), strerror(-ret));
}

void prog_only(struct bpf_object *obj, const char *const *names)
{
	struct bpf_program *p;

	bpf_object__for_each_program (p, obj) {
		bool wanted = false;

		for (const char *const *n = names; *n; n++)
			wanted |= !strcmp(*n, bpf_program__name(p));
		bpf_program__set_autoload(p, wanted);
	}
}

static struct bpf_map *find_map(const struct bpf_object *obj, const char *name)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);

	if (!map)
		fail_msg("no map %s", name);
	return map;
}

void prog_share_maps(struct bpf_object *obj, const struct bpf_object *with)
{
	struct bpf_map *map, *other;

	bpf_object__for_each_map (map, obj) {
		/* Variables are an object's own: ".bss" and the like. */
		if (strchr(bpf_map__name(map), '.'))
			continue;
		other = bpf_object__find_map_by_name(with, bpf_map__name(map));
		if (other)
			assert_int_equal(bpf_map__reuse_fd(map, bpf_map__fd(other)), 0);
	}
}

struct bpf_object *prog_open_sharing(const char *name, const struct bpf_object *with)
{
	struct bpf_object *obj;
	char path[4096];

	snprintf(path, sizeof(path), FLOWGEN_BUILD_DIR "/tests/bpf/%s.bpf.o", name);
	obj = bpf_object__open_file(path, NULL);
	if (!obj)
		fail_msg("%s: %s", path, strerror(errno));
	prog_share_maps(obj, with);
	return obj;
}

void prog_set(const struct bpf_object *obj, const char *map, const void *value)
{
	const struct bpf_map *m = find_map(obj, map);
	uint32_t key = 0;

	assert_int_equal(
		bpf_map__update_elem(m, &key, sizeof(key), value, bpf_map__value_size(m), 0), 0);
}

void prog_get(const struct bpf_object *obj, const char *map, void *value)
{
	const struct bpf_map *m = find_map(obj, map);
	uint32_t key = 0;

	assert_int_equal(
		bpf_map__lookup_elem(m, &key, sizeof(key), value, bpf_map__value_size(m), 0), 0);
}

/* Where the variable is in .bss, by the object's own BTF; -1: it is not there. */
static int find_variable(const struct bpf_object *obj, const char *name, size_t size)
{
	const struct btf *btf = bpf_object__btf(obj);
	int section = btf__find_by_name_kind(btf, ".bss", BTF_KIND_DATASEC);
	const struct btf_type *type = btf__type_by_id(btf, (uint32_t)section);
	const struct btf_var_secinfo *var = btf_var_secinfos(type);

	for (int i = 0; i < btf_vlen(type); i++) {
		const struct btf_type *v = btf__type_by_id(btf, var[i].type);

		if (!strcmp(btf__name_by_offset(btf, v->name_off), name) && var[i].size == size)
			return (int)var[i].offset;
	}
	return -1;
}

void prog_set_variable(const struct bpf_object *obj, const char *name, const void *value,
		       size_t size)
{
	int offset = find_variable(obj, name, size);
	uint8_t all[4096];

	if (offset < 0)
		fail_msg("no variable %s of %zu bytes", name, size);
	assert_true(bpf_map__value_size(find_map(obj, ".bss")) <= sizeof(all));
	prog_get(obj, ".bss", all);
	memcpy(all + offset, value, size);
	prog_set(obj, ".bss", all);
}

int prog_fd(const struct bpf_object *obj, const char *program)
{
	const struct bpf_program *p = bpf_object__find_program_by_name(obj, program);

	if (!p || bpf_program__fd(p) < 0)
		fail_msg("no program %s", program);
	return bpf_program__fd(p);
}

int prog_map_fd(const struct bpf_object *obj, const char *map)
{
	return bpf_map__fd(find_map(obj, map));
}

size_t prog_map_count(const struct bpf_object *obj, const char *map)
{
	const struct bpf_map *m = find_map(obj, map);
	size_t count = 0, size = bpf_map__key_size(m);
	char key[128], *last = NULL;

	assert_true(size <= sizeof(key));
	while (!bpf_map__get_next_key(m, last, key, size)) {
		last = key;
		count++;
	}
	return count;
}

void prog_map_clear(const struct bpf_object *obj, const char *map)
{
	const struct bpf_map *m = find_map(obj, map);
	size_t size = bpf_map__key_size(m);
	char key[128];

	assert_true(size <= sizeof(key));
	while (!bpf_map__get_next_key(m, NULL, key, size))
		assert_int_equal(bpf_map__delete_elem(m, key, size, 0), 0);
}

static int keep_event(void *arg, void *data, size_t size)
{
	struct prog_events *out = arg;

	/* The longer ones begin with the event. */
	assert_true(size >= sizeof(struct fg_event) && out->count < PROG_EVENTS_MAX);
	memcpy(&out->list[out->count], data, sizeof(struct fg_event));
	if (out->list[out->count++].kind == FG_EVENT_REPLY) {
		assert_int_equal(size, sizeof(out->reply));
		memcpy(&out->reply, data, sizeof(out->reply));
	}
	return 0;
}

void prog_events_read(const struct bpf_object *obj, struct prog_events *out)
{
	struct ring_buffer *ring;
	int seen;

	out->count = 0;
	ring = ring_buffer__new(prog_map_fd(obj, "events"), keep_event, out, NULL);
	assert_non_null(ring);
	seen = ring_buffer__consume(ring);
	assert_int_equal(seen, out->count);
	ring_buffer__free(ring);
}

uint32_t prog_netns(void)
{
	struct stat st;

	assert_int_equal(stat("/proc/thread-self/ns/net", &st), 0);
	return (uint32_t)st.st_ino;
}
