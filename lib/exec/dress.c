// SPDX-License-Identifier: GPL-2.0-only
#include "exec/dress.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/count.h"
#include "base/fd.h"
#include "base/grow.h"

/* No file that is read here is larger in earnest. */
#define FILE_MAX (256 * 1024)
/* Processes of a pod that are asked for their files: the first ones have them. */
#define PROCESSES_MAX 64

struct processes {
	pid_t list[PROCESSES_MAX]; /* the lowest numbers first */
	size_t count;
};

void fg_dress_free(struct fg_dress *dress)
{
	free(dress->resolv_conf);
	free(dress->hosts);
	free(dress->nsswitch);
	free(dress->hostname);
	free(dress->cgroup);
	for (size_t i = 0; dress->environment && dress->environment[i]; i++)
		free(dress->environment[i]);
	free(dress->environment);
	*dress = (struct fg_dress){};
}

int fg_dress_read_dns(const char *what, const char *text, void *to, struct fg_error *err)
{
	struct fg_dress_options *dress = to;

	if (!strcmp(text, "pod") || !strcmp(text, "host")) {
		dress->dns = !strcmp(text, "pod") ? FG_DNS_POD : FG_DNS_HOST;
		return 0;
	}
	dress->dns = FG_DNS_ADDRESS;
	if (!fg_parse_addr(what, text, &dress->server, NULL))
		return 0;
	return fg_fail(err, FG_ERR_USAGE, "%s: must be pod, host or an address, not \"%s\"", what,
		       text);
}

/* --- reading --- */

/* All of a regular file, and a NUL. Owned; NULL: there is none, or it is another kind of file. */
static char *read_fd(int fd, size_t *len)
{
	FG_FREE char *text = malloc(FILE_MAX + 1);
	struct stat st;
	ssize_t got;

	*len = 0;
	if (!text || fd < 0 || fstat(fd, &st) || !S_ISREG(st.st_mode))
		return NULL;
	while (*len < FILE_MAX && (got = read(fd, text + *len, FILE_MAX - *len)) > 0)
		*len += (size_t)got;
	text[*len] = '\0';
	return FG_TAKE(text);
}

static char *read_file(const char *path)
{
	FG_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t len;

	return read_fd(fd, &len);
}

/* Whatever symbolic links the pod has, they stay in the pod's own file system. */
static char *read_in_root(const char *root, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	FG_FD int dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	FG_FD int found = dir < 0 ? -1 : (int)syscall(SYS_openat2, dir, path, &how, sizeof(how));
	char again[40];
	struct stat st;

	/* To open a device is to use it already. */
	if (found < 0 || fstat(found, &st) || !S_ISREG(st.st_mode))
		return NULL;
	snprintf(again, sizeof(again), "/proc/self/fd/%d", found);
	return read_file(again);
}

static int by_number(const void *a, const void *b)
{
	return *(const pid_t *)a - *(const pid_t *)b;
}

static void find_processes(const struct fg_host *host, uint32_t netns, struct processes *out)
{
	char path[200];
	struct dirent *d;
	DIR *proc;

	out->count = 0;
	snprintf(path, sizeof(path), "%s/proc", host->root);
	proc = opendir(path);
	while (proc && out->count < PROCESSES_MAX && (d = readdir(proc))) {
		struct stat st;
		char *end;
		pid_t pid = (pid_t)strtol(d->d_name, &end, 10);

		if (pid <= 0 || *end)
			continue;
		snprintf(path, sizeof(path), "%s/proc/%d/ns/net", host->root, pid);
		if (!stat(path, &st) && (uint32_t)st.st_ino == netns)
			out->list[out->count++] = pid;
	}
	if (proc)
		closedir(proc);
	qsort(out->list, out->count, sizeof(*out->list), by_number);
}

/* A file of the pod: of the first process whose file system has it. */
static char *read_pod_file(const struct fg_host *host, const struct fg_pod *pod,
			   const struct processes *processes, const char *path)
{
	static const char named[] = "/run/netns/";
	const char *name = strstr(pod->path, named);
	char *text = NULL;
	char where[700];

	for (size_t i = 0; !text && i < processes->count; i++) {
		snprintf(where, sizeof(where), "%s/proc/%d/root", host->root, processes->list[i]);
		text = read_in_root(where, path);
	}
	/* As ip-netns(8): files of a namespace that is known by a name. */
	if (!processes->count && name && !strchr(name + strlen(named), '/')) {
		snprintf(where, sizeof(where), "%s/etc/netns/%s/%s", host->root,
			 name + strlen(named), path + strlen("etc/"));
		text = read_file(where);
	}
	return text;
}

