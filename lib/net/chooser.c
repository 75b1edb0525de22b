// SPDX-License-Identifier: GPL-2.0-only
#include "net/chooser.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>

#include "base/fd.h"

static void read_name(struct fg_chooser *chooser)
{
	FG_FD int fd = bpf_prog_get_fd_by_id(chooser->id);
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &len))
		snprintf(chooser->name, sizeof(chooser->name), "%s", info.name);
}

int fg_choosers_list(int netns, struct fg_chooser list[FG_CHOOSERS_MAX])
{
	__u32 ids[FG_CHOOSERS_MAX] = {}, count = FG_CHOOSERS_MAX;
	int ret = bpf_prog_query(netns, BPF_SK_LOOKUP, 0, NULL, ids, &count);

	/* With more than there is room for, those that there is room for. */
	if (ret && ret != -ENOSPC)
		return ret;
	count = count < FG_CHOOSERS_MAX ? count : FG_CHOOSERS_MAX;
	for (__u32 i = 0; i < count; i++) {
		list[i] = (struct fg_chooser){ .id = ids[i] };
		read_name(&list[i]);
	}
	return (int)count;
}
