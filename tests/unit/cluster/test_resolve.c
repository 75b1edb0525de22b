// SPDX-License-Identifier: GPL-2.0-only
/* test_resolve.c - which pods and addresses names mean, in a small cluster. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "base/parse.h"
#include "cluster/resolve.h"

/* As kubectl prints them, with ' for ". What the API leaves out is left out. */
static const char cluster[] =
	"{'kind':'List','items':["
	/* web: two pods of a Deployment, by a ReplicaSet; the first by name is not ready */
	"{'kind':'ReplicaSet','metadata':{'namespace':'shop','name':'web-5d','ownerReferences':"
	"[{'kind':'Deployment','name':'web','controller':true}]}},"
	"{'kind':'ReplicaSet','metadata':{'namespace':'shop','name':'old-5d','ownerReferences':"
	"[{'kind':'Rollout','name':'web','controller':true}]}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'web-5d-a','labels':{'app':'web'},"
	"'ownerReferences':[{'kind':'ReplicaSet','name':'web-5d','controller':true}]},"
	"'spec':{'nodeName':'a'},'status':{'phase':'Running','podIPs':[{'ip':'10.244.1.2'}],"
	"'conditions':[{'type':'Ready','status':'False'}]}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'web-5d-b','labels':{'app':'web','t':'x'},"
	"'ownerReferences':[{'kind':'Other','name':'web-5d'},"
	"{'kind':'ReplicaSet','name':'web-5d','controller':true}]},"
	"'spec':{'nodeName':'b','containers':[{'ports':[{'containerPort':53,'protocol':'UDP',"
	"'name':'dns'},{'containerPort':53,'name':'dns-tcp'}]}]},'status':{'phase':'Running',"
	"'podIPs':[{'ip':'10.244.2.2'},{'ip':'fd00:2::2'}],'conditions':[{'type':'Ready',"
	"'status':'True'}]}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'old-5d-c','ownerReferences':"
	"[{'kind':'ReplicaSet','name':'old-5d','controller':true}]},'spec':{'nodeName':'a'},"
	"'status':{'phase':'Running','podIP':'10.244.1.3'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'done','labels':{'job':'y'}},"
	"'spec':{'nodeName':'a'},'status':{'phase':'Succeeded','podIPs':[{'ip':'10.244.2.2'}]}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'waits'},'spec':{},"
	"'status':{'phase':'Pending'}},"
	"{'kind':'Pod','metadata':{'namespace':'shop','name':'going','deletionTimestamp':'x'},"
	"'spec':{'nodeName':'a'},'status':{'phase':'Running','podIP':'10.244.1.9'}},"
	"{'kind':'Pod','metadata':{'namespace':'kube-system','name':'proxy-a','ownerReferences':"
	"[{'kind':'DaemonSet','name':'proxy','controller':true}]},'spec':{'nodeName':'a',"
	"'hostNetwork':true},'status':{'phase':'Running','podIPs':[{'ip':'172.30.0.11'}]}},"
	"{'kind':'Pod','metadata':{'namespace':'pay','name':'pg-0','annotations':{'k8s.v1.cni.cncf.io/"
	"network-status':'[{\\'name\\':\\'main\\',\\'ips\\':[\\'10.244.2.3\\']},{\\'name\\':\\'net1\\',"
	"\\'interface\\':\\'net1\\',\\'ips\\':[\\'10.9.0.3\\',\\'fd00:9::3\\']},{\\'ips\\':7}]'},"
	"'ownerReferences':"
	"[{'kind':'StatefulSet','name':'pg','controller':true}]},'spec':{'nodeName':'b'},"
	"'status':{'phase':'Running','podIPs':[{'ip':'10.244.2.3'}]}},"
	/* services */
	"{'kind':'Service','metadata':{'namespace':'pay','name':'db'},'spec':{'clusterIP':"
	"'10.96.0.9','clusterIPs':['10.96.0.9','fd00:96::9'],'ports':[{'name':'pg','port':5432,"
	"'targetPort':'sql'}]}},"
	"{'kind':'Service','metadata':{'namespace':'pay','name':'dns'},'spec':{'clusterIP':"
	"'10.96.0.10','clusterIPs':['10.96.0.10'],'ports':[{'name':'udp','port':53,'protocol':"
	"'UDP'},{'name':'tcp','port':53,'protocol':'TCP'},{'name':'m','port':9153}]}},"
	"{'kind':'Service','metadata':{'namespace':'pay','name':'pg'},'spec':{'clusterIP':'None',"
	"'clusterIPs':['None'],'ports':[{'name':'pg','port':5432,'targetPort':'sql'}]}},"
	"{'kind':'Service','metadata':{'namespace':'pay','name':'none'},'spec':{'clusterIP':"
	"'10.96.0.11','ports':[{'port':80}]}},"
	"{'kind':'Service','metadata':{'namespace':'pay','name':'out'},'spec':{'type':"
	"'ExternalName','externalName':'db.example.com'}},"
	/* their backends: the port's number differs, and one is not ready */
	"{'kind':'EndpointSlice','metadata':{'namespace':'pay','name':'db-1','labels':"
	"{'kubernetes.io/service-name':'db'}},'ports':[{'name':'pg','port':6432}],'endpoints':["
	"{'addresses':['10.244.2.3'],'conditions':{'ready':true},'nodeName':'b','targetRef':"
	"{'kind':'Pod','name':'pg-0','namespace':'pay'}},"
	"{'addresses':['10.244.2.4'],'conditions':{'ready':false},'nodeName':'b'}]},"
	"{'kind':'EndpointSlice','metadata':{'namespace':'pay','name':'db-2','labels':"
	"{'kubernetes.io/service-name':'db'}},'ports':[{'name':'pg','port':7432}],'endpoints':["
	"{'addresses':['10.244.1.4'],'nodeName':'a'}]},"
	"{'kind':'EndpointSlice','metadata':{'namespace':'pay','name':'pg-1','labels':"
	"{'kubernetes.io/service-name':'pg'}},'ports':[{'name':'pg','port':6432}],'endpoints':["
	"{'addresses':['10.244.2.3'],'conditions':{'ready':true},'hostname':'pg-0','nodeName':'b',"
	"'targetRef':{'kind':'Pod','name':'pg-0','namespace':'pay'}},"
	"{'addresses':['10.244.1.4'],'hostname':'pg-1','nodeName':'a'}]},"
	"{'kind':'EndpointSlice','metadata':{'namespace':'pay','name':'none-1','labels':"
	"{'kubernetes.io/service-name':'none'}},'ports':null,'endpoints':null},"
	"{'kind':'Node','metadata':{'name':'a'},'status':{'addresses':[{'type':'Hostname',"
	"'address':'a'},{'type':'InternalIP','address':'172.30.0.11'}],'conditions':["
	"{'type':'Ready','status':'Unknown'}]}}]}";

