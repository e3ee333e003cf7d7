/**
 * @file transaction_server.c  RFC 3261 17.2 and RFC 6026, both machines in
 * one object.
 *
 *           INVITE                              others
 *   TRYING     -                                 nothing answered yet
 *   PROCEEDING last 1xx again; 100 after 200 ms  last 1xx again
 *   COMPLETED  G resends, H ends, ACK confirms   last answer again, J
 *   CONFIRMED  absorbs ACKs, I                   -
 *   ACCEPTED   absorbs INVITEs, L                -
 *
 * Ownership is that of transaction_client.c: an orphan belongs to the endpoint.
 */
#include <errno.h>
#include <string.h>
#include <re.h>
#include "message.h"
#include "metric.h"
#include "text.h"
#include "transaction.h"
#include "transaction_server.h"

#define TRYING_MS 200   /**< RFC 3261 17.2.1 */

enum state {
	STATE_NEW,
	STATE_TRYING,
	STATE_PROCEEDING,
	STATE_COMPLETED,
	STATE_CONFIRMED,
	STATE_ACCEPTED,
	STATE_TERMINATED,
};

struct server_tx {
	struct htab_node node, merge;
	struct wheel_timer retry;  /**< 100, G; 500 of an orphan           */
	struct wheel_timer limit;  /**< H, I, J, L; no answer to non-INVITE */
	struct sip_endpoint *ep;   /**< weak: NULL when it is gone         */
	struct sip_msg *msg;       /**< until the final answer             */
	struct sip_path path;      /**< where the request came from        */
	server_cancel_h *cancelh;
	void *arg, *owner;
	uint8_t *last;             /**< the last answer                    */
	size_t last_len;
	char *key;                 /**< branch, sent-by, method            */
	uint16_t branch_len, sentby_len, method_len;
	uint16_t reply_port;       /**< may differ from the source port    */
	uint32_t interval_ms;      /**< of G                               */
	enum state state;
	bool is_invite, is_orphan;
	char to_tag[TOKEN_SIZE];   /**< that our answers carry             */
};

struct key {
	struct pl branch, sentby, method;
};


static void last_drop(struct server_tx *tx)
{
	if (tx->ep)
		tx->ep->bytes_kept -= tx->last_len;

	tx->last = mem_deref(tx->last);
	tx->last_len = 0;
}


static int last_keep(struct server_tx *tx, const uint8_t *buf, size_t len)
{
	uint8_t *last = mem_alloc(len, NULL);

	if (!last)
		return ENOMEM;

	memcpy(last, buf, len);
	last_drop(tx);
	tx->last = last;
	tx->last_len = len;
	tx->ep->bytes_kept += len;

	return 0;
}


static size_t own_size(const struct server_tx *tx)
{
	return sizeof(*tx) + tx->branch_len + tx->sentby_len + tx->method_len;
}


static void request_drop(struct server_tx *tx)
{
	if (!tx->msg)
		return;

	tx->ep->bytes_kept -= tx->msg->mb->size;
	tx->msg = mem_deref(tx->msg);
}


/** Out of the endpoint; what the owner still holds is an empty shell. */
static void unlink_tx(struct server_tx *tx)
{
	struct sip_endpoint *ep = tx->ep;

	wheel_stop(ep->cfg.wheel, &tx->retry);
	wheel_stop(ep->cfg.wheel, &tx->limit);
	htab_remove(ep->servers, &tx->node);
	htab_remove(ep->merges, &tx->merge);
	last_drop(tx);
	request_drop(tx);
	ep->bytes_kept -= own_size(tx);
	metric_shift(ep->metrics.server_tx, -1);
	tx->state = STATE_TERMINATED;
	tx->ep = NULL;
}


static void terminate(struct server_tx *tx)
{
	if (tx->state == STATE_TERMINATED)
		return;

	unlink_tx(tx);
	if (tx->is_orphan)
		mem_deref(tx);
}


bool server_tx_detach(void *data, void *arg)
{
	(void)arg;

	terminate(data);

	return false;
}


static bool is_open(const struct server_tx *tx)
{
	return tx->state == STATE_TRYING || tx->state == STATE_PROCEEDING;
}


/** Nobody is left who could answer. */
static void orphan_handler(void *arg)
{
	struct server_tx *tx = mem_ref(arg);

	if (server_tx_reply(tx, 500, "Server Internal Error", NULL, NULL,
			    NULL, 0, NULL))
		terminate(tx);

	mem_deref(tx);
}


