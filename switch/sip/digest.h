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
	DIGEST_STALE,       /**< right but the nonce is old: stale=true      */
	DIGEST_WRONG,       /**< unknown user or wrong response: the same    */
	DIGEST_REPLAY,      /**< nonce count seen before                     */
	DIGEST_MALFORMED,
};

/** @param secret 32 bytes, the nodes share it. mem_deref() frees. */
int digest_server_alloc(struct digest_server **dp, const uint8_t secret[32],
			uint32_t nonce_life_s, size_t nonces_max);

/**
 * Check Authorization (or Proxy-Authorization when is_proxy) against the
 * catalog's credentials of realm. Constant-time compare; an unknown user
 * costs the same work and gives the same verdict as a wrong password.
 * @param ret_cred  set on DIGEST_OK and DIGEST_STALE
 */
enum digest_verdict digest_check(struct digest_server *d,
				 const struct moment *now,
				 const struct catalog *cat,
				 const struct realm *realm, bool is_proxy,
				 const struct sip_msg *msg,
				 const struct sa *src,
				 const struct credential **ret_cred);

/**
 * Append "WWW-Authenticate: Digest ...\r\n" lines, one per algorithm in the
 * realm's order; the nonce is bound to time, source and realm.
 */
int digest_challenge(struct mbuf *mb, struct digest_server *d,
		     const struct moment *now, const struct realm *realm,
		     bool is_proxy, const struct sa *src, bool is_stale);

/**
 * Client: header line that answers a 401/407, with the gateway's credentials
 * only: a challenge of another realm than the credential's is refused.
 * Picks the strongest offered algorithm for which an HA1 is stored.
 * @return 0; ENOENT (no challenge we may answer); EALREADY (our answer was
 *         refused already: not stale)
 */
int digest_answer(struct mbuf *mb, const struct sip_msg *challenge,
		  const struct credential *cred, const char *method,
		  const char *uri, struct rng *rng, bool was_answered);

#endif
