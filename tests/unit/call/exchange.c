/** @file exchange.c  See exchange.h. */
#include "json.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "decision_answer.h"
#include "exchange.h"
#include "text.h"

#define START_WALL_US 1795000000000000
#define START_MONO_US 5000000

struct media_session {
	struct exchange *x;
	uint8_t n;
};

static const struct {
	const char *kind, *id, *json;
} rows[] = {
	{"tenant", "ten_1", "{\"name\":\"One\",\"status\":\"active\"}"},
	{"account", "acc_1", "{\"tenant_id\":\"ten_1\",\"currency\":\"EUR\","
	 "\"status\":\"active\",\"type\":\"prepaid\"}"},
	{"rate_deck", "dck_1", "{\"currency\":\"EUR\",\"status\":\"active\","
	 "\"rounding_mode\":\"half_even\",\"rounding_decimals\":6,"
	 "\"rate_version\":1}"},
	{"trunk", "trk_1", "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
	 "\"rate_deck_id\":\"dck_1\",\"status\":\"active\",\"direction\":"
	 "\"both\",\"cli_policy\":\"owned\",\"default_cli\":\"+4930100\","
	 "\"channels_out\":2,\"number_in\":[{\"prefix\":\"00\",\"strip\":2,"
	 "\"add\":\"+\"},{\"prefix\":\"+\"}],\"uri_host\":\"10.1.0.1\","
	 "\"uri_port\":5060,\"max_call_s\":600,\"ring_timeout_s\":60,"
	 "\"media_timeout_s\":20}"},
	{"carrier", "car_1", "{\"name\":\"C1\",\"status\":\"active\","
	 "\"rate_deck_id\":\"dck_1\"}"},
	{"gateway", "gwy_1", "{\"carrier_id\":\"car_1\",\"status\":\"active\","
	 "\"address\":\"10.2.0.1\",\"port\":5060,\"no_response_ms\":4000,"
	 "\"number_in\":[{\"prefix\":\"+\"}]}"},
	{"gateway", "gwy_2", "{\"carrier_id\":\"car_1\",\"status\":\"active\","
	 "\"address\":\"10.2.0.2\",\"port\":5060,\"no_response_ms\":4000,"
	 "\"number_in\":[{\"prefix\":\"+\"}]}"},
	{"address", "adr_1", "{\"trunk_id\":\"trk_1\",\"cidr\":\"10.1.0.1\"}"},
	{"address", "adr_2", "{\"gateway_id\":\"gwy_1\","
	 "\"cidr\":\"10.2.0.1\"}"},
	{"address", "adr_3", "{\"gateway_id\":\"gwy_2\","
	 "\"cidr\":\"10.2.0.2\"}"},
	{"did", "did_1", "{\"e164\":\"+4930100\",\"trunk_id\":\"trk_1\","
	 "\"status\":\"active\"}"},
	{"route", "rte_1", "{\"kind\":\"prefix\",\"prefix\":\"49\","
	 "\"status\":\"active\",\"targets\":["
	 "{\"gateway_id\":\"gwy_1\",\"priority\":1,\"weight\":1},"
	 "{\"gateway_id\":\"gwy_2\",\"priority\":2,\"weight\":1}]}"},
	{"route", "rte_2", "{\"kind\":\"emergency\",\"prefix\":\"112\","
	 "\"status\":\"active\",\"targets\":["
	 "{\"gateway_id\":\"gwy_1\",\"priority\":1,\"weight\":1}]}"},
};


static void settle(struct exchange *x);


/* --- doors */

static int send_door(const struct sip_path *path, const uint8_t *buf,
		     size_t len, void *arg)
{
	struct exchange *x = arg;
	struct letter *l;

	cr_assert_lt(x->letter_n, (size_t)LETTERS_MAX);
	l = &x->letters[x->letter_n++];
	(void)re_snprintf(l->to, sizeof(l->to), "%j", &path->peer);
	cr_assert_eq(text_set(l->text, sizeof(l->text), (const char *)buf,
			      len), 0);

	return 0;
}


