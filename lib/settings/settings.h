/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * settings/settings.h - what a user or a host wants of every command line: FLOWGEN_OUTPUT, and the
 * configuration files.
 */
#ifndef FG_SETTINGS_H
#define FG_SETTINGS_H

#include "option/option.h"
#include "yaml/yaml.h"

struct fg_settings {
	struct fg_option_default *list; /* the first of a name counts; owned */
	size_t count;
	struct fg_yaml files[2]; /* what the list borrows from; owned */
};

/*
 * Reads them for a verb: FLOWGEN_OUTPUT, then $XDG_CONFIG_HOME/flowgen/config.yaml (or the one in
 * ~/.config), then /etc/flowgen/config.yaml. FLOWGEN_CONFIG names another file in place of these,
 * or is empty: none. verbs: the names of all, which ends with NULL; a file's top level has output,
 * color, and for a verb a mapping of its options. FG_ERR_USAGE. Free it either way.
 */
int fg_settings_read(struct fg_settings *settings, const char *verb, const char *const *verbs,
		     struct fg_error *err);
void fg_settings_free(struct fg_settings *settings);

#endif
