// SPDX-License-Identifier: GPL-2.0-only
/* pods.c - `flowgen pods`: the pods of this host, and the programs on the way from and to them. */
#include <stdio.h>

#include "base/count.h"
#include "cmd.h"
#include "host/capability.h"
#include "host/confine.h"
#include "host/host.h"
#include "listing/pods.h"
#include "output.h"
#include "survey/survey.h"

struct options {
	enum fg_form form;
	const char *host_root;
};
#define FG_OPTIONS struct options

static const struct fg_option table[] = {
	FG_OPTION_HOST_ROOT(host_root),
	FG_OPTION_OUTPUT(form, "One JSON object per line for each pod, or aligned columns"),
};

struct listing {
	enum fg_form form;
	struct fg_pods_table rows;
	struct fg_buffer out;
};

static void warn(const char *text)
{
	fg_cmd_tell("warning", text);
}

static int put(void *arg, const struct fg_pods_entry *e, struct fg_error *err)
{
	struct listing *l = arg;

	if (!fg_form_is_json(l->form))
		return fg_pods_table_add(&l->rows, e, err);
	l->out.len = 0;
	return fg_pods_json(e, &l->out, err) ? -1 : fg_output_write(l->out.data, l->out.len, err);
}

static int end_listing(struct listing *l, struct fg_error *err)
{
	l->out.len = 0;
	if (!fg_form_is_json(l->form) && (fg_pods_table_put(&l->rows, &l->out, err) ||
					  fg_output_write(l->out.data, l->out.len, err)))
		return -1;
	return fg_output_flush(err);
}

static int list_pods(struct fg_host *host, enum fg_form form, struct fg_error *err)
{
	struct listing l = { .form = form };
	const struct fg_survey survey = { .put = put, .warn = warn, .arg = &l };
	struct fg_error denied;
	int ret = fg_survey_pods(&survey, host, &denied, err);

	if (!ret)
		ret = end_listing(&l, err);
	if (!ret && denied.kind) {
		*err = denied;
		ret = fg_error_prefix(err, "no pod could be looked at");
	}
	fg_pods_table_free(&l.rows);
	fg_buffer_free(&l.out);
	return ret;
}

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct options options = { .form = fg_cmd_form(), .host_root = "" };
	struct fg_host host = { .netns = -1 };
	struct fg_error err;
	int status = fg_cmd_read(verb, argc, argv, &options);

	if (status)
		return status;
	if (fg_capability_preflight(&err) || fg_host_open(&host, options.host_root, &err) ||
	    fg_confine(FG_CONFINE_SESSION, false, &err) || list_pods(&host, options.form, &err))
		status = fg_cmd_fail(&err);
	fg_host_close(&host);
	return status;
}

const struct fg_verb fg_verb_pods = {
	.name = "pods",
	.summary = "list the pods of this host and the programs on their egress paths",
	.about = "List the pods of this host: the container runtimes' names for them, their "
		 "addresses "
		 "and devices, the programs on their egress paths and on the way to them in the "
		 "order "
		 "they run, tc filters, and the method that inject would use. Pods that cannot be "
		 "used as a source are listed with "
		 "the reason.",
	.end = "Exit status: 0, even if there is no pod; 3 if privileges are missing to look at "
	       "any pod.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
