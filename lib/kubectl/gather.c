// SPDX-License-Identifier: GPL-2.0-only
/* gather.c - the objects of the cluster that names need. */
#include "kubectl/gather.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"
#include "kubectl/line.h"

#define WHAT "objects of the cluster"
/*
 * Objects that are known by their names are asked for one after the other. kubectl asks for five a
 * second after the first ten, so that a list is better; over a line each takes one round trip.
 */
#define NAMES_MAX 8
#define NAMES_MAX_LINE 64

struct fg_gather_call {
	char namespace[64]; /* "": of the whole cluster, or of several */
	unsigned int needs;
	char **names; /* "NAMESPACE/NAME" of the pods, where only some are needed; owned */
	size_t name_count;
	bool idle; /* others ask for what it was to ask for */
	bool asked;
	char *kinds, *selector; /* given instead of needs; owned */
	struct fg_addr addr;	/* FG_NEED_ADDRESS */
	char what[160];
	struct fg_objects *into;
	struct fg_kubectl_call call;
};

static struct fg_gather_call *add_call(struct fg_gather *g, const char *namespace,
				       struct fg_error *err)
{
	struct fg_gather_call *c = FG_APPEND(g->calls, g->count, WHAT, err);

	if (!c)
		return NULL;
	c->call = (struct fg_kubectl_call)FG_KUBECTL_CALL;
	snprintf(c->namespace, sizeof(c->namespace), "%s", namespace);
	return c;
}

/* The call that lists kinds of a namespace; or the one that asks for pods by their names, of all
 * namespaces: each kubectl costs more than what it asks. */
static struct fg_gather_call *find_call(struct fg_gather *g, const char *namespace, bool by_name,
					struct fg_error *err)
{
	for (size_t i = 0; i < g->count; i++) {
		struct fg_gather_call *c = &g->calls[i];

		if (c->kinds || c->idle || by_name != !c->needs)
			continue;
		if (by_name && strcmp(c->namespace, namespace) != 0)
			c->namespace[0] = '\0';
		if (by_name || !strcmp(c->namespace, namespace))
			return c;
	}
	return add_call(g, namespace, err);
}

static char *copy(const char *text, struct fg_error *err)
{
	char *made = strdup(text);

	if (!made)
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	return made;
}

static int add_pod_name(struct fg_gather *g, const char *namespace, const char *name,
			struct fg_error *err)
{
	struct fg_gather_call *c = find_call(g, namespace, true, err);
	char **added, full[330];

	snprintf(full, sizeof(full), "%.63s/%.253s", namespace, name);
	for (size_t i = 0; c && i < c->name_count; i++)
		if (!strcmp(c->names[i], full))
			return 0;
	added = c ? FG_APPEND(c->names, c->name_count, WHAT, err) : NULL;
	if (!added)
		return -1;
	*added = copy(full, err);
	return *added ? 0 : -1;
}

/* The API server can only be asked for a pod's main address (field selector status.podIP); others:
 * look_wider(). */
static int add_address(struct fg_gather *g, const struct fg_addr *addr, struct fg_error *err)
{
	struct fg_gather_call *c = add_call(g, "", err);
	char text[FG_ADDR_TEXT_LEN];

	if (!c)
		return -1;
	c->needs = FG_NEED_ADDRESS;
	c->addr = *addr;
	c->kinds = copy("pods", err);
	if (!c->kinds)
		return -1;
	if (asprintf(&c->selector, "--field-selector=status.podIP=%s",
		     fg_addr_text(addr, text, sizeof(text))) >= 0)
		return 0;
	c->selector = NULL;
	return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
}

static int add_needs(struct fg_gather *g, const char *namespace, unsigned int needs,
		     struct fg_error *err)
{
	struct fg_gather_call *c = find_call(g, namespace, false, err);

	if (!c)
		return -1;
	c->needs |= needs;
	return 0;
}

int fg_gather_add(struct fg_gather *g, const struct fg_name *name, const char *namespace,
		  const char *from, const char *domain, struct fg_error *err)
{
	struct fg_name service = *name;
	const char *where;
	char host[64];

	if (name->kind == FG_NAME_ADDRESS)
		return fg_names_is_outside(name) ? 0 : add_address(g, &name->addr, err);
	if (name->kind == FG_NAME_DNS && fg_names_dns(name, from, domain, &service, host))
		return 0;
	where = name->kind == FG_NAME_DNS ? service.namespace
		: name->namespace[0]	  ? name->namespace
					  : namespace;
	if (name->kind == FG_NAME_POD)
		return add_pod_name(g, where, name->name, err);
	return add_needs(g, name->kind == FG_NAME_NODE ? "" : where, fg_names_needs(name), err);
}

