// SPDX-License-Identifier: GPL-2.0-only
#include "facts/ipvs.h"

#include <stdio.h>
#include <string.h>

#include "header/dissect.h"

static void put_end(const struct fg_addr *addr, uint16_t port, char *buf, size_t size)
{
	char text[FG_ADDR_TEXT_LEN], number[8] = "*";
	bool v6 = addr->family == AF_INET6;

	if (port)
		snprintf(number, sizeof(number), "%u", port);
	snprintf(buf, size, "%s%s%s:%s", v6 ? "[" : "", fg_addr_text(addr, text, sizeof(text)),
		 v6 ? "]" : "", number);
}

const char *fg_ipvs_text(const struct fg_ipvs_service *service, char *buf, size_t size)
{
	char at[FG_ADDR_TEXT_LEN + 10], to[FG_ADDR_TEXT_LEN + 10] = "", protocol[4];

	put_end(&service->addr, service->port, at, sizeof(at));
	if (service->to.family)
		put_end(&service->to, service->to_port, to, sizeof(to));
	snprintf(buf, size, "%s %s (%s, %u backend%s)%s%s",
		 fg_flow_protocol_text(service->protocol, protocol), at, service->scheduler,
		 service->backends, service->backends == 1 ? "" : "s", to[0] ? ", to " : "", to);
	return buf;
}
