// SPDX-License-Identifier: GPL-2.0-only
#include "probe/trace.h"

#include <stdlib.h>

#include "base/grow.h"

/* What is seen of nearly every packet. */
#define ROOM_MIN 8

void fg_trace_reset(struct fg_trace *trace)
{
	struct fg_observation *list = trace->list;
	size_t room = trace->room;

	*trace = (struct fg_trace){ .list = list, .room = room };
}

void fg_trace_free(struct fg_trace *trace)
{
	free(trace->list);
	*trace = (struct fg_trace){};
}

struct fg_observation *fg_trace_add(struct fg_trace *trace, const struct fg_event *event)
{
	size_t need = (size_t)trace->count + 1;
	struct fg_observation *o;

	if (!FG_GROW_TO(trace->list, trace->room, need < ROOM_MIN ? ROOM_MIN : need, "trace", NULL))
		return NULL;
	o = &trace->list[trace->count++];
	*o = (struct fg_observation){ .event = *event, .flow = -1 };
	if (event->time_ns > trace->injected_ns)
		o->time_ns = event->time_ns - trace->injected_ns;
	return o;
}

void fg_trace_losses_add(struct fg_trace_losses *losses, const struct fg_trace *trace)
{
	if (trace->window && trace->window == losses->window)
		return;
	losses->window = trace->window;
	losses->lost += trace->lost;
	losses->strays += trace->strays;
}
