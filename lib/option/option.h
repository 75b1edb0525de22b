/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * option/option.h - the options of a verb as one table, and its reader. From the same table come
 * the parser, --help, and what `flowgen --dump-options` prints, which the option lists of
 * doc/flowgen.8 and doc/flowgen.bash are checked against (tests/lint/options). Pure: cmd/ prints.
 */
#ifndef FG_OPTION_H
#define FG_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "base/parse.h"
#include "option/destination.h"
#include "packet/packet.h"

/* What an option takes, and the type of the member of the verb's options that it is stored in. */
enum fg_option_type {
	FG_OPTION_HEADING,     /* not an option: the title of those that follow, in --help */
	FG_OPTION_FLAG,	       /* nothing; bool */
	FG_OPTION_TEXT,	       /* const char *, from argv */
	FG_OPTION_NUMBER,      /* min to max; an unsigned integer of any size */
	FG_OPTION_DURATION,    /* uint64_t, in nanoseconds, at least min */
	FG_OPTION_RATE,	       /* double, packets per second */
	FG_OPTION_ADDRESS,     /* struct fg_addr */
	FG_OPTION_DESTINATION, /* struct fg_destination; the verb frees it */
	FG_OPTION_PORTS,       /* struct fg_ports; the verb frees it */
	FG_OPTION_WORD,	       /* one of words: its index, as bool or enum */
	FG_OPTION_OWN,	       /* what read() makes of it */
	FG_OPTION_PACKET,      /* struct fg_packet_spec: it is replaced by all of fg_packet_keys */
	FG_OPTION_HELP,	       /* every verb's: --help, --quiet, --usage */
};

struct fg_option {
	enum fg_option_type type;
	const char *name;     /* without its dashes; NULL: an operand (or a heading) */
	char letter;	      /* of its short form; 0: it has none */
	bool common;	      /* in --help; --help=all has all of them */
	const char *argument; /* placeholder of the value; NULL: a flag */
	const char *help;     /* one line, no full stop; defaults in parentheses */
	size_t to, size;      /* where the value is stored in the verb's options */
	size_t given;	      /* of a bool that says that it was given, plus 1; 0: none */
	uint64_t min, max;
	bool power_of_two;
	bool optional;	 /* the value may be left out: a FG_OPTION_TEXT is then empty */
	bool repeatable; /* read() takes each of them; of all others a second one is an error */
	const char *const *words; /* ends with NULL */
	int (*read)(const char *what, const char *text, void *to, struct fg_error *err);
	const struct fg_packet_key *key; /* filled in for FG_OPTION_PACKET */
	int (*set)(struct fg_packet_spec *packet, const struct fg_packet_key *key, const char *text,
		   struct fg_error *err);
};

struct fg_verb {
	const char *name, *summary; /* in flowgen --help */
	const char *about, *end;    /* before and after the options, in flowgen VERB --help */
	const struct fg_option *options;
	size_t option_count;
	int (*run)(const struct fg_verb *verb, int argc, char **argv);
};

/* What a command line asks for instead of the verb. */
enum fg_option_help {
	FG_OPTION_HELP_NONE,
	FG_OPTION_HELP_USAGE,
	FG_OPTION_HELP_COMMON,
	FG_OPTION_HELP_ALL
};

/* Colours of text. */
enum fg_option_color { FG_OPTION_COLOR_AUTO, FG_OPTION_COLOR_ALWAYS, FG_OPTION_COLOR_NEVER };

struct fg_option_heard {
	enum fg_option_help help; /* the rest of the command line is then not read */
	bool quiet, verbose;	  /* --quiet, --verbose */
	enum fg_option_color color;
	char note[160]; /* what a person may not have meant; empty: nothing */
};

/* What an option is if the command line does not give it; of one name the first counts. */
struct fg_option_default {
	char where[300]; /* who says so, for errors */
	const char *name, *text;
	bool common; /* it is said of all verbs: one that has no such option, or word, ignores it */
};

/*
 * Reads a verb's command line into its options, which hold the defaults. Options and operands may
 * come in any order; behind "--" all are operands, which read() is told by what = "--" (else "").
 * An option's name may be shortened while it is unique. Defaults are for options that are not
 * given, nor said by another option (--udp for --proto); one of a word or of ports does not count
 * as given (FG_GIVEN). Returns 0, or -1 with FG_ERR_USAGE.
 */
