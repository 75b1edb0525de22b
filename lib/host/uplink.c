// SPDX-License-Identifier: GPL-2.0-only
#include "host/pod.h"

#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/parse.h"
#include "host/below.h"
#include "net/route.h"

/* More default routes than these are not named in a message. */
#define DEVICES_MAX 8

static bool is_uplink(const char *ref)
{
	return !strncmp(ref, FG_UPLINK_FORM, strlen(FG_UPLINK_FORM));
}

/* --- which device --- */

static int fail_several(struct nl_sock *sk, const int *devices, int count, struct fg_error *err)
{
	char names[DEVICES_MAX * (IFNAMSIZ + 2)] = "";
	struct fg_link link;

	for (int i = 0; i < count && i < DEVICES_MAX; i++) {
		size_t len = strlen(names);

		if (!fg_link_get(sk, devices[i], NULL, &link, NULL))
			snprintf(names + len, sizeof(names) - len, "%s%s", len ? ", " : "",
				 link.name);
	}
	fg_fail(err, FG_ERR_USAGE, "uplink: the node has default routes by several devices: %s",
		names);
	return fg_hint(err, "name the one that the packet arrives at: --from-uplink=DEV");
}

/* The one device that default routes of both families lead out by. */
static int default_device(struct nl_sock *sk, struct fg_link *out, struct fg_error *err)
{
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	int devices[2 * DEVICES_MAX], count = 0;

	for (size_t i = 0; i < COUNT(families); i++) {
		int found[DEVICES_MAX];
		int n = fg_route_default_devices(sk, families[i], found, DEVICES_MAX);

		if (n < 0)
			return fg_fail_errno(err, FG_ERR_INTERNAL, -n, "default routes");
		for (int k = 0; k < n && k < DEVICES_MAX; k++) {
			int same = 0;

			while (same < count && devices[same] != found[k])
				same++;
			if (same == count)
				devices[count++] = found[k];
		}
	}
	if (count > 1)
		return fail_several(sk, devices, count, err);
	if (count)
		return fg_link_get(sk, devices[0], NULL, out, err);
	fg_fail(err, FG_ERR_UNSUPPORTED, "uplink: the node has no default route");
	return fg_hint(err, "name the device that the packet arrives at: --from-uplink=DEV");
}

/* The device by which packets from the address arrive, if the ways there and back are one. */
static int device_towards(struct nl_sock *sk, const char *text, struct fg_link *out,
			  struct fg_error *err)
{
	struct fg_route_query query = {};
	struct fg_route route;
	int ret;

	if (fg_parse_addr("uplink", text, &query.dst, err))
		return -1;
	ret = fg_route_lookup(sk, &query, &route);
	if (!ret)
		return fg_link_get(sk, route.ifindex, NULL, out, err);
	fg_fail_errno(err, FG_ERR_UNSUPPORTED, -ret, "the node has no route to %s", text);
	return fg_hint(err, "name the device that packets from there arrive at: --await=DEV");
}

/* --- whether packets from outside arrive there --- */

/* Whether a pair leads to a namespace below the node: then it is the host side of a pod. */
static bool leads_to_pod(struct fg_host *host, const struct fg_pod *pod)
{
	struct fg_error why;
	const char *path;

	if (!fg_link_is_pod_end(&pod->primary))
		return false;
	FG_FD int fd = fg_host_open_nsid(host, pod->host_inode, pod->host_rtnl,
					 pod->primary.peer_nsid, &path, &why);

	return fd >= 0 && fg_below_leads(host, pod, pod->host_rtnl, &pod->primary, fd) &&
	       fg_route_default(pod->host_rtnl, AF_INET, &(struct fg_route){}) == 0;
}

static bool has_address(const struct fg_link *link)
{
	static const uint8_t none[6];

	return memcmp(link->mac, none, sizeof(none)) != 0;
}

static int check(struct fg_host *host, const struct fg_pod *pod, struct fg_error *err)
{
	const struct fg_link *l = &pod->primary;

	if (l->flags & IFF_LOOPBACK || (!pod->awaits && !has_address(l)))
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "uplink %s: %s: no frame from outside arrives there", l->name,
			       l->flags & IFF_LOOPBACK ? "a loopback"
						       : "a device without Ethernet addresses");
	if (!leads_to_pod(host, pod))
		return 0;
	fg_fail(err, FG_ERR_UNSUPPORTED, "uplink %s: it is the host side of a pod", l->name);
	return fg_hint(err, "--pod dev:%s sends as that pod", l->name);
}

