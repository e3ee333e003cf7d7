/**
 * @file circle.h  Does a call come back to us? A carrier that is a B2BUA hides
 * our Via and Call-ID and may reset Max-Forwards (RFC 3261 16.3, RFC 5393
 * guard proxies only). What it cannot hide is the pair of numbers: as long as
 * a call has not been answered, another one of the same called and calling
 * number is it again, when it comes from the address that the first was sent
 * to, or from another tenant. Two calls of one customer to one number are not.
 *
 * Calls whose calling number is not known are not compared. And there is the
 * Call-ID, an opaque token of ours: who keeps it, as a proxy does, sends the
 * same call back even with other numbers. That may be a forward, which is no
 * loop; so it is counted how often a call has left us. One thread.
 */
#ifndef CIRCLE_H
#define CIRCLE_H
#include <re.h>
#include "catalog.h"
#include "htab.h"
#include "token.h"

struct circles;

/** A call on its way out; stands in the call. Zeroed: not entered. */
struct circle {
	struct htab_node node, id_node;
	char called[E164_SIZE], calling[E164_SIZE]; /**< "": not compared  */
	char tenant_id[ID_SIZE];
	struct sa peer;          /**< where it was sent to                */
	char call_id[TOKEN_SIZE]; /**< of the INVITE that left             */
	uint8_t hops;            /**< times it had come back before that   */
	bool is_emergency;
};

/** @param key 16 secret bytes; mem_deref() frees. @return 0 or ENOMEM */
int circles_alloc(struct circles **lp, const uint8_t key[16]);

/** The call was sent to e->peer: compare others with it. Again: only the
 *  address is new. */
void circle_enter(struct circles *l, struct circle *e);
/** It was answered or is over. Idempotent. */
void circle_leave(struct circles *l, struct circle *e);

/** The call that left with this Call-ID and is not answered; NULL: none. */
const struct circle *circle_of(const struct circles *l, const char *call_id,
			       size_t len);

/** Were so many calls of this pair of numbers sent to the very address that
 *  one comes from? */
bool circle_came_back(const struct circles *l, const char *called,
		      const char *calling, const struct sa *src,
		      unsigned times);

/** Is the call that came from src one of those that were entered? Pure. */
bool circle_is(const struct circles *l, const char *called,
	     const char *calling, const char *tenant_id,
	     const struct sa *src);

#endif
