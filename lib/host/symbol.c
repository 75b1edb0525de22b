// SPDX-License-Identifier: GPL-2.0-only
#include "host/symbol.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>

#include "base/grow.h"
#include "bpf/symbol.skel.h"

struct known {
	uint64_t address;
	char *name;
};

struct fg_symbols {
	struct symbol_bpf *bpf;
	bool tried;
	struct known *known; /* as many as a run has places where packets end: few */
	size_t count;
};

struct fg_symbols *fg_symbols_new(struct fg_error *err)
{
	struct fg_symbols *s = calloc(1, sizeof(*s));

	if (!s)
		fg_fail_errno(err, FG_ERR_INTERNAL, ENOMEM, "symbol table");
	return s;
}

void fg_symbols_free(struct fg_symbols *symbols)
{
	if (!symbols)
		return;
	for (size_t i = 0; i < symbols->count; i++)
		free(symbols->known[i].name);
	free(symbols->known);
	symbol_bpf__destroy(symbols->bpf);
	free(symbols);
}

/* Asks the kernel; falls back to the bare number. */
static char *ask(struct fg_symbols *s, uint64_t address)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts);
	char *name;

	if (!s->tried) {
		s->tried = true;
		s->bpf = symbol_bpf__open_and_load();
	}
	/* The kernel may have made the map, and not let it be mapped. */
	if (s->bpf && s->bpf->bss) {
		s->bpf->bss->address = address;
		s->bpf->bss->name[0] = '\0';
		if (!bpf_prog_test_run_opts(bpf_program__fd(s->bpf->progs.fg_symbol), &opts) &&
		    !opts.retval && s->bpf->bss->name[0])
			return strndup(s->bpf->bss->name, sizeof(s->bpf->bss->name));
	}
	return asprintf(&name, "0x%llx", (unsigned long long)address) < 0 ? NULL : name;
}

const char *fg_symbols_name(struct fg_symbols *symbols, uint64_t address)
{
	struct known *next;

	if (!address)
		return NULL;
	for (size_t i = 0; i < symbols->count; i++)
		if (symbols->known[i].address == address)
			return symbols->known[i].name;
	next = FG_GROW(symbols->known, symbols->count, 1, "symbols", NULL);
	if (!next)
		return NULL;
	next->address = address;
	next->name = ask(symbols, address);
	if (!next->name)
		return NULL;
	symbols->count++;
	return next->name;
}
