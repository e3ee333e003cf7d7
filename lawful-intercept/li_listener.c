/**
 * @file li_listener.c  libmicrohttpd with GnuTLS. By itself the library asks
 * for a certificate and goes on without one: the handshake is made to end
 * there, by a function of the session that runs when the client's certificate
 * has come, or has not.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "li_listener.h"
#include "li_trust.h"
#include "li_xml.h"
#include "text.h"

#define CHAIN_MAX 4
#define CONNECTIONS 64
#define CONNECTIONS_OF_ONE 16
#define TIMEOUT_S 20
#define PEM_MAX (64 * 1024)
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct li_listener {
	struct MHD_Daemon *daemon;
	struct li_trust *trust;
	gnutls_pcert_st chain[CHAIN_MAX];
	unsigned chain_n;
	gnutls_privkey_t key;
	char *ca; /**< PEM, for the hint to clients */
	li_request_h *h;
	li_refused_h *refused;
	void *arg;
};

/** A request that is being read. */
struct exchange {
	struct li_peer peer;
	struct mbuf *body;
	bool is_too_long;
};

/* GnuTLS hands its callbacks the session alone */
static struct li_listener *the_one;


static void listener_destructor(void *arg)
{
	struct li_listener *l = arg;
	unsigned i;

	if (l->daemon)
		MHD_stop_daemon(l->daemon);
	for (i = 0; i < l->chain_n; i++)
		gnutls_pcert_deinit(&l->chain[i]);
	if (l->key)
		gnutls_privkey_deinit(l->key);
	mem_deref(l->trust);
	mem_deref(l->ca);
	the_one = NULL;
}


static void exchange_destructor(void *arg)
{
	struct exchange *x = arg;

	if (x->body)
		OPENSSL_cleanse(x->body->buf, x->body->size);
	mem_deref(x->body);
}


static int file_read(char **textp, const char *file)
{
	const int fd = open(file, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t n;

	if (fd < 0)
		return errno;
	text = mem_zalloc(PEM_MAX + 1, NULL);
	n = text ? read(fd, text, PEM_MAX) : -1;
	(void)close(fd);
	if (n <= 0) {
		mem_deref(text);
		return EBADMSG;
	}
	*textp = text;

	return 0;
}


static int chain_load(struct li_listener *l, const char *file)
{
	unsigned n = CHAIN_MAX;
	gnutls_datum_t pem;
	char *text;
	int err = file_read(&text, file);

	if (err)
		return err;

	pem.data = (uint8_t *)text;
	pem.size = (unsigned)strlen(text);
	if (gnutls_pcert_list_import_x509_raw(l->chain, &n, &pem,
					      GNUTLS_X509_FMT_PEM, 0) < 0)
		err = EBADMSG;
	else
		l->chain_n = n;
	mem_deref(text);

	return err;
}


static int key_load(struct li_listener *l, const char *file)
{
	gnutls_datum_t pem;
	char *text;
	int err = file_read(&text, file);

	if (err)
		return err;

	pem.data = (uint8_t *)text;
	pem.size = (unsigned)strlen(text);
	if (gnutls_privkey_init(&l->key) < 0 ||
	    gnutls_privkey_import_x509_raw(l->key, &pem, GNUTLS_X509_FMT_PEM,
					   NULL, 0) < 0)
		err = EBADMSG;
	OPENSSL_cleanse(text, strlen(text));
	mem_deref(text);

	return err;
}


static void address_of(char *buf, size_t size, gnutls_session_t session)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct sa sa;
	const int fd = gnutls_transport_get_int(session);

	buf[0] = '\0';
	if (!getpeername(fd, (struct sockaddr *)&ss, &len) &&
	    !sa_set_sa(&sa, (struct sockaddr *)&ss))
		(void)re_snprintf(buf, size, "%J", &sa);
}


/* At the end of the handshake, also without a certificate */
static int peer_verify(gnutls_session_t session)
{
	struct li_listener *l = the_one;
	unsigned n = 0;
	const gnutls_datum_t *chain =
		gnutls_certificate_get_peers(session, &n);
	struct li_peer peer = {.uid_n = 0};
	const char *why;

	if (!l)
		return -1;
	why = li_trust_refuses(l->trust, chain, n, GNUTLS_KP_TLS_WWW_CLIENT);
	if (!why)
		return 0;

	address_of(peer.address, sizeof(peer.address), session);
	if (chain && n)
		(void)li_trust_peer(&peer, &chain[0]);
	l->refused(why, peer.address, peer.serial, l->arg);

	return -1;
}


/* Before the server's certificate is sent: time to say what is wanted */
static int session_begin(gnutls_session_t session,
			 const gnutls_datum_t *ca_names, int ca_n,
			 const gnutls_pk_algorithm_t *algorithms, int n,
			 gnutls_pcert_st **chain, unsigned *chain_n,
			 gnutls_privkey_t *key)
{
	(void)ca_names;
	(void)ca_n;
	(void)algorithms;
	(void)n;
	if (!the_one)
		return -1;

	gnutls_certificate_server_set_request(session, GNUTLS_CERT_REQUEST);
	gnutls_session_set_verify_function(session, peer_verify);
	*chain = the_one->chain;
	*chain_n = the_one->chain_n;
	*key = the_one->key;

	return 0;
}


static enum MHD_Result reply_send(struct MHD_Connection *c, unsigned status,
				  const char *type, struct mbuf *body)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(
		body ? body->end : 0, body ? body->buf : NULL,
		MHD_RESPMEM_MUST_COPY);
	enum MHD_Result done;

	if (!r)
		return MHD_NO;

	(void)MHD_add_response_header(r, "Content-Type", type);
	(void)MHD_add_response_header(r, "Cache-Control", "no-store");
	done = MHD_queue_response(c, status, r);
	MHD_destroy_response(r);

	return done;
}


