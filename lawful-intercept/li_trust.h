/**
 * @file li_trust.h  The CA of interception and its revocations: whom it has
 * signed. The file of revocations is read again when it changes; while it
 * cannot be read, nobody is let in.
 */
#ifndef LI_TRUST_H
#define LI_TRUST_H
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include "li_peer.h"

struct li_trust;

/** @param crl "": none. @return 0 or EINVAL */
int li_trust_load(struct li_trust **tp, const char *ca, const char *crl);

/**
 * @param purpose  GNUTLS_KP_TLS_WWW_CLIENT
 * @return NULL when it may come in, else a constant that says why not
 */
const char *li_trust_refuses(struct li_trust *t, const gnutls_datum_t *chain,
			     unsigned n, const char *purpose);

/** Names and number of a certificate. @return 0 or EBADMSG */
int li_trust_peer(struct li_peer *peer, const gnutls_datum_t *certificate);

#endif
