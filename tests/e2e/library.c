// SPDX-License-Identifier: GPL-2.0-only
/*
 * library.c CASE FLOWGEN TEXT... - what a program does with libflowgen, for library.bats. It is
 * compiled with what `make install` has installed, and so with nothing else of flowgen.
 */
#include <errno.h>
#include <fcntl.h>
#include <flowgen.h>
#include <jansson.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char *program;

static _Noreturn void fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	exit(99);
}

static struct flowgen *open_session(void)
{
	char error[FLOWGEN_ERROR_SIZE];
	struct flowgen *session = flowgen_open(program, NULL, error);

	if (!session)
		fail("flowgen_open: %s", error);
	return session;
}

typedef int call_fn(struct flowgen *session, const char *text, struct flowgen_answer **answer);

static int pods(struct flowgen *session, const char *text, struct flowgen_answer **answer)
{
	(void)text;
	return flowgen_pods(session, answer);
}

/* Objects on standard output; messages, and behind "error: " the error, on standard error. */
static int show(struct flowgen *session, call_fn *call, const char *text)
{
	struct flowgen_answer *answer;
	int status = call(session, text, &answer);
	size_t i;

	for (i = 0; i < flowgen_answer_count(answer); i++)
		puts(flowgen_answer_object(answer, i));
	if (flowgen_answer_object(answer, i))
		fail("an object behind the last");
	for (i = 0; i < flowgen_answer_message_count(answer); i++)
		fprintf(stderr, "%s\n", flowgen_answer_message(answer, i));
	if (flowgen_error(session)[0])
		fprintf(stderr, "error: %s\n", flowgen_error(session));
	flowgen_answer_free(answer);
	return status;
}

static int one_call(call_fn *call, const char *text)
{
	struct flowgen *session = open_session();
	int status = show(session, call, text);

	flowgen_close(session);
	return status;
}

/* --- what a process is, as text --- */

struct state {
	char text[65536];
	size_t len;
};

static void note(struct state *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	s->len += (size_t)vsnprintf(s->text + s->len, sizeof(s->text) - s->len, fmt, args);
	va_end(args);
	if (s->len >= sizeof(s->text))
		fail("too much to note");
}

static void note_link(struct state *s, const char *path)
{
	char to[512];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	note(s, "%s -> %.*s\n", path, n < 0 ? 0 : (int)n, to);
}

/* Lines of a file that begin with one of the words; all if there are none. */
static void note_file(struct state *s, const char *path, const char *const *words)
{
	FILE *file = fopen(path, "r");
	char line[4096];

	while (file && fgets(line, sizeof(line), file)) {
		bool take = !words;

		for (size_t i = 0; words && words[i]; i++)
			take |= !strncmp(line, words[i], strlen(words[i]));
		if (take)
			note(s, "%s", line);
	}
	if (file)
		fclose(file);
	else
		fail("%s: %s", path, strerror(errno));
}

static void note_signals(struct state *s)
{
	for (int number = 1; number < NSIG; number++) {
		struct sigaction action;

		if (!sigaction(number, NULL, &action))
			note(s, "signal %d: %zx %x\n", number, (size_t)action.sa_handler,
			     (unsigned int)action.sa_flags);
	}
}

static size_t descriptors(void)
{
	size_t count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static void note_all(struct state *s)
{
	static const char *const spaces[] = { "net", "mnt", "pid", "user", "uts", "ipc", "cgroup" };
	/* Not SigQ, which counts for all processes of the user. */
	static const char *const status[] = { "SigPnd", "SigBlk",  "SigIgn",	 "SigCgt",
					      "ShdPnd", "Cap",	   "NoNewPrivs", "Seccomp",
					      "Umask",	"Threads", "Uid",	 "Gid",
					      "Groups", NULL };
	char path[64];

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++) {
		snprintf(path, sizeof(path), "/proc/thread-self/ns/%s", spaces[i]);
		note_link(s, path);
	}
	note_link(s, "/proc/self/cwd");
	note_link(s, "/proc/self/root");
	note_file(s, "/proc/self/status", status);
	note_file(s, "/proc/self/limits", NULL);
	note_signals(s);
	for (char **word = environ; *word; word++)
		note(s, "%s\n", *word);
}

