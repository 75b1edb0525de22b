// SPDX-License-Identifier: GPL-2.0-only
/* A text that is changed to say what a tree says: only where it said something else, and it reads
 * as the tree, or is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "base/count.h"
#include "yaml/yaml.h"

static void read_kept(struct fg_yaml *yaml, const char *text)
{
	struct fg_buffer events = {};
	struct fg_error err = {};

	if (fg_yaml_read(yaml, "f", text, strlen(text), &err) ||
	    fg_yaml_events(&events, "f", text, strlen(text), &err) ||
	    fg_yaml_keep(yaml, text, strlen(text), events.data, events.len, &err))
		fail_msg("%s: %s", text, err.message);
	fg_buffer_free(&events);
}

static void reads_as(const char *text, const json_t *root)
{
	struct fg_error err = {};
	struct fg_yaml yaml;

	if (fg_yaml_read(&yaml, "f", text, strlen(text), &err))
		fail_msg("%s: %s", text, err.message);
	if (!json_equal(yaml.root, root))
		fail_msg("reads as something else: %s", text);
	fg_yaml_free(&yaml);
}

/* before, rewritten to what wanted (JSON) says. Returns the text, which reads as that; NULL: not
 * possible, for *why. */
static char *rewritten(const char *before, const char *wanted, const char **why)
{
	json_t *root = json_loads(wanted, 0, NULL);
	struct fg_error err = {};
	struct fg_yaml yaml;
	char *text;

	assert_non_null(root);
	read_kept(&yaml, before);
	text = fg_yaml_rewrite(&yaml, root, why, &err);
	if (text)
		reads_as(text, root);
	fg_yaml_free(&yaml);
	json_decref(root);
	return text;
}

