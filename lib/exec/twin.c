// SPDX-License-Identifier: GPL-2.0-only
#include "exec/twin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/count.h"
#include "base/fd.h"
#include "exec/internal.h"
#include "net/netns.h"

/* The kernel takes a namespace apart later; the device is gone when this returns. */
void fg_twin_close(struct fg_twin *twin)
{
	if (twin->outer)
		(void)fg_link_delete(twin->host, twin->outer);
	twin->outer = 0;
	fg_fd_close(&twin->claim);
	fg_fd_close(&twin->netns);
}

/* The end outside needs a name that nobody else has. */
static int make_pair(struct fg_twin *twin, const struct fg_pod *pod, char name[IFNAMSIZ],
		     struct fg_error *err)
{
	const struct fg_pair pair = { .kind = "veth",
				      .name = name,
				      .peer_name = pod->peer.name,
				      .peer_netns = twin->netns,
				      .mtu = pod->peer.mtu };
	uint32_t random;
	int ret;

	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "random bytes");
	snprintf(name, IFNAMSIZ, FG_LINK_TWIN "%08x", random);
	ret = fg_link_create_pair(pod->host_rtnl, &pair);
	return ret ? fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "make a pair of devices") : 0;
}

/* Its address, and whether it asks for neighbours at all (a netkit pair in L3 mode does not). */
static int set_link(struct nl_sock *sk, int ifindex, const struct fg_link *peer)
{
	const struct ifinfomsg ifi = { .ifi_index = ifindex,
				       .ifi_flags = peer->flags & IFF_NOARP,
				       .ifi_change = IFF_NOARP };
	FG_NL_MSG struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);
	static const uint8_t none[6];

	if (!msg || nlmsg_append(msg, (void *)&ifi, sizeof(ifi), NLMSG_ALIGNTO))
		return -ENOMEM;
	if (memcmp(peer->mac, none, sizeof(none)) &&
	    nla_put(msg, IFLA_ADDRESS, sizeof(peer->mac), peer->mac))
		return -ENOMEM;
	return fg_rtnl_request(sk, msg);
}

/* What the pod's kernel leaves to its device, as it is there. */
static void copy_offloads(int to_fd, int from_fd, const char *name)
{
	static const struct {
		uint32_t get, set;
	} each[] = {
		{ ETHTOOL_GTXCSUM, ETHTOOL_STXCSUM }, { ETHTOOL_GSG, ETHTOOL_SSG },
		{ ETHTOOL_GTSO, ETHTOOL_STSO },	      { ETHTOOL_GGSO, ETHTOOL_SGSO },
		{ ETHTOOL_GGRO, ETHTOOL_SGRO },
	};

	for (size_t i = 0; i < COUNT(each); i++) {
		struct ethtool_value value = { .cmd = each[i].get };
		struct ifreq request = { .ifr_data = (void *)&value };

		snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
		if (ioctl(from_fd, SIOCETHTOOL, &request))
			continue;
		value.cmd = each[i].set;
		(void)ioctl(to_fd, SIOCETHTOOL, &request);
	}
}

static int socket_in(int netns)
{
	int back, fd;

	if (fg_netns_enter(netns, &back, NULL))
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fg_netns_leave(&back);
	return fd;
}

/* --- sysctls --- */

static int read_sysctl(int netns, const char *path, char *text, size_t size)
{
	ssize_t got = -1;
	int back;

	if (fg_netns_enter(netns, &back, NULL))
		return -1;
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		got = read(fd, text, size - 1);
	fg_netns_leave(&back);
	text[got > 0 ? got : 0] = '\0';
	return got > 0 ? 0 : -1;
}

static int write_sysctl(int netns, const char *path, const char *text)
{
	size_t len = strlen(text);
	ssize_t put = -1;
	int back;

	if (fg_netns_enter(netns, &back, NULL))
		return -1;
	FG_FD int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd >= 0)
		put = write(fd, text, len);
	fg_netns_leave(&back);
	return put == (ssize_t)len ? 0 : -1;
}

#define PORT_RANGE "/proc/sys/net/ipv4/ip_local_port_range"
/* So many at least, that a test suite finds a free one. */
#define PORTS_NEEDED 4000
/* Below are ports that services listen on. */
#define PORTS_ABOVE 10240

struct range {
	unsigned long first, last;
};

/* Ports that the pod's own kernel never takes by itself; *count of them, at most 8. */
static void free_ranges(const struct fg_pod *pod, struct range list[8], size_t *count)
{
	unsigned long low, high;
	char text[64], *end;

	*count = 0;
	if (read_sysctl(pod->netns, PORT_RANGE, text, sizeof(text)))
		return;
	low = strtoul(text, &end, 10);
	high = strtoul(end, NULL, 10);
	if (!low || !high)
		return;
	if (high + PORTS_NEEDED <= UINT16_MAX)
		list[(*count)++] = (struct range){ high + 1, UINT16_MAX };
	for (unsigned long at = PORTS_ABOVE; at + PORTS_NEEDED <= low && *count < 8;
	     at += PORTS_NEEDED)
		list[(*count)++] = (struct range){ at, at + PORTS_NEEDED - 1 };
}

/*
 * A name that only one process has, as long as it lives: other commands that are the same pod take
 * other ports. Returns a descriptor, or -1.
 */
