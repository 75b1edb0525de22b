// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pods as CRI-O, podman and docker record them (layouts as those programs write them), what a pod's
 * author or an image can put among the runtime's keys, and the cost of a full node.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "base/clock.h"
#include "recorded.h"

#define RUN "/run/containers/storage/overlay-containers/"
#define LIB "/var/lib/containers/storage/overlay-containers/"
#define DOCKER "/var/lib/docker/containers/"

static int setup(void **state)
{
	recorded_up(state);
	host_put_process(&host, 50, 1, "/system.slice", HOST_NODE_NETNS);
	return 0;
}

/*
 * A CRI-O container: its own annotations, then (for a sandbox) more of the author's, then the
 * labels.
 */
static void put_crio(const char *id, const char *container, const char *more,
		     const char *namespaces)
{
	char path[256];

	snprintf(path, sizeof(path), RUN "%s/userdata/config.json", id);
	host_put(&host, path,
		 "{\"annotations\":{\"io.kubernetes.cri-o.SandboxID\":\"" ID_A "\","
		 "\"io.kubernetes.cri-o.KubeName\":\"cart-0\",\"io.container.manager\":\"cri-o\","
		 "%s\"io.kubernetes.container.name\":\"%s\",\"io.kubernetes.pod.name\":\"cart-0\","
		 "\"io.kubernetes.pod.namespace\":\"shop\",\"io.kubernetes.pod.uid\":\"uid-a\"},"
		 "\"linux\":{\"namespaces\":[{\"type\":\"pid\"}%s]}}",
		 more, container, namespaces);
}

#define NETWORK_A ",{\"type\":\"network\",\"path\":\"/var/run/netns/5f6d\"}"

static void test_crio(void **state)
{
	const struct fg_runtime_pod *pod;

	(void)state;
	host_put_netns(&host, "/run/netns/5f6d", HOST_NETNS_A);
	put_crio(ID_A, "POD", "", NETWORK_A);
	put_crio(ID_C, "web", "", NETWORK_A);
	host_put(&host, RUN ID_A "/userdata/pidfile", "100");
	host_put_process(&host, 100, 50, "/kubepods.slice/crio-" ID_A ".scope", HOST_NETNS_A);
	recorded_list();
	assert_int_equal(pods.count, 1);
	pod = recorded_find("shop/cart-0");
	assert_string_equal(pod->runtime, "cri-o");
	assert_string_equal(pod->id, ID_A);
	assert_true(pod->live);
	assert_int_equal(pod->netns_inode, host.inode[HOST_NETNS_A]);
	assert_ptr_equal(recorded_find("container:cc"), pod);
	assert_ptr_equal(recorded_find("uid:uid-a"), pod);
}

/* Without a first container (drop_infra_ctr) there is no process of its own, and no pidfile. */
static void test_crio_without_infra_container(void **state)
{
	(void)state;
	host_put_netns(&host, "/run/netns/5f6d", HOST_NETNS_A);
	put_crio(ID_A, "POD", "\"io.kubernetes.cri-o.Spoofed\":\"true\",", NETWORK_A);
	recorded_list();
	assert_int_equal(recorded_find("shop/cart-0")->netns_inode, host.inode[HOST_NETNS_A]);
	assert_false(recorded_find("shop/cart-0")->live);
	put_crio(ID_C, "web", "", NETWORK_A);
	host_put(&host, RUN ID_C "/userdata/pidfile", "101\n");
	host_put_process(&host, 101, 50, "/kubepods.slice/crio-" ID_C ".scope", HOST_NETNS_A);
	recorded_list();
	assert_true(recorded_find("shop/cart-0")->live);
	assert_int_equal(recorded_find("shop/cart-0")->pid, 101);
	/* Stopped, yet not removed: the records stay, the namespace is gone. */
	host_take_away(&host, "/run/netns/5f6d");
	host_take_away(&host, "/proc/101");
	recorded_list();
	recorded_refuses("shop/cart-0", "has stopped");
}