struct world {
	struct fg_objects objects;
	struct fg_resolve r;
};

static void add(struct fg_objects *o, const char *text)
{
	char *copy = strdup(text);
	struct fg_error err;

	for (char *p = copy; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	assert_int_equal(fg_objects_add(o, copy, strlen(copy), &err), 0);
	free(copy);
}

static int set_up(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	add(&w->objects, cluster);
	w->r = (struct fg_resolve){ .objects = &w->objects,
				    .namespace = "shop",
				    .domain = "cluster.local" };
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	struct world *w = *state;

	fg_objects_free(&w->objects);
	free(w);
	return 0;
}

static void expect_sources(const struct world *w, const char *text, const char *names)
{
	struct fg_resolve_pods pods = {};
	struct fg_error err = {};
	struct fg_name n;
	char got[200] = "";

	assert_int_equal(fg_names_read_source("--pod", text, &n, &err), 0);
	if (fg_resolve_sources(&w->r, &n, &pods, &err))
		fail_msg("%s: %s", text, err.message);
	for (size_t i = 0; i < pods.count; i++)
		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s", i ? " " : "",
			 pods.list[i]->name);
	assert_string_equal(got, names);
	free(pods.list);
}

static void refuse_source(const struct world *w, const char *text, const char *why)
{
	struct fg_resolve_pods pods = {};
	struct fg_error err = {};
	struct fg_name n;

	assert_int_equal(fg_names_read_source("--pod", text, &n, &err), 0);
	assert_int_equal(fg_resolve_sources(&w->r, &n, &pods, &err), -1);
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	assert_null(pods.list);
	if (!strstr(err.message, why))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, err.message, why);
}

