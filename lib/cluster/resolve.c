// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fd.h"
#include "base/grow.h"
#include "base/ports.h"
#include "cluster/internal.h"

#define WHAT "names of the cluster"

static const char *namespace_of(const struct fg_resolve *r, const struct fg_name *name)
{
	return name->namespace[0] ? name->namespace : r->namespace;
}

static int fail_missing(const struct fg_resolve *r, const struct fg_name *name, const char *kind,
			struct fg_error *err)
{
	char full[FG_NAME_LEN + 70];

	return fg_fail(err, FG_ERR_UNSUPPORTED, "%s: the cluster has no %s %s", name->text, kind,
		       fg_names_full(name, r->namespace, full, sizeof(full)));
}

/* --- pods --- */

/* The Deployment of a pod is the owner of the ReplicaSet that owns it. */
static bool is_of_deployment(const struct fg_resolve *r, const struct fg_object_pod *pod,
			     const char *deployment)
{
	if (strcmp(pod->owner_kind, "ReplicaSet") != 0)
		return false;
	for (size_t i = 0; i < r->objects->owner_count; i++) {
		const struct fg_object_owner *o = &r->objects->owners[i];

		if (!strcmp(o->name, pod->owner) && !strcmp(o->namespace, pod->namespace))
			return !strcmp(o->kind, "Deployment") && !strcmp(o->owner, deployment);
	}
	return false;
}

static bool is_of(const struct fg_object_pod *pod, const char *kind, const char *owner)
{
	return !strcmp(pod->owner_kind, kind) && !strcmp(pod->owner, owner);
}

static bool fits(const struct fg_resolve *r, const struct fg_name *name,
		 const struct fg_object_pod *pod)
{
	if (name->kind == FG_NAME_ADDRESS)
		return pod == fg_objects_pod_at(r->objects, &name->addr);
	if (strcmp(pod->namespace, namespace_of(r, name)) != 0)
		return false;
	switch (name->kind) {
	case FG_NAME_POD:
		return !strcmp(pod->name, name->name);
	case FG_NAME_DEPLOYMENT:
		return is_of_deployment(r, pod, name->name);
	case FG_NAME_STATEFULSET:
		return is_of(pod, "StatefulSet", name->name);
	case FG_NAME_DAEMONSET:
		return is_of(pod, "DaemonSet", name->name);
	case FG_NAME_LABEL:
		return fg_selector_fits(name->name, pod->labels);
	default:
		return false;
	}
}

static bool is_listed(const struct fg_resolve_pods *pods, const struct fg_object_pod *pod)
{
	for (size_t i = 0; i < pods->count; i++)
		if (!strcmp(pods->list[i]->name, pod->name) &&
		    !strcmp(pods->list[i]->namespace, pod->namespace))
			return true;
	return false;
}

/* Those that run and are ready come first, then those that run, each by name. */
static int by_use(const void *a, const void *b)
{
	const struct fg_object_pod *x = *(const struct fg_object_pod *const *)a;
	const struct fg_object_pod *y = *(const struct fg_object_pod *const *)b;
	int rank_x = fg_objects_pod_runs(x) * (1 + x->ready);
	int rank_y = fg_objects_pod_runs(y) * (1 + y->ready);

	return rank_x != rank_y ? rank_y - rank_x : strcmp(x->name, y->name);
}

static int list_pods(const struct fg_resolve *r, const struct fg_name *name,
		     struct fg_resolve_pods *out, struct fg_error *err)
{
	for (size_t i = 0; i < r->objects->pod_count; i++) {
		const struct fg_object_pod *pod = &r->objects->pods[i], **added;

		if (!fits(r, name, pod) || is_listed(out, pod))
			continue;
		added = FG_APPEND(out->list, out->count, WHAT, err);
		if (!added)
			return -1;
		*added = pod;
	}
	if (out->count)
		qsort(out->list, out->count, sizeof(const struct fg_object_pod *), by_use);
	return 0;
}

