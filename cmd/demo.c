// SPDX-License-Identifier: GPL-2.0-only
/*
 * demo.c - `flowgen demo`: pods of its own with real policy programs, a packet from each, and what a newcomer should read
 * in the answers. It runs in namespaces of its own for the network and the mounts, with an empty /run, so that nothing
 * of the host is touched, and all of it ends with the process, however that ends.
 *
 * With --keep the pods get names on the host instead, for trying other commands on them: demo-node and the pods' own.
 * Their devices are in demo-node, so the host's network is as untouched. --down takes them away.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd.h"
#include "fd.h"
#include "netns.h"
#include "output.h"
#include "testbed.h"

#define DEMO_NODE "demo-node"
#define DEMO_DENIED_PORT 9999
#define DEMO_DST "10.201.9.9"

struct demo {
	bool keep, down;
	bool netkit;
	enum fg_testbed_hook hook; /* of the policies */
	int node;		   /* -1: the namespace we are in */
};

/* The pods, in the order in which they are made and told of. */
static const struct demo_pod {
	const char *name, *primary;
	uint8_t address[4];
	int prefix;
	const char *program; /* its policy; NULL: none */
	const char *story;
} pods[] = {
	{ "demo-deny",
	  "demo1",
	  { 10, 201, 1, 2 },
	  32,
	  "deny_port",
	  "its policy denies UDP port 9999" },
	{ "demo-allow",
	  "demo2",
	  { 10, 201, 2, 2 },
	  32,
	  "allow_all",
	  "its policy allows everything" },
	{ "demo-none", "demo3", { 10, 201, 3, 2 }, 32, NULL, "it has no policy at all" },
	{ "demo-dst", "demo9", { 10, 201, 9, 9 }, 24, NULL, "the destination, at " DEMO_DST },
};
#define PODS (sizeof(pods) / sizeof(pods[0]))

/* What is asked, and what to see in the answer. */
static const struct demo_question {
	const char *pod, *port, *before, *after;
} questions[] = {
	{ "demo-deny", "9999", "Would demo-deny reach UDP port 9999 of the destination?",
	  "Denied, and the answer names the program that said so." },
	{ "demo-deny", "53", "And another port, by the same policy?",
	  "Allowed: the same program ran, and let it pass." },
	{ "demo-allow", "9999", "The port that was denied, from a pod whose policy allows it?",
	  "Allowed by a program that ran." },
	{ "demo-none", "9999", "And from a pod without a policy?",
	  "It got through as well, yet this is another answer: nothing enforces here." },
};

static volatile sig_atomic_t interrupted;

static void on_signal(int number)
{
	interrupted = number;
}

/* Without SA_RESTART, so that waiting for a child ends too. */
static void catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

static int say(struct fg_error *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int say(struct fg_error *err, const char *fmt, ...)
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
	return fg_output_string(text, err);
}

/* --- the stage --------------------------------------------------------------------------------------------------- */

/* An empty /run hides the host's named namespaces, and takes the demo's with it when the process ends. */
static int stage_open_private(struct fg_error *err)
{
	if (unshare(CLONE_NEWNET | CLONE_NEWNS))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "make namespaces for the demo");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "make the mounts private");
	if (mount("demo", "/run", "tmpfs", MS_NOSUID | MS_NODEV, "mode=0755,size=1m"))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "mount /run");
	return fg_testbed_node_prepare(-1, err);
}

static int stage_open_named(struct demo *demo, struct fg_error *err)
{
	demo->node = fg_testbed_netns_add(DEMO_NODE, err);
	if (demo->node < 0)
		return err->code == EEXIST
			       ? fg_hint(err, "flowgen demo --down takes an earlier demo away")
			       : -1;
	return fg_testbed_node_prepare(demo->node, err);
}

