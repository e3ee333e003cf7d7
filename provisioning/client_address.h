/**
 * @file client_address.h  From where a request comes: the other end of its
 * connection or, when that is a proxy of ours, whom the proxy names in
 * X-Forwarded-For. Anybody may send that header: what stands left of the
 * right-most address that is no proxy of ours is not believed.
 */
#ifndef CLIENT_ADDRESS_H
#define CLIENT_ADDRESS_H
#include <stddef.h>

#define PROXIES_MAX 16
#define CLIENT_ADDRESS_SIZE 48

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

#endif
