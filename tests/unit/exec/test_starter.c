// SPDX-License-Identifier: GPL-2.0-only
/* The process that starts a scenario's commands: what comes back, and what is left when it fails.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/count.h"
#include "exec/job.h"

#define PIECE 32768
#define SOON_MS 10000

static struct fg_scenario_command command, stranger;
static struct fg_exec_starter *starter;
static int cancel[2];
static char warned[2 * PIECE];

static void take_warning(void *arg, const char *text)
{
	assert_ptr_equal(arg, warned);
	assert_true(strlen(warned) + strlen(text) + 2 < sizeof(warned));
	strcat(warned, text);
	strcat(warned, "|");
}

static bool is_known(const void *arg, const struct fg_scenario_command *asked)
{
	return arg == &command && asked == &command;
}

static int descriptors(void)
{
	DIR *list = opendir("/proc/self/fd");
	int n = 0;

	assert_non_null(list);
	while (readdir(list))
		n++;
	closedir(list);
	return n;
}

static int had;

static int set_up(void **state)
{
	(void)state;
	had = descriptors();
	warned[0] = '\0';
	return pipe2(cancel, O_CLOEXEC);
}

/* Nothing is left, however it went. */
static int tear_down(void **state)
{
	(void)state;
	fg_exec_starter_close(starter);
	starter = NULL;
	close(cancel[0]);
	close(cancel[1]);
	return waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD || descriptors() != had;
}

static void open_starter(fg_run_job_fn run)
{
	struct fg_error err = {};

	starter = fg_exec_starter_open(run, is_known, &command, &err);
	if (!starter)
		fail_msg("%s", err.message);
}

static struct fg_run_job job_of(void)
{
	return (struct fg_run_job){ .ref = "prod/web",
				    .interface = "eth0",
				    .method = FG_METHOD_PEER_EGRESS,
				    .command = &command,
				    .cancel_fd = cancel[0],
				    .ui = { .warn = take_warning, .arg = warned },
				    .arg = starter };
}

/* One that is asked for fails so, in one line, and without anything to be freed but *ran. */
static void assert_fails(const struct fg_run_job *job, enum fg_error_kind kind, const char *message)
{
	struct fg_scenario_ran ran;
	struct fg_error err = {};

	assert_int_equal(fg_exec_starter_run(job, &ran, &err), -1);
	assert_string_equal(err.message, message);
	assert_int_equal(err.kind, kind);
	assert_int_equal(ran.met, FG_FLOWS_UNKNOWN);
	assert_null(strchr(err.message, '\n'));
	fg_scenario_ran_free(&ran);
}

/* The process of the starter; 0: it has ended, and waits for its end to be taken. */
static pid_t starter_pid(void)
{
	siginfo_t info = {};
	char line[32] = "";
	FILE *file = fopen("/proc/thread-self/children", "re");

	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT), 0);
	if (!file)
		skip(); /* a kernel without CONFIG_PROC_CHILDREN */
	assert_non_null(fgets(line, sizeof(line), file));
	fclose(file);
	return info.si_pid ? 0 : (pid_t)strtol(line, NULL, 10);
}

static void await_end(void)
{
	siginfo_t info = {};

	assert_int_equal(waitid(P_ALL, 0, &info, WEXITED | WNOWAIT), 0);
}

/* --- answers --- */

static char *text_of(size_t len, char first)
{
	char *text = calloc(1, len + 1);

	for (size_t i = 0; text && i < len; i++)
		text[i] = (char)(first + (char)(i % 23));
	return text;
}

static int run_whole(const struct fg_run_job *job, struct fg_scenario_ran *ran,
		     struct fg_error *err)
{
	size_t len = strtoul(job->interface, NULL, 10);

	(void)err;
	job->ui.warn(job->ui.arg, job->ref);
	job->ui.warn(job->ui.arg, "");
	job->ui.warn(job->ui.arg, job->host_root);
	*ran = (struct fg_scenario_ran){ .status = 7,
					 .overdue = true,
					 .output_cut = true,
					 .met = FG_FLOWS_MET,
					 .met_why = "as expected",
					 .output = text_of(len, 'a'),
					 .flows = text_of(len + 1, 'A'),
					 .flows_text = text_of(1, 'x'),
					 .duration_ns = 1234567890123 };
	if (job->method == FG_METHOD_HOST_INGRESS)
		ran->failed = text_of(3, 'f');
	return 0;
}

