// SPDX-License-Identifier: GPL-2.0-only
#include "base/ports.h"

#include <stdlib.h>
#include <string.h>

#include "base/count.h"

void fg_ports_free(struct fg_ports *ports)
{
	free(ports->ranges);
	*ports = (struct fg_ports){ 0 };
}

uint16_t fg_ports_get(const struct fg_ports *ports, size_t index)
{
	size_t low = 0, high = ports->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (ports->ranges[middle].before <= index)
			low = middle;
		else
			high = middle;
	}
	return (uint16_t)(ports->ranges[low].first + (index - ports->ranges[low].before));
}

uint16_t fg_ports_service(const char *name, size_t len)
{
	static const struct {
		const char *name;
		uint16_t port;
	} services[] = { { "dns", 53 },	       { "domain", 53 },       { "http", 80 },
			 { "https", 443 },     { "ssh", 22 },	       { "ftp", 21 },
			 { "telnet", 23 },     { "smtp", 25 },	       { "ntp", 123 },
			 { "snmp", 161 },      { "bgp", 179 },	       { "ldap", 389 },
			 { "syslog", 514 },    { "ldaps", 636 },       { "mysql", 3306 },
			 { "rdp", 3389 },      { "postgresql", 5432 }, { "postgres", 5432 },
			 { "amqp", 5672 },     { "redis", 6379 },      { "kubernetes", 6443 },
			 { "http-alt", 8080 }, { "kafka", 9092 },      { "etcd", 2379 } };

	for (size_t i = 0; i < COUNT(services); i++)
		if (strlen(services[i].name) == len && !strncmp(services[i].name, name, len))
			return services[i].port;
	return 0;
}
