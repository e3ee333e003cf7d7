/**
 * @file client_address.h  From where a request comes: the other end of its
 * connection or, when that is a proxy of ours, whom the proxy names in
 * X-Forwarded-For or Forwarded (RFC 7239). Anybody may send these headers:
 * what stands left of the right-most address that is no proxy of ours is not
 * believed, and only the header that the proxies write is read.
 */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H
#include <stddef.h>

#define PROXIES_MAX 16
#define CLIENT_ADDRESS_SIZE 48
#define FORWARDED_SIZE 2048 /**< of the header, all its lines together */

struct proxies;

/**
 * @param text  networks or addresses, separated by commas; "": none
 * @return 0, EBADMSG, E2BIG (more than PROXIES_MAX) or ENOMEM. mem_deref()
 */
int proxies_read(struct proxies **pp, const char *text);

/**
 * @param p          may be NULL: no proxies
 * @param peer       other end of the connection, "" over a unix socket
 * @param forwarded  value of X-Forwarded-For, several joined by commas in
 *                   their order; NULL: there is none
 * Pure.
 */
void client_address(const struct proxies *p, const char *peer,
		    const char *forwarded, char buf[CLIENT_ADDRESS_SIZE]);

/**
 * Forwarded as X-Forwarded-For would say it: the for of each element, without
 * quotes (RFC 7239 4 and 6); of one that has none "unknown". Pure.
 * @param buf  of FORWARDED_SIZE; written on success only
 * @return 0, or EBADMSG (not such a header, or too long)
 */
int forwarded_read(char buf[FORWARDED_SIZE], const char *text);

#endif
