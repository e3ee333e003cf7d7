/**
 * @file location.h  Where a caller is, in an INVITE: Geolocation (RFC 6442
 * 4.1) that refers to a PIDF-LO in the body by cid: (RFC 4119, civic address
 * after RFC 5139, shapes after RFC 5491 5.2), or to a URI.
 */
#ifndef LOCATION_H
#define LOCATION_H
#include "catalog.h"

/** Boundary of the body parts and Content-ID of the location. */
struct location_parts {
	char boundary[64];
	char cid[64];            /**< without angle brackets               */
};

/**
 * Write the end of an INVITE: the Geolocation lines, then body headers, empty
 * line and body. By value the body is the location alone when there is no SDP,
 * else multipart/mixed with the SDP first (RFC 5621 3.1).
 *
 * @param form    LOCATION_VALUE or LOCATION_REFERENCE
 * @param number  of the caller, for the entity of the presence document
 * @param sdp     NULL: none
 * @return 0 or ENOMEM
 */
int location_print(struct mbuf *mb, const struct location *loc,
		   enum location_form form,
		   const struct location_parts *parts, const char *number,
		   const uint8_t *sdp, size_t len);

/** The PIDF-LO alone. @return 0 or ENOMEM */
int location_pidf(struct mbuf *mb, const struct location *loc,
		  const char *number);

#endif
