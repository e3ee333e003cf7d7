/**
 * @file poi_link_read.c  Key and targets. Whatever is not as poi_message.h
 * says ends the connection: a half-understood set would be a wrong one.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <sys/socket.h>
#include "poi_link_private.h"


static int take_key(struct poi_link *l, const struct poi_key_set *k)
{
	if (l->has_key)
		return EBADMSG;

	poi_key_init(&l->key, k->key);
	l->has_key = true;

	return 0;
}


static int begin_set(struct poi_link *l, const struct poi_targets *t)
{
	const uint32_t newest = l->parts ? l->coming : l->generation;

	if (t->part || t->generation <= newest)
		return EBADMSG;

	l->coming = t->generation;
	l->part = 0;
	l->parts = t->parts;
	target_set_begin(l->sets[l->next_set], &l->key);

	return 0;
}


static void end_set(struct poi_link *l)
{
	struct target_set *set = l->sets[l->next_set];

	l->target_n = target_set_close(set);
	l->generation = l->coming;
	l->parts = 0;
	l->next_set = !l->next_set;
	l->owes_in_force = true;
	poi_link_publish(l, set);
}


static int take_targets(struct poi_link *l, const struct poi_targets *t)
{
	int err = 0;

	if (!l->has_key)
		return EBADMSG;
	if (!l->parts || !t->part) /* a newer one gives up a half */
		err = begin_set(l, t);
	if (err || t->generation != l->coming || t->part != l->part ||
	    t->parts != l->parts)
		return EBADMSG;

	for (uint16_t i = 0; i < t->n && !err; i++)
		err = target_set_add(l->sets[l->next_set], &t->target[i]);
	if (!err && ++l->part == l->parts)
		end_set(l);

	return err;
}


static int take(struct poi_link *l, size_t len)
{
	struct poi_message *m = &l->message;
	int err = poi_message_decode(m, l->buf, len);

	if (!err && m->type == POI_KEY)
		err = take_key(l, &m->key);
	else if (!err && m->type == POI_TARGETS)
		err = take_targets(l, &m->targets);
	else if (!err)
		err = EBADMSG;
	OPENSSL_cleanse(m, sizeof(*m));
	OPENSSL_cleanse(l->buf, len);

	return err;
}


void poi_link_read(struct poi_link *l)
{
	while (l->fd >= 0 && !l->is_publishing) {
		const ssize_t n = recv(l->fd, l->buf, sizeof(l->buf),
				       MSG_DONTWAIT | MSG_TRUNC);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0 || (size_t)n > sizeof(l->buf) ||
		    take(l, (size_t)n))
			poi_link_close(l);
	}
}
