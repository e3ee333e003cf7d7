/**
 * @file cdr.h  The record of a call and of each attempt at a carrier. One
 * table of fields drives the struct, the journal, COPY and the SQL columns.
 *
 * Attempt 0 is the call's final record; 1..n are its attempts. Key:
 * (started_at, call_id, attempt).
 */
#ifndef CDR_H
#define CDR_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "cover.h"
#include "outcome.h"

#define CDR_NULL INT64_MIN  /**< "not known" in a number or time field      */
#define CDR_ATTEMPTS_MAX 10
#define CDR_CHARGES_MAX 16 /**< caller, five that forwarded, attempts */

/*
 * S(name, size)  text, "" is NULL        N(name)  integer, CDR_NULL is NULL
 * T(name)        UTC [ms], CDR_NULL NULL B(name)  boolean (0, 1)
 * U(name)        UUID, zero is NULL
 * Never reorder: the journal writes fields in this order. Append only, and
 * bump CDR_VERSION when a meaning changes.
 */
#define CDR_FIELDS(S, N, T, B, U) \
	/* who and when */ \
	T(started_at) U(call_id) N(attempt) U(parent_call_id) \
	S(node, 32) S(version, 24) S(direction, 12) \
	S(tenant_id, 36) S(account_id, 36) S(trunk_id, 36) S(did_id, 36) \
	S(carrier_id, 36) S(gateway_id, 36) S(route_id, 36) \
	S(terminating_trunk_id, 36) B(is_emergency) B(is_onnet) \
	/* numbers: as received, normalised, as sent to the other side */ \
	S(calling_received, 64) S(calling, 24) S(calling_sent, 64) \
	S(called_received, 64) S(called, 24) S(called_sent, 64) \
	/* times; durations are monotonic */ \
	T(ringing_at) T(answered_at) T(ended_at) \
	N(pdd_ms) N(setup_ms) N(duration_ms) B(end_estimated) \
	/* how it ended */ \
	S(outcome, 24) S(initiator, 12) N(sip_code) N(q850) \
	S(limit_hit, 40) S(reason_received, 80) \
	/* addresses and names of both sides */ \
	S(a_address, 56) S(a_transport, 6) S(a_call_id, 128) S(a_user_agent, 64) \
	S(b_address, 56) S(b_transport, 6) S(b_call_id, 128) S(b_user_agent, 64) \
	S(a_media_address, 56) S(b_media_address, 56) S(codec, 32) \
	/* media: a_ is what we received from the calling side, b_ the called */ \
	N(a_packets) N(a_bytes) N(a_lost) N(a_jitter_us) N(a_foreign) \
	N(b_packets) N(b_bytes) N(b_lost) N(b_jitter_us) N(b_foreign) \
	/* money, for reading; the charges below are what is posted */ \
	N(price_micro) N(cost_micro) S(currency, 4) S(cost_currency, 4) \
	N(billed_ms) S(rate_prefix, 16) S(rate_destination, 48) \
	N(rate_per_min_nano) N(connect_fee_micro) N(first_ms) N(next_ms) \
	S(trail, 400) \
	/* where the numbers belong, and what became of the calling one */ \
	S(site_id, 36) \
	S(calling_country, 4) S(calling_network, 48) S(calling_type, 16) \
	S(called_country, 4) S(called_network, 48) S(called_type, 16) \
	S(calling_action, 12) \
	/* forwarding: the number that forwarded, its trunk, and why */ \
	S(diverting, 24) S(diverting_trunk_id, 36) S(diversion_reason, 16) \
	/* routing plan; limits passed and marked, tags of lists */ \
	S(plan_id, 36) S(marks, 120) \
	/* what the last carrier said; the wall clock was set during the call */ \
	N(b_sip_code) N(b_q850) B(clock_stepped)

#define CDR_VERSION 1

struct cdr {
#define CDR_S(f, n) char f[n];
#define CDR_N(f) int64_t f;
#define CDR_B(f) bool f;
#define CDR_U(f) uint8_t f[16];
	CDR_FIELDS(CDR_S, CDR_N, CDR_N, CDR_B, CDR_U)
#undef CDR_S
#undef CDR_N
#undef CDR_B
#undef CDR_U
};

/** The same fields as data: name of the SQL column, kind, place in the struct. */
enum cdr_kind { CDR_TEXT, CDR_NUMBER, CDR_TIME, CDR_FLAG, CDR_UUID };

struct cdr_field {
	const char *name;
	uint8_t kind;            /**< enum cdr_kind                         */
	uint16_t offset, size;
};

enum {
#define CDR_COUNT(f, ...) CDR_AT_##f,
	CDR_FIELDS(CDR_COUNT, CDR_COUNT, CDR_COUNT, CDR_COUNT, CDR_COUNT)
#undef CDR_COUNT
	CDR_FIELD_N
};
extern const struct cdr_field cdr_fields[CDR_FIELD_N];

enum charge_side { CHARGE_SELL, CHARGE_BUY };

/** A package that pays, or has paid, of a charge. */
struct cdr_package {
	char key[36];               /**< its balance: subscription.h        */
	struct cover cover;
};

/** What is posted: sell moves the account's ledger, buy is our cost. */
struct cdr_charge {
	uint8_t side;
	int64_t attempt;            /**< 0: the caller's sell; the attempt of a
				         buy, the record of a forward's sell */
	char account_id[36];        /**< sell                               */
	char carrier_id[36];        /**< buy                                */
	int64_t amount_micro;
	char currency[4];
	char deck_id[36];
	int64_t deck_version;
	char prefix[16], destination[48];
	struct price price;         /**< rate and rounding among it         */
	int64_t billed_ms;
	int64_t lease_epoch;        /**< which lease it settles             */
	int64_t net_micro;          /**< amount_micro without taxes         */
	int64_t tax_micro[PRICE_TAXES_MAX];
	int64_t covered_ms;         /**< paid for by packages               */
	int64_t covered_micro;      /**< the same, of the money before taxes */
	uint8_t package_n;
	struct cdr_package packages[COVERS_MAX];
};

/**
 * Everything about one call: attempt 0, its attempts, its charges. From the
 * answer on the charges are there with their tariffs, whatever the amount
 * is by then: a call that the node did not live to end is priced by them.
 */
struct cdr_call {
	struct cdr call;
	uint32_t attempt_n;
	struct cdr attempts[CDR_ATTEMPTS_MAX];
	uint32_t charge_n;
	struct cdr_charge charges[CDR_CHARGES_MAX];
	/** The decision (why.h) as a JSON array, or NULL: not in this record.
	 *  Borrowed of who built this, or of the payload it was read from. */
	const char *why;
};

/** Set every number and time to NULL, every text to "". */
void cdr_init(struct cdr *cdr);

/** What a CHECKPOINT says, at most CDR_CHECKPOINT_MS apart. */
#define CDR_CHECKPOINT_MS 5000
struct cdr_checkpoint {
	uint8_t call_id[16];
	int64_t wall_ms;
	int64_t duration_ms;        /**< since answer, monotonic            */
	int64_t a_packets, b_packets;
	int64_t held[COVERS_MAX];   /**< by the packages of its charges, in
				         their order                        */
};

#endif
