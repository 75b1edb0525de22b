// SPDX-License-Identifier: GPL-2.0-only
/* report/report.c - what the results of a pod have in common. */
#include "report/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "report/internal.h"

int fg_report_finish(struct fg_buffer *out, size_t len, struct fg_error *err)
{
	if (!out->failed)
		return 0;
	out->len = len;
	out->failed = false;
	return fg_fail(err, FG_ERR_INTERNAL, "result: out of memory");
}

json_t *fg_report_json_device(const struct fg_source_pod *s)
{
	return json_pack("{s:o,s:o,s:o,s:i,s:o,s:i}", "kind", fg_json_text(s->device.kind), "mode",
			 fg_json_text(s->device.mode), "peer", fg_json_text(s->device.peer),
			 "peer_ifindex", s->device.peer_ifindex, "primary",
			 fg_json_text(s->device.primary), "primary_ifindex",
			 s->device.primary_ifindex);
}

json_t *fg_report_json_pod(const struct fg_source_pod *s)
{
	char address[FG_ADDR_TEXT_LEN] = "";

	if (s->address.family)
		fg_addr_text(&s->address, address, sizeof(address));
	return json_pack("{s:o,s:o,s:{s:I,s:o},s:o,s:o}", "ref", fg_json_text(s->ref), "name",
			 fg_json_text(s->name), "netns", "inode", (json_int_t)s->netns, "name",
			 fg_json_text(s->path), "address", fg_json_text(address), "device",
			 fg_report_json_device(s));
}

struct fg_report *fg_report_open(const struct fg_source_pod *source_pod,
				 const struct fg_context *context,
				 const struct fg_report_options *options, struct fg_error *err)
{
	struct fg_report *report = calloc(1, sizeof(*report));
	struct fg_buffer origin = {};
	json_t *pod;

	if (!report)
		goto fail;
	report->source_pod = *source_pod;
	report->context = context;
	report->options = *options;
	report->constants = calloc(1, sizeof(*report->constants));
	pod = fg_report_json_pod(source_pod);
	report->pod = pod ? fg_json_dump(pod) : NULL;
	json_decref(pod);
	fg_origin_put_json(options->origin, &origin);
	fg_buffer_put(&origin, "", 1);
	report->origin = origin.failed ? NULL : strdup(origin.data);
	fg_buffer_free(&origin);
	if (report->pod && report->origin && report->constants)
		return report;
fail:
	fg_report_close(report);
	fg_fail(err, FG_ERR_INTERNAL, "report: out of memory");
	return NULL;
}

void fg_report_close(struct fg_report *report)
{
	if (!report)
		return;
	free(report->pod);
	free(report->origin);
	fg_constants_free(report->constants);
	free(report);
}

const struct fg_report_options *fg_report_style(const struct fg_report *report)
{
	return &report->options;
}
