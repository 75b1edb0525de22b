// SPDX-License-Identifier: GPL-2.0-only
/* run/ui.c - what a run reports to its verb. */
#include <stdarg.h>

#include "run/internal.h"

void fg_run_ui_warn(const struct fg_run_ui *ui, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	if (!ui || !ui->warn)
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	ui->warn(ui->arg, text);
}