int fg_options_read(const struct fg_verb *verb, int argc, char **argv,
		    const struct fg_option_default *defaults, size_t default_count, void *options,
		    struct fg_option_heard *heard, struct fg_error *err);

/*
 * Whether an option of the verb by this name (len bytes, without dashes; it may be shortened while
 * it is unique) takes a value that may be the next word: 1 or 0; -1: there is none.
 */
int fg_options_takes(const struct fg_verb *verb, const char *name, size_t len);

/* The name of the verb's option with this letter; NULL: there is none. */
const char *fg_option_of_letter(const struct fg_verb *verb, char letter);

/* Appends the help of a verb; lines are at most width columns. */
void fg_option_help_put(const struct fg_verb *verb, enum fg_option_help help, unsigned int width,
			struct fg_buffer *out);

/* Appends the help of the program: its verbs. */
void fg_option_verbs_put(const struct fg_verb *const *verbs, size_t count, struct fg_buffer *out);

/*
 * Appends the table for tools: a line for each option with, between tabs, verb, heading, name,
 * argument (in [=] if it may be left out), "repeatable" or "", words with | between, help, letter.
 * Empty: there is none.
 */
void fg_options_dump(const struct fg_verb *verb, struct fg_buffer *out);

/*
 * Appends a command line with one of its words (or what stands behind its equals sign) replaced;
 * old NULL: with new at its end. Words are quoted for a shell where that is needed, but not new.
 */
void fg_option_again(int argc, char *const *argv, const char *old, const char *new,
		     struct fg_buffer *out);

/*
 * Of results. jsonl is json, and wide is text that is not broken into lines and leaves nothing out.
 * The words of a verb are the first of fg_option_all_forms; fg_option_forms are those of a list.
 */
enum fg_form {
	FG_FORM_JSON,
	FG_FORM_TEXT,
	FG_FORM_JSONL,
	FG_FORM_WIDE,
	FG_FORM_ONELINE,
	FG_FORM_TAP,
	FG_FORM_JUNIT
};
static inline bool fg_form_is_json(enum fg_form form)
{
	return form == FG_FORM_JSON || form == FG_FORM_JSONL;
}

/* The names of all verbs; ends with NULL. */
extern const char *const fg_option_verbs[];

extern const char *const fg_option_forms[], *const fg_option_probe_forms[],
						    *const fg_option_all_forms[];

/*
 * --- rows of a table; FG_OPTIONS is the verb's struct, and is defined by its file. A member of
 * another type than the option's does not compile. What follows help is further members of the row.
 */
#define FG_MEMBER(member_) (((FG_OPTIONS *)0)->member_)
#define FG_OPTION_AT(member_, type_)                                                               \
	.to = offsetof(FG_OPTIONS, member_),                                                       \
	.size = sizeof(FG_MEMBER(member_)) +                                                       \
		0 * sizeof(struct {                                                                \
			int is_type                                                                \
			    : __builtin_types_compatible_p(__typeof__(FG_MEMBER(member_)), type_)  \
			      ? 1                                                                  \
			      : -1;                                                                \
		})
#define FG_OPTION_ROW(type_, name_, argument_, member_, ctype_, help_, ...)                        \
	{                                                                                          \
		.type = (type_), .name = (name_), .argument = (argument_), .help = (help_),        \
		FG_OPTION_AT(member_, ctype_), __VA_ARGS__                                         \
	}

#define FG_LETTER(letter_) .letter = (letter_)
#define FG_COMMON .common = true
#define FG_GIVEN(member_) .given = (offsetof(FG_OPTIONS, member_) + 1)

#define FG_HEADING(text_)                                                                          \
	{                                                                                          \
		.type = FG_OPTION_HEADING, .help = (text_)                                         \
	}
#define FG_FLAG(name_, member_, help_, ...)                                                        \
	FG_OPTION_ROW(FG_OPTION_FLAG, name_, NULL, member_, bool, help_, __VA_ARGS__)
#define FG_TEXT(name_, argument_, member_, help_, ...)                                             \
	FG_OPTION_ROW(FG_OPTION_TEXT, name_, argument_, member_, const char *, help_, __VA_ARGS__)
