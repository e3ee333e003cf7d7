/**
 * @file poi_target.h  Identities in one form, and their keyed digests. Both
 * sides of the socket use this, so that a target and a call that name the
 * same number in different ways meet.
 *
 * An identity is a text: "tel:" and E.164 digits, or "sip:user@host".
 */
#ifndef POI_TARGET_H
#define POI_TARGET_H
#include <stddef.h>
#include <stdint.h>
#include "poi_message.h"

#define POI_IDENTITY_SIZE 264 /**< with NUL: 4 + 4 + 255 and one more      */
#define POI_E164_MAX 15       /**< E.164 6.2.1                             */

/** How numbers are dialled that do not begin with '+'; texts may be "". */
struct poi_numbering {
	char country[4];       /**< "49"                                    */
	char international[6]; /**< "00"                                    */
	char national[6];      /**< "0"                                     */
};

/**
 * A telephone number, however it is written: "+49 30 123", "0049-30-123",
 * "030123", "(030) 123", "4930123".
 *
 * @param plan  NULL: digits without '+' are E.164 already
 * @return 0, or EBADMSG: no number of 1..15 digits
 */
int poi_identity_number(char id[POI_IDENTITY_SIZE], const char *text,
			size_t len, const struct poi_numbering *plan);

/**
 * A sip, sips or tel URI. It is a number when it is a tel URI (RFC 3966;
 * a local number needs phone-context=+...) or a SIP URI with user=phone or a
 * user part that begins with '+' (RFC 3261 19.1.6); else user and host,
 * host in lower case, escapes undone, without password, port, parameters.
 * sips is taken for sip: it is the same person.
 *
 * @param plan  for user=phone without '+'
 * @return 0, or EBADMSG
 */
int poi_identity_uri(char id[POI_IDENTITY_SIZE], const char *uri, size_t len,
		     const struct poi_numbering *plan);

/**
 * A key, made ready. A plain value without pointers, so that its owner can
 * keep it in memory that is locked and never dumped; wipe it with
 * OPENSSL_cleanse() when it is over.
 */
struct poi_key {
	uint64_t inner[16], outer[16]; /**< hash states after the key       */
};

void poi_key_init(struct poi_key *key, const uint8_t bytes[POI_KEY_SIZE]);

/** HMAC-SHA-256 (RFC 2104), its first 16 octets. Any thread. */
void poi_digest(uint8_t digest[POI_DIGEST_SIZE], const struct poi_key *key,
		const char *identity);

#endif
