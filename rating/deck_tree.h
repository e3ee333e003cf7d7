/**
 * @file deck_tree.h  The digit tree of a deck: which of its prefixes begin a
 * number, in 12 bytes for each prefix that others continue and none for the
 * others.
 *
 * A lookup waits for memory, not for arithmetic, so the tree is small before
 * all else, and decides where rows stand: those of a node's own prefix first,
 * then those of its leaves (prefixes that no other one continues) by digit. So
 * a node needs two numbers and two sets of digits to find all that is below.
 */
#ifndef DECK_TREE_H
#define DECK_TREE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DECK_TREE_HITS_MAX 16 /* prefixes of 0 to 15 digits */
#define DECK_WALKS_MAX 32

struct deck_node {
	uint16_t nodes;      /**< bit d: digit d leads to a node           */
	uint16_t leaves;     /**< bit d: digit d ends a prefix; and flags  */
	uint32_t first_node; /**< the nodes below stand together           */
	uint32_t first_row;
};

struct deck_tree {
	struct deck_node *nodes; /**< the first is the root                */
	size_t n, size;
};

/** A prefix of the number: where its rows stand. */
struct deck_hit {
	uint32_t row;    /**< from here on ...                             */
	uint8_t skip;    /**< ... after the rows of as many other prefixes */
	uint8_t digits;  /**< of the prefix                                */
};

/** Prefix of row i, digits only; rows are sorted by it. */
typedef const char *(deck_prefix_h)(const void *rows, size_t i);

/**
 * @param t      zeroed; deck_tree_clear() frees what it holds, also after an
 *               error
 * @param order  n entries: which of the rows stands at each place
 * @return 0 or ENOMEM
 */
int deck_tree_build(struct deck_tree *t, deck_prefix_h *h, const void *rows,
		    size_t n, uint32_t *order);
void deck_tree_clear(struct deck_tree *t);

/** A walk down a tree: every prefix of the number that has rows, the shortest
 *  first. */
struct deck_walk {
	const struct deck_tree *tree; /**< set by the caller; NULL: no tree */
	uint32_t node;
	uint8_t n;                    /**< of hits                          */
	struct deck_hit hits[DECK_TREE_HITS_MAX];
};

/** Pure; any thread. */
void deck_walk(struct deck_walk *w, const char *number);

/** The same number in n <= DECK_WALKS_MAX trees, side by side, so that they
 *  wait for memory together. Pure; any thread. */
void deck_walk_all(struct deck_walk *w, size_t n, const char *number);

/** A prefix of the tree, with its first hit. @return 0 to go on */
typedef int (deck_tree_h)(const char *prefix, const struct deck_hit *hit,
			  void *arg);

/** All prefixes, a shorter one before those that continue it. @return what h
 *  returned at last */
int deck_tree_each(const struct deck_tree *t, deck_tree_h *h, void *arg);

#endif
