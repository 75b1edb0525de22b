// SPDX-License-Identifier: GPL-2.0-only
#include "facts/mechanisms.h"

#include <stdlib.h>

void fg_mechanisms_free(struct fg_mechanisms *mechanisms)
{
	fg_hooks_free(&mechanisms->hooks);
	free(mechanisms->switches);
	free(mechanisms->qdiscs);
	*mechanisms = (struct fg_mechanisms){};
}
