// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pods as containerd records them, and every way in which a record can be out of date or
 * misleading.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <utime.h>
#include <cmocka.h>

#include "base/count.h"
#include "recorded.h"

#define NETNS_A "/var/run/netns/cni-a"
#define CGROUP(id) "/kubepods/besteffort/pod1/" id

static const struct host_pod cart = { 'a', "shop", "cart-0", "uid-a", NETNS_A, 100 };

/* shop/cart-0 as it runs, with its namespace in /run/netns. */
static void put_cart(void)
{
	host_put_netns(&host, "/run/netns/cni-a", HOST_NETNS_A);
	host_put_containerd(&host, &cart);
	host_put_process(&host, 50, 1, "/system.slice/containerd.service", HOST_NODE_NETNS);
	host_put_process(&host, 100, 50, CGROUP(ID_A), HOST_NETNS_A);
}

static void test_pod_is_found_by_each_name(void **state)
{
	const struct fg_runtime_pod *pod;

	(void)state;
	put_cart();
	host_put_containerd_app(&host, &cart, 'c', 101);
	host_put_process(&host, 101, 50, CGROUP(ID_C), HOST_NETNS_A);
	recorded_list();
	assert_int_equal(pods.count, 1);
	assert_int_equal(pods.container_count, 2);
	assert_int_equal(pods.skipped, 0);
	pod = recorded_find("shop/cart-0");
	assert_non_null(pod);
	assert_string_equal(pod->runtime, "containerd");
	assert_string_equal(pod->uid, "uid-a");
	assert_string_equal(pod->id, ID_A);
	assert_int_equal(pod->netns_inode, host.inode[HOST_NETNS_A]);
	assert_int_equal(pod->pid, 100);
	assert_true(pod->live);
	assert_false(pod->host_network);
	assert_in_range(pod->created, time(NULL) - 60, time(NULL) + 1);
	assert_ptr_equal(recorded_find("uid:uid-a"), pod);
	assert_ptr_equal(recorded_find("container:" ID_A), pod);
	assert_ptr_equal(recorded_find("container:aaaaaa"), pod);
	/* An application's container leads to its sandbox. */
	assert_ptr_equal(recorded_find("container:" ID_C), pod);
	assert_ptr_equal(recorded_find("container:c"), pod);
	recorded_refuses("container:d", "not on this node");
	recorded_refuses("shop/cart", "not on this node");
	recorded_refuses("sho/cart-0", "not on this node");
	recorded_refuses("shop/cart-00", "not on this node");
}

static void test_forms_of_names(void **state)
{
	static const char *const wrong[] = { "",      "cart-0",	      "/cart-0",
					     "shop/", "/run/netns/x", "a/b/c",
					     "uid:",  "container:",   "ip:10/8",
					     "pid:7" };

	(void)state;
	recorded_list();
	for (size_t i = 0; i < COUNT(wrong); i++) {
		assert_null(fg_runtime_find(&pods, wrong[i], &err));
		assert_int_equal(err.kind, FG_ERR_USAGE);
	}
	assert_true(fg_runtime_is_ref("shop/cart-0"));
	assert_true(fg_runtime_is_ref("uid:x"));
	assert_true(fg_runtime_is_ref("container:x"));
	assert_false(fg_runtime_is_ref("/proc/1/ns/net"));
	assert_false(fg_runtime_is_ref("dev:eth0"));
}

static void test_same_name_in_two_namespaces(void **state)
{
	const struct host_pod other = { 'b', "pay", "cart-0", "uid-b", "/run/netns/cni-b", 200 };

	(void)state;
	put_cart();
	host_put_netns(&host, "/run/netns/cni-b", HOST_NETNS_B);
	host_put_containerd(&host, &other);
	host_put_process(&host, 200, 50, CGROUP(ID_B), HOST_NETNS_B);
	recorded_list();
	assert_int_equal(recorded_find("shop/cart-0")->netns_inode, host.inode[HOST_NETNS_A]);
	assert_int_equal(recorded_find("pay/cart-0")->netns_inode, host.inode[HOST_NETNS_B]);
	recorded_refuses("web/cart-0", "not on this node");
	assert_non_null(strstr(err.hint, "/cart-0"));
}

