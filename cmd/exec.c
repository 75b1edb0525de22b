// SPDX-License-Identifier: GPL-2.0-only
/* exec.c - `flowgen exec`: a command of the host, whose packets are the pod's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/grow.h"
#include "cmd.h"
#include "exec/child.h"
#include "exec/tell.h"
#include "host/pod.h"
#include "net/outfile.h"
#include "probe/names.h"

struct options {
	struct fg_exec_options exec;
	enum fg_method method;
	bool cgroup;
	const char *uplink; /* "": of the default route; NULL: it is a pod */
	char uplink_ref[32];
	const char *report; /* a file; "-": text for people; NULL: only what went wrong */
	struct fg_flows_expect expect; /* owned */
	struct words {
		char **list; /* owned; ends with NULL */
		size_t count;
		bool named; /* the first of them stands before "--": it is the pod */
	} command;
};
#define FG_OPTIONS struct options

static const char *const cgroups[] = { "own", "pod", NULL };

static int read_method(const char *what, const char *text, void *to, struct fg_error *err)
{
	enum fg_method *method = to;

	if (fg_method_parse(what, text, method, err))
		return -1;
	if (*method != FG_METHOD_POD_SOCKET)
		return 0;
	fg_fail(err, FG_ERR_USAGE,
		"%s: pod-socket writes single packets, and carries no connection", what);
	return fg_hint(err, "auto, peer-egress, host-ingress or bounce");
}

static int read_expect(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct fg_flows_expect *expect = to;

	fg_flows_expect_free(expect);
	return fg_flows_expect_parse(what, text, expect, err);
}

static int add_word(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct words *words = &((struct options *)to)->command;
	char **added = FG_GROW(words->list, words->count, 2, "the command", err);

	if (!added)
		return -1;
	words->named |= !words->count && strcmp(what, "--") != 0;
	added[0] = (char *)text;
	added[1] = NULL;
	words->count++;
	return 0;
}

static const struct fg_option table[] = {
	FG_HEADING("Where:"),
	FG_TEXT("pod", "REF", exec.ref, "The pod that the command is, for the network", FG_COMMON),
	FG_OPTION_INTERFACE(exec.interface),
	FG_TEXT("from-uplink", "DEV", uplink,
		"Instead of a pod: as if from the network, at this device of the node (that of its "
		"default route); needs --src",
		.optional = true),
	FG_ADDRESS("src", exec.src, "With --from-uplink: the address that the command has"),
	FG_OPTION_HOST_ROOT(exec.host_root),
	FG_OWN("method", "METHOD", method, read_method,
	       "auto, peer-egress, host-ingress or bounce (auto)"),

	FG_HEADING("What the command sees:"),
	FG_OWN("dns", "pod|host|ADDR", exec.dress, fg_dress_read_dns,
	       "Look up names as the pod does, as the host does, or at this server (pod)",
	       FG_COMMON),
	FG_FLAG("env-from-pod", exec.dress.environment,
		"Give the command the environment of the pod's container", FG_COMMON),
	FG_WORD("cgroup", "own|pod", cgroup, cgroups,
		"Run it in flowgen's cgroup or in the pod's (own)"),

	FG_HEADING("How it ends:"),
	FG_DURATION("timeout", exec.timeout_ns, 1,
		    "End the command after this time (status 124); 5 seconds later kill it",
		    FG_COMMON),
	FG_TEXT("report", "FILE|-", report,
		"Report each flow: as JSON to this file, or as text to standard error", FG_COMMON),
	FG_OWN("expect", "EXPECT", expect, read_expect,
	       "Exit with 0 if allow or deny holds for all flows, 1 if not, 4 if unknown; or for "
	       "some: deny:443/tcp",
	       FG_COMMON),
	FG_OPERANDS("[POD] -- COMMAND...", add_word),
};

static void note(void *arg, const char *text)
{
	(void)arg;
	fg_cmd_tell("note", text);
}

static int settle_uplink(struct options *o, struct fg_error *err)
{
	if (!o->uplink && o->exec.src.family)
		return fg_fail(err, FG_ERR_USAGE, "--src: only with --from-uplink");
	if (!o->uplink)
		return 0;
	if (o->exec.ref)
		return fg_fail(err, FG_ERR_USAGE, "--from-uplink: not with --pod");
	snprintf(o->uplink_ref, sizeof(o->uplink_ref), FG_UPLINK_FORM "%.20s", o->uplink);
	o->exec.ref = o->uplink_ref;
	return 0;
}