/* Whoever got here was let in by peer_verify(); that is looked at again */
static int exchange_begin(struct exchange **xp, struct li_listener *l,
			  struct MHD_Connection *c)
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		c, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	gnutls_session_t session = info ? info->tls_session : NULL;
	const gnutls_datum_t *chain;
	struct exchange *x;
	unsigned n = 0;

	chain = session ? gnutls_certificate_get_peers(session, &n) : NULL;
	if (li_trust_refuses(l->trust, chain, n, GNUTLS_KP_TLS_WWW_CLIENT))
		return EACCES;

	x = mem_zalloc(sizeof(*x), exchange_destructor);
	if (!x)
		return ENOMEM;
	x->body = mbuf_alloc(4096);
	if (!x->body || li_trust_peer(&x->peer, &chain[0])) {
		mem_deref(x);
		return ENOMEM;
	}
	address_of(x->peer.address, sizeof(x->peer.address), session);
	*xp = x;

	return 0;
}


static enum MHD_Result answer(struct li_listener *l, struct MHD_Connection *c,
			      const char *method, const char *path,
			      const struct exchange *x)
{
	struct li_request req = {
		.method = method, .path = path, .peer = x->peer,
		.body = (const char *)x->body->buf, .len = x->body->end,
		.is_too_long = x->is_too_long,
	};
	struct li_reply reply = {.status = 200, .type = "text/plain"};
	enum MHD_Result done = MHD_NO;

	reply.body = mbuf_alloc(4096);
	if (!reply.body)
		return MHD_NO;

	l->h(&req, &reply, l->arg);
	done = reply_send(c, reply.status, reply.type, reply.body);
	OPENSSL_cleanse(reply.body->buf, reply.body->size);
	mem_deref(reply.body);

	return done;
}


static enum MHD_Result request(void *arg, struct MHD_Connection *c,
			       const char *path, const char *method,
			       const char *version, const char *data,
			       size_t *len, void **state)
{
	struct li_listener *l = arg;
	struct exchange *x = *state;

	(void)version;
	if (!x) {
		if (exchange_begin(&x, l, c))
			return MHD_NO;
		*state = x;
		return MHD_YES;
	}
	if (*len) {
		if (x->body->end + *len > LI_XML_MAX)
			x->is_too_long = true;
		else if (mbuf_write_mem(x->body, (const uint8_t *)data, *len))
			return MHD_NO;
		*len = 0;
		return MHD_YES;
	}

	return answer(l, c, method, path, x);
}


static void request_end(void *arg, struct MHD_Connection *c, void **state,
			enum MHD_RequestTerminationCode code)
{
	(void)arg;
	(void)c;
	(void)code;
	*state = mem_deref(*state);
}


static int daemon_start(struct li_listener *l, const struct li_settings *s)
{
	struct sockaddr_storage ss;
	struct sa sa;
	unsigned flags = MHD_USE_EPOLL | MHD_USE_TLS;

	if (sa_decode(&sa, s->listen, strlen(s->listen)))
		return EINVAL;
	memcpy(&ss, &sa.u, sa.len < sizeof(ss) ? sa.len : sizeof(ss));
	if (sa_af(&sa) == AF_INET6)
		flags |= MHD_USE_IPv6;

	/* without LISTENING_ADDRESS_REUSE: it would let two listen */
	l->daemon = MHD_start_daemon(
		flags, 0, NULL, NULL, request, l, MHD_OPTION_SOCK_ADDR, &ss,
		MHD_OPTION_HTTPS_MEM_TRUST, l->ca,
		MHD_OPTION_HTTPS_CERT_CALLBACK, session_begin,
		MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES,
		MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, CONNECTIONS_OF_ONE,
		MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S,
		MHD_OPTION_NOTIFY_COMPLETED, request_end, l, MHD_OPTION_END);

	return l->daemon ? 0 : errno ? errno : EINVAL;
}


static int refuse(char *why, size_t size, const char *file, int err)
{
	(void)text_format(why, size, "%s: %s", file, strerror(err));

	return err;
}


int li_listener_open(struct li_listener **lp, const struct li_settings *s,
		     li_request_h *h, li_refused_h *refused, void *arg,
		     char *why, size_t size)
{
	struct li_listener *l;
	const char *file = s->certificate;
	int err;

	if (the_one)
		return EALREADY;
	l = mem_zalloc(sizeof(*l), listener_destructor);
	if (!l)
		return ENOMEM;

	l->h = h;
	l->refused = refused;
	l->arg = arg;
	err = chain_load(l, file);
	if (!err)
		err = key_load(l, file = s->private_key);
	if (!err)
		err = file_read(&l->ca, file = s->ca);
	if (!err)
		err = li_trust_load(&l->trust, s->ca, s->crl);
	if (!err) {
		the_one = l;
		errno = 0;
		err = daemon_start(l, s);
		file = s->listen;
	}
	if (err) {
		mem_deref(l);
		return refuse(why, size, file, err);
	}
	*lp = l;

	return 0;
}


int li_listener_fd(const struct li_listener *l)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(l->daemon, MHD_DAEMON_INFO_EPOLL_FD);

	return info ? info->epoll_fd : -1;
}


int li_listener_run(struct li_listener *l)
{
	MHD_UNSIGNED_LONG_LONG ms;

	(void)MHD_run(l->daemon);
	if (MHD_get_timeout(l->daemon, &ms) != MHD_YES)
		return -1;

	return ms > 1000 ? 1000 : (int)ms;
}