/* What a sandbox keeps its namespaces with; the containers come after it. */
static bool is_pause(const struct fg_host *host, pid_t pid)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/proc/%d/comm", host->root, pid);
	FG_FREE char *comm = read_file(path);

	return comm && !strncmp(comm, "pause", 5);
}

static pid_t main_process(const struct fg_host *host, const struct processes *processes)
{
	for (size_t i = 0; i < processes->count; i++)
		if (!is_pause(host, processes->list[i]))
			return processes->list[i];
	return processes->count ? processes->list[0] : 0;
}

/*
 * What makes a program load or run other files. A pod's process writes its environment as it likes,
 * and the command is one of the host's, with the rights of root.
 */
static bool is_for_the_host(const char *variable)
{
	static const char *const dropped[] = {
		"PATH=",
		"LD_",
		"GCONV_PATH=",
		"GETCONF_DIR=",
		"GLIBC_TUNABLES=",
		"LOCPATH=",
		"NLSPATH=",
		"MALLOC_",
		"OPENSSL_",
		"SSLKEYLOGFILE=",
		"ENV=",
		"BASH_ENV=",
		"BASH_FUNC_",
		"SHELLOPTS=",
		"BASHOPTS=",
		"PROMPT_COMMAND=",
		"PS4=",
		"IFS=",
		"PYTHON",
		"PERL",
		"RUBY",
		"NODE_",
		"CURL_HOME=",
		"HOME=",
	};

	for (size_t i = 0; i < COUNT(dropped); i++)
		if (!strncmp(variable, dropped[i], strlen(dropped[i])))
			return true;
	return false;
}

/* Appends a copy. Returns 0 or -1. */
static int add_variable(char ***list, size_t *count, const char *text, struct fg_error *err)
{
	char **added = FG_APPEND(*list, *count, "the environment", err);

	if (!added)
		return -1;
	*added = strdup(text);
	return *added ? 0 : fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "the environment");
}

static int read_environment(const struct fg_host *host, pid_t pid, char ***out,
			    struct fg_error *err)
{
	char where[200], **list = NULL;
	size_t len = 0, count = 0;
	int failed = 0;

	snprintf(where, sizeof(where), "%s/proc/%d/environ", host->root, pid);
	FG_FD int fd = open(where, O_RDONLY | O_CLOEXEC);
	FG_FREE char *text = read_fd(fd, &len);

	if (!text)
		return fg_fail_errno(err, FG_ERR_UNSUPPORTED, errno ? errno : ENOMEM, "%s", where);
	for (size_t at = 0; !failed && at < len; at += strlen(text + at) + 1)
		if (!is_for_the_host(text + at))
			failed = add_variable(&list, &count, text + at, err);
	for (char **own = environ; !failed && *own; own++)
		if (!strncmp(*own, "PATH=", 5) || !strncmp(*own, "HOME=", 5))
			failed = add_variable(&list, &count, *own, err);
	/* FG_GROW() does not count it: the end of the list. */
	if (failed || !FG_GROW(list, count, 1, "the environment", err)) {
		for (size_t i = 0; i < count; i++)
			free(list[i]);
		free(list);
		return -1;
	}
	list[count] = NULL;
	*out = list;
	return 0;
}

/* The line of the unified hierarchy: "0::/path" (cgroups(7)). */
static char *read_cgroup(const struct fg_host *host, pid_t pid)
{
	char path[200], *line, *end, *out = NULL;

	snprintf(path, sizeof(path), "%s/proc/%d/cgroup", host->root, pid);
	FG_FREE char *text = read_file(path);

	line = text ? strstr(text, "0::/") : NULL;
	if (!line || (line != text && line[-1] != '\n'))
		return NULL;
	end = strchr(line, '\n');
	if (end)
		*end = '\0';
	/* As seen from a cgroup namespace that does not hold it (cgroup_namespaces(7)). */
	if (strstr(line, "/.."))
		return NULL;
	return asprintf(&out, "%s/sys/fs/cgroup%s", host->root, line + 3) < 0 ? NULL : out;
}

