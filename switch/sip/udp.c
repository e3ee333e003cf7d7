/**
 * @file udp.c  recvmmsg() batches: at load one system call brings many
 * messages; at rest it costs what recvfrom() does.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>
#include <time.h>
#include <linux/errqueue.h> /* after time.h, which it forgets */
#include <sys/socket.h>
#include <unistd.h>
#include <re.h>
#include "metric.h"
#include "udp.h"

#define DATAGRAM_SIZE 65536
#define RECEIVE_BUFFER (4 * 1024 * 1024)
#define SEND_TRIES 3
#define TOS_CS3 0x60      /**< RFC 4594 4.1: signalling */

struct slot {
	struct sa from;
	struct iovec iov;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(uint32_t))];
	} control;
};

struct sip_udp {
	int fd;
	uint16_t sock;
	struct sa local;
	uint32_t dropped;         /**< by the kernel, as last told       */
	uint8_t *buf;             /**< UDP_BATCH datagrams               */
	struct slot slots[UDP_BATCH];
	struct mmsghdr msgs[UDP_BATCH];
	struct metric *receive_errors, *send_errors, *overflows;
};


static void destructor(void *arg)
{
	struct sip_udp *u = arg;

	if (u->fd >= 0)
		(void)close(u->fd);

	mem_deref(u->buf);
}


static int option_set(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? errno : 0;
}


/** Nothing here is worth refusing to start for. */
static void options_set(int fd, int af)
{
	if (option_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER))
		(void)option_set(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);

	(void)option_set(fd, SOL_SOCKET, SO_RXQ_OVFL, 1);

	if (af == AF_INET6) {
		(void)option_set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
		(void)option_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		(void)option_set(fd, IPPROTO_IPV6, IPV6_TCLASS, TOS_CS3);
	}
	else {
		(void)option_set(fd, IPPROTO_IP, IP_RECVERR, 1);
		(void)option_set(fd, IPPROTO_IP, IP_TOS, TOS_CS3);
	}
}


static int socket_open(struct sip_udp *u, const struct sa *addr)
{
	u->fd = socket(sa_af(addr), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       IPPROTO_UDP);
	if (u->fd < 0)
		return errno;

	options_set(u->fd, sa_af(addr));

	if (bind(u->fd, &addr->u.sa, addr->len))
		return errno;

	sa_init(&u->local, sa_af(addr));
	if (getsockname(u->fd, &u->local.u.sa, &u->local.len))
		return errno;

	return 0;
}


static int buffers_alloc(struct sip_udp *u)
{
	size_t i;

	u->buf = mem_alloc((size_t)UDP_BATCH * DATAGRAM_SIZE, NULL);
	if (!u->buf)
		return ENOMEM;

	for (i = 0; i < UDP_BATCH; i++) {
		struct slot *slot = &u->slots[i];
		struct msghdr *hdr = &u->msgs[i].msg_hdr;

		slot->iov.iov_base = u->buf + i * DATAGRAM_SIZE;
		slot->iov.iov_len = DATAGRAM_SIZE;
		hdr->msg_name = &slot->from.u;
		hdr->msg_iov = &slot->iov;
		hdr->msg_iovlen = 1;
		hdr->msg_control = slot->control.bytes;
	}

	return 0;
}


static void metrics_open(struct sip_udp *u)
{
	static const char name[] = "strowger_sip_udp_errors_total";
	static const char help[] = "System calls on SIP sockets that failed";

	u->receive_errors = metric_counter(name, "op=\"receive\"", help);
	u->send_errors = metric_counter(name, "op=\"send\"", help);
	u->overflows = metric_counter("strowger_sip_udp_overflows_total", NULL,
				      "SIP datagrams that the kernel dropped "
				      "because nobody read in time");
}


int sip_udp_open(struct sip_udp **up, const struct sa *addr, uint16_t sock)
{
	struct sip_udp *u;
	int err;

	if (!up || !addr || !sa_isset(addr, SA_ADDR) || sa_is_any(addr))
		return EINVAL;

	u = mem_zalloc(sizeof(*u), destructor);
	if (!u)
		return ENOMEM;

	u->fd = -1;
	u->sock = sock;
	metrics_open(u);

	err = buffers_alloc(u);
	if (!err)
		err = socket_open(u, addr);

	if (err)
		mem_deref(u);
	else
		*up = u;
	return err;
}


int sip_udp_fd(const struct sip_udp *u)
{
	return u->fd;
}


const struct sa *sip_udp_local(const struct sip_udp *u)
{
	return &u->local;
}


/** @return datagrams in the slots */
static size_t batch_read(struct sip_udp *u, size_t max)
{
	size_t i;
	int n;

	for (i = 0; i < max; i++) {
		struct msghdr *hdr = &u->msgs[i].msg_hdr;

		hdr->msg_namelen = sizeof(u->slots[i].from.u);
		hdr->msg_controllen = sizeof(u->slots[i].control.bytes);
	}

	n = recvmmsg(u->fd, u->msgs, (unsigned)max, 0, NULL);
	if (n >= 0)
		return (size_t)n;

	/* those of ICMP are told by the error queue, with their peer */
	if (errno != EAGAIN && errno != EINTR && errno != ECONNREFUSED &&
	    errno != EHOSTUNREACH && errno != ENETUNREACH)
		metric_add(u->receive_errors, 1);

	return 0;
}


