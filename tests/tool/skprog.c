// SPDX-License-Identifier: GPL-2.0-only
/*
 * skprog.c - a program of tests/bpf/sockets.bpf.c where it decides, for the tests:
 * skprog OBJECT PROGRAM PORT [CGROUP]. sk_lookup: in this network namespace; lookup_steer hands
 * what is for PORT to a UDP socket at the port after it, which takes it. cgroup_deny: at that
 * cgroup. lsm_deny: at the hook of the whole machine. Prints "ready PID ID" and stays until it is
 * killed; "failed: WHY" where the kernel has no such thing.
 */
#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

static int fail(const char *what)
{
	printf("failed: %s: %s\n", what, strerror(errno));
	return 1;
}

/* The socket that packets are handed to, in the map of the program. */
static int take(const struct bpf_object *obj, int port)
{
	const struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int sk = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	__u64 value = (__u64)sk;
	__u32 zero = 0;

	return sk < 0 || bind(sk, (const struct sockaddr *)&at, sizeof(at)) ||
	       bpf_map_update_elem(bpf_object__find_map_fd_by_name(obj, "target"), &zero, &value,
				   BPF_ANY);
}

static struct bpf_link *attach(struct bpf_program *program, const char *cgroup)
{
	FG_FD int at = open(cgroup ?: "/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (bpf_program__type(program) == BPF_PROG_TYPE_LSM)
		return bpf_program__attach_lsm(program);
	return cgroup ? bpf_program__attach_cgroup(program, at)
		      : bpf_program__attach_netns(program, at);
}

static struct bpf_program *load(struct bpf_object *obj, const char *name, int port)
{
	struct bpf_program *program, *wanted = bpf_object__find_program_by_name(obj, name);
	struct bpf_map *rodata = bpf_object__find_map_by_name(obj, ".rodata");
	uint16_t value = (uint16_t)port;
	size_t size = 0;
	void *initial = rodata ? bpf_map__initial_value(rodata, &size) : NULL;

	if (!wanted || size < sizeof(value))
		return NULL;
	memcpy(initial, &value, sizeof(value));
	bpf_object__for_each_program (program, obj)
		bpf_program__set_autoload(program, program == wanted);
	return bpf_object__load(obj) ? NULL : wanted;
}

int main(int argc, char **argv)
{
	struct bpf_prog_info info = {};
	struct bpf_program *program;
	__u32 len = sizeof(info);
	struct bpf_object *obj;
	int port;

	if (argc < 4) {
		fputs("usage: skprog OBJECT PROGRAM PORT [CGROUP]\n", stderr);
		return 2;
	}
	libbpf_set_print(NULL);
	port = atoi(argv[3]);
	obj = bpf_object__open_file(argv[1], NULL);
	program = obj ? load(obj, argv[2], port) : NULL;
	if (!program)
		return fail("load");
	if (!strcmp(argv[2], "lookup_steer") && take(obj, port + 1))
		return fail("socket");
	if (!attach(program, argv[4]))
		return fail("attach");
	if (bpf_prog_get_info_by_fd(bpf_program__fd(program), &info, &len))
		return fail("id");
	printf("ready %d %u\n", getpid(), info.id);
	fflush(stdout);
	pause();
	return 0;
}
