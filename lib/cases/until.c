// SPDX-License-Identifier: GPL-2.0-only
#include "cases/until.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"

bool fg_until_take(struct fg_until *u, const json_t *result)
{
	const char *verdict = fg_json_string(json_object_get(result, "policy"), "verdict");
	const char *outcome = fg_json_string(result, "outcome");
	char seen[sizeof(u->seen)];
	bool news;

	snprintf(seen, sizeof(seen), "%.30s %.30s", verdict, outcome);
	u->known = strcmp(verdict, "unknown") != 0 && strcmp(outcome, "inconclusive") != 0;
	u->met = json_is_true(json_object_get(json_object_get(result, "expect"), "met"));
	news = u->met || strcmp(seen, u->seen) != 0;
	memcpy(u->seen, seen, sizeof(seen));
	return news;
}

void fg_until_text(const struct fg_until *u, char *text, size_t size)
{
	const double met = (double)(u->seen_ns - u->first_ns) / 1e9;

	if (!u->met)
		snprintf(text, size, "never %s", u->wanted);
	else if (u->sent == 1)
		snprintf(text, size, "%s from the first probe on", u->wanted);
	else if (u->before_ns)
		snprintf(text, size, "%s after %.3f s, not yet at %.3f s", u->wanted, met,
			 (double)(u->before_ns - u->first_ns) / 1e9);
	else
		snprintf(text, size, "%s after %.3f s, not known before", u->wanted, met);
}
