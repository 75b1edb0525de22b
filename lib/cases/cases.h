/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cases/cases.h - a scenario over a cluster, laid out on its pods: which probes are to come from
 * which node, and the nodes' results as cases of the whole (suite/case.h), for the same reports as
 * on one node. Pure.
 */
#ifndef FG_CASES_H
#define FG_CASES_H

#include "cluster/split.h"
#include "suite/case.h"

/* Zeroed is empty. */
struct fg_cases {
	struct fg_scenario scenario;
	struct fg_scenario_found *found;    /* by pods; owned */
	struct fg_scenario_member *members; /* each pod is one; owned */
	struct fg_scenario_layout layout;
	struct fg_case_mark *marks; /* by probe; owned */
	uint8_t *controls;	    /* how each went, by round and probe; owned */
	size_t control_count;
	struct fg_case_counts counts;
	uint64_t rounds;
	uint64_t chosen;    /* probes of a round that are to be sent */
	bool *left_out;	    /* by block; owned */
	uint64_t *answered; /* by probe: how many results there are; owned */
	const char **seen;  /* by probe: in a word, for fg_cases_record(); NULL: nothing; owned */
	uint8_t *statuses;  /* by probe: a command's exit status; owned */
	json_t *by_name;    /* name -> indices of probes; owned */
	uint64_t missing;   /* by fg_cases_miss(): where it has come to */
};

struct fg_cases_options {
	const char *only; /* a pattern; NULL: all */
	uint64_t rounds;  /* 0 is 1 */
};

/*
 * The split's ends are resolved, and it has become the whole (fg_split_whole()). The tree becomes
 * the scenario's. Returns 0, or -1: FG_ERR_USAGE "FILE:LINE:COLUMN: ..." if the file is wrong. Free
 * it either way; the split must outlive it.
 */
int fg_cases_open(struct fg_cases *c, const struct fg_split *split, struct fg_yaml *yaml,
		  struct fg_scenario_setting *settings, size_t setting_count,
		  const struct fg_cases_options *options, struct fg_error *err);
void fg_cases_free(struct fg_cases *c);

/* Whether some probe is to be sent from this node. */
bool fg_cases_on(const struct fg_cases *c, const char *node);

/* One result as a case, and what it points to. */
struct fg_cases_result {
	struct fg_case c;
	struct fg_case_told told;
	char name[FG_SCENARIO_NAME_LEN];
	struct fg_buffer headline, text;
	char *json;   /* owned */
	json_t *made; /* of a probe without a result; owned */
};

/*
 * What is expected of a result that was joined of several nodes' halves (cluster/halves.h): its
 * status and why are set. A denial is proven by its controls of the same round, whose results were
 * taken before.
 */
void fg_cases_judge(const struct fg_cases *c, const struct fg_scenario_block *block, json_t *line);

/*
 * A line of a node's `flowgen run` (doc/run.schema.json), with its node and the case's number in
 * the report. The line is changed: its number, and the probe's name in the whole. What no probe of
 * the file can be is inconclusive under the first one's name. The result is counted, and marked in
 * the matrix. Returns 0 or -1; free it either way.
 */
int fg_cases_take(struct fg_cases *c, json_t *line, uint64_t number, struct fg_cases_result *r,
		  struct fg_error *err);

/*
 * The next probe of a node whose results do not all come: inconclusive, and why. Returns 1, or 0:
 * there is none; or -1. Free it in any case.
 */
int fg_cases_miss(struct fg_cases *c, const char *node, const char *why, uint64_t number,
		  struct fg_cases_result *r, struct fg_error *err);

/*
 * The file with what was seen in place of what was expected. unknown: of how many probes nothing is
 * known ("any"); lost: as of fg_scenario_record(). Returns YAML, owned by the caller, or NULL.
 */
char *fg_cases_record(const struct fg_cases *c, const struct fg_split *split, uint64_t *unknown,
		      const char **lost, struct fg_error *err);

void fg_cases_result_free(struct fg_cases_result *r);

#endif
