// SPDX-License-Identifier: GPL-2.0-only
/* podctl_attach.c - `podctl attach` and `podctl detach`. */
#include <net/if.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/count.h"
#include "base/fd.h"
#include "net/netns.h"
#include "podctl.h"
#include "demo/testbed.h"
#include "trait.h"

struct attach_args {
	const char *name, *node, *to;
	int hook;      /* -1: not given */
	uint8_t proto; /* for the ports that follow it */
	uint32_t id;
	bool trait; /* the policy is one of tests/bpf/traits.bpf.c */
	struct traits_settings settings;
	struct fg_testbed_attachment at;
	struct fg_testbed_policy policy;
};

enum {
	OPT_NODE = 256,
	OPT_OTHERWISE,
	OPT_VALUE,
	OPT_TO,
	OPT_INGRESS,
	OPT_OTHER,
	OPT_FIRST,
	OPT_GENERIC,
	OPT_PIN,
	OPT_ID,
	OPT_FROM,
	OPT_BACKEND,
	OPT_MAC
};

static const struct argp_option attach_options[] = {
	{ "hook", 'h', "HOOK", 0,
	  "netkit/peer, netkit/primary, tcx/egress, tc/egress, tcx/ingress, tc/ingress or xdp", 0 },
	{ "policy", 'p', "PROGRAM", 0,
	  "program of bpf/policy.bpf.c or tests/bpf/traits.bpf.c, or no_btf", 0 },
	{ "id", OPT_ID, "N", 0, "instead: the program that has this id already", 0 },
	{ "mac", OPT_MAC, "MAC", 0, "redirect_mac: the receiver's", 0 },
	{ "from", OPT_FROM, "ADDR[:PORT]", 0, "traits: settings.from", 0 },
	{ "backend", OPT_BACKEND, "ADDR[:PORT]", 0, "traits: settings.to", 0 },
	{ "proto", 'r', "udp|tcp|icmp|N", 0, "protocol of the ports that follow (any)", 0 },
	{ "port", 'P', "N[-M]", 0, "what deny_port denies; may be repeated", 0 },
	{ "otherwise", OPT_OTHERWISE, "allow|next", 0, "deny_port: for all other packets (allow)",
	  0 },
	{ "value", OPT_VALUE, "N", 0, "return_value: what it returns; -N is written mN", 0 },
	{ "to", OPT_TO, "DEVICE", 0, "redirect_*: to this device of the same namespace", 0 },
	{ "ingress", OPT_INGRESS, NULL, 0, "redirect_to: to its ingress side", 0 },
	{ "other-side", OPT_OTHER, NULL, 0, "at the pair's other end than usual for the hook", 0 },
	{ "first", OPT_FIRST, NULL, 0, "before the programs that are there", 0 },
	{ "generic", OPT_GENERIC, NULL, 0, "xdp: not in the driver", 0 },
	{ "pin", OPT_PIN, "PATH", 0, "tail_entry: where its program array is pinned", 0 },
	{ "node", OPT_NODE, "NAME", 0, "the node's namespace (the one that this runs in)", 0 },
	{ 0 },
};

static const struct argp_option detach_options[] = {
	{ "hook", 'h', "HOOK", 0, "as for attach", 0 },
	{ "id", OPT_ID, "N", 0, "the program", 0 },
	{ "other-side", OPT_OTHER, NULL, 0, "as for attach", 0 },
	{ "generic", OPT_GENERIC, NULL, 0, "as for attach", 0 },
	{ "node", OPT_NODE, "NAME", 0, "as for attach", 0 },
	{ 0 },
};

static int read_hook(const char *text, int *hook, struct fg_error *err)
{
	for (int i = 0; i < FG_TESTBED_HOOKS; i++) {
		if (!strcmp(text, fg_testbed_hook_names[i])) {
			*hook = i;
			return 0;
		}
	}
	return fg_fail(err, FG_ERR_USAGE, "--hook: there is none called \"%s\"", text);
}

static int read_proto(const char *text, uint8_t *proto, struct fg_error *err)
{
	static const struct {
		const char *name;
		uint8_t number;
	} names[] = { { "udp", IPPROTO_UDP },	{ "tcp", IPPROTO_TCP },
		      { "icmp", IPPROTO_ICMP }, { "icmpv6", IPPROTO_ICMPV6 },
		      { "sctp", IPPROTO_SCTP }, { "any", 0 } };
	uint64_t number;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (!strcmp(text, names[i].name)) {
			*proto = names[i].number;
			return 0;
		}
	}
	if (fg_parse_u64("--proto", text, 0, 255, &number, err))
		return -1;
	*proto = (uint8_t)number;
	return 0;
}

