/**
 * @file endpoint.c  The way of a message: guard, decoder, transaction, dialog,
 * owner. What can be settled without state is settled without state.
 */
#include <errno.h>
#include <string.h>
#include <re.h>
#include "endpoint.h"
#include "metric.h"
#include "text.h"
#include "transaction.h"
#include "transaction_server.h"

#define BUILD_SIZE 4096   /**< of the buffer that messages are built in   */
#define BUCKETS 1024
#define RETRY_AFTER_S 5

/** Codes that are counted one by one; the last row is for all others. */
static const struct {
	uint16_t scode;
	const char *labels;
} stateless[STATELESS_N] = {
	{400, "code=\"400\""}, {401, "code=\"401\""}, {403, "code=\"403\""},
	{481, "code=\"481\""}, {482, "code=\"482\""}, {500, "code=\"500\""},
	{503, "code=\"503\""}, {0, "code=\"other\""},
};


static void metrics_in_open(struct endpoint_metrics *m)
{
	static const char *const extra[] = {
		[IN_UNDECODABLE - GUARD_N] = "undecodable",
		[IN_NO_MEMORY - GUARD_N] = "no_memory",
		[IN_STRAY_RESPONSE - GUARD_N] = "stray_response",
		[IN_STRAY_ACK - GUARD_N] = "stray_ack",
	};
	char labels[64];
	int i;

	for (i = 0; i < IN_RESULT_N; i++) {
		(void)text_format(labels, sizeof(labels),
				  "dir=\"in\",result=\"%s\"", i < GUARD_N ?
				  guard_name((enum guard_verdict)i) :
				  extra[i - GUARD_N]);
		m->in[i] = metric_counter("strowger_sip_messages_total",
					  labels, "SIP messages by fate");
	}
}


static void metrics_open(struct endpoint_metrics *m)
{
	static const char *const timers[TX_TIMER_N] = {
		[TX_TIMER_B] = "timer=\"B\"", [TX_TIMER_C] = "timer=\"C\"",
		[TX_TIMER_F] = "timer=\"F\"", [TX_TIMER_H] = "timer=\"H\"",
		[TX_TIMER_CANCEL] = "timer=\"cancel\"",
		[TX_TIMER_UNANSWERED] = "timer=\"unanswered\"",
	};
	int i;

	metrics_in_open(m);
	m->out = metric_counter("strowger_sip_messages_total",
				"dir=\"out\",result=\"ok\"",
				"SIP messages by fate");
	m->out_failed = metric_counter("strowger_sip_messages_total",
				       "dir=\"out\",result=\"failed\"",
				       "SIP messages by fate");
	m->again_in = metric_counter("strowger_sip_retransmissions_total",
				     "dir=\"in\"", "SIP messages again");
	m->again_out = metric_counter("strowger_sip_retransmissions_total",
				      "dir=\"out\"", "SIP messages again");
	m->client_tx = metric_gauge("strowger_sip_transactions",
				    "side=\"client\"", "SIP transactions");
	m->server_tx = metric_gauge("strowger_sip_transactions",
				    "side=\"server\"", "SIP transactions");

	for (i = 0; i < STATELESS_N; i++)
		m->stateless[i] = metric_counter(
			"strowger_sip_stateless_replies_total",
			stateless[i].labels, "Answers that left no state");

	for (i = 0; i < TX_TIMER_N; i++)
		m->expired[i] = metric_counter(
			"strowger_sip_transaction_timeouts_total", timers[i],
			"Transactions ended by a timer (RFC 3261 17)");
}


static bool binding_detach(void *data, void *arg)
{
	struct sip_binding *b = data;
	struct sip_endpoint *ep = arg;

	htab_remove(ep->bindings, &b->node);
	if (b->endh)
		b->endh(b->arg);

	return false;
}


static void destructor(void *data)
{
	struct sip_endpoint *ep = data;

	/* first: who ends with its binding lets go of transactions */
	(void)htab_each(ep->bindings, binding_detach, ep);
	(void)htab_each(ep->clients, client_tx_detach, ep);
	(void)htab_each(ep->servers, server_tx_detach, ep);
	mem_deref(ep->clients);
	mem_deref(ep->servers);
	mem_deref(ep->merges);
	mem_deref(ep->bindings);
	mem_deref(ep->server_name);
	mem_deref(ep->mb);
}


