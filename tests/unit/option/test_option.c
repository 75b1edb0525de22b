// SPDX-License-Identifier: GPL-2.0-only
/* The reader of option tables: every type, what is refused and in which words, and the dump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/count.h"
#include "option/option.h"

struct options {
	bool flag, first_given, seeded;
	const char *text;
	uint8_t byte;
	uint16_t port;
	uint32_t ring;
	uint64_t seed, wait_ns;
	double rate;
	struct fg_addr src;
	struct fg_destination dst;
	struct fg_ports ports;
	bool ports_given, tcp;
	enum fg_form form;
	bool two;
	char own[16];
	struct fg_packet_spec packet;
	int settings, operands, behind;
};
#define FG_OPTIONS struct options

static int read_own(const char *what, const char *text, void *to, struct fg_error *err)
{
	if (!strcmp(text, "bad"))
		return fg_fail(err, FG_ERR_USAGE, "%s: must be good", what);
	snprintf(to, sizeof(((struct options *)0)->own), "%s", text);
	return 0;
}

static int add_setting(const char *what, const char *text, void *to, struct fg_error *err)
{
	assert_string_equal(what, "--set");
	(void)text, (void)err;
	((struct options *)to)->settings++;
	return 0;
}

static int add_operand(const char *what, const char *text, void *to, struct fg_error *err)
{
	if (strcmp(what, "--") != 0)
		assert_string_equal(what, "");
	else
		((struct options *)to)->behind++;
	(void)err;
	assert_string_equal(text, "file");
	((struct options *)to)->operands++;
	return 0;
}

static int set_key(struct fg_packet_spec *packet, const struct fg_packet_key *key, const char *text,
		   struct fg_error *err)
{
	return fg_packet_set(packet, key->name, text, err);
}

static const char *const numbers[] = { "one", "two", NULL };

static const struct fg_option table[] = {
	FG_OPERANDS("FILE...", add_operand),
	FG_HEADING("The first:"),
	FG_FLAG("flag", flag, "A flag", FG_GIVEN(first_given), FG_LETTER('f'), FG_COMMON),
	FG_TEXT("text", "TEXT", text, "A text", FG_LETTER('t')),
	FG_NUMBER("byte", "N", byte, 0, UINT8_MAX, "A byte"),
	FG_NUMBER("port", "PORT", port, 1, UINT16_MAX, "A port"),
	FG_NUMBER("ring", "BYTES", ring, 4, 64, "A ring", .power_of_two = true),
	FG_NUMBER("seed", "N", seed, 0, UINT64_MAX, "A seed", FG_GIVEN(seeded)),
	FG_DURATION("wait", wait_ns, 1, "A time"),
	FG_RATE("rate", rate, "A rate"),
	FG_ADDRESS("src", src, "A source"),
	FG_TO("dst", dst, "A destination"),
	FG_PORTS("ports", ports, "Ports", FG_GIVEN(ports_given)),
	FG_FLAG("tcp", tcp, "A sibling of --proto"),
	FG_HEADING("The second:"),
	FG_WORD("number", "one|two", two, numbers, "A word"),
	FG_OPTION_OUTPUT(form, "Output format"),
	FG_OWN("own", "WHAT", own, read_own, "Its own"),
	FG_LIST("set", "VAR=VALUE", add_setting, "Any number"),
	FG_PACKET_KEYS(packet, set_key),
};

static const struct fg_verb verb = {
	.name = "test", .about = "A test.", .options = table, .option_count = COUNT(table)
};

static char said[512], hinted[256];
static struct fg_option_heard heard;
static const struct fg_option_default *defaults;
static size_t default_count;

/* Reads the words, which end with NULL; the error goes to `said`. */
static int read_words(struct options *o, const char *const *words)
{
	char name[] = "flowgen test", *argv[24] = { name };
	struct fg_error err = {};
	int argc = 1, status;

	for (; words[argc - 1]; argc++)
		argv[argc] = (char *)words[argc - 1];
	memset(o, 0, sizeof(*o));
	fg_packet_spec_init(&o->packet);
	status = fg_options_read(&verb, argc, argv, defaults, default_count, o, &heard, &err);
	snprintf(said, sizeof(said), "%s", status ? err.message : "");
	snprintf(hinted, sizeof(hinted), "%s", status ? err.hint : "");
	if (status)
		assert_int_equal(err.kind, FG_ERR_USAGE);
	return status;
}

