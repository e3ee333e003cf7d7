/**
 * @file csv.c  Reads comma-separated text.
 */
#include <errno.h>
#include <string.h>
#include "csv.h"


void csv_open(struct csv *csv, char *text, size_t len)
{
	const char *line_end = memchr(text, '\n', len);
	const size_t first = line_end ? (size_t)(line_end - text) : len;

	*csv = (struct csv){.pos = text, .end = text + len, .next_line = 1,
			    .separator = ','};
	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3))
		csv->pos += 3; /* byte order mark, as spreadsheets write it */
	if (memchr(text, ';', first))
		csv->separator = ';';
	else if (memchr(text, '\t', first))
		csv->separator = '\t';
}


/* A quoted field, unescaped in place; pos is behind the opening quote */
static int quoted(struct csv *csv, char **ret_field)
{
	char *out = csv->pos;

	*ret_field = out;
	for (;;) {
		if (csv->pos == csv->end)
			return EBADMSG; /* never closed */
		if (*csv->pos == '\n')
			++csv->next_line;
		if (*csv->pos == '"') {
			++csv->pos;
			if (csv->pos == csv->end || *csv->pos != '"')
				break;
		}
		*out++ = *csv->pos++;
	}

	/* out is at most at the closing quote, which is done with */
	*out = '\0';
	return csv->pos == csv->end || *csv->pos == csv->separator ||
			       *csv->pos == '\r' || *csv->pos == '\n'
		       ? 0
		       : EBADMSG;
}


static void plain(struct csv *csv, char **ret_field)
{
	*ret_field = csv->pos;
	while (csv->pos < csv->end && *csv->pos != csv->separator &&
	       *csv->pos != '\r' && *csv->pos != '\n')
		++csv->pos;
}


/* Behind a field: is there another one in this record? Terminates it. */
static int separate(struct csv *csv, int *ret_more)
{
	*ret_more = 0;
	if (csv->pos == csv->end) {
		*csv->pos = '\0'; /* the text's own NUL */
		return 0;
	}

	*ret_more = *csv->pos == csv->separator;
	if (*csv->pos == '\r') {
		*csv->pos++ = '\0';
		if (csv->pos < csv->end && *csv->pos != '\n')
			return EBADMSG;
		if (csv->pos == csv->end)
			return 0;
	}
	if (*csv->pos == '\n')
		++csv->next_line;
	*csv->pos++ = '\0';
	return 0;
}


static int record(struct csv *csv)
{
	int more = 1, err = 0;

	csv->line = csv->next_line;
	csv->n = 0;
	while (more && !err) {
		if (csv->n >= CSV_FIELDS_MAX)
			return E2BIG;
		if (csv->pos < csv->end && *csv->pos == '"') {
			++csv->pos;
			err = quoted(csv, &csv->fields[csv->n++]);
		} else {
			plain(csv, &csv->fields[csv->n++]);
		}
		if (!err)
			err = separate(csv, &more);
	}
	return err;
}


int csv_next(struct csv *csv)
{
	int err;

	do {
		if (csv->pos >= csv->end)
			return ENOENT;
		err = record(csv);
	} while (!err && csv->n == 1 && !*csv->fields[0]);

	return err;
}
