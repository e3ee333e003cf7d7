/**
 * @file li_peer.h  Who is at the other end of a TLS connection: what their
 * certificate says. That it is signed by the CA of interception and neither
 * expired nor revoked was seen in the handshake; here is whose it is.
 */
#ifndef LI_PEER_H
#define LI_PEER_H
#include <stdbool.h>
#include <stddef.h>

#define LI_PEER_NAMES 8
#define LI_PEER_NAME_SIZE 192

struct li_peer {
	char uid[LI_PEER_NAMES][LI_PEER_NAME_SIZE]; /**< UIDs of the subject */
	size_t uid_n;
	char uri[LI_PEER_NAMES][LI_PEER_NAME_SIZE]; /**< subjectAltName      */
	size_t uri_n;
	char serial[64];                            /**< hex                 */
	char address[64];
};

/** May it speak as that ADMF? (TS 103 221-1 8.2.4: its UID, or the URI
 *  urn:etsi:li:103221-1:cert-binding:ADMF:NAME) */
bool li_peer_is_admf(const struct li_peer *peer, const char *name);

/** The UID that is in a list of names with blanks between, or NULL. */
const char *li_peer_officer(const struct li_peer *peer, const char *officers);

#endif