static void test_crio_host_network(void **state)
{
	(void)state;
	put_crio(ID_A, "POD", "", "");
	recorded_list();
	recorded_refuses("shop/cart-0", "host network");
}

/* What the author of a pod can write as its annotations, all of it. */
static void test_crio_hostile_annotations(void **state)
{
	(void)state;
	host_put_netns(&host, "/run/netns/5f6d", HOST_NETNS_A);
	put_crio(
		ID_A, "POD",
		"\"io.kubernetes.cri-o.KubeName\":\"vault-0\",\"io.kubernetes.cri-o.Namespace\":\"pay\","
		"\"io.kubernetes.cri-o.Metadata\":\"{\\\"name\\\":\\\"vault-0\\\",\\\"uid\\\":\\\"v\\\"}\","
		"\"io.kubernetes.cri-o.SandboxID\":\"" ID_B "\","
		"\"io.kubernetes.cri-o.ContainerType\":\"container\","
		"\"io.kubernetes.cri-o.HostNetwork\":\"true\",\"io.kubernetes.pod.name\":\"vault-0\","
		"\"nul\":\"a\\u0000b\",",
		NETWORK_A);
	recorded_list();
	assert_int_equal(pods.count, 1);
	assert_string_equal(recorded_find("shop/cart-0")->id, ID_A);
	assert_false(recorded_find("shop/cart-0")->host_network);
	recorded_refuses("pay/vault-0", "not on this node");
	recorded_refuses("container:b", "not on this node");
}

/* It can hide itself, but not in another's place. */
static void test_crio_pod_that_says_it_is_podman(void **state)
{
	(void)state;
	put_crio(ID_A, "POD", "\"io.container.manager\":\"libpod\",", NETWORK_A);
	host_put(&host, LIB "containers.json",
		 "[{\"id\":\"" ID_A "\",\"names\":[\"k8s_POD_cart-0_shop_uid-a_0\"]}]");
	recorded_list();
	recorded_refuses("shop/cart-0", "not on this node");
	assert_string_equal(pods.pods[0].name, "k8s_POD_cart-0_shop_uid-a_0");
}

static void test_names_that_would_be_cut(void **state)
{
	char more[400];

	(void)state;
	/*
	 * 63 characters fit; a longer one, and one with a NUL character, must not become another's
	 * name.
	 */
	snprintf(more, sizeof(more), "\"x\":\"%0300d\",", 0);
	put_crio(ID_A, "POD", more, NETWORK_A);
	host_put(
		&host, RUN ID_B "/userdata/config.json",
		"{\"annotations\":{\"io.kubernetes.container.name\":\"POD\",\"io.kubernetes.pod.uid\":\"u\","
		"\"io.kubernetes.pod.namespace\":\"shop\\u0000x\",\"io.kubernetes.pod.name\":\"cart-0\"}}");
	host_put(
		&host, RUN ID_C "/userdata/config.json",
		"{\"annotations\":{\"io.kubernetes.container.name\":\"POD\",\"io.kubernetes.pod.uid\":\"u\","
		"\"io.kubernetes.pod.namespace\":\"%070d\",\"io.kubernetes.pod.name\":\"cart-0\"}}",
		0);
	recorded_list();
	assert_int_equal(pods.count, 1);
	assert_int_equal(pods.skipped, 2);
}

static void put_podman(const char *id, const char *hostname, const char *annotations,
		       const char *network)
{
	char path[256];

	snprintf(path, sizeof(path), LIB "%s/userdata/config.json", id);
	host_put(
		&host, path,
		"{\"hostname\":\"%s\",\"annotations\":{%s\"io.container.manager\":\"libpod\","
		"\"io.kubernetes.cri-o.TTY\":\"false\"},\"linux\":{\"namespaces\":[{\"type\":\"pid\"}%s]}}",
		hostname, annotations, network);
	snprintf(path, sizeof(path), RUN "%s/userdata/pidfile", id);
	host_put(&host, path, "%d", 100 + id[0] - 'a');
}