static const char *kind_word(const struct fg_name *name)
{
	switch (name->kind) {
	case FG_NAME_DEPLOYMENT:
		return "pod of a Deployment";
	case FG_NAME_STATEFULSET:
		return "pod of a StatefulSet";
	case FG_NAME_DAEMONSET:
		return "pod of a DaemonSet";
	case FG_NAME_LABEL:
		return "pod with the labels";
	default:
		return "pod";
	}
}

/* Why this pod cannot send; NULL: it can. */
static const char *obstacle(const struct fg_object_pod *pod, char *buf, size_t size)
{
	if (!pod->node[0])
		return "it is on no node yet (not scheduled)";
	if (pod->deleting)
		return "it is being deleted";
	if (strcmp(pod->phase, "Running") != 0) {
		snprintf(buf, size, "it does not run (phase %.40s)", pod->phase);
		return buf;
	}
	if (pod->host_network)
		return "it is on its node's own network (hostNetwork), and has no path of its own";
	return NULL;
}

static int fail_sources(const struct fg_resolve *r, const struct fg_name *name,
			const struct fg_resolve_pods *found, struct fg_error *err)
{
	char text[80];

	if (found->count)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "%s: pod %s: %s", name->text,
			       found->list[0]->name, obstacle(found->list[0], text, sizeof(text)));
	if (name->kind == FG_NAME_ADDRESS)
		return fg_fail(err, FG_ERR_UNSUPPORTED,
			       "%s: no pod of the cluster has this address", name->text);
	return fail_missing(r, name, kind_word(name), err);
}

int fg_resolve_sources(const struct fg_resolve *r, const struct fg_name *name,
		       struct fg_resolve_pods *out, struct fg_error *err)
{
	struct fg_resolve_pods found = {};
	size_t kept = 0;
	char text[80];
	int ret = list_pods(r, name, &found, err);

	for (size_t i = 0; !ret && i < found.count; i++)
		if ((name->all || !kept) && !obstacle(found.list[i], text, sizeof(text)))
			found.list[kept++] = found.list[i];
	if (!ret && !kept)
		ret = fail_sources(r, name, &found, err);
	found.count = kept;
	if (ret)
		free(found.list);
	else
		*out = found;
	return ret;
}

/* --- addresses and ports --- */

static const struct fg_addr *address_for(const struct fg_object_pod *from,
					 const struct fg_addr *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < from->address_count; k++)
			if (list[i].family == from->addresses[k].family)
				return &list[i];
	return NULL;
}

static int fail_family(const struct fg_name *name, const struct fg_object_pod *from,
		       struct fg_error *err)
{
	return fg_fail(err, FG_ERR_UNSUPPORTED,
		       "%s: has no address of a family that pod %s/%s has one of", name->text,
		       from->namespace, from->name);
}

static const char *protocol_word(const char *protocol)
{
	if (!strcmp(protocol, "UDP"))
		return "udp";
	return !strcmp(protocol, "SCTP") ? "sctp" : "tcp";
}

/*
 * The port of a list that a name means; without a port, the only one there is. Of a number that is
 * there for two protocols (DNS), the one of the protocol asked for, or TCP.
 */
static const struct fg_object_port *find_port(const struct fg_resolve *r, const struct fg_name *n,
					      const struct fg_object_port *ports, size_t count)
{
	const char *wanted = r->protocol ? r->protocol : "tcp";
	const struct fg_object_port *found = NULL;

	if (n->port < 0 && !n->port_name[0])
		return count == 1 ? ports : NULL;
	for (size_t i = 0; i < count; i++) {
		const struct fg_object_port *p = &ports[i];

		if (n->port_name[0] ? strcmp(p->name, n->port_name) != 0 : p->number != n->port)
			continue;
		if (!found || !strcmp(protocol_word(p->protocol), wanted))
			found = p;
	}
	return found;
}

static void list_ports(const struct fg_object_port *ports, size_t count, char *buf, size_t size)
{
	size_t len = 0;

	snprintf(buf, size, "none");
	for (size_t i = 0; ports && i < count && len < size; i++) {
		len += (size_t)snprintf(buf + len, size - len, "%s%u/%s%s%s", i ? ", " : "",
					ports[i].number, ports[i].protocol,
					ports[i].name[0] ? " " : "", ports[i].name);
	}
}

