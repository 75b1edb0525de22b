// SPDX-License-Identifier: GPL-2.0-only
#include "net/offload.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/count.h"
#include "base/fd.h"
#include "net/netns.h"

bool fg_offload_device(int netns, const char *name)
{
	struct ethtool_value value = { .cmd = ETHTOOL_GTXCSUM };
	struct ifreq request = { .ifr_data = (void *)&value };
	FG_FD int fd = -1;
	int back;

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (fg_netns_enter(netns, &back, NULL))
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	fg_netns_leave(&back);
	return fd >= 0 && !ioctl(fd, SIOCETHTOOL, &request) && value.data;
}

bool fg_offload_usual(const struct fg_packet_spec *spec, uint16_t family)
{
	uint8_t protocol = fg_put_protocol(spec, family);
	static const char *const own_way[] = {
		"checksum",
		"bad-checksum",
		"checksum-offload",
		"fragment",
		"fragment-offset",
		"more-fragments",
		"total-length",
		"payload-length",
		"udp-length",
		"data-offset",
		"ihl",
		"ip-version",
	};

	if (!fg_packet_has_ports(spec) || (protocol != IPPROTO_TCP && protocol != IPPROTO_UDP))
		return false;
	for (size_t i = 0; i < COUNT(own_way); i++)
		if (fg_packet_given(spec, own_way[i]))
			return false;
	/* ip6_append_data: only if UDP follows the IPv6 header directly. */
	return !spec->ext_count;
}
