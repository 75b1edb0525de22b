// SPDX-License-Identifier: GPL-2.0-only
/* report_netfilter.c - the rule of netfilter that dropped a packet, in JSON and in words. */
#include "netfilter.h"
#include "report_sections.h"

#define PUT(out, literal) fg_buffer_put(out, literal, sizeof(literal) - 1)

static const char *place_name(const struct fg_scene *scene, const struct fg_netfilter *by,
			      const struct fg_observation *end)
{
	const struct fg_device *device =
		end && end->event.netns == by->netns && scene->device
			? scene->device(scene->names, by->netns, (int)end->event.ifindex)
			: NULL;

	return device ? device->where : NULL;
}

void fg_json_netfilter(struct fg_buffer *out, const struct fg_scene *scene,
		       const struct fg_result *result)
{
	const struct fg_netfilter *by = result->netfilter;

	if (!by) {
		PUT(out, ",\"netfilter\":null");
		return;
	}
	PUT(out, ",\"netfilter\":{\"netns\":{\"inode\":");
	fg_buffer_put_u64(out, by->netns);
	PUT(out, ",\"name\":");
	fg_json_put_text(out, place_name(scene, by, result->end));
	PUT(out, "},\"family\":");
	fg_json_put_text(out, fg_netfilter_family(by->family));
	PUT(out, ",\"table\":");
	fg_json_put_text(out, by->table);
	PUT(out, ",\"chain\":");
	fg_json_put_text(out, by->chain);
	if (by->policy) {
		PUT(out, ",\"rule\":null,\"policy\":true");
	} else {
		PUT(out, ",\"rule\":{\"handle\":");
		fg_buffer_put_u64(out, by->handle);
		PUT(out, ",\"comment\":");
		fg_json_put_text(out, by->comment);
		PUT(out, "},\"policy\":false");
	}
	PUT(out, ",\"verdict\":");
	fg_json_put_text(out, fg_netfilter_verdict(by));
	PUT(out, "}");
}

void fg_text_netfilter(const struct fg_page *page, const struct fg_result *result)
{
	char text[FG_NETFILTER_TEXT_LEN];

	if (result->netfilter)
		fg_text_entry(page, "by", fg_netfilter_text(result->netfilter, text, sizeof(text)));
}