static int tables_alloc(struct sip_endpoint *ep)
{
	struct htab **const tables[] = {&ep->clients, &ep->servers,
					&ep->merges, &ep->bindings};
	uint8_t key[16];
	size_t i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(tables) && !err; i++) {
		rng_bytes(ep->cfg.rng, key, sizeof(key));
		err = htab_alloc(tables[i], BUCKETS, key);
	}

	return err;
}


static void defaults_set(struct sip_endpoint_config *cfg)
{
	if (!cfg->t1_ms)
		cfg->t1_ms = 500;
	if (!cfg->t2_ms)
		cfg->t2_ms = 4000;
	if (!cfg->t4_ms)
		cfg->t4_ms = 5000;
	if (!cfg->timer_c_ms)
		cfg->timer_c_ms = 180000;
}


int endpoint_alloc(struct sip_endpoint **epp,
		   const struct sip_endpoint_config *cfg)
{
	struct sip_endpoint *ep;
	int err;

	if (!epp || !cfg || !cfg->wheel || !cfg->rng || !cfg->mint ||
	    !cfg->sendh || !cfg->requesth || !cfg->transactions_max)
		return EINVAL;

	ep = mem_zalloc(sizeof(*ep), destructor);
	if (!ep)
		return ENOMEM;

	ep->cfg = *cfg;
	defaults_set(&ep->cfg);

	err = str_dup(&ep->server_name, cfg->server_name ? cfg->server_name :
		      "");
	if (err)
		goto out;

	ep->cfg.server_name = ep->server_name;
	err = tables_alloc(ep);
	if (err)
		goto out;

	ep->mb = mbuf_alloc(BUILD_SIZE);
	if (!ep->mb) {
		err = ENOMEM;
		goto out;
	}

	metrics_open(&ep->metrics);

out:
	if (err)
		mem_deref(ep);
	else
		*epp = ep;
	return err;
}


static void trace_in(const struct sip_endpoint *ep, const struct incoming *in,
		     bool retransmission, void *owner)
{
	if (retransmission)
		metric_add(ep->metrics.again_in, 1);

	if (ep->cfg.traceh)
		ep->cfg.traceh(in->path, 0, in->buf, in->len, retransmission,
			       owner, ep->cfg.arg);
}


void endpoint_outside(const struct sip_endpoint *ep,
		      const struct sip_msg *request,
		      const struct sip_path *path, int dir,
		      const uint8_t *buf, size_t len)
{
	if (ep->cfg.outsideh)
		ep->cfg.outsideh(request, path, dir, buf, len, ep->cfg.arg);
}


static bool tag_equal(const void *data, const void *key)
{
	const struct sip_binding *b = data;
	const struct pl *tag = key;

	return !pl_strcmp(tag, b->tag);
}


static struct sip_binding *binding_find(const struct sip_endpoint *ep,
					const struct sip_msg *msg)
{
	const struct pl *tag = &msg->to.tag;

	if (!pl_isset(tag) || tag->l > TOKEN_LEN)
		return NULL;

	return htab_find(ep->bindings, htab_hash(ep->bindings, tag->p, tag->l),
			 tag_equal, tag);
}


static enum in_result response_recv(struct sip_endpoint *ep,
				    const struct sip_msg *msg,
				    const struct incoming *in)
{
	struct client_tx *tx = NULL;

	/* more than one Via: not for us (RFC 3261 8.1.3.3) */
	if (sip_msg_hdr_count(msg, SIP_HDR_VIA) == 1)
		tx = client_tx_find(ep, msg);

	if (!tx)
		return IN_STRAY_RESPONSE;

	trace_in(ep, in, client_tx_is_repeat(tx, msg), client_tx_owner(tx));
	client_tx_receive(tx, msg);

	return (enum in_result)GUARD_OK;
}