static int fail_port(const struct fg_name *n, const struct fg_object_port *ports, size_t count,
		     struct fg_error *err)
{
	char text[160];

	list_ports(ports, count, text, sizeof(text));
	if (n->port_name[0])
		fg_fail(err, FG_ERR_USAGE, "%s: it has no port with this name", n->text);
	else
		fg_fail(err, FG_ERR_USAGE, "%s: say which port is meant", n->text);
	return fg_hint(err, "its ports: %s", text);
}

static struct fg_target *add_target(struct fg_targets *out, const struct fg_name *name,
				    const struct fg_addr *addr, const struct fg_object_port *port,
				    struct fg_error *err)
{
	struct fg_target *t = FG_APPEND(out->list, out->count, WHAT, err);

	if (!t)
		return NULL;
	snprintf(t->text, sizeof(t->text), "%.150s", name->text);
	t->addr = *addr;
	t->port = port ? port->number : name->port;
	t->protocol = port ? protocol_word(port->protocol) : NULL;
	t->namespace = t->pod = t->node = "";
	return t;
}

static void set_pod(struct fg_target *t, const struct fg_object_pod *pod)
{
	t->namespace = pod->namespace;
	t->pod = pod->name;
	t->node = pod->node;
}

/* --- each kind of receiver --- */

static int add_address(const struct fg_resolve *r, const struct fg_name *name,
		       struct fg_targets *out, struct fg_error *err)
{
	const struct fg_object_pod *pod = fg_objects_pod_at(r->objects, &name->addr);
	const struct fg_object_port *port = NULL;
	uint16_t number = 0;
	struct fg_target *t;

	/* The pod's own name for it; else what everybody calls so. */
	if (name->port_name[0] && pod)
		port = find_port(r, name, pod->ports, pod->port_count);
	if (name->port_name[0] && !port)
		number = fg_ports_service(name->port_name, strlen(name->port_name));
	if (name->port_name[0] && !port && !number)
		return fg_fail(err, FG_ERR_USAGE, "%s: no port has this name", name->text);
	t = add_target(out, name, &name->addr, port, err);
	if (t && number)
		t->port = number;
	if (t && pod)
		set_pod(t, pod);
	return t ? 0 : -1;
}

static int add_pod(const struct fg_resolve *r, const struct fg_name *name,
		   const struct fg_object_pod *from, const struct fg_object_pod *pod,
		   struct fg_targets *out, struct fg_error *err)
{
	const struct fg_addr *addr = address_for(from, pod->addresses, pod->address_count);
	const struct fg_object_port *port = NULL;
	struct fg_target *t;

	if (!pod->address_count)
		return fg_fail(err, FG_ERR_UNSUPPORTED, "%s: pod %s has no address (phase %s)",
			       name->text, pod->name, pod->phase);
	if (!addr)
		return fail_family(name, from, err);
	if (name->port_name[0]) {
		port = find_port(r, name, pod->ports, pod->port_count);
		if (!port)
			return fail_port(name, pod->ports, pod->port_count, err);
	}
	t = add_target(out, name, addr, port, err);
	if (!t)
		return -1;
	set_pod(t, pod);
	if (!fg_objects_pod_runs(pod))
		snprintf(t->note, sizeof(t->note), "pod %.60s/%.60s does not run", pod->namespace,
			 pod->name);
	return 0;
}

static int add_pods(const struct fg_resolve *r, const struct fg_name *name,
		    const struct fg_object_pod *from, struct fg_targets *out, struct fg_error *err)
{
	struct fg_resolve_pods pods = {};
	int ret = list_pods(r, name, &pods, err);
	size_t count = pods.count && !name->all ? 1 : pods.count;

	if (!ret && !pods.count)
		ret = fail_missing(r, name, kind_word(name), err);
	for (size_t i = 0; !ret && pods.list && i < count; i++)
		ret = add_pod(r, name, from, pods.list[i], out, err);
	free(pods.list);
	return ret;
}