#define READ(o, ...) read_words(o, (const char *const[]){ __VA_ARGS__, NULL })

static void done(struct options *o)
{
	fg_ports_free(&o->ports);
	fg_destination_free(&o->dst);
	fg_packet_spec_free(&o->packet);
}

static void test_every_type(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, "--flag", "--text", "a b", "--byte=0xff", "--port", "65535",
			      "--ring", "64", "--seed", "18446744073709551615"),
			 0);
	assert_true(o.flag && o.first_given && o.seeded);
	assert_string_equal(o.text, "a b");
	assert_int_equal(o.byte, 255);
	assert_int_equal(o.port, 65535);
	assert_int_equal(o.ring, 64);
	assert_true(o.seed == UINT64_MAX);
	done(&o);
	assert_int_equal(READ(&o, "--wait", "10ms", "--rate", "2k", "--src", "fd00::1", "--dst",
			      "10.0.0.9:53", "--ports", "22,80-81"),
			 0);
	assert_int_equal(o.wait_ns, 10000000);
	assert_true(o.rate > 1999 && o.rate < 2001);
	assert_int_equal(o.src.family, AF_INET6);
	assert_int_equal(o.dst.kind, FG_DESTINATION_ADDRESS);
	assert_int_equal(fg_ports_get(&o.dst.ports, 0), 53);
	assert_int_equal(o.ports.total, 3);
	assert_false(o.flag || o.first_given || o.seeded);
	done(&o);
	assert_int_equal(READ(&o, "--number", "two", "--output", "text", "--own", "good", "--ttl",
			      "9", "--bad-checksum"),
			 0);
	assert_true(o.two);
	assert_int_equal(o.form, FG_FORM_TEXT);
	assert_string_equal(o.own, "good");
	assert_true(fg_packet_given(&o.packet, "ttl") &&
		    fg_packet_given(&o.packet, "bad-checksum"));
	done(&o);
	assert_string_equal(said, "");
}

static void test_neighbours_are_untouched(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, "--byte", "1", "--number", "one"), 0);
	assert_int_equal(o.byte, 1);
	o.byte = 0;
	for (size_t i = 0; i < offsetof(struct options, own); i++)
		assert_int_equal(((unsigned char *)&o)[i], 0);
	assert_int_equal(o.own[0], 0);
	done(&o);
}

static void test_order_and_abbreviations(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, "file", "--tex=a", "file", "--see=7", "--", "file"), 0);
	assert_string_equal(o.text, "a");
	assert_int_equal(o.seed, 7);
	assert_int_equal(o.operands, 3);
	assert_int_equal(o.behind, 1);
	done(&o);
	assert_int_equal(READ(&o, "--s", "7"), -1);
	assert_non_null(strstr(said, "option '--s' is ambiguous; possibilities: "));
	done(&o);
}

static void test_given_twice(void **state)
{
	struct options o;

	(void)state;
	assert_int_equal(
		READ(&o, "--set", "a=1", "--set", "b=2", "--flag", "--flag", "file", "file"), 0);
	assert_int_equal(o.settings, 2);
	assert_int_equal(o.operands, 2);
	done(&o);
	/* A key that adds, and one that does not. */
	assert_int_equal(READ(&o, "--ip-option", "0101", "--ip-option", "0101"), 0);
	assert_int_equal(o.packet.ip_options_len, 4);
	done(&o);
	assert_int_equal(READ(&o, "--ttl", "1", "--ttl", "1"), -1);
	assert_string_equal(said, "--ttl: given twice");
	done(&o);
	assert_int_equal(READ(&o, "--ports", "1", "--port", "2", "--ports", "3"), -1);
	assert_string_equal(said, "--ports: given twice");
	assert_int_equal(o.ports.total, 1);
	done(&o);
	assert_int_equal(READ(&o, "--text", "a", "--tex", "b"), -1);
	assert_string_equal(said, "--text: given twice");
	done(&o);
}