static enum in_result ack_recv(struct sip_endpoint *ep,
			       const struct sip_msg *msg,
			       const struct incoming *in)
{
	struct server_tx *tx = server_tx_find(ep, msg, "INVITE");
	struct sip_binding *b;

	if (tx && !server_tx_is_ack_of_dialog(tx)) {
		trace_in(ep, in, server_tx_is_acked(tx), server_tx_owner(tx));
		server_tx_ack(tx);
		return (enum in_result)GUARD_OK;
	}

	b = binding_find(ep, msg);
	if (!b) {
		endpoint_outside(ep, msg, in->path, 0, in->buf, in->len);
		return IN_STRAY_ACK;
	}

	trace_in(ep, in, b->is_acked && b->acked == msg->cseq.num, b->owner);
	b->is_acked = true;
	b->acked = msg->cseq.num;
	b->h(NULL, msg, in->path, b->arg);

	return (enum in_result)GUARD_OK;
}


/** The same request always gets the same tag (RFC 3261 8.2.7). */
static void stateless_tag(const struct sip_endpoint *ep,
			  const struct sip_msg *msg, char tag[17])
{
	const struct pl *branch = &msg->via.branch;
	uint64_t h;

	h = htab_hash(ep->bindings, branch->p, branch->l);
	h = htab_mix(ep->bindings, h, msg->callid.p, msg->callid.l);
	h = htab_mix(ep->bindings, h, msg->from.val.p, msg->from.val.l);

	(void)text_format(tag, 17, "%016llx", (unsigned long long)h);
}


const uint8_t *endpoint_received(const struct sip_endpoint *ep,
				 size_t *ret_len)
{
	*ret_len = ep->in ? ep->in->len : 0;

	return ep->in ? ep->in->buf : NULL;
}


static void stateless_count(const struct sip_endpoint *ep, uint16_t scode)
{
	size_t i = 0;

	while (i < STATELESS_N - 1 && stateless[i].scode != scode)
		++i;

	metric_add(ep->metrics.stateless[i], 1);
}


static int vreply(struct sip_endpoint *ep, const struct sip_msg *msg,
		  const struct sip_path *path, void *owner, uint16_t scode,
		  const char *reason, const char *extra, va_list *ap)
{
	struct sip_path to;
	char tag[17];
	int err;

	stateless_tag(ep, msg, tag);
	err = endpoint_build(ep, msg, path, scode, reason,
			     scode > 100 ? tag : NULL, NULL, NULL, 0, extra,
			     ap);
	if (err)
		return err;

	stateless_count(ep, scode);
	message_reply_path(msg, path, &to);
	err = endpoint_send(ep, &to, ep->mb->buf, ep->mb->end, false, owner);
	if (!err && !owner)
		endpoint_outside(ep, msg, &to, 1, ep->mb->buf, ep->mb->end);

	return err;
}


/** @param owner  of the dialog that it is in; for the tap */
static int reply(struct sip_endpoint *ep, const struct sip_msg *msg,
		 const struct sip_path *path, void *owner, uint16_t scode,
		 const char *reason, const char *extra, ...)
{
	va_list ap;
	int err;

	va_start(ap, extra);
	err = vreply(ep, msg, path, owner, scode, reason, extra, &ap);
	va_end(ap);

	return err;
}


int endpoint_reply(struct sip_endpoint *ep, const struct sip_msg *msg,
		   const struct sip_path *path, uint16_t scode,
		   const char *reason, const char *extra, ...)
{
	va_list ap;
	int err;

	if (!ep || !msg || !path || !msg->req || message_is(msg, "ACK"))
		return EINVAL;

	va_start(ap, extra);
	err = vreply(ep, msg, path, NULL, scode, reason, extra, &ap);
	va_end(ap);

	return err;
}


/** An answer that leaves no state; a lost one comes again with the request. */
static void refuse(struct sip_endpoint *ep, const struct sip_msg *msg,
		   const struct incoming *in, void *owner, uint16_t scode,
		   const char *reason)
{
	trace_in(ep, in, false, owner);
	if (!owner)
		endpoint_outside(ep, msg, in->path, 0, in->buf, in->len);
	(void)reply(ep, msg, in->path, owner, scode, reason, NULL);
}


