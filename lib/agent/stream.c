// SPDX-License-Identifier: GPL-2.0-only
#include "agent/internal.h"

/*
 * How long a line may become before it is handed on in pieces. Only what can be an object has to be
 * whole.
 */
static size_t longest(const struct fg_agent_stream *s, const char *bytes)
{
	bool object = s->kind == FG_AGENT_STDOUT && !s->inside && bytes[0] == '{';

	return object ? FG_AGENT_RESULT_BYTES : FG_AGENT_PIECE_BYTES;
}

/* Bytes of the first len that end with a whole character of UTF-8, if it is that. Of more than
 * three there are some. */
static size_t whole_characters(const char *bytes, size_t len)
{
	size_t back = 0;

	while (back < 3 && back < len && (bytes[len - 1 - back] & 0xc0) == 0x80)
		back++;
	if (back == len || !(bytes[len - 1 - back] & 0x80))
		return len;
	/* A first byte has as many ones in front as its character has bytes. */
	if (__builtin_clz((unsigned int)(uint8_t)~bytes[len - 1 - back] | 1) - 24 <= (int)back + 1)
		return len;
	return len - 1 - back;
}

/* The file whose path is at text, if that is all of the number. */
static const struct fg_agent_file *file_at(const struct fg_agent_request *r, const char *text,
					   size_t len, size_t *path_len)
{
	for (size_t i = 0; i < r->file_count; i++) {
		size_t n = strlen(r->files[i].path);

		if (n && n <= len && !memcmp(text, r->files[i].path, n) &&
		    (n == len || text[n] < '0' || text[n] > '9')) {
			*path_len = n;
			return &r->files[i];
		}
	}
	return NULL;
}

/* A copy of the bytes with names for paths. False: there is none to be replaced. */
static bool with_names(const struct fg_agent_request *r, const char *bytes, size_t len,
		       struct fg_buffer *to)
{
	static const char begins[] = "/proc/self/fd/";
	const char *from = bytes, *end = bytes + len, *at = bytes;
	size_t n;

	if (!r->file_count)
		return false;
	while ((at = memmem(at, (size_t)(end - at), begins, strlen(begins)))) {
		const struct fg_agent_file *file = file_at(r, at, (size_t)(end - at), &n);

		if (!file) {
			at++;
			continue;
		}
		fg_buffer_put(to, from, (size_t)(at - from));
		fg_buffer_puts(to, file->name);
		from = at += n;
	}
	if (from == bytes)
		return false;
	fg_buffer_put(to, from, (size_t)(end - from));
	/* For the byte behind it. */
	fg_buffer_reserve(to, 1);
	return true;
}

static void hand_on(struct fg_agent_stream *s, const struct fg_agent_request *r, char *bytes,
		    size_t len, bool more, struct fg_buffer *out)
{
	struct fg_buffer named = {};
	bool first = !s->inside;

	if (with_names(r, bytes, len, &named)) {
		out->failed |= named.failed;
		bytes = named.data;
		len = named.len;
	}
	s->inside = more;
	if (out->failed)
		;
	else if (s->kind == FG_AGENT_STDERR)
		fg_agent_answer_message(out, r->id, bytes, len, more);
	else if (first && !more)
		fg_agent_answer_output(out, r->id, bytes, len);
	else
		fg_agent_answer_text(out, r->id, bytes, len, more);
	fg_buffer_free(&named);
}

/* Hands on a line or a part of one, from what waits at `from`. Returns the bytes used; 0: none. */
static size_t take_line(struct fg_agent_stream *s, const struct fg_agent_request *r, size_t from,
			bool at_end, struct fg_buffer *out)
{
	char *bytes = s->waiting.data + from, *newline = NULL, kept;
	size_t most = longest(s, s->waiting.data + from), len = s->waiting.len - from, n;
	size_t seen = len > most ? most + 1 : len;

	if (seen > s->searched)
		newline = memchr(bytes + s->searched, '\n', seen - s->searched);
	s->searched = seen;
	if (!newline && len <= most && !at_end)
		return 0;
	s->searched = 0;
	if (newline || len <= most) {
		n = newline ? (size_t)(newline - bytes) : len;
		hand_on(s, r, bytes, n, false, out);
		return newline ? n + 1 : n;
	}
	n = whole_characters(bytes, FG_AGENT_PIECE_BYTES);
	kept = bytes[n];
	hand_on(s, r, bytes, n, true, out);
	bytes[n] = kept;
	return n;
}

/* A part of a file, which has no lines here. */
static size_t take_part(struct fg_agent_stream *s, const struct fg_agent_request *r, size_t from,
			bool at_end, struct fg_buffer *out)
{
	char *bytes = s->waiting.data + from;
	size_t len = s->waiting.len - from;
	size_t n = len < FG_AGENT_PIECE_BYTES ? len : FG_AGENT_PIECE_BYTES;
	char kept;

	if (!at_end || n < len)
		n = whole_characters(bytes, n);
	if (!n)
		return 0;
	kept = bytes[n];
	fg_agent_answer_file(out, r->id, s->file, bytes, n);
	bytes[n] = kept;
	return n;
}

void fg_agent_stream_answer(struct fg_agent_stream *stream, const struct fg_agent_request *request,
			    bool at_end, struct fg_buffer *out)
{
	struct fg_buffer *waiting = &stream->waiting;
	size_t used = 0, n;

	/* Room for the byte behind. */
	fg_buffer_reserve(waiting, 1);
	out->failed |= waiting->failed;
	while (!out->failed && used < waiting->len) {
		n = stream->kind == FG_AGENT_OUTPUT ? take_part(stream, request, used, at_end, out)
						    : take_line(stream, request, used, at_end, out);
		if (!n)
			break;
		used += n;
	}
	/* The last of a line's parts says that there is none behind it. */
	if (at_end && stream->inside && !out->failed)
		hand_on(stream, request, waiting->data, 0, false, out);
	if (used && !out->failed) {
		memmove(waiting->data, waiting->data + used, waiting->len - used);
		waiting->len -= used;
	}
}
