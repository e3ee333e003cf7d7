/**
 * @file li_call.h  Calls of targets, as switches tell them, and what of them
 * goes where: for each task that a call belongs to a flow, with the sequence
 * numbers of its X2 and of its X3 (TS 103 221-2 5.3.9).
 *
 * Numbers that may have been used are in the store, in blocks: after a crash
 * a flow goes on behind them, so that no number ever means two things.
 */
#ifndef LI_CALL_H
#define LI_CALL_H
#include "li_registry.h"
#include "li_delivery.h"
#include "li_index.h"
#include "poi_message.h"

struct li_calls;

/** What happens to a flow. */
enum li_flow_event { LI_FLOW_START, LI_FLOW_STOP, LI_FLOW_LOSS };

struct li_flow_note {
	enum li_flow_event event;
	const uint8_t *xid, *call;   /**< 16 octets                          */
	enum li_owner owner;
	uint64_t correlation;
	uint64_t x2, x3;             /**< START: first numbers; STOP: delivered;
					   LOSS: lost                         */
	int64_t wall_us;
};

typedef void(li_flow_h)(const struct li_flow_note *note, void *arg);

int li_calls_alloc(struct li_calls **cp, const struct li_settings *s,
		   struct li_store *store, const struct li_registry *registry,
		   struct li_delivery *delivery, const struct li_index *index,
		   li_flow_h *h, void *arg);

/**
 * Blocks of numbers of an earlier life. Before the first message. One that
 * cannot be read is told and left out: calls that are up begin above all that
 * it can have used.
 */
int li_calls_load(struct li_calls *c, li_registry_unread_h *h, void *arg);

/** @param from  number of the connection: calls belong to it */
void li_calls_message(struct li_calls *c, uint32_t from,
		      const struct poi_message *m);

/** The connection is gone: its calls end for us. When one comes again, the
 *  numbers go on with a gap of one, as something may be lost. */
void li_calls_gone(struct li_calls *c, uint32_t from, int64_t wall_us);

/** Tasks came, went or changed, or the time of one began or ended. */
void li_calls_follow(struct li_calls *c, int64_t wall_us);

/** Were numbers given that are not on disk yet? No PDU that has one leaves
 *  before li_calls_write() and a commit. */
bool li_calls_are_dirty(const struct li_calls *c);

/** Before a commit: write again what a transaction that was given up had. */
void li_calls_write(struct li_calls *c, int64_t wall_us);

/** Forget blocks of calls that did not come again. */
void li_calls_tidy(struct li_calls *c, int64_t wall_us);

#endif