int fg_gather_list(struct fg_gather *g, const char *kinds, const char *namespace,
		   const char *selector, struct fg_objects *into, struct fg_error *err)
{
	struct fg_gather_call *c = add_call(g, namespace ? namespace : "", err);

	if (!c)
		return -1;
	c->into = into;
	c->kinds = copy(kinds, err);
	if (!c->kinds)
		return -1;
	if (selector && asprintf(&c->selector, "--selector=%s", selector) < 0) {
		c->selector = NULL;
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	}
	return 0;
}

/* --- the words of a call --- */

static const char *kinds_of(unsigned int needs, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s%s%s", needs & FG_NEED_PODS ? ",pods" : "",
		 needs & FG_NEED_REPLICASETS ? ",replicasets.apps" : "",
		 needs & FG_NEED_SERVICES ? ",services" : "",
		 needs & FG_NEED_ENDPOINTS ? ",endpointslices.discovery.k8s.io" : "",
		 needs & FG_NEED_NODES ? ",nodes" : "");
	return buf + 1;
}

/* Pods of several namespaces by their names: `get` takes such a list only as a file. */
static int put_names(struct fg_gather_call *c, struct fg_error *err)
{
	struct fg_buffer *in = &c->call.input;

	fg_buffer_puts(in, "{\"apiVersion\":\"v1\",\"kind\":\"List\",\"items\":[");
	for (size_t i = 0; i < c->name_count; i++) {
		const char *slash = strchr(c->names[i], '/');

		/* Neither part has what JSON would have to quote (lib/cluster/names.c). */
		fg_buffer_printf(in,
				 "%s{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":"
				 "{\"namespace\":\"%.*s\",\"name\":\"%s\"}}",
				 i ? "," : "", (int)(slash - c->names[i]), c->names[i], slash + 1);
	}
	fg_buffer_puts(in, "]}");
	return in->failed ? fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT) : 0;
}

/* --- the same over a line --- */

/* Kinds, as kubectl knows them, and the API server. */
static const struct {
	const char *kind, *group, *plural;
} resources[] = {
	{ "pods", "/api/v1", "pods" },
	{ "services", "/api/v1", "services" },
	{ "nodes", "/api/v1", "nodes" },
	{ "replicasets.apps", "/apis/apps/v1", "replicasets" },
	{ "endpointslices.discovery.k8s.io", "/apis/discovery.k8s.io/v1", "endpointslices" },
};

static int add_list_path(struct fg_gather_call *c, const char *kind, size_t len,
			 struct fg_error *err)
{
	const char *value = c->selector ? strchr(c->selector, '=') + 1 : NULL;
	struct fg_buffer query = {};
	size_t i = 0;
	int ret;

	while (i < COUNT(resources) &&
	       (strlen(resources[i].kind) != len || strncmp(resources[i].kind, kind, len) != 0))
		i++;
	if (i == COUNT(resources))
		return fg_fail(err, FG_ERR_INTERNAL, "no path is known to %s", kind);
	if (value) {
		fg_buffer_puts(&query, !strncmp(c->selector, "--selector", 10) ? "?labelSelector="
									       : "?fieldSelector=");
		fg_kubectl_put_escaped(&query, value);
	}
	fg_buffer_put(&query, "", 1);
	if (query.failed)
		ret = fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	else if (c->namespace[0] && strcmp(resources[i].kind, "nodes") != 0)
		ret = fg_kubectl_add_path(&c->call, err, "%s/namespaces/%s/%s%s",
					  resources[i].group, c->namespace, resources[i].plural,
					  query.data);
	else
		ret = fg_kubectl_add_path(&c->call, err, "%s/%s%s", resources[i].group,
					  resources[i].plural, query.data);
	fg_buffer_free(&query);
	return ret;
}

/* kinds: NULL: the call asks for pods by their names. */
static int add_paths(struct fg_gather_call *c, const char *kinds, struct fg_error *err)
{
	for (size_t i = 0; !kinds && i < c->name_count; i++) {
		const char *slash = strchr(c->names[i], '/');

		if (fg_kubectl_add_path(&c->call, err, "/api/v1/namespaces/%.*s/pods/%s",
					(int)(slash - c->names[i]), c->names[i], slash + 1))
			return -1;
	}
	while (kinds && *kinds) {
		size_t len = strcspn(kinds, ",");

		if (add_list_path(c, kinds, len, err))
			return -1;
		kinds += len + (kinds[len] == ',');
	}
	return 0;
}