static void test_podman(void **state)
{
	(void)state;
	host_put(&host, LIB "containers.json",
		 "[{\"id\":\"" ID_A "\",\"names\":[\"76e1469fb3fd-infra\"]},"
		 "{\"id\":\"" ID_B "\",\"names\":[\"till\"]}]");
	host_put(&host, RUN "volatile-containers.json",
		 "[{\"id\":\"" ID_C "\",\"names\":[\"kiosk\"]}]");
	put_podman(ID_A, "stand", "", ",{\"type\":\"network\",\"path\":\"/run/netns/netns-1\"}");
	put_podman(ID_B, "stand",
		   "\"io.kubernetes.cri-o.ContainerType\":\"container\","
		   "\"io.kubernetes.cri-o.SandboxID\":\"" ID_A "\",",
		   ",{\"type\":\"network\",\"path\":\"/proc/100/ns/net\"}");
	put_podman(ID_C, "", "", "");
	host_put_netns(&host, "/run/netns/netns-1", HOST_NETNS_A);
	host_put_process(&host, 100, 50, "/libpod_parent/libpod-" ID_A, HOST_NETNS_A);
	host_put_process(&host, 101, 50, "/libpod_parent/libpod-" ID_B, HOST_NETNS_A);
	host_put_process(&host, 102, 50, "/libpod_parent/libpod-" ID_C, HOST_NODE_NETNS);
	recorded_list();
	assert_int_equal(pods.count, 2);
	assert_string_equal(recorded_find("container:till")->runtime, "podman");
	assert_string_equal(recorded_find("container:till")->name, "stand");
	assert_string_equal(recorded_find("container:till")->namespace, "");
	assert_ptr_equal(recorded_find("container:stand"), recorded_find("container:till"));
	assert_ptr_equal(recorded_find("container:76e1469fb3fd-infra"),
			 recorded_find("container:bbb"));
	assert_true(recorded_find("container:till")->live);
	recorded_refuses("container:kiosk", "host network");
	/* It is in no Kubernetes namespace, whatever it carries. */
	recorded_refuses("shop/stand", "not on this node");
}

static void put_docker(const char *id, const char *name, const char *labels, const char *mode,
		       const char *key, int pid)
{
	char path[256];

	snprintf(path, sizeof(path), DOCKER "%s/config.v2.json", id);
	host_put(
		&host, path,
		"{\"ID\":\"%s\",\"Created\":\"2026-01-31T12:34:56.789Z\",\"Name\":\"/%s\",\"State\":"
		"{\"Limit\":18446744073709551615,\"Running\":%s,\"Pid\":%d},\"Config\":{\"Labels\":{%s}},"
		"\"NetworkSettings\":{\"SandboxKey\":\"%s\"}}",
		id, name, pid ? "true" : "false", pid, labels, key);
	snprintf(path, sizeof(path), DOCKER "%s/hostconfig.json", id);
	host_put(&host, path, "{\"NetworkMode\":\"%s\"}", mode);
}

#define LABELS                                                                                     \
	"\"io.kubernetes.pod.name\":\"cart-0\",\"io.kubernetes.pod.namespace\":\"shop\","          \
	"\"io.kubernetes.pod.uid\":\"uid-a\",\"io.kubernetes.docker.type\":\"podsandbox\""