static int add_node(const struct fg_resolve *r, const struct fg_name *name,
		    const struct fg_object_pod *from, struct fg_targets *out, struct fg_error *err)
{
	const struct fg_object_node *node = fg_objects_node(r->objects, name->name);
	const struct fg_addr *addr;
	struct fg_target *t;

	if (!node)
		return fail_missing(r, name, "node", err);
	if (name->port_name[0])
		return fg_fail(err, FG_ERR_USAGE, "%s: a node has no names for its ports",
			       name->text);
	addr = address_for(from, node->addresses, node->address_count);
	if (!addr)
		return fail_family(name, from, err);
	t = add_target(out, name, addr, NULL, err);
	if (!t)
		return -1;
	t->node = node->name;
	if (!node->ready)
		snprintf(t->note, sizeof(t->note), "node %.100s is not ready", node->name);
	return 0;
}

/* A backend's port: that of the service's port, by its name in the slice. */
static const struct fg_object_port *backend_port(const struct fg_resolve *r,
						 const struct fg_name *name,
						 const struct fg_object_service *s,
						 const struct fg_object_backend *b)
{
	const struct fg_object_port *asked = s ? find_port(r, name, s->ports, s->port_count) : NULL;

	if (!asked)
		return find_port(r, name, b->ports, b->port_count);
	for (size_t i = 0; i < b->port_count; i++)
		if (!strcmp(b->ports[i].name, asked->name) &&
		    !strcmp(b->ports[i].protocol, asked->protocol))
			return &b->ports[i];
	return NULL;
}

static bool backend_fits(const struct fg_resolve *r, const struct fg_name *name, const char *host,
			 const struct fg_object_pod *from, const struct fg_object_backend *b)
{
	return !strcmp(b->service, name->name) && !strcmp(b->namespace, namespace_of(r, name)) &&
	       b->ready && (!host[0] || !strcmp(b->host, host)) &&
	       address_for(from, &b->address, 1);
}

/*
 * literal: who resolves the name of a headless service gets the backends' addresses, and the port
 * that he writes is not translated.
 */
static int add_backend(const struct fg_resolve *r, const struct fg_name *name, bool literal,
		       const struct fg_object_backend *b, struct fg_targets *out,
		       struct fg_error *err)
{
	const struct fg_object_service *s =
		fg_objects_service(r->objects, b->namespace, b->service);
	const struct fg_object_port *port = backend_port(r, name, s, b);
	struct fg_target *t;

	if (literal && name->port > 0)
		port = NULL;
	else if (!port && (name->port_name[0] || name->port > 0 || b->port_count > 1))
		return fail_port(name, s ? s->ports : b->ports, s ? s->port_count : b->port_count,
				 err);
	t = add_target(out, name, &b->address, port, err);
	if (!t)
		return -1;
	t->namespace = b->pod[0] ? b->namespace : "";
	t->pod = b->pod;
	t->node = b->node;
	return 0;
}

static int add_backends(const struct fg_resolve *r, const struct fg_name *name, const char *host,
			const struct fg_object_pod *from, bool literal, struct fg_targets *out,
			struct fg_error *err)
{
	size_t before = out->count;

	for (size_t i = 0; i < r->objects->backend_count; i++) {
		const struct fg_object_backend *b = &r->objects->backends[i];

		if (!backend_fits(r, name, host, from, b))
			continue;
		if (add_backend(r, name, literal, b, out, err))
			return -1;
		/* Who resolves the name takes the first; each is "endpoints:". */
		if (literal)
			break;
	}
	if (out->count > before)
		return 0;
	return fg_fail(err, FG_ERR_UNSUPPORTED, "%s: the service has no endpoint that is ready%s%s",
		       name->text, host[0] ? " and has the host name " : "", host);
}

