/**
 * @file csv.h  Reads comma-separated text (RFC 4180; also ';' or tab, as the
 * first line has it), one record at a time, in place.
 */
#ifndef CSV_H
#define CSV_H
#include <stddef.h>

#define CSV_FIELDS_MAX 32

struct csv {
	char *pos, *end;     /**< the text is overwritten while it is read  */
	size_t line;         /**< of the last record, from 1                */
	size_t next_line;
	char separator;
	char *fields[CSV_FIELDS_MAX]; /**< NUL-terminated, into the text     */
	size_t n;
};

/** @param text  NUL-terminated, writable, lives as long as the reader */
void csv_open(struct csv *csv, char *text, size_t len);

/**
 * Next record that is not empty.
 * @return 0; ENOENT at the end; EBADMSG (quote not closed, text behind a
 *         quote, NUL); E2BIG (more than CSV_FIELDS_MAX)
 */
int csv_next(struct csv *csv);

#endif