static void test_sources(void **state)
{
	const struct world *w = *state;

	expect_sources(w, "web-5d-a", "web-5d-a");
	expect_sources(w, "pay/pg-0", "pg-0");
	/* One: the first that is ready; all: those that run. */
	expect_sources(w, "deploy:web", "web-5d-b");
	expect_sources(w, "deploy:shop/web:all", "web-5d-b web-5d-a");
	expect_sources(w, "sts:pay/pg", "pg-0");
	expect_sources(w, "label:app=web,t!=x", "web-5d-a");
	expect_sources(w, "label:app,t", "web-5d-b");
	expect_sources(w, "label:!app:all", "old-5d-c");
	/* The pod that has it now, and not the one that had it. */
	expect_sources(w, "ip:10.244.2.2", "web-5d-b");
	expect_sources(w, "ip:fd00:2::2", "web-5d-b");
}

static void test_sources_refused(void **state)
{
	const struct world *w = *state;

	refuse_source(w, "web", "the cluster has no pod shop/web");
	refuse_source(w, "sts:shop/pg", "no pod of a StatefulSet shop/pg");
	refuse_source(w, "label:app=x", "no pod with the labels shop/app=x");
	refuse_source(w, "waits", "on no node yet");
	refuse_source(w, "done", "phase Succeeded");
	refuse_source(w, "going", "being deleted");
	refuse_source(w, "ds:kube-system/proxy", "hostNetwork");
	refuse_source(w, "ip:10.9.9.9", "no pod of the cluster has this address");
	refuse_source(w, "ip:172.30.0.11", "no pod of the cluster has this address");
}

/* "ADDRESS PORT PROTOCOL NODE POD", with commas between them; "!" before a note. */
static void expect_targets(const struct world *w, const char *from, const char *text,
			   const char *protocol, const char *wanted)
{
	const struct fg_object_pod *pod = fg_objects_pod(&w->objects, "shop", from);
	struct fg_resolve r = w->r;
	struct fg_targets targets = {};
	struct fg_error err = {};
	char got[500] = "", address[FG_ADDR_TEXT_LEN];
	struct fg_name n;

	r.protocol = protocol;
	assert_int_equal(fg_names_read_target("--dst", text, &n, &err), 0);
	if (fg_resolve_targets(&r, &n, pod, &targets, &err))
		fail_msg("%s: %s", text, err.message);
	for (size_t i = 0; i < targets.count; i++) {
		const struct fg_target *t = &targets.list[i];

		snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s %d %s %s %s%s%s",
			 i ? ", " : "", fg_addr_text(&t->addr, address, sizeof(address)), t->port,
			 t->protocol ? t->protocol : "-", t->node[0] ? t->node : "-",
			 t->pod[0] ? t->pod : "-", t->note[0] ? " !" : "", t->note);
	}
	assert_string_equal(got, wanted);
	free(targets.list);
}

static void refuse_target(const struct world *w, const char *text, const char *why)
{
	const struct fg_object_pod *pod = fg_objects_pod(&w->objects, "shop", "web-5d-a");
	struct fg_targets targets = {};
	struct fg_error err = {};
	char both[800];
	struct fg_name n;

	assert_int_equal(fg_names_read_target("--dst", text, &n, &err), 0);
	assert_int_equal(fg_resolve_targets(&w->r, &n, pod, &targets, &err), -1);
	snprintf(both, sizeof(both), "%s (%s)", err.message, err.hint);
	if (!strstr(both, why))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, both, why);
	free(targets.list);
}

#define V4 "web-5d-a"
#define DUAL "web-5d-b"

