// SPDX-License-Identifier: GPL-2.0-only
/* test_failure.c - kubectl's words and a pod's state as one clear line. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "cluster/failure.h"

static void test_words(void **state)
{
	static const struct {
		const char *said, *message, *hint;
		int code;
	} rows[] = {
		{ "Error from server (Forbidden): pods is forbidden: User \"bob\" cannot list resource "
		  "\"pods\" in API group \"\" in the namespace \"shop\"\n",
		  "x: the cluster does not let bob list pods in namespace shop",
		  "the right that is missing: list on pods; grant it, as doc/deploy/rbac.yaml does",
		  EACCES },
		{ "Error from server (Forbidden): pods \"a\" is forbidden: User \"bob\" cannot create "
		  "resource \"pods/exec\" in API group \"\" in the namespace \"kube-system\"",
		  "x: the cluster does not let bob create pods/exec in namespace kube-system",
		  "the right that is missing: create on pods/exec; grant it, as "
		  "doc/deploy/rbac.yaml does",
		  EACCES },
		{ "Error from server (Forbidden): endpointslices.discovery.k8s.io is forbidden: User "
		  "\"bob\" cannot list resource \"endpointslices\" in API group "
		  "\"discovery.k8s.io\" at the cluster scope",
		  "x: the cluster does not let bob list endpointslices.discovery.k8s.io in all "
		  "namespaces",
		  "the right that is missing: list on endpointslices; grant it, as "
		  "doc/deploy/rbac.yaml does",
		  EACCES },
		{ "Error from server (Forbidden): error when creating \"STDIN\": pods \"a\" is "
		  "forbidden: violates PodSecurity \"baseline:latest\": host namespaces "
		  "(hostNetwork=true)",
		  "x: admission refused it: violates PodSecurity \"baseline:latest\": host "
		  "namespaces (hostNetwork=true)",
		  "agents need a namespace that admits privileged pods: --agent-namespace, and "
		  "doc/deploy/README.md",
		  0 },
		{ "Error from server: error when creating \"STDIN\": admission webhook \"w.example\" "
		  "denied the request: no hostPID",
		  "x: admission refused it: error when creating \"STDIN\": admission webhook "
		  "\"w.example\" denied the request: no hostPID",
		  "agents need a namespace that admits privileged pods: --agent-namespace, and "
		  "doc/deploy/README.md",
		  0 },
		{ "E1129 12:00:00 memcache.go:265] \"Unhandled Error\" err=\"x\"\nThe connection to "
		  "the server localhost:8080 was refused - did you specify the right host or port?\n",
		  "x: no cluster answers: The connection to the server localhost:8080 was refused - "
		  "did you specify the right host or port?",
		  "kubectl decides which one is asked: --context, --kubeconfig, KUBECONFIG", 0 },
		{ "Error from server (NotFound): pods \"cart-9\" not found\n",
		  "x: pods \"cart-9\" not found", "", ENOENT },
		{ "error: context \"nope\" does not exist\n", "x: context \"nope\" does not exist",
		  "", 0 },
		{ "error: You must be logged in to the server (Unauthorized)\n",
		  "x: the cluster does not know this user",
		  "log in as kubectl needs it, and try `kubectl get pods`", 0 },
		{ "error: unknown flag: --x\nSee 'kubectl get --help' for usage.\n",
		  "x: unknown flag: --x", "", 0 },
		{ "\n \n", "x: kubectl failed and did not say why", "", 0 },
		{ "", "x: kubectl failed and did not say why", "", 0 },
		{ "cannot resource \"",
		  "x: the cluster does not let this user resource  in all namespaces",
		  "the right that is missing: resource on ; grant it, as doc/deploy/rbac.yaml does",
		  EACCES },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_error err = {};

		assert_int_equal(fg_failure_read("x", rows[i].said, strlen(rows[i].said), &err),
				 -1);
		assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
		assert_string_equal(err.message, rows[i].message);
		assert_string_equal(err.hint, rows[i].hint);
		assert_int_equal(err.code, rows[i].code);
	}
}

static void test_start(void **state)
{
#define POD(status_)                                                                                    \
	"{'metadata':{'namespace':'kube-system','name':'f'},'spec':{'nodeName':'a'},'status':{" status_ \
	"}}"
#define CONTAINER(state_) "'phase':'Pending','containerStatuses':[{'state':{" state_ "}}]"
	static const struct {
		const char *pod;
		enum fg_start start;
		const char *message, *hint;
	} rows[] = {
		{ POD("'phase':'Pending'"), FG_START_WAITING,
		  "pod kube-system/f on node a: its node has not taken it up",
		  "is the node ready?" },
		{ POD(CONTAINER("'waiting':{'reason':'ContainerCreating'}")), FG_START_WAITING,
		  "pod kube-system/f on node a: its container has not started (ContainerCreating)",
		  "" },
		{ POD("'phase':'Running','containerStatuses':[{'ready':true,'state':{'running':{}}}]"),
		  FG_START_READY, NULL, NULL },
		{ POD(CONTAINER("'waiting':{'reason':'ErrImagePull','message':'no such image'}")),
		  FG_START_FAILED,
		  "pod kube-system/f on node a: its image could not be pulled (ErrImagePull)",
		  "no such image" },
		{ POD(CONTAINER("'waiting':{'reason':'ImagePullBackOff'}")), FG_START_FAILED,
		  "pod kube-system/f on node a: its image could not be pulled (ImagePullBackOff)",
		  "--image names another one" },
		{ POD(CONTAINER("'waiting':{'reason':'CrashLoopBackOff'}")), FG_START_FAILED,
		  "pod kube-system/f on node a: its program ended at once (CrashLoopBackOff)",
		  "kubectl logs says why" },
		{ POD(CONTAINER("'terminated':{'reason':'Error'}")), FG_START_FAILED,
		  "pod kube-system/f on node a: its program ended (Error)", "" },
		{ POD("'phase':'Failed','reason':'OutOfpods','message':'too many'"),
		  FG_START_FAILED, "pod kube-system/f on node a: it has ended (OutOfpods)",
		  "too many" },
		{ POD("'phase':'Pending','conditions':[{'type':'PodScheduled','status':'False',"
		      "'reason':'Unschedulable','message':'0/2 nodes'}]"),
		  FG_START_FAILED, "pod kube-system/f on node a: no node takes it (Unschedulable)",
		  "0/2 nodes" },
		{ "{'metadata':{'namespace':'n','name':'f','deletionTimestamp':'x'},'spec':{}}",
		  FG_START_FAILED, "pod n/f on node (none): it is being deleted", "" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char *text = strdup(rows[i].pod);
		struct fg_error err = {};
		json_t *pod;

		for (char *p = text; *p; p++)
			*p = *p == '\'' ? '"' : *p;
		pod = json_loads(text, 0, NULL);
		assert_non_null(pod);
		assert_int_equal(fg_failure_start(pod, &err), rows[i].start);
		if (rows[i].message) {
			assert_string_equal(err.message, rows[i].message);
			assert_string_equal(err.hint, rows[i].hint);
		}
		json_decref(pod);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_words),
					    cmocka_unit_test(test_start) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
