// SPDX-License-Identifier: GPL-2.0-only
/*
 * capture/filter.c - a filter for packets of each link type, made at once: it may look up names of
 * services and hosts, which a confined reader cannot.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "capture/internal.h"

#define MAXIMUM_SNAPLEN 262144

static const int links[] = { DLT_EN10MB, DLT_LINUX_SLL, DLT_LINUX_SLL2, DLT_NULL,
			     DLT_LOOP,	 DLT_RAW,	DLT_IPV4,	DLT_IPV6 };

struct fg_capture_filter {
	char *expression; /* owned */
	struct form {
		bool made;
		struct bpf_program program;
		char why[PCAP_ERRBUF_SIZE]; /* if it could not be made for this link type */
	} forms[COUNT(links)];
};

bool fg_capture_link_is_known(int link)
{
	for (size_t i = 0; i < COUNT(links); i++)
		if (links[i] == link)
			return true;
	return false;
}

static int make(struct fg_capture_filter *filter, size_t i)
{
	struct form *form = &filter->forms[i];
	pcap_t *pcap = pcap_open_dead(links[i], MAXIMUM_SNAPLEN);

	if (!pcap)
		return -1;
	form->made = pcap_compile(pcap, &form->program, filter->expression, 1,
				  PCAP_NETMASK_UNKNOWN) >= 0;
	if (!form->made)
		snprintf(form->why, sizeof(form->why), "%s", pcap_geterr(pcap));
	pcap_close(pcap);
	return 0;
}

struct fg_capture_filter *fg_capture_filter_make(const char *expression, struct fg_error *err)
{
	struct fg_capture_filter *filter = calloc(1, sizeof(*filter));
	int ret = 0;

	if (filter)
		filter->expression = strdup(expression);
	if (!filter || !filter->expression)
		ret = -1;
	for (size_t i = 0; i < COUNT(links) && !ret; i++)
		ret = make(filter, i);
	if (!ret)
		return filter;
	fg_capture_filter_free(filter);
	fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "filter");
	return NULL;
}

void fg_capture_filter_free(struct fg_capture_filter *filter)
{
	if (!filter)
		return;
	for (size_t i = 0; i < COUNT(links); i++)
		if (filter->forms[i].made)
			pcap_freecode(&filter->forms[i].program);
	free(filter->expression);
	free(filter);
}

int fg_capture_filter_check(const struct fg_capture_filter *filter, int link, struct fg_error *err)
{
	for (size_t i = 0; i < COUNT(links); i++)
		if (links[i] == link && !filter->forms[i].made)
			return fg_fail(err, FG_ERR_USAGE, "filter \"%.200s\": %s",
				       filter->expression, filter->forms[i].why);
	return 0;
}

bool fg_capture_filter_passes(const struct fg_capture_filter *filter, int link,
			      const struct pcap_pkthdr *header, const uint8_t *bytes)
{
	for (size_t i = 0; i < COUNT(links); i++)
		if (links[i] == link && filter->forms[i].made)
			return pcap_offline_filter(&filter->forms[i].program, header, bytes) != 0;
	return false;
}
