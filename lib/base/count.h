/* SPDX-License-Identifier: GPL-2.0-only */
/* base/count.h - how many elements an array has; a pointer does not compile. */
#ifndef FG_COUNT_H
#define FG_COUNT_H

#define COUNT(array)                                                                               \
	(sizeof(array) / sizeof((array)[0]) +                                                      \
	 0 * sizeof(struct {                                                                       \
		 int is_array                                                                      \
		     : __builtin_types_compatible_p(__typeof__(array), __typeof__(&(array)[0]))    \
		       ? -1                                                                        \
		       : 1;                                                                        \
	 }))

#endif
