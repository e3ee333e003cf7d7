/**
 * @file redirect.h  Where a 3xx points: its contacts in the order in which
 * RFC 3261 8.1.3.4 wants them tried, by q.
 */
#ifndef REDIRECT_H
#define REDIRECT_H
#include "message.h"
#include "registrar.h"

#define REDIRECT_CONTACTS_MAX CONTACTS_MAX

struct redirect_contact {
	char uri[CONTACT_URI_SIZE]; /**< sip:, printable, without headers   */
	char number[64];            /**< what it names as called number, "" */
	struct sa addr;             /**< not set: its host is no IP literal */
	uint16_t q;                 /**< 0..1000                            */
};

/**
 * The contacts of a 3xx, highest q first. None when one of them is not
 * readable, is no sip: URI, or when they are too many: a carrier that says
 * such things is not followed.
 * @return how many. Pure.
 */
size_t redirect_read(struct redirect_contact ret[REDIRECT_CONTACTS_MAX],
		     const struct sip_msg *msg);

#endif