static void destructor(void *data)
{
	struct server_tx *tx = data;

	if (tx->ep && tx->state != STATE_NEW) {
		tx->is_orphan = true;
		tx->cancelh = NULL;
		mem_ref(tx); /* the endpoint's, until terminate() */

		/* not from here: an answer may end the transaction */
		if (is_open(tx))
			wheel_start(tx->ep->cfg.wheel, &tx->retry, 0,
				    orphan_handler, tx);
		return;
	}

	mem_deref(tx->key);
	mem_deref(tx->last);
	mem_deref(tx->msg);
	mem_deref(tx->owner);
}


static struct pl key_part(const struct server_tx *tx, size_t at, size_t len)
{
	const struct pl part = {tx->key + at, len};

	return part;
}


static bool key_equal(const void *data, const void *arg)
{
	const struct server_tx *tx = data;
	const struct key *key = arg;
	const size_t sentby_at = tx->branch_len;
	const size_t method_at = sentby_at + tx->sentby_len;
	const struct pl branch = key_part(tx, 0, tx->branch_len);
	const struct pl sentby = key_part(tx, sentby_at, tx->sentby_len);
	const struct pl method = key_part(tx, method_at, tx->method_len);

	return !pl_cmp(&key->branch, &branch) &&
	       !pl_cmp(&key->sentby, &sentby) &&
	       !pl_cmp(&key->method, &method);
}


static uint64_t key_hash(const struct sip_endpoint *ep, const struct key *key)
{
	uint64_t h;

	h = htab_hash(ep->servers, key->branch.p, key->branch.l);
	h = htab_mix(ep->servers, h, key->sentby.p, key->sentby.l);

	return htab_mix(ep->servers, h, key->method.p, key->method.l);
}


struct server_tx *server_tx_find(const struct sip_endpoint *ep,
				 const struct sip_msg *msg,
				 const char *method)
{
	struct key key = {msg->via.branch, msg->via.sentby, msg->met};

	if (method)
		pl_set_str(&key.method, method);

	return htab_find(ep->servers, key_hash(ep, &key), key_equal, &key);
}


/** 64 keyed bits stand for the three: nobody can aim at a collision. */
static uint64_t merge_hash(const struct sip_endpoint *ep,
			   const struct sip_msg *msg)
{
	uint64_t h;

	h = htab_hash(ep->merges, msg->from.tag.p, msg->from.tag.l);
	h = htab_mix(ep->merges, h, msg->callid.p, msg->callid.l);
	h = htab_mix(ep->merges, h, msg->cseq.met.p, msg->cseq.met.l);

	return htab_mix(ep->merges, h, &msg->cseq.num, sizeof(msg->cseq.num));
}


static bool merge_equal(const void *data, const void *key)
{
	(void)data;
	(void)key;

	return true; /* the table has compared all 64 bits */
}


bool server_tx_is_merged(const struct sip_endpoint *ep,
			 const struct sip_msg *msg)
{
	return htab_find(ep->merges, merge_hash(ep, msg), merge_equal, NULL) !=
	       NULL;
}


void *server_tx_owner(const struct server_tx *tx)
{
	return tx->owner;
}


static int key_set(struct server_tx *tx, const struct key *key)
{
	char *p;

	if (key->branch.l > UINT16_MAX || key->sentby.l > UINT16_MAX ||
	    key->method.l > UINT16_MAX)
		return EINVAL;

	tx->branch_len = (uint16_t)key->branch.l;
	tx->sentby_len = (uint16_t)key->sentby.l;
	tx->method_len = (uint16_t)key->method.l;

	p = mem_alloc(key->branch.l + key->sentby.l + key->method.l, NULL);
	if (!p)
		return ENOMEM;

	memcpy(p, key->branch.p, key->branch.l);
	memcpy(p + key->branch.l, key->sentby.p, key->sentby.l);
	memcpy(p + key->branch.l + key->sentby.l, key->method.p,
	       key->method.l);
	tx->key = p;

	return 0;
}


static void trying_handler(void *arg)
{
	struct server_tx *tx = mem_ref(arg);

	(void)server_tx_trying(tx);

	mem_deref(tx);
}


static void resend(struct server_tx *tx)
{
	struct sip_path to = tx->path;

	sa_set_port(&to.peer, tx->reply_port);
	(void)endpoint_send(tx->ep, &to, tx->last, tx->last_len, true,
			    tx->owner);
}


