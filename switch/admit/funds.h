/**
 * @file funds.h  The money of accounts that this node may spend. One lease per
 * account, asked from the ledger in chunks; a call holds a part of it before
 * the interval that the part pays for begins. One owner: the worker; nothing
 * waits.
 *
 *   granted = spent + held + free          (micro-units, each >= 0)
 *
 * The same keeps units of packages: a fund is then named by the key of a
 * balance, its micro are the package's units, and whoever asks takes what there
 * is, in steps, or hears at once that there is nothing.
 *
 * While there is plenty a call holds a slice of intervals at a time. When the
 * ledger gives less than was asked for, the account is scarce: every call goes
 * back to the interval that it is in, and holds one after the other, whoever
 * runs out first served first. So equal calls get the same, to one interval.
 */
#ifndef FUNDS_H
#define FUNDS_H
#include "catalog.h"
#include "moment.h"
#include "outcome.h"
#include "wheel.h"

struct funds;
struct fund;   /**< one account's lease on this node                       */

/** What the ledger is asked for, or gets back. */
struct fund_order {
	const char *account_id;
	int64_t want_micro;     /**< < 0: it gets that back, and is silent */
	int64_t min_micro;      /**< less is of no use                     */
	bool is_running;        /**< min is for a call that is up          */
	uint64_t ticket;        /**< comes back in the answer              */
};

/** The door to the ledger, answered with funds_answer(). @return 0 or
 *  ENOBUFS */
typedef int(funds_ask_h)(const struct fund_order *order, void *arg);

/** The hold got what it waited for (OUT_OK): at least the least, at most what
 *  was wanted. Or not, and only before the call is up: OUT_NO_CREDIT (the
 *  account cannot cover it), OUT_CREDIT_UNKNOWN (nobody could be asked). */
typedef void(funds_h)(enum outcome out, void *arg);

/**
 * Money is scarce: how much of the hold pays for what has begun? The rest is
 * taken from it, and a request that waited is forgotten: ask again in time.
 * Must not call back.
 */
typedef int64_t(fund_keep_h)(void *arg);

/** Embedded in the call; zeroed memory holds nothing. */
struct fund_hold {
	struct le le;           /**< among the holders of the account      */
	struct le waiting;
	struct fund *fund;
	int64_t held_micro;
	int64_t least_micro, wanted_micro; /**< of a request that waits    */
	int64_t per_min_micro;  /**< present burn, for the chunk           */
	uint64_t due_ms;
	bool is_running;
	funds_h *h;
	fund_keep_h *keeph;
	void *arg;
};

/** More money for a call, beyond what it holds. */
struct fund_request {
	const char *account_id;
	int64_t least_micro;    /**< the next interval                     */
	int64_t want_micro;     /**< some of them; not less                */
	int64_t per_min_micro;  /**< what a minute of this call costs      */
	int64_t step;           /**< 0: money; else any multiple of it that
				     there is, up to want_micro        */
	uint64_t due_ms;        /**< it runs out then (mono): the order    */
	bool is_running;        /**< it waits until it is settled; one that
				     is not yet up is refused instead     */
	funds_h *h;
	fund_keep_h *keeph;
	void *arg;
};

struct funds_config {
	uint8_t key[16];        /**< secret, for the table                 */
	uint32_t chunk_s;       /**< seconds of burn in one chunk          */
	uint32_t wait_ms;       /**< an answer must come in this time      */
	uint32_t idle_ms;       /**< then what is free goes back           */
	const struct moment *now; /**< borrowed                            */
	struct wheel *wheel;    /**< borrowed                              */
	funds_ask_h *askh;
	void *arg;
};

int funds_alloc(struct funds **fp, const struct funds_config *cfg);

/**
 * The money for a call that is not made: as base has it, which does not change
 * while this one lives and is changed by nothing here. askh is asked instead
 * of the ledger.
 */
int funds_draft(struct funds **fp, const struct funds *base,
		funds_ask_h *askh, void *arg);

/** Nothing is held after that moment (mono): the node's session with the
 *  ledger ends then. 0 at first. */
void funds_until(struct funds *f, uint64_t until_ms);

enum fund_verdict {
	FUND_HELD,      /**< done; h is not called                         */
	FUND_WAITING,   /**< h comes later, at most once                   */
	FUND_REFUSED,   /**< out of memory, or a package that had nothing a
			     moment ago; h is not called               */
};

/** Hold more for this call. least may be 0: then nothing is needed, and who
 *  is up waits for nobody. Of a package what is held then may be less than was
 *  wanted. */
enum fund_verdict fund_take(struct funds *f, struct fund_hold *hold,
			    const struct fund_request *req);

/** Ends a request that waits, without an answer; what is held stays so. */
void fund_forget(struct fund_hold *hold);

/** Would that be held at once, without asking the ledger? Nothing changes. */
bool fund_covers(const struct funds *f, const char *account_id,
		 int64_t amount_micro);

/** Is this account down to single intervals? */
bool fund_is_scarce(const struct funds *f, const char *account_id);

/**
 * The call cost this much: the rest of its hold is free again. The price must
 * be within the hold (asserted: the caller caps the duration it bills). Ends
 * a request that waits. Idempotent.
 */
void fund_settle(struct funds *f, struct fund_hold *hold,
		 int64_t price_micro);

/** What the ledger said. A late grant is kept: it was taken for us. Less than
 *  0: it was taken from us, as an operator released it. */
void funds_answer(struct funds *f, const char *account_id,
		  int64_t granted_micro, bool is_known, uint64_t ticket);

/** There may be more than when somebody had to wait: ask now. */
void funds_more(struct funds *f, const char *account_id);

/** The account needs it elsewhere: what pays for nothing that has begun goes
 *  back. */
void funds_recall(struct funds *f, const char *account_id);

/** Sums over all accounts, for checkers and metrics. */
struct funds_census {
	size_t accounts, holds, waiting;
	int64_t granted_micro, spent_micro, held_micro;
};
void funds_census(const struct funds *f, struct funds_census *ret);

#endif
