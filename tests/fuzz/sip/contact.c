/**
 * @file contact.c  Fuzz: Contact header values of a REGISTER or a 3xx.
 */
#include <stdlib.h>
#include <string.h>
#include "redirect.h"
#include "registrar_contact.h"

#define VALUE_MAX 8000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* What was taken may be written into a start line and compared. */
static void list_check(const struct contact_list *list)
{
	size_t i;

	if (list->n > CONTACTS_MAX || (list->is_star && list->n))
		abort();

	for (i = 0; i < list->n; i++) {
		const struct contact_wish *w = &list->wishes[i];

		if (strncasecmp(w->uri, "sip:", 4) ||
		    strpbrk(w->uri, " \t\r\n<>\"") || w->q > 1000 ||
		    !contact_uri_equal(w->uri, w->uri))
			abort();
	}
}


/* Falling q, and nothing that could end a header line. */
static void redirect_check(const struct sip_msg *msg)
{
	struct redirect_contact c[REDIRECT_CONTACTS_MAX];
	const size_t n = redirect_read(c, msg);

	for (size_t i = 0; i < n; i++)
		if ((i && c[i].q > c[i - 1].q) ||
		    strpbrk(c[i].uri, " \t\r\n<>\"") ||
		    strpbrk(c[i].number, "\r\n"))
			abort();
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct contact_list list;
	struct sip_msg *msg;
	struct mbuf *mb;

	if (!size || size > VALUE_MAX)
		return 0;

	mb = mbuf_alloc(1024);
	if (!mb || mbuf_printf(mb, "REGISTER sip:a.b SIP/2.0\r\nContact: %b"
			       "\r\nExpires: 0\r\n\r\n", data, size))
		abort();

	mb->pos = 0;
	if (!sip_msg_decode(&msg, mb)) {
		if (!contact_list_decode(&list, msg, 600))
			list_check(&list);
		redirect_check(msg);
		mem_deref(msg);
	}
	mem_deref(mb);

	return 0;
}
