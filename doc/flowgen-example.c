// SPDX-License-Identifier: GPL-2.0-only
/*
 * flowgen-example.c - sends the probes of a scenario, and prints one line for each.
 *
 *   cc -o flowgen-example flowgen-example.c $(pkg-config --cflags --libs flowgen)
 *   ./flowgen-example default-deny.yaml [/usr/sbin/flowgen]
 *
 * A program that looks into the results has a reader of JSON. This one has none: it prints them.
 */
#include <flowgen.h>
#include <stdio.h>
#include <stdlib.h>

/* More than this is too long for a request. */
#define SCENARIO_BYTES ((size_t)4 << 20)

/* Owned by the caller; NULL if it cannot be read as a whole. */
static char *read_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	char *text = file ? calloc(1, SCENARIO_BYTES) : NULL;

	/* The last byte stays the NUL. */
	if (text) {
		size_t len = fread(text, 1, SCENARIO_BYTES - 1, file);

		if (!len || ferror(file) || getc(file) != EOF) {
			free(text);
			text = NULL;
		}
	}
	if (file)
		fclose(file);
	return text;
}

static int send_probes(struct flowgen *session, const char *scenario)
{
	struct flowgen_answer *answer;
	int status = flowgen_inject(session, scenario, &answer);

	for (size_t i = 0; i < flowgen_answer_count(answer); i++)
		puts(flowgen_answer_object(answer, i));
	for (size_t i = 0; i < flowgen_answer_message_count(answer); i++)
		fprintf(stderr, "%s\n", flowgen_answer_message(answer, i));
	if (status > FLOWGEN_UNEXPECTED)
		fprintf(stderr, "failed (%d): %s\n", status, flowgen_error(session));
	flowgen_answer_free(answer);
	return status;
}

int main(int argc, char **argv)
{
	char error[FLOWGEN_ERROR_SIZE];
	struct flowgen *session;
	char *scenario;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: flowgen-example SCENARIO [FLOWGEN]\n");
		return FLOWGEN_USAGE;
	}
	scenario = read_file(argv[1]);
	if (!scenario) {
		fprintf(stderr, "%s: it is empty, too long, or cannot be read\n", argv[1]);
		return FLOWGEN_USAGE;
	}
	session = flowgen_open(argc > 2 ? argv[2] : NULL, NULL, error);
	if (!session) {
		fprintf(stderr, "%s\n", error);
		free(scenario);
		return FLOWGEN_INTERNAL;
	}
	status = send_probes(session, scenario);
	flowgen_close(session);
	free(scenario);
	return status;
}
