// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/parse.h"
#include "cluster/internal.h"

struct form {
	const char *word;
	enum fg_name_kind kind;
	bool source, workload; /* may be the sender; may have ":all" */
};

static const struct form forms[] = {
	{ "pod", FG_NAME_POD, true, false },
	{ "deploy", FG_NAME_DEPLOYMENT, true, true },
	{ "sts", FG_NAME_STATEFULSET, true, true },
	{ "ds", FG_NAME_DAEMONSET, true, true },
	{ "label", FG_NAME_LABEL, true, true },
	{ "svc", FG_NAME_SERVICE, false, false },
	{ "endpoints", FG_NAME_ENDPOINTS, false, false },
	{ "node", FG_NAME_NODE, false, false },
	{ "ext", FG_NAME_ADDRESS, false, false },
	{ "ip", FG_NAME_ADDRESS, true, false },
};

/* What names a pod to its own node only. */
static const char *const of_a_node[] = { "uid", "container", "netns", "pid", "dev" };

static const char *behind(const char *text, const char *word)
{
	size_t len = strlen(word);

	return !strncmp(text, word, len) && text[len] == ':' ? text + len + 1 : NULL;
}

static const struct form *form_of(const char *text, const char **rest)
{
	for (size_t i = 0; i < COUNT(forms); i++)
		if ((*rest = behind(text, forms[i].word)))
			return &forms[i];
	*rest = text;
	return NULL;
}

/*
 * RFC 1123 section 2.1, as Kubernetes has it, with dots. It goes to kubectl as an argument, so it
 * must not look like an option either.
 */
static bool is_name(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789.-");

	return len && len < 254 && !text[len] && text[0] != '-' && text[0] != '.' &&
	       text[len - 1] != '-';
}

static bool is_label(const char *text)
{
	return is_name(text) && !strchr(text, '.') && strlen(text) < 64;
}

static int fail_name(const char *what, const struct fg_name *n, const char *why,
		     struct fg_error *err)
{
	return fg_fail(err, FG_ERR_USAGE, "%s: \"%.200s\": %s", what, n->text, why);
}

/* A port's number, or its name (RFC 6335 section 5.1: at most 15 characters and one letter). */
static int read_port(const char *what, const char *text, struct fg_name *n, struct fg_error *err)
{
	uint64_t port;

	if (text[0] >= '0' && text[0] <= '9' && !text[strspn(text, "0123456789")]) {
		if (fg_parse_u64(what, text, 1, 65535, &port, err))
			return -1;
		n->port = (int)port;
		return 0;
	}
	if (strchr(text, ','))
		return fail_name(what, n, "several ports are -p PORTS, not a part of the name",
				 err);
	if (!is_label(text) || strlen(text) > 15)
		return fail_name(what, n, "the part after the last colon is not a port", err);
	snprintf(n->port_name, sizeof(n->port_name), "%s", text);
	return 0;
}

/* ":all" and ":PORT" are cut off the end of body. */
static int read_tail(const char *what, const struct form *form, bool source, char *body,
		     struct fg_name *n, struct fg_error *err)
{
	char *colon = strchr(body, ':');

	if (!colon)
		return 0;
	*colon++ = '\0';
	if (form && form->workload && !strncmp(colon, "all", 3) && (!colon[3] || colon[3] == ':')) {
		n->all = true;
		if (!colon[3])
			return 0;
		colon += 4;
	}
	if (source)
		return fail_name(what, n, "a sender has no port", err);
	return read_port(what, colon, n, err);
}

/* "NAMESPACE/NAME" or "NAME". */
static int read_object(const char *what, const char *body, struct fg_name *n, struct fg_error *err)
{
	const char *slash = n->kind == FG_NAME_NODE ? NULL : strchr(body, '/');
	bool fits;

	snprintf(n->name, sizeof(n->name), "%s", slash ? slash + 1 : body);
	if (slash) {
		if (slash - body >= (int)sizeof(n->namespace))
			return fail_name(what, n, "no such name of a namespace is possible", err);
		snprintf(n->namespace, sizeof(n->namespace), "%.*s", (int)(slash - body), body);
		if (!fg_parse_addr("", n->namespace, &n->addr, NULL))
			return fail_name(what, n, "over a cluster it is one address, not a network",
					 err);
		if (!is_label(n->namespace))
			return fail_name(what, n, "the part before the slash is not a namespace",
					 err);
	}
	fits = n->kind == FG_NAME_LABEL ? fg_selector_check(n->name) : is_name(n->name);
	if (fits)
		return 0;
	return fail_name(what, n,
			 n->kind == FG_NAME_LABEL
				 ? "a selector is KEY, !KEY, KEY=VALUE or KEY!=VALUE, with commas "
				   "between them"
				 : "this is not the name of an object",
			 err);
}

/* "10.0.0.9:http" or "[fd00::9]:http": returns the port's name, and the address; NULL: it is not.
 */
static const char *named_port(const char *text, struct fg_addr *addr)
{
	const char *colon = strrchr(text, ':');
	char front[FG_NAME_LEN];
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool six = text[0] == '[';

	if (!len || len >= sizeof(front) || !strpbrk(colon, "abcdefghijklmnopqrstuvwxyz") ||
	    (six && (len < 3 || text[len - 1] != ']')))
		return NULL;
	snprintf(front, sizeof(front), "%.*s", (int)(len - 2 * six), text + six);
	if (fg_parse_addr("", front, addr, NULL) || (addr->family == AF_INET6) != six)
		return NULL;
	return colon + 1;
}

static int read_address(const char *what, const char *text, bool source, struct fg_name *n,
			struct fg_error *err)
{
	const char *port = source ? NULL : named_port(text, &n->addr);

