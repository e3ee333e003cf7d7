/** @file calls_csv.h  The calls behind a row (of an invoice, of a re-rating) as
 *  a sheet: few enough for one answer. */
#ifndef CALLS_CSV_H
#define CALLS_CSV_H
#include "resource.h"

/** As text, for SQL: whoever has more is sent to the command line */
#define CALLS_CSV_MAX "200000"

/**
 * Answer with CSV, when whoever asks may see the row of the path.
 * @param sql      of the id in $1: how many calls, at most CALLS_CSV_MAX + 1,
 *                 and the text
 * @param command  that makes any number of them: "strowger invoice annex"
 */
void calls_csv_answer(struct request *req, const struct resource *res,
		      const char *sql, const char *command);

#endif
