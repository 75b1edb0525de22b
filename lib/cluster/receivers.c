// SPDX-License-Identifier: GPL-2.0-only
#include "cluster/receivers.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"

#define WHAT "receivers"

/* The service that the name means to the sender. Returns 0, or 1: it means none. */
static int service_of(const struct fg_resolve *r, const struct fg_name *name,
		      const struct fg_object_pod *from, struct fg_name *service)
{
	char host[64];

	*service = *name;
	if (name->kind == FG_NAME_DNS &&
	    fg_names_dns(name, from->namespace, r->domain, service, host))
		return 1;
	if (service->kind != FG_NAME_SERVICE)
		return 1;
	service->kind = FG_NAME_ENDPOINTS;
	return 0;
}

static int add(struct fg_targets *out, const struct fg_target *to, struct fg_error *err)
{
	struct fg_target *added;

	if (!to->node[0])
		return 0;
	added = FG_APPEND(out->list, out->count, WHAT, err);
	if (!added)
		return -1;
	*added = *to;
	return 0;
}

/* Behind a service it may be any of its backends; of one without any there is nobody to ask. */
int fg_receivers_find(const struct fg_resolve *r, const struct fg_name *name,
		      const struct fg_object_pod *from, const struct fg_target *to,
		      struct fg_targets *out, struct fg_error *err)
{
	struct fg_targets backends = {};
	struct fg_name service;
	int ret = 0;

	if (to->node[0])
		return add(out, to, err);
	if (service_of(r, name, from, &service) ||
	    fg_resolve_targets(r, &service, from, &backends, NULL))
		return 0;
	for (size_t i = 0; i < backends.count && !ret; i++)
		if (backends.list[i].addr.family == to->addr.family)
			ret = add(out, &backends.list[i], err);
	free(backends.list);
	return ret;
}
