/**
 * @file funds.h  The money of accounts that this node may spend. One lease per
 * account, asked from the ledger in chunks; a call holds a part of it before
 * the interval that the part pays for begins. One owner: the worker; nothing
 * waits.
 *
 *   granted = spent + held + free          (micro-units, each >= 0)
 */
#ifndef FUNDS_H
#define FUNDS_H
#include "catalog.h"
#include "moment.h"
#include "outcome.h"
#include "wheel.h"

struct funds;
struct fund;   /**< one account's lease on this node                       */

/**
 * The door to the ledger. want > 0: answered with funds_answer(); want < 0
 * gives back and is not answered.
 * @return 0 or ENOBUFS
 */
typedef int(funds_ask_h)(const char *account_id, int64_t want_micro,
			 int64_t min_micro, uint64_t ticket, void *arg);

/** The hold got what it waited for (OUT_OK), or not: OUT_NO_CREDIT (the
 *  account cannot cover it), OUT_CREDIT_UNKNOWN (nobody could be asked). */
typedef void(funds_h)(enum outcome out, void *arg);

/** Embedded in the call; zeroed memory holds nothing. */
struct fund_hold {
	struct le le;           /**< among the holders of the account      */
	struct le waiting;
	struct fund *fund;
	int64_t held_micro;
	int64_t wanted_micro;   /**< of a request that waits               */
	int64_t per_min_micro;  /**< present burn, for the chunk           */
	funds_h *h;
	void *arg;
};

struct funds_config {
	uint8_t key[16];        /**< secret, for the table                 */
	uint32_t chunk_s;       /**< seconds of burn in one chunk          */
	uint32_t wait_ms;       /**< an answer must come in this time      */
	uint32_t idle_ms;       /**< then what is free goes back           */
	struct wheel *wheel;    /**< borrowed                              */
	funds_ask_h *askh;
	void *arg;
};

int funds_alloc(struct funds **fp, const struct funds_config *cfg);

enum fund_verdict {
	FUND_HELD,      /**< done; h is not called                         */
	FUND_WAITING,   /**< h comes later, once                           */
	FUND_REFUSED,   /**< out of memory; h is not called                */
};

/**
 * Hold amount_micro more for this call.
 * @param per_min_micro  what a minute of this call costs
 */
enum fund_verdict fund_take(struct funds *f, struct fund_hold *hold,
			    const char *account_id, int64_t amount_micro,
			    int64_t per_min_micro, funds_h *h, void *arg);

/** Would fund_take() hold it at once, without asking the ledger? Nothing
 *  changes. */
bool fund_covers(const struct funds *f, const char *account_id,
		 int64_t amount_micro);

/**
 * The call cost this much: the rest of its hold is free again. The price must
 * be within the hold (asserted: the caller caps the duration it bills). Ends
 * a request that waits. Idempotent.
 */
void fund_settle(struct funds *f, struct fund_hold *hold,
		 int64_t price_micro);

/** What the ledger said. A late grant is kept: it was taken for us. */
void funds_answer(struct funds *f, const char *account_id,
		  int64_t granted_micro, bool is_known, uint64_t ticket);

/** Sums over all accounts, for checkers and metrics. */
struct funds_census {
	size_t accounts, holds, waiting;
	int64_t granted_micro, spent_micro, held_micro;
};
void funds_census(const struct funds *f, struct funds_census *ret);

#endif
