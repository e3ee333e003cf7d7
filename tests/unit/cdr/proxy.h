/**
 * @file proxy.h  Between the ledger and PostgreSQL: passes, stalls, cuts, and
 * loses the answer of a statement. Unix sockets only.
 */
#ifndef PROXY_H
#define PROXY_H

enum proxy_mode {
	PROXY_PASS,
	PROXY_STALL,      /* nothing moves */
	PROXY_AWAY,       /* connections are cut, new ones refused */
	PROXY_CUT_ANSWER, /* cut when a COMMIT or lease_take was passed on,
			     before its answer */
};

struct proxy;

/** @param dsn  of the server. @return NULL when that is no unix socket */
struct proxy *proxy_start(const char *dsn);
/** How to connect through it. */
const char *proxy_dsn(const struct proxy *p);
void proxy_set(struct proxy *p, enum proxy_mode mode);
/** Connections that were cut so far. */
unsigned proxy_cuts(const struct proxy *p);
void proxy_stop(struct proxy *p);

#endif
