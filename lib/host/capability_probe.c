// SPDX-License-Identifier: GPL-2.0-only
#include "base/count.h"
#include "host/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "host/cgroup.h"
#include "base/fd.h"
#include "net/link.h"
#include "net/netns.h"
#include "net/rtnl.h"
#include "bpf/symbol.skel.h"

#define MOVE(dst, value)                                                                           \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = (dst), .imm = (value)              \
	}
#define MOVE_REG(dst, src)                                                                         \
	{                                                                                          \
		.code = BPF_ALU64 | BPF_MOV | BPF_X, .dst_reg = (dst), .src_reg = (src)            \
	}
#define CALL(function)                                                                             \
	{                                                                                          \
		.code = BPF_JMP | BPF_CALL, .imm = (function)                                      \
	}
#define RETURN                                                                                     \
	{                                                                                          \
		.code = BPF_JMP | BPF_EXIT                                                         \
	}

#define TC_SHOT 2
#define TC_REDIRECT 7
#define EGRESS_FLAG 2	       /* BPF_F_EGRESS: headers before Linux 7.3 lack it */
#define UNKNOWN_FLAG (1 << 30) /* no flag of any kernel */
#define LOOPBACK 1	       /* the index of lo, in every namespace */

static int fail(struct fg_error *err, int code, const char *what)
{
	return fg_fail_errno(err, FG_ERR_UNSUPPORTED, code, "%s", what);
}

/*
 * Loads a program that returns value and does nothing else. Returns an owned descriptor, or -1 with
 * errno.
 */
static int load_constant(enum bpf_prog_type type, int value, struct bpf_prog_load_opts *opts)
{
	const struct bpf_insn insns[] = { MOVE(BPF_REG_0, value), RETURN };

	return bpf_prog_load(type, "fg_constant", "GPL", insns, COUNT(insns), opts);
}

static int load_classifier(struct fg_error *err)
{
	int fd = load_constant(BPF_PROG_TYPE_SCHED_CLS, 0, NULL);

	return fd >= 0 ? fd : fail(err, errno, "load a tc program");
}

/* Runs a tc program once, on a frame of zeros. Returns 0 or a negative errno value. */
static int run_classifier(int fd, uint32_t *retval)
{
	char frame[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame, .data_size_in = sizeof(frame));
	int ret = bpf_prog_test_run_opts(fd, &run);

	*retval = run.retval;
	return ret;
}

/*
 * The kernel asks for most of these in the first user namespace, whatever is held in another one.
 */
static bool in_first_user_namespace(void)
{
	const ino_t first = 0xEFFFFFFDU; /* PROC_USER_INIT_INO, include/linux/proc_ns.h */
	struct stat st;

	return stat("/proc/self/ns/user", &st) || st.st_ino == first;
}

int fg_capability_probe_privilege(int capability, struct fg_error *err)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	if (syscall(SYS_capget, &head, data))
		return fail(err, errno, "capget");
	if (!(data[CAP_TO_INDEX(capability)].effective & CAP_TO_MASK(capability)))
		return fg_fail(err, FG_ERR_UNSUPPORTED, "not held");
	if (!in_first_user_namespace())
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "held in a user namespace only, not on the host");
	return 0;
}

int fg_capability_probe_btf(struct fg_error *err)
{
	static const char path[] = "/sys/kernel/btf/vmlinux";
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint16_t magic = 0;

	if (fd < 0 || read(fd, &magic, sizeof(magic)) < 0)
		return fail(err, errno, path);
	return magic == BTF_MAGIC ? 0 : fg_fail(err, FG_ERR_UNSUPPORTED, "%s: not BTF", path);
}

int fg_capability_probe_ring_buffer(struct fg_error *err)
{
	uint32_t bytes = (uint32_t)sysconf(_SC_PAGESIZE);
	FG_FD int fd = bpf_map_create(BPF_MAP_TYPE_RINGBUF, "fg_ring", 0, 0, bytes, NULL);

	return fd >= 0 ? 0 : fail(err, errno, "make a ring buffer");
}