static bool has_backend(const struct fg_resolve *r, const struct fg_object_service *s,
			const char *port_name)
{
	for (size_t i = 0; i < r->objects->backend_count; i++) {
		const struct fg_object_backend *b = &r->objects->backends[i];

		for (size_t k = 0; k < b->port_count; k++)
			if (b->ready && !strcmp(b->service, s->name) &&
			    !strcmp(b->namespace, s->namespace) &&
			    (!port_name || !strcmp(b->ports[k].name, port_name)))
				return true;
	}
	return false;
}

static int add_cluster_address(const struct fg_resolve *r, const struct fg_name *name,
			       const struct fg_object_service *s, const struct fg_object_pod *from,
			       struct fg_targets *out, struct fg_error *err)
{
	const struct fg_addr *addr = address_for(from, s->addresses, s->address_count);
	const struct fg_object_port *port = find_port(r, name, s->ports, s->port_count);
	struct fg_target *t;
	char text[100];

	if (!addr)
		return fail_family(name, from, err);
	if (!port && name->port < 0)
		return fail_port(name, s->ports, s->port_count, err);
	t = add_target(out, name, addr, port, err);
	if (!t)
		return -1;
	list_ports(s->ports, s->port_count, text, sizeof(text));
	if (!port)
		snprintf(t->note, sizeof(t->note), "the service has no port %d (its ports: %s)",
			 name->port, text);
	else if (!has_backend(r, s, port->name))
		snprintf(t->note, sizeof(t->note),
			 "the service has no endpoint that is ready for this port");
	return 0;
}

static int add_service(const struct fg_resolve *r, const struct fg_name *name,
		       const struct fg_object_pod *from, struct fg_targets *out,
		       struct fg_error *err)
{
	const struct fg_object_service *s =
		fg_objects_service(r->objects, namespace_of(r, name), name->name);

	if (!s)
		return fail_missing(r, name, "service", err);
	if (!strcmp(s->type, "ExternalName")) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "%s: the service is another name for %s",
			name->text, s->external_name);
		return fg_hint(err, "resolve that, and send to ext:ADDRESS");
	}
	if (name->kind == FG_NAME_ENDPOINTS)
		return add_backends(r, name, "", from, false, out, err);
	return s->headless ? add_backends(r, name, "", from, true, out, err)
			   : add_cluster_address(r, name, s, from, out, err);
}

static int fail_dns(const struct fg_name *name, const struct fg_object_pod *from,
		    struct fg_error *err)
{
	fg_fail(err, FG_ERR_UNSUPPORTED,
		"%s: no service of the cluster has this name for pod %s/%s", name->text,
		from->namespace, from->name);
	return fg_hint(err, "a name outside of the cluster: resolve it, and send to ext:ADDRESS");
}

/* A pod's search list begins with its own namespace. */
static int add_dns(const struct fg_resolve *r, const struct fg_name *name,
		   const struct fg_object_pod *from, struct fg_targets *out, struct fg_error *err)
{
	struct fg_name service;
	char host[64];

	if (fg_names_dns(name, from->namespace, r->domain, &service, host) ||
	    !fg_objects_service(r->objects, service.namespace, service.name))
		return fail_dns(name, from, err);
	if (host[0])
		return add_backends(r, &service, host, from, true, out, err);
	return add_service(r, &service, from, out, err);
}

int fg_resolve_targets(const struct fg_resolve *r, const struct fg_name *name,
		       const struct fg_object_pod *from, struct fg_targets *out,
		       struct fg_error *err)
{
	switch (name->kind) {
	case FG_NAME_POD:
	case FG_NAME_DEPLOYMENT:
	case FG_NAME_STATEFULSET:
	case FG_NAME_DAEMONSET:
	case FG_NAME_LABEL:
		return add_pods(r, name, from, out, err);
	case FG_NAME_SERVICE:
	case FG_NAME_ENDPOINTS:
		return add_service(r, name, from, out, err);
	case FG_NAME_NODE:
		return add_node(r, name, from, out, err);
	case FG_NAME_ADDRESS:
		return add_address(r, name, out, err);
	case FG_NAME_DNS:
		return add_dns(r, name, from, out, err);
	}
	return fg_fail(err, FG_ERR_INTERNAL, "%s: of no kind", name->text);
}
