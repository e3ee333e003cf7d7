/**
 * @file tag.h  Tags: short words by which provisioned rows mark calls
 * ("premium", "test") and other rows ask for them. Rows carry words, one
 * catalog numbers them, and a call carries a set of bits: whether it has all
 * the tags that a row needs is four ANDs.
 */
#ifndef TAG_H
#define TAG_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TAG_SIZE 32     /**< lower-case letters, digits, '_', '-' and NUL  */
#define TAG_LIST_MAX 8  /**< words of one row                             */
#define TAG_LIST_SIZE 128
#define TAG_MAX 256     /**< different words of one catalog               */

struct json_t;

/** The words of a row, each followed by a blank: "premium test ". */
struct tag_list {
	char words[TAG_LIST_SIZE];
};

/** Words as bits; they mean something in one catalog only. */
struct tag_set {
	uint64_t bits[TAG_MAX / 64];
};

/** The words of one catalog: the number of a word is its place. */
struct tag_table {
	char names[TAG_MAX][TAG_SIZE];
	uint16_t n;
};

bool tag_is_valid(const char *name);

/** An array of words. @return 0 or EINVAL: no words, too many, too long */
int tag_list_decode(struct tag_list *ret, const struct json_t *array);

/** Number the words of a row. @return 0 or ENOSPC: too many different ones */
int tag_intern(struct tag_set *ret, struct tag_table *table,
	       const struct tag_list *list);

void tag_set_join(struct tag_set *to, const struct tag_set *more);

/** Is every tag of need in have? True when need is empty. */
bool tag_set_has(const struct tag_set *have, const struct tag_set *need);

/** "premium test", cut at size. Returns buf. */
const char *tag_set_format(char *buf, size_t size,
			   const struct tag_table *table,
			   const struct tag_set *set);

#endif