static const struct {
	const char *before, *wanted, *after;
} rows[] = {
	/* What is the same stays to the byte. */
	{ "# top\na:   'x'   # why\n\n\nb: [ 1,2 ]\n# end", "{\"a\":\"x\",\"b\":[\"1\",\"2\"]}",
	  "# top\na:   'x'   # why\n\n\nb: [ 1,2 ]\n# end" },
	/* Another value: its quotes and what is beside it stay. */
	{ "a: x # c\nb: y\n", "{\"a\":\"z\",\"b\":\"y\"}", "a: z # c\nb: y\n" },
	{ "a: 'x'\nb: \"y\"\n", "{\"a\":\"it's\",\"b\":\"q\\\"\"}", "a: 'it''s'\nb: \"q\\\"\"\n" },
	{ "{\"a\": \"x\", \"b\": 1}\n", "{\"a\":\"y\",\"b\":\"1\",\"c\":\"z\"}",
	  "{\"a\": \"y\", \"b\": 1, \"c\": \"z\"}\n" },
	{ "{\"a\":\"x\"}", "{\"a\":\"y\"}", "{\"a\": \"y\"}" },
	{ "a:   x\n", "{\"a\":\"z\"}", "a:   z\n" },
	{ "a: x\n", "{\"a\":\"yes\"}", "a: \"yes\"\n" },
	{ "a: x\n", "{\"a\":\"\\u2028: #\\u0085\"}", "a: \"\\L: #\\N\"\n" },
	{ "a:\nb: y\n", "{\"a\":\"x\",\"b\":\"y\"}", "a: x\nb: y\n" },
	{ "\303\244: \303\266 # \303\274\nb: y\n", "{\"\303\244\":\"\303\266\",\"b\":\"z\"}",
	  "\303\244: \303\266 # \303\274\nb: z\n" },
	/* A block becomes a word behind its key, and a word a list. */
	{ "e:\n  by: x # c\n  why: y\nf: 1\n", "{\"e\":\"deny\",\"f\":\"1\"}", "e: deny\nf: 1\n" },
	{ "e:\n  # c\n  by: x\nf: 1\n", "{\"e\":\"deny\",\"f\":\"1\"}",
	  "e:\n  # c\n  deny\nf: 1\n" },
	{ "e:\n- x\n- y\nf: 1\n", "{\"e\":\"deny\",\"f\":\"1\"}", "e: deny\nf: 1\n" },
	{ "e: |\n  x\n  y\n\n# c\nf: 1\n", "{\"e\":\"deny\",\"f\":\"1\"}",
	  "e: deny\n\n# c\nf: 1\n" },
	{ "e: x\n", "{\"e\":[\"a\",{\"b\":\"c\"}]}", "e: [a, {b: c}]\n" },
	{ "- x\n- - y\n", "[\"z\",[\"y\"]]", "- z\n- - y\n" },
	/* One key more: behind the last, on a line of its own. */
	{ "p:\n  - a: x # c\n    b: y # d\n\n  # next\n  - a: z\n",
	  "{\"p\":[{\"a\":\"x\",\"b\":\"y\",\"e\":\"deny\"},{\"a\":\"z\",\"e\":\"allow\"}]}",
	  "p:\n  - a: x # c\n    b: y # d\n    e: deny\n\n  # next\n  - a: z\n    e: allow\n" },
	{ "a: x", "{\"a\":\"x\",\"b\":\"z\"}", "a: x\nb: z" },
	{ "a: x\r\nb: z\r\n", "{\"a\":\"x\",\"b\":\"z\",\"c\":\"w\"}", "a: x\r\nb: z\r\nc: w\r\n" },
	{ "{a: x # c\n}", "{\"a\":\"x\",\"b\":\"z\"}", "{a: x, b: z # c\n}" },
	{ "p: {}\n", "{\"p\":{\"a\":\"x\"}}", "p: {a: x}\n" },
	{ "m:\n  a: x\n  t: |\n    text\nn: y\n",
	  "{\"m\":{\"a\":\"x\",\"t\":\"text\\n\",\"b\":\"z\"},\"n\":\"y\"}",
	  "m:\n  a: x\n  b: z\n  t: |\n    text\nn: y\n" },
	{ "m:\n  a: x\nn: y\n",
	  "{\"m\":{\"a\":\"x\",\"t\":{\"r\":\"A D\",\"s\":\"A\"}},\"n\":\"y\"}",
	  "m:\n  a: x\n  t:\n    r: A D\n    s: A\nn: y\n" },
	/* One less: with its line, or what divides it from the others. */
	{ "m:\n  a: x\n  e: deny # c\n  # d\n  b: y\n", "{\"m\":{\"a\":\"x\",\"b\":\"y\"}}",
	  "m:\n  a: x\n  # d\n  b: y\n" },
	{ "- e: deny\n  b: y\n", "[{\"b\":\"y\"}]", "- b: y\n" },
	{ "{a: x, e: y}", "{\"a\":\"x\"}", "{a: x}" },
	{ "{e: y, a: x}", "{\"a\":\"x\"}", "{a: x}" },
	{ "{a: x, e: y, b: z}", "{\"a\":\"x\",\"b\":\"z\"}", "{a: x, b: z}" },
	/* What is on the lines behind it belongs to the next key, and so does a question mark. */
	{ "- e: deny # c\n    # d\n\n    # f\n  b: y\n", "[{\"b\":\"y\"}]",
	  "- # d\n\n    # f\n  b: y\n" },
	{ "- e: |\n    deny\n# d\n  b: y\n", "[{\"b\":\"y\"}]", "- # d\n  b: y\n" },
	{ "- e: deny\n  ? b\n  : y\n", "[{\"b\":\"y\"}]", "- ? b\n  : y\n" },
	{ "{e: y, # c\n # d\n a: x}", "{\"a\":\"x\"}", "{ # d\n a: x}" },
	{ "{e: y\n, a: x}", "{\"a\":\"x\"}", "{a: x}" },
	{ "{e: y, ? 'a\n b' : x}", "{\"a b\":\"x\"}", "{? 'a\n b' : x}" },
	{ "a: x\ne:\n  ? k\nb: y\n", "{\"a\":\"x\",\"b\":\"y\"}", "a: x\nb: y\n" },
	{ "e:\n  ? k\nb: y\n", "{\"e\":\"x\",\"b\":\"y\"}", "e: x\nb: y\n" },
	{ "m:\n  s:\n    ? k\nb: y\n", "{\"m\":{\"s\":{\"k\":\"\"},\"a\":\"x\"},\"b\":\"y\"}",
	  "m:\n  s:\n    ? k\n  a: x\nb: y\n" },
	{ "a: |\n  x\ne: y\n", "{\"a\":\"x\\n\"}", "a: |\n  x\n" },
	{ "a: |\n  x\nb: z\ne: y\n  # c\n", "{\"a\":\"x\\n\",\"b\":\"z\"}",
	  "a: |\n  x\nb: z\n  # c\n" },
	/* A text or a comment that ends in a question mark is none of a key. */
	{ "a: may x?\ne: y\nb: z\n", "{\"a\":\"may x?\",\"b\":\"z\"}", "a: may x?\nb: z\n" },
	{ "# why, ?\na:\nb: y\n", "{\"a\":\"x\",\"b\":\"y\",\"c\":\"z\"}",
	  "# why, ?\na: x\nb: y\nc: z\n" },
	{ "{a: x, # why?\n e: y, b: z}", "{\"a\":\"x\",\"b\":\"z\"}", "{a: x, # why?\n b: z}" },
	{ "{? a : x, b: y}", "{\"a\":\"z\",\"b\":\"y\"}", "{? a : z, b: y}" },
	/* A comment right behind a bracket does not become part of a word. */
	{ "e: {by: x}#c\nb: [y]#d\n", "{\"e\":\"deny\",\"b\":[\"y\"]}", "e: deny #c\nb: [y]#d\n" },
	{ "- [x]#c", "[\"z\"]", "- z #c" },
	{ "{a: [x]#c\n}", "{\"a\":[\"x\"],\"b\":\"z\"}", "{a: [x], b: z #c\n}" },
	{ "{a: x, e: [y]#c\n}", "{\"a\":\"x\"}", "{a: x #c\n}" },
	/* Anchors: who has another value says so, the others stay. */
	{ "a: &w x\nb: *w\nc: *w\n", "{\"a\":\"x\",\"b\":\"z\",\"c\":\"x\"}",
	  "a: &w x\nb: z\nc: *w\n" },
	{ "a: &w x\nb: *w\nc: *w\n", "{\"a\":\"z\",\"b\":\"x\",\"c\":\"z\"}",
	  "a: &w z\nb: x\nc: *w\n" },
	{ "p:\n- &b {a: x, e: allow}\n- {<<: *b, a: y}\n- *b\n",
	  "{\"p\":[{\"a\":\"x\",\"e\":\"deny\"},{\"a\":\"y\",\"e\":\"allow\"},"
	  "{\"a\":\"x\",\"e\":\"any\"}]}",
	  "p:\n- &b {a: x, e: deny}\n- {<<: *b, a: y, e: allow}\n- {a: x, e: any}\n" },
	{ "p:\n- &b {a: x}\n- {<<: [*b], a: y}\n",
	  "{\"p\":[{\"a\":\"x\",\"e\":\"deny\"},{\"a\":\"y\",\"e\":\"deny\"}]}",
	  "p:\n- &b {a: x, e: deny}\n- {<<: [*b], a: y}\n" },
	{ "\"<<\": x\n", "{\"<<\":\"y\"}", "\"<<\": \"y\"\n" },
};

