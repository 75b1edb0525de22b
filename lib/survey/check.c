// SPDX-License-Identifier: GPL-2.0-only
/* survey/check.c - what this kernel and these privileges allow, and what else decides here. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "base/fd.h"
#include "base/json.h"
#include "listing/mechanisms.h"
#include "net/netns.h"
#include "node/mechanisms.h"
#include "probe/names.h"
#include "run/run.h"
#include "survey/survey.h"

/* --- JSON: doc/check.schema.json --- */

static json_t *features_json(const struct fg_capabilities *all, int first, int end)
{
	json_t *object = json_object();

	for (int i = first; i < end; i++) {
		const struct fg_capability *c = &all->list[i];

		json_object_set_new(object, c->name,
				    json_pack("{s:b, s:o, s:s}", "works", (int)c->works, "why",
					      fg_json_text(c->why), "needed_to", c->need));
	}
	return object;
}

static json_t *methods_json(const struct fg_capabilities *all)
{
	json_t *object = json_object();

	for (int i = 0; i < FG_METHODS; i++) {
		const struct fg_method_support *m = &all->methods[i];

		json_object_set_new(object, fg_method_name(m->method),
				    json_pack("{s:b, s:o}", "works", (int)m->works, "missing",
					      fg_json_text(m->missing)));
	}
	return object;
}

/* node: NULL if it could not be asked. */
static void put_json(const struct fg_capabilities *all, const struct utsname *host,
		     const struct fg_mechanisms *node, struct fg_buffer *out)
{
	char mode[40];
	const char *lockdown = fg_capability_lockdown(mode, sizeof(mode));
	json_t *root = json_pack("{s:s, s:o, s:s, s:{s:s, s:s, s:s?}, s:b, s:o, s:o, s:o, s:o}",
				 "schema", "flowgen.check/1", "run",
				 fg_origin_json(fg_run_origin()), "version", FLOWGEN_VERSION,
				 "kernel", "release", host->release, "machine", host->machine,
				 "lockdown", lockdown, "works", (int)fg_capability_any_method(all),
				 "methods", methods_json(all), "privileges",
				 features_json(all, 0, FG_FEATURE_PRIVILEGES), "features",
				 features_json(all, FG_FEATURE_PRIVILEGES, FG_FEATURES), "node",
				 node ? fg_mechanisms_json(node) : json_null());
	FG_FREE char *line = root ? fg_json_dump(root) : NULL;

	json_decref(root);
	if (!line)
		out->failed = true;
	else
		fg_buffer_printf(out, "%s\n", line);
}

/* --- text --- */

static void put_features(struct fg_buffer *out, const struct fg_capabilities *all, int first,
			 int end)
{
	for (int i = first; i < end; i++) {
		const struct fg_capability *c = &all->list[i];

		fg_buffer_printf(out, "  %-19s %-3s  to %s\n", c->name, c->works ? "yes" : "no",
				 c->need);
		if (!c->works)
			fg_buffer_printf(out, "  %-19s      %s\n", "", c->why);
	}
}

static void put_text(const struct fg_capabilities *all, const struct utsname *host,
		     struct fg_buffer *out)
{
	const char *lockdown;
	char mode[40];

	fg_buffer_printf(out, "flowgen %s on Linux %s (%s)\n", FLOWGEN_VERSION, host->release,
			 host->machine);
	lockdown = fg_capability_lockdown(mode, sizeof(mode));
	if (lockdown)
		fg_buffer_printf(out, "The kernel is locked down: %s\n", lockdown);
	fg_buffer_puts(out, "\nMethods\n");
	for (int i = 0; i < FG_METHODS; i++) {
		const struct fg_method_support *m = &all->methods[i];

		if (m->works)
			fg_buffer_printf(out, "  %-19s yes\n", fg_method_name(m->method));
		else
			fg_buffer_printf(out, "  %-19s no   missing: %s\n",
					 fg_method_name(m->method), m->missing);
	}
	fg_buffer_puts(out, "\nPrivileges\n");
	put_features(out, all, 0, FG_FEATURE_PRIVILEGES);
	fg_buffer_puts(out, "\nKernel\n");
	put_features(out, all, FG_FEATURE_PRIVILEGES, FG_FEATURES);
}

/* The namespace that flowgen runs in, which on a node is the host's. */
static int read_node(struct fg_mechanisms *out, struct fg_error *err)
{
	FG_FD int netns = fg_netns_open("/proc/self/ns/net", err);

	return netns < 0 ? -1 : fg_mechanisms_read(netns, out, err);
}

int fg_survey_check(const struct fg_capabilities *all, bool json, struct fg_buffer *out,
		    struct fg_error *err)
{
	struct fg_mechanisms mechanisms = {};
	struct fg_error why = {};
	const struct fg_mechanisms *node = read_node(&mechanisms, &why) ? NULL : &mechanisms;
	struct utsname host = {};

	uname(&host);
	if (json) {
		put_json(all, &host, node, out);
	} else {
		put_text(all, &host, out);
		fg_buffer_puts(out, "\nThis node, besides BPF programs\n");
		if (node)
			fg_mechanisms_text(node, out);
		else
			fg_buffer_printf(out, "  not known: %s\n", why.message);
	}
	fg_mechanisms_free(&mechanisms);
	return out->failed ? fg_fail(err, FG_ERR_INTERNAL, "check: out of memory") : 0;
}
