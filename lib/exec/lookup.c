// SPDX-License-Identifier: GPL-2.0-only
#include "exec/lookup.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/parse.h"
#include "exec/exec.h"
#include "host/pod.h"

/* Longer than the C library tries two name servers (resolv.conf(5)). */
#define LOOKUP_NS 12000000000ULL
#define DNS_PORT 53

int fg_lookup_pod(const char *host_root, const char *ref, uint16_t family, struct fg_addr *out,
		  struct fg_error *err)
{
	struct fg_host host = { .netns = -1 };
	const struct fg_addr *found = NULL;
	struct fg_pod pod = {};
	int ret = fg_host_open(&host, host_root, err);

	if (!ret)
		ret = fg_pod_open(&host, ref, NULL, &pod, err);
	if (!ret) {
		found = fg_pod_address(&pod, family ? family : AF_INET);
		if (!found && !family)
			found = fg_pod_address(&pod, AF_INET6);
		if (found)
			*out = *found;
		else
			ret = fg_fail(err, FG_ERR_UNSUPPORTED, "%s has no %saddress", ref,
				      family == AF_INET	   ? "IPv4 "
				      : family == AF_INET6 ? "IPv6 "
							   : "");
		fg_pod_close(&pod);
	}
	fg_host_close(&host);
	return ret;
}

/* A line of `getent ahosts`: address, type, name; each address comes once for each type. */
static void take_line(const char *line, uint16_t family, struct fg_addr *out, unsigned int *count)
{
	struct fg_addr addr;
	char text[80];
	size_t len = strcspn(line, " \t");

	if (len >= sizeof(text) || !strstr(line, "STREAM"))
		return;
	memcpy(text, line, len);
	text[len] = '\0';
	if (fg_parse_addr("", text, &addr, NULL) || (family && addr.family != family))
		return;
	if (!(*count)++)
		*out = addr;
}

static void take_lines(char *text, uint16_t family, struct fg_addr *out, unsigned int *count)
{
	char *rest = text, *line;

	*count = 0;
	while ((line = strsep(&rest, "\n")))
		take_line(line, family, out, count);
}

/* Whether questions went to name servers, and none of them said anything: getent(1) does not tell.
 */
static bool is_unanswered(const struct fg_exec_done *done)
{
	bool asked = false;

	for (size_t i = 0; i < done->flow_count; i++) {
		const struct fg_divert_flow *f = &done->flows[i];

		if (f->flow.remote_port != htons(DNS_PORT))
			continue;
		if (f->state.in_packets)
			return false;
		asked = true;
	}
	return asked;
}

static int conclude(const char *name, const struct fg_exec_done *done, unsigned int count,
		    struct fg_error *err)
{
	if (count)
		return 0;
	if (done->status == FG_CHILD_TIMEOUT || is_unanswered(done))
		fg_fail(err, FG_ERR_USAGE, "%s: the pod's name servers do not answer", name);
	else
		fg_fail(err, FG_ERR_USAGE, "%s: the pod's resolver knows no address of it", name);
	return fg_hint(err, "give an address");
}

int fg_lookup_name(const struct fg_lookup *lookup, const char *name, struct fg_addr *out,
		   unsigned int *count, struct fg_error *err)
{
	char *argv[] = { (char *)"getent", (char *)"ahosts", (char *)name, NULL };
	struct fg_child_output output = {};
	const struct fg_exec_options options = { .ref = lookup->pod,
						 .interface = lookup->interface,
						 .host_root = lookup->host_root,
						 .argv = argv,
						 .timeout_ns = LOOKUP_NS,
						 .note = lookup->note,
						 .note_arg = lookup->note_arg,
						 .output = &output,
						 .cancel_fd = -1 };
	struct fg_exec_done done = {};
	int ret = fg_exec_run(&options, &done, err);

	if (ret && done.status == FG_CHILD_NOT_FOUND)
		fg_hint(err, "names are resolved with getent(1); give an address");
	if (ret)
		fg_error_prefix(err, "%s", name);
	*count = 0;
	if (!ret && output.data)
		take_lines(output.data, lookup->family, out, count);
	if (!ret) {
		ret = conclude(name, &done, *count, err);
		fg_exec_free(&done);
	}
	free(output.data);
	return ret;
}
