// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/objects.h"

#include <errno.h>
#include <stdio.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/grow.h"
#include "base/parse.h"

#define WHAT "objects of the cluster"
#define SERVICE_LABEL "kubernetes.io/service-name"
#define NETWORK_STATUS "k8s.v1.cni.cncf.io/network-status"

/* --- reading values that may be missing, or of another type --- */

static const json_t *at(const json_t *value, const char *a, const char *b)
{
	value = json_object_get(value, a);
	return b ? json_object_get(value, b) : value;
}

static const char *text_at(const json_t *value, const char *a, const char *b)
{
	const char *text = json_string_value(at(value, a, b));

	return text ? text : "";
}

static uint16_t port_of(const json_t *value)
{
	json_int_t number = json_is_integer(value) ? json_integer_value(value) : 0;

	return number > 0 && number <= 65535 ? (uint16_t)number : 0;
}

static int add_address(const char *text, struct fg_addr **list, size_t *count, struct fg_error *err)
{
	struct fg_addr addr, *added;

	if (!text || fg_parse_addr("", text, &addr, NULL))
		return 0;
	added = FG_APPEND(*list, *count, WHAT, err);
	if (!added)
		return -1;
	*added = addr;
	return 0;
}

/* A list of texts, or of objects with a text by this name. */
static int read_addresses(const json_t *list, const char *key, struct fg_addr **out, size_t *count,
			  struct fg_error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (add_address(json_string_value(key ? json_object_get(item, key) : item), out,
				count, err))
			return -1;
	}
	return 0;
}

static int read_ports(const json_t *list, const char *number, struct fg_object_port **out,
		      size_t *count, struct fg_error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		struct fg_object_port *p = FG_APPEND(*out, *count, WHAT, err);

		if (!p)
			return -1;
		p->name = text_at(item, "name", NULL);
		p->number = port_of(json_object_get(item, number));
		p->protocol = text_at(item, "protocol", NULL);
		if (!p->protocol[0])
			p->protocol = "TCP"; /* the API's default */
	}
	return 0;
}

static bool has_condition(const json_t *object, const char *type)
{
	const json_t *list = at(object, "status", "conditions");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (!strcmp(text_at(item, "type", NULL), type))
			return !strcmp(text_at(item, "status", NULL), "True");
	}
	return false;
}

static void read_owner(const json_t *object, const char **kind, const char **name)
{
	const json_t *list = at(object, "metadata", "ownerReferences");

	*kind = *name = "";
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (!json_is_true(json_object_get(item, "controller")))
			continue;
		*kind = text_at(item, "kind", NULL);
		*name = text_at(item, "name", NULL);
	}
}

/* --- the kinds --- */

static int read_containers(const json_t *list, struct fg_object_pod *pod, struct fg_error *err)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (read_ports(json_object_get(json_array_get(list, i), "ports"), "containerPort",
			       &pod->ports, &pod->port_count, err))
			return -1;
	return 0;
}

/* The annotation is JSON in a text: a list of networks, each with its ips. */
static int read_networks(const char *text, struct fg_addr **out, size_t *count,
			 struct fg_error *err)
{
	json_t *list = text ? json_loads(text, 0, NULL) : NULL;
	int ret = 0;

	for (size_t i = 0; !ret && i < json_array_size(list); i++)
		ret = read_addresses(json_object_get(json_array_get(list, i), "ips"), NULL, out,
				     count, err);
	json_decref(list);
	return ret;
}

