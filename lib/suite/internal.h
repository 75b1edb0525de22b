/* SPDX-License-Identifier: GPL-2.0-only */
/* suite/internal.h - what the files of this room share. */
#ifndef FG_SUITE_INTERNAL_H
#define FG_SUITE_INTERNAL_H

#include <jansson.h>

#include "suite/case.h"

/* --- essence.c: what two results are compared by --- */

enum fg_essence_part {
	FG_ESSENCE_VERDICT, /* of a command: what its flows met */
	FG_ESSENCE_DENIED_BY,
	FG_ESSENCE_OUTCOME, /* of a command: its exit status */
	FG_ESSENCE_REASON,
	FG_ESSENCE_PARTS
};

/* The parts are borrowed, or point into the value itself: it is not to be copied. */
struct fg_essence {
	const char *part[FG_ESSENCE_PARTS]; /* NULL: none */
	char text[400];
};

/* "verdict", "denied_by", "outcome", "reason". */
const char *fg_essence_name(enum fg_essence_part part);

/* Of a line of JSON: doc/result.schema.json, or a command, or what was not sent
 * (doc/run.schema.json). */
void fg_essence_read(const json_t *line, struct fg_essence *out);

/* Of a case with a probe or a command; of one that was not sent the verdict is "not sent". For one
 * that was judged elsewhere its line is read: *line, which the caller releases; else NULL. */
void fg_essence_take(const struct fg_case *c, struct fg_essence *out, json_t **line);

/* Whether all parts are the same; "none" is as good as no part. */
bool fg_essence_is_same(const struct fg_essence *a, const struct fg_essence *b);

/*
 * Who decided what came of it: the last on its way that let it pass, sent it elsewhere or ended it.
 * Returns buf; NULL: nothing did, or it is not known.
 */
const char *fg_essence_decider(const struct fg_case *c, char *buf, size_t size);
#define FG_ESSENCE_DECIDER_LEN 1000

/* --- changes.c: how a case differs from the round before; it has changed --- */

struct fg_page;

/* As a JSON object (doc/run.schema.json). */
void fg_change_put_json(const struct fg_case *c, struct fg_buffer *out);
/* Lines that say what it was, what it is, and who decided. */
void fg_change_put_text(const struct fg_case *c, const struct fg_page *page);

/* --- matrix.c: what came of a probe, as a letter --- */

/* The order is that of the legend. */
enum fg_letter {
	FG_LETTER_ALLOWED,
	FG_LETTER_NO_POLICY,
	FG_LETTER_DENIED,
	FG_LETTER_DROPPED,
	FG_LETTER_REJECTED,
	FG_LETTER_REDIRECTED,
	FG_LETTER_STATUS, /* of a command */
	FG_LETTER_UNKNOWN,
	FG_LETTER_SKIPPED,
	FG_LETTERS,
};

/* Of a probe that was run. */
enum fg_letter fg_matrix_letter(const struct fg_case_mark *mark);
/* "denied". */
const char *fg_matrix_meaning(enum fg_letter letter);
/* The greater, the worse: a failure is worse than a doubt, and that than what was not sent. */
int fg_matrix_badness(const struct fg_case_mark *mark);

/* --- portmap.c: the ports of a sweep as a picture --- */

/* Of fewer ports a cell of the matrix says enough. */
#define FG_PORTMAP_LEAST 16

bool fg_portmap_is_due(const struct fg_scenario_block *b);
/*
 * Appends an HTML figure: a cell for each destination port of the block, and the same as a list of
 * ranges; nothing if none was run. Returns 0, or -1 if memory is short.
 */
int fg_portmap_put(const struct fg_scenario_block *b, const struct fg_case_mark *marks,
		   const char *title, struct fg_buffer *out);

/* --- ports.c: two summaries of a sweep, port by port --- */

/* A range of ports that came to the same in each run; NULL: that run had none of them. */
typedef void (*fg_ports_range_fn)(void *arg, const char *name, const struct fg_essence *before,
				  const struct fg_essence *after);
/*
 * Tells of all ranges of two summaries (doc/summary.schema.json) of one pod; NULL: there is none.
 * key names the pod. Returns 0, or -1 if memory is short.
 */
int fg_ports_compare(const char *key, const json_t *before, const json_t *after,
		     fg_ports_range_fn told, void *arg);

/* --- look.c: what an HTML report is drawn by --- */

/* Its style, and its script (the filter) with the hash of that, as a policy for content names it.
 */
extern const char fg_look_style[], fg_look_script[], fg_look_script_hash[];

#endif
