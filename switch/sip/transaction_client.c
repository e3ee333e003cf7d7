/**
 * @file transaction_client.c  RFC 3261 17.1 and RFC 6026, both machines in
 * one object: they differ in a timer or two.
 *
 *           INVITE                              others
 *   CALLING    A resends, B ends                 E resends, F ends
 *   PROCEEDING C cancels, then 64*T1             E resends at T2, F ends
 *   COMPLETED  ACK for each failure, D           K
 *   ACCEPTED   every 2xx to the owner, M         -
 *
 * The owner's reference is the only one until it lets go; then the destructor
 * takes one for the endpoint, and the transaction finishes as an orphan.
 */
#include <errno.h>
#include <string.h>
#include <re.h>
#include "message.h"
#include "metric.h"
#include "text.h"
#include "transaction.h"
#include "transaction_client.h"

#define REASON_SIZE 160
#define FORKS_MAX 4        /**< 2xx to one INVITE that are told apart */

enum state {
	STATE_NEW,
	STATE_CALLING,      /**< Trying, when not an INVITE */
	STATE_PROCEEDING,
	STATE_COMPLETED,
	STATE_ACCEPTED,
	STATE_TERMINATED,
};

struct client_tx {
	struct htab_node node;
	struct wheel_timer retry;  /**< A, E                              */
	struct wheel_timer limit;  /**< B, C, D, F, K, M, and after CANCEL */
	struct sip_endpoint *ep;   /**< weak: NULL when it is gone        */
	struct sip_path path;
	client_answer_h *h;
	void *arg, *owner;
	uint8_t *bytes;            /**< the request; in COMPLETED the ACK */
	size_t len;
	char *reason;              /**< "Reason: ...\r\n" of a CANCEL     */
	uint64_t sentby;           /**< hash of our Via's sent-by         */
	uint32_t interval_ms;      /**< of retry                          */
	enum state state;
	bool is_invite, is_orphan;
	bool is_cancel_wanted, is_cancel_sent;
	bool is_expired;           /**< Timer C: a failure is our doing   */
	bool was_heard;            /**< any provisional answer            */
	uint8_t fork_n;
	uint64_t forks[FORKS_MAX]; /**< hashes of To tags of 2xx          */
	char method[METHOD_SIZE];
	char branch[BRANCH_SIZE];
};

struct key {
	struct pl branch, method;
};

static void retry_handler(void *arg);
static void limit_handler(void *arg);


static void bytes_drop(struct client_tx *tx)
{
	if (tx->ep)
		tx->ep->bytes_kept -= tx->len;

	tx->bytes = mem_deref(tx->bytes);
	tx->len = 0;
}


static int bytes_keep(struct client_tx *tx, const uint8_t *buf, size_t len)
{
	uint8_t *bytes = mem_alloc(len, NULL);

	if (!bytes)
		return ENOMEM;

	memcpy(bytes, buf, len);
	bytes_drop(tx);
	tx->bytes = bytes;
	tx->len = len;
	tx->ep->bytes_kept += len;

	return 0;
}


/** Out of the endpoint; what the owner still holds is an empty shell. */
static void unlink_tx(struct client_tx *tx)
{
	struct sip_endpoint *ep = tx->ep;

	wheel_stop(ep->cfg.wheel, &tx->retry);
	wheel_stop(ep->cfg.wheel, &tx->limit);
	htab_remove(ep->clients, &tx->node);
	bytes_drop(tx);
	ep->bytes_kept -= sizeof(*tx);
	metric_shift(ep->metrics.client_tx, -1);
	tx->state = STATE_TERMINATED;
	tx->ep = NULL;
}


static void terminate(struct client_tx *tx)
{
	if (tx->state == STATE_TERMINATED)
		return;

	unlink_tx(tx);
	if (tx->is_orphan)
		mem_deref(tx);
}


bool client_tx_detach(void *data, void *arg)
{
	(void)arg;

	terminate(data);

	return false;
}


