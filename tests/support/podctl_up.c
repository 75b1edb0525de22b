// SPDX-License-Identifier: GPL-2.0-only
/* podctl_up.c - `podctl node` and `podctl up`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "net/netns.h"
#include "podctl.h"
#include "demo/testbed.h"

static int refuse_host(struct fg_error *err)
{
	FG_FD int here = fg_netns_open("/proc/self/ns/net", err);
	FG_FD int first = here < 0 ? -1 : fg_netns_open("/proc/1/ns/net", err);

	if (first < 0)
		return -1;
	/*
	 * Inside `podctl hold` the node's own first process is number 1, and shares its namespace.
	 */
	if (fg_netns_inode(here) == fg_netns_inode(first) && !getenv("PODCTL_HELD"))
		return fg_fail(err, FG_ERR_USAGE, "--here: this is the host's own namespace");
	return 0;
}

int podctl_node(int argc, char **argv)
{
	FG_FD int netns = -1;
	struct fg_error err;
	bool here;

	if (argc != 2) {
		fputs("usage: podctl node NAME|--here\n", stderr);
		return 2;
	}
	here = !strcmp(argv[1], "--here");
	if (here && refuse_host(&err))
		return podctl_report(&err);
	if (!here && (netns = fg_testbed_netns_add(argv[1], &err)) < 0)
		return podctl_report(&err);
	return fg_testbed_node_prepare(netns, &err) ? podctl_report(&err) : 0;
}

struct up_args {
	struct fg_testbed_pod pod;
	const char *node;
	char primary[IFNAMSIZ];
};

enum { OPT_MODE = 256, OPT_NODE, OPT_PRIMARY, OPT_PEER, OPT_BRIDGE, OPT_DROP, OPT_MTU };

static const struct argp_option up_options[] = {
	{ "kind", 'k', "veth|netkit", 0, "kind of device pair (veth)", 0 },
	{ "mode", OPT_MODE, "l2|l3", 0, "of a netkit pair (l2)", 0 },
	{ "addr", 'a', "ADDR/LEN", 0, "address of the pod; may be repeated", 0 },
	{ "gw", 'g', "ADDR", 0, "gateway (for /32 and /128: 169.254.1.1 and fe80::1)", 0 },
	{ "node", OPT_NODE, "NAME", 0, "the node's namespace (the one that this runs in)", 0 },
	{ "primary", OPT_PRIMARY, "DEVICE", 0, "the host-side device (NAME with an h before it)",
	  0 },
	{ "peer", OPT_PEER, "DEVICE", 0, "the device in the pod (eth0)", 0 },
	{ "bridge", OPT_BRIDGE, "DEVICE", 0, "bridge of the node to join, made if missing", 0 },
	{ "drop-without-program", OPT_DROP, NULL, 0, "netkit: drop until a program lets pass", 0 },
	{ "mtu", OPT_MTU, "BYTES", 0, "of both devices", 0 },
	{ 0 },
};

static int read_address(struct fg_testbed_pod *pod, const char *text, struct fg_error *err)
{
	struct fg_testbed_address *a = &pod->addresses[pod->address_count];
	const char *slash = strchr(text, '/');
	char addr[FG_ADDR_TEXT_LEN + 1];
	uint64_t prefix;

	if (!slash || (size_t)(slash - text) >= sizeof(addr))
		return fg_fail(err, FG_ERR_USAGE, "--addr: \"%s\" is not ADDR/LEN", text);
	if (pod->address_count == FG_TESTBED_MAX_ADDRESSES)
		return fg_fail(err, FG_ERR_USAGE, "--addr: too many");
	snprintf(addr, sizeof(addr), "%.*s", (int)(slash - text), text);
	if (fg_parse_addr("--addr", addr, &a->addr, err) ||
	    fg_parse_u64("--addr", slash + 1, 1, a->addr.family == AF_INET ? 32 : 128, &prefix,
			 err))
		return -1;
	a->prefix = (int)prefix;
	pod->address_count++;
	return 0;
}

static int read_gateway(struct fg_testbed_pod *pod, const char *text, struct fg_error *err)
{
	struct fg_addr addr;

	if (fg_parse_addr("--gw", text, &addr, err))
		return -1;
	if (addr.family == AF_INET)
		pod->gateway4 = addr;
	else
		pod->gateway6 = addr;
	return 0;
}

static int read_mode(struct fg_testbed_pod *pod, const char *text, struct fg_error *err)
{
	if (strcmp(text, "l2") && strcmp(text, "l3"))
		return fg_fail(err, FG_ERR_USAGE, "--mode: \"%s\" is not l2 or l3", text);
	pod->mode = text[1] == '2' ? FG_LINK_L2 : FG_LINK_L3;
	return 0;
}

static error_t up_parse(int key, char *arg, struct argp_state *state)
{
	struct up_args *args = state->input;
	struct fg_testbed_pod *pod = &args->pod;
	struct fg_error err;
	uint64_t mtu;
	int ret = 0;

	switch (key) {
	case 'k':
		pod->kind = arg;
		break;
	case OPT_MODE:
		ret = read_mode(pod, arg, &err);
		break;
	case 'a':
		ret = read_address(pod, arg, &err);
		break;
	case 'g':
		ret = read_gateway(pod, arg, &err);
		break;
	case OPT_NODE:
		args->node = arg;
		break;
	case OPT_PRIMARY:
		pod->primary = arg;
		break;
	case OPT_PEER:
		pod->peer = arg;
		break;
	case OPT_BRIDGE:
		pod->bridge = arg;
		break;
	case OPT_DROP:
		pod->drop_without_program = true;
		break;
	case OPT_MTU:
		ret = fg_parse_u64("--mtu", arg, 68, 65535, &mtu, &err);
		if (!ret)
			pod->mtu = (uint32_t)mtu;
		break;
	case ARGP_KEY_ARG:
		if (pod->name)
			argp_usage(state);
		pod->name = arg;
		break;
	case ARGP_KEY_NO_ARGS:
		argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	if (ret)
		podctl_refuse(state, &err);
	return 0;
}

int podctl_up(int argc, char **argv)
{
	static const struct argp argp = { up_options, up_parse, "NAME", "Makes a pod.", 0, 0, 0 };
	struct up_args args = {
		.pod = { .node = -1, .kind = "veth", .mode = FG_LINK_L2, .peer = "eth0" }
	};
	FG_FD int node = -1;
	struct fg_error err;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (strcmp(args.pod.kind, "veth") && strcmp(args.pod.kind, "netkit")) {
		fg_fail(&err, FG_ERR_USAGE, "--kind: \"%s\" is not veth or netkit", args.pod.kind);
		return podctl_report(&err);
	}
	if (args.node && (node = fg_testbed_netns_open(args.node, &err)) < 0)
		return podctl_report(&err);
	args.pod.node = node;
	if (!args.pod.primary) {
		snprintf(args.primary, sizeof(args.primary), "h%s", args.pod.name);
		args.pod.primary = args.primary;
	}
	return fg_testbed_pod_add(&args.pod, &err) ? podctl_report(&err) : 0;
}