/** Timer G: T1 doubling to T2 until the ACK (17.2.1). */
static void resend_handler(void *arg)
{
	struct server_tx *tx = arg;
	const struct sip_endpoint_config *cfg = &tx->ep->cfg;

	tx->interval_ms *= 2;
	if (tx->interval_ms > cfg->t2_ms)
		tx->interval_ms = cfg->t2_ms;

	wheel_start(cfg->wheel, &tx->retry, tx->interval_ms, resend_handler,
		    tx);
	resend(tx);
}


static void limit_handler(void *arg)
{
	struct server_tx *tx = mem_ref(arg);
	struct metric **expired = tx->ep->metrics.expired;

	/* a non-INVITE that nobody answered: its client has given up, and a
	   408 would only add to the noise (RFC 4320 4.2) */
	if (is_open(tx))
		metric_add(expired[TX_TIMER_UNANSWERED], 1);
	else if (tx->is_invite && tx->state == STATE_COMPLETED)
		metric_add(expired[TX_TIMER_H], 1);

	terminate(tx);
	mem_deref(tx);
}


static void limit_start(struct server_tx *tx, uint64_t ms)
{
	wheel_start(tx->ep->cfg.wheel, &tx->limit, ms, limit_handler, tx);
}


static uint64_t lifetime_ms(const struct server_tx *tx)
{
	return 64 * (uint64_t)tx->ep->cfg.t1_ms;
}


static void insert(struct server_tx *tx, uint64_t hash)
{
	struct sip_endpoint *ep = tx->ep;

	htab_insert(ep->servers, &tx->node, hash, tx);
	if (!pl_isset(&tx->msg->to.tag) && !message_is(tx->msg, "CANCEL"))
		htab_insert(ep->merges, &tx->merge, merge_hash(ep, tx->msg),
			    tx);

	ep->bytes_kept += own_size(tx) + tx->msg->mb->size;
	metric_shift(ep->metrics.server_tx, 1);

	if (tx->is_invite) {
		tx->state = STATE_PROCEEDING;
		wheel_start(ep->cfg.wheel, &tx->retry, TRYING_MS,
			    trying_handler, tx);
	}
	else {
		tx->state = STATE_TRYING;
		limit_start(tx, lifetime_ms(tx));
	}
}


int server_tx_start(struct server_tx **txp, struct sip_endpoint *ep,
		    const struct sip_msg *msg, const struct sip_path *path,
		    server_cancel_h *cancelh, void *arg)
{
	struct server_tx *tx;
	struct sip_path to;
	struct key key;
	uint64_t hash;
	int err;

	if (!txp || !ep || !msg || !path || !msg->req || message_is(msg, "ACK"))
		return EINVAL;

	key = (struct key){msg->via.branch, msg->via.sentby, msg->met};
	hash = key_hash(ep, &key);
	if (htab_find(ep->servers, hash, key_equal, &key))
		return EALREADY;

	if (endpoint_is_full(ep, false))
		return ENOBUFS;

	tx = mem_zalloc(sizeof(*tx), destructor);
	if (!tx)
		return ENOMEM;

	err = key_set(tx, &key);
	if (err) {
		mem_deref(tx);
		return err;
	}

	message_reply_path(msg, path, &to);
	tx->reply_port = sa_port(&to.peer);
	tx->ep = ep;
	tx->msg = mem_ref((void *)msg);
	tx->path = *path;
	tx->is_invite = message_is(msg, "INVITE");
	server_tx_own(tx, cancelh, arg, NULL);
	insert(tx, hash);
	*txp = tx;

	return 0;
}


void server_tx_own(struct server_tx *tx, server_cancel_h *cancelh, void *arg,
		   void *owner)
{
	if (!tx)
		return;

	tx->cancelh = cancelh;
	tx->arg = arg;
	mem_ref(owner);
	mem_deref(tx->owner);
	tx->owner = owner;
}


/** Every answer but 100 carries a tag (RFC 3261 8.2.6.2). */
static const char *tag_choose(struct server_tx *tx, uint16_t scode,
			      const char *to_tag)
{
	if (to_tag)
		(void)text_copy(tx->to_tag, sizeof(tx->to_tag), to_tag);
	else if (scode == 100)
		return NULL;
	else if (!tx->to_tag[0])
		endpoint_token(tx->ep, tx->to_tag);

	return tx->to_tag;
}


static void invite_final(struct server_tx *tx, uint16_t scode)
{
	struct sip_endpoint *ep = tx->ep;

	if (scode < 300) {
		tx->state = STATE_ACCEPTED;
		limit_start(tx, lifetime_ms(tx)); /* L */
		return;
	}

	tx->state = STATE_COMPLETED;
	limit_start(tx, lifetime_ms(tx)); /* H */

	if (!path_is_reliable(&tx->path)) {
		tx->interval_ms = ep->cfg.t1_ms;
		wheel_start(ep->cfg.wheel, &tx->retry, tx->interval_ms,
			    resend_handler, tx);
	}
}