static void test_what_is_refused(void **state)
{
	static const struct {
		const char *option, *value, *said;
	} cases[] = {
		{ "--byte", "256", "--byte: \"256\" is not a number from 0 to 255" },
		{ "--port", "0", "--port: \"0\" is not a number from 1 to 65535" },
		{ "--port", "", "--port: empty; expected a number from 1 to 65535" },
		{ "--ring", "48", "--ring: must be a power of two, not 48" },
		{ "--ring", "128", "--ring: \"128\" is not a number from 4 to 64" },
		{ "--wait", "0", "--wait: must be greater than 0" },
		{ "--wait", "soon", "--wait: \"soon\" is not a duration" },
		{ "--rate", "-1", "--rate: \"-1\" is not a rate" },
		{ "--src", "10.0.0", "--src: \"10.0.0\" is not an IPv4 or IPv6 address" },
		{ "--dst", "10.0.0.1:0", "--dst: " },
		{ "--ports", "1,1", "--ports: port 1 is named twice" },
		{ "--number", "three", "--number: must be one or two, not \"three\"" },
		{ "--output", "Json", "--output: must be json, text, jsonl or wide, not \"Json\"" },
		{ "--own", "bad", "--own: must be good" },
		{ "--ttl", "256", "--ttl: " },
		{ "--nothing", "x", "unrecognized option '--nothing'" },
	};
	struct options o;

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		assert_int_equal(READ(&o, cases[i].option, cases[i].value), -1);
		if (!strstr(said, cases[i].said))
			fail_msg("%s %s: %s", cases[i].option, cases[i].value, said);
		done(&o);
	}
	assert_int_equal(READ(&o, "--text"), -1);
	assert_string_equal(said, "option '--text' requires an argument");
	done(&o);
	assert_int_equal(READ(&o, "--flag=yes"), -1);
	assert_non_null(strstr(said, "'--flag' doesn't allow an argument"));
	done(&o);
}

static void test_operands_that_are_none(void **state)
{
	static const struct fg_verb none = { .name = "none", .about = "None." };
	char name[] = "flowgen none", more[] = "more", *argv[] = { name, more, NULL };
	struct fg_error err;

	(void)state;
	assert_int_equal(fg_options_read(&none, 2, argv, NULL, 0, NULL, &heard, &err), -1);
	assert_string_equal(err.message, "unexpected argument 'more'");
	assert_int_equal(fg_options_read(&none, 1, argv, NULL, 0, NULL, &heard, &err), 0);
}

static void test_letters(void **state)
{
	static const struct fg_option one[] = { FG_FLAG("flag", flag, "A flag", FG_LETTER('f')) };
	const struct fg_verb short_verb = { .name = "short", .options = one, .option_count = 1 };
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, "-fq", "-tone", "file"), 0);
	assert_true(o.flag && o.first_given && heard.quiet);
	assert_string_equal(o.text, "one");
	assert_int_equal(o.operands, 1);
	done(&o);
	assert_int_equal(READ(&o, "-ft", "-q"), 0);
	assert_string_equal(o.text, "-q");
	assert_false(heard.quiet);
	done(&o);
	assert_int_equal(READ(&o, "-o=text"), 0);
	assert_int_equal(o.form, FG_FORM_TEXT);
	done(&o);
	assert_int_equal(READ(&o, "-t"), -1);
	assert_string_equal(said, "option '-t' requires an argument");
	done(&o);
	assert_int_equal(READ(&o, "-z"), -1);
	assert_string_equal(said, "unrecognized option '-z'");
	done(&o);
	assert_string_equal(fg_option_of_letter(&verb, 't'), "text");
	assert_string_equal(fg_option_of_letter(&verb, 'h'), "help");
	assert_string_equal(fg_option_of_letter(&short_verb, 'f'), "flag");
	assert_null(fg_option_of_letter(&verb, 'z'));
}