/* A text comes in pieces: each length around one of a piece and of more of them. */
static void what_it_did_comes_back_whole(void **state)
{
	static const size_t lengths[] = { 0,
					  1,
					  PIECE - 2,
					  PIECE - 1,
					  PIECE,
					  PIECE + 1,
					  2 * PIECE - 1,
					  2 * PIECE,
					  2 * PIECE + 1,
					  150000 };
	struct fg_scenario_ran ran;
	struct fg_error err = {};

	(void)state;
	open_starter(run_whole);
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct fg_run_job job = job_of();
		char length[32], *output = text_of(lengths[i], 'a');
		char *flows = text_of(lengths[i] + 1, 'A');

		snprintf(length, sizeof(length), "%zu", lengths[i]);
		job.interface = length;
		job.host_root = i % 2 ? "/host" : NULL;
		job.method = i % 2 ? FG_METHOD_HOST_INGRESS : FG_METHOD_POD_SOCKET;
		warned[0] = '\0';
		assert_int_equal(fg_exec_starter_run(&job, &ran, &err), 0);
		assert_string_equal(warned, i % 2 ? "prod/web||/host|" : "prod/web|||");
		assert_int_equal(ran.status, 7);
		assert_true(ran.overdue && ran.output_cut && !ran.stopped);
		assert_int_equal(ran.met, FG_FLOWS_MET);
		assert_string_equal(ran.met_why, "as expected");
		assert_string_equal(ran.output, output);
		assert_string_equal(ran.flows, flows);
		assert_string_equal(ran.flows_text, "x");
		assert_int_equal(ran.duration_ns, 1234567890123);
		if (i % 2)
			assert_string_equal(ran.failed, "fgh");
		else
			assert_null(ran.failed);
		fg_scenario_ran_free(&ran);
		free(output);
		free(flows);
	}
}

/* Of one that has no warnings shown, and of a text that there is none of. */
static int run_bare(const struct fg_run_job *job, struct fg_scenario_ran *ran, struct fg_error *err)
{
	(void)err;
	job->ui.warn(job->ui.arg, "unheard");
	*ran = (struct fg_scenario_ran){ .met = FG_FLOWS_UNKNOWN, .output = text_of(0, ' ') };
	return 0;
}

static void what_there_is_none_of_stays_none(void **state)
{
	struct fg_scenario_ran ran;
	struct fg_error err = {};
	struct fg_run_job job;

	(void)state;
	open_starter(run_bare);
	job = job_of();
	job.ui.warn = NULL;
	assert_int_equal(fg_exec_starter_run(&job, &ran, &err), 0);
	assert_string_equal(ran.output, "");
	assert_null(ran.failed);
	assert_null(ran.flows);
	assert_null(ran.flows_text);
	fg_scenario_ran_free(&ran);
}

/* --- errors --- */

static int run_refused(const struct fg_run_job *job, struct fg_scenario_ran *ran,
		       struct fg_error *err)
{
	(void)job;
	(void)ran;
	fg_fail_errno(err, FG_ERR_UNSUPPORTED, ENODEV, "pod %s", job->ref);
	return fg_hint(err, "another pod");
}

static void an_error_is_told_as_it_was(void **state)
{
	struct fg_scenario_ran ran;
	struct fg_error err = {};
	struct fg_run_job job;

	(void)state;
	open_starter(run_refused);
	job = job_of();
	/* Twice: it goes on after it. */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(fg_exec_starter_run(&job, &ran, &err), -1);
		assert_string_equal(err.message, "pod prod/web: No such device");
		assert_string_equal(err.hint, "another pod");
		assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
		assert_int_equal(err.code, ENODEV);
		fg_scenario_ran_free(&ran);
	}
}

static int run_ending(const struct fg_run_job *job, struct fg_scenario_ran *ran,
		      struct fg_error *err)
{
	if (job->method == FG_METHOD_POD_SOCKET)
		return run_bare(job, ran, err);
	if (job->method == FG_METHOD_PEER_EGRESS)
		_exit(3);
	return raise(SIGKILL);
}

