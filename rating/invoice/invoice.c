/**
 * @file invoice.c  What the writers of an invoice have in common.
 */
#include "invoice.h"
#include <string.h>
#include "text.h"


const char *invoice_text(const json_t *object, const char *name)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text ? text : "";
}


int64_t invoice_micro(const json_t *object, const char *name)
{
	int64_t micro;

	return text_decimal(&micro, invoice_text(object, name), 6) ? 0
								   : micro;
}


/* Control characters are in no XML 1.0 (2.2); names have none anyway */
int invoice_escaped(struct mbuf *mb, const char *text)
{
	int err = 0;

	for (; *text && !err; text++) {
		switch (*text) {
		case '&':  err = mbuf_write_str(mb, "&amp;"); break;
		case '<':  err = mbuf_write_str(mb, "&lt;"); break;
		case '>':  err = mbuf_write_str(mb, "&gt;"); break;
		case '"':  err = mbuf_write_str(mb, "&quot;"); break;
		default:
			if ((unsigned char)*text >= ' ')
				err = mbuf_write_u8(mb, (uint8_t)*text);
			break;
		}
	}

	return err;
}
