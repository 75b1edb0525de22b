// SPDX-License-Identifier: GPL-2.0-only
/*
 * stated - what looking at a policy's maps costs: a program with as many maps, of the kinds and
 * sizes, as a node of Cilium has, and entries in them. Prints microseconds of processor time, the
 * best of some.
 */
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/count.h"
#include "stated/watch.h"

#define MAPS_MAX 64
#define ROUNDS 20

struct kind {
	const char *name;
	enum bpf_map_type type;
	uint32_t key, value, entries, flags;
	uint32_t filled;
	int count;
};

static const struct kind kinds[] = {
	{ "metrics", BPF_MAP_TYPE_PERCPU_HASH, 8, 16, 1024, 0, 60, 1 },
	{ "ct4", BPF_MAP_TYPE_LRU_HASH, 14, 56, 131072, 0, 20000, 2 },
	{ "ct6", BPF_MAP_TYPE_LRU_HASH, 38, 56, 131072, 0, 100, 2 },
	{ "snat", BPF_MAP_TYPE_LRU_HASH, 14, 40, 131072, 0, 2000, 2 },
	{ "services", BPF_MAP_TYPE_HASH, 12, 12, 65536, BPF_F_NO_PREALLOC, 2000, 2 },
	{ "backends", BPF_MAP_TYPE_HASH, 4, 12, 65536, BPF_F_NO_PREALLOC, 2000, 2 },
	{ "rev_nat", BPF_MAP_TYPE_HASH, 2, 6, 65536, BPF_F_NO_PREALLOC, 500, 2 },
	{ "affinity", BPF_MAP_TYPE_LRU_HASH, 16, 16, 65536, 0, 10, 2 },
	{ "ranges", BPF_MAP_TYPE_LPM_TRIE, 12, 1, 65536, BPF_F_NO_PREALLOC, 5, 2 },
	{ "ipcache", BPF_MAP_TYPE_LPM_TRIE, 24, 12, 512000, BPF_F_NO_PREALLOC, 1000, 1 },
	{ "lxc", BPF_MAP_TYPE_HASH, 20, 40, 65536, BPF_F_NO_PREALLOC, 250, 1 },
	{ "policy", BPF_MAP_TYPE_LPM_TRIE, 12, 24, 16384, BPF_F_NO_PREALLOC, 40, 2 },
	{ "policystats", BPF_MAP_TYPE_LRU_PERCPU_HASH, 12, 16, 65536, 0, 500, 1 },
	{ "auth", BPF_MAP_TYPE_LRU_HASH, 12, 8, 524288, 0, 0, 1 },
	{ "frags", BPF_MAP_TYPE_LRU_HASH, 12, 4, 8192, 0, 0, 2 },
	{ "nodes", BPF_MAP_TYPE_HASH, 20, 4, 16384, BPF_F_NO_PREALLOC, 200, 1 },
	{ "config", BPF_MAP_TYPE_ARRAY, 4, 8, 256, 0, 0, 2 },
	{ "buffer", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 512, 1, 0, 0, 6 },
	{ "neigh", BPF_MAP_TYPE_LRU_HASH, 4, 6, 131072, 0, 50, 2 },
	{ "ratelimit", BPF_MAP_TYPE_LRU_HASH, 4, 16, 1024, 0, 2, 2 },
	{ "events", BPF_MAP_TYPE_PERF_EVENT_ARRAY, 4, 4, 2, 0, 0, 1 },
	{ "policy_events", BPF_MAP_TYPE_RINGBUF, 0, 0, 262144, 0, 0, 1 },
};

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static int make(const struct kind *k)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = k->flags);
	int fd = bpf_map_create(k->type, k->name, k->key, k->value, k->entries, &opts);
	uint8_t key[64] = {}, *value = calloc((size_t)libbpf_num_possible_cpus(), 4096);

	if (fd < 0 || !value)
		fail(k->name);
	for (uint32_t i = 0; i < k->filled; i++) {
		uint32_t bits = 32, swapped = __builtin_bswap32(i << 8);

		memcpy(key, &i, k->key < 4 ? k->key : 4);
		if (k->type == BPF_MAP_TYPE_LPM_TRIE) {
			memcpy(key, &bits, 4);
			memcpy(key + 4, &swapped, 4);
		}
		if (bpf_map_update_elem(fd, key, value, 0))
			fail("fill");
	}
	free(value);
	return fd;
}

/* A program that names all the maps. */
static uint32_t load(const int *maps, int count)
{
	struct bpf_insn insns[2 * MAPS_MAX + 2] = {}, *p = insns;
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);
	int fd;

	for (int i = 0; i < count; i++, p += 2)
		p[0] = (struct bpf_insn){ .code = BPF_LD | BPF_DW | BPF_IMM,
					  .dst_reg = BPF_REG_1,
					  .src_reg = BPF_PSEUDO_MAP_FD,
					  .imm = maps[i] };
	*p++ = (struct bpf_insn){ .code = BPF_ALU64 | BPF_MOV | BPF_K };
	*p++ = (struct bpf_insn){ .code = BPF_JMP | BPF_EXIT };
	fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "bench", "GPL", insns, (size_t)(p - insns),
			   NULL);
	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
		fail("program");
	return info.id;
}

struct best {
	uint64_t open, before, after;
};

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void keep(uint64_t *best, uint64_t since)
{
	uint64_t ns = cpu_ns() - since;

	if (!*best || ns < *best)
		*best = ns;
}

static void look(uint32_t program, struct best *best, struct fg_stated *out, uint32_t *maps)
{
	const struct fg_stated_packet packet = { .flow.family = AF_INET, .length = 60 };
	uint64_t start = cpu_ns();
	struct fg_stated_watch *w = fg_stated_watch_open(&program, 1, NULL);
	uint32_t programs;

	if (!w)
		fail("open");
	keep(&best->open, start);
	fg_stated_watch_size(w, &programs, maps);
	start = cpu_ns();
	fg_stated_watch_before(w, &packet, NULL);
	keep(&best->before, start);
	start = cpu_ns();
	fg_stated_watch_after(w, &packet, out, NULL);
	keep(&best->after, start);
	fg_stated_watch_close(w);
}

int main(void)
{
	struct fg_stated *out = calloc(1, sizeof(*out));
	int fds[MAPS_MAX], count = 0;
	struct best best = {};
	uint32_t program, maps = 0;

	for (size_t i = 0; i < COUNT(kinds); i++)
		for (int n = 0; n < kinds[i].count; n++)
			fds[count++] = make(&kinds[i]);
	program = load(fds, count);
	for (int i = 0; out && i < ROUNDS; i++)
		look(program, &best, out, &maps);
	printf("%u maps, %u compared, %u skipped: open %llu us, before %llu us, after %llu us\n",
	       maps, out->maps, out->skipped_count, (unsigned long long)best.open / 1000,
	       (unsigned long long)best.before / 1000, (unsigned long long)best.after / 1000);
	for (uint32_t i = 0; i < out->skipped_count; i++)
		printf("  %s: %s\n", out->skipped[i].map.name, out->skipped[i].why);
	free(out);
	return 0;
}
