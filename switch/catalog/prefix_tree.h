/**
 * @file prefix_tree.h  A digit tree over rows that are sorted by prefix: which
 * prefixes begin a number. It holds nodes for branching prefixes only:
 *
 *   link  0        nothing below
 *         n > 0    node n
 *         n < 0    rows from -n - 1 on, and no longer prefix
 *
 * A prefix that no other one continues costs no node.
 */
#ifndef PREFIX_TREE_H
#define PREFIX_TREE_H
#include <stddef.h>
#include <stdint.h>

#define PREFIX_DIGITS_MAX 15

struct prefix_node {
	int32_t rows;      /**< 1 + first row of this prefix, 0: none  */
	int32_t links[10];
};

/** Zeroed: empty. Several trees may stand in one, each with its root. */
struct prefix_tree {
	struct prefix_node *nodes;
	size_t n, size;
};

/** Prefix of row i: up to PREFIX_DIGITS_MAX digits, "" allowed. */
typedef const char *(prefix_h)(const void *rows, size_t i);

/**
 * Add the tree of rows lo..hi, sorted by prefix; rows of one prefix are found
 * by the first. @return 0 or ENOMEM (what was there before still stands)
 */
int prefix_tree_add(struct prefix_tree *t, prefix_h *h, const void *rows,
		    size_t lo, size_t hi, int32_t *ret_root);

/** Every prefix of digits that has rows, the shortest first: 1 + its first
 *  row. @return how many. Pure; any thread. */
size_t prefix_tree_find(const struct prefix_tree *t, int32_t root,
			const char *digits,
			int32_t found[PREFIX_DIGITS_MAX + 2]);

void prefix_tree_clear(struct prefix_tree *t);

#endif
