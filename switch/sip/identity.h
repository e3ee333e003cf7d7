/**
 * @file identity.h  What a request says of who calls, and how much of it may
 * be told: From, P-Asserted-Identity and P-Preferred-Identity (RFC 3325),
 * Remote-Party-ID (draft-ietf-sip-privacy-04), Privacy (RFC 3323 4.2).
 * Reading only; any thread.
 */
#ifndef IDENTITY_H
#define IDENTITY_H
#include <re.h>
#include <stdbool.h>

enum identity_header {
	IDENTITY_HEADER_FROM, IDENTITY_HEADER_PAI, IDENTITY_HEADER_PPI,
	IDENTITY_HEADER_RPID
};

struct identity {
	char number[64];   /**< as message_number() gives it, not checked    */
	char name[64];     /**< "" when none                                 */
};

/**
 * The first value of the header that names a user; of Remote-Party-ID the
 * calling party only. At most 16 values are looked at.
 * @return 0, ENOENT (ret is empty then)
 */
int identity_read(struct identity *ret, const struct sip_msg *msg,
		  enum identity_header header);

/** Privacy asked for; RFC 3323 4.2, RFC 3325 9.3, RFC 7044. */
enum {
	PRIVACY_HEADER = 1 << 0,
	PRIVACY_SESSION = 1 << 1,
	PRIVACY_USER = 1 << 2,
	PRIVACY_ID = 1 << 3,
	PRIVACY_HISTORY = 1 << 4,
	PRIVACY_NONE = 1 << 5,
	PRIVACY_CRITICAL = 1 << 6,
	PRIVACY_UNKNOWN = 1 << 7, /**< a value that we do not know           */
};

/**
 * All Privacy headers together, and what amounts to PRIVACY_ID: an anonymous
 * From (RFC 3323 4.1), privacy=full or =uri in Remote-Party-ID.
 */
unsigned privacy_read(const struct sip_msg *msg);

/** Shall the number be kept from who is not trusted? */
bool privacy_hides_number(unsigned privacy);

/** A demand for something unknown that must not go unheeded: the request fails
 *  with 500 (RFC 3323 5). */
bool privacy_is_impossible(unsigned privacy);

/** The values that are not known, for its reason phrase (RFC 3323 5): ", "
 *  between them, "" when there are none. What is no plain word or does not fit
 *  is left out. */
void privacy_unknown(const struct sip_msg *msg, char *buf, size_t size);

#endif
