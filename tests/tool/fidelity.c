// SPDX-License-Identifier: GPL-2.0-only
/*
 * fidelity.c - compares a pod's own packets with flowgen's: for each kind of device, method, hook
 * and protocol that the kernel has, the pod sends a packet by an ordinary socket, flowgen sends the
 * same one, and tests/bpf/record.bpf.c keeps all that a policy program can see of both. Prints what
 * differs, as the rows of the table in doc/fidelity.md; before them, as comments, what was
 * compared.
 *	fidelity FLOWGEN [veth|netkit]
 * Runs in a node of its own (podctl hold): it makes pods there.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/count.h"
#include "base/fd.h"
#include "header/fields.h"
#include "probe/names.h"
#include "net/netns.h"
#include "demo/testbed.h"
#include "../bpf/record.h"

#define SPORT 40001
#define DPORT 4242
#define PAYLOAD "a payload of a pod's own"

static struct fg_error err;

static void die(const char *what)
{
	fprintf(stderr, "fidelity: %s: %s\n", what, err.kind ? err.message : strerror(errno));
	exit(1);
}

/* --- the recorder --- */

struct recorder {
	struct bpf_object *obj;
	int fd, records, seen;
};

static void recorder_open(struct recorder *r)
{
	r->obj = bpf_object__open(FLOWGEN_BUILD_DIR "/tests/bpf/record.bpf.o");
	if (!r->obj || bpf_object__load(r->obj))
		die("load record.bpf.o");
	r->fd = bpf_program__fd(bpf_object__find_program_by_name(r->obj, "record"));
	r->records = bpf_object__find_map_fd_by_name(r->obj, "records");
	r->seen = bpf_object__find_map_fd_by_name(r->obj, "seen");
}

static void recorder_want(const struct recorder *r, uint32_t protocol, uint32_t port)
{
	const struct record_want want = { protocol, port };
	uint32_t zero = 0;
	struct bpf_map *map = bpf_object__find_map_by_name(r->obj, ".bss");

	if (bpf_map_update_elem(bpf_map__fd(map), &zero, &want, 0) ||
	    bpf_map_update_elem(r->seen, &zero, &zero, 0))
		die("set the recorder");
}

/* Waits for the packet; false where none comes. */
static bool recorder_read(const struct recorder *r, struct record *out)
{
	uint32_t zero = 0, seen = 0;

	for (int tries = 0; tries < 500; tries++) {
		if (!bpf_map_lookup_elem(r->seen, &zero, &seen) && seen)
			return !bpf_map_lookup_elem(r->records, &zero, out);
		poll(NULL, 0, 10);
	}
	return false;
}

/* --- what is compared --- */

static const struct hook {
	const char *name;
	enum bpf_attach_type type;
	bool in_pod;
	const char *kind; /* NULL: both */
} hooks[] = {
	{ "tcx/egress", BPF_TCX_EGRESS, true, NULL },
	{ "netkit/peer", BPF_NETKIT_PEER, false, "netkit" },
	{ "tcx/ingress", BPF_TCX_INGRESS, false, NULL },
};

static const struct packet {
	const char *name;
	int family;
	uint8_t protocol;
} packets[] = {
	{ "tcp/4", AF_INET, IPPROTO_TCP },   { "tcp/6", AF_INET6, IPPROTO_TCP },
	{ "udp/4", AF_INET, IPPROTO_UDP },   { "udp/6", AF_INET6, IPPROTO_UDP },
	{ "icmp/4", AF_INET, IPPROTO_ICMP }, { "icmp/6", AF_INET6, IPPROTO_ICMPV6 },
};
#define PACKETS COUNT(packets)

static const struct kind {
	const char *name, *kind;
	enum fg_link_mode mode;
} kinds[] = { { "veth", "veth", FG_LINK_L2 },
	      { "netkit l2", "netkit", FG_LINK_L2 },
	      { "netkit l3", "netkit", FG_LINK_L3 } };

