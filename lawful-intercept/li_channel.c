/**
 * @file li_channel.c  TLS to a mediation function, over what is spooled.
 */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "li_channel.h"
#include "li_spool.h"
#include "text.h"
#include "x23_pdu.h"

#define OUT_MAX (128 * 1024)     /**< octets handed to TLS at once         */
#define CONNECT_MS 10000         /**< TCP and handshake                     */
#define PAUSE_FIRST_MS 1000
#define PAUSE_MAX_MS 30000
#define MARKS 16
#define MARK_EVERY_MS 2000       /**< a keepalive so often while there is
				      something to be confirmed             */
#define WRITES_A_RUN 32
#define READS_A_RUN 8            /**< who sends more waits for the next turn */

enum state { IDLE, CONNECTING, SHAKING, UP };

/** A keepalive on its way, and what was sent before it. */
struct mark {
	uint32_t seq;
	struct li_place place;
};

struct li_channel {
	struct li_channel_config k;
	struct li_spool *spool;
	enum state state;
	int fd;
	SSL *ssl;
	uint64_t since_ms;       /**< of the state                          */
	uint64_t pause_ms, next_ms;
	bool was_told_down;
	uint8_t *out;            /**< [OUT_MAX]                             */
	size_t out_n, out_done;
	struct x23_reader reader;
	struct mark mark[MARKS]; /**< of this connection, oldest first      */
	size_t mark_n;
	uint32_t seq;            /**< of the next keepalive                 */
	uint64_t sent_ms;        /**< last keepalive                        */
	uint64_t answered_ms;    /**< last right answer, or the beginning   */
	bool is_dirty;           /**< something went after the last mark    */
	uint64_t lost, torn;
	bool is_losing;
	bool wants_write;
	bool is_renewed;         /**< comes again, and was not away         */
};


static void hang_up(struct li_channel *c)
{
	if (c->ssl) {
		if (c->state == UP)
			(void)SSL_shutdown(c->ssl);
		SSL_free(c->ssl);
	}
	c->ssl = NULL;
	if (c->fd >= 0)
		(void)close(c->fd); /* epoll forgets it */
	c->fd = -1;
	c->state = IDLE;
	c->mark_n = 0;
	c->reader.n = 0;
	if (c->out)
		OPENSSL_cleanse(c->out, c->out_n);
	c->out_n = c->out_done = 0;
	ERR_clear_error();
}


static void channel_destructor(void *arg)
{
	struct li_channel *c = arg;

	hang_up(c);
	mem_deref(c->spool);
	mem_deref(c->out);
}


