/**
 * @file csv_cell.c  A cell of reports and of exported records.
 */
#include "csv_cell.h"
#include <string.h>
#include "text.h"


int csv_cell(struct mbuf *mb, const char *text, char separator, bool is_last)
{
	const char special[] = {'"', '\r', '\n', separator, '\0'};
	const char *mark = text_is_formula(text) ? "'" : "";
	const char end = is_last ? '\n' : separator;
	int err;

	if (!strpbrk(text, special))
		return mbuf_printf(mb, "%s%s%c", mark, text, end);

	err = mbuf_printf(mb, "\"%s", mark);
	for (; *text && !err; text++) {
		if (*text == '"')
			err = mbuf_write_u8(mb, '"');
		if (!err)
			err = mbuf_write_u8(mb, (uint8_t)*text);
	}

	return err ? err : mbuf_printf(mb, "\"%c", end);
}
