// SPDX-License-Identifier: GPL-2.0-only
/* run/window.c - one window: filled, sent, judged, and handed on. */
#include <errno.h>

#include "run/internal.h"

/* Puts the items' probes into the session's window, *used of them. Returns 0 or -1. */
static int place(struct fg_run *run, struct fg_run_item *items, uint32_t count, uint32_t *used,
		 struct fg_error *err)
{
	uint32_t room, n = 0;
	struct fg_probe *window = run->session->ops->window(run->session->self, &room);

	for (uint32_t i = 0; i < count; i++) {
		struct fg_run_item *item = &items[i];
		int ret;

		item->slot = -1;
		if (!item->skip)
			item->skip = fg_run_obstacle(run, item);
		if (item->skip)
			continue;
		window[n].spec = item->spec;
		ret = fg_run_admit(run, item, &window[n].spec, err);
		if (ret < 0)
			return -1;
		if (!ret)
			item->slot = (int)n++;
	}
	*used = n;
	return 0;
}

static int note_changes(struct fg_run *run, const struct fg_probe *window, uint32_t total,
			struct fg_error *err)
{
	for (uint32_t i = 0; i < total; i++)
		if (window[i].trace.changed && fg_run_note_change(run, window[i].spec.pod, err))
			return -1;
	return 0;
}

/*
 * The window was sent and judged: the only path from the session to the writers. Code that wants to
 * look at a probe once more, with more observers, does it here: what is in the window is final
 * from the call of fg_run_answer() on.
 */
static int finish(struct fg_run *run, struct fg_run_item *items, uint32_t count, uint32_t sent,
		  uint32_t total, struct fg_error *err)
{
	const struct fg_run_options *o = run->options;
	const struct fg_run_session *s = run->session;
	uint32_t room;
	struct fg_probe *window = s->ops->window(s->self, &room);

	if (total && o->leftovers && s->ops->leftovers(s->self, window, total, o->tidy, err))
		return -1;
	if (note_changes(run, window, total, err))
		return -1;
	for (uint32_t i = 0; i < count; i++)
		if (fg_run_answer(run, &items[i], sent, total, err))
			return -1;
	return 0;
}

/* Faults of the way that belong to one packet, not to flowgen. */
static bool is_of_packet(const struct fg_error *err)
{
	if (err->kind == FG_ERR_USAGE || err->kind == FG_ERR_UNSUPPORTED)
		return true;
	return err->code == ENETDOWN || err->code == EMSGSIZE || err->code == ENOBUFS ||
	       err->code == ENETUNREACH || err->code == EHOSTUNREACH || err->code == ENXIO;
}

static int send_one(struct fg_run *run, struct fg_run_item *item, struct fg_error *err)
{
	uint32_t sent, total;
	struct fg_error cause;

	if (place(run, item, 1, &sent, err))
		return -1;
	total = sent;
	if (sent && run->session->ops->send(run->session->self, &total, &cause)) {
		if (!is_of_packet(&cause)) {
			*err = cause;
			return -1;
		}
		if (fg_run_note_dead_end(run, item, &cause, err))
			return -1;
		sent = total = 0;
	}
	return finish(run, item, 1, sent, total, err);
}

/* One after another: so one that cannot be sent does not take the others along. */
static int send_singly(struct fg_run *run, uint32_t count, struct fg_error *err)
{
	for (uint32_t i = 0; i < count; i++)
		if (send_one(run, &run->items[i], err))
			return -1;
	return 0;
}

static int send_all(struct fg_run *run, uint32_t count, struct fg_error *err)
{
	struct fg_error cause = {};
	uint32_t sent, total;

	if (place(run, run->items, count, &sent, err))
		return -1;
	total = sent;
	if (!sent || !run->session->ops->send(run->session->self, &total, &cause))
		return finish(run, run->items, count, sent, total, err);
	if (run->source->leaves_out && is_of_packet(&cause))
		return send_singly(run, count, err);
	*err = cause;
	return -1;
}

static int flush(struct fg_run *run, struct fg_error *err)
{
	for (size_t i = 0; i < run->options->writer_count; i++) {
		struct fg_run_writer *w = run->options->writers[i];

		if (w->ops->flush && w->ops->flush(w, err))
			return -1;
	}
	return 0;
}

int fg_run_window(struct fg_run *run, uint32_t count, struct fg_error *err)
{
	bool command = run->items[0].command && !run->items[0].skip;

	if ((command ? fg_run_command(run, &run->items[0], err) : send_all(run, count, err)) ||
	    flush(run, err))
		return -1;
	return fg_run_renew(run, err);
}
