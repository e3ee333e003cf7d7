/**
 * @file li_delivery.c  Channels, and the certificates that they use.
 */
#include "li_delivery.h"
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include "text.h"

struct way {
	struct le le;
	struct li_delivery *delivery; /**< weak: it owns us */
	uint8_t did[LI_UUID_SIZE];
	enum li_product product;
	struct li_channel *channel;
	bool is_seen;
};

struct li_delivery {
	const struct li_settings *settings; /**< borrowed */
	const struct li_secret *secret;     /**< borrowed */
	int epoll;
	SSL_CTX *tls;
	struct timespec crl_time;
	struct list ways;
	li_delivery_h *h;
	void *arg;
};


static void delivery_destructor(void *arg)
{
	struct li_delivery *d = arg;

	list_flush(&d->ways);
	SSL_CTX_free(d->tls);
}


static void way_destructor(void *arg)
{
	struct way *w = arg;

	list_unlink(&w->le);
	mem_deref(w->channel);
}


static int tls_load(struct li_delivery *d)
{
	const struct li_settings *s = d->settings;
	SSL_CTX *tls = NULL;
	int err = li_channel_tls(&tls, s->certificate, s->private_key, s->ca,
				 s->crl);

	/* a list of revocations that cannot be read lets nobody in */
	SSL_CTX_free(d->tls);
	d->tls = tls;

	return err;
}


static void crl_look(struct li_delivery *d)
{
	struct stat st;
	struct le *le;

	if (!d->settings->crl[0])
		return;
	if (stat(d->settings->crl, &st))
		memset(&st.st_mtim, 0, sizeof(st.st_mtim));
	if (!memcmp(&st.st_mtim, &d->crl_time, sizeof(st.st_mtim)))
		return;
	d->crl_time = st.st_mtim;
	(void)tls_load(d);
	for (le = list_head(&d->ways); le; le = le->next)
		li_channel_renew(((struct way *)le->data)->channel);
}


int li_delivery_open(struct li_delivery **dp, const struct li_settings *s,
		     const struct li_secret *secret, int epoll,
		     li_delivery_h *h, void *arg)
{
	struct li_delivery *d = mem_zalloc(sizeof(*d), delivery_destructor);
	struct stat st;
	int err;

	if (!d)
		return ENOMEM;

	d->settings = s;
	d->secret = secret;
	d->epoll = epoll;
	d->h = h;
	d->arg = arg;
	if (s->crl[0] && !stat(s->crl, &st))
		d->crl_time = st.st_mtim;
	err = tls_load(d);
	if (err)
		mem_deref(d);
	else
		*dp = d;

	return err;
}


static void happened(struct li_channel *c, enum li_channel_event ev,
		     uint64_t n, const char *why, void *arg)
{
	const struct way *w = arg;

	(void)c;
	w->delivery->h(w->did, w->product, ev, n, why, w->delivery->arg);
}


/* A folder's name says nothing: the DID under our key */
static int folder_of(const struct li_delivery *d, char *buf, size_t size,
		     const struct way *w)
{
	uint8_t bytes[LI_UUID_SIZE + 1], mac[LI_SECRET_MAC];
	char hex[33];

	memcpy(bytes, w->did, LI_UUID_SIZE);
	bytes[LI_UUID_SIZE] = (uint8_t)w->product;
	li_secret_mac(d->secret, LI_SECRET_SPOOL, bytes, sizeof(bytes), mac);
	text_hex(hex, mac, 16);

	return text_format(buf, size, "%s/spool-%s", d->settings->folder, hex);
}


static struct way *way_find(const struct li_delivery *d,
			    const uint8_t did[LI_UUID_SIZE],
			    enum li_product product)
{
	struct le *le;

	for (le = list_head(&d->ways); le; le = le->next) {
		struct way *w = le->data;

		if (w->product == product &&
		    !memcmp(w->did, did, LI_UUID_SIZE))
			return w;
	}

	return NULL;
}


static int way_open(struct li_delivery *d, const struct li_destination *dest,
		    enum li_product product)
{
	const struct li_settings *s = d->settings;
	struct way *w = mem_zalloc(sizeof(*w), way_destructor);
	char folder[320];
	struct li_channel_config k = {
		.address = dest->address, .folder = folder,
		.secret = d->secret, .epoll = d->epoll, .tls = &d->tls,
		.spool_max = (uint64_t)s->spool_max_mib * 1024 * 1024,
		.keepalives = s->keepalives_sent,
		.every_ms = s->ack_every_s * 1000,
		.within_ms = s->ack_within_s * 1000, .h = happened, .arg = w,
	};
	int err;

	if (!w)
		return ENOMEM;

	w->delivery = d;
	memcpy(w->did, dest->did, LI_UUID_SIZE);
	w->product = product;
	w->is_seen = true;
	err = folder_of(d, folder, sizeof(folder), w);
	err = err ? err : li_channel_open(&w->channel, &k);
	if (err)
		mem_deref(w);
	else
		list_append(&d->ways, &w->le, w);

	return err;
}


static int way_follow(struct li_delivery *d, const struct li_destination *dest,
		      enum li_product product)
{
	struct way *w = way_find(d, dest->did, product);

	if (!(dest->products & product))
		return 0;
	if (!w)
		return way_open(d, dest, product);
	w->is_seen = true;
	li_channel_point(w->channel, &dest->address);

	return 0;
}


int li_delivery_follow(struct li_delivery *d,
		       const struct li_registry *registry)
{
	struct le *le, *next;
	int err = 0;

	for (le = list_head(&d->ways); le; le = le->next)
		((struct way *)le->data)->is_seen = false;

	for (le = list_head(li_registry_destinations(registry)); le;
	     le = le->next) {
		const struct li_destination *dest = le->data;
		const int e2 = way_follow(d, dest, LI_X2);
		const int e3 = way_follow(d, dest, LI_X3);

		err = e2 ? e2 : e3 ? e3 : err;
	}

	for (le = list_head(&d->ways); le; le = next) {
		struct way *w = le->data;

		next = le->next;
		if (w->is_seen)
			continue;
		li_channel_end(w->channel);
		mem_deref(w);
	}

	return err;
}


bool li_delivery_put(struct li_delivery *d, const uint8_t did[LI_UUID_SIZE],
		     enum li_product product, const uint8_t *pdu, size_t len)
{
	struct way *w = way_find(d, did, product);

	if (!w)
		return false;
	li_channel_put(w->channel, pdu, len);

	return true;
}


void li_delivery_run(struct li_delivery *d, uint64_t now_ms)
{
	struct le *le, *next;

	crl_look(d);
	for (le = list_head(&d->ways); le; le = next) {
		struct way *w = le->data;

		next = le->next;
		li_channel_run(w->channel, now_ms);
	}
}