/* Port 0 stands for packets of protocols that have none. */
static int add_rule(struct attach_args *args, const char *text, struct fg_error *err)
{
	struct fg_testbed_policy *policy = &args->policy;
	struct fg_testbed_rule *rule = &policy->rules[policy->rule_count];
	const char *dash = strchr(text, '-');
	char first[8];
	uint64_t from, to;

	if (policy->rule_count == FG_TESTBED_MAX_RULES)
		return fg_fail(err, FG_ERR_USAGE, "--port: too many");
	snprintf(first, sizeof(first), "%.*s", dash ? (int)(dash - text) : 7, text);
	if (fg_parse_u64("--port", first, 0, 65535, &from, err) ||
	    fg_parse_u64("--port", dash ? dash + 1 : first, from, 65535, &to, err))
		return -1;
	*rule = (struct fg_testbed_rule){ args->proto, (uint16_t)from, (uint16_t)to };
	policy->rule_count++;
	return 0;
}

static int read_policy(struct attach_args *args, const char *text, struct fg_error *err)
{
	args->trait = !fg_testbed_program_known(text);
	if (args->trait && !trait_known(text))
		return fg_fail(err, FG_ERR_USAGE, "--policy: there is no program \"%s\"", text);
	args->policy.program = text;
	return 0;
}

static int read_otherwise(struct attach_args *args, const char *text, struct fg_error *err)
{
	if (strcmp(text, "allow") && strcmp(text, "next"))
		return fg_fail(err, FG_ERR_USAGE, "--otherwise: \"%s\" is not allow or next", text);
	args->policy.otherwise = *text == 'a' ? 0 : -1;
	return 0;
}

static int read_value(struct attach_args *args, const char *text, struct fg_error *err)
{
	bool minus = *text == 'm';
	uint64_t number;

	if (fg_parse_u64("--value", text + minus, 0, INT32_MAX, &number, err))
		return -1;
	args->policy.value = minus ? -(int)number : (int)number;
	return 0;
}

static int read_id(struct attach_args *args, const char *text, struct fg_error *err)
{
	uint64_t id;

	if (fg_parse_u64("--id", text, 1, UINT32_MAX, &id, err))
		return -1;
	args->id = (uint32_t)id;
	return 0;
}

static int read_end(const char *option, const char *text, struct traits_end *end,
		    struct fg_error *err)
{
	struct fg_addr addr;
	int port = 0;

	if (fg_parse_endpoint(option, text, &addr, &port, err))
		return -1;
	trait_set_end(end, &addr, port < 0 ? 0 : port);
	return 0;
}

static int read_option(int key, const char *arg, struct attach_args *args, struct fg_error *err)
{
	switch (key) {
	case 'h':
		return read_hook(arg, &args->hook, err);
	case 'p':
		return read_policy(args, arg, err);
	case 'r':
		return read_proto(arg, &args->proto, err);
	case 'P':
		return add_rule(args, arg, err);
	case OPT_OTHERWISE:
		return read_otherwise(args, arg, err);
	case OPT_VALUE:
		return read_value(args, arg, err);
	case OPT_ID:
		return read_id(args, arg, err);
	case OPT_FROM:
		return read_end("--from", arg, &args->settings.from, err);
	case OPT_MAC:
		return fg_parse_mac("--mac", arg, args->settings.mac, err);
	case OPT_BACKEND:
		return read_end("--backend", arg, &args->settings.to, err);
	default:
		return 1;
	}
}

static bool set_flag(int key, char *arg, struct attach_args *args)
{
	switch (key) {
	case OPT_TO:
		args->to = arg;
		return true;
	case OPT_INGRESS:
		args->policy.redirect_flags = BPF_F_INGRESS;
		return true;
	case OPT_OTHER:
		return args->at.other_side = true;
	case OPT_FIRST:
		return args->at.first = true;
	case OPT_GENERIC:
		return args->at.generic = true;
	case OPT_PIN:
		args->policy.pin = arg;
		return true;
	case OPT_NODE:
		args->node = arg;
		return true;
	default:
		return false;
	}
}