static void test_services(void **state)
{
	const struct world *w = *state;

	expect_targets(w, V4, "svc:pay/db", NULL, "10.96.0.9 5432 tcp - -");
	expect_targets(w, V4, "svc:pay/db:5432", NULL, "10.96.0.9 5432 tcp - -");
	expect_targets(w, V4, "svc:pay/db:pg", NULL, "10.96.0.9 5432 tcp - -");
	/* A number for two protocols: the one that is asked for. */
	expect_targets(w, V4, "svc:pay/dns:53", "udp",
		       "10.96.0.10 53 udp - - !the service has no endpoint that is ready for this "
		       "port");
	expect_targets(w, V4, "svc:pay/dns:53", NULL,
		       "10.96.0.10 53 tcp - - !the service has no endpoint that is ready for this "
		       "port");
	expect_targets(w, V4, "svc:pay/db:99", NULL,
		       "10.96.0.9 99 - - - !the service has no port 99 (its ports: 5432/TCP pg)");
	expect_targets(w, V4, "svc:pay/none", NULL,
		       "10.96.0.11 80 tcp - - !the service has no endpoint that is ready for this "
		       "port");
	refuse_target(w, "svc:pay/dns",
		      "say which port is meant (its ports: 53/UDP udp, 53/TCP tcp");
	refuse_target(w, "svc:pay/db:http", "no port with this name (its ports: 5432/TCP pg)");
	refuse_target(w, "svc:shop/db", "no service shop/db");
	refuse_target(w, "svc:pay/out", "another name for db.example.com");
}

/* An address that is a pod's: the pod's name for a port; else what everybody calls so. */
static void test_named_ports(void **state)
{
	const struct world *w = *state;

	expect_targets(w, DUAL, "pod:shop/web-5d-b:dns", NULL, "10.244.2.2 53 udp b web-5d-b");
	expect_targets(w, DUAL, "[fd00:2::2]:dns", NULL, "fd00:2::2 53 udp b web-5d-b");
	expect_targets(w, DUAL, "10.244.2.2:dns-tcp", NULL, "10.244.2.2 53 tcp b web-5d-b");
	expect_targets(w, DUAL, "[fd00:2::2]:http", NULL, "fd00:2::2 80 - b web-5d-b");
	expect_targets(w, DUAL, "[fd00:77::1]:http", NULL, "fd00:77::1 80 - - -");
	expect_targets(w, DUAL, "ext:192.0.2.9:https", NULL, "192.0.2.9 443 - - -");
	refuse_target(w, "10.244.2.2:nobody", "no port has this name");
}

static void test_backends(void **state)
{
	const struct world *w = *state;

	/* Each slice has its own number for the port; one backend is not ready. */
	expect_targets(w, V4, "endpoints:pay/db:pg", NULL,
		       "10.244.2.3 6432 tcp b pg-0, 10.244.1.4 7432 tcp a -");
	expect_targets(w, V4, "endpoints:pay/db:5432", NULL,
		       "10.244.2.3 6432 tcp b pg-0, 10.244.1.4 7432 tcp a -");
	expect_targets(w, V4, "endpoints:pay/db", NULL,
		       "10.244.2.3 6432 tcp b pg-0, 10.244.1.4 7432 tcp a -");
	refuse_target(w, "endpoints:pay/none", "no endpoint that is ready");
	/* Headless: the name is the backend's address, and a number is not translated. */
	expect_targets(w, V4, "svc:pay/pg:5432", NULL, "10.244.2.3 5432 - b pg-0");
	expect_targets(w, V4, "svc:pay/pg:pg", NULL, "10.244.2.3 6432 tcp b pg-0");
}

static void test_other_targets(void **state)
{
	const struct world *w = *state;

	expect_targets(w, V4, "pod:web-5d-b:80", NULL, "10.244.2.2 80 - b web-5d-b");
	expect_targets(w, V4, "pod:web-5d-b:dns", NULL, "10.244.2.2 53 udp b web-5d-b");
	expect_targets(w, V4, "deploy:web:all:80", NULL,
		       "10.244.2.2 80 - b web-5d-b, 10.244.1.2 80 - a web-5d-a");
	expect_targets(w, V4, "shop/done:80", NULL,
		       "10.244.2.2 80 - a done !pod shop/done does not run");
	expect_targets(w, V4, "node:a:22", NULL, "172.30.0.11 22 - a - !node a is not ready");
	/* An address: who has it is known, if it is a pod's own. */
	expect_targets(w, V4, "10.244.2.3:5432", NULL, "10.244.2.3 5432 - b pg-0");
	expect_targets(w, V4, "10.9.9.9", NULL, "10.9.9.9 -1 - - -");
	expect_targets(w, V4, "172.30.0.11", NULL, "172.30.0.11 -1 - - -");
	refuse_target(w, "pod:web-5d-b:x", "no port with this name");
	refuse_target(w, "waits", "no service of the cluster has this name for pod shop/web-5d-a");
	refuse_target(w, "shop/waits:80", "no address");
	refuse_target(w, "node:b:22", "no node b");
}

