// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo/play.c - the demo: pods of its own with real policy programs, a packet from each, and what a
 * newcomer should read in the answers. It runs in namespaces of its own for the network and the
 * mounts, with an empty /run, so that nothing of the host is touched, and all of it ends with the
 * process, however that ends.
 *
 * Kept, the pods get names on the host instead, for trying other commands on them: demo-node and
 * the pods' own. Their devices are in demo-node, so the host's network is as untouched.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "demo/play.h"
#include "demo/testbed.h"
#include "host/confine.h"

#define DEMO_NODE "demo-node"
#define DEMO_DENIED_PORT 9999
#define DEMO_DST "10.201.9.9"
#define DEMO_GUARDED "10.201.4.2"

struct demo {
	const struct fg_play *play;
	bool netkit;
	int node; /* -1: the namespace we are in */
};

/* The pods, in the order in which they are made and told of. */
static const struct demo_pod {
	const char *name, *primary;
	uint8_t address[4];
	int prefix;
	const char *program; /* its policy; NULL: none */
	bool ingress;	     /* the policy is for what the pod is sent, not for what it sends */
	const char *story;
} pods[] = {
	{ "demo-deny",
	  "demo1",
	  { 10, 201, 1, 2 },
	  32,
	  "deny_port",
	  false,
	  "its policy denies UDP port 9999" },
	{ "demo-allow",
	  "demo2",
	  { 10, 201, 2, 2 },
	  32,
	  "allow_all",
	  false,
	  "its policy allows everything" },
	{ "demo-none", "demo3", { 10, 201, 3, 2 }, 32, NULL, false, "it has no policy at all" },
	{ "demo-guard",
	  "demo4",
	  { 10, 201, 4, 2 },
	  32,
	  "deny_port",
	  true,
	  "its ingress policy denies UDP port 9999; it is at " DEMO_GUARDED },
	{ "demo-dst",
	  "demo9",
	  { 10, 201, 9, 9 },
	  24,
	  NULL,
	  false,
	  "the destination, at " DEMO_DST },
};
#define PODS COUNT(pods)

/* What is asked, and what to see in the answer. */
static const struct demo_question {
	const char *pod, *dst, *before, *after;
} questions[] = {
	{ "demo-deny", DEMO_DST ":9999", "Would demo-deny reach UDP port 9999 of the destination?",
	  "Denied, and the answer names the program that said so." },
	{ "demo-deny", DEMO_DST ":53", "And another port, by the same policy?",
	  "Allowed: the same program ran, and let it pass." },
	{ "demo-allow", DEMO_DST ":9999",
	  "The port that was denied, from a pod whose policy allows it?",
	  "Allowed by a program that ran." },
	{ "demo-allow", DEMO_GUARDED ":9999", "And does the other side want it, at demo-guard?",
	  "Its own policy allows it, and the receiver's denies it: the whole way counts." },
	{ "demo-none", DEMO_DST ":9999", "And from a pod without a policy?",
	  "It got through too, but the answer is another one: nothing enforces policy here." },
};

static int say(const struct demo *demo, struct fg_error *err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int say(const struct demo *demo, struct fg_error *err, const char *fmt, ...)
{
	FG_FREE char *text = NULL;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		text = NULL;
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "text");
	}
	return demo->play->say(text, err);
}

/* --- the stage --- */

/*
 * An empty /run hides the host's named namespaces, and takes the demo's with it when the process
 * ends.
 */
static int stage_open_private(struct fg_error *err)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "make namespaces for the demo");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL)) {
		bool chrooted = errno == EINVAL;

		fg_fail_errno(err, chrooted ? FG_ERR_UNSUPPORTED : FG_ERR_INTERNAL, errno,
			      "make the mounts private");
		return chrooted ? fg_hint(err, "/ is a directory that chroot made the root: mount "
					       "it onto itself before (mount --bind)")
				: -1;
	}
	if (mount("demo", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m"))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /run");
	return fg_testbed_node_prepare(-1, err);
}

static int stage_open_named(struct demo *demo, struct fg_error *err)
{
	demo->node = fg_testbed_netns_add(DEMO_NODE, err);
	if (demo->node < 0)
		return err->code == EEXIST
			       ? fg_hint(err, "flowgen demo --down removes an earlier demo")
			       : -1;
	return fg_testbed_node_prepare(demo->node, err);
}

/*
 * Where policies usually stand: a netkit pod's on its device pair, a veth pod's on the host side.
 * The kernel has tcx, or clsact, which all kernels have.
 */
static struct fg_testbed_attachment place_of(const struct demo *demo, bool ingress)
{
	bool tcx = fg_testbed_has_tcx();
	struct fg_testbed_attachment at = {};

	if (demo->netkit) {
		at.hook = ingress ? FG_TESTBED_NETKIT_PRIMARY : FG_TESTBED_NETKIT_PEER;
	} else if (ingress) {
		at.hook = tcx ? FG_TESTBED_TCX_EGRESS : FG_TESTBED_TC_EGRESS;
		at.other_side = true;
	} else {
		at.hook = tcx ? FG_TESTBED_TCX_INGRESS : FG_TESTBED_TC_INGRESS;
	}
	return at;
}

static int policy_attach(const struct demo *demo, const struct demo_pod *p, struct fg_error *err)
{
	const struct fg_testbed_policy policy = {
		.program = p->program,
		.rules = { { IPPROTO_UDP, DEMO_DENIED_PORT, DEMO_DENIED_PORT } },
		.rule_count = 1,
	};
	struct fg_testbed_attachment at = place_of(demo, p->ingress);
	struct fg_testbed_devices devices;
	uint32_t id;
	int ret;

	if (fg_testbed_devices_find(p->name, demo->node, &devices, err))
		return -1;
	ret = fg_testbed_policy_attach(&devices, demo->node, &at, &policy, &id, err);
	fg_fd_close(&devices.pod_netns);
	return ret;
}

