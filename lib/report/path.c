// SPDX-License-Identifier: GPL-2.0-only
/* report/path.c - the packet's way as a tree: a branch for each namespace it came through. */
#include <stdio.h>

#include "report/internal.h"

#define TIME_COLUMNS 8
#define COMPONENT_COLUMNS 7

/* The rows of one branch. */
struct branch {
	const char *fork, *last, *down;
};

static size_t device_columns(const struct fg_context *context, const struct fg_trace *trace)
{
	size_t most = 1;

	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_event *e = &trace->list[i].event;
		const struct fg_device *device = fg_view_device(context, e->netns, (int)e->ifindex);
		size_t columns = device ? fg_page_columns(device->name) : e->ifindex ? 7 : 0;

		most = columns > most ? columns : most;
	}
	return most;
}

static void put_place(const struct fg_page *page, const struct fg_context *context,
		      const struct fg_event *e, const struct fg_device *device)
{
	char text[340];

	if (device && device->where[0])
		snprintf(text, sizeof(text), "%s%s", e->netns == context->pod_netns ? "pod " : "",
			 device->where);
	else if (e->netns == context->pod_netns)
		snprintf(text, sizeof(text), "the pod");
	else if (e->netns == context->host_netns)
		snprintf(text, sizeof(text), "host");
	else
		snprintf(text, sizeof(text), "namespace %u", e->netns);
	fg_buffer_puts(page->out, "  ");
	fg_page_wrap(page, text, 2, 4, NULL);
	fg_buffer_puts(page->out, "\n");
}

static const char *device_name(const struct fg_event *e, const struct fg_device *device, char *buf,
			       size_t size)
{
	if (device)
		return device->name;
	if (e->kind == FG_EVENT_INJECT)
		return "flowgen";
	if (!e->ifindex)
		return "";
	snprintf(buf, size, "if %u", e->ifindex);
	return buf;
}

/* What it was seen on, if that is not the packet itself. */
static void write_kin(const struct fg_event *e, char *buf, size_t size)
{
	*buf = '\0';
	if (e->flags & FG_EVENT_F_REPLY)
		snprintf(buf, size, " (the reply)");
	else if (e->flags & FG_EVENT_F_CLONE)
		snprintf(buf, size, " (a clone)");
	else if (e->flags & FG_EVENT_F_PIECE && e->kind != FG_EVENT_PIECE)
		snprintf(buf, size, " (piece %u)", e->branch);
}

static void put_row(const struct fg_page *page, const struct fg_observation *seen,
		    const struct fg_sight *sight, size_t device_width, const char *fork,
		    const char *down)
{
	size_t column = 2 + 3 + TIME_COLUMNS + 2 + device_width + 2;
	char number[24], time[32], text[400], of[32];

	fg_page_paint(page, FG_PAINT_OFF);
	fg_buffer_printf(page->out, "  %s ", fork);
	fg_page_cell(page, fg_page_time_text(seen->time_ns, page->utf8, time, sizeof(time)),
		     TIME_COLUMNS, true);
	fg_buffer_puts(page->out, "  ");
	fg_page_cell(page, device_name(&seen->event, sight->device, number, sizeof(number)),
		     device_width, false);
	fg_buffer_puts(page->out, "  ");
	fg_page_cell(page, sight->component, COMPONENT_COLUMNS, false);
	fg_buffer_puts(page->out, "  ");
	column += COMPONENT_COLUMNS + 2;
	write_kin(&seen->event, of, sizeof(of));
	snprintf(text, sizeof(text), "%s%s%s%s", sight->action, sight->detail ? ": " : "",
		 sight->detail ? sight->detail : "", of);
	if (sight->bad)
		fg_page_paint(page, FG_PAINT_BAD);
	fg_page_wrap(page, text, column, column, down);
	fg_page_paint(page, FG_PAINT_OFF);
	fg_buffer_puts(page->out, "\n");
}

/*
 * Whether what comes next still belongs to the branch: events without a device stay where the
 * packet was.
 */
static bool same_branch(const struct fg_trace *trace, uint32_t i, uint32_t netns)
{
	return i < trace->count &&
	       (!trace->list[i].event.netns || trace->list[i].event.netns == netns);
}

void fg_report_text_path(const struct fg_page *page, const struct fg_report *report,
			 const struct fg_probe *probe)
{
	static const struct branch drawn = { "\342\224\234\342\224\200", "\342\224\224\342\224\200",
					     "  \342\224\202" };
	static const struct branch plain = { "|-", "`-", "  |" };
	const struct branch *b = page->utf8 ? &drawn : &plain;
	const struct fg_context *context = fg_report_context(report, probe);
	const struct fg_trace *trace = &probe->trace;
	size_t width = device_columns(context, trace);
	uint32_t netns = 0;

	fg_buffer_puts(page->out, "\npath, by the time since injection\n");
	if (!trace->count)
		fg_buffer_puts(page->out, "  nothing was seen of the packet\n");
	for (uint32_t i = 0; i < trace->count; i++) {
		const struct fg_observation *seen = &trace->list[i];
		struct fg_sight sight;
		bool more;

		fg_view_sight_read(fg_report_context(report, probe), probe, seen, &sight);
		if (!i || !same_branch(trace, i, netns)) {
			netns = seen->event.netns;
			put_place(page, context, &seen->event, sight.device);
		}
		more = same_branch(trace, i + 1, netns);
		put_row(page, seen, &sight, width, more ? b->fork : b->last, more ? b->down : NULL);
	}
}
