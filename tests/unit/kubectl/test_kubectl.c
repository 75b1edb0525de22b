// SPDX-License-Identifier: GPL-2.0-only
/*
 * The line to a cluster, and what is asked over it or of a kubectl. This program is the kubectl
 * too: by that name it serves bytes on the socket that it is told, or prints objects. What it was
 * asked for is in the file `asked`: "line PATH", or "kubectl WORDS".
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/count.h"
#include "kubectl/gather.h"
#include "kubectl/line.h"

static char folder[] = "/tmp/flowgen-test-XXXXXX";
static char file_asked[64], file_pid[64], folder_run[64];

/* --- kubectl --- */

static void note(const char *how, const char *what)
{
	FILE *file = fopen(getenv("ASKED"), "ae");

	if (!file || fprintf(file, "%s %s\n", how, what) < 0 || fclose(file))
		abort();
}

/* More than a pipe holds. */
static void make_noise(int fd)
{
	static const char line[1024] = { [0 ... 1022] = 'x', '\n' };

	for (int i = 0; i < 1024; i++)
		if (write(fd, line, sizeof(line)) < 0)
			abort();
}

static void answer(int fd, const char *path)
{
	static const struct {
		const char *end, *bytes;
	} known[] = {
		{ "/pods/unbound", "HTTP/1.0 200 OK\r\n\r\n{\"kind\":\"Pod\",\"metadata\":"
				   "{\"namespace\":\"shop\",\"name\":\"line\"}}\n" },
		{ "/pods/cut", "HTTP/1.0 200 OK\r\n\r\n{\"kind\":\"Pod\",\"metadata\":{\"na" },
		{ "/pods/empty", "HTTP/1.0 200 OK\r\n\r\n" },
		{ "/pods/short", "HTTP/1.0 200 OK\r\nContent-Length: 20\r\n\r\n{}" },
		{ "/pods/none",
		  "HTTP/1.0 404 Not Found\r\n\r\n"
		  "{\"kind\":\"Status\",\"reason\":\"NotFound\",\"details\":{\"kind\":"
		  "\"pods\",\"name\":\"none\"}}" },
		{ "/pods/pathless", "HTTP/1.0 404 Not Found\r\n\r\n404 page not found\n" },
		{ "/pods/kindless", "HTTP/1.0 404 Not Found\r\n\r\n{\"kind\":\"Status\",\"reason\":"
				    "\"NotFound\",\"details\":{}}" },
		{ "closed/pods", "HTTP/1.0 403 Forbidden\r\n\r\n{}" },
		{ "shop/pods", "HTTP/1.0 200 OK\r\n\r\n{\"kind\":\"PodList\",\"items\":["
			       "{\"metadata\":{\"namespace\":\"shop\",\"name\":\"listed\"}}]}" },
	};
	const char *name = strrchr(path, '/') + 1;

	for (size_t i = 0; i < COUNT(known); i++) {
		const size_t len = strlen(known[i].end);

		if (strlen(path) > len && !strcmp(path + strlen(path) - len, known[i].end)) {
			dprintf(fd, "%s", known[i].bytes);
			return;
		}
	}
	dprintf(fd,
		"HTTP/1.0 200 OK\r\n\r\n{\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"closed\","
		"\"name\":\"%s\"}}",
		name);
}

static int serve(const char *socket_path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *pid = fopen(getenv("PROXY"), "we");

	if (!pid || fprintf(pid, "%d", getpid()) < 0 || fclose(pid))
		abort();
	if (getenv("KILLS"))
		kill((pid_t)strtol(getenv("KILLS"), NULL, 10), SIGKILL);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", socket_path);
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)) || listen(fd, 100))
		return 1;
	dprintf(STDOUT_FILENO, "Starting to serve on %s\n", socket_path);
	if (getenv("NOISE")) {
		make_noise(STDERR_FILENO);
		make_noise(STDOUT_FILENO);
	}
	for (;;) {
		char request[4096] = "", path[1024] = "";
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
		size_t len = 0;
		ssize_t n;

		while (!strstr(request, "\r\n\r\n") &&
		       (n = read(client, request + len, sizeof(request) - 1 - len)) > 0)
			len += (size_t)n;
		if (sscanf(request, "GET %1023s", path) != 1)
			return 1;
		note("line", path);
		answer(client, path);
		close(client);
	}
}