static int journal_door(const uint8_t *frame, size_t len, uint64_t *ret_seq,
			void *arg)
{
	struct exchange *x = arg;
	struct journal_record rec;

	cr_assert_eq(journal_frame(frame, len, &rec), 0);
	if (rec.type == JOURNAL_BEGIN && x->is_sick)
		return EIO;

	*ret_seq = ++x->seq;
	x->begin_n += rec.type == JOURNAL_BEGIN;
	x->answer_n += rec.type == JOURNAL_ANSWER;
	if (rec.type == JOURNAL_END) {
		cr_assert_lt(x->end_n, (size_t)RECORDS_MAX);
		cr_assert_eq(journal_decode_call(&rec, &x->ends[x->end_n++]),
			     0);
	}

	return 0;
}


static int refuses_door(void *arg)
{
	const struct exchange *x = arg;

	return x->is_sick ? EIO : 0;
}


static int lease_door(const struct lease_order *order, void *arg)
{
	struct exchange *x = arg;

	if (order->want_micro < 0) {
		x->balance_micro -= order->want_micro;
		return 0;
	}
	if (x->order_n == 8)
		return ENOBUFS;

	(void)text_copy(x->order_ids[x->order_n], ID_SIZE,
			order->account_id);
	x->orders[x->order_n++] = *order;

	return 0;
}


static int ask_door(const struct decision_question *q, void *arg)
{
	struct exchange *x = arg;

	if (x->is_asker_full)
		return EAGAIN;

	x->question_n++;
	x->ticket = q->ticket;
	memcpy(x->asked_about, q->call_id, sizeof(x->asked_about));
	TEXT_FILL(x->asked_url, q->url->url);
	TEXT_FILL(x->asked_id, q->id);
	cr_assert_eq(text_set(x->question, sizeof(x->question), q->body,
			      q->len), 0);

	return 0;
}


void exchange_decide(struct exchange *x, const char *body)
{
	struct decision_answer answer = {.ticket = x->ticket,
					 .http_status = 200};

	memcpy(answer.call_id, x->asked_about, sizeof(answer.call_id));
	decision_answer_read(&answer, body, strlen(body));
	worker_decided(x->worker, &x->now, &answer);
	settle(x);
}


static int open_door(struct media_session **sp, uint8_t n,
		     const uint8_t call[16], void *arg)
{
	struct media_session *s = calloc(1, sizeof(*s));

	(void)call;
	s->x = arg;
	s->n = n;
	s->x->sessions++;
	*sp = s;

	return 0;
}


static int grow_door(struct media_session *s, uint8_t n)
{
	s->n = n;

	return 0;
}


static void point_door(struct media_session *s, enum media_side side,
		       uint8_t stream, const struct sa *rtp,
		       const struct sa *rtcp, uint32_t clock_hz,
		       bool is_strict)
{
	(void)rtcp;
	(void)clock_hz;
	(void)is_strict;
	cr_assert_lt(stream, s->n);
	if (!stream)
		s->x->pointed[side] = *rtp;
}


static void stats_door(const struct media_session *s, enum media_side side,
		       uint8_t stream, struct media_stats *ret)
{
	const struct exchange *x = s->x;

	(void)side;
	memset(ret, 0, sizeof(*ret));
	if (stream || x->is_quiet)
		return;
	ret->packets = 100;
	ret->bytes = 17200;
	ret->last_us = x->now.mono_us;
}


static uint16_t port_door(const struct media_session *s, enum media_side side,
			  uint8_t stream)
{
	cr_assert_lt(stream, s->n);

	return (uint16_t)(40000 + 4 * stream + 2 * side);
}


static const struct sa *addr_door(const struct media_session *s,
				  enum media_side side)
{
	static struct sa ours;

	(void)s;
	(void)side;
	(void)sa_set_str(&ours, "10.0.0.1", 0);

	return &ours;
}


static void close_door(struct media_session *s)
{
	s->x->sessions--;
	free(s);
}


static void census_door(size_t *ret_sessions, size_t *ret_ports, void *arg)
{
	const struct exchange *x = arg;

	*ret_sessions = x->sessions;
	*ret_ports = 0;
}


