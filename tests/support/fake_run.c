// SPDX-License-Identifier: GPL-2.0-only
#include "fake_run.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static void note(struct fake *f, const char *fmt, ...)
{
	size_t len = strlen(f->log);
	va_list args;

	if (len)
		len += (size_t)snprintf(f->log + len, sizeof(f->log) - len, " ");
	va_start(args, fmt);
	vsnprintf(f->log + len, sizeof(f->log) - len, fmt, args);
	va_end(args);
}

bool fake_logged(const struct fake *fake, const char *text)
{
	return strstr(fake->log, text) != NULL;
}

/* --- the session --- */

static int add_pod(void *self, const char *ref, const char *interface, enum fg_method wanted,
		   struct fg_error *err)
{
	(void)ref;
	(void)interface;
	(void)wanted;
	(void)err;
	note(self, "pod");
	return 0;
}

static int renew_pod(void *self, int pod, struct fg_error *err)
{
	struct fake *f = self;

	note(f, "renew(%d)", pod);
	f->address.addr.bytes[3] = (uint8_t)(f->address.addr.bytes[3] + f->renew_moves);
	return f->renew_fails ? fg_fail(err, FG_ERR_UNSUPPORTED, "the pod is gone") : 0;
}

static const struct fg_pod *pod_of(void *self, int pod)
{
	(void)pod;
	return &((struct fake *)self)->pod;
}

static const struct fg_context *context_of(void *self, int pod)
{
	(void)pod;
	return &((struct fake *)self)->context;
}

static struct fg_probe *window_of(void *self, uint32_t *room)
{
	struct fake *f = self;

	*room = f->room;
	return f->window;
}

static void judge(struct fake *f, struct fg_probe *p)
{
	p->trace = (struct fg_trace){ .injected_ns = f->now };
	p->result = (struct fg_result){ .denied_by = -1,
					.redirected_by = -1,
					.verdict = FG_VERDICT_ALLOWED,
					.outcome = FG_OUTCOME_DELIVERED,
					.expect_met = true };
	if (f->judge)
		f->judge(f, p);
}

static int send_window(void *self, uint32_t *count, struct fg_error *err)
{
	struct fake *f = self;
	uint32_t total = *count;
	char ids[200] = "";

	for (uint32_t i = 0; i < *count; i++) {
		size_t len = strlen(ids);

		snprintf(ids + len, sizeof(ids) - len, "%s%s%d", i ? "," : "",
			 f->window[i].spec.control ? "c" : "", (int)f->window[i].spec.id);
		if (f->window[i].spec.id == f->cannot_send)
			return fg_fail(err, f->send_error, "no way there");
	}
	note(f, "send(%s)", ids);
	for (uint32_t i = 0; i < *count; i++)
		for (uint32_t k = 1; k < f->fragments; k++) {
			f->window[total].spec = f->window[i].spec;
			f->window[total++].spec.fragment = k;
		}
	for (uint32_t i = 0; i < total; i++)
		judge(f, &f->window[i]);
	*count = total;
	f->sends++;
	f->now += 1000;
	return 0;
}

/* The kernel chooses another source address, another device, or refuses. */
static int route(void *self, struct fg_probe_spec *spec, struct fg_error *err)
{
	struct fake *f = self;

	if (!f->routes)
		return 0;
	note(f, "route(%d)", (int)spec->id);
	if (spec->id == f->cannot_route)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "its route leaves through vx");
	if (spec->any_source)
		spec->vary.src = f->chosen;
	return spec->id == f->refused;
}

static int admit(void *self, const struct fg_plan *plan, struct fg_probe_spec *spec,
		 struct fg_error *err)
{
	struct fake *f = self;

	(void)plan;
	if (!f->in_use || (spec->id != f->in_use && f->in_use != FAKE_ALL))
		return 0;
	fg_fail(err, FG_ERR_USAGE, "it is in use");
	return fg_hint(err, "force it");
}

static int leftovers(void *self, struct fg_probe *probes, uint32_t count, bool tidy,
		     struct fg_error *err)
{
	(void)probes;
	(void)err;
	note(self, "leftovers(%u%s)", count, tidy ? ",tidy" : "");
	return 0;
}

static void forget_flows(void *self)
{
	note(self, "forget");
}

static uint64_t now(void *self)
{
	return ((struct fake *)self)->now;
}

static int wait_until(void *self, uint64_t until_ns, struct fg_error *err)
{
	struct fake *f = self;

	(void)err;
	note(f, "wait(%llu)", (unsigned long long)until_ns);
	f->now = until_ns;
	return 0;
}

static bool cancelled(void *self)
{
	const struct fake *f = self;

	return f->cancel_after && f->sends >= f->cancel_after;
}

static struct fg_host *host_of(void *self)
{
	(void)self;
	return NULL;
}

static const struct fg_run_session_ops session_ops = { .add_pod = add_pod,
						       .renew_pod = renew_pod,
						       .pod = pod_of,
						       .context = context_of,
						       .window = window_of,
						       .send = send_window,
						       .route = route,
						       .admit = admit,
						       .leftovers = leftovers,
						       .forget_flows = forget_flows,
						       .now = now,
						       .wait = wait_until,
						       .cancelled = cancelled,
						       .host = host_of };

/* --- the source --- */

static struct fake *fake_of(struct fg_run_source *source)
{
	return (struct fake *)((char *)source - offsetof(struct fake, source));
}

static int source_open(struct fg_run_source *source, struct fg_run *run, struct fg_error *err)
{
	struct fake *f = fake_of(source);

	(void)err;
	note(f, "open");
	f->run = run;
	source->planned = f->count;
	return 0;
}

