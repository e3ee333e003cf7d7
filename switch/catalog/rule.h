/**
 * @file rule.h  Number rules as data: an ordered list, the first that matches
 * rewrites. Used per trunk and per gateway, inwards and outwards.
 */
#ifndef RULE_H
#define RULE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RULES_MAX 16
#define RULE_TEXT 24

/** { "prefix": "00", "min": 8, "max": 20, "strip": 2, "add": "+" } */
struct rule {
	char prefix[RULE_TEXT]; /**< "" matches all; may start with '+'     */
	uint8_t min, max;       /**< length of the whole number, inclusive  */
	uint8_t strip;          /**< characters cut from the front          */
	char add[RULE_TEXT];    /**< put in front afterwards                */
};

/** Empty set: the number passes as it is. */
struct rule_set {
	uint8_t n;
	struct rule rules[RULES_MAX];
};

/**
 * Parse a JSON array of rules (catalog rows and REST use the same).
 * @param why  names the faulty member: "[1].strip: ..."
 * @return 0 or EINVAL
 */
struct json_t;
int rule_set_decode(struct rule_set *ret, const struct json_t *array,
		    char *why, size_t size);

/** The rule that matches first: its index, or -1. */
int rule_index(const struct rule_set *set, const char *number);

/**
 * @param ret  buffer for the result
 * @return 0; ENOENT when the set is not empty and no rule matches;
 *         EOVERFLOW when the result does not fit
 */
int rule_apply(const struct rule_set *set, const char *number, char *ret,
	       size_t size);

/** "+" and 5..15 digits, the first not 0 (ITU-T E.164 6). */
bool number_is_e164(const char *number);

/** Digits, '*', '#' and one leading '+', at most 32 characters. */
bool number_is_dialable(const char *number);

#endif
