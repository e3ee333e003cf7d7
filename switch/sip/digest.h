/**
 * @file digest.h  HTTP digest for SIP: RFC 3261 22, RFC 7616, RFC 8760.
 * MD5, SHA-256, SHA-512-256, qop=auth, stateless nonces, nonce counts.
 */
#ifndef DIGEST_H
#define DIGEST_H
#include <re.h>
#include "catalog.h"
#include "moment.h"
#include "rng.h"

struct digest_server;
struct sip_msg;

enum digest_verdict {
	DIGEST_OK,
	DIGEST_NONE,        /**< no credentials for this realm: challenge    */
	DIGEST_STALE,       /**< nonce too old or not made for this source:
				 challenge with stale=true               */
	DIGEST_WRONG,       /**< unknown user or wrong response: the same;
				 also no qop, or an algorithm not offered */
	DIGEST_REPLAY,      /**< right, but its nonce count was seen before  */
	DIGEST_MALFORMED,   /**< unreadable, or for another URI: 400         */
};

/**
 * A nonce is version, second, serial and a MAC over these, the source's IP
 * address and the realm: nothing is kept until it was used rightly.
 *
 * @param secret        32 bytes. A server knows only its own nonce counts:
 *                      workers or nodes that share a secret take each other's
 *                      nonces, and would take one replay each.
 * @param nonce_life_s  age at which a nonce becomes stale
 * @param nonces_max    nonces whose counts are remembered; when full the
 *                      oldest goes, and unknown ones as old become stale
 * mem_deref() frees. One thread.
 */
int digest_server_alloc(struct digest_server **dp, const uint8_t secret[32],
			uint32_t nonce_life_s, size_t nonces_max);

/** A key for another purpose, derived from the secret. */
int digest_server_key(struct digest_server *d, const char *purpose,
		      uint8_t key[16]);

/**
 * Check Authorization (or Proxy-Authorization when is_proxy) against the
 * catalog's credentials of realm. Constant-time compare; an unknown user
 * costs the same work and gives the same verdict as a wrong password. A
 * response to a nonce that was not made for this source is not looked at, so
 * that it is no way to try passwords uncounted.
 *
 * The uri parameter of an INVITE must name user and host of the Request-URI
 * (port and parameters may differ): a digest seen on the wire buys no call
 * to another number.
 *
 * @param ret_cred  set on DIGEST_OK only; may be NULL
 */
enum digest_verdict digest_check(struct digest_server *d,
				 const struct moment *now,
				 const struct catalog *cat,
				 const struct realm *realm, bool is_proxy,
				 const struct sip_msg *msg,
				 const struct sa *src,
				 const struct credential **ret_cred);

/** User that the credentials for this realm name, unchecked.
 *  @return 0; ENOENT (no such header); EBADMSG; EOVERFLOW */
int digest_user(const struct sip_msg *msg, const struct realm *realm,
		bool is_proxy, char *buf, size_t size);

/**
 * Append "WWW-Authenticate: Digest ...\r\n" lines (Proxy-Authenticate when
 * is_proxy), one per algorithm in the realm's order (RFC 8760 2.4); the nonce
 * is bound to time, source and realm.
 */
int digest_challenge(struct mbuf *mb, struct digest_server *d,
		     const struct moment *now, const struct realm *realm,
		     bool is_proxy, const struct sa *src, bool is_stale);

/**
 * Client: append the header line that answers a 401/407, with the gateway's
 * credentials only: a challenge of another realm than the credential's is
 * refused. Picks the strongest offered algorithm for which an HA1 is stored.
 *
 * @param method, uri   of the request that will carry it
 * @param was_answered  the challenged request already carried an answer
 * @return 0; ENOENT (no challenge we may answer); EALREADY (our answer was
 *         refused already: not stale); EINVAL; ENOMEM. mb is untouched then
 */
int digest_answer(struct mbuf *mb, const struct sip_msg *challenge,
		  const struct credential *cred, const char *method,
		  const char *uri, struct rng *rng, bool was_answered);

#endif