static const char *const methods[] = { "peer-egress",	   "bounce",	       "host-ingress",
				       "pod-socket",	   "exec peer-egress", "exec bounce",
				       "exec host-ingress" };

/* By a real socket, in flowgen exec. */
static const char exec_prefix[] = "exec ";

static bool is_exec(const char *method)
{
	return !strncmp(method, exec_prefix, strlen(exec_prefix));
}

/* --- the pod's own packet --- */

static socklen_t destination(const struct packet *p, struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (void *)to;
	struct sockaddr_in6 *six = (void *)to;
	bool echo = p->protocol == IPPROTO_ICMP || p->protocol == IPPROTO_ICMPV6;

	memset(to, 0, sizeof(*to));
	to->ss_family = (sa_family_t)p->family;
	/* The port is at the same place in both; a raw socket takes none. */
	four->sin_port = echo ? 0 : htons(DPORT);
	inet_pton(p->family, p->family == AF_INET ? "10.9.0.9" : "fd00:9::9",
		  p->family == AF_INET ? (void *)&four->sin_addr : (void *)&six->sin6_addr);
	return p->family == AF_INET ? sizeof(*four) : sizeof(*six);
}

static int open_socket(const struct packet *p, int pod)
{
	bool tcp = p->protocol == IPPROTO_TCP, udp = p->protocol == IPPROTO_UDP;
	struct sockaddr_storage own = { .ss_family = (sa_family_t)p->family };
	int one = 1, back, fd;

	if (fg_netns_enter(pod, &back, &err))
		die("enter the pod");
	fd = socket(p->family,
		    (tcp   ? SOCK_STREAM
		     : udp ? SOCK_DGRAM
			   : SOCK_RAW) |
			    SOCK_CLOEXEC,
		    p->protocol);
	fg_netns_leave(&back);
	if (fd < 0)
		die("socket");
	((struct sockaddr_in *)&own)->sin_port = htons(SPORT);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if ((tcp || udp) &&
	    bind(fd, (void *)&own,
		 p->family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)))
		die("bind");
	return fd;
}

static void send_own(const struct packet *p, int pod)
{
	struct sockaddr_storage to;
	socklen_t len = destination(p, &to);
	FG_FD int fd = open_socket(p, pod);
	uint8_t echo[8 + sizeof(PAYLOAD) - 1] = {
		p->protocol == IPPROTO_ICMP ? 8 : 128, 0, 0, 0, 0x12, 0x34, 0, 1
	};
	uint32_t sum = 0;

	if (p->protocol == IPPROTO_TCP) {
		fcntl(fd, F_SETFL, O_NONBLOCK);
		if (connect(fd, (void *)&to, len) && errno != EINPROGRESS)
			die("connect");
		/* Closed only when the packet has gone its way. */
		poll(NULL, 0, 50);
		return;
	}
	if (connect(fd, (void *)&to, len))
		die("connect");
	if (p->protocol == IPPROTO_UDP) {
		if (send(fd, PAYLOAD, sizeof(PAYLOAD) - 1, 0) < 0)
			die("send");
		return;
	}
	memcpy(echo + 8, PAYLOAD, sizeof(PAYLOAD) - 1);
	for (size_t i = 0; i < sizeof(echo); i += 2)
		sum += (uint32_t)(echo[i] << 8 | echo[i + 1]);
	sum = ~((sum & 0xffff) + (sum >> 16));
	/* The kernel computes ICMPv6's itself. */
	echo[2] = (uint8_t)(sum >> 8);
	echo[3] = (uint8_t)sum;
	if (send(fd, echo, sizeof(echo), 0) < 0)
		die("send");
}

/* --- flowgen's --- */

#define ARGUMENTS_MAX 48
struct command {
	char text[ARGUMENTS_MAX][80];
	char *list[ARGUMENTS_MAX + 1];
	size_t count;
};

