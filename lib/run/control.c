// SPDX-License-Identifier: GPL-2.0-only
/*
 * run/control.c - what --control takes: a port, an address, both, or a whole probe as a list
 * of fields. It is read once all options are there, since what it leaves out is as in the probes
 * beside it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/nearest.h"
#include "probe/control.h"
#include "run/internal.h"
#include "run/payload.h"

/* --- what --control takes --- */

#define ITEMS_MAX 64

/* One field of the list; value NULL: it has none. */
struct item {
	char *name, *value;
};

struct list {
	size_t count;
	struct item items[ITEMS_MAX];
};

static const char digits[] = "0123456789";

/*
 * A word of --proto may be in the list without its key. A number may not: it could be meant as a
 * port.
 */
static bool is_protocol(const struct item *item)
{
	struct fg_packet_spec spec;

	if (item->value)
		return !strcmp(item->name, "proto");
	fg_packet_spec_init(&spec);
	return item->name[0] && !strchr(digits, item->name[0]) &&
	       !fg_packet_set(&spec, "proto", item->name, NULL);
}

/*
 * Ends the text at its first comma that has no backslash before it, and takes the backslashes out.
 * Returns the rest, or NULL.
 */
static char *cut_item(char *text)
{
	char *to = text;

	for (; *text && *text != ','; text++) {
		if (text[0] == '\\' && text[1] == ',')
			text++;
		*to++ = *text;
	}
	text = *text ? text + 1 : NULL;
	*to = '\0';
	return text;
}

static int split(char *text, struct list *list, struct fg_error *err)
{
	for (char *rest; text; text = rest) {
		struct item *item = &list->items[list->count];

		if (list->count == ITEMS_MAX)
			return fg_fail(err, FG_ERR_USAGE, "--control: more than %d fields",
				       ITEMS_MAX);
		rest = cut_item(text);
		if (!*text)
			return fg_fail(err, FG_ERR_USAGE, "--control: an empty field");
		item->name = text;
		item->value = strchr(text, '=');
		if (item->value)
			*item->value++ = '\0';
		list->count++;
	}
	return 0;
}

static int set_port(struct fg_ports *ports, const char *what, const char *text,
		    struct fg_error *err)
{
	uint64_t port;

	if (fg_parse_u64(what, text, 1, UINT16_MAX, &port, err))
		return -1;
	fg_ports_free(ports);
	return fg_parse_ports(what, text, ports, err);
}

/* As --dst takes it. */
static int set_destination(struct fg_run_control *c, const char *what, const char *text,
			   struct fg_error *err)
{
	char word[8];
	int port;

	if (fg_parse_endpoint(what, text, &c->dst, &port, err))
		return -1;
	snprintf(word, sizeof(word), "%d", port);
	return port < 0 ? 0 : set_port(&c->dports, what, word, err);
}

static int unknown_field(const char *name, struct fg_error *err)
{
	const char *words[3 + 128] = { "dst", "dport", "sport" };
	const char *near;
	size_t count = 3;

	for (size_t i = 0; i < fg_packet_key_count; i++)
		words[count++] = fg_packet_keys[i].name;
	near = fg_nearest(name, words, count);
	fg_fail(err, FG_ERR_USAGE,
		"--control: \"%.60s\" is not a field: dst, dport, sport, a protocol, or a packet "
		"option",
		name);
	return near ? fg_hint(err, "did you mean %s?", near) : -1;
}

static int set_packet_field(struct fg_run_control *c, const struct item *item, struct fg_error *err)
{
	const struct fg_packet_key *key = fg_packet_key_find(item->name);

	if (!key)
		return unknown_field(item->name, err);
	if (!item->value && key->argument)
		return fg_fail(err, FG_ERR_USAGE, "--control: %s: no value given", item->name);
	if (fg_run_payload_set(&c->packet, key, item->value, err))
		return fg_error_prefix(err, "--control");
	return 0;
}

