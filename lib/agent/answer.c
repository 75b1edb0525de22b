// SPDX-License-Identifier: GPL-2.0-only
#include "agent/internal.h"

#include <jansson.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/json.h"

/* fg_json_put_text() has null for "". */
static void put_string(struct fg_buffer *out, const char *text)
{
	if (*text)
		fg_json_put_text(out, text);
	else
		fg_buffer_puts(out, "\"\"");
}

static void put_key(struct fg_buffer *out, const char *key)
{
	fg_buffer_printf(out, ",\"%s\":", key);
}

static void put_flag(struct fg_buffer *out, const char *key, bool value)
{
	put_key(out, key);
	fg_buffer_puts(out, value ? "true" : "false");
}

static void begin(struct fg_buffer *out, const char *id)
{
	fg_buffer_puts(out, "{\"id\":");
	fg_json_put_text(out, id);
}

static void end(struct fg_buffer *out)
{
	fg_buffer_puts(out, "}\n");
}

/* --- the agent's own --- */

void fg_agent_answer_hello(struct fg_buffer *out, const struct fg_agent_options *options,
			   const char *host, const char *kernel)
{
	fg_buffer_puts(out, "{\"agent\":{\"protocol\":1");
	put_key(out, "version");
	put_string(out, options->version);
	put_key(out, "host");
	put_string(out, host);
	put_key(out, "kernel");
	put_string(out, kernel);
	put_key(out, "node");
	fg_json_put_text(out, options->node);
	put_key(out, "verbs");
	for (size_t i = 0; i < options->verb_count; i++) {
		fg_buffer_puts(out, i ? "," : "[");
		put_string(out, options->verbs[i].name);
	}
	fg_buffer_printf(out, "],\"go\":true,\"parallel\":%u,\"waiting\":%u,\"line_bytes\":%u}",
			 options->parallel, FG_AGENT_WAITING, FG_AGENT_LINE_BYTES);
	end(out);
}

void fg_agent_answer_error(struct fg_buffer *out, const char *id, const struct fg_error *why,
			   uint64_t line)
{
	FG_FREE char *text = NULL;

	if (asprintf(&text, "%s%s%s%s", why->message, why->hint[0] ? " (" : "", why->hint,
		     why->hint[0] ? ")" : "") < 0) {
		text = NULL;
		out->failed = true;
		return;
	}
	begin(out, id);
	put_key(out, "error");
	put_string(out, text);
	put_key(out, "line");
	fg_buffer_put_u64(out, line);
	put_key(out, "status");
	fg_buffer_put_u64(out, (uint64_t)fg_error_status(why->kind));
	end(out);
}

void fg_agent_answer_pong(struct fg_buffer *out, const char *id)
{
	begin(out, id);
	put_flag(out, "pong", true);
	end(out);
}

/* The C library has no names for those of real time. */
static void put_signal(struct fg_buffer *out, int number)
{
	const char *name = sigabbrev_np(number);

	if (name)
		fg_buffer_printf(out, "\"SIG%s\"", name);
	else
		fg_buffer_printf(out, "\"%d\"", number);
}

void fg_agent_answer_done(struct fg_buffer *out, const char *id, int status, bool cancelled)
{
	begin(out, id);
	put_key(out, "done");
	fg_buffer_puts(out, "{\"status\":");
	if (status >= 0 && WIFEXITED(status))
		fg_buffer_put_u64(out, (uint64_t)WEXITSTATUS(status));
	else
		fg_buffer_puts(out, "null");
	put_key(out, "signal");
	if (status >= 0 && WIFSIGNALED(status))
		put_signal(out, WTERMSIG(status));
	else
		fg_buffer_puts(out, "null");
	put_flag(out, "cancelled", cancelled);
	fg_buffer_puts(out, "}");
	end(out);
}

/* --- what a request writes --- */

static bool is_object(const char *bytes, size_t len)
{
	json_error_t why;
	json_t *value;
	bool is;

	if (!len || bytes[0] != '{')
		return false;
	value = json_loadb(bytes, len, 0, &why);
	is = json_is_object(value);
	json_decref(value);
	return is;
}

/* Whether it can be a string: UTF-8 without a NUL, which many readers of JSON refuse. */
static bool is_text(const char *bytes, size_t len)
{
	json_t *value = memchr(bytes, 0, len) ? NULL : json_stringn(bytes, len);
	bool is = value != NULL;

	json_decref(value);
	return is;
}

static void put_bytes(struct fg_buffer *out, char *bytes, size_t len)
{
	if (is_text(bytes, len)) {
		put_key(out, "text");
		bytes[len] = '\0';
		put_string(out, bytes);
		return;
	}
	put_key(out, "base64");
	fg_buffer_puts(out, "\"");
	fg_agent_base64_put(out, bytes, len);
	fg_buffer_puts(out, "\"");
}

void fg_agent_answer_output(struct fg_buffer *out, const char *id, char *bytes, size_t len)
{
	if (!is_object(bytes, len)) {
		fg_agent_answer_text(out, id, bytes, len, false);
		return;
	}
	begin(out, id);
	put_key(out, "result");
	/* As it is: the order of keys and the digits of numbers stay. */
	fg_buffer_put(out, bytes, len);
	end(out);
}

void fg_agent_answer_text(struct fg_buffer *out, const char *id, char *bytes, size_t len, bool more)
{
	begin(out, id);
	put_bytes(out, bytes, len);
	if (more)
		put_flag(out, "more", true);
	end(out);
}

void fg_agent_answer_message(struct fg_buffer *out, const char *id, char *bytes, size_t len,
			     bool more)
{
	for (size_t i = 0; i < len; i++)
		if (!bytes[i])
			bytes[i] = '?';
	bytes[len] = '\0';
	begin(out, id);
	put_key(out, "message");
	put_string(out, bytes);
	if (more)
		put_flag(out, "more", true);
	end(out);
}

void fg_agent_answer_file(struct fg_buffer *out, const char *id, const char *name, char *bytes,
			  size_t len)
{
	begin(out, id);
	put_key(out, "file");
	put_string(out, name);
	put_bytes(out, bytes, len);
	end(out);
}
