// SPDX-License-Identifier: GPL-2.0-only
#include "reader/yaml.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/apart.h"
#include "yaml/yaml.h"

/* What the events of a text of that size take, and more than it can make of them. */
#define EVENTS_SIZE_MAX (512U << 20)

struct parsing {
	const char *file;
	const struct fg_buffer *text;
};

static int parse_inside(void *arg, int fd)
{
	const struct parsing *p = arg;
	struct fg_buffer events = {};
	size_t done = 0;

	if (fg_yaml_events(&events, p->file, p->text->len ? p->text->data : "", p->text->len, NULL))
		return 1;
	while (done < events.len) {
		ssize_t n = write(fd, events.data + done, events.len - done);

		if (n < 0 && errno != EINTR)
			return 1;
		done += n > 0 ? (size_t)n : 0;
	}
	/* Though somebody should still hold the other end. */
	return shutdown(fd, SHUT_WR) ? 1 : 0;
}

static int take_events(int fd, const char *file, struct fg_buffer *out, struct fg_error *err)
{
	char block[65536];
	ssize_t n;

	do {
		n = read(fd, block, sizeof(block));
		if (n < 0 && errno != EINTR)
			return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s", file);
		if (n > 0)
			fg_buffer_put(out, block, (size_t)n);
	} while (n && out->len <= EVENTS_SIZE_MAX && !out->failed);
	return out->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", file) : 0;
}

int fg_reader_yaml(const char *file, const struct fg_buffer *text, struct fg_buffer *out,
		   struct fg_error *err)
{
	struct parsing p = { .file = file, .text = text };
	struct fg_apart apart;
	int status, ret = fg_apart_start(&apart, parse_inside, &p, -1, false, err);

	if (!ret)
		ret = take_events(apart.fd, file, out, err);
	status = fg_apart_end(&apart);
	if (ret || !status)
		return ret;
	/* As fg_error_die() ends. */
	if (status == FG_APART_DIED)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "%s", file);
	return fg_fail(err, FG_ERR_INTERNAL, "%s: the process that reads it has ended", file);
}
