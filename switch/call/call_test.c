/** @file call_test.c  See call_test.h. */
#include "json.h"
#include <string.h>
#include "call.h"
#include "call_private.h"
#include "call_test.h"
#include "text.h"

#define CODECS_MAX 8
#define NUMBER_MAX 40
#define DYNAMIC_TYPE 96 /* RFC 3551 6 */
#define ORDERS_MAX 16  /* questions to the ledger in one test */

/** Who calls whom. */
struct test {
	struct peer as;           /**< all NULL: whoever the address is of  */
	struct sip_path path;
	const char *from, *to, *display, *message;
	bool is_private;
	const json_t *codecs;
	const json_t *ledger;     /**< account to micro-units; NULL: none   */
	int64_t at_ms;            /**< 0: now                               */
};

/** What a test asks of the ledger, until it is answered. */
struct orders {
	struct {
		char account_id[ID_SIZE];
		int64_t want_micro, min_micro;
		uint64_t ticket;
	} list[ORDERS_MAX];
	unsigned n;
};


static json_t *refusal(const char *code, const char *detail)
{
	return json_pack("{s:b,s:s,s:s}", "ok", 0, "code", code, "detail",
			 detail);
}


static const char *text_of(const json_t *req, const char *name)
{
	const char *text = json_string_value(json_object_get(req, name));

	return text ? text : "";
}