static void destructor(void *data)
{
	struct client_tx *tx = data;

	if (tx->ep && tx->state != STATE_NEW) {
		tx->is_orphan = true;
		tx->h = NULL;
		mem_ref(tx); /* the endpoint's, until terminate() */
		return;
	}

	mem_deref(tx->bytes);
	mem_deref(tx->reason);
	mem_deref(tx->owner);
}


static void tell(struct client_tx *tx, int err, const struct sip_msg *msg)
{
	if (tx->h)
		tx->h(tx, err, msg, tx->arg);
}


static void fail(struct client_tx *tx, int err)
{
	terminate(tx);
	tell(tx, err, NULL);
}


static void limit_start(struct client_tx *tx, uint64_t ms)
{
	wheel_start(tx->ep->cfg.wheel, &tx->limit, ms, limit_handler, tx);
}


static void retry_start(struct client_tx *tx)
{
	wheel_start(tx->ep->cfg.wheel, &tx->retry, tx->interval_ms,
		    retry_handler, tx);
}


static uint64_t lifetime_ms(const struct client_tx *tx)
{
	return 64 * (uint64_t)tx->ep->cfg.t1_ms;
}


/** Timer A doubles without end, E up to T2 (17.1.1.2, 17.1.2.2). */
static void retry_handler(void *arg)
{
	struct client_tx *tx = mem_ref(arg);
	const struct sip_endpoint_config *cfg = &tx->ep->cfg;
	int err;

	tx->interval_ms *= 2;
	if (!tx->is_invite && (tx->interval_ms > cfg->t2_ms ||
			       tx->state == STATE_PROCEEDING))
		tx->interval_ms = cfg->t2_ms;

	retry_start(tx);
	err = endpoint_send(tx->ep, &tx->path, tx->bytes, tx->len, true,
			    tx->owner);
	if (err)
		fail(tx, err);

	mem_deref(tx);
}


static bool key_equal(const void *data, const void *arg)
{
	const struct client_tx *tx = data;
	const struct key *key = arg;

	return !pl_strcmp(&key->branch, tx->branch) &&
	       !pl_strcmp(&key->method, tx->method);
}


static uint64_t key_hash(const struct sip_endpoint *ep, const struct key *key)
{
	return htab_mix(ep->clients,
			htab_hash(ep->clients, key->branch.p, key->branch.l),
			key->method.p, key->method.l);
}


struct client_tx *client_tx_find(const struct sip_endpoint *ep,
				 const struct sip_msg *msg)
{
	const struct key key = {msg->via.branch, msg->cseq.met};
	const struct pl *sentby = &msg->via.sentby;
	struct client_tx *tx;

	tx = htab_find(ep->clients, key_hash(ep, &key), key_equal, &key);

	/* a Via that we did not write (RFC 3261 18.1.2) */
	if (tx && htab_hash(ep->clients, sentby->p, sentby->l) != tx->sentby)
		return NULL;

	return tx;
}


/* "INVITE sip:... SIP/2.0", then our Via, which is the topmost */
static int quoted_key(struct key *key, const uint8_t *buf, size_t len)
{
	static const char via[] = "\r\nVia: ", branch[] = ";branch=";
	const char *const end = (const char *)buf + len;
	const char *p = len ? memchr(buf, ' ', len) : NULL;
	const char *line;

	if (!p)
		return EBADMSG;
	key->method.p = (const char *)buf;
	key->method.l = (size_t)(p - key->method.p);

	line = memmem(buf, len, via, sizeof(via) - 1);
	p = line ? memmem(line, (size_t)(end - line), branch,
			  sizeof(branch) - 1) : NULL;
	if (!p)
		return EBADMSG;

	key->branch.p = p += sizeof(branch) - 1;
	while (p < end && !strchr("; \r\n", *p))
		p++;
	key->branch.l = (size_t)(p - key->branch.p);

	/* cut in the middle it is no whole branch */
	return p < end && key->branch.l ? 0 : EBADMSG;
}