static void test_what_was_meant(void **state)
{
	struct fg_buffer again = {};
	char name[] = "flowgen test", a[] = "--dst=10.0.0.9", b[] = "two words",
	     *argv[] = { name, a, b, NULL };
	struct options o;

	(void)state;
	assert_int_equal(READ(&o, "--txet", "a"), -1);
	assert_string_equal(hinted, "did you mean --text?");
	done(&o);
	assert_int_equal(READ(&o, "--textual", "a"), -1);
	assert_string_equal(hinted, "did you mean --text?");
	done(&o);
	/* A word that it may have been taken for. */
	assert_int_equal(READ(&o, "--flow", "3"), 0);
	assert_string_equal(heard.note, "--flow is read as --flow-label, which it is short for");
	done(&o);
	assert_int_equal(READ(&o, "--flo", "x"), -1);
	assert_string_equal(hinted, "--flo is short for --flow-label");
	done(&o);
	fg_option_again(3, argv, "10.0.0.9", "10.0.0.9:80", &again);
	fg_option_again(3, argv, NULL, "MORE", &again);
	fg_buffer_put(&again, "", 1);
	assert_string_equal(again.data, "flowgen test --dst=10.0.0.9:80 'two words'"
					"flowgen test --dst=10.0.0.9 'two words' MORE");
	fg_buffer_free(&again);
}

static void test_defaults(void **state)
{
	static const struct fg_option_default good[] = {
		{ .where = "ENV", .name = "output", .text = "wide", .common = true },
		{ .where = "a:1", .name = "text", .text = "first" },
		{ .where = "a:2", .name = "flag", .text = "yes" },
		{ .where = "a:3", .name = "ttl", .text = "7" },
		{ .where = "a:4", .name = "verbose", .text = "true" },
		{ .where = "b:1", .name = "text", .text = "second" },
		{ .where = "b:2", .name = "color", .text = "never", .common = true },
	};
	static const struct {
		struct fg_option_default one;
		const char *message; /* NULL: it is ignored */
	} rows[] = {
		{ { .where = "ENV", .name = "output", .text = "tap", .common = true }, NULL },
		{ { .where = "ENV", .name = "output", .text = "xml", .common = true },
		  "ENV: output: must be json, text, jsonl or wide, not \"xml\"" },
		{ { .where = "a:1", .name = "colour", .text = "x", .common = true }, NULL },
		{ { .where = "a:1", .name = "color", .text = "x", .common = true },
		  "a:1: --color: must be auto, always or never, not \"x\"" },
		{ { .where = "a:1", .name = "tex", .text = "x" }, "a:1: there is no option --tex" },
		{ { .where = "a:1", .name = "flag", .text = "maybe" },
		  "a:1: --flag: must be true or false, not \"maybe\"" },
		{ { .where = "a:1", .name = "byte", .text = "256" },
		  "a:1: --byte: \"256\" is not a number from 0 to 255" },
	};
	struct options o;

	(void)state;
	defaults = good;
	default_count = COUNT(good);
	assert_int_equal(READ(&o, "file"), 0);
	assert_string_equal(o.text, "first");
	assert_true(o.flag && o.first_given && heard.verbose && fg_packet_given(&o.packet, "ttl"));
	assert_int_equal(o.form, FG_FORM_WIDE);
	assert_int_equal(heard.color, FG_OPTION_COLOR_NEVER);
	done(&o);
	assert_int_equal(READ(&o, "-t", "mine", "--ttl", "9", "-ojson", "--color"), 0);
	assert_string_equal(o.text, "mine");
	assert_int_equal(o.form, FG_FORM_JSON);
	assert_int_equal(heard.color, FG_OPTION_COLOR_ALWAYS);
	done(&o);
	default_count = 1;
	for (size_t i = 0; i < COUNT(rows); i++) {
		defaults = &rows[i].one;
		assert_int_equal(READ(&o, "file"), rows[i].message ? -1 : 0);
		assert_string_equal(said, rows[i].message ? rows[i].message : "");
		done(&o);
	}
	default_count = 0;
}

