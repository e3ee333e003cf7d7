/**
 * @file digest_fields.h  Reading one Digest challenge or answer: a bounded
 * parser of name=value pairs (RFC 3261 25.1, RFC 7616 3.3 and 3.4). Private
 * to digest.
 */
#ifndef DIGEST_FIELDS_H
#define DIGEST_FIELDS_H
#include <re.h>

#define DIGEST_FIELD_MAX 1024   /**< bytes of one value                     */
#define DIGEST_FIELDS_MAX 32    /**< pairs in one header                    */

/** Values as they stand between the quotes, escapes untouched: that is what
 *  goes into the hashes and is echoed. l is 0 when absent. */
struct digest_fields {
	struct pl username, realm, nonce, uri, response, cnonce, opaque;
	struct pl algorithm, qop, nc, stale;
};

/**
 * @return 0; ENOENT (another scheme than Digest); EBADMSG (bad syntax, a
 *         field twice, too long, control characters)
 */
int digest_fields_decode(struct digest_fields *f, const struct pl *value);

/** Escapes removed and NUL added. @return 0 or EOVERFLOW */
int digest_fields_text(char *buf, size_t size, const struct pl *raw);

/** "%H" printer: text with '"' and '\' escaped; arg is a C string. */
int digest_fields_escape(struct re_printf *pf, void *text);

#endif