static int pod_make(const struct demo *demo, const struct demo_pod *p, struct fg_error *err)
{
	/* The destination has its own subnet, as a pod of another kind would. */
	struct fg_testbed_pod pod = {
		.name = p->name,
		.node = demo->node,
		.kind = demo->netkit ? "netkit" : "veth",
		.mode = FG_LINK_L3,
		.primary = p->primary,
		.peer = "eth0",
		.addresses = { { { .family = AF_INET }, p->prefix } },
		.address_count = 1,
	};

	memcpy(pod.addresses[0].addr.bytes, p->address, 4);
	if (p->prefix < 32) {
		pod.gateway4 = pod.addresses[0].addr;
		pod.gateway4.bytes[3] = 1;
	}
	if (fg_testbed_pod_add(&pod, err))
		return -1;
	return p->program ? policy_attach(demo, p, err) : 0;
}

static int stage_open(struct demo *demo, struct fg_error *err)
{
	if (demo->play->keep ? stage_open_named(demo, err) : stage_open_private(err))
		return -1;
	demo->netkit = fg_testbed_has_netkit();
	for (size_t i = 0; i < PODS; i++)
		if (pod_make(demo, &pods[i], err))
			return -1;
	return 0;
}

static int remove_all(struct fg_error *err)
{
	const char *names[PODS + 1] = { [PODS] = DEMO_NODE };
	struct fg_error ignored = {};
	int ret = 0;

	for (size_t i = 0; i < PODS; i++)
		names[i] = pods[i].name;
	for (size_t i = 0; i < PODS + 1; i++) {
		struct fg_error *where = ret ? &ignored : err;
		char path[64];

		snprintf(path, sizeof(path), FG_TESTBED_NETNS_DIR "/%s", names[i]);
		if (!access(path, F_OK) && fg_testbed_netns_delete(names[i], where))
			ret = -1;
	}
	return ret;
}

/* --- the story --- */

static int tell_stage(const struct demo *demo, struct fg_error *err)
{
	if (say(demo, err, "Five pods, each with a %s device pair, on %s:\n",
		demo->netkit ? "netkit" : "veth",
		demo->play->keep ? "a node of their own, the namespace " DEMO_NODE
				 : "a node of their own; nothing of this host is touched"))
		return -1;
	for (size_t i = 0; i < PODS; i++)
		if (say(demo, err, "  %-11s %s\n", pods[i].name, pods[i].story))
			return -1;
	return say(demo, err,
		   "The policies are BPF programs, attached at %s (egress) and %s (ingress).\n"
		   "flowgen sends a packet as if the pod had sent it, and watches which programs "
		   "run on\n"
		   "it and what they return, up to the pod that receives it. The pod's own "
		   "processes and\n"
		   "sockets take no part.\n",
		   fg_testbed_hook_names[place_of(demo, false).hook],
		   fg_testbed_hook_names[place_of(demo, true).hook]);
}

static int tell_questions(const struct demo *demo, struct fg_error *err)
{
	for (size_t i = 0; i < COUNT(questions); i++) {
		const struct demo_question *q = &questions[i];

		if (say(demo, err,
			"\n%zu. %s\n\n"
			"$ flowgen inject --pod %s --dst %s --proto udp --output text\n",
			i + 1, q->before, q->pod, q->dst) ||
		    demo->play->ask(demo->node, q->pod, q->dst, err))
			return -1;
		if (demo->play->stopped())
			return 0;
		if (say(demo, err, "\n   %s\n", q->after))
			return -1;
	}
	return 0;
}

static int tell_end(const struct demo *demo, struct fg_error *err)
{
	if (say(demo, err,
		"\nWith --output json, and where standard output is not a terminal, each answer is\n"
		"one line of JSON, for programs to read; doc/result.schema.json describes it.\n"))
		return -1;
	if (demo->play->keep)
		return say(
			demo, err,
			"\nThe pods stay up. Ask more questions from their node, and remove them "
			"when done:\n$ ip netns exec " DEMO_NODE
			" flowgen inject --pod demo-deny --dst " DEMO_DST ":9999 --proto udp\n"
			"$ ip netns exec " DEMO_NODE " flowgen pods\n"
			"$ flowgen demo --down\n");
	return say(demo, err,
		   "The pods are gone again. To try pods of your own: flowgen pods lists "
		   "them;\nflowgen demo --keep leaves the demo's pods up for more questions.\n");
}

int fg_play_remove(struct fg_error *err)
{
	return fg_confine(FG_CONFINE_STARTER, false, err) ? -1 : remove_all(err);
}

int fg_play(const struct fg_play *play, struct fg_error *err)
{
	struct demo demo = { .play = play, .node = -1 };
	int ret = fg_confine(FG_CONFINE_STARTER, false, err) ? -1 : stage_open(&demo, err);
	bool opened = demo.node >= 0;

	if (!ret && !play->stopped())
		ret = tell_stage(&demo, err);
	if (!ret && !play->stopped())
		ret = tell_questions(&demo, err);
	if (!ret && !play->stopped())
		ret = tell_end(&demo, err);
	/* Only what this run has made: where the node was there before, its pods were too. */
	if (play->keep && opened && (ret || play->stopped()))
		remove_all(ret ? NULL : err);
	fg_fd_close(&demo.node);
	return ret;
}
