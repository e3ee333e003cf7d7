/**
 * @file ha1.h  What is stored instead of a password: one hash of
 * username:realm:password per digest algorithm (RFC 7616 3.4.2).
 */
#ifndef HA1_H
#define HA1_H
#include "field.h"

/**
 * Put ha1_md5, ha1_sha256 and ha1_sha512_256 into a record.
 * @param algorithms  names to compute, separated by blanks; others become
 *                    NULL
 * @return 0 or errno
 */
int ha1_put(struct record *rec, const char *username, const char *realm,
	    const char *password, const char *algorithms);

/** The columns of the hashes: written from inside, never sent. */
#define HA1_FIELDS \
	{.name = "ha1_md5", .type = FIELD_SECRET, .flags = F_READ_ONLY, \
	 .column = "ha1_md5"}, \
	{.name = "ha1_sha256", .type = FIELD_SECRET, .flags = F_READ_ONLY, \
	 .column = "ha1_sha256"}, \
	{.name = "ha1_sha512_256", .type = FIELD_SECRET, \
	 .flags = F_READ_ONLY, .column = "ha1_sha512_256"}

#define PASSWORD_MAX 128

#endif