/* Only files and name servers: what else the host has configured (resolved, mdns) is the host's. */
static char *make_nsswitch(void)
{
	FG_FREE char *known = read_file("/etc/nsswitch.conf");
	char *out = NULL, *line, *rest = known;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	while (rest && (line = strsep(&rest, "\n")))
		if (strncmp(line, "hosts:", 6) && *line)
			fprintf(f, "%s\n", line);
	fputs("hosts: files dns\n", f);
	if (fclose(f)) {
		free(out);
		return NULL;
	}
	return out;
}

/* The pod's search list and options, with another server. */
static char *other_server(const char *known, const struct fg_addr *server)
{
	char text[INET6_ADDRSTRLEN], *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	if (!f)
		return NULL;
	inet_ntop(server->family, server->bytes, text, sizeof(text));
	fprintf(f, "nameserver %s\n", text);
	for (const char *line = known; line && *line;) {
		size_t n = strcspn(line, "\n");

		if (strncmp(line, "nameserver", 10))
			fprintf(f, "%.*s\n", (int)n, line);
		line += n + (line[n] == '\n');
	}
	if (fclose(f)) {
		free(out);
		return NULL;
	}
	return out;
}

static void add_server(struct fg_dress *dress, char *line)
{
	const char *word = strtok_r(line, " \t\r", &line);

	if (!word || strcmp(word, "nameserver") != 0)
		return;
	word = strtok_r(line, " \t\r", &line);
	if (word && dress->server_count < FG_DRESS_SERVERS &&
	    !fg_parse_addr("nameserver", word, &dress->servers[dress->server_count], NULL))
		dress->server_count++;
}

static void find_servers(struct fg_dress *dress)
{
	FG_FREE char *text = dress->resolv_conf ? strdup(dress->resolv_conf)
						: read_file("/etc/resolv.conf");
	char *rest = text, *line;

	while (rest && (line = strsep(&rest, "\n")))
		add_server(dress, line);
}

static int read_names(struct fg_dress *dress, const struct fg_host *host, const struct fg_pod *pod,
		      const struct processes *processes, const struct fg_dress_options *options,
		      struct fg_error *err)
{
	char *known;

	dress->hostname = read_pod_file(host, pod, processes, "etc/hostname");
	if (dress->hostname)
		dress->hostname[strcspn(dress->hostname, "\n")] = '\0';
	/* What the kernel would not take is none. */
	if (dress->hostname && (!*dress->hostname || strlen(dress->hostname) > HOST_NAME_MAX)) {
		free(dress->hostname);
		dress->hostname = NULL;
	}
	if (options->dns == FG_DNS_HOST)
		return 0;
	dress->hosts = read_pod_file(host, pod, processes, "etc/hosts");
	known = read_pod_file(host, pod, processes, "etc/resolv.conf");
	if (options->dns == FG_DNS_POD) {
		dress->resolv_conf = known;
		/* A named namespace without any has those of the host, as ip-netns(8) does it. */
		dress->no_servers = !known && processes->count;
	} else {
		dress->resolv_conf = other_server(known, &options->server);
		free(known);
		if (!dress->resolv_conf)
			return fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "resolv.conf");
	}
	if (dress->resolv_conf)
		dress->nsswitch = make_nsswitch();
	return 0;
}

int fg_dress_read(struct fg_dress *dress, const struct fg_host *host, const struct fg_pod *pod,
		  const struct fg_dress_options *options, struct fg_error *err)
{
	struct processes processes;
	pid_t container;

	*dress = (struct fg_dress){};
	find_processes(host, pod->inode, &processes);
	container = main_process(host, &processes);
	if ((options->environment || options->cgroup) && !container) {
		fg_fail(err, FG_ERR_UNSUPPORTED, "pod %s: no process runs in it", pod->ref);
		return fg_hint(err, "leave out --env-from-pod and --cgroup pod");
	}
	if (read_names(dress, host, pod, &processes, options, err) ||
	    (options->environment && read_environment(host, container, &dress->environment, err))) {
		fg_dress_free(dress);
		return -1;
	}
	find_servers(dress);
	if (!options->cgroup)
		return 0;
	dress->cgroup = read_cgroup(host, container);
	if (dress->cgroup)
		return 0;
	fg_dress_free(dress);
	return fg_fail(
		err, FG_ERR_UNSUPPORTED,
		"pod %s: its cgroup is not to be seen from here (cgroup v2, and in flowgen's "
		"cgroup namespace)",
		pod->ref);
}
