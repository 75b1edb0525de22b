// SPDX-License-Identifier: GPL-2.0-only
#include "agent/internal.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"

static int no_memory(struct fg_error *err)
{
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "a request");
}

static int wrong(struct fg_error *err, const char *key, const char *what)
{
	return fg_fail(err, FG_ERR_USAGE, "%s: must be %s", key, what);
}

/* --- values --- */

static bool is_id(const json_t *value)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (!text || !len || len >= FG_AGENT_NAME_LEN)
		return false;
	for (; *text; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return true;
}

/* It is put into paths and lines as it is. */
static bool is_file_name(const char *text)
{
	size_t len =
		strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return len && !text[len] && len < FG_AGENT_NAME_LEN && text[0] != '.';
}

static int read_bytes(const char *key, const json_t *value, struct fg_agent_bytes *to,
		      struct fg_error *err)
{
	const json_t *encoded = json_object_get(value, "base64");
	struct fg_buffer out = {};
	int ret = 0;

	if (json_is_string(value))
		fg_buffer_put(&out, json_string_value(value), json_string_length(value));
	else if (json_object_size(value) != 1 || !json_is_string(encoded) ||
		 fg_agent_base64_read(json_string_value(encoded), json_string_length(encoded),
				      &out))
		ret = wrong(err, key, "a string, or {\"base64\": TEXT} in Base64 with padding");
	/* Nothing is something, too: there is a file, and it is empty. */
	fg_buffer_reserve(&out, 1);
	if (!ret && out.failed)
		ret = no_memory(err);
	if (ret)
		fg_buffer_free(&out);
	to->data = out.data;
	to->len = out.len;
	return ret;
}

static int read_words(const json_t *list, struct fg_agent_request *r, struct fg_error *err)
{
	size_t count = json_array_size(list);

	if (!count || count > FG_AGENT_WORDS)
		return wrong(err, "args", "a list of 1 to 4096 strings");
	r->words = calloc(count, sizeof(*r->words));
	if (!r->words)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		const char *word = json_string_value(json_array_get(list, i));

		if (!word)
			return wrong(err, "args", "a list of 1 to 4096 strings");
		r->words[i] = strdup(word);
		if (!r->words[i])
			return no_memory(err);
		r->word_count++;
	}
	return 0;
}

static struct fg_agent_file *add_file(struct fg_agent_request *r, const char *key, const char *name,
				      struct fg_error *err)
{
	struct fg_agent_file *file;

	if (!name || !is_file_name(name)) {
		fg_fail(err, FG_ERR_USAGE,
			"%s: a name must be 1 to 64 letters, digits, '-', '_' and '.', and not "
			"begin with '.'",
			key);
		return NULL;
	}
	for (size_t i = 0; i < r->file_count; i++)
		if (!strcmp(r->files[i].name, name)) {
			fg_fail(err, FG_ERR_USAGE, "%s: the name '%s' is there twice", key, name);
			return NULL;
		}
	file = FG_APPEND(r->files, r->file_count, "a request", err);
	if (!file)
		return NULL;
	file->fd = -1;
	memcpy(file->name, name, strlen(name) + 1);
	return file;
}

static int read_files(const json_t *files, struct fg_agent_request *r, struct fg_error *err)
{
	const char *name;
	json_t *value;

	if (!json_is_object(files) || json_object_size(files) > FG_AGENT_FILES)
		return wrong(err, "files", "an object with at most 16 names");
	json_object_foreach ((json_t *)files, name, value) {
		struct fg_agent_file *file = add_file(r, "files", name, err);

		if (!file || read_bytes("files", value, &file->content, err))
			return -1;
	}
	return 0;
}

static int read_outputs(const json_t *outputs, struct fg_agent_request *r, struct fg_error *err)
{
	if (!json_is_array(outputs) || json_array_size(outputs) > FG_AGENT_FILES)
		return wrong(err, "outputs", "a list of at most 16 names");
	for (size_t i = 0; i < json_array_size(outputs); i++) {
		const json_t *name = json_array_get(outputs, i);
		struct fg_agent_file *file = add_file(r, "outputs", json_string_value(name), err);

		if (!file)
			return -1;
		file->output = true;
	}
	return 0;
}

static int read_input(const json_t *value, struct fg_agent_request *r, struct fg_error *err)
{
	return read_bytes("stdin", value, &r->input, err);
}

