// SPDX-License-Identifier: GPL-2.0-only
#include "probe.h"

#include <stdlib.h>

void fg_ladder_free(struct fg_ladder *ladder)
{
	free(ladder->programs);
	*ladder = (struct fg_ladder){};
}

void fg_trace_reset(struct fg_trace *trace)
{
	struct fg_observation *list = trace->list;
	uint32_t room = trace->room;

	*trace = (struct fg_trace){ .list = list, .room = room };
}

void fg_trace_free(struct fg_trace *trace)
{
	free(trace->list);
	*trace = (struct fg_trace){};
}

struct fg_observation *fg_trace_add(struct fg_trace *trace, const struct fg_event *event)
{
	struct fg_observation *o;

	if (trace->count == trace->room) {
		uint32_t room = trace->room ? trace->room * 2 : 8;

		o = reallocarray(trace->list, room, sizeof(*o));
		if (!o)
			return NULL;
		trace->list = o;
		trace->room = room;
	}
	o = &trace->list[trace->count++];
	*o = (struct fg_observation){ .event = *event, .flow = -1 };
	if (event->time_ns > trace->injected_ns)
		o->time_ns = event->time_ns - trace->injected_ns;
	return o;
}
