/* SPDX-License-Identifier: GPL-2.0-only */
/* host/symbol.h - kernel addresses by name, asked of the kernel itself, each once. */
#ifndef FG_SYMBOL_H
#define FG_SYMBOL_H

#include <stdint.h>

#include "base/error.h"

struct fg_symbols;

/*
 * Loads nothing yet: the program that asks the kernel is loaded when the first address comes. NULL:
 * out of memory.
 */
struct fg_symbols *fg_symbols_new(struct fg_error *err);
void fg_symbols_free(struct fg_symbols *symbols);

/*
 * "symbol+0xoffset/0xsize" (and " [module]"), as printk's %pS shows it; the address in hexadecimal
 * if the kernel has no name for it, or cannot be asked. Borrowed until fg_symbols_free(). NULL
 * for address 0, or when memory is short.
 */
const char *fg_symbols_name(struct fg_symbols *symbols, uint64_t address);

#endif