static int add_pod(struct fg_objects *o, const json_t *object, struct fg_error *err)
{
	const char *namespace = text_at(object, "metadata", "namespace");
	const char *name = text_at(object, "metadata", "name");
	struct fg_object_pod *pod;

	if (!name[0])
		return 0;
	pod = FG_APPEND(o->pods, o->pod_count, WHAT, err);
	if (!pod)
		return -1;
	pod->namespace = namespace;
	pod->name = name;
	pod->uid = text_at(object, "metadata", "uid");
	pod->labels = at(object, "metadata", "labels");
	pod->node = text_at(object, "spec", "nodeName");
	pod->phase = text_at(object, "status", "phase");
	pod->host_network = json_is_true(at(object, "spec", "hostNetwork"));
	pod->ready = has_condition(object, "Ready");
	pod->deleting = at(object, "metadata", "deletionTimestamp") != NULL;
	read_owner(object, &pod->owner_kind, &pod->owner);
	if (read_addresses(at(object, "status", "podIPs"), "ip", &pod->addresses,
			   &pod->address_count, err))
		return -1;
	if (!pod->address_count && add_address(text_at(object, "status", "podIP"), &pod->addresses,
					       &pod->address_count, err))
		return -1;
	if (read_networks(json_string_value(json_object_get(at(object, "metadata", "annotations"),
							    NETWORK_STATUS)),
			  &pod->others, &pod->other_count, err))
		return -1;
	/* A restartable init container serves as the others do (a sidecar). */
	return read_containers(at(object, "spec", "containers"), pod, err) ||
			       read_containers(at(object, "spec", "initContainers"), pod, err)
		       ? -1
		       : 0;
}

static int add_service(struct fg_objects *o, const json_t *object, struct fg_error *err)
{
	struct fg_object_service *s = FG_APPEND(o->services, o->service_count, WHAT, err);
	const char *address = text_at(object, "spec", "clusterIP");

	if (!s)
		return -1;
	s->namespace = text_at(object, "metadata", "namespace");
	s->name = text_at(object, "metadata", "name");
	s->type = text_at(object, "spec", "type");
	s->external_name = text_at(object, "spec", "externalName");
	s->headless = !strcmp(address, "None");
	if (read_addresses(at(object, "spec", "clusterIPs"), NULL, &s->addresses, &s->address_count,
			   err))
		return -1;
	if (!s->address_count && add_address(address, &s->addresses, &s->address_count, err))
		return -1;
	return read_ports(at(object, "spec", "ports"), "port", &s->ports, &s->port_count, err);
}

static int add_backend(struct fg_objects *o, const json_t *slice, const json_t *endpoint,
		       const struct fg_object_backend *like, struct fg_error *err)
{
	const json_t *addresses = json_object_get(endpoint, "addresses");
	struct fg_object_backend *b;
	struct fg_addr addr;

	/* "Consumers must handle only the first" (discovery.k8s.io/v1); an FQDN is left out. */
	if (fg_parse_addr("",
			  json_string_value(json_array_get(addresses, 0))
				  ? json_string_value(json_array_get(addresses, 0))
				  : "",
			  &addr, NULL))
		return 0;
	b = FG_APPEND(o->backends, o->backend_count, WHAT, err);
	if (!b)
		return -1;
	*b = *like;
	b->address = addr;
	b->namespace = text_at(slice, "metadata", "namespace");
	b->service =
		json_string_value(json_object_get(at(slice, "metadata", "labels"), SERVICE_LABEL));
	b->service = b->service ? b->service : "";
	b->node = text_at(endpoint, "nodeName", NULL);
	b->host = text_at(endpoint, "hostname", NULL);
	if (!strcmp(text_at(endpoint, "targetRef", "kind"), "Pod"))
		b->pod = text_at(endpoint, "targetRef", "name");
	/* Not said is to be taken for ready. */
	b->ready = !json_is_false(at(endpoint, "conditions", "ready"));
	return 0;
}

static int add_slice(struct fg_objects *o, const json_t *object, struct fg_error *err)
{
	const json_t *endpoints = json_object_get(object, "endpoints");
	struct fg_object_port *ports = NULL, **kept;
	struct fg_object_backend like = { .pod = "" };

	kept = FG_APPEND(o->shared, o->shared_count, WHAT, err);
	if (!kept)
		return -1;
	if (read_ports(json_object_get(object, "ports"), "port", &ports, &like.port_count, err)) {
		free(ports);
		return -1;
	}
	like.ports = *kept = ports;
	for (size_t i = 0; i < json_array_size(endpoints); i++)
		if (add_backend(o, object, json_array_get(endpoints, i), &like, err))
			return -1;
	return 0;
}

