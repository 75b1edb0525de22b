// SPDX-License-Identifier: GPL-2.0-only
/* stated/set.c - from programs to the maps they use, over the programs they jump to. */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "stated/internal.h"

#define PROGRAM_MAPS_MAX 128

static bool has_program(const struct stated_set *set, uint32_t id)
{
	for (uint32_t i = 0; i < set->program_count; i++)
		if (set->programs[i] == id)
			return true;
	return false;
}

static void add_program(struct stated_set *set, uint32_t id)
{
	if (!id || has_program(set, id))
		return;
	if (set->program_count == FG_STATED_PROGRAMS_MAX)
		set->cut = true;
	else
		set->programs[set->program_count++] = id;
}

static bool has_map(const struct stated_set *set, uint32_t id)
{
	for (uint32_t i = 0; i < set->map_count; i++)
		if (set->maps[i].name.id == id)
			return true;
	return false;
}

/*
 * What a program array holds is read slot by slot. Big ones have a slot for each pod or policy of
 * the node, not for the steps of one packet.
 */
static void add_callees(struct stated_set *set, struct stated_map *map)
{
	__u32 id;

	if (map->max_entries > FG_STATED_SLOTS_MAX) {
		map->skip = "too many programs to be looked at";
		return;
	}
	for (__u32 slot = 0; slot < map->max_entries; slot++)
		if (!bpf_map_lookup_elem(map->fd, &slot, &id))
			add_program(set, id);
}

static bool has_copies(uint32_t type)
{
	return type == BPF_MAP_TYPE_PERCPU_HASH || type == BPF_MAP_TYPE_PERCPU_ARRAY ||
	       type == BPF_MAP_TYPE_LRU_PERCPU_HASH;
}

static void prepare(struct stated_set *set, struct stated_map *map, const struct bpf_map_info *info)
{
	*map = (struct stated_map){ .name.id = info->id,
				    .fd = map->fd,
				    .type = info->type,
				    .key_size = info->key_size,
				    .value_size = info->value_size,
				    .max_entries = info->max_entries,
				    .btf_id = info->btf_id,
				    .btf_key = info->btf_key_type_id,
				    .btf_value = info->btf_value_type_id,
				    .copies = 1 };
	memcpy(map->name.name, info->name, sizeof(map->name.name) - 1);
	if (has_copies(map->type))
		map->copies = (uint32_t)libbpf_num_possible_cpus();
	map->stride = has_copies(map->type) ? (map->value_size + 7) / 8 * 8 * map->copies
					    : map->value_size;
	switch (map->type) {
	case BPF_MAP_TYPE_PROG_ARRAY:
		map->skip = "";
		add_callees(set, map);
		break;
	case BPF_MAP_TYPE_HASH:
	case BPF_MAP_TYPE_PERCPU_HASH:
	case BPF_MAP_TYPE_LRU_HASH:
	case BPF_MAP_TYPE_LRU_PERCPU_HASH:
	case BPF_MAP_TYPE_LPM_TRIE:
	case BPF_MAP_TYPE_ARRAY:
	case BPF_MAP_TYPE_PERCPU_ARRAY:
		/* What no program can write does not move. */
		map->skip = info->map_flags & BPF_F_RDONLY_PROG ? "" : NULL;
		break;
	case BPF_MAP_TYPE_RINGBUF:
		map->skip = "";
		map->ring = fg_stated_ring_open(map);
		if (!map->ring)
			map->skip = "the ring buffer cannot be mapped";
		break;
	case BPF_MAP_TYPE_PERF_EVENT_ARRAY:
		set->perf = true;
		map->skip = "";
		break;
	default:
		map->skip = "";
	}
}

/* Returns 0, or -1 if memory is short. A map that may not be opened is skipped. */
static int add_map(struct stated_set *set, uint32_t id)
{
	LIBBPF_OPTS(bpf_get_fd_by_id_opts, opts, .open_flags = BPF_F_RDONLY);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	struct stated_map *added;

	if (has_map(set, id))
		return 0;
	if (set->map_count == FG_STATED_MAPS_MAX) {
		set->cut = true;
		return 0;
	}
	FG_FD int fd = bpf_map_get_fd_by_id_opts(id, &opts);

	if (fd < 0 || bpf_map_get_info_by_fd(fd, &info, &len))
		return 0;
	added = FG_APPEND(set->maps, set->map_count, "maps", NULL);
	if (!added)
		return -1;
	added->fd = fg_fd_take(&fd);
	prepare(set, added, &info);
	return 0;
}

