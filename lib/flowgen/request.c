// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <jansson.h>

#include "flowgen/internal.h"

static int no_memory(struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "a request");
}

static int put_piece(const char *bytes, size_t len, void *out)
{
	fg_buffer_put(out, bytes, len);
	return 0;
}

/* Not json_dumps(): its text would be from the caller's allocator (json_set_alloc_funcs()). */
int fg_flowgen_request_dump(struct fg_buffer *out, const json_t *value)
{
	size_t before = out->len;

	if (value && !json_dump_callback(value, put_piece, out, JSON_COMPACT) && !out->failed)
		return 0;
	out->len = before;
	return -1;
}

/* Appends the line; takes over the object, of which NULL stands for memory that was short. */
static int put_line(struct fg_buffer *out, json_t *line, struct fg_error *err)
{
	int ret = fg_flowgen_request_dump(out, line);

	json_decref(line);
	if (!ret)
		fg_buffer_puts(out, "\n");
	return ret || out->failed ? no_memory(err) : 0;
}

int fg_flowgen_request_pods(struct fg_buffer *out, const char *id, struct fg_error *err)
{
	return put_line(out, json_pack("{s:s,s:[s]}", "id", id, "args", "pods"), err);
}

int fg_flowgen_request_run(struct fg_buffer *out, const char *id, const char *scenario,
			   struct fg_error *err)
{
	json_t *text = json_string_nocheck(scenario), *checked = json_string(scenario);
	bool is_text = !text || checked;

	json_decref(checked);
	if (!is_text) {
		json_decref(text);
		return fg_fail(err, FG_ERR_USAGE, "the scenario is not UTF-8");
	}
	return put_line(out,
			json_pack("{s:s,s:[s,s],s:{s:o}}", "id", id, "args", "run", "@scenario",
				  "files", "scenario", text),
			err);
}

int fg_flowgen_request_any(struct fg_buffer *out, const char *id, const char *request,
			   struct fg_error *err)
{
	json_error_t why;
	json_t *line = json_loads(request, JSON_REJECT_DUPLICATES, &why), *own;

	if (!line)
		return fg_fail(err, FG_ERR_USAGE, "the request is not JSON: line %d, column %d: %s",
			       why.line, why.column, why.text);
	/* The other kinds of lines are the library's to write. */
	if (!json_object_get(line, "args")) {
		json_decref(line);
		return fg_fail(err, FG_ERR_USAGE, "the request must be an object with args");
	}
	own = json_string(id);
	if (!own || json_object_set_new(line, "id", own)) {
		json_decref(line);
		return no_memory(err);
	}
	return put_line(out, line, err);
}

int fg_flowgen_request_cancel(struct fg_buffer *out, const char *id, struct fg_error *err)
{
	return put_line(out, json_pack("{s:s,s:b}", "id", id, "cancel", 1), err);
}

int fg_flowgen_request_ping(struct fg_buffer *out, const char *id, struct fg_error *err)
{
	return put_line(out, json_pack("{s:s,s:b}", "id", id, "ping", 1), err);
}
