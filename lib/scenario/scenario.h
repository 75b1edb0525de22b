/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scenario/scenario.h - a file that says which packets a network should let through, and which it
 * should not: reading it, laying it out as single probes once the pods are known, and comparing a
 * result with what was expected. Pure: no I/O. doc/flowgen-scenario.5 describes the file,
 * scenarios/scenario.schema.json its shape.
 */
#ifndef FG_SCENARIO_H
#define FG_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "probe/flows.h"
#include "probe/plan.h"
#include "probe/probe.h"
#include "yaml/yaml.h"

#define FG_SCENARIO_PROBES_MAX (1U << 20)
#define FG_SCENARIO_DEFAULT_TIMEOUT_NS 1000000000ULL
#define FG_SCENARIO_COMMAND_TIMEOUT_NS 30000000000ULL

/* What is expected of a probe. */
struct fg_scenario_expect {
	uint8_t verdicts;	   /* bit v: enum fg_verdict v will do; 0: any */
	uint8_t outcomes;	   /* bit o: enum fg_outcome o will do; 0: any */
	bool skip;		   /* this probe is not sent */
	bool arrives;		   /* and the packet must arrive */
	uint8_t stages[FG_STAGES]; /* as verdicts, of one stage of the path; 0: any */
	/*
	 * bit k: enum fg_reply_kind k will do; and as verdicts, of the return path. One of these is
	 * enough. Both 0: any, also none
	 */
	uint16_t replies;
	uint8_t back;
	uint64_t rtt_ns; /* the reply comes within this time; 0: no limit */
	char *reason;	 /* name of the drop reason, as a pattern; owned; NULL: any */
	/*
	 * Who denied it, as a pattern: a program's name, a chain ("inet filter forward"), a rule's
	 * comment, or a kind ("netfilter"); owned; NULL: any
	 */
	char *denied_by;
	char *text; /* as the file has it; owned */
};

/* Who sends: one entry of `pods`, or a reference written at a probe. */
struct fg_scenario_pods {
	char *name;
	char *ref;		/* as --pod; NULL: a selector */
	char *namespace, *glob; /* selector: patterns; NULL: any */
	char *interface;	/* NULL: the usual one */
	enum fg_method method;
	const json_t *node; /* where it is */
};

/* Where to: one entry of `destinations`, an entry of `pods`, or an address written at a probe. */
struct fg_scenario_place {
	char *name;
	bool nowhere;	     /* a command's name: nothing is sent there */
	struct fg_addr addr; /* family 0: the address of a pod */
	int port;	     /* -1: none */
	int pods;	     /* index of the pods whose address is meant; -1: none */
	uint16_t family;     /* of the pod's address to use; 0: the first it has */
	/* what a packet to addr and port has when it gets to its node; family 0: the same */
	struct fg_addr arrives;
	int arrives_port; /* -1: as it was sent */
};

/* One column for each destination: the packet, and its ports. */
struct fg_scenario_ports {
	char *label;			/* "udp/53" */
	uint32_t packet;		/* index in fg_scenario.packets */
	struct fg_ports dports, sports; /* total 0: not given */
};

/* A row of a matrix's table. */
struct fg_scenario_row {
	char *name; /* of pods, or of a single one that a selector has found */
	struct fg_scenario_expect *cells; /* by column: index of `to` times ports plus index of port
					   */
};

/* `exec`: a command that is the pod, in place of packets, and what is expected of it. */
struct fg_scenario_command {
	char **argv;		      /* ends with NULL; owned */
	char *text;		      /* on one line, for people; owned */
	bool any_status;	      /* else this one */
	uint8_t status;		      /* exit status */
	char *output;		      /* an extended regular expression; owned; NULL: any */
	uint64_t timeout_ns;	      /* then it is ended */
	struct fg_flows_expect flows; /* count 0: nothing */
	struct fg_addr src;	      /* who it is outside; family 0: it is a pod */
	bool host_names;	      /* names are looked up as the host does it */
	struct fg_addr server;	      /* else by this name server; family 0: the pod's */
	const json_t *node;	      /* of the key `exec` */
};

/* What a command did. Free with fg_scenario_ran_free(). */
struct fg_scenario_ran {
	int status;   /* its exit status, as `flowgen exec` has it */
	bool overdue; /* it took longer than its timeout */
	bool stopped; /* it was ended because the run was */
	char *failed; /* why it was not started; NULL: it was. Owned */
	char *output; /* the beginning of what it wrote; owned; not NULL if it was started */
	bool output_cut;
	enum fg_flows_met met; /* what is expected of its flows */
	char met_why[240];
	enum fg_flows_word seen;  /* of its flows, for --record */
	char *flows, *flows_text; /* JSON, an object a line, and text; owned; NULL: none */
	uint64_t duration_ns;
};
void fg_scenario_ran_free(struct fg_scenario_ran *ran);

