/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * scenario.h - a file that says which packets a network should let through, and which not: reading
 * it, laying it out as single probes once the pods are known, and holding a result against what was
 * expected. Pure: no I/O. doc/flowgen-scenario.5 describes the file, scenarios/scenario.schema.json
 * its shape.
 */
#ifndef FG_SCENARIO_H
#define FG_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

#include "plan.h"
#include "probe.h"
#include "yaml_tree.h"

#define FG_SCENARIO_PROBES_MAX (1U << 20)
#define FG_SCENARIO_DEFAULT_TIMEOUT_NS 1000000000ULL

/* What is expected of a probe. */
struct fg_scenario_expect {
	uint8_t verdicts; /* bit v: enum fg_verdict v will do; 0: any */
	uint8_t outcomes; /* bit o: enum fg_outcome o will do; 0: any */
	bool skip;	  /* no such probe is sent */
	uint16_t replies; /* bit k: enum fg_reply_kind k will do; 0: any, also none */
	uint64_t rtt_ns;  /* the answer comes within this time; 0: no bound */
	char *reason;	  /* name of the drop reason, as a pattern; owned; NULL: any */
	char *denied_by;  /* name of the denying program, as a pattern; owned; NULL: any */
	char *text;	  /* as the file has it; owned */
};

/* Who sends: one entry of `pods`, or a reference written at a probe. */
struct fg_scenario_pods {
	char *name;
	char *ref;		/* as --pod; NULL: a selector */
	char *namespace, *glob; /* selector: patterns; NULL: any */
	char *interface;	/* NULL: the usual one */
	enum fg_method method;
	const json_t *node; /* where it stands */
};

/* Where to: one entry of `destinations`, an entry of `pods`, or an address written at a probe. */
struct fg_scenario_place {
	char *name;
	struct fg_addr addr; /* family 0: the address of a pod */
	int port;	     /* -1: none */
	int pods;	     /* index of the pods whose address is meant; -1: none */
	uint16_t family;     /* of a pod's address that is taken; 0: the first it has */
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

/* A probe, or a matrix: from x to x ports. */
struct fg_scenario_set {
	char *name; /* NULL: made from the ends */
	bool matrix;
	uint32_t *from, *to; /* indices of pods and places */
	size_t from_count, to_count;
	struct fg_scenario_ports *ports;
	size_t port_count;
	struct fg_scenario_expect expect; /* for each without a cell */
	struct fg_scenario_row *rows;
	size_t row_count;
	int control_of;	    /* index of the set whose denials this one proves; -1: none */
	uint64_t count;	    /* how often each is sent */
	struct fg_addr src; /* family 0: the pod's own */
	bool spoof;
	char *on_failure; /* what it means, and what to do next; NULL: nothing said */
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
	bool wants_reply;  /* something is expected of answers */
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
 * as used; the others are the caller's to refuse. Returns 0 or -1; fg_scenario_free() in either
 * case.
 */
int fg_scenario_read(struct fg_scenario *scenario, const char *file, const char *text, size_t len,
		     struct fg_scenario_setting *settings, size_t setting_count,
		     struct fg_error *err);
void fg_scenario_free(struct fg_scenario *scenario);

/* "NAMESPACE/NAME", or a name without a namespace, fits the selector. */
bool fg_scenario_selects(const struct fg_scenario_pods *pods, const char *name);

/* --- laying out --- */

/* One pod that an entry of `pods` has turned out to be. */
struct fg_scenario_member {
	char *label; /* the entry's name, or that of the pod which the selector has found; owned by
			the caller */
	int pod;     /* number in the session; -1: it is a destination only */
	uint32_t netns;	       /* inode number: by it one pod under two names is known */
	struct fg_addr v4, v6; /* its addresses; family 0: none */
};

/* What one entry of `pods` has turned out to be. */
struct fg_scenario_found {
	struct fg_scenario_member *members;
	size_t count;
	char why[512]; /* count 0: why there is none */
};

/* Probes that differ in their port and in nothing else. */
struct fg_scenario_block {
	uint64_t first, total; /* number of the first probe (from 0) in the whole run, and of how
				  many */
	uint32_t set, from, to, port; /* indices: of sets, in from, to and ports of the set */
	uint32_t column;	      /* of the matrix's table */
	const struct fg_scenario_member *source, *target; /* NULL: not on this node, not a pod */
	const struct fg_scenario_expect *expect;
	struct fg_addr src, dst; /* of one family; src.family 0: there is none, see why */
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
 * FG_ERR_USAGE where there are more than FG_SCENARIO_PROBES_MAX.
 */
int fg_scenario_lay_out(const struct fg_scenario *scenario, const struct fg_scenario_found *found,
			struct fg_scenario_layout *out, struct fg_error *err);
void fg_scenario_layout_free(struct fg_scenario_layout *layout);

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
const char *fg_case_status_name(enum fg_case_status status); /* "pass", "fail", "skip",
								"inconclusive" */

/*
 * Holds a judged probe against what was expected of it. scene gives the ladder and the names. why
 * (of size bytes) becomes the first thing that differs ("verdict: expected denied, got allowed"),
 * or why it cannot be told; "" for a pass.
 */
enum fg_case_status fg_scenario_check(const struct fg_scenario_expect *expect,
				      const struct fg_probe *probe, const struct fg_scene *scene,
				      char *why, size_t size);

/* The expectation that the engine itself knows and is the same, for the result's own `expect`. */
enum fg_expect fg_scenario_simple(const struct fg_scenario_expect *expect);

/* --- learning --- */

/* What was seen of a probe, in the one word that a table's cell holds: "allow", "deny", "none",
 * "any", ... */
const char *fg_scenario_seen_word(const struct fg_probe *probe);

/*
 * The scenario's file with what was seen in place of what was expected: seen has, for each probe of
 * the layout, a word as fg_scenario_seen_word() or NULL where nothing was sent. Returns YAML (owned
 * by the caller), or NULL where memory is short.
 */
char *fg_scenario_record(const struct fg_scenario *scenario,
			 const struct fg_scenario_layout *layout, const char *const *seen,
			 struct fg_error *err);

#endif