/* A pod's second address, and those of other networks. */
static void test_other_addresses(void **state)
{
	static const char printed[] =
		"shop web-5d-b 10.244.2.2 fd00:2::2\n"
		"shop waits\n"
		"\n"
		"pay pg-0 10.244.2.3 \"[{\\n  \\\"name\\\": \\\"net1\\\",\\n  \\\"ips\\\": "
		"[\\n    \\\"10.9.0.3\\\"\\n  ]}]\"\n"
		"pay odd 10.244.2.30 \"[{\\n\n";
	static const struct {
		const char *address, *namespace, *name;
	} rows[] = {
		{ "fd00:2::2", "shop", "web-5d-b" }, { "10.244.2.2", "shop", "web-5d-b" },
		{ "10.9.0.3", "pay", "pg-0" },	     { "10.244.2.30", "pay", "odd" },
		{ "10.9.0.4", NULL, NULL },
	};
	char namespace[64], name[254];
	struct fg_addr addr;

	expect_targets(*state, "web-5d-a", "10.9.0.3:80", NULL, "10.9.0.3 80 - b pg-0");
	expect_targets(*state, "web-5d-a", "fd00:2::2", NULL, "fd00:2::2 -1 - b web-5d-b");
	expect_sources(*state, "ip:fd00:9::3", "pg-0");
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_int_equal(fg_parse_addr("", rows[i].address, &addr, NULL), 0);
		assert_int_equal(fg_objects_find(printed, strlen(printed), &addr, namespace, name),
				 rows[i].name != NULL);
		if (!rows[i].name)
			continue;
		assert_string_equal(namespace, rows[i].namespace);
		assert_string_equal(name, rows[i].name);
	}
}

static void test_dns(void **state)
{
	const struct world *w = *state;

	expect_targets(w, V4, "db.pay:5432", NULL, "10.96.0.9 5432 tcp - -");
	expect_targets(w, V4, "db.pay.svc.cluster.local:pg", NULL, "10.96.0.9 5432 tcp - -");
	expect_targets(w, V4, "pg-1.pg.pay.svc:5432", NULL, "10.244.1.4 5432 - a -");
	/* The pod's own namespace is asked first, and there is none in it. */
	refuse_target(w, "db:5432", "resolve it, and send to ext:ADDRESS");
	refuse_target(w, "www.example.com:80", "resolve it, and send to ext:ADDRESS");
	refuse_target(w, "pg-9.pg.pay.svc:5432", "the host name pg-9");
}

static void test_families(void **state)
{
	const struct world *w = *state;

	/* The service's first family, where the pod has both. */
	expect_targets(w, DUAL, "svc:pay/db", NULL, "10.96.0.9 5432 tcp - -");
}

static void test_six_only(void **state)
{
	struct world *w = *state;

	add(&w->objects,
	    "{'kind':'Pod','metadata':{'namespace':'shop','name':'six'},'spec':"
	    "{'nodeName':'a'},'status':{'phase':'Running','podIPs':[{'ip':'fd00:1::6'}]}}");
	expect_targets(w, "six", "svc:pay/db", NULL, "fd00:96::9 5432 tcp - -");
	expect_targets(w, "six", "pod:web-5d-b:1", NULL, "fd00:2::2 1 - b web-5d-b");
	refuse_target(w, "pod:shop/six:1", "no address of a family that pod shop/web-5d-a has");
}

/* What is no object of the API, or is broken, is left out. */
static void test_broken(void **state)
{
	static const char *const texts[] = {
		"[]",
		"{}",
		"{'items':7}",
		"{'items':[7,null,{}]}",
		"{'kind':'Pod'}",
		"{'kind':'Pod','metadata':7,'spec':[],'status':'x'}",
		"{'kind':'Pod','metadata':{'name':'p'},'status':{'podIPs':[7,{'ip':7},{'ip':'x'}]}}",
		"{'kind':'Service','metadata':{'name':'s'},'spec':{'ports':[7,{'port':-1},{'port':"
		"70000}],'clusterIPs':{'a':1}}}",
		"{'kind':'EndpointSlice','endpoints':[7,{'addresses':'x'},{'addresses':[]}]}",
	};
	struct fg_objects o = {};
	struct fg_error err;

	(void)state;
	for (size_t i = 0; i < COUNT(texts); i++)
		add(&o, texts[i]);
	assert_int_equal(o.backend_count, 0);
	assert_int_equal(o.pods[0].address_count, 0);
	assert_int_equal(o.services[0].ports[2].number, 0);
	assert_int_equal(fg_objects_add(&o, "{", 1, &err), -1);
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	fg_objects_free(&o);
}

