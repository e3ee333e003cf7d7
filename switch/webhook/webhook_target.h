/**
 * @file webhook_target.h  Where a webhook may go: an http or https URL whose
 * host, once resolved, is an address of the public Internet. Customers choose
 * these URLs, and we stand where they do not.
 */
#ifndef WEBHOOK_TARGET_H
#define WEBHOOK_TARGET_H
#include <stdbool.h>

#define WEBHOOK_URL_MAX 500

struct sockaddr;

/** http or https, a host, no user, no fragment; as libcurl reads it. */
bool webhook_url_is_sound(const char *url);

/** Is the host of a sound URL written as an address that is not public? */
bool webhook_url_is_private(const char *url);

/** Is this an address that the whole Internet reaches (IANA special-purpose
 *  registries)? What is embedded in an IPv6 address counts as well. */
bool webhook_address_is_public(const struct sockaddr *sa);

#endif
