/** @file redirect.c  See redirect.h. */
#include <string.h>
#include "redirect.h"
#include "registrar_contact.h"
#include "text.h"


static int contact_read(struct redirect_contact *c,
			const struct contact_wish *wish)
{
	struct pl text;
	struct uri uri;
	char host[64];

	TEXT_FILL(c->uri, wish->uri);
	c->q = wish->q;
	sa_init(&c->addr, AF_UNSPEC);
	pl_set_str(&text, wish->uri);
	if (uri_decode(&uri, &text) ||
	    message_number(&uri, c->number, sizeof(c->number)))
		return EBADMSG;

	if (!pl_strcpy(&uri.host, host, sizeof(host)))
		(void)sa_set_str(&c->addr, host,
				 uri.port ? uri.port : SIP_PORT);

	return 0;
}


size_t redirect_read(struct redirect_contact ret[REDIRECT_CONTACTS_MAX],
		     const struct sip_msg *msg)
{
	struct contact_list list;
	size_t n = 0, at;

	if (contact_list_decode(&list, msg, 0) || list.is_star)
		return 0;

	for (size_t i = 0; i < list.n; i++) {
		struct redirect_contact c;

		if (contact_read(&c, &list.wishes[i]))
			return 0;
		for (at = n; at > 0 && ret[at - 1].q < c.q; at--)
			ret[at] = ret[at - 1];
		ret[at] = c;
		n++;
	}

	return n;
}
