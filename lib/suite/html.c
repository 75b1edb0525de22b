// SPDX-License-Identifier: GPL-2.0-only
/* suite/html.c - a run as one HTML file: nothing is fetched, no script is needed (but for the
 * filter), and it can be printed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "suite/case.h"
#include "base/markup.h"
#include "probe/names.h"
#include "report/report.h"
#include "suite/internal.h"

/* Pictures of one matrix. */
#define MAPS_MAX 100

/* A status has a colour, a sign and a word: none of them alone carries the meaning. */
static const char *const classes[] = { "pass", "fail", "skip", "open", "none" };
static const char *const signs[] = { "&#10003;", "&#10007;", "&#8211;", "?", "&#183;" };
static const char *const words[] = { "as expected", "not as expected", "skipped", "inconclusive",
				     "not run" };

static void put_counts(struct fg_buffer *out, const struct fg_case_counts *counts)
{
	fg_buffer_puts(out, "<ul class=\"counts\">");
	for (int i = 0; i < FG_CASE_STATUSES; i++)
		if (counts->by_status[i] || !i)
			fg_buffer_printf(out, "<li class=\"%s\">%s %llu %s</li>", classes[i],
					 signs[i], (unsigned long long)counts->by_status[i],
					 words[i]);
	fg_buffer_puts(out, "</ul>\n");
}

static void put_origin(struct fg_buffer *out, const struct fg_origin *origin)
{
	struct fg_buffer text = {};

	fg_origin_put(origin, &text);
	fg_buffer_puts(out, "<p class=\"origin\">");
	fg_markup_put_bytes(out, text.data, text.len);
	fg_buffer_puts(out, "</p>\n");
	fg_buffer_free(&text);
}

/* A policy for content: nothing is fetched, and no script runs but the filter, whatever the names
 * of pods are. */
static void put_head(struct fg_buffer *out, const struct fg_origin *origin)
{
	fg_buffer_puts(out,
		       "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		       "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		       "style-src 'unsafe-inline'; script-src '");
	fg_buffer_puts(out, fg_look_script_hash);
	fg_buffer_puts(
		out,
		"'\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		"<meta name=\"color-scheme\" content=\"light dark\">\n<title>flowgen run");
	if (origin) {
		fg_buffer_puts(out, ", ");
		fg_markup_put(out, origin->host.nodename);
		fg_buffer_printf(out, ", %s", origin->started);
	}
	fg_buffer_puts(out, "</title>\n<style>");
	fg_buffer_puts(out, fg_look_style);
	fg_buffer_puts(out, "</style></head>\n");
}

static const char filter[] =
	"<form id=\"filter\" hidden><label>Show what has <input type=\"search\" name=\"q\"></label> "
	"<label><input type=\"checkbox\" name=\"b\"> only what is not as expected</label> "
	"<output name=\"n\"></output></form>\n";

int fg_html_begin(const struct fg_case_counts *all, const struct fg_origin *origin,
		  struct fg_buffer *out, struct fg_error *err)
{
	uint64_t done = fg_case_done(all);
	size_t len = out->len;

	put_head(out, origin);
	fg_buffer_puts(out, "<body id=\"top\"><h1>flowgen run</h1>\n");
	fg_buffer_printf(out, "<p>%llu probe%s in %.2f s.</p>\n", (unsigned long long)done,
			 done == 1 ? "" : "s", (double)all->duration_ns / 1e9);
	if (origin)
		put_origin(out, origin);
	if (all->lost_nodes)
		fg_buffer_printf(
			out,
			"<p class=\"open\"><b>Nodes lost:</b> %llu. What did not come of them "
			"is inconclusive.</p>\n",
			(unsigned long long)all->lost_nodes);
	if (fg_case_stopped(all)) {
		fg_buffer_printf(out, "<p class=\"open\"><b>%s</b>",
				 all->interrupted ? "Interrupted" : "Stopped");
		fg_case_put_unsent(all, out);
		fg_buffer_puts(out, ".</p>\n");
	}
	put_counts(out, all);
	fg_buffer_puts(out, filter);
	return fg_report_finish(out, len, err);
}

/* --- the pictures --- */

/* What the probes of one cell have in common; several of them are counted. */
struct cell {
	uint64_t total, by_status[FG_CASE_STATUSES + 1], by_letter[FG_LETTERS];
	const struct fg_case_mark *worst;
	const struct fg_scenario_expect *expect;
};

