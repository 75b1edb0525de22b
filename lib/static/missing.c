// SPDX-License-Identifier: GPL-2.0-only
/*
 * missing.c - what Debian's static libraries refer to and do not have. Part of the static binary
 * alone; weak, so that a library that has its own keeps it.
 */
#include <search.h>
#include <stddef.h>

#define WEAK __attribute__((weak))

/*
 * libpcap finds devices through D-Bus, whose library has no static form of all it needs. flowgen
 * only writes capture files.
 */
int dbus_findalldevs(void *list, char *error);
void *dbus_create(const char *device, char *error, int *is_ours);

WEAK int dbus_findalldevs(void *list, char *error)
{
	(void)list;
	(void)error;
	return 0;
}

WEAK void *dbus_create(const char *device, char *error, int *is_ours)
{
	(void)device;
	(void)error;
	*is_ours = 0;
	return NULL;
}

/*
 * libelf 0.192 (Debian 13) without the part that all of elfutils shares: a tree of tsearch(3)
 * behind a lock. The lock comes after the root, and flowgen reads an ELF file in one thread only.
 */
struct search_tree {
	void *root;
};

void eu_search_tree_init(struct search_tree *tree);
void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *node));
void *eu_tsearch(const void *key, struct search_tree *tree,
		 int (*compare)(const void *, const void *));
void *eu_tfind(const void *key, struct search_tree *tree,
	       int (*compare)(const void *, const void *));
void *eu_tdelete(const void *key, struct search_tree *tree,
		 int (*compare)(const void *, const void *));

WEAK void eu_search_tree_init(struct search_tree *tree)
{
	tree->root = NULL;
}

WEAK void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *node))
{
	tdestroy(tree->root, free_node);
}

WEAK void *eu_tsearch(const void *key, struct search_tree *tree,
		      int (*compare)(const void *, const void *))
{
	return tsearch(key, &tree->root, compare);
}

WEAK void *eu_tfind(const void *key, struct search_tree *tree,
		    int (*compare)(const void *, const void *))
{
	return tfind(key, &tree->root, compare);
}

WEAK void *eu_tdelete(const void *key, struct search_tree *tree,
		      int (*compare)(const void *, const void *))
{
	return tdelete(key, &tree->root, compare);
}
