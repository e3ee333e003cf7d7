/**
 * @file ledger_batch.h  END records on their way into PostgreSQL: rows and the
 * position they end at are one transaction. A record that the database
 * refuses for its data is found by halving and goes to cdr.dead_letter, one
 * that it has already is left out.
 */
#ifndef LEDGER_BATCH_H
#define LEDGER_BATCH_H
#include "journal_reader.h"

struct ledger_batch;
struct pg;

/**
 * @param node    borrowed: whose leases and position
 * @param max     records
 * @param epoch   borrowed: the start of the node whose journal it is; its
 *                position moves, and what is refused goes to the dead letters,
 *                as long as no other start has the node's name. NULL: the
 *                records are of no node's journal. mem_deref() frees.
 */
int ledger_batch_alloc(struct ledger_batch **bp, const char *node,
		       uint32_t max, const char *epoch);

/**
 * @param call  what rec says; NULL: it cannot be decoded, and is put aside
 * @param end   position behind rec
 * @return 0 or ENOMEM: the batch is to be cleared then
 */
int ledger_batch_add(struct ledger_batch *b, const struct journal_record *rec,
		     const struct cdr_call *call,
		     struct journal_position end);

bool ledger_batch_full(const struct ledger_batch *b);

/** Records that are not loaded yet. */
size_t ledger_batch_left(const struct ledger_batch *b);

/**
 * Load what is left.
 * @param stored  moves with each commit
 * @return 0, or as pg_exec(): then the transaction is in any state, and
 *         whether it was committed is known from the stored position alone
 */
int ledger_batch_load(struct ledger_batch *b, struct pg *pg,
		      struct journal_position *stored);

/** The database says that this is stored: pass over what came so far.
 *  @return false when no record of the batch ends there */
bool ledger_batch_resume(struct ledger_batch *b,
			 struct journal_position *stored);

void ledger_batch_clear(struct ledger_batch *b);

/** What became of records. */
struct ledger_loaded {
	uint64_t loaded, repeated, refused;
	char why[256];      /**< of the last one refused                     */
};

/** Add what became of this batch. */
void ledger_batch_count(const struct ledger_batch *b,
			struct ledger_loaded *ret);

#endif
