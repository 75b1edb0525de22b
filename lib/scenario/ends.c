// SPDX-License-Identifier: GPL-2.0-only
/* scenario/ends.c - the variables, and who sends and where to: `variables`, `pods` and
 * `destinations`. */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "probe/names.h"
#include "scenario/internal.h"

/* --- variables --- */

static const char *setting_value(struct fg_scenario_setting *settings, size_t count,
				 const char *name)
{
	const char *value = NULL;
	size_t len = strlen(name);

	for (size_t i = 0; i < count; i++) {
		if (strncmp(settings[i].text, name, len) != 0 || settings[i].text[len] != '=')
			continue;
		settings[i].used = true;
		value = settings[i].text + len + 1;
	}
	return value;
}

static bool is_variable_name(const char *name)
{
	static const char letters[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return *name && strlen(name) < 64 && strspn(name, letters) == strlen(name);
}

static int read_variable(struct fg_scenario_reader *r, const char *name, const json_t *node,
			 const char *given)
{
	FG_FREE char *text = NULL;

	if (!is_variable_name(name))
		return fg_scenario_fail_key(
			r, node, "a variable name may only have letters, digits, - and _");
	if (!given && fg_scenario_null(r, node)) {
		fg_scenario_fail_key(r, node, "the variable has no value");
		return fg_hint(r->err, "give it one: --set %s=VALUE", name);
	}
	if (!given && !(text = fg_scenario_text(r, node)))
		return -1;
	if (json_object_set_new(r->scenario->variables, name, json_string(given ? given : text)))
		return fg_scenario_fail(r, node, "the value is not UTF-8");
	return 0;
}

int fg_scenario_read_variables(struct fg_scenario_reader *r, const json_t *root,
			       struct fg_scenario_setting *settings, size_t count)
{
	const json_t *node = json_object_get(root, "variables");
	size_t mark = fg_scenario_enter(r, "variables", 0), inner;
	const char *name;
	json_t *value;

	if (!node) {
		fg_scenario_leave(r, mark);
		return 0;
	}
	if (!json_is_object(node))
		return fg_scenario_fail(r, node,
					"expected the variables: a mapping of names to values");
	json_object_foreach ((json_t *)node, name, value) {
		inner = fg_scenario_enter(r, name, 0);
		if (read_variable(r, name, value, setting_value(settings, count, name)))
			return -1;
		fg_scenario_leave(r, inner);
	}
	fg_scenario_leave(r, mark);
	return 0;
}

/* --- pods --- */

static struct fg_scenario_pods *pods_add(struct fg_scenario_reader *r, const char *name,
					 const json_t *node)
{
	struct fg_scenario_pods *p =
		FG_SCENARIO_APPEND(r, r->scenario->pods, r->scenario->pod_count);

	if (!p)
		return NULL;
	p->node = node;
	p->name = strdup(name);
	if (p->name)
		return p;
	fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "%s", r->scenario->yaml.file);
	return NULL;
}

static int read_selector(struct fg_scenario_reader *r, const json_t *node,
			 struct fg_scenario_pods *p)
{
	static const char *const keys[] = { "ref", "namespace", "name", "interface", "method" };
	const json_t *method = json_object_get(node, "method");
	FG_FREE char *word = NULL;
	size_t mark;