static int source_begin(struct fg_run_source *source, uint64_t round, uint64_t now_ns,
			struct fg_error *err)
{
	struct fake *f = fake_of(source);

	(void)now_ns;
	(void)err;
	note(f, "round(%d)", (int)round);
	f->next = 0;
	return 0;
}

static int source_fill(struct fg_run_source *source, struct fg_run_item *items, uint32_t room,
		       uint64_t now_ns, uint64_t *due_ns, struct fg_error *err)
{
	static const struct fg_addr src = { AF_INET, { 10, 9, 0, 2 } };
	struct fake *f = fake_of(source);
	uint32_t n = 0;

	(void)now_ns;
	*due_ns = UINT64_MAX;
	if (f->with_report && !f->report)
		f->report = fg_run_report(f->run, 0, &src, NULL, err);
	for (; n < room && f->next < f->count; n++) {
		items[n] = f->items[f->next % FAKE_ITEMS];
		items[n].spec.id = ++f->given;
		items[n].index = f->next++;
		items[n].report = f->report;
	}
	return (int)n;
}

static bool source_judged(struct fg_run_source *source, const struct fg_run_item *item,
			  struct fg_case *c)
{
	struct fake *f = fake_of(source);

	(void)item;
	(void)c;
	return f->changes;
}

static void source_forget(struct fg_run_source *source, int pod)
{
	note(fake_of(source), "forgotten(%d)", pod);
	fake_of(source)->report = NULL;
}

static void source_end(struct fg_run_source *source, const struct fg_case_counts *counts)
{
	(void)counts;
	note(fake_of(source), "over");
}

static const struct fg_run_source_ops source_ops = { .open = source_open,
						     .begin = source_begin,
						     .fill = source_fill,
						     .judged = source_judged,
						     .forget = source_forget,
						     .end = source_end };

/* --- writers --- */

static struct fake_writer *self_of(struct fg_run_writer *writer)
{
	return (struct fake_writer *)writer;
}

static int writer_begin(struct fg_run_writer *writer, struct fg_error *err)
{
	(void)err;
	note(self_of(writer)->fake, "%c:begin", self_of(writer)->name);
	return 0;
}

static int writer_pod(struct fg_run_writer *writer, const struct fg_report *report,
		      struct fg_error *err)
{
	(void)err;
	note(self_of(writer)->fake, "%c:pod%s", self_of(writer)->name, report ? "" : "?");
	return 0;
}

static int writer_take(struct fg_run_writer *writer, const struct fg_run_answer *answer,
		       struct fg_error *err)
{
	struct fake_writer *w = self_of(writer);
	const struct fg_case *c = answer->c;

	if (++w->takes == w->fail_take)
		return fg_fail(err, FG_ERR_INTERNAL, "%c cannot take it", w->name);
	note(w->fake, "%c:%s%d=%s%s", w->name, answer->told ? "" : "-", (int)c->number,
	     fg_scenario_status_name(c->status), answer->changed ? "!" : "");
	if (c->why[0])
		note(w->fake, "[%s]", c->why);
	return 0;
}

static int writer_flush(struct fg_run_writer *writer, struct fg_error *err)
{
	(void)err;
	note(self_of(writer)->fake, "%c:flush", self_of(writer)->name);
	return 0;
}

static int writer_end(struct fg_run_writer *writer, const struct fg_run_totals *totals,
		      struct fg_error *err)
{
	struct fake_writer *w = self_of(writer);

	note(w->fake, "%c:end%s", w->name, totals->counts.interrupted ? "(interrupted)" : "");
	return w->fail_end ? fg_fail(err, FG_ERR_INTERNAL, "%c cannot end", w->name) : 0;
}

static const struct fg_run_writer_ops writer_ops = { .begin = writer_begin,
						     .pod = writer_pod,
						     .take = writer_take,
						     .flush = writer_flush,
						     .end = writer_end };

static void warn(void *arg, const char *text)
{
	struct fake *f = arg;
	size_t len = strlen(f->warnings);

	snprintf(f->warnings + len, sizeof(f->warnings) - len, "%s\n", text);
}

/* --- all of it --- */

void fake_up(struct fake *fake, uint64_t count)
{
	*fake = (struct fake){
		.room = FAKE_ROOM, .count = count, .now = 1000000, .send_error = FG_ERR_UNSUPPORTED
	};
	fake->session = (struct fg_run_session){ .ops = &session_ops, .self = fake };
	fake->context.ladder = &fake->ladder;
	fake->address.addr = (struct fg_addr){ AF_INET, { 10, 9, 0, 2 } };
	fake->pod.addresses = (struct fg_link_addresses){ .list = &fake->address, .count = 1 };
	fake->pod.netns = -1;
	snprintf(fake->pod.ref, sizeof(fake->pod.ref), "netns:cart");
	fake->source.ops = &source_ops;
	for (int i = 0; i < 2; i++) {
		fake->writers[i] = (struct fake_writer){ .writer.ops = &writer_ops,
							 .fake = fake,
							 .name = (char)('a' + i) };
		fake->list[i] = &fake->writers[i].writer;
	}
	fake->options = (struct fg_run_options){ .session = &fake->session,
						 .source = &fake->source,
						 .writers = fake->list,
						 .writer_count = 1,
						 .ui = { .warn = warn, .arg = fake } };
}

int fake_run(struct fake *fake)
{
	return fg_run(&fake->options, &fake->totals, &fake->err);
}
