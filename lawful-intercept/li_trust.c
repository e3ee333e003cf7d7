/**
 * @file li_trust.c  Chains of certificates, with GnuTLS.
 */
#include <errno.h>
#include <re.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include "li_trust.h"
#include "text.h"

#define CHAIN_MAX 8
/* of a list of ours that is out of date */
#define OLD (GNUTLS_CERT_INVALID | GNUTLS_CERT_REVOCATION_DATA_SUPERSEDED | \
	     GNUTLS_CERT_REVOCATION_DATA_ISSUED_IN_FUTURE)
#define OID_UID "0.9.2342.19200300.100.1.1"

struct li_trust {
	char ca[256], crl[256];
	gnutls_x509_trust_list_t list; /**< NULL: nobody is let in           */
	struct timespec crl_time;
	time_t crl_from, crl_until;    /**< when the list counts             */
};


static void trust_destructor(void *arg)
{
	struct li_trust *t = arg;

	if (t->list)
		gnutls_x509_trust_list_deinit(t->list, 1);
}


/* All lists of the file have to count */
static void crl_times(struct li_trust *t, gnutls_x509_crl_t crl)
{
	const time_t from = gnutls_x509_crl_get_this_update(crl);
	const time_t until = gnutls_x509_crl_get_next_update(crl);

	if (from > t->crl_from)
		t->crl_from = from;
	if (until < t->crl_until)
		t->crl_until = until; /* -1, where it does not say: never */
}


static bool crls_verify(struct li_trust *t, const gnutls_datum_t *pem,
			gnutls_x509_crt_t *ca, unsigned ca_n)
{
	gnutls_x509_crl_t *crl = NULL;
	unsigned n = 0, status, i;
	bool is_ours;

	if (gnutls_x509_crl_list_import2(&crl, &n, pem, GNUTLS_X509_FMT_PEM,
					 0) < 0)
		return false;

	is_ours = n > 0;
	t->crl_from = 0;
	t->crl_until = INT64_MAX;
	for (i = 0; i < n; i++) {
		if (gnutls_x509_crl_verify(crl[i], ca, (int)ca_n, 0,
					   &status) < 0 ||
		    status & ~(unsigned)OLD || status == GNUTLS_CERT_INVALID)
			is_ours = false;
		crl_times(t, crl[i]);
		gnutls_x509_crl_deinit(crl[i]);
	}
	gnutls_free(crl);

	return is_ours;
}


/* A list of somebody else says nothing of ours: nobody would be revoked. When
 * one of ours counts is looked at when somebody comes: GnuTLS does not. */
static bool crls_are_ours(struct li_trust *t)
{
	gnutls_datum_t ca_pem = {NULL, 0}, crl_pem = {NULL, 0};
	gnutls_x509_crt_t *ca = NULL;
	unsigned n = 0, i;
	const bool is_ours =
		gnutls_load_file(t->ca, &ca_pem) >= 0 &&
		gnutls_load_file(t->crl, &crl_pem) >= 0 &&
		gnutls_x509_crt_list_import2(&ca, &n, &ca_pem,
					     GNUTLS_X509_FMT_PEM, 0) >= 0 &&
		crls_verify(t, &crl_pem, ca, n);

	for (i = 0; i < n; i++)
		gnutls_x509_crt_deinit(ca[i]);
	gnutls_free(ca);
	gnutls_free(ca_pem.data);
	gnutls_free(crl_pem.data);

	return is_ours;
}


static int load(struct li_trust *t)
{
	int n;

	if (t->list)
		gnutls_x509_trust_list_deinit(t->list, 1);
	t->list = NULL;
	if (gnutls_x509_trust_list_init(&t->list, 0) < 0)
		return ENOMEM;

	n = gnutls_x509_trust_list_add_trust_file(
		t->list, t->ca, t->crl[0] ? t->crl : NULL, GNUTLS_X509_FMT_PEM,
		GNUTLS_TL_USE_IN_TLS, 0);
	if (n >= (t->crl[0] ? 2 : 1) && (!t->crl[0] || crls_are_ours(t)))
		return 0;

	gnutls_x509_trust_list_deinit(t->list, 1);
	t->list = NULL;

	return EINVAL;
}


/* A new list of revocations counts from the next handshake on */
static void crl_look(struct li_trust *t)
{
	struct stat st;

	if (!t->crl[0])
		return;
	if (stat(t->crl, &st)) {
		memset(&t->crl_time, 0, sizeof(t->crl_time));
		(void)load(t);
		return;
	}
	if (!t->list || memcmp(&st.st_mtim, &t->crl_time, sizeof(st.st_mtim))) {
		t->crl_time = st.st_mtim;
		(void)load(t);
	}
}


