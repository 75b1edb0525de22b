// SPDX-License-Identifier: GPL-2.0-only
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "recorded.h"

struct hostroot host;
struct fg_runtime_pods pods;
struct fg_error err;

int recorded_up(void **state)
{
	(void)state;
	memset(&err, 0, sizeof(err));
	if (!host_make(&host))
		skip();
	return 0;
}

int recorded_down(void **state)
{
	(void)state;
	fg_runtime_pods_free(&pods);
	host_remove(&host);
	return 0;
}

void recorded_list(void)
{
	fg_runtime_pods_free(&pods);
	assert_int_equal(fg_runtime_list(host.path, &pods, &err), 0);
}

const struct fg_runtime_pod *recorded_find(const char *ref)
{
	const struct fg_runtime_pod *pod = fg_runtime_find(&pods, ref, &err);

	if (!pod)
		fail_msg("%s", err.message);
	return pod;
}

void recorded_refuses(const char *ref, const char *text)
{
	assert_null(fg_runtime_find(&pods, ref, &err));
	assert_int_equal(err.kind, FG_ERR_UNSUPPORTED);
	if (!strstr(err.message, text))
		fail_msg("\"%s\" does not say \"%s\"", err.message, text);
}
