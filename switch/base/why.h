/**
 * @file why.h  Why a call went where it went: the decision in the order in
 * which it was made, one note a step. The same notes are taken of a real call
 * and of a route test, so that the two can be held against each other.
 *
 * A note is a JSON object: {"step":"limit","outcome":"limit_channels_in",
 * "id":"trk_...","used":10,"limit":10}. Bounded: what no longer fits is
 * counted, and told as the last note. One thread.
 */
#ifndef WHY_H
#define WHY_H
#include <re.h>
#include "outcome.h"

#define WHY_SIZE_MAX 6000 /**< bytes of JSON of one decision */

/*	name            in JSON        what it tells */
#define WHY_STEPS(X) \
X(WHY_IDENTITY,   "identity",   "who calls: trunk, site or gateway, and by what it was known") \
X(WHY_NUMBER,     "number",     "a number before and after the peer's rules") \
X(WHY_LIST,       "list",       "a number list that matched") \
X(WHY_CALLER,     "caller",     "screening of the calling number") \
X(WHY_ZONE,       "zone",       "country, network and type; allowed or denied") \
X(WHY_EMERGENCY,  "emergency",  "an emergency number: what was passed by") \
X(WHY_LIMIT,      "limit",      "channels, calls per second, bandwidth") \
X(WHY_SPEND,      "spend",      "spend of day and month, price caps") \
X(WHY_FRAUD,      "fraud",      "a fraud rule that matched") \
X(WHY_PLAN,       "plan",       "routing plan and route that matched") \
X(WHY_CANDIDATE,  "candidate",  "one gateway: kept in this order, or dropped and why") \
X(WHY_ATTEMPT,    "attempt",    "a gateway or contact that was tried") \
X(WHY_PRICE,      "price",      "sell tariff: arithmetic of the price") \
X(WHY_TERMS,      "terms",      "what terms, exchange, taxes and margin make of it") \
X(WHY_COST,       "cost",       "buy tariff of a candidate") \
X(WHY_FUNDS,      "funds",      "the first intervals' cost: from the lease here, or to be asked of the ledger") \
X(WHY_PACKAGE,    "package",    "a package that may pay before money does, in this order: units here, or to be asked of the ledger") \
X(WHY_INBOUND,    "inbound",    "endpoints of the called number's trunk") \
X(WHY_FORWARD,    "forward",    "the call was forwarded") \
X(WHY_HTTP,       "http",       "the answer of a decision URL") \
X(WHY_END,        "end",        "what became of it")

#define X(name, text, tells) name,
enum why_step { WHY_STEPS(X) WHY_STEP_N };
#undef X

/** One member of a note, made by WHY_TEXT() or WHY_NUMBER(). */
struct why_fact {
	const char *name;   /**< plain ASCII                               */
	const char *text;   /**< NULL: the number; "" is left out          */
	int64_t number;
};

#define WHY_TEXT(name_, text_) {.name = (name_), .text = (text_)}
#define WHY_COUNT(name_, number_) {.name = (name_), .number = (number_)}

struct why;

/** mem_deref() frees. @return 0 or ENOMEM */
int why_alloc(struct why **wp);

/**
 * Take a note.
 *
 * @param why    NULL: nothing is noted (no memory must not end a call)
 * @param out    OUT_OK: passed; another outcome: this step refused; OUT_NONE:
 *               neither
 * @param id     of the row that decided, or NULL
 * @param facts  n of them; n may be 0
 */
void why_note(struct why *why, enum why_step step, enum outcome out,
	      const char *id, const struct why_fact *facts, size_t n);

/** why_note() with the facts in braces: WHY(w, WHY_LIMIT, out, trunk->id,
 *  WHY_COUNT("used", 3), WHY_COUNT("limit", 3)). At least one fact. */
#define WHY(why, step, out, id, ...) \
	do { \
		const struct why_fact facts_[] = {__VA_ARGS__}; \
		why_note((why), (step), (out), (id), facts_, \
			 sizeof(facts_) / sizeof(facts_[0])); \
	} while (0)

/** The notes as a JSON array. Borrowed until the next note; "[]" for NULL. */
const char *why_json(struct why *why);

/** Few notes will follow: give back the memory that was kept for them. */
void why_shrink(struct why *why);

/** Name of a step in JSON. */
const char *why_step_name(enum why_step step);

#endif