int li_trust_load(struct li_trust **tp, const char *ca, const char *crl)
{
	struct li_trust *t = mem_zalloc(sizeof(*t), trust_destructor);
	struct stat st;
	int err;

	if (!t)
		return ENOMEM;

	TEXT_FILL(t->ca, ca);
	TEXT_FILL(t->crl, crl);
	if (t->crl[0] && !stat(t->crl, &st))
		t->crl_time = st.st_mtim;
	err = load(t);
	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}


static const char *reason(unsigned status)
{
	if (status & GNUTLS_CERT_REVOKED)
		return "revoked";
	if (status & GNUTLS_CERT_EXPIRED)
		return "expired";
	if (status & GNUTLS_CERT_NOT_ACTIVATED)
		return "not valid yet";
	if (status & GNUTLS_CERT_SIGNER_NOT_FOUND)
		return "of another CA";

	return "not trusted";
}


static unsigned import(gnutls_x509_crt_t *crt, const gnutls_datum_t *chain,
		       unsigned n)
{
	unsigned i;

	for (i = 0; i < n; i++) {
		if (gnutls_x509_crt_init(&crt[i]) < 0)
			return i;
		if (gnutls_x509_crt_import(crt[i], &chain[i],
					   GNUTLS_X509_FMT_DER) < 0) {
			gnutls_x509_crt_deinit(crt[i]);
			return i;
		}
	}

	return n;
}


const char *li_trust_refuses(struct li_trust *t, const gnutls_datum_t *chain,
			     unsigned n, const char *purpose)
{
	gnutls_typed_vdata_st want = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (uint8_t *)(uintptr_t)purpose,
	};
	gnutls_x509_crt_t crt[CHAIN_MAX];
	unsigned status = 0, taken, i;
	const char *why = NULL;
	time_t now;

	if (!chain || !n)
		return "no certificate";
	if (n > CHAIN_MAX)
		return "chain too long";
	crl_look(t);
	if (!t->list)
		return "list of revocations cannot be read";
	now = time(NULL);
	if (t->crl[0] && (now < t->crl_from || now > t->crl_until))
		return "list of revocations out of date";

	taken = import(crt, chain, n);
	if (taken < n)
		why = "unreadable certificate";
	else if (gnutls_x509_trust_list_verify_crt2(t->list, crt, n, &want, 1,
						    0, &status, NULL) < 0 ||
		 status)
		why = reason(status);
	for (i = 0; i < taken; i++)
		gnutls_x509_crt_deinit(crt[i]);

	return why;
}


static void uids(struct li_peer *peer, gnutls_x509_crt_t crt)
{
	unsigned i;

	for (i = 0; i < LI_PEER_NAMES; i++) {
		size_t n = LI_PEER_NAME_SIZE - 1;
		char *name = peer->uid[peer->uid_n];

		if (gnutls_x509_crt_get_dn_by_oid(crt, OID_UID, i, 0, name,
						  &n) < 0)
			break;
		name[n] = '\0';
		if (strlen(name) == n)
			peer->uid_n++;
	}
	if (peer->uid_n < LI_PEER_NAMES)
		peer->uid[peer->uid_n][0] = '\0';
}


static void uris(struct li_peer *peer, gnutls_x509_crt_t crt)
{
	unsigned i;

	for (i = 0; peer->uri_n < LI_PEER_NAMES && i < 64; i++) {
		size_t n = LI_PEER_NAME_SIZE - 1;
		char *name = peer->uri[peer->uri_n];
		const int type = gnutls_x509_crt_get_subject_alt_name(
			crt, i, name, &n, NULL);

		if (type == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
			break;
		if (type != GNUTLS_SAN_URI)
			continue;
		name[n] = '\0';
		if (strlen(name) == n)
			peer->uri_n++;
	}
	if (peer->uri_n < LI_PEER_NAMES)
		peer->uri[peer->uri_n][0] = '\0';
}


int li_trust_peer(struct li_peer *peer, const gnutls_datum_t *certificate)
{
	gnutls_x509_crt_t crt;
	uint8_t serial[31];
	size_t n = sizeof(serial);

	if (gnutls_x509_crt_init(&crt) < 0)
		return ENOMEM;
	if (gnutls_x509_crt_import(crt, certificate, GNUTLS_X509_FMT_DER) <
	    0) {
		gnutls_x509_crt_deinit(crt);
		return EBADMSG;
	}

	if (gnutls_x509_crt_get_serial(crt, serial, &n) >= 0)
		text_hex(peer->serial, serial, n);
	uids(peer, crt);
	uris(peer, crt);
	gnutls_x509_crt_deinit(crt);

	return 0;
}