void client_tx_unreachable(struct sip_endpoint *ep,
			   const struct sip_path *path, const uint8_t *buf,
			   size_t len, int err)
{
	struct client_tx *tx;
	struct key key;

	if (quoted_key(&key, buf, len))
		return;

	tx = htab_find(ep->clients, key_hash(ep, &key), key_equal, &key);
	if (!tx || tx->state != STATE_CALLING ||
	    !sa_cmp(&tx->path.peer, &path->peer, SA_ALL))
		return;

	mem_ref(tx);
	fail(tx, err);
	mem_deref(tx);
}


static uint64_t tag_hash(const struct client_tx *tx,
			 const struct sip_msg *msg)
{
	return htab_hash(tx->ep->clients, msg->to.tag.p, msg->to.tag.l);
}


/* @return whether a 2xx with this tag came, or there is no room to know */
static bool fork_is_known(const struct client_tx *tx,
			  const struct sip_msg *msg)
{
	const uint64_t hash = tag_hash(tx, msg);

	for (uint8_t i = 0; i < tx->fork_n; i++)
		if (tx->forks[i] == hash)
			return true;

	return tx->fork_n == FORKS_MAX;
}


bool client_tx_is_repeat(const struct client_tx *tx,
			 const struct sip_msg *msg)
{
	if (msg->scode < 200)
		return false;

	return tx->state == STATE_COMPLETED ||
	       (tx->state == STATE_ACCEPTED && fork_is_known(tx, msg));
}


void *client_tx_owner(const struct client_tx *tx)
{
	return tx->owner;
}


static int insert(struct client_tx *tx, const struct pl *sentby)
{
	struct sip_endpoint *ep = tx->ep;
	struct key key;
	uint64_t hash;

	pl_set_str(&key.branch, tx->branch);
	pl_set_str(&key.method, tx->method);
	hash = key_hash(ep, &key);
	if (htab_find(ep->clients, hash, key_equal, &key))
		return EALREADY;

	tx->sentby = htab_hash(ep->clients, sentby->p, sentby->l);
	htab_insert(ep->clients, &tx->node, hash, tx);
	ep->bytes_kept += sizeof(*tx);
	metric_shift(ep->metrics.client_tx, 1);
	tx->state = STATE_CALLING;

	return 0;
}


static int tx_alloc(struct client_tx **txp, struct sip_endpoint *ep,
		    const struct sip_path *path, const char *method,
		    const char *branch)
{
	struct client_tx *tx;

	if (endpoint_is_full(ep, false))
		return ENOBUFS;

	tx = mem_zalloc(sizeof(*tx), destructor);
	if (!tx)
		return ENOMEM;

	if (text_copy(tx->method, sizeof(tx->method), method) ||
	    text_copy(tx->branch, sizeof(tx->branch), branch)) {
		mem_deref(tx);
		return EINVAL;
	}

	tx->ep = ep;
	tx->path = *path;
	tx->is_invite = !strcmp(method, "INVITE");
	*txp = tx;

	return 0;
}


/** Of a request that we wrote: "Via: SIP/2.0/UDP host:port;..." */
static int sentby_find(struct pl *ret, const uint8_t *request, size_t len)
{
	static const char via[] = "\r\nVia: SIP/2.0/";
	const char *const end = (const char *)request + len;
	const char *p;

	p = memmem(request, len, via, sizeof(via) - 1);
	p = p ? memchr(p + sizeof(via), ' ', (size_t)(end - p) -
					     sizeof(via)) : NULL;
	if (!p)
		return EINVAL;

	ret->p = ++p;
	while (p < end && !strchr("; \r\n", *p))
		p++;
	ret->l = (size_t)(p - ret->p);

	return ret->l ? 0 : EINVAL;
}


