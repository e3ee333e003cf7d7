/**
 * @file registrar_contact.h  Reading the Contact headers of a REGISTER
 * (RFC 3261 10.2.1, 20.10). Private to registrar.
 */
#ifndef REGISTRAR_CONTACT_H
#define REGISTRAR_CONTACT_H
#include <re.h>
#include "registrar.h"

/** One contact as asked for. */
struct contact_wish {
	char uri[CONTACT_URI_SIZE];
	uint32_t expires_s;
	uint16_t q;             /**< 0..1000                                */
};

struct contact_list {
	struct contact_wish wishes[CONTACTS_MAX];
	size_t n;
	bool is_star;           /**< "Contact: *": all, and nothing else    */
};

/**
 * @param default_s  for contacts without expires when there is no Expires
 * @return 0; EBADMSG; EOVERFLOW (more than CONTACTS_MAX)
 */
int contact_list_decode(struct contact_list *list, const struct sip_msg *msg,
			uint32_t default_s);

/** May this be a Request-URI of ours: sip:, printable, no headers? */
bool contact_uri_check(const struct pl *uri);

/** Same user, host in any case, port and parameters (RFC 3261 19.1.4 in a
 *  stricter form: parameters in another order make another contact). */
bool contact_uri_equal(const char *a, const char *b);

#endif