static void a_process_that_ends_without_a_word_is_an_error_and_the_next_one_runs(void **state)
{
	struct fg_scenario_ran ran;
	struct fg_error err = {};
	struct fg_run_job job;

	(void)state;
	open_starter(run_ending);
	job = job_of();
	assert_fails(&job, FG_ERR_INTERNAL, "the process that runs a command ended with status 3");
	job.method = FG_METHOD_HOST_INGRESS;
	assert_fails(&job, FG_ERR_INTERNAL,
		     "the process that runs a command ended with status 137");
	job.method = FG_METHOD_POD_SOCKET;
	assert_int_equal(fg_exec_starter_run(&job, &ran, &err), 0);
	fg_scenario_ran_free(&ran);
}

/* What a run was made to ask for is not run: the starter ends, and so starts nothing more. */
static void what_is_not_of_the_scenario_is_not_run(void **state)
{
	static const int methods[] = { FG_METHOD_POD_SOCKET + 1, -1, INT32_MAX };
	const char *ended = "the process that starts commands has ended";

	(void)state;
	for (size_t i = 0; i <= COUNT(methods); i++) {
		struct fg_run_job job;

		open_starter(run_bare);
		job = job_of();
		if (i < COUNT(methods))
			job.method = (enum fg_method)methods[i];
		else
			job.command = &stranger;
		assert_fails(&job, FG_ERR_INTERNAL, ended);
		await_end();
		job = job_of();
		assert_fails(&job, FG_ERR_INTERNAL, "start a command: Broken pipe");
		assert_string_equal(warned, "");
		fg_exec_starter_close(starter);
	}
	starter = NULL;
}

/* A name that was cut would be another's. */
static void a_name_that_is_too_long_is_refused_and_not_cut(void **state)
{
	char longest[513];
	struct fg_scenario_ran ran;
	struct fg_error err = {};
	struct fg_run_job job;

	(void)state;
	open_starter(run_bare);
	memset(longest, 'x', 512);
	longest[512] = '\0';
	job = job_of();
	job.ref = longest;
	assert_fails(&job, FG_ERR_USAGE, "the pod: longer than 511 bytes");
	job.ref = longest + 1;
	job.host_root = longest;
	assert_fails(&job, FG_ERR_USAGE, "the host's root: longer than 511 bytes");
	job.host_root = longest + 1;
	job.interface = longest + 512 - 32;
	assert_fails(&job, FG_ERR_USAGE, "the interface: longer than 31 bytes");
	job.interface++;
	assert_int_equal(fg_exec_starter_run(&job, &ran, &err), 0);
	assert_string_equal(warned, "unheard|");
	fg_scenario_ran_free(&ran);
}