static int set_field(struct fg_run_control *c, const struct item *item, struct fg_error *err)
{
	static const char *const own[] = { "dst", "dport", "sport" };
	size_t i = 0;

	while (i < 3 && strcmp(item->name, own[i]) != 0)
		i++;
	if (i == 3)
		return set_packet_field(c, item, err);
	if (!item->value)
		return fg_fail(err, FG_ERR_USAGE, "--control: %s: no value given", own[i]);
	if (!i)
		return set_destination(c, "--control: dst", item->value, err);
	return i == 1 ? set_port(&c->dports, "--control: dport", item->value, err)
		      : set_port(&c->sports, "--control: sport", item->value, err);
}

/*
 * With a protocol of its own it begins as the usual packet of that: the probes' options may not
 * fit, and are not meant.
 */
static int set_protocol(struct fg_run_control *c, const struct list *list, struct fg_error *err)
{
	const struct item *last = NULL;

	for (size_t i = 0; i < list->count; i++)
		if (is_protocol(&list->items[i]))
			last = &list->items[i];
	if (!last)
		return 0;
	fg_packet_spec_free(&c->packet);
	if (fg_packet_set(&c->packet, "proto", last->value ? last->value : last->name, err))
		return fg_error_prefix(err, "--control");
	return 0;
}

static int read_list(struct fg_run_control *c, struct fg_error *err)
{
	FG_FREE char *text = strdup(c->text);
	struct list list = {};

	if (!text)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "--control");
	if (split(text, &list, err) || set_protocol(c, &list, err))
		return -1;
	for (size_t i = 0; i < list.count; i++)
		if (!is_protocol(&list.items[i]) && set_field(c, &list.items[i], err))
			return -1;
	return 0;
}

/*
 * A bare number is a port; a list has an equals sign or a comma, or is one word without a value
 * in it.
 */
static int read_text(struct fg_run_control *c, struct fg_error *err)
{
	struct item alone = { .name = (char *)c->text };

	if (c->text[0] && strspn(c->text, digits) == strlen(c->text))
		return set_port(&c->dports, "--control", c->text, err);
	if (strpbrk(c->text, "=,") || is_protocol(&alone))
		return read_list(c, err);
	return set_destination(c, "--control", c->text, err);
}

/* If the probes go to one port, the control to another address goes to the same. */
static int settle_port(struct fg_run_control *c, const struct fg_ports *beside,
		       struct fg_error *err)
{
	char word[8];

	if (!fg_packet_has_ports(&c->packet)) {
		if (!c->dports.total && !c->sports.total)
			return 0;
		return fg_fail(err, FG_ERR_USAGE, "--control: the packet has no ports");
	}
	if (c->dports.total)
		return 0;
	if (!beside || beside->total != 1)
		return fg_fail(err, FG_ERR_USAGE, "--control: no port given");
	snprintf(word, sizeof(word), "%u", fg_ports_get(beside, 0));
	return set_port(&c->dports, "--control", word, err);
}

static int settle_packet(const struct fg_run_control *c, uint16_t family,
			 const struct fg_run_ui *ui, struct fg_error *err)
{
	struct fg_packet_warnings warnings = {};

	if (fg_packet_check(&c->packet, family, &warnings, err))
		return fg_error_prefix(err, "--control");
	/* What is odd about the probes too has been said of them. */
	for (size_t i = 0; strpbrk(c->text, "=,") && i < warnings.count; i++)
		fg_run_ui_warn(ui, "--control: %s", warnings.text[i]);
	return 0;
}

int fg_run_control_read(struct fg_run_control *control, const struct fg_run_probes *beside,
			const struct fg_run_ui *ui, struct fg_error *err)
{
	if (!control->text)
		return 0;
	if (fg_packet_spec_copy(&control->packet, beside->packet, err) || read_text(control, err))
		return -1;
	if (control->dst.family && control->dst.family != beside->dst.family)
		return fg_fail(err, FG_ERR_USAGE, "--control and --dst are of different families");
	/* That one address can be reached proves nothing about the others. */
	if (!control->dst.family && beside->dst_count > 1)
		return fg_fail(err, FG_ERR_USAGE,
			       "--control: the probes go to %u addresses, and the control names "
			       "none of its own",
			       beside->dst_count);
	if (settle_port(control, beside->dports, err))
		return -1;
	return settle_packet(control, beside->dst.family, ui, err);
}

void fg_run_control_free(struct fg_run_control *control)
{
	fg_packet_spec_free(&control->packet);
	fg_ports_free(&control->dports);
	fg_ports_free(&control->sports);
}
