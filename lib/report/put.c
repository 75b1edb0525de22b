// SPDX-License-Identifier: GPL-2.0-only
/* report/put.c - small parts of JSON. */
#include "base/json.h"
#include "report/internal.h"

void fg_put_number(struct fg_buffer *out, const char *key, bool there, uint64_t value)
{
	PUT(out, ",\"");
	fg_buffer_puts(out, key);
	PUT(out, "\":");
	if (there)
		fg_buffer_put_u64(out, value);
	else
		PUT(out, "null");
}

void fg_put_netns(struct fg_buffer *out, uint32_t inode, const char *name)
{
	if (!inode) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"inode\":");
	fg_buffer_put_u64(out, inode);
	PUT(out, ",\"name\":");
	fg_json_put_text(out, name);
	PUT(out, "}");
}

void fg_put_place(struct fg_buffer *out, const struct fg_context *context, uint32_t netns,
		  int ifindex, const char *name)
{
	const struct fg_device *device = fg_view_device(context, netns, ifindex);

	PUT(out, "\"device\":");
	fg_json_put_text(out, device ? device->name : name);
	PUT(out, ",\"netns\":");
	fg_put_netns(out, netns,
		     device			    ? device->where
		     : netns == context->host_netns ? "host"
						    : NULL);
}

void fg_put_gaps(struct fg_buffer *out, const struct fg_context *context,
		 const struct fg_result *result)
{
	struct fg_gap gaps[FG_GAPS_MAX];

	fg_gaps_list(context, result, gaps);
	PUT(out, "[");
	for (const struct fg_gap *gap = gaps; gap->word; gap++)
		fg_buffer_printf(out, "%s\"%s\"", gap == gaps ? "" : ",", gap->word);
	PUT(out, "]");
}