static void without_room_for_a_process_it_says_so(void **state)
{
	struct fg_run_job job;
	int status = 0;
	pid_t child;

	(void)state;
	/* Of root the kernel counts no processes. */
	child = fork();
	if (!child) {
		const struct rlimit none = { 0, 0 };

		if ((getuid() == 0 && setuid(65534)) || setrlimit(RLIMIT_CORE, &none))
			_exit(2);
		starter = fg_exec_starter_open(run_bare, is_known, &command, NULL);
		if (!starter || prlimit(starter_pid(), RLIMIT_NPROC, &none, NULL))
			_exit(3);
		job = job_of();
		assert_fails(&job, FG_ERR_INTERNAL,
			     "start a process: Resource temporarily unavailable");
		fg_exec_starter_close(starter);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* --- what is not understood: a process that reads strangers' packets wrote it --- */

struct raw {
	uint32_t what, len;
	union {
		char text[PIECE];
		struct fg_scenario_ran ran;
	};
};

enum { WARNING, FAILED, OUTPUT, FLOWS, FLOWS_TEXT, ERROR, DONE };

/* The interface says how. */
static int run_wrong(const struct fg_run_job *job, struct fg_scenario_ran *ran,
		     struct fg_error *err)
{
	static struct raw raw = { .what = DONE };
	size_t size = sizeof(raw);

	(void)ran;
	(void)err;
	memset(raw.text, '!', sizeof(raw.text));
	raw.len = sizeof(raw.text);
	if (!strcmp(job->interface, "what"))
		raw.what = DONE + 1;
	else if (!strcmp(job->interface, "short"))
		size--;
	else if (!strcmp(job->interface, "long"))
		raw.len++, raw.what = OUTPUT;
	else if (!strcmp(job->interface, "error"))
		raw.what = ERROR;
	send(job->cancel_fd, &raw, size, 0);
	_exit(0);
}

static void what_is_not_understood_is_an_error(void **state)
{
	static const char *const rows[][2] = {
		{ "what", "the process that starts commands is not understood" },
		{ "short", "the process that starts commands has ended" },
		{ "long", "what the command wrote is not understood" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct fg_run_job job;

		open_starter(run_wrong);
		job = job_of();
		job.interface = rows[i][0];
		assert_fails(&job, FG_ERR_INTERNAL, rows[i][1]);
		fg_exec_starter_close(starter);
	}
	starter = NULL;
}

/* No pointer of the other process is taken, and each text ends. */
static void what_it_says_of_memory_is_not_believed(void **state)
{
	struct fg_scenario_ran ran;
	struct fg_error err = {};
	struct fg_run_job job;

	(void)state;
	open_starter(run_wrong);
	job = job_of();
	job.interface = "done";
	assert_int_equal(fg_exec_starter_run(&job, &ran, &err), 0);
	assert_null(ran.failed);
	assert_null(ran.output);
	assert_null(ran.flows);
	assert_null(ran.flows_text);
	assert_int_equal(strlen(ran.met_why), sizeof(ran.met_why) - 1);
	fg_scenario_ran_free(&ran);
	job.interface = "error";
	assert_int_equal(fg_exec_starter_run(&job, &ran, &err), -1);
	assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
	assert_int_equal(strlen(err.hint), sizeof(err.hint) - 1);
	fg_scenario_ran_free(&ran);
}

/* --- its end --- */

static int run_until_told(const struct fg_run_job *job, struct fg_scenario_ran *ran,
			  struct fg_error *err)
{
	struct pollfd p = { .fd = job->cancel_fd, .events = POLLIN };

	job->ui.warn(job->ui.arg, "running");
	if (poll(&p, 1, SOON_MS) != 1)
		return fg_fail(err, FG_ERR_INTERNAL, "not told");
	*ran = (struct fg_scenario_ran){ .stopped = true };
	return 0;
}

static void one_that_is_to_end_is_told(void **state)
{
	struct fg_scenario_ran ran;
	struct fg_error err = {};
	struct fg_run_job job;

	(void)state;
	open_starter(run_until_told);
	job = job_of();
	assert_int_equal(write(cancel[1], "", 1), 1);
	assert_int_equal(fg_exec_starter_run(&job, &ran, &err), 0);
	assert_true(ran.stopped);
	fg_scenario_ran_free(&ran);
}

static int runner_fd;

static int run_slowly(const struct fg_run_job *job, struct fg_scenario_ran *ran,
		      struct fg_error *err)
{
	const struct timespec a_while = { .tv_nsec = 150000000 };

	nanosleep(&a_while, NULL);
	return run_bare(job, ran, err);
}

static void on_alarm(int sig)
{
	(void)sig;
}

/* Nor the command: its process has no timer, and no signal comes to it. */
static void a_signal_of_the_caller_interrupts_nothing(void **state)
{
	const struct itimerval often = { { .tv_usec = 2000 }, { .tv_usec = 2000 } }, never = {};
	const struct sigaction interrupts = { .sa_handler = on_alarm };
	struct fg_scenario_ran ran = {};
	struct fg_error err = {};
	struct fg_run_job job;
	int ret;

	(void)state;
	open_starter(run_slowly);
	job = job_of();
	assert_int_equal(sigaction(SIGALRM, &interrupts, NULL), 0);
	setitimer(ITIMER_REAL, &often, NULL);
	ret = fg_exec_starter_run(&job, &ran, &err);
	setitimer(ITIMER_REAL, &never, NULL);
	assert_string_equal(err.message, "");
	assert_int_equal(ret, 0);
	assert_string_equal(warned, "unheard|");
	fg_scenario_ran_free(&ran);
}

/* As the first warning comes: the command is running, in the process that it names. */
static void kill_starter(void *arg, const char *text)
{
	(void)arg;
	runner_fd = (int)syscall(SYS_pidfd_open, strtol(text, NULL, 10), 0);
	kill(starter_pid(), SIGKILL);
}

static int run_for_ever(const struct fg_run_job *job, struct fg_scenario_ran *ran,
			struct fg_error *err)
{
	char pid[32];

	(void)ran;
	snprintf(pid, sizeof(pid), "%d", getpid());
	job->ui.warn(job->ui.arg, pid);
	sleep(2 * SOON_MS / 1000);
	return fg_fail(err, FG_ERR_INTERNAL, "still there");
}

static void a_starter_that_is_killed_takes_its_command_along(void **state)
{
	struct pollfd gone = { .events = POLLIN };
	struct fg_run_job job;

	(void)state;
	open_starter(run_for_ever);
	job = job_of();
	job.ui.warn = kill_starter;
	assert_fails(&job, FG_ERR_INTERNAL, "the process that starts commands has ended");
	assert_true(runner_fd >= 0);
	gone.fd = runner_fd;
	assert_int_equal(poll(&gone, 1, SOON_MS), 1);
	close(runner_fd);
}

/* Its own descriptors are the standard ones, that lead nowhere, and the socket; no signal but one.
 */
static int run_looking(const struct fg_run_job *job, struct fg_scenario_ran *ran,
		       struct fg_error *err)
{
	char path[64], target[64];
	sigset_t blocked;

	(void)err;
	sigprocmask(SIG_BLOCK, NULL, &blocked);
	*ran = (struct fg_scenario_ran){ .status = 1 };
	for (int sig = 1; sig < 32; sig++)
		if (sig != SIGKILL && sig != SIGSTOP &&
		    sigismember(&blocked, sig) != (sig != SIGCHLD))
			ran->status = 100 + sig;
	for (int fd = 0; fd < 1024; fd++) {
		ssize_t len;

		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		len = readlink(path, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		if (len >= 0 && fd != job->cancel_fd &&
		    (fd > 2 || strcmp(target, "/dev/null") != 0))
			ran->status = 1000 + fd;
	}
	return 0;
}

static void nothing_of_the_caller_is_open_in_it(void **state)
{
	struct fg_scenario_ran ran;
	struct fg_error err = {};
	struct fg_run_job job;
	int spare[20];

	(void)state;
	/* Below its socket, and above. */
	for (size_t i = 0; i < COUNT(spare); i++)
		spare[i] = open("/", O_PATH);
	for (size_t low = 0; low < 2; low++) {
		/* Nothing but the standard ones below it. */
		for (size_t i = 0; !low && i < COUNT(spare) / 2; i++)
			close(spare[i]);
		open_starter(run_looking);
		job = job_of();
		assert_int_equal(fg_exec_starter_run(&job, &ran, &err), 0);
		assert_int_equal(ran.status, 1);
		fg_scenario_ran_free(&ran);
		fg_exec_starter_close(starter);
	}
	starter = NULL;
	for (size_t i = COUNT(spare) / 2; i < COUNT(spare); i++)
		close(spare[i]);
}

static void what_cannot_be_opened_is_an_error(void **state)
{
	struct rlimit before, none;
	struct fg_error err = {};

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 3, before.rlim_max };
	assert_int_equal(prlimit(0, RLIMIT_NOFILE, &none, NULL), 0);
	starter = fg_exec_starter_open(run_bare, is_known, &command, &err);
	assert_int_equal(prlimit(0, RLIMIT_NOFILE, &before, NULL), 0);
	assert_null(starter);
	assert_string_equal(err.message, "start commands: Too many open files");
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	fg_exec_starter_close(NULL);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_it_did_comes_back_whole),
		CASE(what_there_is_none_of_stays_none),
		CASE(an_error_is_told_as_it_was),
		CASE(a_process_that_ends_without_a_word_is_an_error_and_the_next_one_runs),
		CASE(what_is_not_of_the_scenario_is_not_run),
		CASE(a_name_that_is_too_long_is_refused_and_not_cut),
		CASE(without_room_for_a_process_it_says_so),
		CASE(what_is_not_understood_is_an_error),
		CASE(what_it_says_of_memory_is_not_believed),
		CASE(one_that_is_to_end_is_told),
		CASE(a_signal_of_the_caller_interrupts_nothing),
		CASE(a_starter_that_is_killed_takes_its_command_along),
		CASE(nothing_of_the_caller_is_open_in_it),
		CASE(what_cannot_be_opened_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