static int start(struct fg_gather_call *c, const struct fg_kubectl *kubectl, struct fg_error *err)
{
	const bool by_name = c->name_count && !c->kinds;
	const bool several = by_name && !c->namespace[0];
	FG_FREE const char **words = calloc(c->name_count + 8, sizeof(*words));
	char kinds[160], namespace[80];
	size_t n = 0;

	if (!words)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	words[n++] = "get";
	words[n++] = c->kinds	? c->kinds
		     : c->needs ? kinds_of(c->needs, kinds, sizeof(kinds))
		     : several	? "--filename=-"
				: "pods";
	for (size_t i = 0; by_name && !several && i < c->name_count; i++)
		words[n++] = strchr(c->names[i], '/') + 1;
	/* Who needs it says so, in the same words however it was asked for. */
	if (by_name)
		words[n++] = "--ignore-not-found";
	if ((several && put_names(c, err)) ||
	    add_paths(c, c->kinds || c->needs ? words[1] : NULL, err))
		return -1;
	snprintf(namespace, sizeof(namespace), "--namespace=%s", c->namespace);
	if (c->namespace[0])
		words[n++] = namespace;
	else if (c->kinds)
		words[n++] = "--all-namespaces";
	if (c->selector)
		words[n++] = c->selector;
	words[n++] = "--output=json";
	snprintf(c->what, sizeof(c->what), "%.60s%s%.64s", several ? "pods" : words[1],
		 c->namespace[0] ? " of " : "", c->namespace);
	c->call.what = c->what;
	c->asked = true;
	return fg_kubectl_start(kubectl, words, &c->call, err);
}

static int take(struct fg_gather *g, struct fg_gather_call *c, struct fg_objects *out,
		struct fg_error *err)
{
	struct fg_error why;

	if (fg_kubectl_failed(&c->call, &why)) {
		/* The question can be asked without it, but not all of the answer be known. */
		if (c->needs == FG_NEED_ADDRESS && why.code == EACCES) {
			g->addresses_unknown = true;
			g->why_unknown = why;
			return 0;
		}
		*err = why;
		return -1;
	}
	return fg_objects_add(c->into ? c->into : out, c->call.output.data, c->call.output.len,
			      err);
}

/* --- addresses that are nobody's main one --- */

static const struct fg_gather_call *unknown(const struct fg_gather *g, size_t from,
					    const struct fg_objects *out)
{
	for (size_t i = from; i < g->count && !g->addresses_unknown; i++)
		if (g->calls[i].needs == FG_NEED_ADDRESS &&
		    !fg_objects_pod_at(out, &g->calls[i].addr))
			return &g->calls[i];
	return NULL;
}

static int add_named(const struct fg_kubectl *kubectl, const char *namespace, const char *name,
		     struct fg_objects *out, struct fg_error *err)
{
	const char *words[] = {
		"get", "pods", name, "--namespace", namespace, "--output=json", NULL
	};
	struct fg_kubectl_call call = FG_KUBECTL_CALL;
	struct fg_error why;
	int ret = 0;

	call.what = "a pod by its address";
	/* It may be gone by now: then nobody has the address. */
	if (!fg_kubectl_run(kubectl, words, &call, &why))
		ret = fg_objects_add(out, call.output.data, call.output.len, err);
	fg_kubectl_close(&call);
	return ret;
}

/*
 * The API server finds a pod by its main address only. For any other one all pods are asked for
 * their addresses, once; then those that have one, for the rest.
 */
static int look_wider(const struct fg_gather *g, const struct fg_kubectl *kubectl,
		      struct fg_objects *out, struct fg_error *err)
{
	static const char *const words[] = { "get", "pods", "--all-namespaces", fg_objects_template,
					     NULL };
	struct fg_kubectl_call call = FG_KUBECTL_CALL;
	char namespace[64], name[254];
	struct fg_error why;
	int ret = 0;

	if (!unknown(g, 0, out))
		return 0;
	call.what = "the addresses of pods";
	/* What was found before is an answer without it. */
	if (fg_kubectl_run(kubectl, words, &call, &why)) {
		fg_kubectl_close(&call);
		*err = why;
		return why.kind == FG_ERR_INCONCLUSIVE ? -1 : 0;
	}
	for (size_t i = 0; !ret && i < g->count; i++) {
		const struct fg_gather_call *c = unknown(g, i, out);

		if (c == &g->calls[i] &&
		    fg_objects_find(call.output.data, call.output.len, &c->addr, namespace, name))
			ret = add_named(kubectl, namespace, name, out, err);
	}
	fg_kubectl_close(&call);
	return ret;
}

/* --- many names --- */

/* The call that lists the pods of a namespace, for names or for something else. */
static struct fg_gather_call *find_list(struct fg_gather *g, const char *namespace,
					struct fg_error *err)
{
	struct fg_gather_call *c;

