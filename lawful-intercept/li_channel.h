/**
 * @file li_channel.h  One product on its way to one destination: a spool, and
 * a TLS connection of ours that empties it. It runs on its owner's loop.
 *
 * What was sent is confirmed when the other side has answered a keepalive
 * that went after it (or, where keepalives are off, when TCP has it all). What
 * is not confirmed when a connection ends is sent again on the next one, octet
 * by octet the same: who has it already sees that by the sequence number.
 */
#ifndef LI_CHANNEL_H
#define LI_CHANNEL_H
#include <openssl/ssl.h>
#include <re.h>
#include <stdbool.h>
#include <stdint.h>
#include "li_secret.h"

struct li_channel;

enum li_channel_event {
	LI_CHANNEL_UP,
	LI_CHANNEL_DOWN,      /**< after it was up, or at the first failure */
	LI_CHANNEL_LOSS,      /**< the spool takes nothing more             */
	LI_CHANNEL_LOSS_OVER, /**< it takes again; n were lost              */
	LI_CHANNEL_TORN,      /**< n records of an earlier life are damaged */
};

typedef void(li_channel_h)(struct li_channel *c, enum li_channel_event ev,
			   uint64_t n, const char *why, void *arg);

struct li_channel_config {
	struct sa address;
	const char *folder;             /**< of its spool                    */
	const struct li_secret *secret;
	uint64_t spool_max;
	int epoll;
	SSL_CTX **tls;                  /**< of the moment of connecting     */
	bool keepalives;
	int64_t every_ms, within_ms;    /**< TIME_P1, TIME_P2                */
	li_channel_h *h;
	void *arg;
};

int li_channel_open(struct li_channel **cp, const struct li_channel_config *k);

/** A PDU; it is on its way, or lost and counted. */
void li_channel_put(struct li_channel *c, const uint8_t *pdu, size_t len);

/** Something of epoll's, or just to go on: connect, send, read, be in time.
 *  Often: at the end of each turn of the loop. */
void li_channel_run(struct li_channel *c, uint64_t now_ms);

/** Another address; what is spooled goes there. */
void li_channel_point(struct li_channel *c, const struct sa *address);

/** Who is trusted has changed: the other side has to show who it is again. */
void li_channel_renew(struct li_channel *c);

/** The destination is gone: connection, spool and all. Then mem_deref(). */
void li_channel_end(struct li_channel *c);

/** Our certificate, their CA; nothing below TLS 1.2. */
int li_channel_tls(SSL_CTX **ret_ctx, const char *certificate,
		   const char *private_key, const char *ca, const char *crl);

#endif