static void test_host_network_is_refused(void **state)
{
	const struct host_pod agent = { 'b', "kube-system", "agent", "uid-b", NULL, 200 };

	(void)state;
	host_put_containerd(&host, &agent);
	host_put_process(&host, 200, 50, CGROUP(ID_B), HOST_NODE_NETNS);
	recorded_list();
	assert_int_equal(pods.count, 1);
	assert_true(pods.pods[0].host_network);
	assert_string_equal(pods.pods[0].netns, "");
	recorded_refuses("kube-system/agent", "host network");
}

/*
 * What is left when its pause process was killed says nothing of the node's network, except by
 * where it is.
 */
static void test_host_network_known_from_a_container(void **state)
{
	const struct host_pod agent = { 'b', "kube-system", "agent", "uid-b", NULL, 200 };

	(void)state;
	host_put_containerd_app(&host, &agent, 'c', 201);
	host_put_process(&host, 50, 1, "/containerd", HOST_NETNS_B);
	host_put_process(&host, 201, 50, CGROUP(ID_C), HOST_NETNS_B);
	recorded_list();
	recorded_refuses("kube-system/agent", "host network");
	/* The same with pid 1 in the node's own. */
	host_put_process(&host, 1, 0, "/", HOST_NETNS_B);
	host_put_process(&host, 50, 1, "/containerd", HOST_NETNS_A);
	recorded_list();
	recorded_refuses("kube-system/agent", "host network");
}

/*
 * containerd removes the bundle then; the container's own record names a process that is no more.
 */
static void test_pause_killed_container_lives(void **state)
{
	const struct fg_runtime_pod *pod;

	(void)state;
	host_put_containerd_app(&host, &cart, 'c', 101);
	host_put_process(&host, 50, 1, "/containerd", HOST_NODE_NETNS);
	host_put_process(&host, 101, 50, CGROUP(ID_C), HOST_NETNS_A);
	/* Number 100 is somebody else's by now. */
	host_put_process(&host, 100, 1, "/user.slice", HOST_NETNS_B);
	recorded_list();
	pod = recorded_find("shop/cart-0");
	assert_non_null(pod);
	assert_true(pod->live);
	assert_int_equal(pod->pid, 101);
	assert_int_equal(pod->netns_inode, host.inode[HOST_NETNS_A]);
	assert_string_equal(pod->id, ID_A);
	assert_ptr_equal(recorded_find("uid:uid-a"), pod);
}

static void put_cni(const char *name, const char *id, const char *netns)
{
	char path[256];

	snprintf(path, sizeof(path), "/var/lib/cni/results/k8s-%s-eth0", id);
	host_put(
		&host, path,
		"{\"kind\":\"cniCacheV1\",\"containerId\":\"%s\",\"ifName\":\"eth0\",\"cniArgs\":"
		"[[\"IgnoreUnknown\",\"1\"],[\"K8S_POD_NAMESPACE\",\"shop\"],[\"K8S_POD_NAME\",\"%s\"],"
		"[\"K8S_POD_UID\",\"uid-%c\"]],\"result\":{\"interfaces\":[{\"name\":\"veth1\"},"
		"{\"name\":\"eth0\",\"sandbox\":\"%s\"}]}}",
		id, name, id[0], netns);
}

static void test_pause_killed_nothing_lives(void **state)
{
	const struct fg_runtime_pod *pod;

	(void)state;
	host_put_netns(&host, "/run/netns/cni-a", HOST_NETNS_A);
	put_cni("cart-0", ID_A, NETNS_A);
	recorded_list();
	pod = recorded_find("shop/cart-0");
	assert_non_null(pod);
	assert_string_equal(pod->runtime, "cni");
	assert_false(pod->live);
	assert_int_equal(pod->pid, 0);
	assert_int_equal(pod->netns_inode, host.inode[HOST_NETNS_A]);
}

static void test_bundle_without_process(void **state)
{
	const struct fg_runtime_pod *pod;

	(void)state;
	put_cart();
	host_take_away(&host, "/proc/100");
	recorded_list();
	pod = recorded_find("shop/cart-0");
	assert_non_null(pod);
	assert_false(pod->live);
	assert_int_equal(pod->netns_inode, host.inode[HOST_NETNS_A]);
}

/* It does not show that the pod lives, and the pod's namespace is the one on record. */
static void test_container_in_another_namespace(void **state)
{
	(void)state;
	put_cart();
	host_take_away(&host, "/proc/100");
	host_put_containerd_app(&host, &cart, 'c', 101);
	host_put_process(&host, 101, 50, CGROUP(ID_C), HOST_NETNS_B);
	recorded_list();
	assert_false(recorded_find("shop/cart-0")->live);
	assert_int_equal(recorded_find("shop/cart-0")->netns_inode, host.inode[HOST_NETNS_A]);
}