	if (fg_scenario_map(r, node, "a pod", keys, COUNT(keys), false) ||
	    fg_scenario_text_at(r, node, "ref", &p->ref) ||
	    fg_scenario_text_at(r, node, "namespace", &p->namespace) ||
	    fg_scenario_text_at(r, node, "name", &p->glob) ||
	    fg_scenario_text_at(r, node, "interface", &p->interface))
		return -1;
	if (p->ref && (p->namespace || p->glob))
		return fg_scenario_fail(
			r, node,
			"expected either ref or a selector of namespace and name, not both");
	if (!p->ref && !p->namespace && !p->glob)
		return fg_scenario_fail(r, node,
					"expected ref, or a selector of namespace and name");
	if (!method)
		return 0;
	mark = fg_scenario_enter(r, "method", 0);
	word = fg_scenario_text(r, method);
	if (!word)
		return -1;
	if (fg_method_parse("method", word, &p->method, r->err))
		return fg_scenario_fail_parsed(r, method);
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_pod(struct fg_scenario_reader *r, const char *name, const json_t *node)
{
	struct fg_scenario_pods *p = pods_add(r, name, node);

	if (!p)
		return -1;
	if (!*name)
		return fg_scenario_fail_key(r, node, "a pod without a name");
	if (json_is_object(node))
		return read_selector(r, node, p);
	p->ref = fg_scenario_text(r, node);
	if (!p->ref)
		return -1;
	return *p->ref ? 0 : fg_scenario_fail(r, node, "no value");
}

int fg_scenario_read_pods(struct fg_scenario_reader *r, const json_t *node)
{
	size_t mark = fg_scenario_enter(r, "pods", 0), inner;
	const char *name;
	json_t *value;

	if (node && !json_is_object(node))
		return fg_scenario_fail(r, node,
					"expected the pods: a mapping of names to references");
	json_object_foreach ((json_t *)node, name, value) {
		inner = fg_scenario_enter(r, name, 0);
		if (read_pod(r, name, value))
			return -1;
		fg_scenario_leave(r, inner);
	}
	fg_scenario_leave(r, mark);
	return 0;
}

bool fg_scenario_selects(const struct fg_scenario_pods *pods, const char *name)
{
	const char *slash = strchr(name, '/'), *own = slash ? slash + 1 : name;
	char namespace[256];

	snprintf(namespace, sizeof(namespace), "%.*s", slash ? (int)(slash - name) : 0, name);
	if (pods->namespace && (!slash || fnmatch(pods->namespace, namespace, 0)))
		return false;
	return !pods->glob || !fnmatch(pods->glob, own, 0);
}

static int pods_index(const struct fg_scenario *s, const char *name)
{
	for (size_t i = 0; i < s->pod_count; i++)
		if (!strcmp(s->pods[i].name, name))
			return (int)i;
	return -1;
}

int fg_scenario_find_pods(struct fg_scenario_reader *r, const json_t *node)
{
	struct fg_scenario *s = r->scenario;
	FG_FREE char *text = fg_scenario_text(r, node);
	FG_FREE const char **names = NULL;
	struct fg_scenario_pods *p;
	int index;

	if (!text)
		return -1;
	index = pods_index(s, text);
	if (index >= 0)
		return index;
	/* A bare word may be a mistake for a name; with a colon or a slash it says itself what it
	 * is. */
	if (strpbrk(text, ":/")) {
		p = pods_add(r, text, node);
		if (!p || !(p->ref = strdup(text)))
			return -1;
		return (int)s->pod_count - 1;
	}
	fg_scenario_fail(r, node, "no pod \"%.60s\" in pods", text);
	names = calloc(s->pod_count + 1, sizeof(*names));
	for (size_t i = 0; names && i < s->pod_count; i++)
		names[i] = s->pods[i].name;
	if (names)
		fg_scenario_suggest(r, text, names, s->pod_count);
	if (!r->err->hint[0])
		fg_hint(r->err, "write a reference with its kind: netns:%.40s", text);
	return -1;
}

int fg_scenario_read_addresses(const char *ref, struct fg_addr *v4, struct fg_addr *v6,
			       struct fg_error *err)
{
	char text[160];
	char *at = text, *item;
	struct fg_addr addr;

	if (strncmp(ref, "ip:", 3) != 0)
		return fg_fail(err, FG_ERR_USAGE, "%s: --await: a sender is ip:ADDR", ref);
	snprintf(text, sizeof(text), "%s", ref + 3);
	while ((item = strsep(&at, ","))) {
		if (fg_parse_addr(ref, item, &addr, err))
			return -1;
		*(addr.family == AF_INET ? v4 : v6) = addr;
	}
	return 0;
}

/* --- destinations --- */

static struct fg_scenario_place *place_add(struct fg_scenario_reader *r, const char *name)
{
	struct fg_scenario_place *p =
		FG_SCENARIO_APPEND(r, r->scenario->places, r->scenario->place_count);

	if (!p)
		return NULL;
	p->port = p->pods = p->arrives_port = -1;
	p->name = strdup(name);
	if (p->name)
		return p;
	fg_fail_errno(r->err, FG_ERR_INTERNAL, ENOMEM, "%s", r->scenario->yaml.file);
	return NULL;
}

static int read_address(struct fg_scenario_reader *r, const json_t *node, struct fg_addr *addr,
			int *port)
{
	FG_FREE char *text = fg_scenario_text(r, node);

	if (!text)
		return -1;
	if (fg_parse_endpoint("address", text, addr, port, r->err))
		return fg_scenario_fail(r, node, "\"%.60s\" is not ADDR, ADDR:PORT or [ADDR6]:PORT",
					text);
	return 0;
}

static int read_endpoint(struct fg_scenario_reader *r, const json_t *node,
			 struct fg_scenario_place *p)
{
	return read_address(r, node, &p->addr, &p->port);
}

/* As a Service is translated on the way. */
static int read_arrival(struct fg_scenario_reader *r, const json_t *map,
			struct fg_scenario_place *p)
{
	const json_t *node = json_object_get(map, "arrives-as");
	size_t mark = fg_scenario_enter(r, "arrives-as", 0);

	if (node && read_address(r, node, &p->arrives, &p->arrives_port))
		return -1;
	if (node && p->arrives.family != p->addr.family)
		return fg_scenario_fail(r, node, "expected an address of the family of address");
	fg_scenario_leave(r, mark);
	return 0;
}

static int read_family(struct fg_scenario_reader *r, const json_t *node,
		       struct fg_scenario_place *p)
{
	FG_FREE char *text = fg_scenario_text(r, node);