	for (size_t i = 0; i < g->count; i++) {
		c = &g->calls[i];
		if (!c->idle && !strcmp(c->namespace, namespace) &&
		    (c->needs & FG_NEED_PODS || (c->kinds && c->name_count)))
			return c;
	}
	c = add_call(g, namespace, err);
	if (!c)
		return NULL;
	c->kinds = copy("pods", err);
	return c->kinds ? c : NULL;
}

/*
 * Where there are too many names, the pods of their namespaces are listed instead. A list that is
 * made for names keeps them: who may get pods may perhaps not list them.
 */
static int list_named(struct fg_gather *g, const struct fg_kubectl *kubectl, struct fg_error *err)
{
	size_t named = 0;

	while (named < g->count && g->calls[named].name_count <= NAMES_MAX)
		named++;
	if (named == g->count || (g->calls[named].name_count <= NAMES_MAX_LINE && kubectl->line &&
				  fg_line_serves(kubectl->line, kubectl)))
		return 0;
	g->calls[named].idle = true;
	for (size_t i = 0; i < g->calls[named].name_count; i++) {
		const char *full = g->calls[named].names[i];
		struct fg_gather_call *c;
		char namespace[64], **added;

		snprintf(namespace, sizeof(namespace), "%.*s", (int)strcspn(full, "/"), full);
		c = find_list(g, namespace, err);
		if (c && c->needs)
			continue;
		added = c ? FG_APPEND(c->names, c->name_count, WHAT, err) : NULL;
		if (added)
			*added = copy(full, err);
		if (!added || !*added)
			return -1;
	}
	return 0;
}

/* Lists that were refused are to be asked for by name. Returns whether there are any. */
static bool name_refused(struct fg_gather *g)
{
	bool any = false;

	for (size_t i = 0; i < g->count; i++) {
		struct fg_gather_call *c = &g->calls[i];
		struct fg_error why;

		if (c->idle || !c->kinds || !c->name_count || !fg_kubectl_failed(&c->call, &why) ||
		    why.code != EACCES)
			continue;
		fg_kubectl_close(&c->call);
		c->call = (struct fg_kubectl_call)FG_KUBECTL_CALL;
		free(c->kinds);
		c->kinds = NULL;
		c->asked = false;
		any = true;
	}
	return any;
}

/* Starts the calls that were not made yet, and waits for them. */
static int ask(struct fg_gather *g, const struct fg_kubectl *kubectl, struct fg_error *err)
{
	FG_FREE struct fg_kubectl_call *calls = calloc(g->count + 1, sizeof(*calls));
	int ret = 0;

	if (!calls)
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	for (size_t i = 0; !ret && i < g->count; i++)
		if (!g->calls[i].idle && !g->calls[i].asked)
			ret = start(&g->calls[i], kubectl, err);
	/* They are waited for together, and are the array's for so long. */
	for (size_t i = 0; i < g->count; i++)
		calls[i] = g->calls[i].call;
	if (!ret)
		ret = fg_kubectl_wait(kubectl, calls, g->count, err);
	for (size_t i = 0; i < g->count; i++)
		g->calls[i].call = calls[i];
	return ret;
}

int fg_gather_run(struct fg_gather *g, const struct fg_kubectl *kubectl, struct fg_objects *out,
		  struct fg_error *err)
{
	int ret = list_named(g, kubectl, err);

	if (!ret)
		ret = ask(g, kubectl, err);
	if (!ret && name_refused(g))
		ret = ask(g, kubectl, err);
	for (size_t i = 0; !ret && i < g->count; i++)
		ret = g->calls[i].idle ? 0 : take(g, &g->calls[i], out, err);
	return ret ? ret : look_wider(g, kubectl, out, err);
}

void fg_gather_free(struct fg_gather *g)
{
	for (size_t i = 0; i < g->count; i++) {
		struct fg_gather_call *c = &g->calls[i];

		fg_kubectl_close(&c->call);
		for (size_t k = 0; k < c->name_count; k++)
			free(c->names[k]);
		free(c->names);
		free(c->kinds);
		free(c->selector);
	}
	free(g->calls);
	*g = (struct fg_gather){};
}

int fg_gather_namespace(const struct fg_kubectl *kubectl, char *buf, size_t size,
			struct fg_error *err)
{
	static const char *const words[] = { "config", "view", "--minify",
					     "--output=jsonpath={..namespace}", NULL };
	struct fg_kubectl_call call = FG_KUBECTL_CALL;
	int ret;

	call.what = "kubectl's configuration";
	ret = fg_kubectl_run(kubectl, words, &call, err);
	if (!ret)
		snprintf(buf, size, "%.*s", (int)call.output.len,
			 call.output.len ? call.output.data : "");
	if (!ret && !buf[0])
		snprintf(buf, size, "default");
	fg_kubectl_close(&call);
	return ret;
}