/* Says the first line that differs. */
static void same(const struct state *a, const struct state *b, const char *when)
{
	size_t from = 0;

	for (size_t i = 0; a->text[i] == b->text[i]; i++) {
		if (!a->text[i])
			return;
		if (a->text[i] == '\n')
			from = i + 1;
	}
	fail("%s the process is another: \"%.*s\" was \"%.*s\"", when,
	     (int)strcspn(b->text + from, "\n"), b->text + from, (int)strcspn(a->text + from, "\n"),
	     a->text + from);
}

/* --- the cases --- */

static void on_signal(int number)
{
	(void)number;
}

/* Two sessions, one after the other. */
static int untouched(const char *scenario)
{
	static struct state before, during, after;
	const struct rlimit few = { .rlim_cur = 64, .rlim_max = 512 };
	sigset_t blocked;
	size_t open_before;

	/* What differs from the default, and from what flowgen wants, shows that it stays. */
	if (setrlimit(RLIMIT_NOFILE, &few))
		fail("setrlimit: %s", strerror(errno));
	signal(SIGPIPE, SIG_DFL);
	signal(SIGUSR1, on_signal);
	signal(SIGHUP, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGTERM);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	note_all(&before);
	open_before = descriptors();
	for (int i = 0; i < 2; i++) {
		struct flowgen *session = open_session();

		if (show(session, flowgen_inject, scenario) != FLOWGEN_OK)
			fail("it failed");
		during.len = after.len = 0;
		note_all(&during);
		same(&before, &during, "within a session");
		if (descriptors() != open_before + 5)
			fail("%zu descriptors, not %zu", descriptors(), open_before + 5);
		flowgen_close(session);
		note_all(&after);
		same(&before, &after, "after it");
	}
	if (descriptors() != open_before)
		fail("%zu descriptors, not %zu", descriptors(), open_before);
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		fail("a child is left");
	return 0;
}

static struct flowgen *cancelled;

static void on_alarm(int number)
{
	(void)number;
	flowgen_cancel(cancelled);
}

/* Three MiB, then five. */
static int large(const char *nothing)
{
	struct flowgen *session = open_session();
	int status = FLOWGEN_OK;

	(void)nothing;
	for (size_t mib = 3; mib <= 5 && status == FLOWGEN_OK; mib += 2) {
		char *request = malloc((mib << 20) + 64);
		size_t len = request ? (size_t)sprintf(request, "{\"args\":[\"pods\"],\"stdin\":\"")
				     : 0;

		if (!request)
			fail("no memory");
		memset(request + len, 'x', mib << 20);
		strcpy(request + len + (mib << 20), "\"}");
		status = show(session, flowgen_request, request);
		free(request);
	}
	flowgen_close(session);
	return status;
}

/* From a handler; what was cancelled before a call does not end the next one. */
static int cancel(const char *request)
{
	int status = FLOWGEN_OK, delivered = 0;
	unsigned int left = 0;
	const char *object;

	cancelled = open_session();
	flowgen_cancel(cancelled);
	signal(SIGALRM, on_alarm);
	/* A slow machine takes longer until the first packet has arrived. */
	for (unsigned int wait = 2; wait <= 18; wait *= 3) {
		struct flowgen_answer *answer;

		alarm(wait);
		status = flowgen_request(cancelled, request, &answer);
		left = alarm(0);
		object = flowgen_answer_object(answer, 0);
		delivered = object && strstr(object, "\"outcome\":\"delivered\"");
		flowgen_answer_free(answer);
		if (delivered || left)
			break;
	}
	printf("{\"left\": %u, \"delivered\": %d}\n", left, delivered);
	if (show(cancelled, flowgen_request,
		 "{\"args\": [\"inject\", \"--dry-run\", \"--src\", \"10.9.1.2\", \"--dst\", "
		 "\"10.9.0.9:53\"]}") != FLOWGEN_OK)
		fail("the next call failed");
	flowgen_close(cancelled);
	return status;
}