static void test_docker_with_kubernetes(void **state)
{
	const struct fg_runtime_pod *pod;

	(void)state;
	put_docker(ID_A, "k8s_POD_cart-0_shop_uid-a_0", LABELS, "none",
		   "/var/run/docker/netns/aaaa", 100);
	put_docker(ID_C, "k8s_web_cart-0_shop_uid-a_0", LABELS, "container:" ID_A, "", 101);
	host_put_netns(&host, "/run/docker/netns/aaaa", HOST_NETNS_A);
	host_put_process(&host, 100, 50, "/kubepods/" ID_A, HOST_NETNS_A);
	host_put_process(&host, 101, 50, "/kubepods/" ID_C, HOST_NETNS_A);
	recorded_list();
	assert_int_equal(pods.count, 1);
	pod = recorded_find("shop/cart-0");
	assert_string_equal(pod->runtime, "docker");
	assert_int_equal(pod->created, 1769862896);
	assert_int_equal(pod->netns_inode, host.inode[HOST_NETNS_A]);
	assert_ptr_equal(recorded_find("container:ccc"), pod);
	assert_ptr_equal(recorded_find("uid:uid-a"), pod);
	/*
	 * One that somebody started by hand in the pod's network has that network, and is no part
	 * of the pod.
	 */
	put_docker(ID_B, "debug", "", "container:" ID_A, "", 102);
	host_put_process(&host, 102, 50, "/docker/" ID_B, HOST_NETNS_A);
	host_take_away(&host, "/proc/100");
	host_take_away(&host, "/proc/101");
	recorded_list();
	assert_false(recorded_find("shop/cart-0")->live);
	assert_int_equal(recorded_find("container:debug")->netns_inode, host.inode[HOST_NETNS_A]);
	host_put_process(&host, 100, 50, "/kubepods/" ID_A, HOST_NETNS_A);
	/* The daemon's mounts are not seen from here, and its process is. */
	host_take_away(&host, "/run/docker");
	recorded_list();
	assert_non_null(strstr(recorded_find("shop/cart-0")->netns, "/proc/100/ns/net"));
}

static void test_docker_without_kubernetes(void **state)
{
	(void)state;
	put_docker(ID_A, "web", "", "bridge", "/var/run/docker/netns/aaaa", 100);
	put_docker(ID_B, "metrics", "", "host", "/var/run/docker/netns/default", 101);
	put_docker(ID_C, "old", "", "bridge", "", 0);
	host_put_netns(&host, "/run/docker/netns/aaaa", HOST_NETNS_A);
	host_put_process(&host, 100, 50, "/system.slice/docker-" ID_A ".scope", HOST_NETNS_A);
	recorded_list();
	assert_int_equal(recorded_find("container:web")->netns_inode, host.inode[HOST_NETNS_A]);
	assert_string_equal(recorded_find("container:web")->namespace, "");
	recorded_refuses("container:metrics", "host network");
	recorded_refuses("container:old", "has stopped");
	/* The file still says "running" after the machine went down; the number is another's. */
	put_docker(ID_C, "old", "", "bridge", "/var/run/docker/netns/cccc", 100);
	recorded_list();
	recorded_refuses("container:old", "has stopped");
}

/* Labels come with an image, too. */
static void test_docker_hostile_image(void **state)
{
	(void)state;
	put_docker(ID_B, "k8s_harmless", LABELS, "bridge", "/var/run/docker/netns/bbbb", 101);
	host_put_netns(&host, "/run/docker/netns/bbbb", HOST_NETNS_B);
	recorded_list();
	recorded_refuses("shop/cart-0", "not on this node");
	recorded_refuses("uid:uid-a", "not on this node");
	assert_int_equal(recorded_find("container:k8s_harmless")->netns_inode,
			 host.inode[HOST_NETNS_B]);
	put_docker(ID_B, "my_web_cart-0_shop_uid-a_0", LABELS, "bridge",
		   "/var/run/docker/netns/bbbb", 101);
	recorded_list();
	recorded_refuses("shop/cart-0", "not on this node");
}

/* An absolute link below the root leads on below the root. */
static void test_links_stay_below_the_root(void **state)
{
	(void)state;
	host_link(&host, "/var/lib/docker", "/data/docker");
	host_put(&host, "/data/docker/containers/" ID_A "/config.v2.json",
		 "{\"Name\":\"/web\",\"State\":{},\"NetworkSettings\":{\"SandboxKey\":"
		 "\"/var/run/docker/netns/aaaa\"}}");
	host_put(&host, "/data/docker/containers/" ID_A "/hostconfig.json",
		 "{\"NetworkMode\":\"bridge\"}");
	host_link(&host, "/var/run", "/run");
	host_put_netns(&host, "/run/docker/netns/aaaa", HOST_NETNS_A);
	recorded_list();
	assert_int_equal(recorded_find("container:web")->netns_inode, host.inode[HOST_NETNS_A]);
}

