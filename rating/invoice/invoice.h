/**
 * @file invoice.h  An invoice or credit note as people and programs read it:
 * HTML, PDF, UBL 2.1 (EN 16931), out of the JSON that billing.document()
 * gives. Nothing is added up here: every amount is of the database.
 */
#ifndef INVOICE_H
#define INVOICE_H
#include "json.h"
#include <stddef.h>

/**
 * A page for browsers and for print: A4, the head of the table on every page,
 * pages numbered. Escaped; loads nothing.
 * @return 0, ENOMEM, or EBADMSG when the document lacks what it must have
 */
int invoice_html(struct mbuf *mb, const json_t *doc);

/**
 * UBL 2.1 Invoice or CreditNote as the European norm EN 16931-1:2017 wants it.
 * @param why  what cannot be said in it, when ENOTSUP is returned
 * @return 0, ENOMEM, EBADMSG, ENOTSUP
 */
int invoice_ubl(struct mbuf *mb, const json_t *doc, const char **why);

/**
 * A page as PDF, by the program weasyprint (found in PATH): a process that
 * reads the page and writes the PDF, and is killed when nothing moves
 * for 60 s, and half a second more for each KiB of the page.
 * @return 0, ENOENT (there is no weasyprint), ETIMEDOUT, EIO, EFBIG, ENOMEM
 * Waits; no signal handler is touched.
 */
int invoice_pdf(struct mbuf *pdf, const char *html, size_t len);

/* --- between the files of this folder --- */

/** Text of a member, "" when null or absent. */
const char *invoice_text(const json_t *object, const char *name);

/** Write escaped for XML and HTML. */
int invoice_escaped(struct mbuf *mb, const char *text);

/** "1234.5" as micro-units, 0 when it is none. */
int64_t invoice_micro(const json_t *object, const char *name);

#endif
