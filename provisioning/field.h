/**
 * @file field.h  A resource's members as data. From one table come strict
 * decoding of a JSON body, its validation, the parameters of INSERT and
 * UPDATE, the columns of SELECT and the JSON that is sent.
 */
#ifndef FIELD_H
#define FIELD_H
#include "json.h"
#include <libpq-fe.h>
#include "problem.h"

#define FIELDS_MAX 96

enum field_type {
	FIELD_TEXT,    /**< min..max bytes of UTF-8, see form              */
	FIELD_SECRET,  /**< like text; never in an answer nor in an error  */
	FIELD_ID,      /**< prefix (choices[0]) + 26 characters            */
	FIELD_CHOICE,  /**< one of choices                                 */
	FIELD_CHOICES, /**< array of different choices, or of texts of the
			    form (letters, digits, '-'); column is text[]  */
	FIELD_NUMBER,  /**< integer min..max                               */
	FIELD_FLAG,
	FIELD_MONEY,   /**< "12.345678"; column holds micro-units          */
	FIELD_RATE,    /**< "0.012500000"; column holds nano-units         */
	FIELD_TIME,    /**< RFC 3339; column is timestamptz                */
	FIELD_E164,    /**< "+" and 5..15 digits                           */
	FIELD_IP,      /**< IP literal; column is inet                     */
	FIELD_CIDR,    /**< network; a single address becomes /32 or /128  */
	FIELD_CIDRS,   /**< array of networks; column is cidr[]            */
	FIELD_RULES,   /**< number rules (rule.h); column is jsonb         */
	FIELD_NAME_RULES, /**< name rules (name_rule.h); column is jsonb   */
	FIELD_LIST,    /**< array of objects, see items                    */
	FIELD_JSON,    /**< whatever the column holds; read only           */
};

enum field_flag {
	F_REQUIRED = 1 << 0,
	F_READ_ONLY = 1 << 1,
	F_FIXED = 1 << 2,    /**< given on creation, never changed after    */
	F_NULLABLE = 1 << 3, /**< null is a value of its own                */
	F_FILTER = 1 << 4,   /**< ?name=value on the list                   */
	F_PLATFORM = 1 << 5, /**< only keys of the platform set it          */
	F_BEGINS = 1 << 6,   /**< its filter: values that begin so          */
};

struct field_set;

struct field {
	const char *name;     /**< "channels.in": one level of nesting     */
	enum field_type type;
	unsigned flags;
	const char *column;   /**< NULL: no column is written              */
	const char *read;     /**< SQL to read it by when not the column   */
	int64_t min, max;     /**< of the number, length or count          */
	const char *const *choices;
	bool (*form)(const char *text);
	const char *form_is;  /**< "digits": what form wants               */
	const struct field_set *items;
};

struct field_set {
	const struct field *fields;
	size_t n;
};

#define FIELD_SET(table) {(table), sizeof(table) / sizeof((table)[0])}

/* What nearly every resource has */
#define FIELD_ROW_ID(prefix) \
	{.name = "id", .type = FIELD_ID, .flags = F_READ_ONLY, \
	 .column = "id", .choices = (const char *const[]){(prefix), NULL}}
#define FIELD_ROW_NAME \
	{.name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED, \
	 .column = "name", .min = 1, .max = 63, .form = form_is_name, \
	 .form_is = "free of control characters"}
#define FIELD_ROW_STATUS \
	{.name = "status", .type = FIELD_CHOICE, .flags = F_FILTER, \
	 .column = "status", .choices = (const char *const[]){"active", \
	 "suspended", "closed", NULL}}
#define FIELD_ROW_CURRENCY(flags_) \
	{.name = "currency", .type = FIELD_TEXT, \
	 .flags = F_REQUIRED | (flags_), .column = "currency", .min = 3, \
	 .max = 3, .form = form_is_currency, .form_is = "as EUR (ISO 4217)"}
/* Words that mark calls and rows; form.h has form_is_tag() */
#define FIELD_ROW_TAGS(flags_) \
	{.name = "tags", .type = FIELD_CHOICES, .flags = (flags_), \
	 .column = "tags", .min = 0, .max = 8, .form = form_is_tag, \
	 .form_is = "1 to 31 lower-case letters, digits, '_', '-'"}
#define FIELD_ROW_TIMES \
	{.name = "created_at", .type = FIELD_TIME, .flags = F_READ_ONLY, \
	 .column = "created_at"}, \
	{.name = "updated_at", .type = FIELD_TIME, .flags = F_READ_ONLY, \
	 .column = "updated_at"}
#define FIELD_REFERENCE(name_, prefix, flags_) \
	{.name = (name_), .type = FIELD_ID, .flags = (flags_) | F_FILTER, \
	 .column = (name_), .choices = (const char *const[]){(prefix), NULL}}
#define FIELD_LIMIT(name_, column_) \
	{.name = (name_), .type = FIELD_NUMBER, .flags = F_NULLABLE, \
	 .column = (column_), .min = 0, .max = 1000000}