static int add_maps(struct stated_set *set, uint32_t program)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(program);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info), ids[PROGRAM_MAPS_MAX];

	info.nr_map_ids = PROGRAM_MAPS_MAX;
	info.map_ids = (uintptr_t)ids;
	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
		return 0;
	if (info.nr_map_ids > PROGRAM_MAPS_MAX) {
		set->cut = true;
		info.nr_map_ids = PROGRAM_MAPS_MAX;
	}
	for (__u32 i = 0; i < info.nr_map_ids; i++)
		if (add_map(set, ids[i]))
			return -1;
	return 0;
}

/* Bytes of a whole map, at most. */
static uint64_t bound_of(const struct stated_map *map)
{
	return (uint64_t)map->max_entries * (map->key_size + map->stride);
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = bound_of(a), y = bound_of(b);

	return x < y ? -1 : x > y;
}

int fg_stated_set_open(struct stated_set *set, const uint32_t *programs, size_t count)
{
	*set = (struct stated_set){};
	for (size_t i = 0; i < count; i++)
		add_program(set, programs[i]);
	set->entries = set->program_count;
	/* The list grows while it is walked: what is nearest comes first. */
	for (uint32_t i = 0; i < set->program_count; i++)
		if (add_maps(set, set->programs[i]))
			return -1;
	/* If the time runs out, it runs out for the biggest. */
	if (set->map_count)
		qsort(set->maps, set->map_count, sizeof(*set->maps), by_size);
	return 0;
}

void fg_stated_set_close(struct stated_set *set)
{
	for (uint32_t i = 0; i < set->map_count; i++) {
		fg_stated_ring_close(set->maps[i].ring);
		fg_stated_table_free(&set->maps[i].before);
		fg_fd_close(&set->maps[i].fd);
	}
	for (uint32_t i = 0; i < set->type_count; i++)
		btf__free(set->types[i].btf);
	free(set->types);
	free(set->maps);
	*set = (struct stated_set){};
}

const struct btf *fg_stated_set_types(struct stated_set *set, const struct stated_map *map)
{
	struct stated_btf *added;

	if (!map->btf_id)
		return NULL;
	for (uint32_t i = 0; i < set->type_count; i++)
		if (set->types[i].id == map->btf_id)
			return set->types[i].btf;
	added = FG_APPEND(set->types, set->type_count, "types", NULL);
	if (!added)
		return NULL;
	*added = (struct stated_btf){ map->btf_id, btf__load_from_kernel_by_id(map->btf_id) };
	return added->btf;
}

#define FUNCTIONS_MAX 64

static bool holds(uint32_t program, uint64_t address)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(program);
	__u64 starts[FUNCTIONS_MAX] = {};
	__u32 lengths[FUNCTIONS_MAX] = {};
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	info.nr_jited_ksyms = info.nr_jited_func_lens = FUNCTIONS_MAX;
	info.jited_ksyms = (uintptr_t)starts;
	info.jited_func_lens = (uintptr_t)lengths;
	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
		return false;
	for (__u32 i = 0; i < info.nr_jited_ksyms && i < FUNCTIONS_MAX; i++)
		if (starts[i] && address >= starts[i] && address - starts[i] < lengths[i])
			return true;
	return false;
}

int fg_stated_set_locate(const struct stated_set *set, uint64_t address)
{
	for (uint32_t i = 0; i < set->program_count; i++)
		if (holds(set->programs[i], address))
			return (int)i;
	return -1;
}

void fg_stated_set_name(uint32_t program, char *name, size_t size)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(program);
	struct bpf_func_info func = {};
	struct bpf_prog_info info = { .nr_func_info = 1,
				      .func_info = (uintptr_t)&func,
				      .func_info_rec_size = sizeof(func) };
	const struct btf_type *type;
	__u32 len = sizeof(info);
	const char *text;
	struct btf *btf;

	name[0] = '\0';
	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
		return;
	snprintf(name, size, "%s", info.name);
	btf = info.btf_id && info.nr_func_info ? btf__load_from_kernel_by_id(info.btf_id) : NULL;
	type = btf ? btf__type_by_id(btf, func.type_id) : NULL;
	text = type ? btf__name_by_offset(btf, type->name_off) : NULL;
	if (text && text[0])
		snprintf(name, size, "%s", text);
	btf__free(btf);
}
