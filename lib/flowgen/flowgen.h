/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flowgen.h - libflowgen: what would happen to a packet if a pod sent it now, and who decides.
 *
 * Link with `pkg-config --cflags --libs flowgen`. libflowgen(3) has this in short, and
 * doc/flowgen-example.c is a program that uses it.
 *
 * A session is one process, `flowgen agent`, which flowgen_open() starts and flowgen_close() ends.
 * Whatever needs privileges, enters namespaces, loads BPF programs or raises limits happens there
 * and in what it starts, never in the caller. So the caller's process keeps its namespaces,
 * signals, limits, capabilities, working directory and environment; the library never ends it and
 * writes nothing to its standard output or error. What the caller gets besides: one child process
 * for each session (and so a SIGCHLD when that ends), five descriptors for it, all above 2 and
 * closed on exec. If the caller ends, however that happens, the agent ends what it does and
 * leaves nothing behind; unless a child that the caller has forked still holds the session.
 *
 * Privileges: sending needs those that flowgen needs (flowgen(8), REQUIREMENTS: usually root). A
 * caller without them can open a session, and check scenarios or build packets
 * ("inject --dry-run"); the rest fails with FLOWGEN_UNSUPPORTED. Whoever can choose a request can
 * run any command with the caller's privileges, by the verb exec.
 *
 * Threads: a session may be used by one thread at a time, and by any. Sessions do not know of each
 * other. flowgen_cancel() may be called from everywhere. After fork() a session is the parent's:
 * the child may only close it, which frees its memory and descriptors, and does nothing else. (Its
 * calls return FLOWGEN_USAGE, and flowgen_cancel() does nothing.) A child that goes on without exec
 * has to close it: as long as it holds the session's socket, the agent does not notice that the
 * parent has ended.
 *
 * Signals: a call is not interrupted by a signal's handler; flowgen_cancel() ends it. The agent is
 * in a session (setsid) of its own, so ^C on a terminal reaches the caller only. A caller that
 * waits for all children (waitpid(-1)) may take the agent's status away: the library does not mind.
 *
 * Versions: semantic. The number in the name of the shared library (libflowgen.so.0) is another: it
 * changes whenever a program would have to be compiled again.
 *
 * Licence: GPL-2.0-only, which whoever passes on a program that is linked with it has to mind. A
 * program that cannot have it speaks with `flowgen agent` itself: that is what this library does.
 */
#ifndef FLOWGEN_H
#define FLOWGEN_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Of this header; flowgen_version() has that of the library in use. */
#define FLOWGEN_VERSION_MAJOR 0
#define FLOWGEN_VERSION_MINOR 2
#define FLOWGEN_VERSION_PATCH 0

/* Bytes of an error's text, with its NUL. */
#define FLOWGEN_ERROR_SIZE 1024

/*
 * What a call returns: the exit statuses of flowgen(8). A request with the verb exec may return any
 * status of its command, 0 to 255.
 */
enum flowgen_status {
	FLOWGEN_OK = 0,		  /* concluded, and every expectation was met */
	FLOWGEN_UNEXPECTED = 1,	  /* an expectation was not met */
	FLOWGEN_USAGE = 2,	  /* the request or the scenario is wrong */
	FLOWGEN_UNSUPPORTED = 3,  /* not possible on this host, or there is no such pod */
	FLOWGEN_INCONCLUSIVE = 4, /* an answer could be wrong, or the call was cancelled */
	FLOWGEN_INTERNAL = 5,	  /* a system call failed, memory is short, the session is over */
};

struct flowgen;	       /* a session */
struct flowgen_answer; /* what one call came to */

/* The version of the library, "0.2.0". */
const char *flowgen_version(void);

/*
 * Starts a session. program: the path of flowgen; NULL: where it was installed with this library,
 * /usr/sbin/flowgen of the packages, /usr/local/sbin/flowgen of `make install`. (The archive of
 * `make dist` is unpacked anywhere, and its library means /sbin/flowgen: name the program.) It is
 * started as it is, PATH is not searched. options: words of `flowgen agent`, as
 * "--host-root", "/host"; the last is NULL. NULL: none.
 *
 * Returns the session, owned by the caller, for flowgen_close(); or NULL, and error has one line
 * that says why. error may be NULL. Waits until the agent has answered: at most 30 seconds, and
 * five more for the end of one that has not.
 */
struct flowgen *flowgen_open(const char *program, const char *const options[],
			     char error[FLOWGEN_ERROR_SIZE]);

/*
 * Ends the session, waits for its process (milliseconds; one that hangs is killed after five
 * seconds), and frees it. Answers stay. NULL is allowed.
 */
void flowgen_close(struct flowgen *session);

/*
 * Each of these asks one thing, waits until that is done, and returns an enum flowgen_status.
 * *answer is filled in every case, also with what is known when a call fails: an answer to be freed
 * by flowgen_answer_free(), or NULL if nothing was said. answer may be NULL: then nothing of it is
 * kept. A request is one line of JSON, and with its scenario and files at most 4 MiB long; a longer
 * one is FLOWGEN_USAGE. A call costs the start of a process and of its BPF programs (about 0.15
 * seconds), so put what belongs together into one.
 */

/* The pods of this host; an object of pod.schema.json for each. */
int flowgen_pods(struct flowgen *session, struct flowgen_answer **answer);

/*
 * Sends the probes of a scenario, the batch (flowgen-scenario(5), YAML or JSON), as `flowgen run`
 * does. The objects are of run.schema.json: one for each probe, then one for the whole.
 */
int flowgen_inject(struct flowgen *session, const char *scenario, struct flowgen_answer **answer);

/*
 * Anything that flowgen can: one request of agent.schema.json ($defs/request_run) as JSON, such as
 * {"args": ["inject", "--pod", "shop/cart-0", "--dst", "10.0.0.9:5432"]}. An id is not needed, and
 * is replaced. Objects that the request prints are as they are. What else it prints or writes are
 * objects as in agent.schema.json, without id: {"text": LINE}, {"file": NAME, "text": PART}.
 */
int flowgen_request(struct flowgen *session, const char *request, struct flowgen_answer **answer);

/*
 * Ends the call that is running, as ^C ends flowgen: it returns with what is known by then. If the
 * agent hangs, the call returns FLOWGEN_INTERNAL after ten seconds, and the session has ended. If
 * no call is running, nothing happens: a cancel that comes just before a call is lost, and has to
 * be repeated. From any thread, and from a signal's handler; errno is kept. The session must not be
 * closed meanwhile.
 */
void flowgen_cancel(struct flowgen *session);

/*
 * Why the last call did not return FLOWGEN_OK or FLOWGEN_UNEXPECTED: one line, as flowgen prints
 * it, without "flowgen: ". "" if there is nothing to say. Valid until the next call.
 */
const char *flowgen_error(const struct flowgen *session);

/*
 * The objects of an answer, in their order: JSON texts without a newline, byte for byte what
 * flowgen prints with --output json. Owned by the answer. NULL if there are not as many. The
 * answer may be NULL.
 */
size_t flowgen_answer_count(const struct flowgen_answer *answer);
const char *flowgen_answer_object(const struct flowgen_answer *answer, size_t index);

/* The same for what flowgen wrote to its standard error: warnings, notes, errors; one line each. */
size_t flowgen_answer_message_count(const struct flowgen_answer *answer);
const char *flowgen_answer_message(const struct flowgen_answer *answer, size_t index);

/* NULL is allowed. */
void flowgen_answer_free(struct flowgen_answer *answer);

#ifdef __cplusplus
}
#endif

#endif