/* Of the one session. */
static pid_t agent(void)
{
	FILE *children = fopen("/proc/thread-self/children", "r");
	int pid = 0;

	if (!children || fscanf(children, "%d", &pid) != 1)
		fail("the agent was not found");
	fclose(children);
	return pid;
}

/* The agent is killed: no SIGPIPE, and each call says that it is over. */
static int lost(const char *scenario)
{
	struct flowgen *session = open_session();
	pid_t pid = agent();
	int status;

	if (kill(pid, SIGKILL))
		fail("the agent was not found");
	signal(SIGPIPE, SIG_DFL);
	/* It is gone, and still the library's to wait for. */
	waitid(P_PID, (id_t)pid, NULL, WEXITED | WNOWAIT);
	status = show(session, flowgen_inject, scenario);
	if (show(session, pods, "") != status)
		fail("the second call has another status");
	flowgen_close(session);
	return status;
}

static pid_t hanging;

static void on_hang(int number)
{
	(void)number;
	kill(hanging, SIGSTOP);
	flowgen_cancel(cancelled);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The agent hangs; a signal each second, and each cancels, too. Neither call takes for ever. */
static int hangs(const char *request)
{
	const struct itimerval each = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	double begun = seconds(), returned, closed;
	int status;

	cancelled = open_session();
	hanging = agent();
	signal(SIGALRM, on_hang);
	setitimer(ITIMER_REAL, &each, NULL);
	status = show(cancelled, flowgen_request, request);
	returned = seconds();
	signal(SIGALRM, on_signal);
	flowgen_close(cancelled);
	closed = seconds();
	if (returned - begun < 10 || returned - begun > 20 || closed - returned > 10)
		fail("it took %.1f s, and %.1f s to close", returned - begun, closed - returned);
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		fail("a child is left");
	return status;
}

/* With each number of descriptors that is not enough: told, and nothing is left. */
static int few(const char *nothing)
{
	struct rlimit before, limit;
	size_t open_before = descriptors();

	(void)nothing;
	getrlimit(RLIMIT_NOFILE, &before);
	limit = before;
	for (limit.rlim_cur = 3; limit.rlim_cur < 64; limit.rlim_cur++) {
		char error[FLOWGEN_ERROR_SIZE] = "";
		struct flowgen *session;

		setrlimit(RLIMIT_NOFILE, &limit);
		session = flowgen_open(program, NULL, error);
		setrlimit(RLIMIT_NOFILE, &before);
		puts(error);
		flowgen_close(session);
		if (descriptors() != open_before)
			fail("%zu descriptors, not %zu", descriptors(), open_before);
		if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
			fail("a child is left: %s", error);
		if (session)
			return 0;
	}
	return 1;
}

/* A child closes the session: the parent's stays. */
static int forked(const char *scenario)
{
	struct flowgen *session = open_session();
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct flowgen_answer *answer;

		if (flowgen_pods(session, &answer) != FLOWGEN_USAGE || answer)
			_exit(1);
		flowgen_close(session);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) != pid || status)
		fail("the child: %d", status);
	status = show(session, flowgen_inject, scenario);
	flowgen_close(session);
	return status;
}

/* A child cancels all the time: that is the parent's to do. */
static int child_cancels(const char *scenario)
{
	struct flowgen *session = open_session();
	pid_t parent = getpid(), pid = fork();
	int status;

	while (!pid && getppid() == parent) {
		flowgen_cancel(session);
		usleep(1000);
	}
	if (!pid)
		_exit(0);
	status = show(session, flowgen_inject, scenario);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	flowgen_close(session);
	return status;
}

/* Who wants the status alone. */
static int no_answer(const char *scenario)
{
	struct flowgen *session = open_session();
	int status = flowgen_inject(session, scenario, NULL);

	if (flowgen_pods(session, NULL) != FLOWGEN_OK)
		fail("pods: %s", flowgen_error(session));
	if (flowgen_request(session, "", NULL) != FLOWGEN_USAGE)
		fail("an empty request was taken");
	flowgen_close(session);
	return status;
}