/* Where policies usually stand: a netkit pod's on its own end, a veth pod's on the host side. */
static int policy_attach(const struct demo *demo, const struct demo_pod *p, struct fg_error *err)
{
	const struct fg_testbed_policy policy = {
		.program = p->program,
		.rules = { { IPPROTO_UDP, DEMO_DENIED_PORT, DEMO_DENIED_PORT } },
		.rule_count = 1,
	};
	struct fg_testbed_attachment at = { .hook = demo->hook };
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

/* A kernel without tcx says so at the first attachment; then clsact, which all have. */
static enum fg_testbed_hook hook_choose(const struct demo *demo)
{
	if (demo->netkit)
		return FG_TESTBED_NETKIT_PEER;
	return fg_testbed_has_tcx() ? FG_TESTBED_TCX_INGRESS : FG_TESTBED_TC_INGRESS;
}

static int stage_open(struct demo *demo, struct fg_error *err)
{
	if (demo->keep ? stage_open_named(demo, err) : stage_open_private(err))
		return -1;
	demo->netkit = fg_testbed_has_netkit();
	demo->hook = hook_choose(demo);
	for (size_t i = 0; i < PODS; i++)
		if (pod_make(demo, &pods[i], err))
			return -1;
	return 0;
}

/* Takes the named demo away, as far as there is one. Returns 0, or -1 with the first failure. */
static int stage_remove(struct fg_error *err)
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

/* --- the story --------------------------------------------------------------------------------------------------- */

static int tell_stage(const struct demo *demo, struct fg_error *err)
{
	if (say(err, "Four pods, each with a %s device pair, on %s:\n",
		demo->netkit ? "netkit" : "veth",
		demo->keep ? "a node of their own, the namespace " DEMO_NODE
			   : "a node of their own; nothing of this host is touched"))
		return -1;
	for (size_t i = 0; i < PODS; i++)
		if (say(err, "  %-11s %s\n", pods[i].name, pods[i].story))
			return -1;
	return say(
		err,
		"The policies are BPF programs, attached at %s. flowgen sends a packet as if the pod\n"
		"had sent it, and watches which programs run on it and what they return. The pod's own\n"
		"processes and sockets take no part.\n",
		fg_testbed_hook_names[demo->hook]);
}

static void child_exec(const struct demo *demo, const struct demo_question *q)
{
	char dst[] = DEMO_DST ":65535";

	snprintf(dst, sizeof(dst), DEMO_DST ":%s", q->port);
	/* It must not outlive the demo, or it would keep the namespaces. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGINT, SIG_DFL);
	signal(SIGTERM, SIG_DFL);
	if (demo->node >= 0 && setns(demo->node, CLONE_NEWNET))
		_exit(fg_cmd_status(FG_ERR_INTERNAL));
	execl("/proc/self/exe", "flowgen", "inject", "--pod", q->pod, "--dst", dst, "--proto",
	      "udp", "--output", "text", (char *)NULL);
	_exit(fg_cmd_status(FG_ERR_INTERNAL));
}

/* Asks one question, in a process of its own within the demo's node; the answer goes to standard output as text. */
static int demo_inject(const struct demo *demo, const struct demo_question *q, struct fg_error *err)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "fork");
	if (!pid)
		child_exec(demo, q);
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno,
					     "wait for flowgen inject");
		kill(pid, SIGTERM);
	}
	if (interrupted || (WIFEXITED(status) && !WEXITSTATUS(status)))
		return 0;
	return fg_fail(err, FG_ERR_INTERNAL, "flowgen inject ended with status %d",
		       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int tell_questions(const struct demo *demo, struct fg_error *err)
{
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct demo_question *q = &questions[i];

		if (say(err,
			"\n%zu. %s\n\n"
			"$ flowgen inject --pod %s --dst " DEMO_DST
			":%s --proto udp --output text\n",
			i + 1, q->before, q->pod, q->port) ||
		    demo_inject(demo, q, err))
			return -1;
		if (interrupted)
			return 0;
		if (say(err, "\n   %s\n", q->after))
			return -1;
	}
	return 0;
}

static int tell_end(const struct demo *demo, struct fg_error *err)
{
	if (say(err,
		"\nWithout --output text each answer is one line of JSON, for programs to read;\n"
		"doc/result.schema.json describes it.\n"))
		return -1;
	if (demo->keep)
		return say(
			err,
			"\nThe pods stay. Ask more of them from their node, and take them away after that:\n"
			"$ ip netns exec " DEMO_NODE
			" flowgen inject --pod demo-deny --dst " DEMO_DST ":9999 --proto udp\n"
			"$ ip netns exec " DEMO_NODE " flowgen pods\n"
			"$ flowgen demo --down\n");
	return say(err,
		   "The pods are gone again. To try on pods of your own: flowgen pods lists them;\n"
		   "flowgen demo --keep leaves these ones for more questions.\n");
}

/* --- the verb ---------------------------------------------------------------------------------------------------- */

static int demo_play(struct demo *demo, struct fg_error *err)
{
	int ret = stage_open(demo, err);
	bool opened = demo->node >= 0;

	if (!ret && !interrupted)
		ret = tell_stage(demo, err);
	if (!ret && !interrupted)
		ret = tell_questions(demo, err);
	if (!ret && !interrupted)
		ret = tell_end(demo, err);
	/* Only what this run has made: where the node was there before, its pods were too. */
	if (demo->keep && opened && (ret || interrupted))
		stage_remove(ret ? NULL : err);
	fg_fd_close(&demo->node);
	return ret;
}

static int demo_down(struct fg_error *err)
{
	if (stage_remove(err))
		return -1;
	return say(err, "The demo's pods and its node are gone.\n");
}

enum { OPT_KEEP = 256, OPT_DOWN };

static const struct argp_option options[] = {
	{ "keep", OPT_KEEP, NULL, 0, "leave the pods, with names on this host, for more questions",
	  0 },
	{ "down", OPT_DOWN, NULL, 0, "take away what --keep has left", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct demo *demo = state->input;

	(void)arg;
	switch (key) {
	case OPT_KEEP:
		demo->keep = true;
		break;
	case OPT_DOWN:
		demo->down = true;
		break;
	case ARGP_KEY_END:
		if (demo->keep && demo->down)
			return fg_cmd_refuse_text(state, "--keep and --down exclude each other");
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

int fg_cmd_demo(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.doc = "Brings up pods of its own with real policy programs, injects into each, shows and "
		       "explains the answers, and leaves nothing behind.",
	};
	struct demo demo = { .node = -1 };
	struct fg_error err = {};
	int status = fg_cmd_parse(&argp, argc, argv, &demo);

	if (status)
		return status;
	catch_signals();
	if (demo.down ? demo_down(&err) : demo_play(&demo, &err))
		status = fg_cmd_fail(&err);
	if (interrupted) {
		signal(interrupted, SIG_DFL);
		raise(interrupted);
	}
	return status;
}