static void event_door(const struct event *ev, void *arg)
{
	struct exchange *x = arg;

	if (x->event_n < EVENTS_MAX)
		x->events[x->event_n] = *ev;
	x->event_n++;
}


size_t exchange_told(const struct exchange *x, enum event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < x->event_n && i < EVENTS_MAX; i++)
		n += x->events[i].kind == kind;

	return n;
}


/* --- life */

void exchange_put(struct exchange *x, const char *kind, const char *id,
		  const char *text)
{
	json_t *row = text ? json_loads(text, 0, NULL) : NULL;
	struct snapshot *snap;
	char why[256] = "";

	cr_assert(row || !text, "bad JSON: %s", text);
	cr_assert_eq(catalog_store_put(x->store, kind, id, ++x->version, row,
				       why, sizeof(why)), 0, "%s", why);
	json_decref(row);
	if (!x->worker)
		return;

	cr_assert_eq(catalog_store_publish(x->store, x->slot), 0);
	snap = snapshot_acquire(x->slot);
	worker_catalog(x->worker, &x->now, snap);
	snapshot_release(snap);
}


static void rates_put(struct exchange *x)
{
	struct rate rate = {
		.prefix = "49",
		.destination = "Germany",
		.tariff = {.rate_per_min_nano = 60000000, .first_ms = 1000,
			   .next_ms = 1000},
		.to_ms = INT64_MAX,
	};

	cr_assert_eq(catalog_store_put_rate(x->store, "dck_1", &rate), 0);
}


void exchange_open(struct exchange *x)
{
	struct worker_config cfg = {
		.node = "test", .node_id = 1, .boot = 1, .sock_n = 1,
		.server_name = "Strowger", .t1_ms = 500, .t2_ms = 4000,
		.t4_ms = 5000, .calls_max = 10, .nonce_life_s = 300,
		.fund_wait_ms = 1500, .fund_chunk_s = 60, .lease_epoch = 1,
		.expires_min_s = 60, .expires_max_s = 3600,
		.expires_default_s = 600,
	};
	const struct worker_doors doors = {
		.sendh = send_door, .journalh = journal_door,
		.refusesh = refuses_door, .leaseh = lease_door,
		.askh = ask_door, .eventh = event_door, .arg = x,
		.media = {.openh = open_door, .growh = grow_door,
			  .pointh = point_door, .statsh = stats_door,
			  .porth = port_door, .addrh = addr_door,
			  .closeh = close_door, .censush = census_door,
			  .arg = x},
	};

	memset(x, 0, sizeof(*x));
	x->letters = calloc(LETTERS_MAX, sizeof(*x->letters));
	x->ends = calloc(RECORDS_MAX, sizeof(*x->ends));
	x->balance_micro = 10000000;
	x->now.mono_us = START_MONO_US;
	x->now.wall_us = START_WALL_US;
	cr_assert_eq(catalog_store_alloc(&x->store), 0);
	cr_assert_eq(snapshot_slot_alloc(&x->slot), 0);
	for (size_t i = 0; i < ARRAY_SIZE(rows) - 1; i++)
		exchange_put(x, rows[i].kind, rows[i].id, rows[i].json);
	rates_put(x);

	cr_assert_eq(rng_seeded(&x->rng, 1), 0);
	(void)sa_set_str(&cfg.socks[0].local, "10.0.0.1", 5060);
	(void)sa_set_str(&cfg.socks[0].public, "198.51.100.7", 5060);
	cr_assert_eq(worker_alloc(&x->worker, &cfg, &doors, x->rng, &x->now),
		     0);
	worker_lease_until(x->worker, &x->now, UINT64_MAX);
	exchange_put(x, "route", "rte_2", rows[ARRAY_SIZE(rows) - 1].json);
}


