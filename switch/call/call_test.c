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

/** Who calls whom. */
struct test {
	struct peer as;           /**< all NULL: whoever the address is of  */
	struct sip_path path;
	const char *from, *to, *display, *message;
	bool is_private;
	const json_t *codecs;
	int64_t at_ms;            /**< 0: now                               */
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


static json_t *run(struct worker *w, const struct test *t,
		   const struct sip_msg *invite,
		   const struct gate_verdict *who)
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
	call_begin(call, invite, &t->path, who);
	call_decide(call, invite, &t->path, who);
	res = answer(call);
	mem_deref(call);
	w->now = now;

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