/** The answer is on its way: enter the state that it leads to. */
static void answered(struct server_tx *tx, uint16_t scode)
{
	wheel_stop(tx->ep->cfg.wheel, &tx->retry);

	if (scode < 200) {
		tx->state = STATE_PROCEEDING;
		return;
	}

	request_drop(tx);

	/* a copy of what was refused may be refused again, but a sender that
	   tries once more with the same CSeq is no loop */
	if (scode >= 300)
		htab_remove(tx->ep->merges, &tx->merge);

	if (tx->is_invite) {
		invite_final(tx, scode);
	}
	else if (path_is_reliable(&tx->path)) {
		terminate(tx);
	}
	else {
		tx->state = STATE_COMPLETED;
		limit_start(tx, lifetime_ms(tx)); /* J */
	}
}


int server_tx_reply(struct server_tx *tx, uint16_t scode, const char *reason,
		    const char *to_tag, const char *body_type,
		    const uint8_t *body, size_t body_len, const char *extra,
		    ...)
{
	struct sip_endpoint *ep;
	struct sip_path to;
	va_list ap;
	int err;

	if (!tx || !reason)
		return EINVAL;

	if (!is_open(tx))
		return EALREADY;

	ep = tx->ep;
	va_start(ap, extra);
	err = endpoint_build(ep, tx->msg, &tx->path, scode, reason,
			     tag_choose(tx, scode, to_tag), body_type, body,
			     body_len, extra, &ap);
	va_end(ap);
	if (!err)
		err = last_keep(tx, ep->mb->buf, ep->mb->end);
	if (err)
		return err;

	mem_ref(tx);
	to = tx->path;
	sa_set_port(&to.peer, tx->reply_port);

	/* a lost answer is asked for again: the request is retransmitted */
	if (!endpoint_send(ep, &to, tx->last, tx->last_len, false, tx->owner) &&
	    !tx->owner)
		endpoint_outside(ep, tx->msg, &to, 1, tx->last, tx->last_len);
	answered(tx, scode);
	mem_deref(tx);

	return 0;
}


int server_tx_trying(struct server_tx *tx)
{
	return server_tx_reply(tx, 100, "Trying", NULL, NULL, NULL, 0, NULL);
}


int server_tx_again(struct server_tx *tx)
{
	if (!tx || !tx->last)
		return EINVAL;

	resend(tx);

	return 0;
}


void server_tx_repeat(struct server_tx *tx)
{
	if (tx->last && (tx->state == STATE_PROCEEDING ||
			 tx->state == STATE_COMPLETED))
		resend(tx);
}


bool server_tx_is_ack_of_dialog(const struct server_tx *tx)
{
	return tx->state == STATE_ACCEPTED;
}


bool server_tx_is_acked(const struct server_tx *tx)
{
	return tx->state == STATE_CONFIRMED;
}


void server_tx_ack(struct server_tx *tx)
{
	if (tx->state != STATE_COMPLETED)
		return;

	mem_ref(tx);
	wheel_stop(tx->ep->cfg.wheel, &tx->retry);
	tx->state = STATE_CONFIRMED;
	last_drop(tx);

	if (path_is_reliable(&tx->path))
		terminate(tx);
	else
		limit_start(tx, tx->ep->cfg.t4_ms); /* I */

	mem_deref(tx);
}


void server_tx_cancel(struct server_tx *tx, const struct sip_msg *cancel,
		      const struct sip_path *path)
{
	struct server_tx *own;

	mem_ref(tx);

	if (!server_tx_start(&own, tx->ep, cancel, path, NULL, NULL)) {
		own->owner = mem_ref(tx->owner);

		/* the same tag as in the INVITE's answers (RFC 3261 9.2) */
		(void)server_tx_reply(own, 200, "OK",
				      tag_choose(tx, 200, NULL), NULL, NULL, 0,
				      NULL);
		mem_deref(own);
	}

	if (is_open(tx) && tx->cancelh)
		tx->cancelh(tx, cancel, tx->arg);

	mem_deref(tx);
}


bool server_tx_is_final(const struct server_tx *tx)
{
	return !tx || !is_open(tx);
}


const struct sip_msg *server_tx_request(const struct server_tx *tx)
{
	return tx ? tx->msg : NULL;
}


const struct sip_path *server_tx_path(const struct server_tx *tx)
{
	return &tx->path;
}
