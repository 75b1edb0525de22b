// SPDX-License-Identifier: GPL-2.0-only
/* test_words.c - whose the words of the command line are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "base/count.h"
#include "cluster/words.h"

static int is(const char *name, size_t len, const char *text)
{
	return len == strlen(text) && !strncmp(name, text, len);
}

static int own(const char *name, size_t len)
{
	if (is(name, len, "pod") || is(name, len, "context") || is(name, len, "namespace") ||
	    is(name, len, "selector"))
		return 1;
	return is(name, len, "help") || is(name, len, "all-namespaces") ? 0 : -1;
}

static int of_verb(const char *verb, const char *name, size_t len)
{
	if (strcmp(verb, "inject") != 0)
		return -1;
	if (is(name, len, "count") || is(name, len, "proto") || is(name, len, "output") ||
	    is(name, len, "dport") || is(name, len, "dns"))
		return 1;
	return is(name, len, "reply") || is(name, len, "udp") ? 0 : -1;
}

static bool is_verb(const char *word)
{
	return !strcmp(word, "inject") || !strcmp(word, "exec");
}

static const char *letter(const char *verb, char letter)
{
	if (strcmp(verb, "inject") != 0)
		return NULL;
	return letter == 'p' ? "dport" : letter == 'c' ? "count" : letter == 'o' ? "output" : NULL;
}

static const struct fg_words_tables tables = { own, of_verb, is_verb, letter };

static int split(char *line, char **argv)
{
	int argc = 0;

	for (char *word = strtok(line, " "); word; word = strtok(NULL, " "))
		argv[argc++] = word;
	argv[argc] = NULL;
	return argc;
}

static void join(const char *const *list, size_t count, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < count; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? " " : "", list[i]);
}

static void test_sorted(void **state)
{
	static const struct {
		const char *line, *verb, *own, *words, *protocol, *output;
	} rows[] = {
		{ "k inject --pod a/b --reply --count 3", "inject", "k --pod a/b",
		  "--reply --count 3", NULL, NULL },
		{ "k -n shop inject --proto=udp --context=c --output text", "inject",
		  "k --namespace shop --context=c", "--proto=udp", "udp", "text" },
		{ "k inject --output=json -nshop -n=pay -A -l app=x --proto tcp", "inject",
		  "k --namespace shop --namespace pay --all-namespaces --selector app=x",
		  "--proto tcp", "tcp", "json" },
		/* The value of an option is never one itself. */
		{ "k inject --count --pod --pod --count", "inject", "k --pod --count",
		  "--count --pod", NULL, NULL },
		{ "k exec --pod a/b -- curl -n --context x", "exec", "k --pod a/b",
		  "-- curl -n --context x", NULL, NULL },
		{ "k inject a.yaml - b.yaml", "inject", "k", "a.yaml - b.yaml", NULL, NULL },
		{ "k inject a/b 10.0.0.9 -p 80 -c3 -oj --udp", "inject", "k",
		  "a/b 10.0.0.9 -p 80 -c3 --udp", "udp", "j" },
		{ "k -h", NULL, "k --help", "", NULL, NULL },
		{ "k inject -q -A --dns x", "inject", "k --quiet --all-namespaces", "--dns x",
		  "udp", NULL },
		{ "k --help", NULL, "k --help", "", NULL, NULL },
		{ "k", NULL, "k", "", NULL, NULL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[200], got[200], *argv[20];
		struct fg_words w = {};
		struct fg_error err = {};
		int argc;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		argc = split(line, argv);
		if (fg_words_sort(&w, &tables, argc, argv, &err))
			fail_msg("%s: %s", rows[i].line, err.message);
		join(w.own, w.own_count, got, sizeof(got));
		assert_string_equal(got, rows[i].own);
		join(w.words, w.word_count, got, sizeof(got));
		assert_string_equal(got, rows[i].words);
		assert_null(w.own[w.own_count]);
		assert_null(w.words[w.word_count]);
		assert_string_equal(w.verb ? w.verb : "-", rows[i].verb ? rows[i].verb : "-");
		assert_string_equal(w.protocol ? w.protocol : "-",
				    rows[i].protocol ? rows[i].protocol : "-");
		assert_string_equal(w.output ? w.output : "-",
				    rows[i].output ? rows[i].output : "-");
		fg_words_free(&w);
	}
}

static void test_taken(void **state)
{
	char line[] = "k inject a/b --count 3 10.0.0.9 more", got[80], *argv[20];
	struct fg_words w = {};
	int argc = split(line, argv);

	(void)state;
	assert_int_equal(fg_words_sort(&w, &tables, argc, argv, NULL), 0);
	assert_string_equal(fg_words_take(&w), "a/b");
	assert_string_equal(fg_words_take(&w), "10.0.0.9");
	join(w.words, w.word_count, got, sizeof(got));
	assert_string_equal(got, "--count 3 more");
	assert_null(w.words[w.word_count]);
	assert_string_equal(fg_words_take(&w), "more");
	assert_null(fg_words_take(&w));
	fg_words_free(&w);
}

static void test_refused(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{ "k inject --bogus", "no option '--bogus'" },
		/* The verb's, before it is known which verb. */
		{ "k --reply inject", "no option '--reply'" },
		{ "k inject --count", "option '--count' requires an argument" },
		{ "k inject -n", "option '-n' requires an argument" },
		{ "k inject -x", "no option '-x'" },
		{ "k -p 80 inject", "no option '-p'" },
		{ "k inject -p", "option '-p' requires an argument" },
		{ "k inject -Ax", "no option '-Ax'" },
		{ "k injct", "no verb 'injct' of flowgen kube" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char line[200], *argv[20];
		struct fg_words w = {};
		struct fg_error err = {};
		int argc;

		snprintf(line, sizeof(line), "%s", rows[i].line);
		argc = split(line, argv);
		assert_int_equal(fg_words_sort(&w, &tables, argc, argv, &err), -1);
		assert_int_equal(err.kind, FG_ERR_USAGE);
		assert_string_equal(err.message, rows[i].why);
		fg_words_free(&w);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(test_sorted),
					    cmocka_unit_test(test_taken),
					    cmocka_unit_test(test_refused) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
