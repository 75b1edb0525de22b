// SPDX-License-Identifier: GPL-2.0-only
#include "listing/exec.h"

#include <arpa/inet.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/markup.h"
#include "header/dissect.h"
#include "listing/internal.h"
#include "probe/names.h"
#include "report/report.h"

/*
 * A TCP that sends that long after the last packet came gets no acknowledgment any more: a delayed
 * one comes within 500 ms (RFC 9293 section 3.8.6.3), of Linux within 200.
 */
#define SILENCE_NS 500000000ULL

static const char *const got_names[] = {
	[FG_EXEC_ANSWERED] = "answered",     [FG_EXEC_RESET] = "reset",
	[FG_EXEC_ICMP_ERROR] = "icmp-error", [FG_EXEC_UNANSWERED] = "unanswered",
	[FG_EXEC_NOT_SENT] = "not-sent",     [FG_EXEC_SILENCED] = "silenced",
};

static const char *const end_names[] = {
	[FG_EXEC_OPEN] = "open",
	[FG_EXEC_CLOSED_HERE] = "closed-here",
	[FG_EXEC_CLOSED_THERE] = "closed-there",
	[FG_EXEC_RESET_HERE] = "reset-here",
	[FG_EXEC_RESET_THERE] = "reset-there",
};

static bool is_silenced(const struct fg_exec_state *state, bool tcp)
{
	return tcp && state->in_packets && state->end != FG_EXEC_RESET_HERE &&
	       state->end != FG_EXEC_RESET_THERE && state->last_ns > state->last_in_ns + SILENCE_NS;
}

enum fg_exec_got fg_exec_got(const struct fg_exec_flow *flow, const struct fg_exec_state *state)
{
	if (!state->out_packets)
		return FG_EXEC_NOT_SENT;
	/* A reset that comes before any SYN-ACK refuses the connection (RFC 9293 section 3.10.7).
	 */
	if (state->end == FG_EXEC_RESET_THERE && !state->answered_syn)
		return FG_EXEC_RESET;
	if (is_silenced(state, flow->proto == IPPROTO_TCP))
		return FG_EXEC_SILENCED;
	if (state->in_packets)
		return FG_EXEC_ANSWERED;
	return state->in_errors ? FG_EXEC_ICMP_ERROR : FG_EXEC_UNANSWERED;
}

struct fg_addr fg_exec_addr(const struct fg_exec_flow *flow, const uint8_t bytes[16])
{
	struct fg_addr addr = { .family = flow->family == 4 ? AF_INET : AF_INET6 };

	memcpy(addr.bytes, bytes, sizeof(addr.bytes));
	return addr;
}

static bool is_icmp(const struct fg_exec_flow *flow)
{
	return flow->proto == IPPROTO_ICMP || flow->proto == IPPROTO_ICMPV6;
}

static bool has_ports(const struct fg_exec_flow *flow)
{
	return !is_icmp(flow) && (flow->local_port || flow->remote_port);
}

static json_t *end_json(const struct fg_exec_flow *flow, const __u8 bytes[16], __be16 port)
{
	const struct fg_addr addr = fg_exec_addr(flow, bytes);
	char text[FG_ADDR_TEXT_LEN];

	return json_pack("{s:s, s:o}", "address", fg_addr_text(&addr, text, sizeof(text)), "port",
			 has_ports(flow) ? json_integer(ntohs(port)) : json_null());
}

static json_t *traffic_json(uint64_t packets, uint64_t bytes)
{
	return json_pack("{s:I, s:I}", "packets", (json_int_t)packets, "bytes", (json_int_t)bytes);
}

static json_t *drop_json(const struct fg_exec_row *row)
{
	const struct fg_exec_state *s = row->state;
	char last[FG_TIME_TEXT_LEN];

	if (!s->drops)
		return json_null();
	return json_pack("{s:I, s:b, s:s, s:o, s:o, s:s?}", "packets", (json_int_t)s->drops,
			 "answer", s->drop_back != 0, "last",
			 fg_time_text(s->drop_ns + row->realtime, last, sizeof(last)), "reason",
			 fg_json_text(row->drop_reason), "device", fg_json_text(row->drop_device),
			 "side",
			 !row->drop_device || !*row->drop_device ? NULL
			 : row->drop_in_pod			 ? "pod"
								 : "host");
}

static json_t *asked_json(const struct fg_exec_row *row)
{
	char at[FG_TIME_TEXT_LEN];

	if (!row->probe)
		return json_null();
	return json_pack("{s:s, s:b}", "time",
			 fg_time_text(row->probe->at_ns + row->realtime, at, sizeof(at)), "during",
			 row->probe->during);
}