/* A probe, or a matrix: from x to x ports. */
struct fg_scenario_set {
	char *name; /* NULL: made from the ends */
	bool matrix;
	struct fg_scenario_command *command; /* NULL: packets. Owned. Else it has one destination
						and one port, which say nothing but its name */
	uint32_t *from, *to;		     /* indices of pods and places */
	size_t from_count, to_count;
	struct fg_scenario_ports *ports;
	size_t port_count;
	struct fg_scenario_expect expect; /* for each without a cell */
	struct fg_scenario_row *rows;
	size_t row_count;
	int control_of;	    /* index of the set whose denials this one proves; -1: none */
	uint64_t count;	    /* how often each is sent */
	uint64_t senders;   /* of the whole, where the file is a node's part of it; 0: from_count */
	struct fg_addr src; /* family 0: the pod's own */
	bool spoof;
	char *on_failure; /* what it means, and what to do next; NULL: not given */
	const json_t *node;
	const json_t *control_node; /* of control-of */
};

struct fg_scenario {
	struct fg_yaml yaml;
	char *name, *description, *on_failure;
	json_t *variables; /* name -> text, as --set or the file gives them */
	uint64_t timeout_ns;
	bool trace_netfilter;
	bool seeded;
	uint64_t seed;
	struct fg_scenario_pods *pods;
	size_t pod_count;
	struct fg_scenario_place *places;
	size_t place_count;
	struct fg_packet_spec *packets;
	char **packet_keys; /* by packet: the settings it was made of */
	size_t packet_count;
	struct fg_scenario_set *sets;
	size_t set_count;
	bool wants_reply;  /* something is expected of replies */
	char warning[256]; /* the first oddity of a packet; empty: none */
};

/* A variable given on the command line: "NAME=VALUE". */
struct fg_scenario_setting {
	const char *text;
	bool used; /* a file declares it */
};

/*
 * Reads a scenario from text. file names it in errors, which are FG_ERR_USAGE and
 * "FILE:LINE:COLUMN: KEY PATH: what was expected there". Settings that the file declares are marked
 * as used; the caller must refuse the others. Returns 0 or -1; fg_scenario_free() in either
 * case.
 */
int fg_scenario_read(struct fg_scenario *scenario, const char *file, const char *text, size_t len,
		     struct fg_scenario_setting *settings, size_t setting_count,
		     struct fg_error *err);

/* The same from what libyaml says of the text: fg_yaml_events(), perhaps of another process. */
int fg_scenario_read_events(struct fg_scenario *scenario, const char *file, const void *events,
			    size_t size, struct fg_scenario_setting *settings, size_t setting_count,
			    struct fg_error *err);

/* The same from a tree, which becomes the scenario's, also after a failure. */
int fg_scenario_read_tree(struct fg_scenario *scenario, struct fg_yaml *yaml,
			  struct fg_scenario_setting *settings, size_t setting_count,
			  struct fg_error *err);
void fg_scenario_free(struct fg_scenario *scenario);

/* "NAMESPACE/NAME", or a name without a namespace, matches the selector. */
bool fg_scenario_selects(const struct fg_scenario_pods *pods, const char *name);

/* "ip:ADDR[,ADDR]", a sender on another node: of each family one address. Returns 0 or -1. */
int fg_scenario_read_addresses(const char *ref, struct fg_addr *v4, struct fg_addr *v6,
			       struct fg_error *err);

/* --- laying out --- */

/* One pod that an entry of `pods` means. */
struct fg_scenario_member {
	char *label; /* the entry's name, or that of the pod which the selector has found; owned by
			the caller */
	const char *node; /* in a cluster: its node's name; NULL: this one. Borrowed */
	int pod;	  /* number in the session; -1: it is a destination only */
	uint32_t netns;	  /* inode number: by it a pod of two names is known; 0: outside, no pod */
	struct fg_addr v4, v6; /* its addresses; family 0: none */
	struct fg_addr *owned; /* all that its namespace holds, these included; owned by the caller
				*/
	size_t owned_count;
	struct fg_addr link; /* its link-local IPv6 address, for such destinations */
};

/* What one entry of `pods` means. */
struct fg_scenario_found {
	struct fg_scenario_member *members;
	size_t count;
	char why[512]; /* count 0: why there is none */
};

/* Probes that differ only in their port. */
struct fg_scenario_block {
	uint64_t first, total; /* number of the first probe (from 0) in the whole run, and of how
				  many */
	uint32_t set, from, to, port; /* indices: of sets, in from, to and ports of the set */
	uint32_t column;	      /* of the matrix's table */
	const struct fg_scenario_member *source, *target; /* NULL: not on this node, not a pod */
	const struct fg_scenario_expect *expect;
	struct fg_addr src, dst; /* of one family; src.family 0: there is none, see why */
	bool any_source;	 /* the scenario names no source: the pod's kernel chooses */
	const char *why;	 /* nothing can be sent: the reason; NULL: it can */
	const struct fg_ports *dports, *sports; /* NULL: none */
	struct fg_ports own_port;		/* of the destination: dports may point here */
	struct fg_port_range own_range;
};

struct fg_scenario_layout {
	struct fg_scenario_block *blocks; /* owned; their dports may point into themselves: not to
					     be moved */
	size_t count;
	uint64_t total;
};