static int add_node(struct fg_objects *o, const json_t *object, struct fg_error *err)
{
	const json_t *list = at(object, "status", "addresses");
	struct fg_object_node *n = FG_APPEND(o->nodes, o->node_count, WHAT, err);

	if (!n)
		return -1;
	n->name = text_at(object, "metadata", "name");
	n->ready = has_condition(object, "Ready");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);

		if (!strcmp(text_at(item, "type", NULL), "InternalIP") &&
		    add_address(text_at(item, "address", NULL), &n->addresses, &n->address_count,
				err))
			return -1;
	}
	return 0;
}

static int add_owner(struct fg_objects *o, const json_t *object, struct fg_error *err)
{
	struct fg_object_owner *owner = FG_APPEND(o->owners, o->owner_count, WHAT, err);

	if (!owner)
		return -1;
	owner->namespace = text_at(object, "metadata", "namespace");
	owner->name = text_at(object, "metadata", "name");
	read_owner(object, &owner->kind, &owner->owner);
	return 0;
}

/* list_kind: of the list that it is in; those of a "PodList" do not say that they are pods. */
static int add_object(struct fg_objects *o, const json_t *object, const char *list_kind,
		      struct fg_error *err)
{
	static const struct {
		const char *kind;
		int (*add)(struct fg_objects *o, const json_t *object, struct fg_error *err);
	} kinds[] = {
		{ "Pod", add_pod },   { "Service", add_service },  { "EndpointSlice", add_slice },
		{ "Node", add_node }, { "ReplicaSet", add_owner },
	};
	const char *kind = text_at(object, "kind", NULL);
	char list[64];

	snprintf(list, sizeof(list), "%s%s", kind[0] ? kind : list_kind, kind[0] ? "List" : "");
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strncmp(list, kinds[i].kind, strlen(kinds[i].kind)) &&
		    !strcmp(list + strlen(kinds[i].kind), "List"))
			return kinds[i].add(o, object, err);
	return 0;
}

static int add_document(struct fg_objects *objects, json_t *value, struct fg_error *err)
{
	const json_t *items = json_object_get(value, "items");

	if (!objects->documents)
		objects->documents = json_array();
	if (json_array_append(objects->documents, value))
		return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, WHAT);
	if (!items)
		return add_object(objects, value, "", err);
	for (size_t i = 0; i < json_array_size(items); i++)
		if (add_object(objects, json_array_get(items, i), text_at(value, "kind", NULL),
			       err))
			return -1;
	return 0;
}

int fg_objects_add(struct fg_objects *objects, const char *text, size_t len, struct fg_error *err)
{
	size_t used = 0;
	int ret = 0;

	while (!ret && used < len) {
		json_error_t why;
		json_t *value = json_loadb(text + used, len - used, JSON_DISABLE_EOF_CHECK, &why);

		if (!value)
			return fg_fail(err, FG_ERR_INTERNAL, "the cluster's answer is not JSON: %s",
				       why.text);
		used += (size_t)why.position;
		while (used < len && isspace((unsigned char)text[used]))
			used++;
		ret = add_document(objects, value, err);
		json_decref(value);
	}
	return ret;
}

void fg_objects_free(struct fg_objects *o)
{
	for (size_t i = 0; i < o->pod_count; i++) {
		free(o->pods[i].addresses);
		free(o->pods[i].others);
		free(o->pods[i].ports);
	}
	for (size_t i = 0; i < o->service_count; i++) {
		free(o->services[i].addresses);
		free(o->services[i].ports);
	}
	for (size_t i = 0; i < o->node_count; i++)
		free(o->nodes[i].addresses);
	for (size_t i = 0; i < o->shared_count; i++)
		free(o->shared[i]);
	free(o->pods);
	free(o->services);
	free(o->backends);
	free(o->nodes);
	free(o->owners);
	free(o->shared);
	json_decref(o->documents);
	*o = (struct fg_objects){};
}

