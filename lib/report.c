// SPDX-License-Identifier: GPL-2.0-only
/* report.c - what is constant in the results of a pod, rendered once; JSON texts. */
#include "report.h"

#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "report_parts.h"

json_t *fg_json_text(const char *text)
{
	json_t *value;
	char *copy;

	if (!text || !*text)
		return json_null();
	value = json_string(text);
	if (value)
		return value;
	/* Device names may hold any bytes, JSON may not. */
	copy = strdup(text);
	if (!copy)
		return NULL;
	for (char *c = copy; *c; c++)
		if (*c & 0x80)
			*c = '?';
	value = json_string(copy);
	free(copy);
	return value;
}

/* Whether the text stands in JSON as it is: nearly all do, and jansson takes 0.1 us for each. */
static bool is_plain(const char *text)
{
	for (; *text; text++)
		if (*text < 0x20 || *text > 0x7e || *text == '"' || *text == '\\')
			return false;
	return true;
}

static int buffer_sink(const char *bytes, size_t len, void *out)
{
	fg_buffer_put(out, bytes, len);
	return 0;
}

void fg_json_put_text(struct fg_buffer *out, const char *text)
{
	json_t *value;

	if (text && *text && is_plain(text)) {
		fg_buffer_put(out, "\"", 1);
		fg_buffer_puts(out, text);
		fg_buffer_put(out, "\"", 1);
		return;
	}
	value = fg_json_text(text);
	if (!value || json_dump_callback(value, buffer_sink, out, JSON_ENCODE_ANY | JSON_COMPACT))
		out->failed = true;
	json_decref(value);
}

int fg_report_finish(struct fg_buffer *out, size_t len, struct fg_error *err)
{
	if (!out->failed)
		return 0;
	out->len = len;
	out->failed = false;
	return fg_fail(err, FG_ERR_INTERNAL, "result: out of memory");
}

static json_t *device_json(const struct fg_subject *s)
{
	return json_pack("{s:o,s:o,s:o,s:i,s:o,s:i}", "kind", fg_json_text(s->device.kind), "mode",
			 fg_json_text(s->device.mode), "peer", fg_json_text(s->device.peer),
			 "peer_ifindex", s->device.peer_ifindex, "primary",
			 fg_json_text(s->device.primary), "primary_ifindex",
			 s->device.primary_ifindex);
}

json_t *fg_json_pod(const struct fg_subject *s)
{
	char address[FG_ADDR_TEXT_LEN] = "";

	if (s->address.family)
		fg_addr_text(&s->address, address, sizeof(address));
	return json_pack("{s:o,s:o,s:{s:I,s:o},s:o,s:o}", "ref", fg_json_text(s->ref), "name",
			 fg_json_text(s->name), "netns", "inode", (json_int_t)s->netns, "name",
			 fg_json_text(s->path), "address", fg_json_text(address), "device",
			 device_json(s));
}

static const char *tag_text(const struct fg_program *program, char buf[17])
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < sizeof(program->tag); i++) {
		buf[2 * i] = digits[program->tag[i] >> 4];
		buf[2 * i + 1] = digits[program->tag[i] & 15];
	}
	buf[16] = '\0';
	return buf;
}

static json_t *program_json(const struct fg_program *program, size_t order)
{
	return json_pack("{s:I,s:s,s:s,s:o,s:I,s:o}", "order", (json_int_t)order, "hook",
			 fg_hook_name(program->hook), "side", fg_side_name(program->side), "device",
			 fg_json_text(program->device), "id", (json_int_t)program->id, "name",
			 fg_json_text(program->name));
}

/* Takes the value over. */
static char *dump(json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

	json_decref(value);
	return text;
}

static int render_program(struct fg_report *report, size_t i)
{
	const struct fg_program *program = &report->scene->ladder->programs[i];
	json_t *value = program_json(program, i + 1);
	char tag[17];

	if (!value)
		return -1;
	report->denier[i] = json_dumps(value, JSON_COMPACT);
	json_object_set_new(value, "tag", json_string(tag_text(program, tag)));
	report->program[i] = dump(value);
	if (!report->denier[i] || !report->program[i])
		return -1;
	report->program[i][strlen(report->program[i]) - 1] = '\0';
	return 0;
}

static char *render_gaps(const struct fg_report *report)
{
	struct fg_gap gaps[FG_GAPS_MAX];
	json_t *list = json_array();

	fg_gaps_list(report, gaps);
	for (const struct fg_gap *gap = gaps; gap->word; gap++)
		if (json_array_append_new(list, json_string(gap->word))) {
			json_decref(list);
			return NULL;
		}
	return dump(list);
}

struct fg_report *fg_report_open(const struct fg_subject *subject, const struct fg_scene *scene,
				 const struct fg_report_options *options, struct fg_error *err)
{
	struct fg_report *report = calloc(1, sizeof(*report));

	if (!report)
		goto fail;
	report->subject = *subject;
	report->scene = scene;
	report->options = *options;
	report->programs = scene->ladder->count < FG_LADDER_MAX ? scene->ladder->count
								: FG_LADDER_MAX;
	report->pod = dump(fg_json_pod(subject));
	report->not_exercised = render_gaps(report);
	if (!report->pod || !report->not_exercised)
		goto fail;
	for (size_t i = 0; i < report->programs; i++)
		if (render_program(report, i) < 0)
			goto fail;
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
	free(report->not_exercised);
	for (size_t i = 0; i < report->programs; i++) {
		free(report->program[i]);
		free(report->denier[i]);
	}
	free(report);
}
