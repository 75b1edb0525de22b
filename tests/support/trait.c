// SPDX-License-Identifier: GPL-2.0-only
#include "trait.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

static struct bpf_object *open_object(void)
{
	return bpf_object__open_file(FLOWGEN_BUILD_DIR "/tests/bpf/traits.bpf.o", NULL);
}

bool trait_known(const char *program)
{
	struct bpf_object *object = open_object();
	bool known = object && bpf_object__find_program_by_name(object, program);

	bpf_object__close(object);
	return known;
}

void trait_set_end(struct traits_end *end, const struct fg_addr *addr, int port)
{
	*end = (struct traits_end){ .port = (uint16_t)port,
				    .family = addr->family == AF_INET ? 4 : 6 };
	memcpy(end->addr, addr->bytes, sizeof(end->addr));
}

static int load(struct bpf_object *object, const char *program,
		const struct traits_settings *settings, struct fg_error *err)
{
	struct bpf_program *wanted = bpf_object__find_program_by_name(object, program), *p;
	struct bpf_map *map = bpf_object__find_map_by_name(object, ".rodata.set");
	int fd;

	if (!wanted || !map || bpf_map__set_initial_value(map, settings, sizeof(*settings)))
		return fg_fail(err, FG_ERR_INTERNAL, "traits: no program \"%s\", or its settings",
			       program);
	bpf_object__for_each_program (p, object)
		bpf_program__set_autoload(p, p == wanted);
	if (bpf_object__load(object))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "load %s", program);
	fd = dup(bpf_program__fd(wanted));
	return fd < 0 ? fg_fail_errno(err, FG_ERR_INTERNAL, errno, "dup") : fd;
}

int trait_load(const char *program, const struct traits_settings *settings, struct fg_error *err)
{
	struct bpf_object *object = open_object();
	int fd;

	if (!object)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "open traits.bpf.o");
	fd = load(object, program, settings, err);
	bpf_object__close(object);
	return fd;
}