/* As the API server has them: what is in a list does not say its kind, and lists follow others. */
static void test_lists(void **state)
{
	struct fg_objects o = {};

	(void)state;
	add(&o, "{'kind':'PodList','items':[{'metadata':{'namespace':'n','name':'a'}}]}\n"
		"{'kind':'ServiceList','items':[{'metadata':{'namespace':'n','name':'b'}}]}"
		"{'kind':'Pod','metadata':{'namespace':'n','name':'c'}}\n"
		"{'kind':'PodListing','items':[{'metadata':{'namespace':'n','name':'d'}}]}"
		"{'kind':'EndpointSliceList','items':null} {'kind':'NodeList','items':[]}\n");
	assert_int_equal(o.pod_count, 2);
	assert_non_null(fg_objects_pod(&o, "n", "a"));
	assert_non_null(fg_objects_pod(&o, "n", "c"));
	assert_int_equal(o.service_count, 1);
	assert_non_null(fg_objects_service(&o, "n", "b"));
	fg_objects_free(&o);
}

/*
 * cluster.json is what `kubectl get pods,services,endpointslices,nodes,replicasets -A -o json` of
 * version 1.34 printed for the cluster of tests/cluster, without its volumes.
 */
static int set_up_recorded(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	FILE *f = fopen(FLOWGEN_SOURCE_DIR "/tests/unit/cluster/cluster.json", "r");
	static char text[1 << 17];
	struct fg_error err;
	size_t len;

	assert_non_null(f);
	len = fread(text, 1, sizeof(text), f);
	fclose(f);
	assert_int_equal(fg_objects_add(&w->objects, text, len, &err), 0);
	w->r = (struct fg_resolve){ .objects = &w->objects,
				    .namespace = "shop",
				    .domain = "cluster.local" };
	*state = w;
	return 0;
}

static void test_recorded(void **state)
{
	const struct world *w = *state;
	const struct fg_object_pod *db = fg_objects_pod(&w->objects, "pay", "db-0");
	const struct fg_object_node *node = fg_objects_node(&w->objects, "node-b");

	assert_non_null(db);
	assert_string_equal(db->node, "node-b");
	assert_string_equal(db->ports[0].name, "sql");
	assert_true(db->ready && fg_objects_pod_runs(db) && !db->host_network);
	assert_non_null(node);
	assert_true(node->ready);
	expect_sources(w, "deploy:web", "web-65f96c97b5-ggmnf");
	expect_sources(w, "sts:pay/db:all", "db-0 db-1");
	expect_targets(w, "cart-0", "svc:pay/db", NULL, "10.96.22.183 5432 tcp - -");
	expect_targets(w, "cart-0", "endpoints:pay/db:sql", NULL,
		       "10.244.1.3 8080 tcp node-b db-1, 10.244.1.2 8080 tcp node-b db-0");
	expect_targets(w, "cart-0", "db-1.each.pay.svc.cluster.local:8080", NULL,
		       "10.244.1.3 8080 - node-b db-1");
	expect_targets(
		w, "cart-0", "svc:pay/none:80", NULL,
		"10.96.83.19 80 tcp - - !the service has no endpoint that is ready for this port");
	expect_targets(w, "cart-0", "node:node-b:10250", NULL, "172.30.0.12 10250 - node-b -");
}

#define WITH_CLUSTER(test_) cmocka_unit_test_setup_teardown(test_, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_CLUSTER(test_sources),
		WITH_CLUSTER(test_sources_refused),
		WITH_CLUSTER(test_services),
		WITH_CLUSTER(test_other_addresses),
		WITH_CLUSTER(test_named_ports),
		WITH_CLUSTER(test_backends),
		WITH_CLUSTER(test_other_targets),
		WITH_CLUSTER(test_dns),
		WITH_CLUSTER(test_families),
		WITH_CLUSTER(test_six_only),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_broken),
		cmocka_unit_test_setup_teardown(test_recorded, set_up_recorded, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