/* Kernel lockdown in its mode "confidentiality" takes the helper away. */
int fg_capability_probe_probe_read(struct fg_error *err)
{
	const struct bpf_insn insns[] = {
		MOVE_REG(BPF_REG_1, BPF_REG_10),
		{ .code = BPF_ALU64 | BPF_ADD, .dst_reg = BPF_REG_1, .imm = -8 },
		MOVE(BPF_REG_2, 8),
		MOVE(BPF_REG_3, 0),
		CALL(BPF_FUNC_probe_read_kernel),
		MOVE(BPF_REG_0, 0),
		RETURN,
	};
	FG_FD int fd =
		bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "fg_read", "GPL", insns, COUNT(insns), NULL);

	return fd >= 0 ? 0 : fail(err, errno, "load a tc program that reads kernel memory");
}

int fg_capability_probe_tp_btf(struct fg_error *err)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_RAW_TP);
	int id = libbpf_find_vmlinux_btf_id("kfree_skb", BPF_TRACE_RAW_TP);
	FG_FD int fd = -1;
	FG_FD int link = -1;

	if (id < 0)
		return fail(err, -id, "find the tracepoint kfree_skb in the kernel's BTF");
	opts.attach_btf_id = (uint32_t)id;
	fd = load_constant(BPF_PROG_TYPE_TRACING, 0, &opts);
	if (fd < 0)
		return fail(err, errno, "load a program for the tracepoint kfree_skb");
	link = bpf_raw_tracepoint_open(NULL, fd);
	return link >= 0 ? 0 : fail(err, errno, "attach to the tracepoint kfree_skb");
}

int fg_capability_probe_syscall_program(struct fg_error *err)
{
	LIBBPF_OPTS(bpf_test_run_opts, run);
	struct symbol_bpf *bpf = symbol_bpf__open_and_load();
	int ret = bpf ? bpf_prog_test_run_opts(bpf_program__fd(bpf->progs.fg_symbol), &run)
		      : -errno;

	if (!ret && run.retval)
		ret = -EINVAL;
	symbol_bpf__destroy(bpf);
	return ret ? fail(err, -ret, "run a syscall program with bpf_snprintf") : 0;
}

/* Protocol 0: the socket receives nothing. */
int fg_capability_probe_af_packet(struct fg_error *err)
{
	FG_FD int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	return fd >= 0 ? 0 : fail(err, errno, "open a packet socket");
}

int fg_capability_probe_redirect_peer(struct fg_error *err)
{
	const struct bpf_insn insns[] = {
		MOVE(BPF_REG_1, LOOPBACK),
		MOVE(BPF_REG_2, 0),
		CALL(BPF_FUNC_redirect_peer),
		RETURN,
	};
	FG_FD int fd =
		bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "fg_peer", "GPL", insns, COUNT(insns), NULL);
	uint32_t answer = 0;
	int ret;

	if (fd < 0)
		return fail(err, errno, "load a tc program that calls bpf_redirect_peer()");
	ret = run_classifier(fd, &answer);
	if (ret)
		return fail(err, -ret, "run a tc program");
	return answer == TC_REDIRECT
		       ? 0
		       : fg_fail(err, FG_ERR_UNSUPPORTED, "bpf_redirect_peer() does not redirect");
}

/*
 * The helper answers a flag it does not know with TC_ACT_SHOT, and one it knows with
 * TC_ACT_REDIRECT. A flag that no kernel knows is asked beside, so that a helper which takes
 * everything is not mistaken for one that understands.
 */
