/**
 * @file csv.h  Records of a CSV text (RFC 4180), cut in place.
 */
#ifndef CSV_H
#define CSV_H
#include <stddef.h>

/**
 * Cut the next record into cells.
 * @param textp  moves behind the record; the text is changed: cells are NUL
 *               ended, quotes taken off
 * @return 0, ENODATA at the end, EBADMSG (open quote, text after a quote) or
 *         E2BIG (more than max cells). Pure.
 */
int csv_record(char **textp, char **cells, size_t max, size_t *ret_n);

#endif