static void refuse_full(struct sip_endpoint *ep, const struct sip_msg *msg,
			const struct incoming *in, void *owner)
{
	trace_in(ep, in, false, owner);
	if (!owner)
		endpoint_outside(ep, msg, in->path, 0, in->buf, in->len);
	(void)reply(ep, msg, in->path, owner, 503, "Service Unavailable",
		    "Retry-After: %u\r\n", RETRY_AFTER_S);
}


/** Nothing of ours is meant: whether that is said is for the owner to know,
    who knows the source. */
static void stray_recv(struct sip_endpoint *ep, const struct sip_msg *msg,
		       const struct incoming *in)
{
	trace_in(ep, in, false, NULL);
	ep->cfg.requesth(msg, in->path, ep->cfg.arg);
}


static void cancel_recv(struct sip_endpoint *ep, const struct sip_msg *msg,
			const struct incoming *in)
{
	struct server_tx *tx = server_tx_find(ep, msg, "INVITE");

	/* all that names the INVITE is of the peer's own making, and may be
	   guessed: only who sent it takes it back (RFC 3261 9.1, 9.2) */
	if (!tx || !sa_cmp(&server_tx_path(tx)->peer, &in->path->peer,
			   SA_ADDR)) {
		stray_recv(ep, msg, in);
		return;
	}

	trace_in(ep, in, false, server_tx_owner(tx));
	server_tx_cancel(tx, msg, in->path);
}


static void dialog_recv(struct sip_endpoint *ep, const struct sip_msg *msg,
			const struct incoming *in)
{
	struct sip_binding *b = binding_find(ep, msg);
	struct server_tx *tx;

	if (!b) {
		stray_recv(ep, msg, in);
		return;
	}

	if (endpoint_is_full(ep, false)) {
		refuse_full(ep, msg, in, b->owner);
		return;
	}

	if (server_tx_start(&tx, ep, msg, in->path, NULL, NULL)) {
		refuse(ep, msg, in, b->owner, 500, "Server Internal Error");
		return;
	}

	server_tx_own(tx, NULL, NULL, b->owner);
	trace_in(ep, in, false, b->owner);
	b->h(tx, msg, in->path, b->arg);
	mem_deref(tx);
}


static void initial_recv(struct sip_endpoint *ep, const struct sip_msg *msg,
			 const struct incoming *in)
{
	if (server_tx_is_merged(ep, msg)) {
		refuse(ep, msg, in, NULL, 482, "Loop Detected");
		return;
	}

	if (endpoint_is_full(ep, true)) {
		refuse_full(ep, msg, in, NULL);
		return;
	}

	trace_in(ep, in, false, NULL);
	ep->cfg.requesth(msg, in->path, ep->cfg.arg);
}


static void request_recv(struct sip_endpoint *ep, const struct sip_msg *msg,
			 const struct incoming *in)
{
	struct server_tx *tx = server_tx_find(ep, msg, NULL);

	if (tx) {
		trace_in(ep, in, true, server_tx_owner(tx));
		server_tx_repeat(tx);
	}
	else if (message_is(msg, "CANCEL")) {
		cancel_recv(ep, msg, in);
	}
	else if (pl_isset(&msg->to.tag)) {
		dialog_recv(ep, msg, in);
	}
	else {
		initial_recv(ep, msg, in);
	}
}


static enum in_result message_recv(struct sip_endpoint *ep,
				   const struct sip_msg *msg,
				   const struct incoming *in)
{
	if (!msg->req)
		return response_recv(ep, msg, in);

	if (message_is(msg, "ACK"))
		return ack_recv(ep, msg, in);

	request_recv(ep, msg, in);

	return (enum in_result)GUARD_OK;
}


