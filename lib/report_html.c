// SPDX-License-Identifier: GPL-2.0-only
/* report_html.c - a run as one HTML file: nothing is fetched, no script is needed, and it can be
 * printed. */
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "markup.h"
#include "names.h"
#include "report_parts.h"

/* A status has a colour, a sign and a word: none of them alone carries the meaning. */
static const char *const classes[] = { "pass", "fail", "skip", "open", "none" };
static const char *const signs[] = { "&#10003;", "&#10007;", "&#8211;", "?", "&#183;" };
static const char *const words[] = { "as expected", "not as expected", "skipped", "inconclusive",
				     "not run" };

static const char style[] =
	"*{box-sizing:border-box}"
	"body{font:15px/1.45 system-ui,sans-serif;margin:0 auto;max-width:76rem;padding:1rem;color:#1b1f24;"
	"background:#fff}"
	"h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.2rem;margin:2rem 0 .3rem}h3{font-size:1rem;"
	"margin:1.2rem 0 .4rem}p{margin:.3rem 0}"
	".counts{display:flex;flex-wrap:wrap;gap:.5rem;padding:0;list-style:none}"
	".counts li{padding:.2rem .7rem;border-radius:1rem;border:2px solid}"
	".scroll{overflow-x:auto}table{border-collapse:collapse;margin:.3rem 0}"
	"th,td{border:1px solid #c3cad2;padding:.3rem .55rem;text-align:left;vertical-align:top}"
	"thead th{background:#f0f3f6;font-weight:600}tbody th{background:#f0f3f6;position:sticky;left:0;"
	"font-weight:600}"
	"td a{color:inherit;text-decoration:none;display:block}td a:hover,td a:focus{text-decoration:underline}"
	"td small{display:block}"
	".pass{background:#e3f5e6;color:#0b5a22;border-color:#0b5a22}"
	".fail{background:#fde3e3;color:#94100f;border-color:#94100f;font-weight:600}"
	".open{background:#fff2cf;color:#6f4a00;border-color:#6f4a00}"
	".skip,.none{background:#eceff2;color:#444c56;border-color:#6a737d}"
	"td.fail{outline:2px solid #94100f;outline-offset:-2px}"
	"td.open{outline:2px dashed #6f4a00;outline-offset:-2px}"
	"section{border:1px solid #c3cad2;border-radius:.4rem;padding:.6rem .9rem;margin:.8rem 0;display:none}"
	"section.bad,section:target{display:block}section:target{border:2px solid #2458a6}"
	"section h3{margin:0}pre{overflow-x:auto;background:#f6f8fa;padding:.6rem;font-size:12.5px;"
	"line-height:1.35;margin:.5rem 0}"
	".tag{display:inline-block;padding:0 .5rem;border-radius:.6rem;border:1px solid;font-size:.85rem}"
	".close{float:right}"
	"@media(max-width:40rem){body{padding:.6rem;font-size:14px}th,td{padding:.25rem .35rem}pre{font-size:11px}"
	"td a{padding:.25rem 0}}"
	"@media print{body{max-width:none}section.bad{break-inside:avoid}.close{display:none}pre{white-space:"
	"pre-wrap}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}";

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

int fg_html_begin(const struct fg_case_counts *all, struct fg_buffer *out, struct fg_error *err)
{
	uint64_t done = fg_case_done(all);
	size_t len = out->len;

	fg_buffer_puts(out,
		       "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
		       "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
		       "<title>flowgen run</title>\n<style>");
	fg_buffer_puts(out, style);
	fg_buffer_puts(out, "</style></head>\n<body id=\"top\"><h1>flowgen run</h1>\n");
	fg_buffer_printf(out, "<p>%llu probes in %.2f s.</p>\n", (unsigned long long)done,
			 (double)all->duration_ns / 1e9);
	if (done < all->planned)
		fg_buffer_printf(
			out,
			"<p class=\"open\"><b>%s:</b> %llu of %llu probes were not sent.</p>\n",
			all->interrupted ? "Interrupted" : "Stopped",
			(unsigned long long)(all->planned - done),
			(unsigned long long)all->planned);
	put_counts(out, all);
	return fg_report_finish(out, len, err);
}