void exchange_close(struct exchange *x)
{
	struct worker_census c;

	exchange_run(x, 250000);
	worker_census(x->worker, &c);
	cr_expect_eq(c.calls, 0);
	cr_expect_eq(c.client_tx + c.server_tx, 0);
	cr_expect_eq(c.dialogs, 0);
	cr_expect_eq(c.channels, 0);
	cr_expect_eq(c.fund_holds, 0);
	cr_expect_eq(c.media_sessions, 0);
	cr_expect_eq(c.bugs, 0);
	cr_expect_eq(c.calls_begun, x->end_n);
	cr_expect(x->event_n > EVENTS_MAX ||
		  (exchange_told(x, EVENT_CALL_STARTED) == x->end_n &&
		   exchange_told(x, EVENT_CALL_ENDED) == x->end_n));

	mem_deref(x->worker);
	mem_deref(x->rng);
	mem_deref(x->store);
	snapshot_slot_free(x->slot);
	free(x->letters);
	free(x->ends);
}


static void settle(struct exchange *x)
{
	while (x->order_n && !x->is_ledger_silent) {
		const struct lease_order o = x->orders[0];
		char id[ID_SIZE];
		/* not all of it, as api_v1.lease_take() */
		int64_t grant = min(o.want_micro, max(x->balance_micro / 2,
						      o.min_micro));

		(void)text_copy(id, sizeof(id), x->order_ids[0]);
		x->order_n--;
		memmove(x->orders, x->orders + 1,
			x->order_n * sizeof(*x->orders));
		memmove(x->order_ids, x->order_ids + 1,
			x->order_n * sizeof(*x->order_ids));
		if (grant < o.min_micro || grant > x->balance_micro)
			grant = 0;
		x->balance_micro -= grant;
		worker_leased(x->worker, &x->now, id, grant, true, o.ticket);
	}
	worker_journalled(x->worker, &x->now, x->seq);
}


void exchange_run(struct exchange *x, uint64_t ms)
{
	const uint64_t end_us = x->now.mono_us + ms * 1000;

	settle(x);
	for (;;) {
		const uint64_t next_ms = worker_next_ms(x->worker);
		const uint64_t left_ms = (end_us - x->now.mono_us) / 1000;
		const uint64_t step_ms = next_ms < left_ms ? next_ms : left_ms;

		x->now.mono_us += step_ms * 1000;
		x->now.wall_us += (int64_t)step_ms * 1000;
		worker_advance(x->worker, &x->now);
		settle(x);
		if (x->now.mono_us >= end_us && worker_next_ms(x->worker))
			break;
	}
}


/* --- messages */

void exchange_recv(struct exchange *x, const char *from, const char *head,
		   const char *sdp)
{
	struct sip_path path = {.transport = SIP_TRANSP_UDP};
	struct mbuf *mb = mbuf_alloc(2048);

	for (; *head; head++) {
		if (*head == '\n')
			(void)mbuf_write_u8(mb, '\r');
		(void)mbuf_write_u8(mb, (uint8_t)*head);
	}
	if (sdp)
		(void)mbuf_write_str(mb, "Content-Type: application/sdp\r\n");
	(void)mbuf_printf(mb, "Content-Length: %zu\r\n\r\n%s",
			  sdp ? strlen(sdp) : 0, sdp ? sdp : "");

	(void)sa_set_str(&path.local, "10.0.0.1", 5060);
	(void)sa_set_str(&path.peer, from, 5060);
	worker_recv(x->worker, &x->now, &path, mb->buf, mb->end);
	settle(x);
	mem_deref(mb);
}


void exchange_invite(struct exchange *x, const char *id, const char *to,
		     const char *extra, const char *sdp)
{
	char head[2048];

	(void)snprintf(head, sizeof(head),
		       "INVITE sip:%s@10.0.0.1 SIP/2.0\n"
		       "Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK%s\n"
		       "From: <sip:+4930100@10.1.0.1>;tag=%s\n"
		       "To: <sip:%s@10.0.0.1>\nCall-ID: %s\nCSeq: 1 INVITE\n"
		       "Contact: <sip:pbx@10.1.0.1>\n%s",
		       to, id, id, to, id, extra);
	exchange_recv(x, PBX, head, sdp);
}