static void cell_add(struct cell *cell, const struct fg_scenario_block *b,
		     const struct fg_case_mark *marks)
{
	cell->expect = b->expect;
	for (uint64_t i = 0; i < b->total; i++) {
		const struct fg_case_mark *mark = &marks[b->first + i];

		cell->total++;
		cell->by_status[mark->status]++;
		if (mark->status != FG_CASE_STATUSES)
			cell->by_letter[fg_matrix_letter(mark)]++;
		if (!cell->worst || fg_matrix_badness(mark) > fg_matrix_badness(cell->worst))
			cell->worst = mark;
	}
}

/* A denial is one wherever it was; what ended for another reason is shown by its end, not as
 * allowed.
 */
static void put_fate(struct fg_buffer *out, const struct fg_case_mark *mark)
{
	const struct fg_result result = { .verdict = (enum fg_verdict)mark->verdict,
					  .outcome = (enum fg_outcome)mark->outcome };
	const char *verdict = fg_verdict_name(result.verdict);
	const char *outcome = fg_outcome_name(result.outcome);

	if (result.verdict != FG_VERDICT_DENIED && !fg_view_arrived(&result))
		fg_buffer_puts(out, outcome);
	else
		fg_buffer_printf(out, "%s, %s", verdict, outcome);
}

/* Of several probes, how many came to what: "(50 allowed, 1 denied)". */
static void put_letters(struct fg_buffer *out, const struct cell *cell)
{
	const char *before = "(";

	for (int l = 0; l < FG_LETTERS; l++) {
		if (!cell->by_letter[l])
			continue;
		fg_buffer_printf(out, "%s%llu %s", before, (unsigned long long)cell->by_letter[l],
				 fg_matrix_meaning((enum fg_letter)l));
		before = ", ";
	}
	fg_buffer_puts(out, *before == ',' ? ")" : "");
}

static void put_seen(struct fg_buffer *out, const struct cell *cell)
{
	const struct fg_case_mark *w = cell->worst;
	bool sent = w->status != FG_CASE_SKIP && w->status != FG_CASE_STATUSES;

	if (cell->total > 1) {
		for (int i = 0; i <= FG_CASE_STATUSES; i++)
			if (cell->by_status[i])
				fg_buffer_printf(out, "%s&#160;%llu ", signs[i],
						 (unsigned long long)cell->by_status[i]);
		put_letters(out, cell);
	} else {
		fg_buffer_printf(out, "%s ", signs[w->status]);
		if (sent && w->command)
			fg_buffer_printf(out, "exit status %u", w->exit_status);
		else if (sent)
			put_fate(out, w);
		else
			fg_buffer_puts(out, words[w->status]);
	}
	fg_buffer_puts(out, "<small>expected ");
	fg_markup_put(out, cell->expect->text);
	fg_buffer_puts(out, "</small>");
}

/* The cell says where to, for a narrow screen, on which there are no columns. */
static void put_cell(struct fg_buffer *out, const struct cell *cell, const char *to,
		     const char *port)
{
	if (!cell->total) {
		fg_buffer_puts(out, "<td class=\"empty\"></td>");
		return;
	}
	fg_buffer_printf(out, "<td class=\"%s\" data-to=\"", classes[cell->worst->status]);
	fg_markup_put(out, to);
	fg_buffer_puts(out, " ");
	fg_markup_put(out, port);
	fg_buffer_puts(out, "\">");
	if (cell->worst->detailed)
		fg_buffer_printf(out, "<a href=\"#p%llu\">",
				 (unsigned long long)cell->worst->number);
	put_seen(out, cell);
	fg_buffer_puts(out, cell->worst->detailed ? "</a></td>" : "</td>");
}

static const char *row_label(const struct fg_scenario *s, const struct fg_scenario_block *b)
{
	return b->source ? b->source->label : s->pods[s->sets[b->set].from[b->from]].name;
}

static void put_node(struct fg_buffer *out, const struct fg_scenario_member *pod)
{
	if (!pod || !pod->node)
		return;
	fg_buffer_puts(out, "<small>node ");
	fg_markup_put(out, pod->node);
	fg_buffer_puts(out, "</small>");
}

