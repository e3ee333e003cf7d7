/**
 * @file li_check.c  Files, rights, certificates, records.
 */
#include "li_audit.h"
#include "li_check.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "li_channel.h"
#include "li_store.h"
#include "li_trust.h"
#include "poi_user.h"
#include "text.h"

#define SOON_S (30 * 24 * 3600)

struct check {
	const struct li_settings *s;
	int wrong;
};


static void line(struct check *c, bool is_good, const char *what,
		 const char *why)
{
	printf("%s %s%s%s\n", is_good ? "ok   " : "WRONG", what,
	       why[0] ? ": " : "", why);
	c->wrong += !is_good;
}


static void file_look(struct check *c, const char *file, bool is_private)
{
	struct stat st;

	if (stat(file, &st) || access(file, R_OK))
		line(c, false, file, strerror(errno));
	else if (is_private && st.st_mode & 0077)
		line(c, false, file, "others may read it; chmod 0400");
	else
		line(c, true, file, "");
}


static void folder_look(struct check *c)
{
	struct stat st;

	if (stat(c->s->folder, &st))
		line(c, false, c->s->folder, strerror(errno));
	else if (st.st_mode & 0077)
		line(c, false, c->s->folder,
		     "others may look into it; chmod 0700");
	else if (st.st_uid != geteuid())
		line(c, false, c->s->folder, "it is somebody else's");
	else
		line(c, true, c->s->folder, "");
}


static void user_look(struct check *c)
{
	uint32_t uid = 0;
	const int err = poi_user_find(&uid, c->s->poi_user);

	if (err)
		line(c, false, c->s->poi_user, "poi.user is not there");
	else
		line(c, true, "poi.user", "");
	if (!err && uid == geteuid() && uid != 0)
		line(c, false, c->s->poi_user,
		     "the switch must have another user than interception");
}


static int certificate_read(gnutls_x509_crt_t *crt, const char *file)
{
	gnutls_datum_t pem;
	int err = EBADMSG;

	if (gnutls_load_file(file, &pem) < 0)
		return ENOENT;
	if (gnutls_x509_crt_init(crt) >= 0) {
		err = gnutls_x509_crt_import(*crt, &pem,
					     GNUTLS_X509_FMT_PEM) < 0
			      ? EBADMSG : 0;
		if (err)
			gnutls_x509_crt_deinit(*crt);
	}
	gnutls_free(pem.data);

	return err;
}


static void certificate_look(struct check *c, const char *file)
{
	gnutls_x509_crt_t crt;
	time_t end, now = time(NULL);
	char text[96], date[32];
	struct tm tm;

	if (certificate_read(&crt, file)) {
		line(c, false, file, "no certificate");
		return;
	}
	end = gnutls_x509_crt_get_expiration_time(crt);
	gnutls_x509_crt_deinit(crt);
	(void)gmtime_r(&end, &tm);
	(void)strftime(date, sizeof(date), "%Y-%m-%d", &tm);
	(void)text_format(text, sizeof(text), "%s %s",
			  end < now ? "expired on" : "valid until", date);
	line(c, end > now + SOON_S, file,
	     end < now || end > now + SOON_S ? text : "it expires soon");
}


static void certificates_look(struct check *c)
{
	struct li_trust *trust = NULL;
	SSL_CTX *tls = NULL;

	certificate_look(c, c->s->certificate);
	certificate_look(c, c->s->ca);
	file_look(c, c->s->private_key, true);
	if (li_channel_tls(&tls, c->s->certificate, c->s->private_key,
			   c->s->ca, c->s->crl))
		line(c, false, "certificate, key, CA and revocations",
		     "they do not go together");
	else
		line(c, true, "certificate, key, CA and revocations", "");
	SSL_CTX_free(tls);
	if (li_trust_load(&trust, c->s->ca, c->s->crl))
		line(c, false, c->s->ca, "it cannot be trusted");
	mem_deref(trust);
}


static void store_look(struct check *c, const struct li_secret *secret)
{
	struct li_audit_fault f;
	struct li_store *store;
	char text[128];
	int err = li_store_look(&store, c->s->folder, secret);

	if (err == ENOENT) {
		line(c, true, "store", "there is none yet");
		return;
	}
	if (err) {
		line(c, false, "store", strerror(err));
		return;
	}
	err = li_audit_verify(store, secret, &f);
	if (err == EBADMSG)
		(void)text_format(text, sizeof(text), "record %lld is %s",
				  (long long)f.seq, f.what);
	else if (err)
		TEXT_FILL(text, strerror(err));
	else
		(void)text_format(text, sizeof(text), "%lld records, whole",
				  (long long)f.count);
	line(c, !err, "audit", text);
	mem_deref(store);
}


static void secret_look(struct check *c)
{
	struct li_secret *secret = NULL;
	char file[LI_PATH_SIZE];
	int err = li_settings_key_file(c->s, file, sizeof(file));

	if (err) {
		line(c, false, "state.key_file",
		     "it is not set, and there is no credential");
		return;
	}
	err = li_secret_load(&secret, file);
	if (err) {
		line(c, false, file,
		     err == EACCES ? "it is not ours alone; chmod 0400"
				   : strerror(err));
		return;
	}
	line(c, true, file, "");
	store_look(c, secret);
	mem_deref(secret);
}


/* Does it run, and does it listen where the switch connects to? */
static void socket_look(struct check *c)
{
	struct stat st;

	if (stat(c->s->poi_socket, &st))
		line(c, true, c->s->poi_socket, "not running now");
	else
		line(c, S_ISSOCK(st.st_mode), c->s->poi_socket, "");
}


int li_check(const struct li_settings *s)
{
	struct check c = {.s = s};

	folder_look(&c);
	secret_look(&c);
	certificates_look(&c);
	user_look(&c);
	socket_look(&c);
	printf("%d wrong\n", c.wrong);

	return c.wrong ? 1 : 0;
}