/* A daemon without standard descriptors: none of the session's takes their place. */
static int daemon_case(const char *scenario)
{
	struct flowgen_answer *answer;
	struct flowgen *session;
	int kept[3], status;

	for (int fd = 0; fd < 3; fd++) {
		kept[fd] = fcntl(fd, F_DUPFD_CLOEXEC, 10);
		close(fd);
	}
	session = open_session();
	status = flowgen_inject(session, scenario, &answer);
	for (int fd = 0; fd < 3; fd++) {
		if (fcntl(fd, F_GETFD) >= 0)
			status = 98;
		dup2(kept[fd], fd);
	}
	printf("%s\n", flowgen_answer_object(answer, 0));
	flowgen_answer_free(answer);
	flowgen_close(session);
	return status;
}

/* --- allocators of the caller's, for jansson: what they did not make is not theirs to free --- */

#define MARK 0x666c6f77U

/* As large as malloc() aligns. */
struct mark {
	uint64_t mark, unused;
};

static size_t allocated;

static void *marked_malloc(size_t size)
{
	struct mark *m = malloc(sizeof(*m) + size);

	if (!m)
		return NULL;
	m->mark = MARK;
	allocated++;
	return m + 1;
}

static void marked_free(void *p)
{
	struct mark *m = (struct mark *)p - 1;

	if (!p)
		return;
	if (m->mark != MARK)
		fail("freed by jansson, and not allocated by it");
	m->mark = 0;
	allocated--;
	free(m);
}

/* A request that the library writes with jansson, and an answer (a text) that it reads with it. */
static int allocators(const char *request)
{
	int status;

	json_set_alloc_funcs(marked_malloc, marked_free);
	status = one_call(flowgen_request, request);
	if (allocated)
		fail("%zu allocations are left", allocated);
	return status;
}

static void *in_thread(void *scenario)
{
	struct flowgen *session = open_session();
	struct flowgen_answer *answer;
	int status = flowgen_inject(session, scenario, &answer);

	if (status || flowgen_answer_count(answer) != 4)
		fail("a thread: %d, %zu objects: %s", status, flowgen_answer_count(answer),
		     flowgen_error(session));
	flowgen_answer_free(answer);
	flowgen_close(session);
	return NULL;
}

/* Sessions beside each other; the caller's handler of SIGCHLD takes the agents' statuses away. */
static int threads(char *scenario)
{
	pthread_t thread[3];

	signal(SIGCHLD, SIG_IGN);
	for (size_t i = 0; i < 3; i++)
		if (pthread_create(&thread[i], NULL, in_thread, scenario))
			fail("a thread");
	for (size_t i = 0; i < 3; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

int main(int argc, char **argv)
{
	const char *name = argc > 3 ? argv[1] : "";

	if (argc > 3)
		program = argv[2];
	if (!strcmp(name, "pods"))
		return one_call(pods, argv[3]);
	if (!strcmp(name, "inject"))
		return one_call(flowgen_inject, argv[3]);
	if (!strcmp(name, "request"))
		return one_call(flowgen_request, argv[3]);
	if (!strcmp(name, "untouched"))
		return untouched(argv[3]);
	if (!strcmp(name, "large"))
		return large(argv[3]);
	if (!strcmp(name, "cancel"))
		return cancel(argv[3]);
	if (!strcmp(name, "allocators"))
		return allocators(argv[3]);
	if (!strcmp(name, "lost"))
		return lost(argv[3]);
	if (!strcmp(name, "hangs"))
		return hangs(argv[3]);
	if (!strcmp(name, "few"))
		return few(argv[3]);
	if (!strcmp(name, "forked"))
		return forked(argv[3]);
	if (!strcmp(name, "child_cancels"))
		return child_cancels(argv[3]);
	if (!strcmp(name, "no_answer"))
		return no_answer(argv[3]);
	if (!strcmp(name, "daemon"))
		return daemon_case(argv[3]);
	if (!strcmp(name, "threads"))
		return threads(argv[3]);
	if (!strcmp(name, "version"))
		return printf("%d.%d.%d %s\n", FLOWGEN_VERSION_MAJOR, FLOWGEN_VERSION_MINOR,
			      FLOWGEN_VERSION_PATCH, flowgen_version()) < 0;
	fail("library CASE FLOWGEN TEXT");
}
