// SPDX-License-Identifier: GPL-2.0-only
/* option/value.c - the text of one option becomes its value. */
#include "option/internal.h"

static void store(void *to, size_t size, uint64_t value)
{
	switch (size) {
	case 1:
		*(uint8_t *)to = (uint8_t)value;
		break;
	case 2:
		*(uint16_t *)to = (uint16_t)value;
		break;
	case 4:
		*(uint32_t *)to = (uint32_t)value;
		break;
	default:
		*(uint64_t *)to = value;
	}
}

static int read_number(const struct fg_option *o, const char *what, const char *text, void *to,
		       struct fg_error *err)
{
	uint64_t number;

	if (fg_parse_u64(what, text, o->min, o->max, &number, err))
		return -1;
	if (o->power_of_two && number & (number - 1))
		return fg_fail(err, FG_ERR_USAGE, "%s: must be a power of two, not %s", what, text);
	store(to, o->size, number);
	return 0;
}

static int read_duration(const struct fg_option *o, const char *what, const char *text,
			 uint64_t *to, struct fg_error *err)
{
	uint64_t ns;

	if (fg_parse_duration(what, text, &ns, err))
		return -1;
	if (ns < o->min)
		return fg_fail(err, FG_ERR_USAGE, "%s: must be greater than 0", what);
	*to = ns;
	return 0;
}

static int read_word(const struct fg_option *o, const char *what, const char *text, void *to,
		     struct fg_error *err)
{
	size_t count = 0;
	int found;

	while (o->words[count])
		count++;
	found = fg_parse_word(what, text, o->words, count, err);
	if (found < 0)
		return -1;
	store(to, o->size, (uint64_t)found);
	return 0;
}

int fg_option_value(const struct fg_option *o, const char *what, const char *text, void *options,
		    struct fg_error *err)
{
	void *to = (char *)options + o->to;

	switch (o->type) {
	case FG_OPTION_FLAG:
		*(bool *)to = true;
		return 0;
	case FG_OPTION_TEXT:
		*(const char **)to = text ? text : "";
		return 0;
	case FG_OPTION_NUMBER:
		return read_number(o, what, text, to, err);
	case FG_OPTION_DURATION:
		return read_duration(o, what, text, to, err);
	case FG_OPTION_RATE:
		return fg_parse_rate(what, text, to, err);
	case FG_OPTION_ADDRESS:
		return fg_parse_addr(what, text, to, err);
	case FG_OPTION_DESTINATION:
		return fg_destination_parse(what, text, to, err);
	case FG_OPTION_PORTS:
		return fg_parse_ports(what, text, to, err);
	case FG_OPTION_WORD:
		return read_word(o, what, text, to, err);
	case FG_OPTION_OWN:
		return o->read(what, text, to, err);
	case FG_OPTION_PACKET:
		return o->set(to, o->key, text, err) ? fg_error_prefix(err, "%s", what) : 0;
	case FG_OPTION_HEADING:
	case FG_OPTION_HELP:
		break;
	}
	return fg_fail(err, FG_ERR_INTERNAL, "%s: has no reader", what);
}
