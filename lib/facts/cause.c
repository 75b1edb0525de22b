// SPDX-License-Identifier: GPL-2.0-only
#include "facts/cause.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/count.h"
#include "base/visible.h"

const char *fg_cause_kind_name(enum fg_cause_kind kind)
{
	static const char *const names[FG_CAUSE_KINDS] = {
		[FG_CAUSE_ROUTE] = "route",
		[FG_CAUSE_FORWARDING] = "forwarding",
		[FG_CAUSE_RPFILTER] = "rp-filter",
		[FG_CAUSE_MARTIAN] = "martian",
		[FG_CAUSE_TTL] = "ttl",
		[FG_CAUSE_MTU] = "mtu",
		[FG_CAUSE_FRAGMENT] = "fragment",
		[FG_CAUSE_NEIGHBOUR] = "neighbour",
		[FG_CAUSE_QUEUE] = "queue",
		[FG_CAUSE_PROXY] = "proxy",
		[FG_CAUSE_SOCKET] = "socket",
		[FG_CAUSE_XFRM] = "xfrm",
		[FG_CAUSE_NETFILTER] = "netfilter",
		[FG_CAUSE_IPVS] = "ipvs",
		[FG_CAUSE_QDISC] = "qdisc",
		[FG_CAUSE_BRIDGE] = "bridge",
		[FG_CAUSE_DEVICE] = "device",
	};

	return (unsigned int)kind < COUNT(names) ? names[kind] : NULL;
}

bool fg_cause_set(struct fg_cause *cause, enum fg_cause_kind kind, const char *how, const char *fmt,
		  ...)
{
	va_list args;

	*cause = (struct fg_cause){ .kind = kind, .how = how };
	va_start(args, fmt);
	vsnprintf(cause->what, sizeof(cause->what), fmt, args);
	va_end(args);
	fg_visible_make(cause->what);
	return true;
}

void fg_cause_add(struct fg_cause *cause, const char *fmt, ...)
{
	size_t len = strlen(cause->what);
	va_list args;

	va_start(args, fmt);
	vsnprintf(cause->what + len, sizeof(cause->what) - len, fmt, args);
	va_end(args);
	fg_visible_make(cause->what + len);
}

void fg_cause_set_setting(struct fg_cause *cause, long value, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(cause->setting, sizeof(cause->setting), fmt, args);
	va_end(args);
	fg_visible_make(cause->setting);
	snprintf(cause->value, sizeof(cause->value), "%ld", value);
}

const char *fg_cause_text(const struct fg_cause *cause, char *buf, size_t size)
{
	bool setting = cause->setting[0], process = cause->process[0];

	snprintf(buf, size, "%s%s%s%s%s%s%s", cause->what, setting && cause->what[0] ? "; " : "",
		 cause->setting, setting ? " = " : "", setting ? cause->value : "",
		 process ? "; " : "", cause->process);
	return buf;
}
