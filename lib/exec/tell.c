// SPDX-License-Identifier: GPL-2.0-only
#include "exec/tell.h"

#include "base/clock.h"
#include "exec/internal.h"
#include "run/run.h"

static bool any(const struct fg_divert_flow *flow)
{
	return flow->state.out_packets > 0;
}

static bool failed(const struct fg_divert_flow *flow)
{
	enum fg_exec_got got = fg_exec_got(&flow->flow, &flow->state);

	return (got != FG_EXEC_ANSWERED && got != FG_EXEC_NOT_SENT) || flow->state.drops;
}

static int put(const struct fg_exec_options *options, const struct fg_exec_done *done,
	       const struct fg_asked *asked, bool all, struct fg_buffer *records,
	       struct fg_buffer *text, struct fg_error *err)
{
	uint64_t realtime = fg_clock_realtime() - fg_clock_now();

	for (size_t i = 0; i < done->flow_count; i++) {
		const struct fg_exec_row row = {
			.origin = fg_run_origin(),
			.pod = done->outside ? done->uplink : options->ref,
			.flow = &done->flows[i].flow,
			.state = &done->flows[i].state,
			.drop_reason = done->flows[i].drop_reason,
			.drop_device = done->flows[i].drop_device,
			.drop_in_pod = done->flows[i].drop_in_pod,
			.realtime = realtime,
			.probe = asked->of[i] ? &asked->probes[asked->of[i] - 1] : NULL,
		};

		if (fg_exec_json(&row, records, err))
			return -1;
		if ((all || row.state->drops ||
		     fg_exec_got(row.flow, row.state) != FG_EXEC_ANSWERED) &&
		    fg_exec_text(&row, text, err))
			return -1;
	}
	return 0;
}

/* The command is outside, and so is the server: what it asks would have to leave by the uplink. */
static bool is_beyond(const struct fg_exec_done *done, const struct fg_addr *server)
{
	for (size_t i = 0; i < done->flow_count; i++) {
		const struct fg_divert_flow *f = &done->flows[i];
		const struct fg_addr remote = fg_exec_addr(&f->flow, f->flow.remote);

		if (f->state.left && !f->state.in_packets && fg_exec_asks_names(done, f) &&
		    fg_addr_equal(&remote, server))
			return true;
	}
	return false;
}

static void put_servers(const struct fg_exec_done *done, struct fg_buffer *text)
{
	char addr[FG_ADDR_TEXT_LEN];

	for (size_t i = 0; i < done->server_count; i++)
		if (is_beyond(done, &done->servers[i]))
			fg_buffer_printf(text,
					 "the name server %s is beyond the uplink, where the "
					 "command's packets cannot go: give it one that this node "
					 "reaches by another way (--dns ADDR), or addresses "
					 "instead of names\n",
					 fg_addr_text(&done->servers[i], addr, sizeof(addr)));
}

/* What no flow's record has. */
static void put_notes(const struct fg_exec_done *done, const struct fg_asked *asked,
		      struct fg_buffer *text)
{
	put_servers(done, text);
	if (asked->left_out)
		fg_buffer_printf(text,
				 "%zu more flows went to other destinations than the %d that "
				 "were asked about\n",
				 asked->left_out, FG_ASK_MAX);
	if (done->flows_made > done->flow_count)
		fg_buffer_printf(text, "%llu flows in all: the first are not known any more\n",
				 (unsigned long long)done->flows_made);
	if (done->unfinished)
		fg_buffer_printf(text,
				 "%zu connections had not ended: what comes for them now %s\n",
				 done->unfinished,
				 done->outside ? "leaves by the uplink"
					       : "the pod's stack answers with a reset");
	if (done->early_fragments)
		fg_buffer_printf(text,
				 "%llu datagrams for the command lost a fragment%s: it came "
				 "before their first one\n",
				 (unsigned long long)done->early_fragments,
				 done->outside ? "" : " to the pod");
}

void fg_tell_free(struct fg_told *told)
{
	fg_buffer_free(&told->records);
	fg_buffer_free(&told->text);
	fg_buffer_free(&told->notes);
}

int fg_tell(const struct fg_exec_options *options, const struct fg_exec_done *done,
	    const struct fg_tell *what, struct fg_told *told, struct fg_error *err)
{
	struct fg_asked asked = {};
	int ret = fg_ask(done, what->all ? any : failed, &asked, err);

	*told = (struct fg_told){};
	/* The pod is gone, perhaps: what the command did is known all the same. */
	if (ret && asked.of) {
		fg_buffer_printf(&told->notes, "who decided could not be asked: %s\n",
				 err->message);
		ret = 0;
	}
	if (!ret) {
		fg_exec_weigh(done, &asked, what->expect, told);
		put_notes(done, &asked, &told->notes);
		ret = put(options, done, &asked, what->all, &told->records, &told->text, err);
	}
	fg_ask_free(&asked);
	return ret;
}
