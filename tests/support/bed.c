// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "bed.h"
#include "demo/testbed.h"
#include "net/netns.h"
#include "shell.h"

static void must(int ret, const struct fg_error *err)
{
	if (ret)
		fail_msg("%s", err->message);
}

struct fg_addr bed_addr(const char *text)
{
	struct fg_addr out = {};

	assert_int_equal(fg_parse_addr("address", text, &out, NULL), 0);
	return out;
}

void bed_node(void)
{
	struct fg_error err = {};

	assert_int_equal(unshare(CLONE_NEWNET | CLONE_NEWNS), 0);
	assert_int_equal(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_int_equal(mount("test", "/run", "tmpfs", 0, NULL), 0);
	must(fg_testbed_node_prepare(-1, &err), &err);
}

int bed_in_pod(const char *pod, const char *command)
{
	struct fg_error err = {};
	FG_FD int fd = fg_testbed_netns_open(pod, &err);

	must(fd < 0, &err);
	return shell_run(fd, "%s", command);
}

void bed_pod(const char *name, const char *ip4, const char *ip6, const char *gw4)
{
	struct fg_testbed_pod pod = { .name = name,
				      .node = -1,
				      .kind = "veth",
				      .peer = "eth0",
				      .addresses = { { bed_addr(ip4), gw4 ? 24 : 32 },
						     { bed_addr(ip6), 128 } },
				      .address_count = 2 };
	struct fg_error err = {};
	char primary[16];

	snprintf(primary, sizeof(primary), "h%.8s", name);
	pod.primary = primary;
	if (gw4)
		pod.gateway4 = bed_addr(gw4);
	must(fg_testbed_pod_add(&pod, &err), &err);
	for (int i = 0; i < 100 && bed_in_pod(name, "ip link show eth0 | grep -q 'state UP'"); i++)
		usleep(50000);
}

void bed_pod_delete(const char *name)
{
	struct fg_error err = {};

	must(fg_testbed_netns_delete(name, &err), &err);
}

static void attach_at(const char *pod, const struct fg_testbed_attachment *at,
		      const struct fg_testbed_policy *policy)
{
	struct fg_testbed_devices devices;
	struct fg_error err = {};
	uint32_t id;

	must(fg_testbed_devices_find(pod, -1, &devices, &err), &err);
	must(fg_testbed_policy_attach(&devices, -1, at, policy, &id, &err), &err);
	fg_fd_close(&devices.pod_netns);
}

static void attach(const char *pod, bool received, const struct fg_testbed_policy *policy)
{
	attach_at(pod,
		  &(const struct fg_testbed_attachment){ .hook = received ? FG_TESTBED_TC_EGRESS
									  : FG_TESTBED_TC_INGRESS,
							 .other_side = received },
		  policy);
}

void bed_deny(const char *pod, bool received, const char *program, uint16_t first, uint16_t last)
{
	attach(pod, received,
	       &(const struct fg_testbed_policy){ .program = program,
						  .rules = { { 0, first, last } },
						  .rule_count = 1,
						  .otherwise = -1 });
}

void bed_deny_by_xdp(const char *pod, struct bed_xdp xdp)
{
	attach_at(pod,
		  &(const struct fg_testbed_attachment){ .hook = FG_TESTBED_XDP,
							 .other_side = xdp.at_pod,
							 .generic = xdp.generic },
		  &(const struct fg_testbed_policy){ .program = "xdp_deny_port",
						     .rules = { { 0, xdp.first, xdp.last } },
						     .rule_count = 1,
						     .otherwise = -1 });
}

void bed_redirect(const char *pod, const char *program, const char *device)
{
	const struct fg_testbed_policy policy = { .program = program,
						  .redirect_ifindex = if_nametoindex(device) };

	assert_int_not_equal(policy.redirect_ifindex, 0);
	attach(pod, false, &policy);
}

static socklen_t fill(const char *ip, uint16_t port, struct sockaddr_storage *out)
{
	const struct fg_addr addr = bed_addr(ip);
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *v4 = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	out->ss_family = addr.family;
	if (addr.family == AF_INET) {
		v4->sin_port = htons(port);
		memcpy(&v4->sin_addr, addr.bytes, 4);
		return sizeof(*v4);
	}
	v6->sin6_port = htons(port);
	memcpy(&v6->sin6_addr, addr.bytes, 16);
	return sizeof(*v6);
}

int bed_socket(const char *pod, int type, const char *ip, uint16_t port)
{
	struct sockaddr_storage at;
	socklen_t len = fill(ip, port, &at);
	struct fg_error err = {};
	FG_FD int netns = fg_testbed_netns_open(pod, &err);
	int back, fd;

	must(netns < 0 || fg_netns_enter(netns, &back, &err), &err);
	fd = socket(at.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	fg_netns_leave(&back);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&at, len), 0);
	return fd;
}

void bed_connect(int fd, const char *ip, uint16_t port)
{
	struct sockaddr_storage to;
	socklen_t len = fill(ip, port, &to);

	assert_int_equal(connect(fd, (const struct sockaddr *)&to, len), 0);
}