static int get(char **words)
{
	static const char option[] = "--namespace=";
	const char *namespace = "";
	char line[8192] = "get";
	bool named = false;

	for (char **w = words; *w; w++) {
		strncat(line, " ", sizeof(line) - strlen(line) - 1);
		strncat(line, *w, sizeof(line) - strlen(line) - 1);
		if (!strncmp(*w, option, sizeof(option) - 1))
		namespace = *w + sizeof(option) - 1;
	}
	note("kubectl", line);
	for (char **w = words + 1; *w && **w != '-'; w++) {
		named = true;
		printf("{\"kind\":\"Pod\",\"metadata\":{\"namespace\":\"%s\",\"name\":\"%s\"}}\n",
		       namespace, *w);
	}
	if (named)
		return 0;
	if (!strcmp(namespace, "closed")) {
		fputs("Error from server (Forbidden): pods is forbidden: User \"bob\" cannot list "
		      "resource \"pods\" in API group \"\" in the namespace \"closed\"\n",
		      stderr);
		return 1;
	}
	printf("{\"kind\":\"PodList\",\"items\":[{\"metadata\":{\"namespace\":\"%s\","
	       "\"name\":\"listed\"}}]}",
	       namespace);
	return 0;
}

static int be_kubectl(char **argv)
{
	static const char option[] = "--unix-socket=";

	if (argv[1] && argv[2] && !strncmp(argv[2], option, sizeof(option) - 1))
		return serve(argv[2] + sizeof(option) - 1);
	return argv[1] && !strcmp(argv[1], "get") ? get(argv + 2) : 1;
}

/* --- the tests --- */

static struct fg_kubectl kubectl;

static int set_up_all(void **state)
{
	char at[64], self[4096];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	if (len < 0 || !mkdtemp(folder))
		return -1;
	self[len] = '\0';
	snprintf(file_asked, sizeof(file_asked), "%s/asked", folder);
	snprintf(file_pid, sizeof(file_pid), "%s/pid", folder);
	snprintf(folder_run, sizeof(folder_run), "%s/run", folder);
	snprintf(at, sizeof(at), "%s/kubectl", folder);
	setenv("PATH", folder, 1);
	setenv("XDG_RUNTIME_DIR", folder_run, 1);
	setenv("ASKED", file_asked, 1);
	setenv("PROXY", file_pid, 1);
	return symlink(self, at) || mkdir(folder_run, 0700) ? -1 : 0;
}

static int tear_down_all(void **state)
{
	char at[64];

	(void)state;
	snprintf(at, sizeof(at), "%s/kubectl", folder);
	unlink(at);
	unlink(file_asked);
	unlink(file_pid);
	return rmdir(folder_run) || rmdir(folder) ? -1 : 0;
}

static int set_up(void **state)
{
	(void)state;
	unlink(file_asked);
	unlink(file_pid);
	kubectl = (struct fg_kubectl){ .timeout_ns = 5000000000, .stop = -1 };
	return 0;
}

static void use_line(void)
{
	kubectl.line = fg_line_open(&kubectl);
	kubectl.way = &fg_talk_over_line;
	assert_non_null(kubectl.line);
}

/* Of the line nothing is left: no child, no folder, no proxy. */
static int tear_down(void **state)
{
	(void)state;
	fg_line_close(kubectl.line);
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		return -1;
	return rmdir(folder_run) || mkdir(folder_run, 0700) ? -1 : 0;
}

/* How many lines of `asked` begin so. */
static size_t asked(const char *begin)
{
	FILE *file = fopen(file_asked, "re");
	char line[9000];
	size_t count = 0;

	while (file && fgets(line, sizeof(line), file))
		count += !strncmp(line, begin, strlen(begin));
	if (file)
		fclose(file);
	return count;
}

static void run_gather(const char *namespace, const char *const *names, size_t count,
		       struct fg_objects *out)
{
	struct fg_gather gather = {};
	struct fg_error err = {};
	int ret = 0;

	for (size_t i = 0; !ret && i < count; i++) {
		struct fg_name name = { .kind = FG_NAME_POD };

		snprintf(name.name, sizeof(name.name), "%s", names[i]);
		ret = fg_gather_add(&gather, &name, namespace, namespace, "cluster.local", &err);
	}
	if (ret || fg_gather_run(&gather, &kubectl, out, &err))
		fail_msg("%s", err.message);
	fg_gather_free(&gather);
}