static void test_rows(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *why;
		char *text = rewritten(rows[i].before, rows[i].wanted, &why);

		if (!text)
			fail_msg("%s: %s", rows[i].before, why);
		assert_string_equal(text, rows[i].after);
		free(text);
	}
}

static void test_refused(void **state)
{
	static const struct {
		const char *before, *wanted, *why;
	} refused[] = {
		{ "a: &b {x: y}\nc: {<<: *b}\n", "{\"a\":{\"x\":\"y\"},\"c\":{}}",
		  "what has to go comes with a merge key" },
		{ "c: {<<: {x: y}}\n", "{\"c\":{\"x\":\"z\"}}",
		  "a merge key has something else than the name of a mapping" },
		{ "a: {x: y}\n", "{\"a\":{}}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "? a\n: x\n? b\n: y\n", "{\"b\":\"y\"}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "{a: x, ? b : y, c: z}", "{\"a\":\"x\",\"c\":\"z\"}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "{a: x,\n ? b : y, c: z}", "{\"a\":\"x\",\"c\":\"z\"}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "?\n: x\nb: y\n", "{\"b\":\"y\"}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "{?\n b : y, c: z}", "{\"c\":\"z\"}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "{a: x, # c\n e: y}", "{\"a\":\"x\"}",
		  "a comment is beside a key that has to go" },
		{ "{e: y # c\n , a: x}", "{\"a\":\"x\"}",
		  "a comment is beside a key that has to go" },
		{ "? |\n a\n: x\nb: y\n", "{\"b\":\"y\"}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "a: x\nb: y\n", "{}",
		  "a mapping has one key, or one that begins with a question mark" },
		{ "a: |\n  x\ne: y\n  # c\nb: z\n", "{\"a\":\"x\\n\",\"b\":\"z\"}",
		  "a comment is beside a key that has to go" },
		{ "a: |+\n  x\ne: y\n\nb: z\n", "{\"a\":\"x\\n\",\"b\":\"z\"}",
		  "a comment is beside a key that has to go" },
		{ "a: |\n  x\ne: y\n     ", "{\"a\":\"x\\n\"}",
		  "a comment is beside a key that has to go" },
		{ "m:\n  a: |\n    x\n  e: y\nf: y\n    # c\n", "{\"m\":{\"a\":\"x\\n\"}}",
		  "a comment is beside a key that has to go" },
		{ "? |\n x\n: a\ne: y\nf: z\n # c\n", "{\"x\\n\":\"a\"}",
		  "a comment is beside a key that has to go" },
		{ "? |\n x\n", "{\"x\\n\":\"\",\"b\":\"y\"}", "a mapping ends in a block of text" },
		{ "m:\n  ? |\n   x\n", "{\"m\":{\"x\\n\":\"\"},\"b\":\"y\"}",
		  "a mapping ends in a block of text" },
		{ "e: # c\n  |\n  x\n", "{\"e\":\"y\"}",
		  "a comment is between a key and its value" },
		{ "? a\n: x\n", "{\"a\":\"x\",\"b\":\"y\"}", "a mapping ends in a block of text" },
		{ "a: |\n  x\n", "{\"a\":\"x\\n\",\"b\":\"y\"}",
		  "a mapping ends in a block of text" },
		{ "[a: x]\n", "[{\"a\":\"x\",\"b\":\"y\"}]", "a pair in a list has no braces" },
		{ "[a: {x: y}]\n", "[{\"a\":{\"x\":\"y\"},\"b\":\"y\"}]",
		  "a pair in a list has no braces" },
		{ "e:\n# c\n- x\n", "{\"e\":\"deny\"}",
		  "a comment is between a key and its value" },
		{ "{a}\n", "{\"a\":\"x\"}", "a key has no value" },
		{ "a: x\rb: y", "{\"a\":\"z\",\"b\":\"y\"}", "its lines do not end in line feeds" },
		{ "a: 'x\342\200\250'", "{\"a\":\"z\"}", "its lines do not end in line feeds" },
		{ "# nothing\n", "{\"a\":\"x\"}", "it is empty" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(refused); i++) {
		const char *why = "it was not refused";
		char *text = rewritten(refused[i].before, refused[i].wanted, &why);

		if (text)
			fail_msg("not refused: %s", text);
		assert_string_equal(why, refused[i].why);
	}
}

/* Nothing was kept; and events of another text, as a process that was taken over may send. */
static void test_other_text(void **state)
{
	struct fg_yaml yaml = {}, other = {};
	struct fg_error err = {};
	const char *why;

	(void)state;
	assert_int_equal(fg_yaml_read(&yaml, "f", "a: x", 4, &err), 0);
	assert_null(fg_yaml_rewrite(&yaml, yaml.root, &why, &err));
	assert_string_equal(why, "the text was not kept");
	read_kept(&other, "aaaaaaaaa: xxxxxx");
	assert_int_equal(fg_yaml_keep(&yaml, "a: x", 4, other.events.data, other.events.len, &err),
			 0);
	assert_null(fg_yaml_rewrite(&yaml, yaml.root, &why, &err));
	assert_null(why);
	assert_int_equal(err.kind, FG_ERR_INTERNAL);
	assert_string_equal(err.message, "f: the process that reads it tells of another text");
	fg_yaml_free(&yaml);
	fg_yaml_free(&other);
}

/* Every word of a file, in turn: it reads as what it was changed to. */
static void test_each_node(void **state)
{
	static const char text[] = "# top\n"
				   "name: shop # short\n"
				   "pods: { cart: shop/cart, db: { pod: \"pay/db\" } } # all\n"
				   "probes:\n"
				   "  # first\n"
				   "  - name: 'one' # c\n"
				   "    from: cart\n"
				   "    expect: # none\n"
				   "      verdict: [denied,\n"
				   "        none] # d\n"
				   "      by: x\n"
				   "\n"
				   "  - {name: two, \"from\": db,\n"
				   "     expect: deny} # e\n"
				   "matrix:\n"
				   "- from:\n"
				   "  - cart\n"
				   "  - db\n"
				   "  table:\n"
				   "    # letters\n"
				   "    cart: A D\n"
				   "    db:   >\n"
				   "      A\n"
				   "      A\n"
				   "end: \303\244\n";
	struct fg_yaml yaml;
	size_t changed = 0;

	(void)state;
	read_kept(&yaml, text);
	for (size_t i = 0; i < yaml.place_room; i++) {
		json_t *node = (json_t *)yaml.places[i].node;
		struct fg_error err = {};
		const char *why;
		char *after, *word;

		if (!json_is_string(node))
			continue;
		word = strdup(json_string_value(node));
		json_string_set(node, "another: \"word\"");
		after = fg_yaml_rewrite(&yaml, yaml.root, &why, &err);
		assert_non_null(after);
		reads_as(after, yaml.root);
		free(after);
		json_string_set(node, word);
		free(word);
		changed++;
	}
	assert_int_equal(changed, 16);
	fg_yaml_free(&yaml);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_other_text),
		cmocka_unit_test(test_each_node),
	};

	return cmocka_run_group_tests_name("yaml/rewrite", tests, NULL, NULL);
}
