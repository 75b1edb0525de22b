/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cluster/split.h - a scenario over a cluster as scenarios of its nodes: each has the probes whose
 * senders are there, and addresses in place of everything else. Pure.
 */
#ifndef FG_CLUSTER_SPLIT_H
#define FG_CLUSTER_SPLIT_H

#include "cluster/resolve.h"

/* An end that the scenario names: an entry of pods or destinations, or a word at a probe. */
struct fg_split_end {
	char *key;	     /* as the probes have it; owned */
	const json_t *where; /* in the file */
	struct fg_name name; /* what it stands for */
	bool sends;	     /* an entry of pods, or a word in from */
	bool listed;	     /* an entry of pods */
	char pod[330];	     /* NAMESPACE/NAME, filled in by who resolves it; "": not a pod */
	const struct fg_object_pod *object; /* the same; NULL: not a pod */
	char node[254];			    /* its pod's node; "": not known */
	char address[64];		    /* ADDRESS or ADDRESS:PORT */
	bool ported;			    /* the file gives its port beside it */
	bool elsewhere; /* with no node of its own: it may be on another one than any sender */
	struct fg_targets receivers; /* whose nodes are known (cluster/receivers.h); owned */
};

struct fg_split {
	json_t *root;		     /* strings, as YAML has them; borrowed */
	const char *const *settings; /* "VAR=VALUE", ends with NULL */
	struct fg_split_end *ends;   /* owned */
	size_t count;
	json_t *before;	      /* pods and destinations, as the file has them; owned */
	const json_t *failed; /* in the file, if opening it has failed; NULL: nowhere */
};

/*
 * Finds the ends. Returns 0, or -1 with FG_ERR_USAGE: selectors of pods are one node's, so they are
 * refused, and labels named instead; one end is one pod.
 */
int fg_split_open(struct fg_split *split, json_t *root, const char *const *settings,
		  struct fg_error *err);
void fg_split_free(struct fg_split *split);

/* The end with this key; NULL: there is none. */
struct fg_split_end *fg_split_find(const struct fg_split *split, const char *key);

/*
 * The scenario of a node, whose ends are resolved. Returns a new reference, or NULL: no sender is
 * there.
 */
json_t *fg_split_node(const struct fg_split *split, const char *node);

/*
 * The scenario of a node's senders for one of their receivers' nodes, which awaits their packets
 * (flowgen run --await): each sender is its addresses, and each destination what arrives of it at
 * the rank-th of its receivers there. Returns a new reference, or NULL.
 */
json_t *fg_split_awaited(const struct fg_split *split, const char *sender, const char *node,
			 size_t rank);

/*
 * The scenario as a whole, for fg_scenario_read_tree(): pods and addresses take the places of
 * names in the root itself, so that what the file says has its line. Comes after all of
 * fg_split_node(). Returns 0 or -1.
 */
int fg_split_whole(struct fg_split *split, struct fg_error *err);

/* Takes that back in a tree that was the root's, or is a copy of it. */
void fg_split_restore(const struct fg_split *split, json_t *root);

#endif