	if (!text)
		return -1;
	if (strcmp(text, "ipv4") != 0 && strcmp(text, "ipv6") != 0)
		return fg_scenario_fail(r, node, "must be ipv4 or ipv6, not \"%.40s\"", text);
	p->family = text[3] == '4' ? AF_INET : AF_INET6;
	return 0;
}

static int read_port(struct fg_scenario_reader *r, const json_t *node, int *out)
{
	FG_FREE char *text = fg_scenario_text(r, node);
	uint64_t port;

	if (!text)
		return -1;
	if (fg_parse_u64("port", text, 1, 65535, &port, r->err))
		return fg_scenario_fail_parsed(r, node);
	*out = (int)port;
	return 0;
}

static int read_place_map(struct fg_scenario_reader *r, const json_t *node,
			  struct fg_scenario_place *p)
{
	static const char *const keys[] = { "address", "pod", "port", "family", "arrives-as" };
	const json_t *address = json_object_get(node, "address"),
		     *pod = json_object_get(node, "pod");
	const json_t *port = json_object_get(node, "port"),
		     *family = json_object_get(node, "family");
	size_t mark;

	if (fg_scenario_map(r, node, "a destination", keys, COUNT(keys), false))
		return -1;
	if (!address == !pod)
		return fg_scenario_fail(r, node, "expected either address or pod");
	mark = fg_scenario_enter(r, address ? "address" : "pod", 0);
	if (address && read_endpoint(r, address, p))
		return -1;
	if (pod && (p->pods = fg_scenario_find_pods(r, pod)) < 0)
		return -1;
	fg_scenario_leave(r, mark);
	mark = fg_scenario_enter(r, "port", 0);
	if (port && p->port >= 0)
		return fg_scenario_fail(r, port, "the address has a port already");
	if (port && read_port(r, port, &p->port))
		return -1;
	fg_scenario_leave(r, mark);
	mark = fg_scenario_enter(r, "family", 0);
	if (family && address)
		return fg_scenario_fail(r, family, "family is for a destination that is a pod");
	if (family && read_family(r, family, p))
		return -1;
	fg_scenario_leave(r, mark);
	return read_arrival(r, node, p);
}

static int read_destination(struct fg_scenario_reader *r, const char *name, const json_t *node)
{
	struct fg_scenario_place *p;

	if (!*name)
		return fg_scenario_fail_key(r, node, "a destination without a name");
	if (pods_index(r->scenario, name) >= 0)
		return fg_scenario_fail_key(r, node, "a pod in pods has this name already");
	p = place_add(r, name);
	if (!p)
		return -1;
	return json_is_object(node) ? read_place_map(r, node, p) : read_endpoint(r, node, p);
}

int fg_scenario_read_destinations(struct fg_scenario_reader *r, const json_t *node)
{
	size_t mark = fg_scenario_enter(r, "destinations", 0), inner;
	const char *name;
	json_t *value;

	if (node && !json_is_object(node))
		return fg_scenario_fail(
			r, node, "expected the destinations: a mapping of names to addresses");
	json_object_foreach ((json_t *)node, name, value) {
		inner = fg_scenario_enter(r, name, 0);
		if (read_destination(r, name, value))
			return -1;
		fg_scenario_leave(r, inner);
	}
	fg_scenario_leave(r, mark);
	return 0;
}

static int refuse_place(struct fg_scenario_reader *r, const json_t *node, const char *text)
{
	struct fg_scenario *s = r->scenario;
	size_t n = 0;
	FG_FREE const char **names = calloc(s->place_count + s->pod_count + 1, sizeof(*names));

	fg_scenario_fail(r, node,
			 "\"%.60s\" is neither a name in destinations or pods nor ADDR[:PORT]",
			 text);
	for (size_t i = 0; names && i < s->place_count; i++)
		if (!s->places[i].nowhere)
			names[n++] = s->places[i].name;
	for (size_t i = 0; names && i < s->pod_count; i++)
		names[n++] = s->pods[i].name;
	return names ? fg_scenario_suggest(r, text, names, n) : -1;
}

int fg_scenario_find_place(struct fg_scenario_reader *r, const json_t *node)
{
	struct fg_scenario *s = r->scenario;
	FG_FREE char *text = fg_scenario_text(r, node);
	struct fg_scenario_place *p, found = { .port = -1, .pods = -1 };

	if (!text)
		return -1;
	for (size_t i = 0; i < s->place_count; i++)
		if (!s->places[i].nowhere && !strcmp(s->places[i].name, text))
			return (int)i;
	found.pods = pods_index(s, text);
	if (found.pods < 0 && fg_parse_endpoint("to", text, &found.addr, &found.port, r->err))
		return refuse_place(r, node, text);
	p = place_add(r, text);
	if (!p)
		return -1;
	p->addr = found.addr;
	p->port = found.port;
	p->pods = found.pods;
	return (int)s->place_count - 1;
}