static int claim(const struct fg_pod *pod, const struct range *range)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int back, fd,
		len = snprintf(addr.sun_path + 1, sizeof(addr.sun_path) - 1, "flowgen-exec/%u/%lu",
			       pod->uplink ? pod->host_inode : pod->inode, range->first);
	socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)len);

	if (fg_netns_enter(pod->host_netns, &back, NULL))
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fg_netns_leave(&back);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, size))
		fg_fd_close(&fd);
	return fd;
}

/* So that no connection has two owners. */
static void choose_ports(struct fg_twin *twin, const struct fg_pod *pod)
{
	struct range list[8], *taken = NULL;
	size_t count;
	char text[64];

	free_ranges(pod, list, &count);
	for (size_t i = 0; !taken && i < count; i++) {
		twin->claim = claim(pod, &list[i]);
		if (twin->claim >= 0)
			taken = &list[i];
	}
	twin->shared_ports = !taken;
	if (!taken && count)
		taken = &list[0];
	if (!taken)
		return;
	snprintf(text, sizeof(text), "%lu %lu", taken->first, taken->last);
	if (write_sysctl(twin->netns, PORT_RANGE, text))
		return;
	twin->first_port = (uint16_t)taken->first;
	twin->last_port = (uint16_t)taken->last;
}

/* What decides what the pod's processes may do, and how their connections behave. */
static void copy_sysctls(const struct fg_twin *twin, const struct fg_pod *pod)
{
	static const char *const copied[] = {
		"/proc/sys/net/ipv4/ping_group_range",
		"/proc/sys/net/ipv4/ip_unprivileged_port_start",
		"/proc/sys/net/ipv4/ip_default_ttl",
		"/proc/sys/net/ipv4/tcp_ecn",
		"/proc/sys/net/ipv4/tcp_mtu_probing",
		"/proc/sys/net/ipv4/tcp_syn_retries",
		"/proc/sys/net/ipv4/tcp_timestamps",
		"/proc/sys/net/ipv4/tcp_window_scaling",
		"/proc/sys/net/ipv4/tcp_congestion_control",
		"/proc/sys/net/ipv6/conf/all/disable_ipv6",
		"/proc/sys/net/ipv6/flowlabel_state_ranges",
	};
	char text[128];

	for (size_t i = 0; i < COUNT(copied); i++)
		if (!read_sysctl(pod->netns, copied[i], text, sizeof(text)))
			(void)write_sysctl(twin->netns, copied[i], text);
	/* An answer may come to an address that the routes here do not lead back to. */
	(void)write_sysctl(twin->netns, "/proc/sys/net/ipv4/conf/all/rp_filter", "0");
	(void)write_sysctl(twin->netns, "/proc/sys/net/ipv4/conf/default/rp_filter", "0");
}

static int fill(struct fg_twin *twin, const struct fg_pod *pod, struct nl_sock *inside, int ifindex,
		struct fg_error *err)
{
	FG_FD int here = socket_in(twin->netns), there = socket_in(pod->netns);
	struct fg_link lo;
	struct fg_link peer = pod->peer;
	int ret;

	/* Nobody is there to be asked: a program puts the uplink's address in. */
	if (pod->uplink)
		peer.flags |= IFF_NOARP;
	ret = set_link(inside, ifindex, &peer) ?: fg_link_silence(inside, ifindex);

	if (!ret)
		ret = fg_link_silence(pod->host_rtnl, twin->outer)
			      ?: fg_link_set_up(pod->host_rtnl, twin->outer)
			      ?: fg_link_set_up(inside, ifindex);
	if (ret)
		return fg_fail_errno(err, FG_ERR_INTERNAL, -ret, "set up the twin of %s",
				     pod->peer.name);
	copy_offloads(here, there, pod->peer.name);
	if (fg_link_get(inside, 0, "lo", &lo, err) || fg_link_set_up(inside, lo.ifindex))
		return -1;
	return pod->uplink ? fg_outside_settle(inside, ifindex, &twin->outside, err)
			   : fg_replay_pod(pod, inside, ifindex, twin, err);
}

static int build(struct fg_twin *twin, const struct fg_pod *pod, struct fg_error *err)
{
	FG_NL_SOCK struct nl_sock *inside = fg_rtnl_open(twin->netns, err);
	char name[IFNAMSIZ];
	struct fg_link inner, outer;

	if (!inside)
		return -1;
	copy_sysctls(twin, pod);
	choose_ports(twin, pod);
	if (make_pair(twin, pod, name, err) ||
	    fg_link_get(inside, 0, pod->peer.name, &inner, err) ||
	    fg_link_get(pod->host_rtnl, 0, name, &outer, err))
		return -1;
	twin->outer = outer.ifindex;
	return fill(twin, pod, inside, inner.ifindex, err);
}

int fg_twin_open(struct fg_twin *twin, const struct fg_pod *pod, const struct fg_addr *outside,
		 struct fg_error *err)
{
	*twin = (struct fg_twin){ .outside = *outside,
				  .netns = fg_netns_create(err),
				  .host = pod->host_rtnl,
				  .claim = -1 };
	if (twin->netns < 0)
		return -1;
	if (build(twin, pod, err)) {
		fg_twin_close(twin);
		return -1;
	}
	return 0;
}