#define FG_NUMBER(name_, argument_, member_, min_, max_, help_, ...)                               \
	FG_OPTION_ROW(FG_OPTION_NUMBER, name_, argument_, member_, __typeof__(FG_MEMBER(member_)), \
		      help_, .min = (min_), .max = (max_), __VA_ARGS__)
#define FG_DURATION(name_, member_, min_, help_, ...)                                              \
	FG_OPTION_ROW(FG_OPTION_DURATION, name_, "TIME", member_, uint64_t, help_, .min = (min_),  \
		      __VA_ARGS__)
#define FG_RATE(name_, member_, help_, ...)                                                        \
	FG_OPTION_ROW(FG_OPTION_RATE, name_, "N[k|m]", member_, double, help_, __VA_ARGS__)
#define FG_ADDRESS(name_, member_, help_, ...)                                                     \
	FG_OPTION_ROW(FG_OPTION_ADDRESS, name_, "ADDR", member_, struct fg_addr, help_, __VA_ARGS__)
#define FG_TO(name_, member_, help_, ...)                                                          \
	FG_OPTION_ROW(FG_OPTION_DESTINATION, name_, "DESTINATION[:PORTS]", member_,                \
		      struct fg_destination, help_, __VA_ARGS__)
#define FG_PORTS(name_, member_, help_, ...)                                                       \
	FG_OPTION_ROW(FG_OPTION_PORTS, name_, "PORTS", member_, struct fg_ports, help_, __VA_ARGS__)
#define FG_WORD(name_, argument_, member_, words_, help_, ...)                                     \
	FG_OPTION_ROW(FG_OPTION_WORD, name_, argument_, member_, __typeof__(FG_MEMBER(member_)),   \
		      help_, .words = (words_), __VA_ARGS__)
#define FG_OWN(name_, argument_, member_, read_, help_, ...)                                       \
	FG_OPTION_ROW(FG_OPTION_OWN, name_, argument_, member_, __typeof__(FG_MEMBER(member_)),    \
		      help_, .read = (read_), __VA_ARGS__)
/* Each is handed to read() with all of the verb's options: an option, and the operands. */
#define FG_LIST(name_, argument_, read_, help_)                                                    \
	{                                                                                          \
		.type = FG_OPTION_OWN, .name = (name_), .argument = (argument_), .help = (help_),  \
		.read = (read_), .repeatable = true                                                \
	}
#define FG_OPERANDS(argument_, read_) FG_LIST(NULL, argument_, read_, NULL)

#define FG_PACKET_KEYS(member_, set_)                                                              \
	FG_OPTION_ROW(FG_OPTION_PACKET, NULL, NULL, member_, struct fg_packet_spec, NULL,          \
		      .set = (set_))

/* What several verbs have. */
#define FG_OPTION_OUTPUT_OF(member_, argument_, words_, help_, ...)                                \
	FG_WORD("output", argument_, member_, words_, help_ " (text on a terminal, else json)",    \
		FG_LETTER('o'), FG_COMMON, __VA_ARGS__)
#define FG_OPTION_OUTPUT(member_, help_, ...)                                                      \
	FG_OPTION_OUTPUT_OF(member_, "json|text|wide", fg_option_forms, help_, __VA_ARGS__)
#define FG_OPTION_OUTPUT_PROBES(member_, help_, ...)                                               \
	FG_OPTION_OUTPUT_OF(member_, "json|text|wide|oneline", fg_option_probe_forms, help_,       \
			    __VA_ARGS__)
#define FG_OPTION_NAMESPACE(member_)                                                               \
	FG_TEXT("namespace", "NAME", member_, "The namespace of a pod that is named without one",  \
		FG_LETTER('n'), FG_COMMON)
#define FG_OPTION_HOST_ROOT(member_)                                                               \
	FG_TEXT("host-root", "DIR", member_,                                                       \
		"Look for the host's /run, /var/lib and /proc below this directory")
#define FG_OPTION_INTERFACE(member_)                                                               \
	FG_TEXT("interface", "NAME", member_,                                                      \
		"The device in the pod (its only pair to the host, or that of its default route)")
#define FG_OPTION_RING_SIZE(member_)                                                               \
	FG_NUMBER("ring-size", "BYTES", member_, 4096, 1 << 30,                                    \
		  "Size of the event ring buffer, a power of two (4194304)", .power_of_two = true)

#endif
