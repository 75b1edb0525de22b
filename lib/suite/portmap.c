// SPDX-License-Identifier: GPL-2.0-only
/* suite/portmap.c - what came of the ports of a sweep, as a picture: a cell for each port. */
#include <stdlib.h>
#include <string.h>

#include "base/markup.h"
#include "suite/internal.h"

/* Ports in a row: of a few a small picture, of 65,535 a square one. */
#define ROW_FEW 64
#define ROW_MANY 256
#define MANY 4096
/* Ranges of ports that are written out of each kind. */
#define RANGES_MAX 100

/* A kind of cell: a letter of the matrix, and whether it is as expected. */
#define KINDS (2 * FG_LETTERS)
#define NO_KIND 255

struct map {
	const struct fg_ports *ports;
	const uint8_t *kinds; /* by index of the port */
	size_t total, row;    /* ports, and how many of them in a row */
	uint64_t counts[KINDS];
	struct fg_buffer *out;
};

static uint8_t kind_of(const struct fg_case_mark *mark)
{
	if (mark->status == FG_CASE_STATUSES)
		return NO_KIND;
	return (uint8_t)(2 * fg_matrix_letter(mark) + (mark->status == FG_CASE_FAIL));
}

/* A port that was probed several times is as good as its worst probe. */
static uint8_t worst_of(const struct fg_scenario_block *b, const struct fg_case_mark *marks,
			size_t port)
{
	const struct fg_case_mark *worst = &marks[b->first + port];

	for (uint64_t i = port; i < b->total; i += b->dports->total) {
		const struct fg_case_mark *mark = &marks[b->first + i];

		if (fg_matrix_badness(mark) > fg_matrix_badness(worst))
			worst = mark;
	}
	return kind_of(worst);
}

/* --- the picture --- */

/* Cells side by side are one box; full rows below each other too. */
static void put_path(const struct map *m, uint8_t kind)
{
	for (size_t i = 0; i < m->total;) {
		size_t x = i % m->row, y = i / m->row, width = 0, height = 1;

		if (m->kinds[i] != kind) {
			i++;
			continue;
		}
		while (i < m->total && x + width < m->row && m->kinds[i] == kind) {
			width++;
			i++;
		}
		for (size_t k = 0; width == m->row && i + m->row <= m->total; k = 0, height++) {
			while (k < m->row && m->kinds[i + k] == kind)
				k++;
			if (k < m->row)
				break;
			i += m->row;
		}
		fg_buffer_printf(m->out, "M%zu %zuh%zuv%zuh-%zuz", x, y, width, height, width);
	}
}

static void put_picture(const struct map *m)
{
	size_t rows = (m->total + m->row - 1) / m->row;

	fg_buffer_printf(m->out,
			 "<svg%s viewBox=\"0 0 %zu %zu\" role=\"img\" "
			 "aria-label=\"one cell for each port; the list below says the same\" "
			 "shape-rendering=\"crispEdges\">",
			 m->row == ROW_MANY ? " class=\"many\"" : "", m->row, rows);
	for (int kind = 0; kind < KINDS; kind++)
		if (m->counts[kind]) {
			fg_buffer_printf(m->out, "<path class=\"k%d%s\" d=\"", kind / 2,
					 kind % 2 ? " x" : "");
			put_path(m, (uint8_t)kind);
			fg_buffer_puts(m->out, "\"/>");
		}
	fg_buffer_puts(m->out, "</svg>\n");
}

/* --- the same in words --- */

static void put_range(struct fg_buffer *out, uint16_t first, uint16_t last)
{
	fg_buffer_put_u64(out, first);
	if (last != first) {
		fg_buffer_puts(out, "-");
		fg_buffer_put_u64(out, last);
	}
}

/* The ports of a kind, in the order in which they were asked. */
static void put_ranges(const struct map *m, uint8_t kind)
{
	uint64_t shown = 0, left = 0;

	for (size_t i = 0; i < m->total; i++) {
		uint16_t first = fg_ports_get(m->ports, i), last = first;

		if (m->kinds[i] != kind)
			continue;
		while (i + 1 < m->total && m->kinds[i + 1] == kind && last < UINT16_MAX &&
		       fg_ports_get(m->ports, i + 1) == last + 1) {
			last++;
			i++;
		}
		if (shown == RANGES_MAX) {
			left += (uint64_t)(last - first) + 1;
			continue;
		}
		fg_buffer_puts(m->out, shown++ ? ", " : "");
		put_range(m->out, first, last);
	}
	if (left)
		fg_buffer_printf(m->out, " and %llu more ports", (unsigned long long)left);
}

static void put_list(const struct map *m)
{
	fg_buffer_puts(m->out, "<ul class=\"key\">");
	for (int kind = 0; kind < KINDS; kind++) {
		if (!m->counts[kind])
			continue;
		fg_buffer_printf(m->out, "<li><i class=\"k%d%s\"></i><b>%llu %s%s</b>: ", kind / 2,
				 kind % 2 ? " x" : "", (unsigned long long)m->counts[kind],
				 fg_matrix_meaning((enum fg_letter)(kind / 2)),
				 kind % 2 ? ", not as expected" : "");
		put_ranges(m, (uint8_t)kind);
		fg_buffer_puts(m->out, "</li>");
	}
	fg_buffer_puts(m->out, "</ul>");
}

bool fg_portmap_is_due(const struct fg_scenario_block *b)
{
	return b->dports && b->dports->total >= FG_PORTMAP_LEAST;
}

int fg_portmap_put(const struct fg_scenario_block *b, const struct fg_case_mark *marks,
		   const char *title, struct fg_buffer *out)
{
	size_t total = b->dports->total < b->total ? b->dports->total : b->total;
	uint8_t *kinds = malloc(total ? total : 1);
	struct map m = { .ports = b->dports,
			 .kinds = kinds,
			 .total = total,
			 .row = total > MANY ? ROW_MANY : ROW_FEW,
			 .out = out };
	bool any = false;

	if (!kinds)
		return -1;
	for (size_t i = 0; i < total; i++) {
		kinds[i] = worst_of(b, marks, i);
		if (kinds[i] != NO_KIND)
			m.counts[kinds[i]]++;
		any |= kinds[i] != NO_KIND;
	}
	if (any) {
		fg_buffer_puts(out, "<figure><figcaption>");
		fg_markup_put(out, title);
		fg_buffer_printf(out, ": %zu ports, %zu in a row</figcaption>\n", total, m.row);
		put_picture(&m);
		put_list(&m);
		fg_buffer_puts(out, "</figure>\n");
	}
	free(kinds);
	return 0;
}