static void put_columns(struct fg_buffer *out, const struct fg_scenario *s,
			const struct fg_scenario_set *set)
{
	fg_buffer_puts(out, "<div class=\"scroll\"><table><thead>");
	if (set->to_count > 1 || set->matrix) {
		fg_buffer_puts(out, "<tr><th>to</th>");
		for (size_t i = 0; i < set->to_count; i++) {
			fg_buffer_printf(out, "<th colspan=\"%zu\">", set->port_count);
			fg_markup_put(out, s->places[set->to[i]].name);
			fg_buffer_puts(out, "</th>");
		}
		fg_buffer_puts(out, "</tr>");
	}
	fg_buffer_puts(out, "<tr><th>from</th>");
	for (size_t i = 0; i < set->to_count * set->port_count; i++) {
		fg_buffer_puts(out, "<th>");
		fg_markup_put(out, set->ports[i % set->port_count].label);
		fg_buffer_puts(out, "</th>");
	}
	fg_buffer_puts(out, "</tr></thead><tbody>\n");
}

/* The blocks of a set are together, and those of a sender within them. Returns the index after
 * its row. */
static size_t put_row(struct fg_buffer *out, const struct fg_scenario *s,
		      const struct fg_scenario_layout *layout, size_t first,
		      const struct fg_case_mark *marks, struct cell *cells)
{
	const struct fg_scenario_block *head = &layout->blocks[first];
	const struct fg_scenario_set *set = &s->sets[head->set];
	size_t columns = set->to_count * set->port_count, i;

	memset(cells, 0, columns * sizeof(*cells));
	for (i = first; i < layout->count; i++) {
		const struct fg_scenario_block *b = &layout->blocks[i];

		if (b->set != head->set || b->from != head->from || b->source != head->source)
			break;
		cell_add(&cells[b->column], b, marks);
	}
	fg_buffer_puts(out, "<tr><th>");
	fg_markup_put(out, row_label(s, head));
	put_node(out, head->source);
	fg_buffer_puts(out, "</th>");
	for (size_t k = 0; k < columns; k++)
		put_cell(out, &cells[k], s->places[set->to[k / set->port_count]].name,
			 set->ports[k % set->port_count].label);
	fg_buffer_puts(out, "</tr>\n");
	return i;
}

/* Pictures of sweeps, below the table; of very many the first ones. */
static int put_maps(struct fg_buffer *out, const struct fg_scenario *s,
		    const struct fg_scenario_layout *layout, size_t first, size_t next,
		    const struct fg_case_mark *marks)
{
	size_t put = 0, left = 0;
	int ret = 0;

	for (size_t i = first; i < next && !ret; i++) {
		const struct fg_scenario_block *b = &layout->blocks[i];
		char title[FG_SCENARIO_NAME_LEN * 2];

		if (!fg_portmap_is_due(b))
			continue;
		if (put == MAPS_MAX) {
			left++;
			continue;
		}
		snprintf(title, sizeof(title), "%s to %s %s", row_label(s, b),
			 fg_scenario_target_name(s, b), s->sets[b->set].ports[b->port].label);
		ret = fg_portmap_put(b, marks, title, out);
		put++;
	}
	if (left)
		fg_buffer_printf(out, "<p>%zu more sweeps have no picture.</p>\n", left);
	return ret;
}

static int put_set(struct fg_buffer *out, const struct fg_scenario *s,
		   const struct fg_scenario_layout *layout, size_t *next,
		   const struct fg_case_mark *marks)
{
	uint32_t index = layout->blocks[*next].set;
	const struct fg_scenario_set *set = &s->sets[index];
	struct cell *cells = calloc(set->to_count * set->port_count, sizeof(*cells));
	size_t first = *next;

	if (!cells)
		return -1;
	fg_buffer_puts(out, "<h3>");
	fg_markup_put(out, set->name ? set->name : s->places[set->to[0]].name);
	fg_buffer_puts(out, "</h3>\n");
	put_columns(out, s, set);
	while (*next < layout->count && layout->blocks[*next].set == index)
		*next = put_row(out, s, layout, *next, marks, cells);
	fg_buffer_puts(out, "</tbody></table></div>\n");
	free(cells);
	return put_maps(out, s, layout, first, *next, marks);
}