int fg_capability_probe_egress_flag(struct fg_error *err)
{
	const struct bpf_insn insns[] = {
		MOVE(BPF_REG_1, LOOPBACK),
		MOVE(BPF_REG_2, UNKNOWN_FLAG),
		CALL(BPF_FUNC_redirect_peer),
		MOVE_REG(BPF_REG_6, BPF_REG_0),
		MOVE(BPF_REG_1, LOOPBACK),
		MOVE(BPF_REG_2, EGRESS_FLAG),
		CALL(BPF_FUNC_redirect_peer),
		{ .code = BPF_ALU64 | BPF_LSH | BPF_K, .dst_reg = BPF_REG_6, .imm = 8 },
		{ .code = BPF_ALU64 | BPF_OR | BPF_X, .dst_reg = BPF_REG_0, .src_reg = BPF_REG_6 },
		RETURN,
	};
	FG_FD int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "fg_egress", "GPL", insns,
				     COUNT(insns), NULL);
	uint32_t answers = 0;
	int ret;

	if (fd < 0)
		return fail(err, errno, "load a tc program that calls bpf_redirect_peer()");
	ret = run_classifier(fd, &answers);
	if (ret)
		return fail(err, -ret, "run a tc program");
	if (answers == (TC_SHOT << 8 | TC_REDIRECT))
		return 0;
	return fg_fail(
		err, FG_ERR_UNSUPPORTED,
		"this kernel's bpf_redirect_peer() does not know the flag (new in Linux 7.3)");
}

/*
 * Does something in a namespace that is visible to nobody else, and that is gone afterwards with
 * all that was made in it.
 */
static int in_own_namespace(int (*something)(struct fg_error *err), struct fg_error *err)
{
	FG_FD int netns = -1;
	int back, ret;

	/* Root of another user namespace can leave this network namespace, but not come back. */
	if (fg_capability_probe_privilege(CAP_SYS_ADMIN, NULL))
		return fail(err, EPERM, "make a network namespace");
	netns = fg_netns_create(err);
	if (netns < 0 || fg_netns_enter(netns, &back, err))
		return -1;
	ret = something(err);
	fg_netns_leave(&back);
	return ret;
}

static int make_pair(struct nl_sock *sk, const char *kind, struct fg_error *err)
{
	const struct fg_pair pair = {
		.kind = kind, .name = "fgprobe0", .peer_name = "fgprobe1", .peer_netns = -1
	};
	int ret = fg_link_create_pair(sk, &pair);

	return ret ? fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "make a %s pair", kind) : 0;
}

static int attach_link(int ifindex, enum bpf_prog_type type, enum bpf_attach_type hook,
		       const char *what, struct fg_error *err)
{
	FG_FD int fd = load_constant(type, type == BPF_PROG_TYPE_XDP ? 2 /* XDP_PASS */ : 0, NULL);
	FG_FD int link = -1;

	if (fd < 0)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "load a program for %s", what);
	link = bpf_link_create(fd, ifindex, hook, NULL);
	return link >= 0 ? 0 : fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno, "attach to %s", what);
}

static int try_netkit(struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, err);
	struct fg_link primary;

	if (!sk || make_pair(sk, "netkit", err) || fg_link_get(sk, 0, "fgprobe0", &primary, err))
		return -1;
	return attach_link(primary.ifindex, BPF_PROG_TYPE_SCHED_CLS, BPF_NETKIT_PEER, "netkit/peer",
			   err);
}

int fg_capability_probe_netkit(struct fg_error *err)
{
	return in_own_namespace(try_netkit, err);
}

static int try_veth(struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *sk = fg_rtnl_open(-1, err);

	return sk ? make_pair(sk, "veth", err) : -1;
}

int fg_capability_probe_veth(struct fg_error *err)
{
	return in_own_namespace(try_veth, err);
}

static int try_tcx(struct fg_error *err)
{
	return attach_link(LOOPBACK, BPF_PROG_TYPE_SCHED_CLS, BPF_TCX_INGRESS, "tcx/ingress", err);
}

int fg_capability_probe_tcx(struct fg_error *err)
{
	return in_own_namespace(try_tcx, err);
}

static int try_xdp(struct fg_error *err)
{
	return attach_link(LOOPBACK, BPF_PROG_TYPE_XDP, BPF_XDP, "xdp", err);
}

int fg_capability_probe_xdp(struct fg_error *err)
{
	return in_own_namespace(try_xdp, err);
}

static int try_clsact(struct fg_error *err)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LOOPBACK, .attach_point = BPF_TC_INGRESS);
	FG_FD int fd = load_classifier(err);
	LIBBPF_OPTS(bpf_tc_opts, filter, .prog_fd = fd);
	int ret;

	if (fd < 0)
		return -1;
	ret = bpf_tc_hook_create(&hook);
	if (ret)
		return fail(err, -ret, "make a clsact qdisc");
	ret = bpf_tc_attach(&hook, &filter);
	return ret ? fail(err, -ret, "attach a tc filter") : 0;
}