/* What is stepped over must not lead astray: keys and brackets within strings, and deep below. */
static void test_specification_is_read_past_the_rest(void **state)
{
	(void)state;
	host_put_netns(&host, "/run/netns/a", HOST_NETNS_A);
	host_put(
		&host, RUN ID_A "/userdata/config.json",
		" {\n \"a\" : \"}\\\"{,\\\\\", \"process\":{\"annotations\":{\"io.kubernetes.pod.name\":\"x\"},"
		"\"env\":[\"]}\",{\"linux\":[]}]}, \"n\":-1.5e3,\"t\":true , \"e\":{}, \"annotations\" : "
		"{\"io.kubernetes.container.name\":\"POD\",\"io.kubernetes.pod.name\":\"cart-0\","
		"\"io.kubernetes.pod.namespace\":\"shop\",\"io.kubernetes.pod.uid\":\"u\"},\n\"linux\": {\"r\":[[{}]],"
		"\"namespaces\":[{\"type\":\"network\",\"path\":\"/run/netns/a\"}]} }\n");
	recorded_list();
	assert_int_equal(pods.skipped, 0);
	assert_int_equal(recorded_find("shop/cart-0")->netns_inode, host.inode[HOST_NETNS_A]);
}

static double seconds(void)
{
	return (double)fg_clock_now() / 1e9;
}

/* A record of the size that a container with a seccomp profile and a dozen mounts has. */
static void put_large(unsigned short pod, unsigned char container, const char *filler)
{
	char id[72], path[256];

	snprintf(id, sizeof(id), "%060hu%04hhu", pod, container);
	snprintf(path, sizeof(path),
		 "/run/containerd/io.containerd.runtime.v2.task/k8s.io/%s/config.json", id);
	host_put(
		&host, path,
		"{\"linux\":{\"namespaces\":[{\"type\":\"network\",\"path\":\"/run/netns/n%d\"}],\"seccomp\":[%s]},"
		"\"annotations\":{\"io.kubernetes.cri.container-type\":\"%s\","
		"\"io.kubernetes.cri.sandbox-id\":\"%060d0000\",\"io.kubernetes.cri.sandbox-name\":\"p%d\","
		"\"io.kubernetes.cri.sandbox-namespace\":\"n\",\"io.kubernetes.cri.sandbox-uid\":\"u%d\"}}",
		pod, container ? filler : "0", container ? "container" : "sandbox", pod, pod, pod);
}

static void test_full_node(void **state)
{
	enum { PODS = 250, SIZE = 30000 };
	char *filler = malloc(SIZE);
	double start;

	(void)state;
	filler[0] = '\0';
	for (size_t len = 0; len + 40 < SIZE;)
		len += (size_t)snprintf(filler + len, SIZE - len,
					"%s{\"names\":[\"accept4\"],\"op\":%zu}", len ? "," : "",
					len);
	for (unsigned short pod = 0; pod < PODS; pod++)
		for (unsigned char container = 0; container < 4; container++)
			put_large(pod, container, filler);
	free(filler);
	start = seconds();
	recorded_list();
	print_message("%d pods, %zu containers: %.3f s\n", PODS, pods.container_count,
		      seconds() - start);
	assert_int_equal(pods.count, PODS);
	assert_int_equal(pods.container_count, 4 * PODS);
	assert_int_equal(pods.skipped, 0);
	assert_true(seconds() - start < 5);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, recorded_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_crio),
		CASE(test_crio_without_infra_container),
		CASE(test_crio_host_network),
		CASE(test_crio_hostile_annotations),
		CASE(test_crio_pod_that_says_it_is_podman),
		CASE(test_names_that_would_be_cut),
		CASE(test_podman),
		CASE(test_docker_with_kubernetes),
		CASE(test_docker_without_kubernetes),
		CASE(test_docker_hostile_image),
		CASE(test_links_stay_below_the_root),
		CASE(test_specification_is_read_past_the_rest),
		CASE(test_full_node),
	};

	return cmocka_run_group_tests_name("runtime_kinds", tests, NULL, NULL);
}