int fg_html_scenario(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
		     const struct fg_case_mark *marks, const struct fg_case_counts *counts,
		     struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "<h2>");
	fg_markup_put(out, scenario->name);
	fg_buffer_puts(out, "</h2>\n");
	if (scenario->description) {
		fg_buffer_puts(out, "<p>");
		fg_markup_put(out, scenario->description);
		fg_buffer_puts(out, "</p>\n");
	}
	put_counts(out, counts);
	for (size_t i = 0; i < layout->count;)
		if (put_set(out, scenario, layout, &i, marks))
			out->failed = true;
	return fg_report_finish(out, len, err);
}

/* --- the details --- */

static void put_paragraph(struct fg_buffer *out, const char *label, const char *text)
{
	if (!text || !*text)
		return;
	fg_buffer_printf(out, "<p>%s", label);
	fg_markup_put(out, text);
	fg_buffer_puts(out, "</p>\n");
}

static int put_command(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	struct fg_buffer text = {};
	int ret;

	fg_command_put_text(c, &text);
	fg_buffer_puts(out, "<pre>");
	fg_markup_put_bytes(out, text.data, text.len);
	fg_buffer_puts(out, "</pre>\n<details><summary>The result as JSON</summary><pre>");
	text.len = 0;
	ret = fg_case_json(c, &text, err);
	if (!ret)
		fg_markup_put_bytes(out, text.data, text.len);
	fg_buffer_puts(out, "</pre></details>\n");
	fg_buffer_free(&text);
	return ret;
}

static void put_told(const struct fg_case_told *told, struct fg_buffer *out)
{
	if (told->text[0]) {
		fg_buffer_puts(out, "<pre>");
		fg_markup_put_bytes(out, told->text, strlen(told->text));
		fg_buffer_puts(out, "</pre>\n");
	}
	fg_buffer_puts(out, "<details><summary>The result as JSON</summary><pre>");
	fg_markup_put_bytes(out, told->json, strlen(told->json));
	fg_buffer_puts(out, "</pre></details>\n");
}

static int put_view(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	struct fg_buffer text = {};
	int ret;

	if (c->ran)
		return put_command(c, out, err);
	if (c->told)
		put_told(c->told, out);
	if (!c->report)
		return 0;
	/* A page has its own colours, and draws every character. */
	ret = fg_report_text_plain(c->report, c->probe, &text, err);
	if (!ret) {
		fg_buffer_puts(out, "<pre>");
		fg_markup_put_bytes(out, text.data, text.len);
		fg_buffer_puts(out, "</pre>\n");
	}
	text.len = 0;
	if (!ret)
		ret = fg_report_json(c->report, c->probe, &text, err);
	if (!ret) {
		fg_buffer_puts(out, "<details><summary>The result as JSON</summary><pre>");
		fg_markup_put_bytes(out, text.data, text.len);
		fg_buffer_puts(out, "</pre></details>\n");
	}
	fg_buffer_free(&text);
	return ret;
}

int fg_html_case(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	bool bad = c->status == FG_CASE_FAIL || c->status == FG_CASE_INCONCLUSIVE;
	char headline[FG_HEADLINE_LEN];
	size_t len = out->len;

	fg_buffer_printf(
		out,
		"<section id=\"p%llu\"%s><a class=\"close\" href=\"#top\">back to the top</a><h3>",
		(unsigned long long)c->number, bad ? " class=\"bad\"" : "");
	fg_markup_put(out, c->name);
	fg_buffer_printf(out, "</h3>\n<p><span class=\"tag %s\">%s %s</span> expected: ",
			 classes[c->status], signs[c->status], words[c->status]);
	fg_markup_put(out, c->block->expect->text);
	fg_buffer_puts(out, "</p>\n");
	put_paragraph(out, "", c->why);
	put_paragraph(out, "<b>From node:</b> ", fg_case_node(c));
	put_paragraph(out, "<b>Seen:</b> ", fg_case_headline(c, headline, sizeof(headline)));
	put_paragraph(out, "<b>What next:</b> ", fg_case_advice(c));
	if (put_view(c, out, err))
		return -1;
	fg_buffer_puts(out, "</section>\n");
	return fg_report_finish(out, len, err);
}

int fg_html_end(struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "<script>");
	fg_buffer_puts(out, fg_look_script);
	fg_buffer_puts(out, "</script>\n</body></html>\n");
	return fg_report_finish(out, len, err);
}
