/**
 * @file csv_cell.h  One cell of a CSV that people open, too.
 */
#ifndef CSV_CELL_H
#define CSV_CELL_H
#include <re.h>

/**
 * Append the cell and what comes behind it: in quotes where it needs them
 * (RFC 4180 2.6, 2.7). What a spreadsheet would compute has an apostrophe
 * before it: some of it is chosen by callers and carriers.
 *
 * @param is_last  of its line: a line feed follows, else the separator
 * @return 0 or ENOMEM
 */
int csv_cell(struct mbuf *mb, const char *text, char separator, bool is_last);

#endif