static void add(struct command *c, const char *option, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void add(struct command *c, const char *option, const char *fmt, ...)
{
	va_list args;

	snprintf(c->text[c->count], sizeof(c->text[0]), "%s", option);
	c->list[c->count] = c->text[c->count];
	c->count++;
	va_start(args, fmt);
	vsnprintf(c->text[c->count], sizeof(c->text[0]), fmt, args);
	va_end(args);
	c->list[c->count] = c->text[c->count];
	c->count++;
}

/* The start of a TCP option's value, or of zeroes. */
static const uint8_t *tcp_option(const uint8_t *tcp, uint8_t kind)
{
	static const uint8_t none[8];
	const uint8_t *o = tcp + 20, *end = tcp + fg_field_get(FG_TCP_DATA_OFFSET, tcp) * 4;

	while (o < end && *o) {
		if (*o == kind)
			return o + 2;
		o += *o == 1 || !o[1] ? 1 : o[1];
	}
	return none;
}

/* What differs from packet to packet is taken from the pod's own. */
static void describe(struct command *c, const struct packet *p, const struct record *own)
{
	const uint8_t *ip = own->bytes + 14, *t = ip + (p->family == AF_INET ? 20 : 40), *ts;

	add(c, "--dst", "%s", p->family == AF_INET ? "10.9.0.9" : "fd00:9::9");
	if (p->family == AF_INET) {
		add(c, "--id", "%llu", (unsigned long long)fg_field_get(FG_IPV4_ID, ip));
		add(c, "--df", "%s", fg_field_get(FG_IPV4_DF, ip) ? "on" : "off");
	} else {
		add(c, "--flow-label", "%llu",
		    (unsigned long long)fg_field_get(FG_IPV6_FLOW_LABEL, ip));
	}
	if (p->protocol == IPPROTO_TCP) {
		add(c, "--proto", "tcp");
		add(c, "--seq", "%llu", (unsigned long long)fg_field_get(FG_TCP_SEQ, t));
		ts = tcp_option(t, 8);
		add(c, "--timestamps", "%u",
		    (uint32_t)ts[0] << 24 | (uint32_t)(ts[1] << 16 | ts[2] << 8 | ts[3]));
		/* It follows from the host's net.ipv4.tcp_rmem. */
		add(c, "--wscale", "%u", *tcp_option(t, 3));
	} else if (p->protocol == IPPROTO_UDP) {
		add(c, "--proto", "udp");
		add(c, "--payload", "%s", PAYLOAD);
	} else {
		add(c, "--proto", "icmp");
		add(c, "--icmp-id", "%d", 0x1234);
		add(c, "--icmp-seq", "1");
		add(c, "--payload", "%s", PAYLOAD);
	}
	if (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) {
		add(c, "--sport", "%d", SPORT);
		add(c, "--dport", "%d", DPORT);
	}
}

/* The socket is that of another run of this program, as the pod (send_here()). */
static void describe_exec(struct command *c, const struct packet *p)
{
	char self[sizeof(c->text[0])] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		die("this program's own path");
	add(c, "--", "%s", self);
	add(c, "send", "%zu", (size_t)(p - packets));
}

/* A packet that waits for its neighbour is cloned meanwhile (neigh_probe()): the pod knows its own.
 */
static void meet_neighbour(int family)
{
	const struct packet udp = { .family = family, .protocol = IPPROTO_UDP };
	struct sockaddr_storage to;
	socklen_t len = destination(&udp, &to);
	FG_FD int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	((struct sockaddr_in *)&to)->sin_port = htons(DPORT + 1);
	if (fd < 0 || sendto(fd, "", 0, 0, (void *)&to, len))
		die("send a first packet");
	poll(NULL, 0, 200);
}

static int send_here(const char *number)
{
	size_t index = strtoul(number, NULL, 10);
	FG_FD int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	if (index >= PACKETS || here < 0)
		die("send");
	meet_neighbour(packets[index].family);
	send_own(&packets[index], here);
	return 0;
}

/* Returns flowgen's exit status. */
static int send_by_flowgen(const char *flowgen, const char *method, const struct packet *p,
			   const struct record *own)
{
	struct command c = {};
	int status = 0;
	pid_t pid;

	add(&c, flowgen, is_exec(method) ? "exec" : "inject");
	add(&c, "--pod", "netns:fidelity");
	add(&c, "--method", "%s", is_exec(method) ? method + strlen(exec_prefix) : method);
	if (is_exec(method)) {
		describe_exec(&c, p);
	} else {
		add(&c, "--timeout", "300ms");
		describe(&c, p, own);
	}
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDOUT_FILENO);
		if (!getenv("FIDELITY_DEBUG"))
			dup2(null, STDERR_FILENO);
		execv(flowgen, c.list);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		die("run flowgen");
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* --- the comparison --- */

#define DIFFERENCES_MAX 64
struct difference {
	char field[32], own[64], ours[64], packets[128];
};

struct table {
	struct difference rows[DIFFERENCES_MAX];
	size_t count;
};

static void differs(struct table *t, const char *packet, const char *field, const char *own,
		    const char *ours)
{
	struct difference *d = t->rows;

	for (; d < t->rows + t->count; d++)
		if (!strcmp(d->field, field) && !strcmp(d->own, own) && !strcmp(d->ours, ours))
			break;
	if (d == t->rows + t->count) {
		if (t->count++ == DIFFERENCES_MAX)
			die("too many differences");
		*d = (struct difference){};
		snprintf(d->field, sizeof(d->field), "%s", field);
		snprintf(d->own, sizeof(d->own), "%s", own);
		snprintf(d->ours, sizeof(d->ours), "%s", ours);
	} else {
		strcat(d->packets, " ");
	}
	strcat(d->packets, packet);
}

#define FIELD(name)                                                                                \
	{                                                                                          \
#name, offsetof(struct record, name)                                               \
	}
static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	FIELD(len),	      FIELD(protocol),	 FIELD(ifindex),       FIELD(ingress_ifindex),
	FIELD(mark),	      FIELD(priority),	 FIELD(queue_mapping), FIELD(vlan_present),
	FIELD(vlan_tci),      FIELD(gso_segs),	 FIELD(gso_size),      FIELD(pkt_type),
	FIELD(tstamp_type),   FIELD(has_tstamp), FIELD(napi_id),       FIELD(has_sk),
	FIELD(linear),	      FIELD(tc_classid), FIELD(tc_index),      FIELD(wire_len),
	FIELD(ip_summed),     FIELD(csum_start), FIELD(csum_offset),   FIELD(csum_level),
	FIELD(l4_hash),	      FIELD(sw_hash),	 FIELD(network),       FIELD(transport),
	FIELD(encapsulation), FIELD(gso_type),	 FIELD(cloned),
};