void endpoint_recv(struct sip_endpoint *ep, const struct moment *now,
		   const struct sip_path *path, const uint8_t *buf,
		   size_t len)
{
	const struct incoming in = {path, buf, len};
	struct sip_msg *msg = NULL;
	enum in_result result;
	int verdict = 0;
	int err;

	mem_ref(ep); /* a handler may let go of it */
	ep->now = *now;
	ep->in = &in;

	err = message_decode(&msg, path, buf, len, &verdict);
	if (err == ENOMEM)
		result = IN_NO_MEMORY;
	else if (err)
		result = verdict == GUARD_OK ? IN_UNDECODABLE :
					       (enum in_result)verdict;
	else
		result = message_recv(ep, msg, &in);

	metric_add(ep->metrics.in[result], 1);
	ep->in = NULL;
	mem_deref(msg);
	mem_deref(ep);
}


void endpoint_unreachable(struct sip_endpoint *ep, const struct moment *now,
			  const struct sip_path *path, const uint8_t *buf,
			  size_t len, int err)
{
	mem_ref(ep);
	ep->now = *now;
	client_tx_unreachable(ep, path, buf, len, err);
	mem_deref(ep);
}


void endpoint_now(struct sip_endpoint *ep, const struct moment *now)
{
	ep->now = *now;
}


const struct moment *endpoint_moment(const struct sip_endpoint *ep)
{
	return &ep->now;
}


struct wheel *endpoint_wheel(const struct sip_endpoint *ep)
{
	return ep->cfg.wheel;
}


struct rng *endpoint_rng(const struct sip_endpoint *ep)
{
	return ep->cfg.rng;
}


const struct sip_endpoint_config *
endpoint_config(const struct sip_endpoint *ep)
{
	return &ep->cfg;
}


bool endpoint_is_full(const struct sip_endpoint *ep, bool is_initial)
{
	const size_t n = htab_count(ep->clients) + htab_count(ep->servers);

	return n >= ep->cfg.transactions_max * (is_initial ? 1 : 2);
}


int endpoint_build(struct sip_endpoint *ep, const struct sip_msg *msg,
		   const struct sip_path *path, uint16_t scode,
		   const char *reason, const char *to_tag,
		   const char *body_type, const uint8_t *body,
		   size_t body_len, const char *extra, va_list *ap)
{
	char server[128] = "";

	if (ep->server_name[0])
		(void)text_format(server, sizeof(server), "Server: %.100s\r\n",
				  ep->server_name);

	mbuf_rewind(ep->mb);

	if (!extra)
		return message_reply(ep->mb, msg, path, scode, reason, to_tag,
				     body_type, body, body_len, "%s", server);

	return message_reply(ep->mb, msg, path, scode, reason, to_tag,
			     body_type, body, body_len, "%s%v", server, extra,
			     ap);
}


int endpoint_send(struct sip_endpoint *ep, const struct sip_path *path,
		  const uint8_t *buf, size_t len, bool retransmission,
		  void *owner)
{
	const int err = ep->cfg.sendh(path, buf, len, ep->cfg.arg);

	metric_add(err ? ep->metrics.out_failed : ep->metrics.out, 1);
	if (err)
		return err;

	if (retransmission)
		metric_add(ep->metrics.again_out, 1);

	if (ep->cfg.traceh)
		ep->cfg.traceh(path, 1, buf, len, retransmission, owner,
			       ep->cfg.arg);

	return 0;
}


void endpoint_token(struct sip_endpoint *ep, char token[TOKEN_SIZE])
{
	token_next(ep->cfg.mint, ep->cfg.shard, token, NULL);
}


void endpoint_bind(struct sip_endpoint *ep, struct sip_binding *b,
		   const char *tag, endpoint_dialog_h *h, void *arg)
{
	htab_remove(ep->bindings, &b->node);
	(void)text_copy(b->tag, sizeof(b->tag), tag);
	b->h = h;
	b->arg = arg;
	htab_insert(ep->bindings, &b->node,
		    htab_hash(ep->bindings, b->tag, strlen(b->tag)), b);
}


void endpoint_unbind(struct sip_endpoint *ep, struct sip_binding *b)
{
	htab_remove(ep->bindings, &b->node);
}


void endpoint_census(const struct sip_endpoint *ep,
		     struct endpoint_census *ret)
{
	ret->client_tx = htab_count(ep->clients);
	ret->server_tx = htab_count(ep->servers);
	ret->dialogs = htab_count(ep->bindings);
	ret->bytes_kept = ep->bytes_kept;
}
