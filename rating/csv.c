/**
 * @file csv.c  CSV records, cut in place. A cell only shrinks, so writing
 * never passes reading.
 */
#include <errno.h>
#include <stdbool.h>
#include "csv.h"


/* The text of a cell that began with a quote, moved to *top. */
static int quoted_cut(char **fromp, char **top)
{
	char *from = *fromp, *to = *top;

	for (;; from++) {
		if (!*from)
			return EBADMSG;
		if (*from == '"' && *++from != '"')
			break;
		*to++ = *from;
	}

	*fromp = from;
	*top = to;
	return 0;
}


/* One cell; *ret_end is the character that ended it. */
static int cell_cut(char **textp, char **ret_cell, char *ret_end)
{
	char *from = *textp, *to = *textp;

	*ret_cell = to;
	if (*from == '"') {
		int err;

		++from;
		err = quoted_cut(&from, &to);
		if (err)
			return err;
	}
	else {
		while (*from && *from != ',' && *from != '\r' &&
		       *from != '\n')
			*to++ = *from++;
	}

	if (*from == '\r' && from[1] == '\n')
		++from;

	*ret_end = *from;
	if (*from && *from != ',' && *from != '\n')
		return EBADMSG;

	*textp = *from ? from + 1 : from;
	*to = '\0';
	return 0;
}


int csv_record(char **textp, char **cells, size_t max, size_t *ret_n)
{
	size_t n = 0;
	char end;

	if (!**textp)
		return ENODATA;

	do {
		int err;

		if (n == max)
			return E2BIG;

		err = cell_cut(textp, &cells[n++], &end);
		if (err)
			return err;
	} while (end == ',');

	*ret_n = n;
	return 0;
}