static void take_bytes(struct record *to, const struct record *from, uint32_t at, uint32_t len)
{
	if (at + len <= to->size && at + len <= from->size)
		memcpy(to->bytes + at, from->bytes + at, len);
}

/* What two sockets choose anew for each packet, whoever they are of. */
static void forget_choices(const struct packet *p, const struct record *own, struct record *ours)
{
	uint32_t ip = 14, t = ip + (p->family == AF_INET ? 20 : 40), at;

	if (p->family == AF_INET) {
		take_bytes(ours, own, ip + 4, 2);  /* identification */
		take_bytes(ours, own, ip + 10, 2); /* the checksum with it */
	} else {
		take_bytes(ours, own, ip + 1, 3); /* flow label */
	}
	if (p->protocol != IPPROTO_TCP)
		return;
	take_bytes(ours, own, t + 4, 4); /* sequence number */
	at = (uint32_t)(tcp_option(own->bytes + t, 8) - own->bytes);
	if (at < own->size)
		take_bytes(ours, own, at, 4); /* timestamp */
}

static void compare_bytes(struct table *t, const char *packet, const struct record *a,
			  const struct record *b)
{
	char own[64], ours[64], field[32];

	for (uint32_t i = 0; i < a->size && i < b->size; i++) {
		if (a->bytes[i] == b->bytes[i])
			continue;
		snprintf(field, sizeof(field), "byte %u", i);
		snprintf(own, sizeof(own), "%02x", a->bytes[i]);
		snprintf(ours, sizeof(ours), "%02x", b->bytes[i]);
		differs(t, packet, field, own, ours);
	}
}

