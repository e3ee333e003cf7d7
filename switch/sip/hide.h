/**
 * @file hide.h  Topology hiding: of all headers of one side only those of an
 * allow-list cross to the other, and never one that names the inside.
 */
#ifndef HIDE_H
#define HIDE_H
#include <re.h>

/**
 * Copy the allowed headers of a request as "Name: value\r\n" lines. The list
 * is data: Subject, Priority, User-to-User, Accept-Language, Alert-Info
 * (no: carries URLs) ... see hide.c. Bounded; what does not fit is left out.
 * @return bytes written
 */
size_t hide_headers(const struct sip_msg *msg, char *buf, size_t size);

/**
 * Take out what a caller says of itself in words or data: a private caller's
 * request to who is not trusted must not carry it (RFC 3323 4.1).
 * @param headers  as written by hide_headers()
 */
void hide_private(char *headers);

#endif
