// SPDX-License-Identifier: GPL-2.0-only
/* report/drop.c - why and where the kernel dropped a packet or a reply, in JSON and in words. */
#include <stdio.h>

#include "base/json.h"
#include "report/internal.h"

void fg_report_json_drop(struct fg_buffer *out, const struct fg_context *context,
			 const struct fg_result *result)
{
	char number[32], hex[32];

	if (!result->dropped) {
		PUT(out, "null");
		return;
	}
	PUT(out, "{\"reason\":");
	fg_json_put_text(out,
			 fg_view_drop_name(context, result->drop_code, number, sizeof(number)));
	fg_put_number(out, "code", true, result->drop_code);
	PUT(out, ",\"location\":");
	fg_json_put_text(out,
			 result->end ? fg_view_drop_location(result->end, hex, sizeof(hex)) : NULL);
	fg_report_json_netfilter(out, context, result);
	PUT(out, "}");
}

void fg_report_text_drop(const struct fg_page *page, const struct fg_context *context,
			 const struct fg_result *result)
{
	char number[32], hex[32], text[400];
	const char *where;

	if (!result->dropped)
		return;
	where = result->end ? fg_view_drop_location(result->end, hex, sizeof(hex)) : NULL;
	snprintf(text, sizeof(text), "%s (%u)%s%s",
		 fg_view_drop_name(context, result->drop_code, number, sizeof(number)),
		 result->drop_code, where ? " at " : "", where ? where : "");
	fg_page_entry(page, "drop", text);
	fg_report_text_netfilter(page, result);
}