static void compare(struct table *t, const char *packet, const struct record *a,
		    const struct record *b)
{
	char own[64], ours[64];

	compare_bytes(t, packet, a, b);
	for (size_t i = 0; i < COUNT(fields); i++) {
		uint32_t x, y;

		memcpy(&x, (const char *)a + fields[i].offset, sizeof(x));
		memcpy(&y, (const char *)b + fields[i].offset, sizeof(y));
		if (x == y)
			continue;
		snprintf(own, sizeof(own), "%u", x);
		snprintf(ours, sizeof(ours), "%u", y);
		differs(t, packet, fields[i].name, own, ours);
	}
	/* Its value is as random as the socket. */
	if (!a->hash != !b->hash)
		differs(t, packet, "hash", a->hash ? "set" : "0", b->hash ? "set" : "0");
}

/* --- the rounds --- */

#define HOOKS COUNT(hooks)

/* The recorders of a pod, one at each hook; link -1: there is none. */
struct round {
	const char *flowgen;
	const struct kind *kind;
	struct fg_testbed_devices devices;
	struct recorder recorders[HOOKS];
	int links[HOOKS];
	struct table tables[HOOKS];
};

static void attach(struct round *r, size_t h)
{
	bool fits = !hooks[h].kind || !strcmp(hooks[h].kind, r->kind->kind);
	int back = -1;

	r->links[h] = -1;
	if (!fits)
		return;
	recorder_open(&r->recorders[h]);
	if (hooks[h].in_pod && fg_netns_enter(r->devices.pod_netns, &back, &err))
		die("enter the pod");
	r->links[h] = bpf_link_create(r->recorders[h].fd,
				      hooks[h].in_pod ? r->devices.peer_ifindex
						      : r->devices.primary_ifindex,
				      hooks[h].type, NULL);
	if (hooks[h].in_pod)
		fg_netns_leave(&back);
}

/* host-ingress bypasses what is in the pod. */
static bool is_compared(const struct round *r, size_t h, const char *method)
{
	return r->links[h] >= 0 &&
	       (!strstr(method, "host-ingress") || !strcmp(hooks[h].name, "tcx/ingress"));
}

static void want(const struct round *r, const struct packet *p)
{
	bool ports = p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP;

	for (size_t h = 0; h < HOOKS; h++)
		if (r->links[h] >= 0)
			recorder_want(&r->recorders[h], p->protocol, ports ? DPORT : 0);
}

/* Returns false where flowgen says that this method does not work here. */
static bool compare_packet(struct round *r, const char *method, const struct packet *p)
{
	static struct record own[HOOKS], ours;
	size_t any = 0;
	int status;

	want(r, p);
	send_own(p, r->devices.pod_netns);
	for (size_t h = 0; h < HOOKS; h++) {
		if (r->links[h] < 0)
			continue;
		if (!recorder_read(&r->recorders[h], &own[h]))
			die("the pod's own packet was not seen");
		any = h;
	}
	want(r, p);
	status = send_by_flowgen(r->flowgen, method, p, &own[any]);
	/* Not a way into this pod, or not on this kernel. */
	if (status == 3 || (is_exec(method) && status == 125))
		return false;
	for (size_t h = 0; h < HOOKS; h++) {
		if (!is_compared(r, h, method))
			continue;
		if ((status && status != 4) || !recorder_read(&r->recorders[h], &ours)) {
			fprintf(stderr, "fidelity: flowgen (%s %s): status %d, or not seen\n",
				method, p->name, status);
			exit(1);
		}
		if (is_exec(method))
			forget_choices(p, &own[h], &ours);
		compare(&r->tables[h], p->name, &own[h], &ours);
	}
	return true;
}