const struct fg_object_pod *fg_objects_pod(const struct fg_objects *o, const char *namespace,
					   const char *name)
{
	for (size_t i = 0; i < o->pod_count; i++)
		if (!strcmp(o->pods[i].name, name) && !strcmp(o->pods[i].namespace, namespace))
			return &o->pods[i];
	return NULL;
}

const struct fg_object_service *fg_objects_service(const struct fg_objects *o,
						   const char *namespace, const char *name)
{
	for (size_t i = 0; i < o->service_count; i++)
		if (!strcmp(o->services[i].name, name) &&
		    !strcmp(o->services[i].namespace, namespace))
			return &o->services[i];
	return NULL;
}

const struct fg_object_node *fg_objects_node(const struct fg_objects *o, const char *name)
{
	for (size_t i = 0; i < o->node_count; i++)
		if (!strcmp(o->nodes[i].name, name))
			return &o->nodes[i];
	return NULL;
}

bool fg_objects_pod_runs(const struct fg_object_pod *pod)
{
	return !strcmp(pod->phase, "Running") && !pod->deleting;
}

static bool has_address(const struct fg_addr *list, size_t count, const struct fg_addr *addr)
{
	for (size_t i = 0; i < count; i++)
		if (fg_addr_equal(&list[i], addr))
			return true;
	return false;
}

const struct fg_object_pod *fg_objects_pod_at(const struct fg_objects *o,
					      const struct fg_addr *addr)
{
	for (size_t i = 0; i < o->pod_count; i++) {
		const struct fg_object_pod *pod = &o->pods[i];

		if (!pod->host_network && !strcmp(pod->phase, "Running") &&
		    (has_address(pod->addresses, pod->address_count, addr) ||
		     has_address(pod->others, pod->other_count, addr)))
			return pod;
	}
	return NULL;
}

/* --- one line for a pod --- */

const char fg_objects_template[] =
	"--output=go-template={{range .items}}{{.metadata.namespace}} {{.metadata.name}}"
	"{{range .status.podIPs}} {{.ip}}{{end}}{{with .metadata.annotations}}"
	"{{with index . \"" NETWORK_STATUS "\"}} {{printf \"%q\" .}}{{end}}{{end}}"
	"{{\"\\n\"}}{{end}}";

/* What the template printed: Go's form of a string in quotes is JSON's, but for control characters.
 */
static bool is_in_networks(const char *quoted, const struct fg_addr *addr)
{
	json_t *text = json_loads(quoted, JSON_DECODE_ANY, NULL);
	struct fg_addr *list = NULL;
	size_t count = 0;
	bool found;

	read_networks(json_string_value(text), &list, &count, NULL);
	found = has_address(list, count, addr);
	json_decref(text);
	free(list);
	return found;
}

/* words: after namespace and name. */
static bool is_in_line(char *words, const struct fg_addr *addr)
{
	char *quoted = strchr(words, '"'), *state = NULL;
	struct fg_addr own;

	if (quoted && is_in_networks(quoted, addr))
		return true;
	if (quoted)
		*quoted = '\0';
	for (char *word = strtok_r(words, " ", &state); word; word = strtok_r(NULL, " ", &state))
		if (!fg_parse_addr("", word, &own, NULL) && fg_addr_equal(&own, addr))
			return true;
	return false;
}

bool fg_objects_find(const char *text, size_t len, const struct fg_addr *addr, char *namespace,
		     char *name)
{
	const char *end = text + len;

	for (const char *next; text < end; text = next) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		FG_FREE char *line = NULL;
		int at = 0;

		next = newline ? newline + 1 : end;
		line = strndup(text, (size_t)((newline ? newline : end) - text));
		if (line && sscanf(line, "%63s %253s%n", namespace, name, &at) == 2 && at &&
		    is_in_line(line + at, addr))
			return true;
	}
	return false;
}