	n->kind = FG_NAME_ADDRESS;
	if (port)
		return read_port(what, port, n, err);
	return source ? fg_parse_addr(what, text, &n->addr, err)
		      : fg_parse_endpoint(what, text, &n->addr, &n->port, err);
}

static int read_any(const char *what, const char *text, bool source, struct fg_name *n,
		    struct fg_error *err)
{
	const char *rest;
	const struct form *form = form_of(text, &rest);
	char body[sizeof(n->text)];

	for (size_t i = 0; !form && i < COUNT(of_a_node); i++)
		if (behind(text, of_a_node[i]))
			return fail_name(what, n,
					 "only the pod's own node knows it by this; in a cluster "
					 "name it NAMESPACE/NAME",
					 err);
	if (form && source && !form->source)
		return fail_name(what, n, "only a pod can be the sender", err);
	if (form ? form->kind == FG_NAME_ADDRESS
		 : !source && (text[0] == '[' || named_port(text, &n->addr) ||
			       !fg_parse_endpoint("", text, &n->addr, &n->port, NULL)))
		return read_address(what, rest, source, n, err);
	n->kind = form ? form->kind : source || strchr(text, '/') ? FG_NAME_POD : FG_NAME_DNS;
	snprintf(body, sizeof(body), "%s", rest);
	return read_tail(what, form, source, body, n, err) || read_object(what, body, n, err) ? -1
											      : 0;
}

static int read_name(const char *what, const char *text, bool source, struct fg_name *out,
		     struct fg_error *err)
{
	struct fg_name n = { .port = -1 };

	if (strlen(text) >= FG_NAME_LEN)
		return fg_fail(err, FG_ERR_USAGE, "%s: longer than any name can be", what);
	snprintf(n.text, sizeof(n.text), "%s", text);
	if (read_any(what, text, source, &n, err))
		return -1;
	*out = n;
	return 0;
}

int fg_names_read_source(const char *what, const char *text, struct fg_name *out,
			 struct fg_error *err)
{
	return read_name(what, text, true, out, err);
}

int fg_names_read_target(const char *what, const char *text, struct fg_name *out,
			 struct fg_error *err)
{
	return read_name(what, text, false, out, err);
}

const char *fg_names_full(const struct fg_name *name, const char *namespace, char *buf, size_t size)
{
	if (name->kind == FG_NAME_NODE || name->kind == FG_NAME_DNS)
		snprintf(buf, size, "%s", name->name);
	else
		snprintf(buf, size, "%s/%s", name->namespace[0] ? name->namespace : namespace,
			 name->name);
	return buf;
}

bool fg_names_is_outside(const struct fg_name *name)
{
	return name->kind == FG_NAME_ADDRESS && !strncmp(name->text, "ext:", 4);
}

unsigned int fg_names_needs(const struct fg_name *name)
{
	switch (name->kind) {
	case FG_NAME_POD:
	case FG_NAME_STATEFULSET:
	case FG_NAME_DAEMONSET:
	case FG_NAME_LABEL:
		return FG_NEED_PODS;
	case FG_NAME_DEPLOYMENT:
		return FG_NEED_PODS | FG_NEED_REPLICASETS;
	case FG_NAME_SERVICE:
	case FG_NAME_ENDPOINTS:
	case FG_NAME_DNS:
		return FG_NEED_SERVICES | FG_NEED_ENDPOINTS;
	case FG_NAME_NODE:
		return FG_NEED_NODES;
	case FG_NAME_ADDRESS:
		return FG_NEED_ADDRESS;
	}
	return 0;
}

/* Takes the last label off the front part of a name: "a.b.c" becomes "a.b", and returns "c". */
static char *cut_last(char *text)
{
	char *dot = strrchr(text, '.');

	if (!dot)
		return NULL;
	*dot = '\0';
	return dot + 1;
}

static bool cut_suffix(char *text, const char *suffix)
{
	size_t len = strlen(text), end = strlen(suffix);

	if (len <= end + 1 || strcmp(text + len - end, suffix) != 0 || text[len - end - 1] != '.')
		return false;
	text[len - end - 1] = '\0';
	return true;
}

/* "db", "db.pay", "host.db.pay": without "svc" and the domain a name has at most two labels. */
static int split(char *text, bool qualified, const char *namespace, struct fg_name *service,
		 char *host)
{
	char *name, *in;
	size_t dots = 0;

	for (const char *p = text; *p; p++)
		dots += *p == '.';
	if (dots > (qualified ? 2U : 1U) || (qualified && !dots))
		return 1;
	in = cut_last(text);
	name = in ? cut_last(text) : NULL;
	host[0] = '\0';
	if (name)
		snprintf(host, 64, "%.63s", text);
	if (!is_label(name ? name : text) || !is_label(in ? in : namespace))
		return 1;
	snprintf(service->namespace, sizeof(service->namespace), "%.63s", in ? in : namespace);
	snprintf(service->name, sizeof(service->name), "%s", name ? name : text);
	return 0;
}

int fg_names_dns(const struct fg_name *dns, const char *namespace, const char *domain,
		 struct fg_name *service, char *host)
{
	struct fg_name out = *dns;
	char text[FG_NAME_LEN];
	bool whole, qualified;

	snprintf(text, sizeof(text), "%s", dns->name);
	if (text[0] && text[strlen(text) - 1] == '.')
		text[strlen(text) - 1] = '\0';
	whole = cut_suffix(text, domain);
	qualified = cut_suffix(text, "svc");
	if ((whole && !qualified) || split(text, qualified, namespace, &out, host))
		return 1;
	out.kind = host[0] ? FG_NAME_ENDPOINTS : FG_NAME_SERVICE;
	*service = out;
	return 0;
}
