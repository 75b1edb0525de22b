/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * exec/dress.h - what makes a command of the host feel like one of the pod, besides its network:
 * name servers, hosts file, host name, environment, cgroup.
 */
#ifndef FG_EXEC_DRESS_H
#define FG_EXEC_DRESS_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/parse.h"
#include "host/host.h"
#include "host/pod.h"

enum fg_dress_dns { FG_DNS_POD, FG_DNS_HOST, FG_DNS_ADDRESS };

struct fg_dress_options {
	enum fg_dress_dns dns;
	struct fg_addr server; /* for FG_DNS_ADDRESS */
	bool environment;      /* of the pod's container */
	bool cgroup;	       /* of the pod */
};

/*
 * "pod", "host" or an address, into struct fg_dress_options, as an option is read. what: its name,
 * for messages. Returns 0, or -1: FG_ERR_USAGE.
 */
int fg_dress_read_dns(const char *what, const char *text, void *to, struct fg_error *err);

/* More than the C library asks (3: resolv.conf(5)). */
#define FG_DRESS_SERVERS 8

/* All owned; NULL: as on the host. */
struct fg_dress {
	char *resolv_conf, *hosts, *nsswitch, *hostname;
	char **environment; /* ends with NULL */
	char *cgroup;	    /* the directory, below /sys/fs/cgroup */
	/* Whether the pod had no name servers to be found, though they were asked for. */
	bool no_servers;
	/* The first name servers of the resolv.conf that the command sees. */
	struct fg_addr servers[FG_DRESS_SERVERS];
	size_t server_count;
};

/*
 * Reads it from the processes of the pod (below host->root), or, for a named namespace without one,
 * from /etc/netns/NAME as ip-netns(8) does. Files are opened so that nothing in the pod's file
 * system leads out of it. FG_ERR_UNSUPPORTED if the environment or the cgroup was asked for and no
 * process is there.
 */
int fg_dress_read(struct fg_dress *dress, const struct fg_host *host, const struct fg_pod *pod,
		  const struct fg_dress_options *options, struct fg_error *err);
void fg_dress_free(struct fg_dress *dress);

#endif