static int read_true(const json_t *value, struct fg_agent_request *r, struct fg_error *err)
{
	(void)r;
	return json_is_true(value) ? 0 : fg_fail(err, FG_ERR_USAGE, "only true can be asked for");
}

static int read_id(const json_t *value, struct fg_agent_request *r, struct fg_error *err)
{
	if (!is_id(value))
		return wrong(err, "id", "1 to 64 printable ASCII characters without a space");
	memcpy(r->id, json_string_value(value), json_string_length(value) + 1);
	return 0;
}

/* --- the line --- */

/* All keys. One that decides is what the line is; `of` is what the other keys belong to. */
static const struct key {
	const char *name;
	bool decides;
	unsigned int of; /* bits of enum fg_agent_kind */
	int (*read)(const json_t *value, struct fg_agent_request *r, struct fg_error *err);
} keys[] = {
	{ "id", false,
	  1U << FG_AGENT_RUN | 1U << FG_AGENT_CANCEL | 1U << FG_AGENT_GO | 1U << FG_AGENT_PING,
	  read_id },
	{ "args", true, 1U << FG_AGENT_RUN, read_words },
	{ "cancel", true, 1U << FG_AGENT_CANCEL, read_true },
	{ "go", true, 1U << FG_AGENT_GO, read_true },
	{ "ping", true, 1U << FG_AGENT_PING, read_true },
	{ "end", true, 1U << FG_AGENT_LAST, read_true },
	{ "files", false, 1U << FG_AGENT_RUN, read_files },
	{ "outputs", false, 1U << FG_AGENT_RUN, read_outputs },
	{ "stdin", false, 1U << FG_AGENT_RUN, read_input },
};

static const struct key *find_key(const char *name)
{
	for (size_t i = 0; i < COUNT(keys); i++)
		if (!strcmp(keys[i].name, name))
			return &keys[i];
	return NULL;
}

static int find_kind(const json_t *line, struct fg_agent_request *r, struct fg_error *err)
{
	unsigned int found = 0;
	const char *name;
	json_t *value;

	for (size_t i = 0; i < COUNT(keys); i++)
		if (keys[i].decides && json_object_get(line, keys[i].name)) {
			found++;
			r->kind = (enum fg_agent_kind)__builtin_ctz(keys[i].of);
		}
	if (found != 1)
		return fg_fail(err, FG_ERR_USAGE,
			       "must have one of the keys args, cancel, ping and end");
	json_object_foreach ((json_t *)line, name, value) {
		const struct key *key = find_key(name);

		if (!key || !(key->of & 1U << r->kind))
			return fg_fail(err, FG_ERR_USAGE, "no key '%s'%s", name,
				       key ? " in this kind of line" : "");
	}
	if (r->kind != FG_AGENT_LAST && !r->id[0])
		return fg_fail(err, FG_ERR_USAGE, "no id");
	return 0;
}

static int read_line(const json_t *line, struct fg_agent_request *r, struct fg_error *err)
{
	const json_t *id = json_object_get(line, "id");

	if (!json_is_object(line))
		return fg_fail(err, FG_ERR_USAGE, "not a JSON object");
	/* Before all else: what is wrong is said of it. */
	if ((id && read_id(id, r, err)) || find_kind(line, r, err))
		return -1;
	for (size_t i = 0; i < COUNT(keys); i++) {
		const json_t *value = json_object_get(line, keys[i].name);

		if (value && keys[i].read != read_id && keys[i].read(value, r, err))
			return -1;
	}
	return 0;
}

int fg_agent_request_read(const char *line, size_t len, struct fg_agent_request *request,
			  struct fg_error *err)
{
	json_error_t why;
	json_t *value;
	int ret;

	*request = (struct fg_agent_request){};
	value = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!value)
		return fg_fail(err, FG_ERR_USAGE, "not JSON: %s (byte %d)", why.text, why.position);
	ret = read_line(value, request, err);
	json_decref(value);
	return ret;
}

void fg_agent_request_free(struct fg_agent_request *request)
{
	for (size_t i = 0; i < request->word_count; i++)
		free(request->words[i]);
	free(request->words);
	for (size_t i = 0; i < request->file_count; i++) {
		free(request->files[i].content.data);
		fg_fd_close(&request->files[i].fd);
	}
	free(request->files);
	free(request->input.data);
	*request = (struct fg_agent_request){};
}
