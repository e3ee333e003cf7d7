/**
 * @file udp.h  One UDP socket for SIP: datagrams in by batches, out one by
 * one. Only bytes and addresses; belongs to one thread.
 */
#ifndef UDP_H
#define UDP_H
#include "message.h"

#define UDP_BATCH 32

struct sip_udp;

typedef void(sip_udp_h)(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg);

/**
 * Bind. The port is never shared: a second process that listened there would
 * take half of the messages. Receive buffer 4 MiB where allowed, DSCP CS3.
 *
 * @param addr  one of our addresses, not the wildcard (the answer must leave
 *              from where the request came to); port 0 picks one
 * @param sock  becomes path.sock of what arrives here
 * @return 0, EINVAL or errno of the system. mem_deref() closes.
 */
int sip_udp_open(struct sip_udp **up, const struct sa *addr, uint16_t sock);

int sip_udp_fd(const struct sip_udp *u); /**< for epoll, level triggered  */
const struct sa *sip_udp_local(const struct sip_udp *u);

/** Datagrams were read; those that h is handed next had come by now. */
typedef void(sip_udp_read_h)(void *arg);

/**
 * Hand what waits to h, at most max datagrams; never blocks. Datagrams of any
 * size come whole. What the kernel dropped is counted.
 * @param readh  before those of each system call; or NULL
 * @return how many
 */
size_t sip_udp_receive(struct sip_udp *u, size_t max, sip_udp_read_h *readh,
		       sip_udp_h *h, void *arg);

/**
 * Hand what came back by ICMP to h: path.peer is where the datagram went, buf
 * as much of it as the ICMP message quotes (maybe none), err ECONNREFUSED,
 * EHOSTUNREACH or ENETUNREACH; others are passed over. To be asked when epoll
 * says EPOLLERR.
 * @return how many
 */
typedef void(sip_udp_error_h)(const struct sip_path *path, const uint8_t *buf,
			      size_t len, int err, void *arg);
size_t sip_udp_errors(struct sip_udp *u, size_t max, sip_udp_error_h *h,
		      void *arg);

/**
 * @return 0, also when the system was short of room for the moment (counted;
 *         to the peer it is a lost packet); EMSGSIZE, EHOSTUNREACH and the
 *         like when trying again cannot help
 */
int sip_udp_send(struct sip_udp *u, const struct sa *peer, const uint8_t *buf,
		 size_t len);

#endif