static int tx_start(struct client_tx **txp, struct sip_endpoint *ep,
		    const struct sip_path *path, const char *method,
		    const char *branch, const uint8_t *request, size_t len,
		    void *owner)
{
	struct client_tx *tx;
	struct pl sentby;
	int err;

	err = sentby_find(&sentby, request, len);
	if (err)
		return err;

	err = tx_alloc(&tx, ep, path, method, branch);
	if (err)
		return err;

	tx->owner = mem_ref(owner);
	err = bytes_keep(tx, request, len);
	if (err)
		goto err;

	err = insert(tx, &sentby);
	if (err)
		goto err;

	err = endpoint_send(ep, path, request, len, false, owner);
	if (err) {
		unlink_tx(tx);
		goto err;
	}

	tx->interval_ms = ep->cfg.t1_ms;
	if (!path_is_reliable(path))
		retry_start(tx);
	limit_start(tx, lifetime_ms(tx));
	*txp = tx;

	return 0;

err:
	bytes_drop(tx);
	mem_deref(tx);
	return err;
}


int client_tx_start(struct client_tx **txp, struct sip_endpoint *ep,
		    const struct sip_path *path, const char *method,
		    const char *branch, const uint8_t *request, size_t len,
		    client_answer_h *h, void *arg, void *owner)
{
	int err;

	if (!txp || !ep || !path || !method || !branch || !request ||
	    !strcmp(method, "ACK") || !strcmp(method, "CANCEL"))
		return EINVAL;

	err = tx_start(txp, ep, path, method, branch, request, len, owner);
	if (err)
		return err;

	(*txp)->h = h;
	(*txp)->arg = arg;

	return 0;
}


/** CANCEL is a transaction of its own (RFC 3261 9.1); nobody waits for it. */
static void cancel_send(struct client_tx *tx)
{
	struct sip_endpoint *ep = tx->ep;
	struct client_tx *cancel;

	tx->is_cancel_sent = true;
	limit_start(tx, lifetime_ms(tx));

	mbuf_rewind(ep->mb);
	if (message_derive(ep->mb, tx->bytes, tx->len, "CANCEL", NULL,
			   tx->reason))
		return;

	if (!tx_start(&cancel, ep, &tx->path, "CANCEL", tx->branch,
		      ep->mb->buf, ep->mb->end, tx->owner))
		mem_deref(cancel);
}


void client_tx_cancel(struct client_tx *tx, const char *reason)
{
	if (!tx || !tx->is_invite || tx->is_cancel_wanted ||
	    (tx->state != STATE_CALLING && tx->state != STATE_PROCEEDING))
		return;

	tx->is_cancel_wanted = true;
	if (reason && !strpbrk(reason, "\r\n") &&
	    strlen(reason) < REASON_SIZE)
		(void)re_sdprintf(&tx->reason, "Reason: %s\r\n", reason);

	if (tx->state == STATE_PROCEEDING && !tx->is_cancel_sent)
		cancel_send(tx);
}


/** INVITE without a final answer for long: CANCEL it, once (16.8). */
static void proceeding_expired(struct client_tx *tx)
{
	struct metric **expired = tx->ep->metrics.expired;

	if (!tx->is_invite) {
		metric_add(expired[TX_TIMER_F], 1);
		fail(tx, ETIMEDOUT);
	}
	else if (tx->is_cancel_sent) {
		metric_add(expired[TX_TIMER_CANCEL], 1);
		fail(tx, ETIMEDOUT);
	}
	else {
		metric_add(expired[TX_TIMER_C], 1);
		tx->is_expired = true;
		cancel_send(tx);
	}
}


static void limit_handler(void *arg)
{
	struct client_tx *tx = mem_ref(arg);

	switch (tx->state) {

	case STATE_CALLING:
		metric_add(tx->ep->metrics.expired[tx->is_invite ?
			   TX_TIMER_B : TX_TIMER_F], 1);
		fail(tx, ETIMEDOUT);
		break;

	case STATE_PROCEEDING:
		proceeding_expired(tx);
		break;

	case STATE_COMPLETED:
	case STATE_ACCEPTED:
		terminate(tx);
		break;

	case STATE_NEW:
	case STATE_TERMINATED:
		break;
	}

	mem_deref(tx);
}


