// SPDX-License-Identifier: GPL-2.0-only
#include "node/ipvs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "net/netns.h"

#define SERVICES "/proc/thread-self/net/ip_vs"
#define CONNECTIONS "/proc/thread-self/net/ip_vs_conn"

/* Both in the namespace; NULL if there is no IPVS. */
static int open_tables(int netns, FILE **services, FILE **connections, struct fg_error *err)
{
	int back;

	if (fg_netns_enter(netns, &back, err))
		return -1;
	*services = fopen(SERVICES, "re");
	*connections = fopen(CONNECTIONS, "re");
	fg_netns_leave(&back);
	return 0;
}

/* 0A000001, or [2001:0db8:...]: ip_vs_info_seq_show(). */
static bool read_addr(const char *text, size_t len, struct fg_addr *out)
{
	char buf[48];
	uint32_t v4;
	char *end;

	*out = (struct fg_addr){};
	if (len >= sizeof(buf))
		return false;
	memcpy(buf, text, len);
	buf[len] = '\0';
	if (len == 8 && !strchr(buf, ':')) {
		v4 = htonl((uint32_t)strtoul(buf, &end, 16));
		out->family = AF_INET;
		memcpy(out->bytes, &v4, 4);
		return !*end;
	}
	if (buf[0] == '[' && buf[len - 1] == ']') {
		buf[len - 1] = '\0';
		memmove(buf, buf + 1, len - 1);
	}
	out->family = AF_INET6;
	return inet_pton(AF_INET6, buf, out->bytes) == 1;
}

static bool read_port(const char *text, uint16_t *out)
{
	char *end;
	unsigned long value = strtoul(text, &end, 16);

	*out = (uint16_t)value;
	return end != text && !*end && value <= UINT16_MAX;
}

/* Address and port, with a colon between. */
static bool read_end(const char *text, struct fg_addr *addr, uint16_t *port)
{
	const char *colon = strrchr(text, ':');

	return colon && read_addr(text, (size_t)(colon - text), addr) && read_port(colon + 1, port);
}

/* 0: none of those that have services. */
static uint8_t read_protocol(const char *text)
{
	static const struct {
		const char *name;
		uint8_t number;
	} protocols[] = { { "TCP", IPPROTO_TCP },
			  { "UDP", IPPROTO_UDP },
			  { "SCTP", IPPROTO_SCTP } };

	for (size_t i = 0; i < COUNT(protocols); i++)
		if (!strcmp(text, protocols[i].name))
			return protocols[i].number;
	return 0;
}

static void add_backend(struct fg_ipvs_service *service, const struct fg_addr *addr)
{
	if (!service->backends++)
		service->only = *addr;
	else if (!fg_addr_equal(&service->only, addr))
		service->only = (struct fg_addr){};
}

/* "TCP  0A010101:0050 rr ", and its backends "  -> 0A000002:1F90      Masq    1      0 ..." */
static int read_services(FILE *services, const struct fg_addr *at, struct fg_ipvs_services *out)
{
	char line[256], first[64], second[64], third[24];
	struct fg_ipvs_service *ours = NULL;

	while (fgets(line, sizeof(line), services)) {
		char weight[16];
		struct fg_addr addr;
		uint16_t port;

		if (sscanf(line, "%63s %63s %23s", first, second, third) != 3)
			continue;
		if (!strcmp(first, "->")) {
			if (ours && read_end(second, &addr, &port) &&
			    sscanf(line, "%*s %*s %*s %15s", weight) == 1 &&
			    strtoul(weight, NULL, 10))
				add_backend(ours, &addr);
			continue;
		}
		ours = NULL;
		if (!read_protocol(first) || !read_end(second, &addr, &port) ||
		    !fg_addr_equal(&addr, at))
			continue;
		ours = FG_APPEND(out->list, out->count, "services of IPVS", NULL);
		if (!ours)
			return -1;
		ours->protocol = read_protocol(first);
		ours->addr = addr;
		ours->port = port;
		snprintf(ours->scheduler, sizeof(ours->scheduler), "%s", third);
	}
	return 0;
}

/* "TCP 0A470102 9C40 0A010101 0050 0A000002 1F90 SYN_RECV  59 ...": from, to, destination */
static bool read_connection(const char *line, const struct fg_flow *flow, struct fg_addr *to,
			    uint16_t *to_port)
{
	char protocol[16], addr[3][48], port[3][8];
	struct fg_addr from, at;
	uint16_t sport, dport;

	return sscanf(line, "%15s %47s %7s %47s %7s %47s %7s", protocol, addr[0], port[0], addr[1],
		      port[1], addr[2], port[2]) == 7 &&
	       read_protocol(protocol) == flow->protocol &&
	       read_addr(addr[0], strlen(addr[0]), &from) && read_port(port[0], &sport) &&
	       read_addr(addr[1], strlen(addr[1]), &at) && read_port(port[1], &dport) &&
	       read_addr(addr[2], strlen(addr[2]), to) && read_port(port[2], to_port) &&
	       fg_addr_equal(&from, &flow->src) && sport == flow->sport &&
	       fg_addr_equal(&at, &flow->dst) && dport == flow->dport;
}

static void read_connections(FILE *connections, const struct fg_flow *flow,
			     struct fg_ipvs_services *out)
{
	struct fg_addr to;
	uint16_t port;
	char line[512];

	while (fgets(line, sizeof(line), connections)) {
		if (!read_connection(line, flow, &to, &port))
			continue;
		for (size_t i = 0; i < out->count; i++) {
			struct fg_ipvs_service *s = &out->list[i];

			if (s->protocol != flow->protocol || (s->port && s->port != flow->dport))
				continue;
			s->to = to;
			s->to_port = port;
		}
		return;
	}
}

void fg_ipvs_free(struct fg_ipvs_services *services)
{
	free(services->list);
	*services = (struct fg_ipvs_services){};
}

int fg_ipvs_read(FILE *services, FILE *connections, const struct fg_addr *addr,
		 const struct fg_flow *flow, struct fg_ipvs_services *out)
{
	struct fg_ipvs_services found = {};

	if (services && read_services(services, addr, &found)) {
		fg_ipvs_free(&found);
		return -1;
	}
	if (connections && flow && found.count)
		read_connections(connections, flow, &found);
	*out = found;
	return 0;
}

int fg_ipvs_find(int netns, const struct fg_addr *addr, const struct fg_flow *flow,
		 struct fg_ipvs_services *out, struct fg_error *err)
{
	FG_FILE FILE *services = NULL, *connections = NULL;

	if (open_tables(netns, &services, &connections, err))
		return -1;
	if (fg_ipvs_read(services, flow ? connections : NULL, addr, flow, out))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "services of IPVS");
	return 0;
}

int fg_ipvs_count(int netns, uint32_t *services, uint32_t *backends, struct fg_error *err)
{
	FG_FILE FILE *table = NULL, *connections = NULL;
	char line[256];
	int head = 3;

	*services = *backends = 0;
	if (open_tables(netns, &table, &connections, err))
		return -1;
	while (table && fgets(line, sizeof(line), table)) {
		if (head-- > 0)
			continue;
		if (strstr(line, "->"))
			(*backends)++;
		else
			(*services)++;
	}
	return 0;
}
