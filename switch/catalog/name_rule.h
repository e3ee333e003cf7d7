/**
 * @file name_rule.h  Rules for the name that stands beside a calling number,
 * as data: an ordered list, the first that holds makes the name. Used per
 * trunk and per gateway, inwards and outwards.
 */
#ifndef NAME_RULE_H
#define NAME_RULE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "rule.h"

#define NAME_RULES_MAX 16
#define NAME_BYTES 64      /**< of a name, with NUL                        */
#define NAME_PART 48       /**< of a text in a rule, with NUL              */

enum name_when {
	NAME_ANY,
	NAME_EMPTY,
	NAME_GIVEN,        /**< there is one                               */
	NAME_NUMBER,       /**< it is nothing but a number                 */
};

enum name_action { NAME_PASS, NAME_REMOVE, NAME_REPLACE, NAME_SHOW_NUMBER };

/** { "when": "given", "prefix": "+49", "action": "pass", "before": "DE ",
 *    "max": 15, "charset": "ascii" } */
struct name_rule {
	uint8_t when, action;      /**< enum name_when, enum name_action   */
	bool is_ascii;             /**< Latin letters are spelt in ASCII,
					others left out                    */
	uint8_t max;               /**< characters of the result; 0: any   */
	char prefix[RULE_TEXT];    /**< of the calling number; "": any     */
	char text[NAME_PART];      /**< of NAME_REPLACE                    */
	char before[NAME_PART], after[NAME_PART]; /**< of a name that is   */
};

/** Empty set: the name passes as it is. */
struct name_rules {
	uint8_t n;
	struct name_rule rules[NAME_RULES_MAX];
};

/** Whose name it is. */
struct name_bearer {
	const char *name;          /**< as it came; ""                     */
	const char *e164;          /**< "+49...", or ""                    */
	const char *number;        /**< as the peer says or hears it; ""   */
};

/**
 * Parse a JSON array of rules (catalog rows and REST use the same).
 * @param why  names the faulty member: "[1].max: ..."
 * @return 0 or EINVAL
 */
struct json_t;
int name_rules_decode(struct name_rules *ret, const struct json_t *array,
		      char *why, size_t size);

/**
 * The name that is shown. What does not fit is cut between characters.
 * @return index of the rule that made it, -1: none holds, it is as it came
 */
int name_rule_apply(const struct name_rules *set,
		    const struct name_bearer *who, char ret[NAME_BYTES]);

#endif
