// SPDX-License-Identifier: GPL-2.0-only
/* The reader of scenarios, with pods that are there and pods that are not; what it takes can be
 * laid out, named and recorded. */
#include <stdlib.h>
#include <string.h>

#include "suite/case.h"
#include "scenario/scenario.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct fg_scenario_member members[2];

static json_t *tree_of(const char *text)
{
	struct fg_error err = {};
	struct fg_yaml yaml;
	json_t *root;

	if (fg_yaml_read(&yaml, "f", text, strlen(text), &err))
		abort();
	root = json_incref(yaml.root);
	fg_yaml_free(&yaml);
	return root;
}

/* With its comments, or written anew: it says the same. */
static void record(const struct fg_scenario *scenario, const struct fg_scenario_layout *layout,
		   const char *const *seen, const uint8_t *statuses)
{
	struct fg_scenario bare = *scenario;
	const char *lost;
	struct fg_error err;
	char *kept = fg_scenario_record(scenario, layout, seen, statuses, &lost, &err), *anew;
	json_t *one, *other;

	bare.yaml.text = bare.yaml.events = (struct fg_buffer){};
	anew = fg_scenario_record(&bare, layout, seen, statuses, &lost, &err);
	if (!kept || !anew)
		abort();
	one = tree_of(kept);
	other = tree_of(anew);
	if (!json_equal(one, other))
		abort();
	json_decref(one);
	json_decref(other);
	free(kept);
	free(anew);
}

static void keep(struct fg_scenario *scenario, const void *text, size_t size)
{
	struct fg_buffer events = {};
	struct fg_error err;

	if (fg_yaml_events(&events, "f", text, size, &err) ||
	    fg_yaml_keep(&scenario->yaml, text, size, events.data, events.len, &err))
		abort();
	fg_buffer_free(&events);
}

static void use(const struct fg_scenario *scenario, const struct fg_scenario_found *found)
{
	struct fg_scenario_layout layout;
	char name[FG_SCENARIO_NAME_LEN];
	struct fg_error err;
	const char **seen;
	uint8_t *statuses;

	if (fg_scenario_lay_out(scenario, found, &layout, &err)) {
		fg_scenario_layout_free(&layout);
		return;
	}
	seen = calloc(layout.total + 1, sizeof(*seen));
	statuses = calloc(layout.total + 1, sizeof(*statuses));
	for (uint64_t i = 0; i < layout.total; i++) {
		seen[i] = i % 3 ? "deny" : NULL;
		statuses[i] = (uint8_t)i;
	}
	for (size_t i = 0; i < layout.count && i < 100; i++)
		if (!*fg_scenario_probe_name(scenario, &layout.blocks[i],
					     layout.blocks[i].total - 1, name, sizeof(name)))
			abort();
	if (layout.count < 1000)
		record(scenario, &layout, seen, statuses);
	free(statuses);
	free(seen);
	fg_scenario_layout_free(&layout);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fg_scenario_setting settings[] = { { .text = "pod=netns:x" } };
	struct fg_scenario_found *found;
	struct fg_scenario scenario;
	struct fg_error err = {};

	for (uint8_t i = 0; i < 2; i++)
		members[i] = (struct fg_scenario_member){ .label = (char *)(i ? "one" : "two"),
							  .netns = i,
							  .v4 = { AF_INET, { 10, 0, 0, i } },
							  .v6 = { AF_INET6, { 0xfd, [15] = i } } };
	if (fg_scenario_read(&scenario, "f", (const char *)data, size, settings, 1, &err)) {
		/* Every error in a file says where. */
		if (err.kind != FG_ERR_USAGE || strncmp(err.message, "f:", 2))
			abort();
		fg_scenario_free(&scenario);
		return 0;
	}
	keep(&scenario, data, size);
	found = calloc(scenario.pod_count + 1, sizeof(*found));
	for (size_t i = 0; i < scenario.pod_count; i++)
		found[i] = (struct fg_scenario_found){ .members = members, .count = i % 3 };
	use(&scenario, found);
	free(found);
	fg_scenario_free(&scenario);
	return 0;
}