static void print_tables(const struct round *r, const char *method)
{
	for (size_t h = 0; h < HOOKS; h++) {
		if (!is_compared(r, h, method))
			continue;
		printf("# %s, %s, %s\n", r->kind->name, method, hooks[h].name);
		for (size_t i = 0; i < r->tables[h].count; i++) {
			const struct difference *d = &r->tables[h].rows[i];

			printf("| %s | %s | %s | %s | %s | %s | %s |\n", r->kind->name, method,
			       hooks[h].name, d->field, d->own, d->ours, d->packets);
		}
	}
	fflush(stdout);
}

static void compare_kind(const char *flowgen, const struct kind *kind)
{
	static struct round r;

	r = (struct round){ .flowgen = flowgen, .kind = kind };
	if (fg_testbed_devices_find("fidelity", -1, &r.devices, &err))
		die("find the pod");
	for (size_t h = 0; h < HOOKS; h++)
		attach(&r, h);
	for (size_t m = 0; m < COUNT(methods); m++) {
		bool works = true;

		memset(r.tables, 0, sizeof(r.tables));
		for (size_t i = 0; i < PACKETS && works; i++)
			works = compare_packet(&r, methods[m], &packets[i]);
		if (works)
			print_tables(&r, methods[m]);
	}
	for (size_t h = 0; h < HOOKS; h++) {
		fg_fd_close(&r.links[h]);
		bpf_object__close(r.recorders[h].obj);
	}
	fg_fd_close(&r.devices.pod_netns);
}

static struct fg_testbed_address address(const char *text, int prefix)
{
	struct fg_testbed_address a = { .prefix = prefix };

	if (fg_parse_addr("address", text, &a.addr, &err))
		die("address");
	return a;
}

static bool make_pods(const struct kind *kind)
{
	struct fg_testbed_pod pod = { .name = "fidelity",
				      .node = -1,
				      .kind = kind->kind,
				      .mode = kind->mode,
				      .primary = "hfidelity",
				      .peer = "eth0",
				      .addresses = { address("10.9.1.2", 32),
						     address("fd00:1::2", 128) },
				      .address_count = 2 };
	struct fg_testbed_pod dst = { .name = "fidelity-dst",
				      .node = -1,
				      .kind = "veth",
				      .primary = "hfiddst",
				      .peer = "eth0",
				      .addresses = { address("10.9.0.9", 24),
						     address("fd00:9::9", 64) },
				      .address_count = 2,
				      .gateway4 = address("10.9.0.1", 32).addr,
				      .gateway6 = address("fd00:9::1", 128).addr };

	if (fg_testbed_pod_add(&pod, &err))
		return false;
	if (fg_testbed_pod_add(&dst, &err))
		die("make the destination");
	return true;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "send"))
		return send_here(argv[2]);
	if (argc < 2 || argc > 3) {
		fputs("usage: fidelity FLOWGEN [veth|netkit]\n", stderr);
		return 2;
	}
	for (size_t k = 0; k < COUNT(kinds); k++) {
		if ((argc == 3 && strcmp(kinds[k].kind, argv[2])) ||
		    (!strcmp(kinds[k].kind, "netkit") && !fg_testbed_has_netkit()))
			continue;
		if (!make_pods(&kinds[k]))
			die("make a pod");
		/* A new device takes its time until IPv6 works on it. */
		poll(NULL, 0, 2500);
		compare_kind(argv[1], &kinds[k]);
		if (fg_testbed_netns_delete("fidelity", &err) ||
		    fg_testbed_netns_delete("fidelity-dst", &err))
			die("delete the pods");
	}
	return 0;
}