static void test_stopped_pod(void **state)
{
	(void)state;
	host_put_containerd(&host, &cart);
	recorded_list();
	recorded_refuses("shop/cart-0", "has stopped");
	host_take_away(&host, "/run/containerd");
	recorded_list();
	recorded_refuses("shop/cart-0", "not on this node (pods here: 0");
}

static void test_stale_cni_result(void **state)
{
	(void)state;
	put_cart();
	put_cni("cart-0", ID_A, "/run/netns/cni-b");
	put_cni("cart-0", ID_B, "/run/netns/cni-gone");
	put_cni("old-0", ID_C, "/run/netns/cni-gone");
	host_put_netns(&host, "/run/netns/cni-b", HOST_NETNS_B);
	recorded_list();
	assert_int_equal(pods.count, 1);
	assert_int_equal(recorded_find("shop/cart-0")->netns_inode, host.inode[HOST_NETNS_A]);
	recorded_refuses("shop/old-0", "not on this node");
	/* One whose namespace was left behind loses against the pod that lives. */
	put_cni("cart-0", ID_B, "/run/netns/cni-b");
	recorded_list();
	assert_int_equal(pods.count, 2);
	assert_int_equal(recorded_find("shop/cart-0")->netns_inode, host.inode[HOST_NETNS_A]);
}

static void test_path_of_another_mount_namespace(void **state)
{
	char expected[128];

	(void)state;
	put_cart();
	snprintf(expected, sizeof(expected), "%s/proc/100/ns/net", host.path);
	/*
	 * Not there at all, and there as the plain file that the runtime mounted the namespace on.
	 */
	host_take_away(&host, "/run/netns");
	recorded_list();
	assert_string_equal(recorded_find("shop/cart-0")->netns, expected);
	host_put(&host, "/run/netns/cni-a", "%s", "");
	recorded_list();
	assert_string_equal(recorded_find("shop/cart-0")->netns, expected);
	/* Nobody lives: pid 1 sees it. */
	host_take_away(&host, "/proc/100");
	host_put_netns(&host, "/proc/1/root/run/netns/cni-a", HOST_NETNS_A);
	recorded_list();
	assert_int_equal(recorded_find("shop/cart-0")->netns_inode, host.inode[HOST_NETNS_A]);
	assert_non_null(
		strstr(recorded_find("shop/cart-0")->netns, "/proc/1/root/run/netns/cni-a"));
}

static void test_recreated_pod(void **state)
{
	const struct host_pod again = { 'b', "shop", "cart-0", "uid-b", "/run/netns/cni-b", 200 };
	const struct utimbuf hours_ago = { time(NULL) - 11000, time(NULL) - 11000 };
	char path[256];

	(void)state;
	put_cart();
	host_put_containerd(&host, &again);
	recorded_list();
	assert_string_equal(recorded_find("shop/cart-0")->uid, "uid-a");
	/* Both live, as while a stateful set's old pod terminates. */
	host_put_netns(&host, "/run/netns/cni-b", HOST_NETNS_B);
	host_put_process(&host, 200, 50, CGROUP(ID_B), HOST_NETNS_B);
	snprintf(path, sizeof(path),
		 "%s/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID_A "/config.json",
		 host.path);
	assert_int_equal(utime(path, &hours_ago), 0);
	recorded_list();
	recorded_refuses("shop/cart-0", "2 match: uid uid-b, containerd bbbbbbbbbbbb (live, ");
	assert_non_null(strstr(err.message, "uid uid-a, containerd aaaaaaaaaaaa (live, 3h old)"));
	assert_non_null(strstr(err.hint, "uid:"));
	assert_int_equal(recorded_find("uid:uid-b")->netns_inode, host.inode[HOST_NETNS_B]);
	/* The old one ended, and its namespace is gone: no question any more. */
	host_take_away(&host, "/proc/100");
	host_take_away(&host, "/run/netns/cni-a");
	recorded_list();
	assert_string_equal(recorded_find("shop/cart-0")->uid, "uid-b");
	recorded_refuses("uid:uid-a", "has stopped");
}