int li_channel_open(struct li_channel **cp, const struct li_channel_config *k)
{
	struct li_channel *c = mem_zalloc(sizeof(*c), channel_destructor);
	int err;

	if (!c)
		return ENOMEM;

	c->k = *k;
	c->k.folder = NULL;
	c->fd = -1;
	c->pause_ms = PAUSE_FIRST_MS;
	c->out = mem_zalloc(OUT_MAX, NULL);
	err = c->out ? li_spool_open(&c->spool, k->folder, k->secret,
				     k->spool_max)
		     : ENOMEM;
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


static void tell(struct li_channel *c, enum li_channel_event ev, uint64_t n,
		 const char *why)
{
	c->k.h(c, ev, n, why, c->k.arg);
}


static void fail(struct li_channel *c, const char *why, uint64_t now_ms)
{
	const bool was_up = c->state == UP;

	c->is_renewed = false;
	hang_up(c);
	li_spool_rewind(c->spool);
	if (was_up)
		c->pause_ms = PAUSE_FIRST_MS;
	c->next_ms = now_ms + c->pause_ms;
	c->pause_ms = c->pause_ms * 2 < PAUSE_MAX_MS ? c->pause_ms * 2
						     : PAUSE_MAX_MS;
	if (!c->was_told_down)
		tell(c, LI_CHANNEL_DOWN, 0, why);
	c->was_told_down = true;
}


void li_channel_put(struct li_channel *c, const uint8_t *pdu, size_t len)
{
	if (li_spool_put(c->spool, pdu, len)) {
		c->lost++;
		if (!c->is_losing)
			tell(c, LI_CHANNEL_LOSS, 0, "the spool is full");
		c->is_losing = true;
		return;
	}
	if (c->is_losing) {
		c->is_losing = false;
		tell(c, LI_CHANNEL_LOSS_OVER, c->lost, NULL);
		c->lost = 0;
	}
}


static int watch(struct li_channel *c, int op, bool wants_write)
{
	struct epoll_event ev = {
		.events = EPOLLIN | (wants_write ? EPOLLOUT : 0u),
		.data.ptr = c,
	};

	c->wants_write = wants_write;

	return epoll_ctl(c->k.epoll, op, c->fd, &ev) ? errno : 0;
}


static void connect_begin(struct li_channel *c, uint64_t now_ms)
{
	const struct sa *sa = &c->k.address;
	const int one = 1;

	c->fd = socket(sa_af(sa), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	c->state = CONNECTING;
	c->since_ms = now_ms;
	if (c->fd < 0 ||
	    (connect(c->fd, &sa->u.sa, sa->len) && errno != EINPROGRESS) ||
	    watch(c, EPOLL_CTL_ADD, true)) {
		fail(c, "no connection", now_ms);
		return;
	}
	(void)setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}


/* Whoever is there must be named by that address in their certificate */
static int tls_begin(struct li_channel *c)
{
	char ip[64];
	X509_VERIFY_PARAM *param;

	if (!*c->k.tls || re_snprintf(ip, sizeof(ip), "%j", &c->k.address) < 0)
		return EINVAL;
	c->ssl = SSL_new(*c->k.tls);
	if (!c->ssl)
		return ENOMEM;

	param = SSL_get0_param(c->ssl);
	if (!X509_VERIFY_PARAM_set1_ip_asc(param, ip) ||
	    !SSL_set_fd(c->ssl, c->fd))
		return EINVAL;
	SSL_set_connect_state(c->ssl);

	return 0;
}


static void connected(struct li_channel *c, uint64_t now_ms)
{
	int err = 0;
	socklen_t len = sizeof(err);
	struct sa peer;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) || err) {
		fail(c, "no connection", now_ms);
		return;
	}
	peer.len = sizeof(peer.u);
	if (getpeername(c->fd, &peer.u.sa, &peer.len))
		return; /* not yet */
	if (tls_begin(c)) {
		fail(c, "TLS cannot begin", now_ms);
		return;
	}
	c->state = SHAKING;
}


/* @return what TLS waits for was noted; false: the connection is over */
static bool tls_waits(struct li_channel *c, int rc)
{
	const int e = SSL_get_error(c->ssl, rc);

	if (e == SSL_ERROR_WANT_READ) {
		(void)watch(c, EPOLL_CTL_MOD, false);
		return true;
	}
	if (e == SSL_ERROR_WANT_WRITE) {
		(void)watch(c, EPOLL_CTL_MOD, true);
		return true;
	}

	return false;
}


static void shake(struct li_channel *c, uint64_t now_ms)
{
	int rc;

	ERR_clear_error();
	rc = SSL_do_handshake(c->ssl);
	if (rc != 1) {
		if (!tls_waits(c, rc))
			fail(c, SSL_get_verify_result(c->ssl) == X509_V_OK
					? "the handshake failed"
					: "their certificate is not trusted",
			     now_ms);
		return;
	}

	c->state = UP;
	c->since_ms = c->answered_ms = now_ms;
	c->sent_ms = now_ms;
	c->seq = 0;
	c->is_dirty = false;
	c->was_told_down = false;
	c->pause_ms = PAUSE_FIRST_MS;
	(void)watch(c, EPOLL_CTL_MOD, false);
	if (!c->is_renewed)
		tell(c, LI_CHANNEL_UP, 0, NULL);
	c->is_renewed = false;
}


