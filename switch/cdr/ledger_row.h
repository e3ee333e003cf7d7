/**
 * @file ledger_row.h  A call as rows of COPY: its records, charges and
 * decision, each into its own table. Pure.
 */
#ifndef LEDGER_ROW_H
#define LEDGER_ROW_H
#include "cdr.h"

struct mbuf;

enum ledger_table { LEDGER_RECORD, LEDGER_CHARGE, LEDGER_DECISION,
		    LEDGER_TABLE_N };

/** Append the COPY statement of a table, with its NUL. @return 0 or ENOMEM */
int ledger_copy_sql(struct mbuf *mb, enum ledger_table table);

/**
 * Append a record for the call and one for each attempt, its charges, and its
 * decision, if it has one. What peers sent that is no UTF-8 becomes '?', since
 * the database would refuse the whole row for it.
 * @return 0 or ENOMEM
 */
int ledger_rows(struct mbuf *const tables[LEDGER_TABLE_N],
		const struct cdr_call *call);

#endif