static error_t attach_parse(int key, char *arg, struct argp_state *state)
{
	struct attach_args *args = state->input;
	struct fg_error err;
	int ret;

	if (key == ARGP_KEY_ARG && !args->name) {
		args->name = arg;
		return 0;
	}
	if (key == ARGP_KEY_ARG || key == ARGP_KEY_NO_ARGS)
		argp_usage(state);
	if (set_flag(key, arg, args))
		return 0;
	ret = read_option(key, arg, args, &err);
	if (ret < 0)
		podctl_refuse(state, &err);
	return ret ? ARGP_ERR_UNKNOWN : 0;
}

/* The devices and the node are found only when the whole line has been read. */
static int open_devices(struct attach_args *args, int *node, struct fg_testbed_devices *devices,
			struct fg_error *err)
{
	if (args->hook < 0)
		return fg_fail(err, FG_ERR_USAGE, "--hook is missing");
	args->at.hook = (enum fg_testbed_hook)args->hook;
	if (args->node && (*node = fg_testbed_netns_open(args->node, err)) < 0)
		return -1;
	return fg_testbed_devices_find(args->name, *node, devices, err);
}

/* The target of a redirect is in the namespace of the device that the program stands on. */
static int find_target(struct attach_args *args, const struct fg_testbed_devices *devices, int node,
		       struct fg_error *err)
{
	bool egress = args->at.hook == FG_TESTBED_TCX_EGRESS ||
		      args->at.hook == FG_TESTBED_TC_EGRESS;
	FG_NL_SOCK struct nl_sock *sk = NULL;
	struct fg_link link;

	if (!args->to)
		return 0;
	sk = fg_rtnl_open(egress != args->at.other_side ? devices->pod_netns : node, err);
	if (!sk || fg_link_get(sk, 0, args->to, &link, err))
		return -1;
	args->policy.redirect_ifindex = (uint32_t)link.ifindex;
	return 0;
}

/* A program of which there is a descriptor: one that is attached elsewhere already, or a trait. */
static int attach_loaded(struct attach_args *args, const struct fg_testbed_devices *devices,
			 int node, struct fg_error *err)
{
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info);

	args->settings.ifindex = args->policy.redirect_ifindex;
	args->settings.flags = args->policy.redirect_flags;
	FG_FD int fd = args->trait ? trait_load(args->policy.program, &args->settings, err)
				   : bpf_prog_get_fd_by_id(args->id);

	if (fd < 0 && !args->trait)
		return fg_fail(err, FG_ERR_USAGE, "--id: there is no program %u", args->id);
	if (fd < 0 || fg_testbed_program_attach(devices, node, &args->at, fd, err))
		return -1;
	bpf_prog_get_info_by_fd(fd, &info, &len);
	args->id = info.id;
	return 0;
}

static int attach_any(struct attach_args *args, const struct fg_testbed_devices *devices, int node,
		      struct fg_error *err)
{
	if (args->trait || !args->policy.program)
		return attach_loaded(args, devices, node, err);
	return fg_testbed_policy_attach(devices, node, &args->at, &args->policy, &args->id, err);
}

int podctl_attach(int argc, char **argv)
{
	static const struct argp argp = { attach_options,
					  attach_parse,
					  "NAME",
					  "Attaches a policy program to a pod; prints its id.",
					  0,
					  0,
					  0 };
	struct attach_args args = { .hook = -1 };
	struct fg_testbed_devices devices = { .pod_netns = -1 };
	FG_FD int node = -1;
	struct fg_error err;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (!args.policy.program == !args.id) {
		fg_fail(&err, FG_ERR_USAGE, "one of --policy and --id, please");
		return podctl_report(&err);
	}
	if (open_devices(&args, &node, &devices, &err) ||
	    find_target(&args, &devices, node, &err) || attach_any(&args, &devices, node, &err))
		return podctl_report(&err);
	fg_fd_close(&devices.pod_netns);
	printf("%u\n", args.id);
	return 0;
}

int podctl_detach(int argc, char **argv)
{
	static const struct argp argp = {
		detach_options, attach_parse, "NAME", "Takes a policy program off a pod.", 0, 0, 0
	};
	struct attach_args args = { .hook = -1 };
	struct fg_testbed_devices devices = { .pod_netns = -1 };
	FG_FD int node = -1;
	struct fg_error err;

	argp_parse(&argp, argc, argv, 0, NULL, &args);
	if (open_devices(&args, &node, &devices, &err) ||
	    fg_testbed_policy_detach(&devices, node, &args.at, args.id, &err))
		return podctl_report(&err);
	fg_fd_close(&devices.pod_netns);
	return 0;
}