/** The kernel tells its running total with each datagram. */
static void overflow_count(struct sip_udp *u, struct msghdr *hdr)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(hdr);
	uint32_t total;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SO_RXQ_OVFL)
		return;

	memcpy(&total, CMSG_DATA(c), sizeof(total));
	metric_add(u->overflows, (uint32_t)(total - u->dropped));
	u->dropped = total;
}


static void slot_hand(struct sip_udp *u, size_t i, sip_udp_h *h, void *arg)
{
	struct sip_path path = {
		.local = u->local,
		.transport = SIP_TRANSP_UDP,
		.sock = u->sock,
	};
	struct slot *slot = &u->slots[i];

	overflow_count(u, &u->msgs[i].msg_hdr);
	slot->from.len = u->msgs[i].msg_hdr.msg_namelen;
	path.peer = slot->from;

	h(&path, slot->iov.iov_base, u->msgs[i].msg_len, arg);
}


size_t sip_udp_receive(struct sip_udp *u, size_t max, sip_udp_read_h *readh,
		       sip_udp_h *h, void *arg)
{
	size_t total = 0, want, n, i;

	mem_ref(u); /* the handler may close it */

	do {
		want = max - total < UDP_BATCH ? max - total : UDP_BATCH;
		n = want ? batch_read(u, want) : 0;
		if (n && readh)
			readh(arg);

		for (i = 0; i < n; i++)
			slot_hand(u, i, h, arg);

		total += n;
	} while (n && n == want && total < max);

	mem_deref(u);

	return total;
}


/** As good as lost on the way: SIP sends again. */
static bool is_passing(int err)
{
	return err == EAGAIN || err == ENOBUFS || err == ENOMEM ||
	       err == EINTR || err == ECONNREFUSED || err == EPERM;
}


/* 0: not an error of the way to the peer */
static int icmp_errno(struct msghdr *hdr)
{
	struct cmsghdr *c;

	for (c = CMSG_FIRSTHDR(hdr); c; c = CMSG_NXTHDR(hdr, c)) {
		struct sock_extended_err e;

		if (!(c->cmsg_level == IPPROTO_IP &&
		      c->cmsg_type == IP_RECVERR) &&
		    !(c->cmsg_level == IPPROTO_IPV6 &&
		      c->cmsg_type == IPV6_RECVERR))
			continue;

		memcpy(&e, CMSG_DATA(c), sizeof(e));
		if (e.ee_origin != SO_EE_ORIGIN_ICMP &&
		    e.ee_origin != SO_EE_ORIGIN_ICMP6)
			return 0;
		if (e.ee_errno == ECONNREFUSED || e.ee_errno == EHOSTUNREACH ||
		    e.ee_errno == ENETUNREACH)
			return (int)e.ee_errno;
	}

	return 0;
}


size_t sip_udp_errors(struct sip_udp *u, size_t max, sip_udp_error_h *h,
		      void *arg)
{
	size_t n;

	mem_ref(u); /* the handler may close it */

	for (n = 0; n < max; n++) {
		struct sip_path path = {
			.local = u->local,
			.transport = SIP_TRANSP_UDP,
			.sock = u->sock,
		};
		union {
			struct cmsghdr align;
			char bytes[512];
		} control;
		struct iovec iov = {u->buf, DATAGRAM_SIZE};
		struct msghdr hdr = {
			.msg_name = &path.peer.u,
			.msg_namelen = sizeof(path.peer.u),
			.msg_iov = &iov,
			.msg_iovlen = 1,
			.msg_control = control.bytes,
			.msg_controllen = sizeof(control.bytes),
		};
		const ssize_t len = recvmsg(u->fd, &hdr, MSG_ERRQUEUE);
		int err;

		if (len < 0)
			break;

		err = icmp_errno(&hdr);
		path.peer.len = hdr.msg_namelen;
		if (err && hdr.msg_namelen)
			h(&path, u->buf, (size_t)len, err, arg);
	}

	mem_deref(u);

	return n;
}


/* What an earlier datagram met is told to the next system call, whose own
   datagram then did not leave: it is sent again. */
static int send_once_more(struct sip_udp *u, const struct sa *peer,
			  const uint8_t *buf, size_t len)
{
	int err = 0;

	for (int i = 0; i < SEND_TRIES; i++) {
		if (sendto(u->fd, buf, len, 0, &peer->u.sa, peer->len) >= 0)
			return 0;

		err = errno;
		if (err != ECONNREFUSED && err != EHOSTUNREACH &&
		    err != ENETUNREACH)
			break;
	}

	return err;
}


int sip_udp_send(struct sip_udp *u, const struct sa *peer, const uint8_t *buf,
		 size_t len)
{
	const int err = send_once_more(u, peer, buf, len);

	if (!err)
		return 0;

	metric_add(u->send_errors, 1);

	return is_passing(err) ? 0 : err;
}
