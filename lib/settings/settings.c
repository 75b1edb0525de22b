// SPDX-License-Identifier: GPL-2.0-only
#include "settings/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"

/* A configuration is a page, not a data base. */
#define SIZE_MAX_OF_FILE 65536

static int add(struct fg_settings *s, const struct fg_option_default *one, struct fg_error *err)
{
	struct fg_option_default *added = FG_APPEND(s->list, s->count, "settings", err);

	if (!added)
		return -1;
	*added = *one;
	return 0;
}

/* "FILE:LINE" of a node, for errors. */
static void place(const struct fg_yaml *yaml, const json_t *node, char *buf, size_t size)
{
	const struct fg_yaml_place *at = fg_yaml_place(yaml, node);

	snprintf(buf, size, "%s:%u", yaml->file, at->key_line ? at->key_line : at->line);
}

static int add_value(struct fg_settings *s, const struct fg_yaml *yaml, const char *name,
		     const json_t *value, struct fg_error *err)
{
	struct fg_option_default one = { .name = name };
	char where[300];

	place(yaml, value, where, sizeof(where));
	if (!json_is_string(value))
		return fg_fail(err, FG_ERR_USAGE, "%s: %s: must be one value", where, name);
	one.text = json_string_value(value);
	snprintf(one.where, sizeof(one.where), "%s", where);
	return add(s, &one, err);
}

static int add_verb(struct fg_settings *s, const struct fg_yaml *yaml, const json_t *options,
		    struct fg_error *err)
{
	const char *name;
	json_t *value;

	json_object_foreach ((json_t *)options, name, value)
		if (add_value(s, yaml, name, value, err))
			return -1;
	return 0;
}

static bool is_one_of(const char *word, const char *const *words)
{
	for (; *words; words++)
		if (!strcmp(word, *words))
			return true;
	return false;
}

static int refuse_key(const struct fg_yaml *yaml, const char *key, const json_t *value,
		      struct fg_error *err)
{
	char where[300];

	place(yaml, value, where, sizeof(where));
	fg_fail(err, FG_ERR_USAGE, "%s: unknown key \"%.60s\"", where, key);
	return fg_hint(err, "output, color, or a verb with options of it");
}

/* What is said of the verb comes before what is said of all. */
static int take_file(struct fg_settings *s, const struct fg_yaml *yaml, const char *verb,
		     const char *const *verbs, struct fg_error *err)
{
	static const char *const common[] = { "output", "color", NULL };
	const json_t *mine = json_object_get(yaml->root, verb);
	const char *key;
	json_t *value;

	if (fg_yaml_place(yaml, yaml->root)->null)
		return 0;
	if (!json_is_object(yaml->root))
		return fg_fail(err, FG_ERR_USAGE, "%s: must be a mapping", yaml->file);
	json_object_foreach (yaml->root, key, value)
		if (!is_one_of(key, common) && !(is_one_of(key, verbs) && json_is_object(value)))
			return refuse_key(yaml, key, value, err);
	if (mine && add_verb(s, yaml, mine, err))
		return -1;
	for (const char *const *name = common; *name; name++) {
		size_t before = s->count;

		value = json_object_get(yaml->root, *name);
		if (value && add_value(s, yaml, *name, value, err))
			return -1;
		if (s->count > before)
			s->list[before].common = true;
	}
	return 0;
}

/* Returns the text (owned), NULL with errno if there is none. */
static char *read_all(const char *path, size_t *len)
{
	FG_FILE FILE *file = fopen(path, "re");
	char *text = file ? malloc(SIZE_MAX_OF_FILE + 1) : NULL;

	if (!text)
		return NULL;
	errno = 0;
	*len = fread(text, 1, SIZE_MAX_OF_FILE + 1, file);
	if (*len <= SIZE_MAX_OF_FILE && !ferror(file))
		return text;
	errno = errno ? errno : EFBIG;
	free(text);
	return NULL;
}

static int read_file(struct fg_settings *s, struct fg_yaml *yaml, const char *path, bool needed,
		     const char *verb, const char *const *verbs, struct fg_error *err)
{
	size_t len = 0;
	FG_FREE char *text = read_all(path, &len);

	if (!text && !needed && (errno == ENOENT || errno == ENOTDIR || errno == EACCES))
		return 0;
	if (!text)
		return fg_fail_errno(err, errno == ENOMEM ? FG_ERR_INTERNAL : FG_ERR_USAGE, errno,
				     "%s", path);
	return fg_yaml_read(yaml, path, text, len, err) ? -1 : take_file(s, yaml, verb, verbs, err);
}

static int read_files(struct fg_settings *s, const char *verb, const char *const *verbs,
		      struct fg_error *err)
{
	const char *only = getenv("FLOWGEN_CONFIG"), *xdg = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	char path[4096] = "";

	if (only)
		return *only ? read_file(s, &s->files[0], only, true, verb, verbs, err) : 0;
	/* A relative one is to be ignored (XDG Base Directory Specification). */
	if (xdg && *xdg == '/')
		snprintf(path, sizeof(path), "%s/flowgen/config.yaml", xdg);
	else if (home && *home == '/')
		snprintf(path, sizeof(path), "%s/.config/flowgen/config.yaml", home);
	if (*path && read_file(s, &s->files[0], path, false, verb, verbs, err))
		return -1;
	return read_file(s, &s->files[1], "/etc/flowgen/config.yaml", false, verb, verbs, err);
}

int fg_settings_read(struct fg_settings *settings, const char *verb, const char *const *verbs,
		     struct fg_error *err)
{
	const char *output = getenv("FLOWGEN_OUTPUT");
	const struct fg_option_default one = {
		.where = "FLOWGEN_OUTPUT", .name = "output", .text = output, .common = true
	};

	*settings = (struct fg_settings){};
	if (output && *output && add(settings, &one, err))
		return -1;
	return read_files(settings, verb, verbs, err);
}

void fg_settings_free(struct fg_settings *settings)
{
	free(settings->list);
	for (size_t i = 0; i < 2; i++)
		fg_yaml_free(&settings->files[i]);
	*settings = (struct fg_settings){};
}
