/**
 * @file event.h  Something happened that an operator or a customer may want
 * to be told at once: the record that a worker gives away through its door.
 * A value without pointers into anything, so that it can cross threads. What
 * is told is kept by PostgreSQL, and sent to webhooks from there.
 */
#ifndef EVENT_H
#define EVENT_H
#include <stdint.h>

/*	name                     in JSON                 what it tells */
#define EVENTS(X) \
X(EVENT_CALL_STARTED,    "call.started",         "a call was admitted, or is refused: call.ended follows") \
X(EVENT_CALL_ANSWERED,   "call.answered",        "the called side answered") \
X(EVENT_CALL_ENDED,      "call.ended",           "a call is over, whatever became of it") \
X(EVENT_REGISTERED,      "registration.added",   "a contact was bound that was not before") \
X(EVENT_UNREGISTERED,    "registration.removed", "a contact was removed, ran out or was dropped") \
X(EVENT_CARRIER_DOWN,    "carrier.down",         "a gateway is marked down") \
X(EVENT_CARRIER_UP,      "carrier.up",           "a gateway is marked up again") \
X(EVENT_LIMIT_REACHED,   "limit.reached",        "a limit is used up or has refused a call") \
X(EVENT_LIMIT_CLEARED,   "limit.cleared",        "less than 90 % of that limit is in use") \
X(EVENT_BALANCE_LOW,     "balance.low",          "an account's balance went below its threshold") \
X(EVENT_BALANCE_OK,      "balance.ok",           "it is above the threshold by the margin") \
X(EVENT_BALANCE_CRITICAL, "balance.critical",    "it went below the critical threshold") \
X(EVENT_CRITICAL_CLEARED, "balance.critical_cleared", "it is above that by the margin") \
X(EVENT_BALANCE_HIGH,    "balance.high",         "it went above the high threshold") \
X(EVENT_HIGH_CLEARED,    "balance.high_cleared", "it is below that by the margin") \
X(EVENT_EXHAUSTED,       "balance.exhausted",    "an account does not cover the next interval of a call") \
X(EVENT_COVERED,         "balance.covered",      "money came: it does again") \
X(EVENT_LEASE_EXPIRED,   "lease.expired",        "a node is gone, and money that it leased is pending") \
X(EVENT_PACKAGE_LOW,     "package.low",          "little is left of a package for this period") \
X(EVENT_PACKAGE_USED_UP, "package.exhausted",    "nothing is left of it") \
X(EVENT_PACKAGE_OK,      "package.ok",           "there is more again: a new period, an adjustment, a refund") \
X(EVENT_FRAUD_WARNED,    "fraud.warned",         "a fraud rule counts more calls than its warning") \
X(EVENT_FRAUD_LIMITED,   "fraud.limited",        "a fraud rule refuses calls of a trunk") \
X(EVENT_FRAUD_LOCKED,    "fraud.locked",         "a fraud rule locked a trunk") \
X(EVENT_SPEND_WARNED,    "spend.warned",         "a day's or month's spend passed its warning") \
X(EVENT_SPEND_LIMITED,   "spend.limited",        "a day's or month's spend reached its limit") \
X(EVENT_SPEND_LOCKED,    "spend.locked",         "the same, and it stays so until it is unlocked") \
X(EVENT_AUTH_FAILED,     "auth.failed",          "a request was refused for who sent it: credentials, source") \
X(EVENT_EMERGENCY,       "emergency.call",       "an emergency number was called") \
X(EVENT_JOURNAL_OK,      "journal.ok",           "the disk of a node's CDR journal has space again") \
X(EVENT_JOURNAL_LOW,     "journal.low",          "it has less than journal.free_warn_mib left") \
X(EVENT_JOURNAL_FULL,    "journal.full",         "less than journal.free_min_mib: no call is admitted") \
X(EVENT_CDR_GAP,         "cdr.gap",              "records that a node numbered never reached the database") \
X(EVENT_CDR_REFUSED,     "cdr.refused",          "the database refuses a call's record for its content") \
X(EVENT_WEBHOOK_OFF,     "webhook.disabled",     "an endpoint failed for too long and is sent no more") \
X(EVENT_WEBHOOK_TEST,    "webhook.test",         "sent on demand, to try an endpoint; not kept")

#define X(name, text, tells) name,
enum event_kind { EVENTS(X) EVENT_KIND_N };
#undef X

#define EVENT_ID_SIZE 36     /**< of the ids of rows                       */
#define EVENT_FACTS_MAX 12
#define EVENT_TEXT_SIZE 480  /**< all texts of the facts together          */

/** One member of "data". */
struct event_fact {
	const char *name;    /**< a string literal                         */
	uint16_t text;       /**< where its text begins; 0: the number     */
	int64_t number;
};

struct event {
	enum event_kind kind;
	int64_t wall_ms;     /**< UTC                                      */
	char tenant_id[EVENT_ID_SIZE]; /**< whose it is; "": the platform's */
	char object_id[EVENT_ID_SIZE]; /**< row it is about, or ""          */
	uint8_t call_id[16]; /**< zero: no call                            */
	uint16_t fact_n, text_n;
	struct event_fact facts[EVENT_FACTS_MAX];
	char texts[EVENT_TEXT_SIZE];
};

/** Begin one. tenant_id and object_id may be NULL. */
void event_init(struct event *ev, enum event_kind kind, int64_t wall_ms,
		const char *tenant_id, const char *object_id);

/**
 * Add a member to "data": a text, of which other than printable ASCII becomes
 * '?' and NULL or "" is left out, or a number. What no longer fits is left
 * out.
 * @param name  a string literal: it is not copied
 */
void event_text(struct event *ev, const char *name, const char *text);
void event_number(struct event *ev, const char *name, int64_t number);

/** Text of a fact; NULL when it is a number. Borrowed. */
const char *event_fact_text(const struct event *ev, uint16_t i);

/** "call.started" */
const char *event_kind_name(enum event_kind kind);

#endif