static void keepalive_put(struct li_channel *c, uint64_t now_ms)
{
	struct mark *m;

	if (c->out_n + X23_KEEPALIVE_SIZE > OUT_MAX || c->mark_n == MARKS)
		return;
	x23_keepalive_encode(c->out + c->out_n, X23_KEEPALIVE, c->seq);
	c->out_n += X23_KEEPALIVE_SIZE;
	m = &c->mark[c->mark_n++];
	m->seq = c->seq++;
	m->place = li_spool_place(c->spool);
	c->sent_ms = now_ms;
	c->is_dirty = false;
}


/* Theirs is answered between two PDUs, not behind all that waits */
static void came(enum x23_type type, uint32_t seq, void *arg)
{
	struct li_channel *c = arg;
	size_t i;

	if (type == X23_KEEPALIVE) {
		if (c->out_n + X23_KEEPALIVE_SIZE <= OUT_MAX) {
			x23_keepalive_encode(c->out + c->out_n, X23_ANSWER,
					     seq);
			c->out_n += X23_KEEPALIVE_SIZE;
		}
		return;
	}
	for (i = 0; i < c->mark_n; i++) {
		if (c->mark[i].seq != seq)
			continue;
		li_spool_confirm(c->spool, &c->mark[i].place);
		c->mark_n -= i + 1;
		memmove(c->mark, c->mark + i + 1,
			c->mark_n * sizeof(*c->mark));
		return;
	}
}


static bool answers_read(struct li_channel *c, uint64_t now_ms)
{
	uint8_t buf[4096];
	size_t i;
	int n;

	for (i = 0;; i++) {
		const size_t before = c->mark_n;

		if (i == READS_A_RUN)
			return true;

		ERR_clear_error();
		n = SSL_read(c->ssl, buf, sizeof(buf));
		if (n <= 0)
			break;
		if (x23_read(&c->reader, buf, (size_t)n, came, c)) {
			fail(c, "they sent what is no answer", now_ms);
			return false;
		}
		if (c->mark_n < before)
			c->answered_ms = now_ms;
	}
	if (SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_READ &&
	    SSL_get_error(c->ssl, n) != SSL_ERROR_WANT_WRITE) {
		fail(c, "they closed", now_ms);
		return false;
	}

	return true;
}


/* Next PDUs of the spool, as long as there is room for any */
static void fill(struct li_channel *c)
{
	size_t len;

	if (c->out_done) {
		memmove(c->out, c->out + c->out_done, c->out_n - c->out_done);
		c->out_n -= c->out_done;
		c->out_done = 0;
	}
	while (c->out_n + X23_KEEPALIVE_SIZE < OUT_MAX &&
	       !li_spool_get(c->spool, c->out + c->out_n,
			     OUT_MAX - X23_KEEPALIVE_SIZE - c->out_n, &len)) {
		c->out_n += len;
		c->is_dirty = true;
	}
}


static bool out_write(struct li_channel *c, uint64_t now_ms)
{
	size_t i;

	for (i = 0; i < WRITES_A_RUN; i++) {
		int n;

		if (c->out_n - c->out_done < OUT_MAX / 2)
			fill(c);
		if (c->out_done == c->out_n)
			break;
		ERR_clear_error();
		n = SSL_write(c->ssl, c->out + c->out_done,
			      (int)(c->out_n - c->out_done));
		if (n <= 0) {
			if (tls_waits(c, n))
				return true;
			fail(c, "they closed", now_ms);
			return false;
		}
		c->out_done += (size_t)n;
	}
	if (c->wants_write != (c->out_done < c->out_n))
		(void)watch(c, EPOLL_CTL_MOD, c->out_done < c->out_n);

	return true;
}


