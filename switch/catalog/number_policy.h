/**
 * @file number_policy.h  What a peer's numbers go through: where they are
 * read from, rule sets by reference, lists, and how they are sent. Parts of a
 * catalog; lookups are pure and thread safe.
 */
#ifndef NUMBER_POLICY_H
#define NUMBER_POLICY_H
#include <stdbool.h>
#include <stdint.h>
#include "name_rule.h"
#include "prefix.h"
#include "rule.h"
#include "tag.h"

#define NUMBER_ID_SIZE 36
#define NUMBER_LISTS_MAX 8     /**< of one peer, tenant or plan            */
#define NUMBER_ENTRIES_MAX 100000 /**< of one list                         */

/** A set of rules that several peers use. */
struct number_rules {
	char id[NUMBER_ID_SIZE];
	char name[64];
	struct rule_set rules;
	struct name_rules name_rules; /**< of RULE_NAME                    */
};

enum number_source {
	SOURCE_FROM, SOURCE_PAI, SOURCE_PPI, SOURCE_RPID, SOURCE_DIVERSION,
	SOURCE_N
};

enum rule_direction { RULES_IN, RULES_OUT, RULE_DIRECTION_N };

/** identity: the number in PAI, PPI and RPID where it is not From's; name:
 *  who calls, in words. */
enum rule_subject {
	RULE_CALLING, RULE_CALLED, RULE_DIVERSION, RULE_IDENTITY, RULE_NAME,
	RULE_SUBJECT_N
};

enum list_kind { LIST_ALLOW, LIST_DENY, LIST_REWRITE, LIST_TAG };
enum list_subject { LIST_CALLING, LIST_CALLED };

struct list_entry {
	uint64_t key;          /**< prefix.h                               */
	bool is_prefix;        /**< else the whole number                  */
	char replacement[20];  /**< of a rewriting list: "+49...", or ""   */
	int64_t expires_ms;    /**< UTC; INT64_MAX: never                  */
};

struct number_list {
	char id[NUMBER_ID_SIZE];
	char name[64];
	uint8_t kind, subject;
	struct tag_set tags;
	struct list_entry *entries;
	struct prefix_index index; /**< into entries                       */
};

/** Lists in the order in which they are asked. */
struct number_lists {
	const struct number_list *lists[NUMBER_LISTS_MAX];
	uint8_t n;
};

struct number_policy {
	uint8_t sources[SOURCE_N], source_n; /**< none: PAI of who is trusted,
						  then From                 */
	bool called_in_to;     /**< the called number is To's               */
	bool sends_ppi, sends_rpid, sends_diversion, sends_history, is_tel;
	char domain[64];       /**< in our From and identities; "": address */
	/** NULL: the peer's own rules for calling and called, none for others */
	const struct number_rules *rules[RULE_DIRECTION_N][RULE_SUBJECT_N];
	struct number_lists lists;
};

/**
 * The entry that a number is under: the longest that has not expired.
 * @param number  "+49..."; @return NULL: none
 */
const struct list_entry *number_list_find(const struct number_list *list,
					  const char *number,
					  int64_t wall_ms);

const char *list_kind_name(uint8_t kind);
const char *rule_subject_name(uint8_t subject);

/** A calling number that a customer may use though it is not ours. */
struct cli_grant {
	char owner[NUMBER_ID_SIZE]; /**< id of a trunk or a tenant         */
	char id[NUMBER_ID_SIZE];
	char e164[20], e164_last[20]; /**< last: "" for a single number     */
	int64_t from_ms, to_ms;
};

/** What a customer dials instead of a number. */
struct short_code {
	char owner[NUMBER_ID_SIZE]; /**< id of a trunk or a tenant         */
	char code[12];
	char id[NUMBER_ID_SIZE];
	char e164[20];
};

struct catalog;
struct trunk;

/** A grant of the trunk, or of its tenant, that holds now. NULL: none */
const struct cli_grant *catalog_grant(const struct catalog *c,
				      const struct trunk *trunk,
				      const char *e164, int64_t wall_ms);

/** As dialled; the trunk's before its tenant's. NULL: none */
const struct short_code *catalog_short_code(const struct catalog *c,
					    const struct trunk *trunk,
					    const char *dialled);

const struct number_rules *catalog_number_rules(const struct catalog *c,
						const char *id);
const struct number_list *catalog_number_list(const struct catalog *c,
					      const char *id);

#endif