static json_t *row_json(const struct fg_exec_row *row)
{
	const struct fg_exec_state *s = row->state;
	const struct fg_exec_flow *f = row->flow;
	char number[4], first[FG_TIME_TEXT_LEN], last[FG_TIME_TEXT_LEN];
	bool tcp = f->proto == IPPROTO_TCP;

	return json_pack(
		"{s:s, s:o, s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:I, s:o, s:o, s:o}",
		"schema", "flowgen.exec/1", "run", fg_origin_json(row->origin), "pod", row->pod,
		"proto", fg_flow_protocol_text(f->proto, number), "local",
		end_json(f, f->local, f->local_port), "remote",
		end_json(f, f->remote, f->remote_port), "icmp_id",
		is_icmp(f) ? json_integer(ntohs(f->local_port)) : json_null(), "got",
		got_names[fg_exec_got(row->flow, s)], "first",
		fg_time_text(s->first_ns + row->realtime, first, sizeof(first)), "last",
		fg_time_text((s->last_ns ? s->last_ns : s->first_ns) + row->realtime, last,
			     sizeof(last)),
		"out", traffic_json(s->out_packets, s->out_bytes), "in",
		traffic_json(s->in_packets, s->in_bytes), "end",
		tcp ? json_string(end_names[s->end]) : json_null(), "icmp_error",
		s->in_errors ? json_pack("{s:i, s:i, s:I}", "type", s->error >> 8, "code",
					 s->error & 0xff, "count", (json_int_t)s->in_errors)
			     : json_null(),
		"kept_back", (json_int_t)s->refused, "drop", drop_json(row), "asked",
		asked_json(row), "probe",
		row->probe ? json_loads(row->probe->json, 0, NULL) : json_null());
}

int fg_exec_json(const struct fg_exec_row *row, struct fg_buffer *out, struct fg_error *err)
{
	size_t len = out->len;
	json_t *object = row_json(row);
	char *text = object ? fg_json_dump(object) : NULL;

	fg_buffer_puts(out, text ? text : "");
	fg_buffer_puts(out, "\n");
	out->failed |= !text;
	free(text);
	json_decref(object);
	return fg_report_finish(out, len, err);
}

/* --- for people --- */

static const char *got_text(const struct fg_exec_row *row, char *buf, size_t size)
{
	const struct fg_exec_state *s = row->state;

	switch (fg_exec_got(row->flow, s)) {
	case FG_EXEC_ANSWERED:
		snprintf(buf, size, "answered%s",
			 s->end == FG_EXEC_RESET_THERE	  ? ", then reset by the other end"
			 : s->end == FG_EXEC_CLOSED_THERE ? ", closed by the other end"
							  : "");
		break;
	case FG_EXEC_SILENCED:
		snprintf(buf, size, "answered, then no more for %.1f s",
			 (double)(s->last_ns - s->last_in_ns) / 1e9);
		break;
	case FG_EXEC_RESET:
		snprintf(buf, size, "refused by a TCP reset");
		break;
	case FG_EXEC_ICMP_ERROR:
		snprintf(buf, size, "refused by an ICMP error (type %d, code %d)", s->error >> 8,
			 s->error & 0xff);
		break;
	case FG_EXEC_NOT_SENT:
		snprintf(buf, size, "not sent: the pod itself uses these addresses and ports");
		break;
	default:
		snprintf(buf, size, "no answer");
	}
	return buf;
}

static void put_end(struct fg_buffer *out, const struct fg_exec_flow *f, const __u8 bytes[16],
		    __be16 port)
{
	const struct fg_addr addr = fg_exec_addr(f, bytes);
	char text[FG_ADDR_TEXT_LEN];

	fg_addr_text(&addr, text, sizeof(text));
	if (!has_ports(f))
		fg_buffer_puts(out, text);
	else
		fg_buffer_printf(out, f->family == 4 ? "%s:%u" : "[%s]:%u", text, ntohs(port));
}

static void put_drop(struct fg_buffer *out, const struct fg_exec_row *row)
{
	const struct fg_exec_state *s = row->state;
	const char *device = row->drop_device ? row->drop_device : "";

	fg_buffer_printf(out, "    %u %s dropped %.1f s after the first packet%s", s->drops,
			 s->drop_back ? (s->drops > 1 ? "answers were" : "answer was")
				      : (s->drops > 1 ? "packets were" : "packet was"),
			 (double)(s->drop_ns - s->first_ns) / 1e9,
			 s->drops > 1 ? ", the last of them" : "");
	/* Who may name devices in a pod is not whom the text is for. */
	if (*device) {
		fg_buffer_puts(out, ", at ");
		fg_markup_put_visible(out, device, strlen(device));
		fg_buffer_puts(out, row->drop_in_pod ? " in the pod" : " of the host");
	}
	if (row->drop_reason)
		fg_buffer_printf(out, " (%s)", row->drop_reason);
	fg_buffer_puts(out, "\n");
}

int fg_exec_text(const struct fg_exec_row *row, struct fg_buffer *out, struct fg_error *err)
{
	const struct fg_exec_state *s = row->state;
	const struct fg_exec_flow *f = row->flow;
	char number[4], text[200];
	size_t len = out->len;

	fg_buffer_printf(out, "%s ", fg_flow_protocol_text(f->proto, number));
	put_end(out, f, f->local, f->local_port);
	fg_buffer_puts(out, " > ");
	put_end(out, f, f->remote, f->remote_port);
	fg_buffer_printf(out, "  %s; %llu packets out, %llu in\n",
			 got_text(row, text, sizeof(text)), (unsigned long long)s->out_packets,
			 (unsigned long long)s->in_packets);
	if (s->drops)
		put_drop(out, row);
	if (row->probe)
		fg_buffer_printf(out, "    a probe there %s: %s\n",
				 row->probe->during ? "at that moment" : "now",
				 row->probe->headline);
	return fg_report_finish(out, len, err);
}
