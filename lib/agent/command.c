// SPDX-License-Identifier: GPL-2.0-only
#include "agent/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/nearest.h"

const struct fg_agent_verb *fg_agent_command_verb(const struct fg_agent_options *options,
						  const struct fg_agent_request *request,
						  struct fg_error *err)
{
	char all[128] = "";
	size_t len = 0;

	for (size_t i = 0; i < options->verb_count; i++) {
		const char *name = options->verbs[i].name;

		if (!strcmp(name, request->words[0]))
			return &options->verbs[i];
		if (len < sizeof(all))
			len += (size_t)snprintf(all + len, sizeof(all) - len, "%s%s", i ? ", " : "",
						name);
	}
	fg_fail(err, FG_ERR_USAGE, "args: no verb '%.60s' for an agent", request->words[0]);
	fg_hint(err, "it has %s", all);
	return NULL;
}

/* Whether a word is this option, or short for it: --out=json. */
static bool is_option(const char *word, const char *option)
{
	size_t len = strcspn(word, "=");

	return len > strlen("--") && len <= strlen(option) && !strncmp(word, option, len);
}

static bool has_option(const struct fg_agent_request *r, const char *option)
{
	for (size_t i = 1; i < r->word_count && strcmp(r->words[i], "--") != 0; i++)
		if (is_option(r->words[i], option))
			return true;
	return false;
}

/* -o, also behind letters without a value: -qojson. */
static bool has_letter(const struct fg_agent_request *r, char letter)
{
	for (size_t i = 1; i < r->word_count && strcmp(r->words[i], "--") != 0; i++) {
		const char *word = r->words[i];

		if (word[0] == '-' && word[1 + strspn(word + 1, "qv")] == letter)
			return true;
	}
	return false;
}

/* A word that ends with @NAME, behind nothing or what parts options from their values. */
static char *with_path(const struct fg_agent_request *r, const char *word)
{
	const char *at = strrchr(word, '@');
	char *out;

	for (size_t i = 0; at && i < r->file_count; i++) {
		if (strcmp(at + 1, r->files[i].name) != 0 ||
		    (at > word && at[-1] != '=' && at[-1] != '@'))
			continue;
		return asprintf(&out, "%.*s%s", (int)(at - word), word, r->files[i].path) < 0 ? NULL
											      : out;
	}
	return strdup(word);
}

char **fg_agent_command(const struct fg_agent_options *options, const struct fg_agent_verb *verb,
			const struct fg_agent_request *request)
{
	char **argv = calloc(request->word_count + 6, sizeof(*argv));
	const char *added[6] = { "flowgen", verb->name };
	size_t count = 2, n = 0;
	bool behind = false;

	if (!argv)
		return NULL;
	if (verb->host_root && options->host_root && options->host_root[0] &&
	    !has_option(request, "--host-root")) {
		added[count++] = "--host-root";
		added[count++] = options->host_root;
	}
	/* --record prints a scenario. */
	if (verb->output && !has_option(request, "--output") && !has_letter(request, 'o') &&
	    !has_option(request, "--record"))
		added[count++] = "--output=json";
	for (size_t i = 0; i < count + request->word_count - 1; i++) {
		const char *word = i < count ? added[i] : request->words[i - count + 1];

		behind |= i >= count && !strcmp(word, "--");
		argv[n] = i < count || behind ? strdup(word) : with_path(request, word);
		if (!argv[n++]) {
			fg_agent_command_free(argv);
			return NULL;
		}
	}
	return argv;
}

void fg_agent_command_free(char **argv)
{
	for (size_t i = 0; argv && argv[i]; i++)
		free(argv[i]);
	free(argv);
}