/* Without keepalives: what TCP has no more of, has arrived */
static void confirm_by_tcp(struct li_channel *c)
{
	const struct li_place place = li_spool_place(c->spool);
	int left = 1;

	if (c->is_dirty && c->out_done == c->out_n &&
	    !ioctl(c->fd, SIOCOUTQ, &left) && !left) {
		li_spool_confirm(c->spool, &place);
		c->is_dirty = false;
	}
}


static void in_time(struct li_channel *c, uint64_t now_ms)
{
	const uint64_t every = (uint64_t)c->k.every_ms;
	const uint64_t since = now_ms - c->sent_ms;

	if (!c->k.keepalives) {
		confirm_by_tcp(c);
		return;
	}
	if (now_ms - c->answered_ms > (uint64_t)c->k.within_ms) {
		fail(c, "keepalives are not answered", now_ms);
		return;
	}
	if (since >= every ||
	    (c->is_dirty && since >= (MARK_EVERY_MS < every ? MARK_EVERY_MS
							     : every)))
		keepalive_put(c, now_ms);
}


static void torn_tell(struct li_channel *c)
{
	const uint64_t torn = li_spool_torn(c->spool);

	if (torn > c->torn)
		tell(c, LI_CHANNEL_TORN, torn - c->torn, "damaged on disk");
	c->torn = torn;
}


void li_channel_run(struct li_channel *c, uint64_t now_ms)
{
	(void)li_spool_flush(c->spool);
	if (c->state == IDLE && now_ms >= c->next_ms)
		connect_begin(c, now_ms);
	if (c->state == CONNECTING)
		connected(c, now_ms);
	if (c->state == SHAKING)
		shake(c, now_ms);
	if ((c->state == CONNECTING || c->state == SHAKING) &&
	    now_ms - c->since_ms > CONNECT_MS)
		fail(c, "no connection in time", now_ms);
	if (c->state != UP)
		return;

	if (!answers_read(c, now_ms) || !out_write(c, now_ms))
		return;
	in_time(c, now_ms);
	if (c->state == UP && c->out_done < c->out_n && !c->wants_write)
		(void)out_write(c, now_ms);
	torn_tell(c);
}


void li_channel_point(struct li_channel *c, const struct sa *address)
{
	if (sa_cmp(&c->k.address, address, SA_ALL))
		return;
	c->k.address = *address;
	hang_up(c);
	li_spool_rewind(c->spool);
	c->next_ms = 0;
}


void li_channel_renew(struct li_channel *c)
{
	if (c->state == IDLE)
		return;
	c->is_renewed = c->is_renewed || c->state == UP;
	hang_up(c);
	li_spool_rewind(c->spool);
	c->next_ms = 0;
}


void li_channel_end(struct li_channel *c)
{
	hang_up(c);
	li_spool_delete(c->spool);
}


static int crl_load(SSL_CTX *ctx, const char *crl)
{
	X509_STORE *store = SSL_CTX_get_cert_store(ctx);
	X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());

	if (!lookup || X509_load_crl_file(lookup, crl, X509_FILETYPE_PEM) < 1)
		return EINVAL;
	X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK);

	return 0;
}


int li_channel_tls(SSL_CTX **ret_ctx, const char *certificate,
		   const char *private_key, const char *ca, const char *crl)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
	int err;

	if (!ctx)
		return ENOMEM;

	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	(void)SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
					    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	err = SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) == 1 &&
	      SSL_CTX_use_certificate_chain_file(ctx, certificate) == 1 &&
	      SSL_CTX_use_PrivateKey_file(ctx, private_key,
					  SSL_FILETYPE_PEM) == 1 &&
	      SSL_CTX_check_private_key(ctx) == 1 &&
	      SSL_CTX_load_verify_locations(ctx, ca, NULL) == 1
		      ? 0 : EINVAL;
	if (!err && crl[0])
		err = crl_load(ctx, crl);
	if (err)
		SSL_CTX_free(ctx);
	else
		*ret_ctx = ctx;
	ERR_clear_error();

	return err;
}