int fg_capability_probe_clsact(struct fg_error *err)
{
	return in_own_namespace(try_clsact, err);
}

/*
 * The BTF of a function int fg_target(struct __sk_buff *). Returns the function's type id, or a
 * negative errno value.
 */
static int describe_target(struct btf *btf)
{
	int number = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	int context = btf__add_fwd(btf, "__sk_buff", BTF_FWD_STRUCT);
	int pointer = btf__add_ptr(btf, context);
	int prototype = btf__add_func_proto(btf, number);

	if (btf__add_func_param(btf, "ctx", pointer))
		return -EINVAL;
	return btf__add_func(btf, "fg_target", BTF_FUNC_GLOBAL, prototype);
}

static int trace_target(int target, int function, struct fg_error *err)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FEXIT,
		    .attach_prog_fd = (uint32_t)target, .attach_btf_id = (uint32_t)function);
	FG_FD int fd = load_constant(BPF_PROG_TYPE_TRACING, 0, &opts);
	FG_FD int link = -1;

	if (fd < 0)
		return fail(err, errno, "load an fexit program for a tc program");
	link = bpf_link_create(fd, 0, BPF_TRACE_FEXIT, NULL);
	return link >= 0 ? 0 : fail(err, errno, "attach an fexit program to a tc program");
}

static int load_target(struct btf *btf, struct fg_error *err)
{
	int function = describe_target(btf);
	struct bpf_func_info info = { .type_id = (uint32_t)function };
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .func_info = &info, .func_info_cnt = 1,
		    .func_info_rec_size = sizeof(info));
	FG_FD int target = -1;
	int ret = function < 0 ? function : btf__load_into_kernel(btf);

	if (ret)
		return fail(err, -ret, "load a program's BTF");
	opts.prog_btf_fd = (uint32_t)btf__fd(btf);
	target = load_constant(BPF_PROG_TYPE_SCHED_CLS, 0, &opts);
	if (target < 0)
		return fail(err, errno, "load a tc program with BTF");
	return trace_target(target, function, err);
}

int fg_capability_probe_fexit(struct fg_error *err)
{
	struct btf *btf = btf__new_empty();
	int ret = btf ? load_target(btf, err) : fail(err, errno, "BTF");

	btf__free(btf);
	return ret;
}

int fg_capability_probe_run_stats(struct fg_error *err)
{
	FG_FD int stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	FG_FD int fd = load_classifier(err);
	struct bpf_prog_info info = {};
	uint32_t len = sizeof(info), retval;

	if (fd < 0)
		return -1;
	if (stats < 0)
		return fail(err, stats == -1 ? errno : -stats, "switch run counters on");
	if (run_classifier(fd, &retval) || bpf_prog_get_info_by_fd(fd, &info, &len))
		return fail(err, errno, "read a program's run counter");
	return info.run_cnt ? 0 : fg_fail(err, FG_ERR_UNSUPPORTED, "the run counter did not move");
}

/* The first process is never ours, except where it is: in a namespace of processes of our own. */
int fg_capability_probe_other_netns(struct fg_error *err)
{
	FG_FD int fd = fg_netns_open("/proc/1/ns/net", err);

	return fd < 0 ? -1 : 0;
}

int fg_capability_probe_cgroup_skb(struct fg_error *err)
{
	FG_FD int root = fg_cgroup_open_root(err);
	FG_FD int fd = -1;
	FG_FD int link = -1;

	if (root < 0)
		return -1;
	if (!fg_cgroup_is_root(root))
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "the cgroup hierarchy mounted here is only a part of the host's");
	fd = load_constant(BPF_PROG_TYPE_CGROUP_SKB, 1, NULL);
	if (fd < 0)
		return fail(err, errno, "load a cgroup program");
	link = bpf_link_create(fd, root, BPF_CGROUP_INET_INGRESS, NULL);
	return link >= 0 ? 0 : fail(err, errno, "attach to the root cgroup");
}