/* --- the pictures --- */

/* What the probes of one cell have in common; several of them are counted. */
struct cell {
	uint64_t total, by_status[FG_CASE_STATUSES + 1];
	const struct fg_case_mark *worst;
	const struct fg_scenario_expect *expect;
};

static int badness(uint8_t status)
{
	static const int order[] = { [FG_CASE_PASS] = 1,
				     [FG_CASE_FAIL] = 4,
				     [FG_CASE_SKIP] = 2,
				     [FG_CASE_INCONCLUSIVE] = 3,
				     [FG_CASE_STATUSES] = 0 };

	return order[status];
}

static void cell_add(struct cell *cell, const struct fg_scenario_block *b,
		     const struct fg_case_mark *marks)
{
	cell->expect = b->expect;
	for (uint64_t i = 0; i < b->total; i++) {
		const struct fg_case_mark *mark = &marks[b->first + i];

		cell->total++;
		cell->by_status[mark->status]++;
		if (!cell->worst || badness(mark->status) > badness(cell->worst->status))
			cell->worst = mark;
	}
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
	} else {
		fg_buffer_printf(out, "%s %s", signs[w->status],
				 sent ? fg_verdict_name((enum fg_verdict)w->verdict)
				      : words[w->status]);
		if (sent && cell->expect->outcomes)
			fg_buffer_printf(out, ", %s", fg_outcome_name((enum fg_outcome)w->outcome));
	}
	fg_buffer_puts(out, "<small>expected ");
	fg_markup_put(out, cell->expect->text);
	fg_buffer_puts(out, "</small>");
}

static void put_cell(struct fg_buffer *out, const struct cell *cell)
{
	if (!cell->total) {
		fg_buffer_puts(out, "<td></td>");
		return;
	}
	fg_buffer_printf(out, "<td class=\"%s\">", classes[cell->worst->status]);
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

/* The blocks of a set stand together, and those of a sender within them. Returns the index behind
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
	fg_buffer_puts(out, "</th>");
	for (size_t k = 0; k < columns; k++)
		put_cell(out, &cells[k]);
	fg_buffer_puts(out, "</tr>\n");
	return i;
}

static int put_set(struct fg_buffer *out, const struct fg_scenario *s,
		   const struct fg_scenario_layout *layout, size_t *next,
		   const struct fg_case_mark *marks)
{
	uint32_t index = layout->blocks[*next].set;
	const struct fg_scenario_set *set = &s->sets[index];
	struct cell *cells = calloc(set->to_count * set->port_count, sizeof(*cells));

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
	return 0;
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

static int put_view(const struct fg_case *c, struct fg_buffer *out, struct fg_error *err)
{
	struct fg_report plain;
	struct fg_buffer text = {};
	int ret;

	if (!c->report)
		return 0;
	/* A page has its own colours, and draws every character. */
	plain = *c->report;
	plain.options.colour = false;
	plain.options.utf8 = true;
	ret = fg_report_text(&plain, c->probe, &text, err);
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
	const struct fg_scenario_set *set = &c->scenario->sets[c->block->set];
	bool bad = c->status == FG_CASE_FAIL || c->status == FG_CASE_INCONCLUSIVE;
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
	if (bad)
		put_paragraph(out, "<b>What next:</b> ",
			      set->on_failure ? set->on_failure : c->scenario->on_failure);
	if (put_view(c, out, err))
		return -1;
	fg_buffer_puts(out, "</section>\n");
	return fg_report_finish(out, len, err);
}

int fg_html_end(struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;

	fg_buffer_puts(out, "</body></html>\n");
	return fg_report_finish(out, len, err);
}