static int settle(struct options *o, struct fg_error *err)
{
	if (!o->exec.ref && o->command.named) {
		o->exec.ref = o->command.list[0];
		memmove(o->command.list, o->command.list + 1,
			o->command.count-- * sizeof(*o->command.list));
	}
	if (settle_uplink(o, err))
		return -1;
	if (!o->exec.ref) {
		fg_fail(err, FG_ERR_USAGE, "no pod given");
		return fg_hint(err,
			       "flowgen exec POD -- COMMAND...; 'flowgen pods' lists the pods");
	}
	if (!o->command.count) {
		fg_fail(err, FG_ERR_USAGE, "no command given");
		return fg_hint(err, "flowgen exec POD -- COMMAND...");
	}
	o->exec.method = o->method;
	o->exec.dress.cgroup = o->cgroup;
	o->exec.argv = o->command.list;
	o->exec.note = note;
	return 0;
}

/* --- the report --- */

static int write_all(FILE *file, const char *name, const struct fg_buffer *buffer,
		     struct fg_error *err)
{
	size_t written = buffer->len ? fwrite(buffer->data, 1, buffer->len, file) : 0;

	if (written == buffer->len && !fflush(file))
		return 0;
	return fg_fail_errno(err, FG_ERR_INTERNAL, errno, "%s", name);
}

/* Returns the exit status; a report that fails is told, and hides a success only. */
static int report(const struct options *o, const struct fg_exec_done *done,
		  struct fg_outfile *records)
{
	const struct fg_tell what = { .all = o->report != NULL,
				      .expect = o->expect.count ? &o->expect : NULL };
	static const int statuses[] = { [FG_FLOWS_MET] = FG_EXIT_OK,
					[FG_FLOWS_UNMET] = FG_EXIT_UNEXPECTED,
					[FG_FLOWS_UNKNOWN] = 4 };
	int status = what.expect ? statuses[FG_FLOWS_UNKNOWN] : done->status;
	struct fg_told told = {};
	struct fg_error err;

	if (fg_tell(&o->exec, done, &what, &told, &err) ||
	    (records && (write_all(records->stream, o->report, &told.records, &err) ||
			 fg_outfile_commit(records, &err))) ||
	    (!records && write_all(stderr, "standard error", &told.text, &err)) ||
	    write_all(stderr, "standard error", &told.notes, &err)) {
		fg_cmd_fail(&err);
		status = status ? status : FG_CHILD_FAILED;
	} else if (what.expect) {
		status = statuses[told.met];
		if (told.why[0])
			fprintf(stderr, "flowgen: --expect: %s\n", told.why);
	}
	fg_tell_free(&told);
	return status;
}

static int exec_all(struct options *o)
{
	struct fg_exec_done done = { .status = FG_CHILD_FAILED };
	struct fg_outfile records = { .dir = -1, .fd = -1 };
	bool recording = o->report && strcmp(o->report, "-") != 0;
	struct fg_error err;
	int status;

	if (settle(o, &err)) {
		fg_cmd_fail(&err);
		return FG_CHILD_FAILED;
	}
	/* One that cannot be written is known before the command runs. */
	if (recording && fg_outfile_open(&records, o->report, false, &err)) {
		fg_cmd_fail(&err);
		return FG_CHILD_FAILED;
	}
	o->exec.last = true;
	o->exec.files = recording;
	if (fg_exec_run(&o->exec, &done, &err)) {
		fg_cmd_fail(&err);
		status = done.status;
	} else {
		status = report(o, &done, recording ? &records : NULL);
		fg_exec_free(&done);
	}
	if (recording)
		fg_outfile_close(&records);
	return status;
}

static int run(const struct fg_verb *verb, int argc, char **argv)
{
	struct options options = { .exec.host_root = "" };
	int status = fg_cmd_read(verb, argc, argv, &options);

	status = status ? FG_CHILD_FAILED : exec_all(&options);
	fg_flows_expect_free(&options.expect);
	free(options.command.list);
	return status;
}

const struct fg_verb fg_verb_exec = {
	.name = "exec",
	.summary = "run a command of this host as if it ran in a pod",
	.about = "Run a program of the host, with the host's files, whose packets are the pod's: "
		 "they leave through the pod's egress path, policy and all, and the answers come "
		 "back to the command. The pod itself does not notice.",
	.end = "Exit status: the command's; 124 it took longer than --timeout, 125 flowgen itself "
	       "failed, 126 the command cannot be run, 127 it was not found, 128+N signal N ended "
	       "it.",
	.options = table,
	.option_count = COUNT(table),
	.run = run,
};
