// SPDX-License-Identifier: GPL-2.0-only
/*
 * Any bytes as one of the files that runtimes keep of their pods, or as a text of /proc, on a host
 * with a pod of each runtime. Whatever is in it: what is listed fits its fields, and belongs to a
 * container that is listed.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/count.h"
#include "runtime/runtime.h"
/* A fuzz target is one file and the library. */
#include "tests/support/hostroot.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define D "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
#define E "eeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee"
#define STORAGE "/containers/storage/overlay-containers/"

static const char *const files[] = {
	TASKS "/" A "/config.json",
	TASKS "/" A "/init.pid",
	"/run" STORAGE D "/userdata/config.json",
	"/run" STORAGE D "/userdata/pidfile",
	"/var/lib" STORAGE "containers.json",
	"/var/lib/docker/containers/" E "/config.v2.json",
	"/var/lib/docker/containers/" E "/hostconfig.json",
	"/var/lib/cni/results/k8s-" E "-eth0",
	"/proc/100/stat",
	"/proc/100/cgroup",
	"/proc/1/cgroup",
};

static struct hostroot host;
static bool usable;

static void clean_up(void)
{
	host_remove(&host);
}

/* The pod as it was before the file was tried. */
static void put_rest(const char *path)
{
	static const struct host_pod cart = {
		'a', "shop", "cart-0", "uid-a", "/var/run/netns/cni-a", 100
	};

	if (!strncmp(path, TASKS, strlen(TASKS)))
		host_put_containerd(&host, &cart);
	if (!strncmp(path, "/proc/100", 9))
		host_put_process(&host, 100, 1, "/kubepods/besteffort/pod1/" A, HOST_NETNS_A);
	if (!strncmp(path, "/proc/1/", 8))
		host_put_process(&host, 1, 0, "/init.scope", HOST_NODE_NETNS);
}

static void set_up(void)
{
	static bool tried;

	if (tried)
		return;
	tried = true;
	usable = host_make(&host);
	if (!usable) {
		fprintf(stderr, "no network namespace can be made: nothing is tried\n");
		return;
	}
	atexit(clean_up);
	host_put_netns(&host, "/run/netns/cni-a", HOST_NETNS_A);
	put_rest(TASKS);
	put_rest("/proc/100");
}

static void put_bytes(const char *path, const uint8_t *data, size_t size)
{
	char full[512];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", host.path, path);
	make_parents(full);
	file = fopen(full, "w");
	need(file && fwrite(data, 1, size, file) == size && !fclose(file), full);
}

static void check(const struct fg_runtime_pods *pods)
{
	for (size_t i = 0; i < pods->count; i++) {
		const struct fg_runtime_pod *p = &pods->pods[i];

		if (!p->runtime || !p->id[0] || strlen(p->id) >= sizeof(p->id) ||
		    strlen(p->name) >= sizeof(p->name) || strlen(p->uid) >= sizeof(p->uid) ||
		    strlen(p->netns) >= sizeof(p->netns))
			abort();
		/* No terminal is told what to do by a name. */
		for (const char *c = p->name; *c; c++)
			if ((unsigned char)*c < ' ')
				abort();
	}
	for (size_t i = 0; i < pods->container_count; i++)
		if (pods->containers[i].pod >= pods->count || !pods->containers[i].id[0])
			abort();
}

/* The first byte says which file it is. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const refs[] = { "shop/cart-0", "uid:uid-a", "container:a",
					    "container:d", "container:e" };
	struct fg_runtime_pods pods = {};
	struct fg_error err;
	const char *path;

	set_up();
	if (!usable || !size)
		return 0;
	path = files[data[0] % COUNT(files)];
	put_bytes(path, data + 1, size - 1);
	if (!fg_runtime_list(host.path, &pods, &err)) {
		check(&pods);
		for (size_t i = 0; i < COUNT(refs); i++)
			fg_runtime_find(&pods, refs[i], &err);
		fg_runtime_pods_free(&pods);
	}
	host_take_away(&host, path);
	put_rest(path);
	return 0;
}