/*
 * Lays out all sets of the scenario; found has one entry for each of scenario->pods. Controls come
 * before what they prove. Both arguments must outlive the layout. Returns 0, or -1 with
 * FG_ERR_USAGE if there are more than FG_SCENARIO_PROBES_MAX.
 */
int fg_scenario_lay_out(const struct fg_scenario *scenario, const struct fg_scenario_found *found,
			struct fg_scenario_layout *out, struct fg_error *err);
void fg_scenario_layout_free(struct fg_scenario_layout *layout);

/* Whether the one block is a control of the other: from the same pod, to the same place. */
bool fg_scenario_proves(const struct fg_scenario *scenario, const struct fg_scenario_block *control,
			const struct fg_scenario_block *block);
/* Whether a set has controls. */
bool fg_scenario_has_control(const struct fg_scenario *scenario, uint32_t set);

/* No probe of any file matches --only: FG_ERR_USAGE. Returns -1. */
int fg_scenario_fail_only(const char *only, struct fg_error *err);

/*
 * Which blocks have a probe with this name, or one that the pattern matches, and the controls of
 * these: chosen has an entry for each block.
 */
void fg_scenario_choose(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
			const char *pattern, bool *chosen);

/* Of a block's probes those from, and before, this one; none: it is left out. */
struct fg_scenario_range {
	uint64_t from, until;
};

/*
 * Chooses blocks by a list of their numbers, from 1, with commas: N, N-M, or N:A-B for some probes
 * of one, from 0. ranges has an entry for each block. Returns 0 or -1.
 */
int fg_scenario_choose_listed(const char *what, const char *list,
			      const struct fg_scenario_layout *layout,
			      struct fg_scenario_range *ranges, struct fg_error *err);

/* What the packet is when it gets to a node that awaits it: a Service is translated on the way. */
void fg_scenario_translate(const struct fg_scenario *scenario,
			   const struct fg_scenario_block *block, struct fg_probe_spec *spec);

/* The name of a block's index-th probe (from 0), of at most size bytes. Returns buf. */
const char *fg_scenario_probe_name(const struct fg_scenario *scenario,
				   const struct fg_scenario_block *block, uint64_t index, char *buf,
				   size_t size);
#define FG_SCENARIO_NAME_LEN 256

/* The name that the destination has in reports: of the place, or of the pod that it turned out to
 * be. */
const char *fg_scenario_target_name(const struct fg_scenario *scenario,
				    const struct fg_scenario_block *block);

/* --- judging --- */

enum fg_case_status {
	FG_CASE_PASS,
	FG_CASE_FAIL,
	FG_CASE_SKIP,
	FG_CASE_INCONCLUSIVE,
	FG_CASE_STATUSES
};
const char *fg_scenario_status_name(enum fg_case_status status); /* "pass", "fail", "skip",
								"inconclusive" */

/*
 * Compares a judged probe with what was expected of it. context gives the ladder and the names. why
 * (of size bytes) becomes the first thing that differs ("verdict: expected denied, got allowed"),
 * or why it is not known; "" for a pass.
 */
enum fg_case_status fg_scenario_check(const struct fg_scenario_expect *expect,
				      const struct fg_probe *probe,
				      const struct fg_context *context, char *why, size_t size);

/* The expectation that the engine itself knows and is the same, for the result's own `expect`. */
enum fg_expect fg_scenario_simple(const struct fg_scenario_expect *expect);
/* And the other way round; it owns nothing. Of FG_EXPECT_NOTHING any end that is seen will do. */
struct fg_scenario_expect fg_scenario_expect_of(enum fg_expect expect);

/*
 * Reads an expectation from one line: a word ("allow"), or a list of KEY=VALUE and words: "deny",
 * "ingress=deny,by=NAME", with egress, node, ingress, reply, by, reason. Returns 0, or -1 with
 * FG_ERR_USAGE. Free by fg_scenario_expect_free(), also after a failure.
 */
int fg_scenario_expect_parse(const char *what, const char *text, struct fg_scenario_expect *out,
			     struct fg_error *err);
void fg_scenario_expect_free(struct fg_scenario_expect *expect);

/* --- learning --- */

/* What was seen of a probe, in the one word that a table's cell holds: "allow", "deny", "none",
 * "any", ... */
const char *fg_scenario_seen_word(const struct fg_result *result);

/*
 * The scenario's file with what was seen in place of what was expected: seen has, for each probe of
 * the layout, a word as fg_scenario_seen_word() or NULL if nothing was sent; of a command that of
 * fg_flows_word_name(), and statuses its exit status. If its text was kept (fg_yaml_keep()) it
 * stays but for that: comments, order, layout; else *lost says why not, and is NULL otherwise.
 * Returns YAML (owned by the caller), or NULL if memory is short.
 */
char *fg_scenario_record(const struct fg_scenario *scenario,
			 const struct fg_scenario_layout *layout, const char *const *seen,
			 const uint8_t *statuses, const char **lost, struct fg_error *err);
/* A warning of *lost. */
#define FG_SCENARIO_LOST "the scenario is written anew, without its comments: %s"

#endif