/* The highest price of a call, of trunk and account */
#define FIELDS_PRICE_CAP \
	{.name = "max_price_per_min", .type = FIELD_RATE, \
	 .flags = F_NULLABLE, .column = "max_price_per_min_nano", .min = 0, \
	 .max = INT64_C(1000000000000000000)}, \
	{.name = "max_connect_fee", .type = FIELD_MONEY, \
	 .flags = F_NULLABLE, .column = "max_connect_fee_micro", .min = 0, \
	 .max = INT64_C(1000000000000000)}
/* What a day or month may cost, what it has, and whether that or fraud locked
   it */
#define FIELDS_SPEND_PERIOD(kind_, period_, name_, spent_, end_) \
	{.name = name_ "_limit", .type = FIELD_MONEY, .flags = F_NULLABLE, \
	 .column = name_ "_limit_micro", .min = 0, \
	 .max = INT64_C(1000000000000000)}, \
	{.name = name_ "_warn_percent", .type = FIELD_NUMBER, \
	 .column = name_ "_warn_percent", .min = 1, .max = 100}, \
	{.name = name_ "_at_limit", .type = FIELD_CHOICE, \
	 .column = name_ "_at_limit", \
	 .choices = (const char *const[]){"reject", "cut", NULL}}, \
	{.name = name_ "_unlock", .type = FIELD_CHOICE, \
	 .column = name_ "_unlock", \
	 .choices = (const char *const[]){(end_), "manual", NULL}}, \
	{.name = (spent_), .type = FIELD_MONEY, \
	 .flags = F_READ_ONLY, \
	 .read = "(CASE WHEN t." name_ "_limit_micro IS NOT NULL THEN " \
		 "core." kind_ "_spent(t.id, now(), '" period_ "') END)"}
#define FIELDS_SPEND(kind_) \
	FIELDS_SPEND_PERIOD(kind_, "day", "daily", "spent_today", \
			    "midnight"), \
	FIELDS_SPEND_PERIOD(kind_, "month", "monthly", "spent_this_month", \
			    "month_end"), \
	{.name = "locked", .type = FIELD_JSON, .flags = F_READ_ONLY, \
	 .read = "(SELECT jsonb_build_object('reason', l.reason, " \
		 "'rule_id', l.rule_id, 'period', l.period, " \
		 "'since', l.locked_at, " \
		 "'until', l.until) FROM core.lock l " \
		 "WHERE l.object_id = t.id AND l.locked_at IS NOT NULL " \
		 "AND (l.until IS NULL OR l.until > now()))"}
/* What becomes of a call beyond a limit; of a gateway's there is one way
   more */
#define FIELD_ROW_BURST \
	{.name = "burst_percent", .type = FIELD_NUMBER, \
	 .column = "burst_percent", .min = 0, .max = 100}
#define FIELD_ROW_LIMIT_ACTION \
	{.name = "limit_action", .type = FIELD_CHOICE, \
	 .column = "limit_action", \
	 .choices = (const char *const[]){"reject", "mark", NULL}}
#define FIELD_ROW_HOP_ACTION \
	{.name = "limit_action", .type = FIELD_CHOICE, \
	 .column = "limit_action", \
	 .choices = (const char *const[]){"next_route", "reject", "mark", \
					  NULL}}
#define FIELD_ROW_RULES(name_) \
	{.name = (name_), .type = FIELD_RULES, .column = (name_)}

enum value_state { VALUE_ABSENT, VALUE_NULL, VALUE_TEXT };

/** One body as text parameters; v[i] belongs to fields[i]. */
struct record {
	const struct field_set *set;
	struct {
		enum value_state state;
		char *text;
	} v[FIELDS_MAX];
};

/**
 * Decode one object: unknown members, wrong types and values, and missing
 * members are all listed in p.
 * @param at  JSON pointer of the object in the body, "" for the body itself
 * @return 0 (p may then hold refusals) or ENOMEM. mem_deref() frees.
 * Pure; any thread.
 */
int record_decode(struct record **rp, const struct field_set *set,
		  const json_t *body, const char *at, struct problem *p);

/** Text of a field by its name, NULL when absent or null. */
const char *record_text(const struct record *r, const char *name);

/** Set a field from inside (a hook); NULL text is SQL NULL. */
int record_put(struct record *r, const char *name, const char *text);

/** Position of a field, or set->n. */
size_t field_index(const struct field_set *set, const char *name);

/** "/channels/in" for "channels.in". Returns buf. */
const char *field_pointer(char *buf, size_t size, const char *parent,
			  const char *name);

/** Is it sent to clients? */
bool field_is_read(const struct field *f);

/** Append ", "-separated SQL that reads every sent field of row t. */
int field_select(struct mbuf *mb, const struct field_set *set);

/** One row of that SELECT as JSON; column first is the first field. */
json_t *row_encode(const struct field_set *set, const PGresult *res, int row,
		   int first);

/**
 * The members a client may send, out of an encoded row: what a merge patch
 * is applied to. New reference.
 */
json_t *field_writable(const struct field_set *set, const json_t *doc);

/** A cell of a CSV as the JSON that its field wants: new reference, or NULL
 *  when it is empty (so absent) or no UTF-8. */
json_t *field_cell(const struct field *f, const char *text);

/** RFC 7396: patch applied to target. New reference. */
json_t *merge_patch(const json_t *target, const json_t *patch);

/** Whole value of a possibly nested member, borrowed or NULL. */
json_t *field_get(const json_t *doc, const char *name);

#endif
