// SPDX-License-Identifier: GPL-2.0-only
/* What a sender writes, to a socket of the test's own that keeps frames apart as a device does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/count.h"
#include "datapath/sender.h"
#include "packet/packet.h"

#define FRAMES 150 /* more than two batches */
#define LONGEST 300

struct stage {
	struct fg_sender sender;
	int other;
	uint8_t bytes[FRAMES][LONGEST];
	struct fg_chunk chunks[FRAMES];
};

static int stage_up(void **state)
{
	static struct stage stage;
	struct stage *s = &stage;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends))
		return -1;
	*s = (struct stage){ .sender = { .fd = ends[0], .bypass = true }, .other = ends[1] };
	for (size_t i = 0; i < FRAMES; i++) {
		memset(s->bytes[i], (int)i, LONGEST);
		s->chunks[i] = (struct fg_chunk){ s->bytes[i], 60 + i, NULL };
	}
	*state = s;
	return 0;
}

static int stage_down(void **state)
{
	struct stage *s = *state;

	fg_sender_close(&s->sender);
	close(s->other);
	return 0;
}

/* How many frames came, each whole, in order, with a header of nothing. */
static size_t received(struct stage *s)
{
	static const struct virtio_net_hdr none;
	uint8_t frame[sizeof(none) + LONGEST];
	size_t n = 0;
	ssize_t len;

	while ((len = recv(s->other, frame, sizeof(frame), 0)) > 0) {
		assert_int_equal(len, sizeof(none) + s->chunks[n].len);
		assert_memory_equal(frame, &none, sizeof(none));
		assert_memory_equal(frame + sizeof(none), s->bytes[n], s->chunks[n].len);
		n++;
	}
	return n;
}

static void all_frames_are_written_in_order(void **state)
{
	static const unsigned int counts[] = { 1, 63, 64, 65, FRAMES };
	struct stage *s = *state;
	int bytes = 4 << 20;

	setsockopt(s->sender.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	assert_int_equal(fg_sender_write(&s->sender, s->chunks, 0, NULL), 0);
	for (size_t i = 0; i < COUNT(counts); i++) {
		assert_int_equal(fg_sender_write(&s->sender, s->chunks, counts[i], NULL),
				 counts[i]);
		assert_int_equal(received(s), counts[i]);
	}
}

/* What was written before it is told, and why no more was. */
static void a_frame_that_is_refused_ends_the_call(void **state)
{
	static const unsigned int at[] = { 0, 1, 64, 70, 128 };
	struct stage *s = *state;
	static uint8_t big[1 << 20];

	for (size_t i = 0; i < COUNT(at); i++) {
		struct fg_chunk chunks[FRAMES];
		struct fg_error err = {};

		memcpy(chunks, s->chunks, sizeof(chunks));
		chunks[at[i]] = (struct fg_chunk){ big, sizeof(big), NULL };
		assert_int_equal(fg_sender_write(&s->sender, chunks, FRAMES, &err),
				 at[i] ? (int)at[i] : -1);
		assert_int_equal(err.kind, FG_ERR_INTERNAL);
		assert_string_equal(err.message,
				    "write a frame of 1048576 bytes: Message too long");
		assert_int_equal(received(s), at[i]);
	}
}

static void a_full_socket_takes_a_part(void **state)
{
	struct stage *s = *state;
	struct fg_error err = {};
	int bytes = 1, sent;

	/* The least that there is. */
	setsockopt(s->sender.fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	sent = fg_sender_write(&s->sender, s->chunks, FRAMES, &err);
	assert_in_range(sent, 1, FRAMES - 1);
	assert_non_null(strstr(err.message, "Resource temporarily unavailable"));
	assert_int_equal(received(s), sent);
}

static void what_the_device_shall_do_is_in_the_header(void **state)
{
	const struct fg_offload offload = { .needs_checksum = true,
					    .gso_type = FG_GSO_UDP_L4,
					    .hdr_len = 42,
					    .gso_size = 1000,
					    .csum_start = 34,
					    .csum_offset = 6 };
	const struct fg_offload whole = { .gso_type = 0 };
	struct stage *s = *state;
	struct virtio_net_hdr h;

	s->chunks[0].offload = &offload;
	s->chunks[1].offload = &whole;
	assert_int_equal(fg_sender_write(&s->sender, s->chunks, 2, NULL), 2);
	assert_int_equal(recv(s->other, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(h.flags, VIRTIO_NET_HDR_F_NEEDS_CSUM);
	assert_int_equal(h.gso_type, VIRTIO_NET_HDR_GSO_UDP_L4);
	assert_int_equal(h.hdr_len, 42);
	assert_int_equal(h.gso_size, 1000);
	assert_int_equal(h.csum_start, 34);
	assert_int_equal(h.csum_offset, 6);
	assert_int_equal(recv(s->other, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(h.flags, 0);
	assert_int_equal(h.gso_type, VIRTIO_NET_HDR_GSO_NONE);
}

static void a_socket_has_one_cookie(void **state)
{
	struct stage *s = *state;
	struct fg_sender other = { .fd = s->other };
	uint64_t cookie = fg_sender_cookie(&s->sender);

	assert_int_not_equal(cookie, 0);
	assert_int_equal(fg_sender_cookie(&s->sender), cookie);
	assert_int_not_equal(fg_sender_cookie(&other), cookie);
	fg_sender_close(&s->sender);
	assert_int_equal(s->sender.fd, -1);
	/* 0 is no socket's. */
	assert_int_equal(fg_sender_cookie(&s->sender), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(all_frames_are_written_in_order, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(a_frame_that_is_refused_ends_the_call, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(a_full_socket_takes_a_part, stage_up, stage_down),
		cmocka_unit_test_setup_teardown(what_the_device_shall_do_is_in_the_header, stage_up,
						stage_down),
		cmocka_unit_test_setup_teardown(a_socket_has_one_cookie, stage_up, stage_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