static void test_pid_of_another_process(void **state)
{
	const struct fg_runtime_pod *pod;

	(void)state;
	put_cart();
	host_put_process(&host, 100, 1, "/user.slice/session-1.scope", HOST_NETNS_B);
	recorded_list();
	pod = recorded_find("shop/cart-0");
	assert_false(pod->live);
	assert_int_equal(pod->pid, 0);
	assert_int_equal(pod->netns_inode, host.inode[HOST_NETNS_A]);
	/* Not even when there is nothing else to open. */
	host_take_away(&host, "/run/netns");
	recorded_list();
	recorded_refuses("shop/cart-0", "has stopped");
	/*
	 * A control group that does not name it is no doubt where the namespace is the recorded
	 * one.
	 */
	host_put_netns(&host, "/run/netns/cni-a", HOST_NETNS_A);
	host_put_process(&host, 100, 50, "/", HOST_NETNS_A);
	recorded_list();
	assert_true(recorded_find("shop/cart-0")->live);
}

static void test_malformed_records_are_passed_over(void **state)
{
	static const char *const bad[] = { "",
					   "{",
					   "[]",
					   "{\"annotations\":7}",
					   "null",
					   "\xff\xfe",
					   "{\"annotations\":{\"io.kubernetes.cri.container-type\":"
					   "\"sandbox\"}}" };
	char path[256];

	(void)state;
	put_cart();
	for (size_t i = 0; i < COUNT(bad); i++) {
		snprintf(path, sizeof(path),
			 "/run/containerd/io.containerd.runtime.v2.task/k8s.io/bad%zu/config.json",
			 i);
		host_put(&host, path, "%s", bad[i]);
	}
	host_put(&host, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/dir/config.json/x",
		 "x");
	host_put(&host, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/none/init.pid", "5");
	host_put(&host, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/file", "5");
	recorded_list();
	assert_int_equal(pods.count, 1);
	assert_non_null(recorded_find("shop/cart-0"));
	/* The number for annotations is well-formed, and no pod's. */
	assert_int_equal(pods.skipped, 7);
	assert_non_null(strstr(pods.first_skipped, "/config.json"));
	recorded_refuses("shop/none", "not on this node");
	assert_non_null(strstr(err.hint, "could not be read"));
}

static void test_uid_from_an_older_containerd(void **state)
{
	const struct host_pod old = { 'e', "shop", "old-0", "3c1ad6e4-9a6c-4f53", NETNS_A, 100 };

	(void)state;
	host_put_netns(&host, "/run/netns/cni-a", HOST_NETNS_A);
	host_put_containerd(&host, &old);
	recorded_list();
	assert_string_equal(recorded_find("uid:3c1ad6e4-9a6c-4f53")->name, "old-0");
}

static void test_sandbox_of_another_id_is_not_believed(void **state)
{
	(void)state;
	put_cart();
	host_link(&host, "/run/containerd/io.containerd.runtime.v2.task/k8s.io/" ID_B,
		  "../k8s.io/" ID_A);
	recorded_list();
	assert_int_equal(pods.count, 1);
	assert_int_equal(pods.skipped, 1);
}

static void test_no_such_root(void **state)
{
	(void)state;
	assert_int_equal(fg_runtime_list("/nonexistent", &pods, &err), -1);
	assert_int_equal(err.kind, FG_ERR_USAGE);
	assert_non_null(strstr(err.message, "/nonexistent"));
}

/* Who lives would be a guess. */
static void test_no_proc(void **state)
{
	(void)state;
	put_cart();
	host_take_away(&host, "/proc");
	assert_int_equal(fg_runtime_list(host.path, &pods, &err), -1);
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "/proc/1/ns/net"));
	assert_non_null(strstr(err.hint, "/proc has to be at"));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, recorded_up, recorded_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_pod_is_found_by_each_name),
		CASE(test_forms_of_names),
		CASE(test_same_name_in_two_namespaces),
		CASE(test_host_network_is_refused),
		CASE(test_host_network_known_from_a_container),
		CASE(test_pause_killed_container_lives),
		CASE(test_pause_killed_nothing_lives),
		CASE(test_bundle_without_process),
		CASE(test_container_in_another_namespace),
		CASE(test_stopped_pod),
		CASE(test_stale_cni_result),
		CASE(test_path_of_another_mount_namespace),
		CASE(test_recreated_pod),
		CASE(test_pid_of_another_process),
		CASE(test_malformed_records_are_passed_over),
		CASE(test_uid_from_an_older_containerd),
		CASE(test_sandbox_of_another_id_is_not_believed),
		CASE(test_no_such_root),
		CASE(test_no_proc),
	};

	return cmocka_run_group_tests_name("runtime", tests, NULL, NULL);
}