/* Digits, letters and what else a dialled number may have; no URI syntax. */
static bool is_number(const char *s)
{
	const size_t n = strlen(s);

	return n && n <= NUMBER_MAX &&
	       n == strspn(s, "0123456789+*#-._"
			      "abcdefghijklmnopqrstuvwxyz"
			      "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}


static bool is_codec(const json_t *name)
{
	const char *s = json_string_value(name);

	return s && s[0] && strlen(s) < 24 &&
	       strlen(s) == strspn(s, "0123456789-abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}


static bool are_codecs(const json_t *codecs)
{
	if (!codecs)
		return true;
	if (!json_array_size(codecs) || json_array_size(codecs) > CODECS_MAX)
		return false;

	for (size_t i = 0; i < json_array_size(codecs); i++)
		if (!is_codec(json_array_get(codecs, i)))
			return false;

	return true;
}


/* @return 0 or ENOENT: nobody is named, or somebody whom nobody knows */
static int who_read(const struct worker *w, struct test *t, const json_t *req)
{
	const char *trunk = text_of(req, "trunk");
	const char *gateway = text_of(req, "gateway");
	const char *source = text_of(req, "source");
	struct sa peer;

	sa_set_str(&peer, sa_af(&w->cfg.socks[0].local) == AF_INET6
				  ? "::" : "0.0.0.0", 0);
	if (source[0] && sa_decode(&peer, source, strlen(source)))
		return ENOENT;
	if (worker_path(w, &peer, &t->path))
		return ENOENT;

	if (trunk[0])
		t->as.trunk = catalog_trunk(w->cat, trunk);
	if (gateway[0])
		t->as.gateway = catalog_gateway(w->cat, gateway);
	if (trunk[0] || gateway[0])
		return t->as.trunk || t->as.gateway ? 0 : ENOENT;

	return source[0] ? 0 : ENOENT;
}


/* @return NULL or what is wrong */
static const char *test_read(const struct worker *w, struct test *t,
			     const json_t *req)
{
	t->from = text_of(req, "from");
	t->to = text_of(req, "to");
	t->display = text_of(req, "display");
	t->message = text_of(req, "message");
	t->is_private = json_is_true(json_object_get(req, "private"));
	t->codecs = json_object_get(req, "codecs");
	t->ledger = json_object_get(req, "ledger");
	t->at_ms = json_integer_value(json_object_get(req, "at_ms"));

	if (!w->cat || who_read(w, t, req))
		return "caller";
	if (!t->message[0] && !is_number(t->from))
		return "from";
	if (!t->message[0] && !is_number(t->to))
		return "to";
	if (!are_codecs(t->codecs))
		return "codecs";
	if (t->at_ms < 0 || t->at_ms > INT64_MAX / 1000)
		return "at_ms";

	return NULL;
}


static int media_print(struct mbuf *mb, const char *codec, unsigned type)
{
	return mbuf_printf(mb, "a=rtpmap:%u %s/8000\r\n", type, codec);
}


static int sdp_print(struct mbuf *mb, const struct test *t)
{
	const size_t n = t->codecs ? json_array_size(t->codecs) : 2;
	static const char *const usual[] = {"PCMA", "PCMU"};
	int err;

	err = mbuf_write_str(mb, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
				 "c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
				 "m=audio 4000 RTP/AVP");
	for (unsigned i = 0; i < n && !err; i++)
		err = mbuf_printf(mb, " %u", DYNAMIC_TYPE + i);
	if (!err)
		err = mbuf_write_str(mb, "\r\n");
	for (unsigned i = 0; i < n && !err; i++)
		err = media_print(mb, t->codecs
					      ? json_string_value(json_array_get(
							t->codecs, i))
					      : usual[i], DYNAMIC_TYPE + i);

	return err;
}


/* A number of a URI: "#" has to be escaped there (RFC 3261 25.1). */
static int number_print(struct mbuf *mb, const char *number)
{
	int err = 0;

	for (; *number && !err; number++)
		err = *number == '#' ? mbuf_write_str(mb, "%23")
				     : mbuf_write_u8(mb, (uint8_t)*number);

	return err;
}


static int head_print(struct mbuf *mb, const struct test *t, size_t sdp_len)
{
	char display[160] = "\"\"";
	int err;

	err = message_quote(display, sizeof(display), t->display);
	err |= mbuf_write_str(mb, "INVITE sip:");
	err |= number_print(mb, t->to);
	err |= mbuf_printf(mb, "@%J SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bK-test\r\n"
			   "Max-Forwards: 70\r\nFrom: %s <sip:",
			   &t->path.local, display);
	err |= number_print(mb, t->from);
	err |= mbuf_printf(mb, "@192.0.2.1>;tag=test\r\nTo: <sip:");
	err |= number_print(mb, t->to);
	err |= mbuf_printf(mb, "@%J>\r\nCall-ID: route-test\r\n"
			   "CSeq: 1 INVITE\r\n"
			   "Contact: <sip:192.0.2.1>\r\n%s"
			   "Content-Type: application/sdp\r\n"
			   "Content-Length: %zu\r\n\r\n", &t->path.local,
			   t->is_private ? "Privacy: id\r\n" : "", sdp_len);

	return err;
}


static int invite_print(struct mbuf *mb, const struct test *t)
{
	struct mbuf *sdp;
	int err;

	if (t->message[0])
		return mbuf_write_str(mb, t->message);

	sdp = mbuf_alloc(512);
	if (!sdp)
		return ENOMEM;

	err = sdp_print(sdp, t);
	err |= head_print(mb, t, sdp->end);
	err |= mbuf_write_mem(mb, sdp->buf, sdp->end);

	mem_deref(sdp);
	return err;
}


/* The INVITE as a peer would send it, through the decoder of all others. */
static struct sip_msg *invite_make(const struct test *t)
{
	struct mbuf *mb = mbuf_alloc(2048);
	struct sip_msg *msg = NULL;
	int verdict = 0, err = ENOMEM;

	if (mb)
		err = invite_print(mb, t);
	if (!err)
		err = message_decode(&msg, &t->path, mb->buf, mb->end,
				     &verdict);
	if (!err && (!message_is(msg, "INVITE") || !msg->req ||
		     msg->to.tag.l))
		msg = mem_deref(msg);

	mem_deref(mb);
	return err ? NULL : msg;
}


static json_t *answer(const struct call *call)
{
	const bool is_dialled = !call->ended_ms && call->attempt_n > 0;
	const struct outcome_row *row =
		outcome_row(is_dialled ? OUT_OK : call->outcome);
	json_t *res = json_pack("{s:b,s:s,s:o,s:o}", "ok", 1, "outcome",
				row->code, "call", call_row(call), "decision",
				json_loads(why_json(call->why), 0, NULL));

	if (is_dialled && call->preview)
		(void)json_object_set_new(
			res, "invite",
			json_stringn((char *)call->preview->buf,
				     call->preview->end));
	if (call->ended_ms) {
		(void)json_object_set_new(res, "hint",
					  json_string(row->hint));
		(void)json_object_set_new(res, "sip_code",
					  json_integer(call->sip_code));
	}

	return res;
}


/* --- what is taken */

static int order_put(const struct fund_order *order, void *arg)
{
	struct orders *o = arg;

	if (o->n == ORDERS_MAX || order->want_micro <= 0)
		return ENOBUFS;

	TEXT_FILL(o->list[o->n].account_id, order->account_id);
	o->list[o->n].want_micro = order->want_micro;
	o->list[o->n].min_micro = order->min_micro;
	o->list[o->n++].ticket = order->ticket;

	return 0;
}


/* Calls use it to the last increment. */
static bool is_package(const char *id)
{
	return !strncmp(id, "sub_", 4);
}


/* As api_v1.lease_take() does it. */
static int64_t grant(int64_t free_micro, int64_t want_micro,
		     int64_t min_micro)
{
	const int64_t micro = min(min(want_micro, free_micro),
				  max(free_micro / 2, min_micro));

	return micro <= 0 || micro < min_micro ? 0 : micro;
}


bool call_test_knows(const struct call *call, const char *account_id)
{
	return !call->is_test || json_is_integer(
		json_object_get(call->books.ledger, account_id));
}


/* What was asked is answered, and what is asked then. */
static void orders_answer(struct call *call, const struct orders *o)
{
	int64_t taken[ORDERS_MAX] = {0};

	for (unsigned i = 0; i < o->n; i++) {
		const char *id = o->list[i].account_id;
		int64_t free_micro = json_integer_value(
			json_object_get(call->books.ledger, id));

		if (!call_test_knows(call, id))
			continue;
		for (unsigned k = 0; k < i; k++)
			if (!strcmp(o->list[k].account_id, id))
				free_micro -= taken[k];
		taken[i] = grant(free_micro, o->list[i].want_micro,
				 is_package(id) ? min(free_micro,
						      o->list[i].min_micro)
						: o->list[i].min_micro);
		funds_answer(call->books.funds, id, taken[i], true,
			     o->list[i].ticket);
	}
}


static int drafts_make(struct books *b, const struct worker *w,
		       struct orders *orders)
{
	int err;

	err = channels_draft(&b->channels, w->channels);
	err |= tallies_draft(&b->tallies, w->tallies);
	err |= tallies_draft(&b->dialed, w->dialed);
	err |= spends_draft(&b->spends, w->spends);
	err |= funds_draft(&b->funds, w->funds, order_put, orders);

	return err;
}


static void drafts_drop(struct books *b)
{
	mem_deref(b->channels);
	mem_deref(b->tallies);
	mem_deref(b->dialed);
	mem_deref(b->spends);
	mem_deref(b->funds);
}


static json_t *decide(struct worker *w, const struct test *t,
		      const struct sip_msg *invite,
		      const struct gate_verdict *who,
		      const struct books *books, const struct orders *orders)
{
	const struct moment now = w->now;
	struct call *call = call_alloc(w);
	json_t *res;

	if (!call)
		return refusal("no_memory", "");

	/* another time of day: the catalog's times are all wall times */
	if (t->at_ms) {
		w->now.wall_us = t->at_ms * 1000;
		call->begun_wall_ms = t->at_ms;
	}

	call->is_test = true;
	call->books = *books;
	call_begin(call, invite, &t->path, who);
	call_decide(call, invite, &t->path, who);
	orders_answer(call, orders);
	res = answer(call);
	mem_deref(call);
	w->now = now;

	return res;
}


static json_t *run(struct worker *w, const struct test *t,
		   const struct sip_msg *invite,
		   const struct gate_verdict *who)
{
	struct orders orders = {.n = 0};
	struct books books = {.ledger = t->ledger};
	json_t *res;

	res = drafts_make(&books, w, &orders)
		      ? refusal("no_memory", "")
		      : decide(w, t, invite, who, &books, &orders);
	drafts_drop(&books);

	return res;
}


json_t *call_test(struct worker *w, const json_t *req)
{
	struct test t = {.at_ms = 0};
	const char *wrong = test_read(w, &t, req);
	struct gate_verdict who;
	struct sip_msg *invite;
	json_t *res;

	if (wrong)
		return refusal("bad_route_test", wrong);

	invite = invite_make(&t);
	if (!invite)
		return refusal("bad_route_test", "message");

	who = gate_test(w->gate, &w->now, w->cat, invite, &t.path,
			t.as.trunk || t.as.gateway ? &t.as : NULL);
	res = who.trunk || who.gateway
		      ? run(w, &t, invite, &who)
		      : refusal("unknown_source",
				"the address is of no trunk or gateway");
	mem_deref(invite);

	return res;
}
