/**
 * @file change.h  A write: one transaction of the row, its audit and its
 * entry in the change feed; and what the database's refusals mean.
 */
#ifndef CHANGE_H
#define CHANGE_H
#include "request.h"
#include "resource.h"

/**
 * BEGIN. false: nothing is to be done, since a problem is set or, for a POST
 * with a known Idempotency-Key, the stored answer.
 */
bool change_begin(struct request *req);

/** Audit row of this request. before or after may be NULL. */
bool change_audit(struct request *req, const char *kind, const char *id,
		  const json_t *before, const json_t *after);

/**
 * The answer has to be set before, so that an Idempotency-Key can keep it.
 * With ?dry_run=1 everything is checked as for COMMIT, and rolled back.
 * Let the change feed take its version, note it for Strowger-Version, and
 * COMMIT. false: problem is set, nothing was kept (or, when the connection
 * broke, it is not known: the problem says so).
 */
bool change_commit(struct request *req);

/** ROLLBACK, whatever the state. */
void change_abort(struct request *req);

/**
 * Name the member that a failed statement is about.
 * @param rec     what was to be written, or NULL
 * @param result  of the failed statement, or NULL
 * Rolls back.
 */
void change_refused(struct request *req, const struct resource *res,
		    const struct record *rec, int err, const PGresult *result);

#endif
