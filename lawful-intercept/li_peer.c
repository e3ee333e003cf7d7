/**
 * @file li_peer.c  Names of certificates.
 */
#include <string.h>
#include "li_peer.h"

#define ADMF_URN "urn:etsi:li:103221-1:cert-binding:ADMF:"


bool li_peer_is_admf(const struct li_peer *peer, const char *name)
{
	size_t i;

	if (!name[0])
		return false;
	for (i = 0; i < peer->uid_n; i++) {
		if (!strcmp(peer->uid[i], name))
			return true;
	}
	for (i = 0; i < peer->uri_n; i++) {
		if (!strncmp(peer->uri[i], ADMF_URN, strlen(ADMF_URN)) &&
		    !strcmp(peer->uri[i] + strlen(ADMF_URN), name))
			return true;
	}

	return false;
}


const char *li_peer_officer(const struct li_peer *peer, const char *officers)
{
	const char *p = officers;
	size_t i;

	while (*p) {
		const size_t n = strcspn(p, " ");

		for (i = 0; n && i < peer->uid_n; i++) {
			if (strlen(peer->uid[i]) == n &&
			    !strncmp(peer->uid[i], p, n))
				return peer->uid[i];
		}
		p += n;
		p += strspn(p, " ");
	}

	return NULL;
}