static void provisional(struct client_tx *tx, const struct sip_msg *msg)
{
	const bool is_first = !tx->was_heard;

	tx->was_heard = true;
	tx->state = STATE_PROCEEDING;

	if (tx->is_invite) {
		wheel_stop(tx->ep->cfg.wheel, &tx->retry);

		/* 101..199 start Timer C anew, 100 does not (16.7 item 2) */
		if (!tx->is_cancel_sent && (is_first || msg->scode > 100))
			limit_start(tx, tx->ep->cfg.timer_c_ms);

		if (tx->is_cancel_wanted && !tx->is_cancel_sent)
			cancel_send(tx);
	}

	tell(tx, 0, msg);
}


/** Enter the state that absorbs what comes again; ms 0: none is needed. */
static void linger(struct client_tx *tx, enum state state, uint64_t ms)
{
	wheel_stop(tx->ep->cfg.wheel, &tx->retry);
	tx->state = state;

	if (ms)
		limit_start(tx, ms);
	else
		terminate(tx);
}


/** ACK to 300..699 is ours (17.1.1.3); its bytes replace the request's. */
static void ack_send(struct client_tx *tx, const struct sip_msg *msg)
{
	struct mbuf *mb = tx->ep->mb;

	mbuf_rewind(mb);
	if (message_derive(mb, tx->bytes, tx->len, "ACK", &msg->to.val,
			   NULL)) {
		/* out of memory: the INVITE must not go out in its place */
		bytes_drop(tx);
		return;
	}

	(void)endpoint_send(tx->ep, &tx->path, mb->buf, mb->end, false,
			    tx->owner);

	if (bytes_keep(tx, mb->buf, mb->end))
		bytes_drop(tx);
}


static void invite_final(struct client_tx *tx, const struct sip_msg *msg)
{
	const bool is_expired = tx->is_expired && msg->scode >= 300;

	if (msg->scode < 300) {
		bytes_drop(tx);
		linger(tx, STATE_ACCEPTED, lifetime_ms(tx)); /* M */
	}
	else {
		ack_send(tx, msg);
		linger(tx, STATE_COMPLETED, path_is_reliable(&tx->path) ? 0 :
		       lifetime_ms(tx)); /* D */
	}

	if (is_expired)
		tell(tx, ETIMEDOUT, NULL);
	else
		tell(tx, 0, msg);
}


static void other_final(struct client_tx *tx, const struct sip_msg *msg)
{
	bytes_drop(tx);
	linger(tx, STATE_COMPLETED, path_is_reliable(&tx->path) ? 0 :
	       tx->ep->cfg.t4_ms); /* K */
	tell(tx, 0, msg);
}


static void open_receive(struct client_tx *tx, const struct sip_msg *msg)
{
	if (msg->scode < 200)
		provisional(tx, msg);
	else if (tx->is_invite)
		invite_final(tx, msg);
	else
		other_final(tx, msg);
}


static void fork_note(struct client_tx *tx, const struct sip_msg *msg)
{
	if (tx->is_invite && msg->scode / 100 == 2 &&
	    !fork_is_known(tx, msg))
		tx->forks[tx->fork_n++] = tag_hash(tx, msg);
}


void client_tx_receive(struct client_tx *tx, const struct sip_msg *msg)
{
	mem_ref(tx);
	fork_note(tx, msg);

	switch (tx->state) {

	case STATE_CALLING:
	case STATE_PROCEEDING:
		open_receive(tx, msg);
		break;

	case STATE_COMPLETED:
		if (tx->is_invite && msg->scode >= 300 && tx->bytes)
			(void)endpoint_send(tx->ep, &tx->path, tx->bytes,
					    tx->len, true, tx->owner);
		break;

	case STATE_ACCEPTED:
		if (msg->scode >= 200 && msg->scode < 300)
			tell(tx, 0, msg);
		break;

	case STATE_NEW:
	case STATE_TERMINATED:
		break;
	}

	mem_deref(tx);
}
