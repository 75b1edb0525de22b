/* SPDX-License-Identifier: GPL-2.0-only */
/* node/br_netfilter.h - whether bridges of a namespace hand what they forward to netfilter. */
#ifndef FG_BR_NETFILTER_H
#define FG_BR_NETFILTER_H

#include <stdbool.h>

struct fg_br_netfilter {
	bool ip;  /* some bridge hands IPv4 packets to the hooks of IP */
	bool ip6; /* and IPv6 packets to those of IPv6 */
};

/*
 * What br_netfilter does in the namespace of netns (a descriptor): by its sysctls there
 * (net.bridge.bridge-nf-call-iptables and -ip6tables), or by a flag of one bridge
 * (IFLA_BR_NF_CALL_IPTABLES, _IP6TABLES); br_nf_pre_routing(). Nothing where the module is not
 * loaded; both where that cannot be read.
 */
struct fg_br_netfilter fg_br_netfilter_read(int netns);

#endif
