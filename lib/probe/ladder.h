/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * probe/ladder.h - the ladder: the policy programs on a path, in the order in which a packet meets
 * them.
 */
#ifndef FG_LADDER_H
#define FG_LADDER_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "probe/decision.h"

/* The hooks of devices. */
enum fg_hook {
	FG_HOOK_TCX_EGRESS,
	FG_HOOK_TC_EGRESS,
	FG_HOOK_NETKIT_PEER,
	FG_HOOK_XDP,
	FG_HOOK_TCX_INGRESS,
	FG_HOOK_TC_INGRESS,
	FG_HOOK_NETKIT_PRIMARY, /* what the primary sends: to a pod */
	FG_HOOKS
};

enum fg_side { FG_SIDE_POD, FG_SIDE_HOST };

/* What a step of the ladder is. */
enum fg_rung_kind {
	FG_RUNG_BPF,	/* a BPF program */
	FG_RUNG_CBPF,	/* a tc filter of kind bpf that holds classic BPF: it has no program id */
	FG_RUNG_FILTER, /* a tc filter of another kind */
};

/* What a tc filter does with a packet that it matches. */
enum fg_tc_action {
	FG_TC_NONE, /* the filter is a program in direct-action mode: its return value decides */
	FG_TC_PASS, /* accepted; also if it has no action */
	FG_TC_DROP,
	FG_TC_REDIRECT, /* mirred: it leaves through target, and is no longer seen here */
	FG_TC_MIRROR,	/* mirred: target gets a copy, the packet itself is accepted */
	FG_TC_GOTO,	/* continues in chain goto_chain */
	FG_TC_POLICE,	/* dropped if over the rate */
	FG_TC_NEXT,	/* the next filter runs, as if nothing had matched */
	FG_TC_OTHER,	/* see action_text */
	FG_TC_ACTIONS
};

/* One policy program, or one tc filter, on the path. */
struct fg_program {
	enum fg_stage stage;
	enum fg_hook hook;
	enum fg_side side;
	uint32_t id;
	int ifindex;
	uint32_t netns; /* inode number of the device's namespace */
	char device[IFNAMSIZ];
	/* from its BTF if it has any: the kernel's own name is cut at 15 characters */
	char name[64];
	uint8_t tag[8];
	bool classifier; /* tc filter without direct-action: the return value is not an action */
	bool native;	 /* XDP in the driver: it runs before the packet is received */
	bool traced;	 /* fentry and fexit sit on it */
	/* the device at the other end of the receiver's pair, in the pod; 0: it is not that kind of
	 * program
	 */
	uint32_t other_netns;
	int other_ifindex;

	enum fg_rung_kind kind;
	char what[48]; /* the filter's kind: "u32", "flower", "bpf (classic)"; empty at other hooks
			*/
	/*
	 * tc: what distinguishes filters at a hook, where one program may be twice.
	 * protocol: an Ethertype, host order; 0: all.
	 */
	uint32_t pref, handle, chain;
	uint16_t protocol;
	uint32_t parent; /* the classful qdisc that it classifies for ("1:" is 0x10000); 0: clsact
			  */
	uint32_t block;	 /* shared by several devices under this number; 0: not shared */
	enum fg_tc_action action;
	char target[IFNAMSIZ]; /* the device that it redirects or mirrors to */
	int target_ifindex;
	bool target_ingress;  /* as if it had been received there */
	uint32_t goto_chain;  /* FG_TC_GOTO */
	uint32_t action_id;   /* the BPF program that is its action (act_bpf); 0: none */
	bool may_drop;	      /* one of its actions can drop */
	char action_text[48]; /* the kinds of its actions: "ct, mirred"; empty: none */
	/*
	 * Programs (freplace) that replace functions of this one: how many, and the id of one.
	 * Only after fg_policy_find_extensions().
	 */
	uint32_t extension, extensions;
	/* among filters: the index of the program that it comes before; count: after all */
	size_t before;
};

/*
 * The ladder: all of them, in the order in which a packet meets them: those of the sending pod
 * (FG_STAGE_EGRESS) first, then those of devices on the host, then those of the receiving pod or
 * the uplink, as far as the packet's path is known.
 */
struct fg_ladder {
	struct fg_program *programs; /* owned; fg_ladder_free() */
	size_t count;
	bool other_filters; /* tc filters that are not BPF programs are attached to the path too */
	bool pod_filters;   /* some of these on the pod's side */
	bool pod_netfilter; /* netfilter chains hook in at the peer's egress */
	bool pod_qdisc;	    /* the peer has a queueing discipline that can drop or delay */
	/*
	 * All that is not a BPF program of chain 0 at clsact (or ingress), in the kernel's order:
	 * filters of other kinds, classic BPF, programs in other chains, and what classifies for a
	 * qdisc.
	 */
	struct fg_program *filters; /* owned */
	size_t filter_count;
	bool filters_cut; /* there are more than FG_LADDER_MAX of them */
	bool pod_xdp;	  /* generic XDP is attached to the peer: it sees what is put there */
	bool tcx;	  /* the kernel has this kind of hook */
};
/* No ladder is longer: a path with more programs is refused. */
#define FG_LADDER_MAX 64

void fg_ladder_free(struct fg_ladder *ladder);

/* "pass", "drop", "redirect", ... */
const char *fg_ladder_action_name(enum fg_tc_action action);

/*
 * What a tc filter is called: "u32 pref 10 handle 800::800 chain 2, redirect to ifb0". Returns buf.
 */
const char *fg_ladder_filter_text(const struct fg_program *filter, char *buf, size_t size);
#define FG_LADDER_FILTER_LEN 240

/* How many programs are the sending pod's: they come first. */
size_t fg_ladder_egress(const struct fg_ladder *ladder);

/*
 * Puts copies of the programs of more into the ladder, after those of earlier stages and of that
 * one; what is there already (the same program at the same hook of the same device) is left out.
 * Its filters too. Returns 0 or -1.
 */
int fg_ladder_extend(struct fg_ladder *ladder, const struct fg_ladder *more, enum fg_stage stage,
		     struct fg_error *err);

/* Whether filters that are not programs are at the same hook of the same device. */
bool fg_ladder_has_filters(const struct fg_ladder *ladder, const struct fg_program *program);

#endif
