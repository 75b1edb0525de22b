// SPDX-License-Identifier: GPL-2.0-only
#include "datapath/sender.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "net/netns.h"
#include "packet/packet.h"

#define BATCH 64
#define SEND_BUFFER (8 << 20)

static int open_socket(int netns, struct fg_error *err)
{
	int back, fd, code;

	if (fg_netns_enter(netns, &back, err))
		return -1;
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	code = errno;
	fg_netns_leave(&back);
	if (fd < 0) {
		fg_fail_errno(err, FG_ERR_UNSUPPORTED, code, "packet socket");
		return fg_hint(err, "flowgen needs CAP_NET_RAW in the namespace");
	}
	return fd;
}

/*
 * Every frame has this header before it (PACKET_VNET_HDR), so that one socket writes all kinds, in
 * order.
 */
static struct virtio_net_hdr offload_header(const struct fg_offload *offload)
{
	struct virtio_net_hdr h = {};

	if (!offload)
		return h;
	h.flags = offload->needs_checksum ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0;
	h.gso_type = offload->gso_type;
	h.hdr_len = offload->hdr_len;
	h.gso_size = offload->gso_size;
	h.csum_start = offload->csum_start;
	h.csum_offset = offload->csum_offset;
	return h;
}

int fg_sender_open(struct fg_sender *sender, int netns, int ifindex, bool bypass,
		   struct fg_error *err)
{
	const struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_ifindex = ifindex };
	int one = 1, bytes = SEND_BUFFER;
	FG_FD int fd = open_socket(netns, err);

	sender->fd = -1;
	if (fd < 0)
		return -1;
	if (bind(fd, (const struct sockaddr *)&at, sizeof(at)) ||
	    (bypass && setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one))) ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "packet socket on device %d",
				     ifindex);
	/*
	 * More than the default holds a whole batch; the force needs CAP_NET_ADMIN, and is not
	 * needed.
	 */
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &bytes, sizeof(bytes)))
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
	sender->bypass = bypass;
	sender->fd = fg_fd_take(&fd);
	return 0;
}

void fg_sender_close(struct fg_sender *sender)
{
	fg_fd_close(&sender->fd);
}

static void write_failed(const struct fg_chunk *frame, int code, struct fg_error *err)
{
	if (code == EINVAL && frame->offload && frame->offload->gso_type == FG_GSO_UDP_L4)
		fg_fail(err, FG_ERR_UNSUPPORTED,
			"this kernel does not accept UDP super-packets from a packet socket (Linux "
			"6.2)");
	else
		fg_fail_errno(err, FG_ERR_INTERNAL, code, "write a frame of %zu bytes", frame->len);
}

int fg_sender_write(struct fg_sender *sender, const struct fg_chunk *frames, unsigned int count,
		    struct fg_error *err)
{
	struct mmsghdr msgs[BATCH];
	struct virtio_net_hdr headers[BATCH];
	struct iovec iov[BATCH][2];
	unsigned int sent = 0;

	while (sent < count) {
		unsigned int n = count - sent < BATCH ? count - sent : BATCH;
		int ret;

		memset(msgs, 0, n * sizeof(msgs[0]));
		for (unsigned int i = 0; i < n; i++) {
			headers[i] = offload_header(frames[sent + i].offload);
			iov[i][0] = (struct iovec){ &headers[i], sizeof(headers[i]) };
			iov[i][1] = (struct iovec){ frames[sent + i].data, frames[sent + i].len };
			msgs[i].msg_hdr.msg_iov = iov[i];
			msgs[i].msg_hdr.msg_iovlen = 2;
		}
		ret = sendmmsg(sender->fd, msgs, n, 0);
		if (ret < 0 && errno == EINTR)
			continue;
		if (ret < 0 && errno == ENOBUFS && !sender->bypass)
			ret = 1;
		if (ret < 0) {
			write_failed(&frames[sent], errno, err);
			return sent ? (int)sent : -1;
		}
		sent += (unsigned int)ret;
	}
	return (int)sent;
}

uint64_t fg_sender_cookie(const struct fg_sender *sender)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	return getsockopt(sender->fd, SOL_SOCKET, SO_COOKIE, &cookie, &len) ? 0 : cookie;
}