void exchange_answer(struct exchange *x, const char *from, const char *method,
		     const char *status, const char *extra, const char *sdp)
{
	const char *request = exchange_last(x, from, method);
	char head[2048], via[512], to[256], call_id[128], cseq[64];

	cr_assert(request, "no %s went to %s", method, from);
	strcpy(via, exchange_header(request, "Via"));
	strcpy(to, exchange_header(request, "To"));
	strcpy(call_id, exchange_header(request, "Call-ID"));
	strcpy(cseq, exchange_header(request, "CSeq"));
	(void)snprintf(head, sizeof(head),
		       "SIP/2.0 %s\nVia: %s\nFrom: %s\nTo: %s%s\n"
		       "Call-ID: %s\nCSeq: %s\nContact: <sip:c@%s>\n%s",
		       status, via, exchange_header(request, "From"), to,
		       strstr(to, "tag=") ? "" : ";tag=carrier", call_id,
		       cseq, from, extra);
	exchange_recv(x, from, head, sdp);
}


void exchange_in_dialog(struct exchange *x, const char *id,
			const char *method, unsigned cseq, const char *extra,
			const char *sdp)
{
	const char *ok = exchange_last(x, PBX, "SIP/2.0 ");
	char head[2048], to[256], contact[128];
	size_t len;

	strcpy(to, exchange_header(ok, "To"));
	ok = exchange_last(x, PBX, "SIP/2.0 200");
	if (ok)
		strcpy(to, exchange_header(ok, "To"));
	(void)snprintf(contact, sizeof(contact), "%s",
		       ok ? exchange_header(ok, "Contact") + 1
			  : "sip:10.0.0.1:5060>");
	len = strcspn(contact, ">");
	(void)snprintf(head, sizeof(head),
		       "%s %.*s SIP/2.0\n"
		       "Via: SIP/2.0/UDP 10.1.0.1:5060;branch=z9hG4bK%s%s%u\n"
		       "From: <sip:+4930100@10.1.0.1>;tag=%s\nTo: %s\n"
		       "Call-ID: %s\nCSeq: %u %s\n"
		       "Contact: <sip:pbx@10.1.0.1>\n%s",
		       method, (int)len, contact, id, method, cseq, id, to,
		       id, cseq, method, extra);
	exchange_recv(x, PBX, head, sdp);
}


const char *exchange_last(const struct exchange *x, const char *to,
			  const char *start)
{
	for (size_t i = x->letter_n; i-- > 0;)
		if (!strcmp(x->letters[i].to, to) &&
		    !strncmp(x->letters[i].text, start, strlen(start)))
			return x->letters[i].text;

	return NULL;
}


size_t exchange_count(const struct exchange *x, const char *to,
		      const char *start)
{
	size_t n = 0;

	for (size_t i = 0; i < x->letter_n; i++)
		n += !strcmp(x->letters[i].to, to) &&
		     !strncmp(x->letters[i].text, start, strlen(start));

	return n;
}


const char *exchange_header(const char *text, const char *name)
{
	static char value[4][512];
	static unsigned next;
	char *buf = value[next++ % 4];
	const char *at = text;

	buf[0] = '\0';
	while ((at = strstr(at, "\r\n"))) {
		at += 2;
		if (strncmp(at, name, strlen(name)) ||
		    at[strlen(name)] != ':')
			continue;
		at += strlen(name) + 1;
		at += strspn(at, " ");
		(void)text_set(buf, sizeof(value[0]), at, strcspn(at, "\r"));
		break;
	}

	return buf;
}


const struct cdr_call *exchange_record(const struct exchange *x)
{
	cr_assert_eq(x->end_n, 1, "%zu records", x->end_n);

	return &x->ends[0];
}


const char *exchange_sdp(const char *host, uint16_t port, const char *more)
{
	static char text[4][512];
	static unsigned next;
	char *buf = text[next++ % 4];

	(void)snprintf(buf, sizeof(text[0]),
		       "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\nc=IN IP4 %s\r\n"
		       "t=0 0\r\nm=audio %u RTP/AVP 8\r\n%s",
		       host, host, port, more);

	return buf;
}