static void test_defaults_said_otherwise(void **state)
{
	static const struct fg_option_default one[] = {
		{ .where = "a:1", .name = "proto", .text = "udp" },
		{ .where = "a:2", .name = "ports", .text = "80" },
	};
	struct options o;

	(void)state;
	defaults = one;
	default_count = COUNT(one);
	assert_int_equal(READ(&o, "file"), 0);
	assert_true(fg_packet_given(&o.packet, "proto"));
	assert_int_equal(o.ports.total, 1);
	assert_false(o.ports_given);
	done(&o);
	assert_int_equal(READ(&o, "--tcp", "--ports", "1-3"), 0);
	assert_true(o.tcp);
	assert_false(fg_packet_given(&o.packet, "proto"));
	assert_int_equal(o.ports.total, 3);
	assert_true(o.ports_given);
	done(&o);
	default_count = 0;
}

static void test_help(void **state)
{
	struct fg_buffer out = {};
	struct options o;
	size_t column = 0;

	(void)state;
	assert_int_equal(READ(&o, "-h", "--nonsense"), 0);
	assert_int_equal(heard.help, FG_OPTION_HELP_COMMON);
	done(&o);
	assert_int_equal(READ(&o, "--help=all"), 0);
	assert_int_equal(heard.help, FG_OPTION_HELP_ALL);
	done(&o);
	assert_int_equal(READ(&o, "--help=some"), -1);
	done(&o);
	fg_option_help_put(&verb, FG_OPTION_HELP_COMMON, 60, &out);
	fg_buffer_put(&out, "", 1);
	assert_ptr_equal(strstr(out.data, "Usage: flowgen test [OPTION...] FILE...\n\nA test.\n"),
			 out.data);
	assert_non_null(strstr(out.data, "\n  -f, --flag                A flag\n"));
	assert_null(strstr(out.data, "--text"));
	assert_non_null(strstr(out.data, " more options: flowgen test --help=all"));
	out.len = 0;
	fg_option_help_put(&verb, FG_OPTION_HELP_ALL, 60, &out);
	fg_buffer_put(&out, "", 1);
	assert_non_null(strstr(out.data, "\nThe first:\n  -f, --flag "));
	assert_non_null(strstr(out.data, "\nHelp:\n  -h, --help[=all] "));
	assert_non_null(strstr(out.data, "      --set VAR=VALUE       Any number\n"));
	for (const char *p = out.data; *p; p++) {
		column = *p == '\n' ? 0 : column + 1;
		assert_true(column <= 60);
	}
	fg_buffer_free(&out);
}

static void test_the_table_for_tools(void **state)
{
	struct fg_buffer out = {};

	(void)state;
	fg_options_dump(&verb, &out);
	fg_buffer_put(&out, "", 1);
	assert_ptr_equal(strstr(out.data, "test\t\t\tFILE...\trepeatable\t\t\t\n"), out.data);
	assert_non_null(strstr(out.data, "\ntest\tThe first:\tflag\t\t\t\tA flag\tf\n"));
	assert_non_null(
		strstr(out.data, "\ntest\tThe second:\tset\tVAR=VALUE\trepeatable\t\tAny "));
	assert_non_null(strstr(out.data, "\tnumber\tone|two\t\tone|two\tA word\t\n"));
	assert_non_null(strstr(out.data, "\tip-option\tHEX\trepeatable\t\t"));
	fg_buffer_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_type),
		cmocka_unit_test(test_neighbours_are_untouched),
		cmocka_unit_test(test_order_and_abbreviations),
		cmocka_unit_test(test_given_twice),
		cmocka_unit_test(test_what_is_refused),
		cmocka_unit_test(test_operands_that_are_none),
		cmocka_unit_test(test_letters),
		cmocka_unit_test(test_what_was_meant),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_defaults_said_otherwise),
		cmocka_unit_test(test_help),
		cmocka_unit_test(test_the_table_for_tools),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