/* --- the other end of the wire --- */

/* The gateway's address, which frames from outside have; of one that is not known, any. */
static void take_gateway(struct fg_pod *pod)
{
	static const uint8_t somebody[6] = { 0x02, 0, 0, 0, 0, 1 };
	static const uint16_t families[] = { AF_INET, AF_INET6 };
	struct fg_route route;

	memcpy(pod->peer.mac, somebody, sizeof(somebody));
	for (size_t i = 0; i < COUNT(families); i++)
		if (!fg_route_default(pod->host_rtnl, families[i], &route) && route.via.family &&
		    route.ifindex == pod->primary.ifindex &&
		    !fg_route_neighbour(pod->host_rtnl, route.ifindex, &route.via, pod->peer.mac))
			return;
}

static int find_device(const struct fg_pod *pod, const char *device, const char *from,
		       struct fg_link *out, struct fg_error *err)
{
	if (device[0])
		return fg_link_get(pod->host_rtnl, 0, device, out, err)
			       ? fg_error_prefix(err, "uplink %s", device)
			       : 0;
	return from ? device_towards(pod->host_rtnl, from, out, err)
		    : default_device(pod->host_rtnl, out, err);
}

/* from: see FG_AWAIT_FORM; else NULL. */
static int open_uplink(struct fg_host *host, const char *device, const char *from,
		       struct fg_pod *pod, struct fg_error *err)
{
	pod->host_netns = fg_netns_open("/proc/thread-self/ns/net", err);
	if (pod->host_netns < 0)
		return -1;
	pod->host_inode = fg_netns_inode(pod->host_netns);
	pod->host_rtnl = fg_rtnl_open(pod->host_netns, err);
	if (!pod->host_rtnl)
		return -1;
	if (find_device(pod, device, from, &pod->primary, err) || check(host, pod, err))
		return -1;
	pod->netns = fg_netns_create(err);
	pod->inode = pod->netns < 0 ? 0 : fg_netns_inode(pod->netns);
	pod->rtnl = pod->netns < 0 ? NULL : fg_rtnl_open(pod->netns, err);
	if (!pod->rtnl)
		return -1;
	pod->peer = (struct fg_link){ .mtu = pod->primary.mtu, .flags = pod->primary.flags };
	memcpy(pod->peer.name, pod->primary.name, sizeof(pod->peer.name));
	take_gateway(pod);
	return 0;
}

/* Takes "DEV" or "DEV@ADDR" apart. */
static void split(const char *text, bool awaits, char device[IFNAMSIZ + 1], const char **from)
{
	const char *at = awaits ? strchr(text, '@') : NULL;

	*from = at ? at + 1 : NULL;
	snprintf(device, IFNAMSIZ + 1, "%.*s", at ? (int)(at - text) : (int)strlen(text), text);
}

int fg_uplink_or_pod_open(struct fg_host *host, const char *ref, const char *interface,
			  struct fg_pod *pod, struct fg_error *err)
{
	bool awaits = !strncmp(ref, FG_AWAIT_FORM, strlen(FG_AWAIT_FORM));
	char device[IFNAMSIZ + 1];
	const char *from;

	if (!awaits && !is_uplink(ref))
		return fg_pod_open(host, ref, interface, pod, err);
	*pod = (struct fg_pod){ .netns = -1, .host_netns = -1, .uplink = true, .awaits = awaits };
	snprintf(pod->ref, sizeof(pod->ref), "%s", ref);
	split(strchr(ref, ':') + 1, awaits, device, &from);
	if (open_uplink(host, device, from, pod, err)) {
		fg_pod_close(pod);
		return -1;
	}
	snprintf(pod->ref, sizeof(pod->ref), "%s%s%s%s", awaits ? FG_AWAIT_FORM : FG_UPLINK_FORM,
		 pod->primary.name, from ? "@" : "", from ?: "");
	snprintf(pod->name, sizeof(pod->name), "outside");
	if (!interface || !strcmp(interface, pod->primary.name))
		return 0;
	fg_fail(err, FG_ERR_USAGE, "%s: it has no other device: no interface can be named",
		pod->ref);
	fg_pod_close(pod);
	return -1;
}