static void one_pod(const char *name, bool found)
{
	struct fg_objects objects = {};

	run_gather("shop", &name, 1, &objects);
	assert_int_equal(objects.pod_count, found);
	fg_objects_free(&objects);
}

static void a_proxy_that_says_much_goes_on(void **state)
{
	(void)state;
	setenv("NOISE", "1", 1);
	use_line();
	unsetenv("NOISE");
	one_pod("unbound", true);
	one_pod("unbound", true);
	assert_int_equal(asked("line "), 2);
	assert_int_equal(asked("kubectl "), 0);
}

static bool is_gone(void)
{
	FILE *file = fopen(file_pid, "re");
	int pid = 0;

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%d", &pid), 1);
	fclose(file);
	/* A folder that is not empty stays. */
	if (!kill(pid, 0) || rmdir(folder_run))
		return false;
	assert_int_equal(mkdir(folder_run, 0700), 0);
	return true;
}

/* The proxy's first act is to kill the client, which is still in fg_line_open() or just after. */
static void nothing_stays_of_a_client_that_is_killed_as_it_begins(void **state)
{
	pid_t client = fork();
	int status;

	(void)state;
	if (!client) {
		char pid[16];

		snprintf(pid, sizeof(pid), "%d", getpid());
		setenv("KILLS", pid, 1);
		fg_line_open(&kubectl);
		for (;;)
			pause();
	}
	assert_int_equal(waitpid(client, &status, 0), client);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	for (int i = 0; !is_gone(); i++) {
		assert_true(i < 1000);
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
}

/* What is no whole answer is asked of a kubectl, which says what is wrong. */
static void answers_are_whole_or_asked_for_again(void **state)
{
	static const struct {
		const char *name;
		bool found, by_kubectl;
	} rows[] = {
		{ "unbound", true, false }, { "cut", true, true },    { "empty", true, true },
		{ "short", true, true },    { "none", false, false }, { "pathless", true, true },
		{ "kindless", true, true },
	};
	size_t before = 0;

	(void)state;
	use_line();
	for (size_t i = 0; i < COUNT(rows); i++) {
		one_pod(rows[i].name, rows[i].found);
		if (asked("kubectl ") != before + rows[i].by_kubectl)
			fail_msg("%s", rows[i].name);
		before += rows[i].by_kubectl;
	}
	assert_int_equal(asked("line "), COUNT(rows));
}

/* Who may get pods need not be let list them, however many there are. */
static void many_names(void **state)
{
	static const struct {
		bool line;
		size_t count;
		const char *namespace;
		size_t pods, line_names, line_lists, kubectls;
	} rows[] = {
		{ true, 64, "closed", 64, 64, 0, 0 }, { true, 65, "shop", 1, 0, 1, 0 },
		{ true, 65, "closed", 65, 65, 1, 1 }, { false, 8, "shop", 8, 0, 0, 1 },
		{ false, 9, "shop", 1, 0, 0, 1 },     { false, 9, "closed", 9, 0, 0, 2 },
	};
	char names[65][8], begin[80];
	const char *list[65];

	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(names[i], sizeof(names[i]), "p-%zu", i);
		list[i] = names[i];
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_objects objects = {};

		set_up(state);
		if (rows[i].line)
			use_line();
		run_gather(rows[i].namespace, list, rows[i].count, &objects);
		assert_int_equal(objects.pod_count, rows[i].pods);
		snprintf(begin, sizeof(begin), "line /api/v1/namespaces/%s/pods/p-",
			 rows[i].namespace);
		assert_int_equal(asked(begin), rows[i].line_names);
		snprintf(begin, sizeof(begin), "line /api/v1/namespaces/%s/pods\n",
			 rows[i].namespace);
		assert_int_equal(asked(begin), rows[i].line_lists);
		assert_int_equal(asked("kubectl get pods "), rows[i].kubectls);
		fg_objects_free(&objects);
		assert_int_equal(tear_down(state), 0);
	}
	kubectl.line = NULL;
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		TEST(a_proxy_that_says_much_goes_on),
		TEST(nothing_stays_of_a_client_that_is_killed_as_it_begins),
		TEST(answers_are_whole_or_asked_for_again),
		TEST(many_names),
	};
	const char *self = argc ? strrchr(argv[0], '/') : NULL;

	if (!strcmp(self ? self + 1 : argc ? argv[0] : "", "kubectl"))
		return be_kubectl(argv);
	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
