/**
 * @file ledger_row.h  A call as rows of COPY cdr.staging. Pure.
 */
#ifndef LEDGER_ROW_H
#define LEDGER_ROW_H
#include "cdr.h"

struct mbuf;

/** The COPY statement: every field, the charges, the decision. */
const char *ledger_copy_sql(void);

/**
 * Append one row for the call and one for each attempt; each carries its own
 * charges, the call's also the decision. What peers sent that is no UTF-8
 * becomes '?', since the database would refuse the whole row for it.
 * @return 0 or ENOMEM
 */
int ledger_rows(struct mbuf *mb, const struct cdr_call *call);

#endif
