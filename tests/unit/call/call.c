/**
 * @file call.c  A call from INVITE to record, and what an observer sees of it.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"
#include "text.h"

#define NUMBER "00492211"


struct seen {
	enum tap_kind kind[64];
	enum tap_leg leg[64];
	enum tap_dir dir[64];
	uint64_t seq[64];
	char first[64][32];
	char called[24];
	char parties[400];   /* "C" calling, "D" called, "F" forwarding */
	size_t n, bytes, gone_n, gone_after;
	uint8_t call[16];
};


static void note(const struct tap_event *ev, void *arg)
{
	struct seen *s = arg;
	const char *line = ev->bytes ? (const char *)ev->bytes : "";

	cr_assert_lt(s->n, 64u);
	if (s->n)
		cr_expect_arr_eq(s->call, ev->call, 16);
	memcpy(s->call, ev->call, 16);
	if (ev->kind == TAP_CALL_PARTY) {
		const size_t len = strlen(s->parties);

		(void)text_format(s->parties + len, sizeof(s->parties) - len,
				  "%c %.*s\n", "CDF"[ev->party.role],
				  (int)ev->party.len, ev->party.text);
		return;
	}
	if (ev->kind == TAP_CALL_GONE) {
		s->gone_n++;
		s->gone_after = s->n;
		return;
	}
	s->kind[s->n] = ev->kind;
	s->leg[s->n] = ev->leg;
	s->dir[s->n] = ev->dir;
	s->seq[s->n] = ev->seq;
	(void)text_set(s->first[s->n], 32, line, ev->bytes ? 11 : 0);
	if (ev->kind == TAP_CALL_BEGIN)
		(void)text_copy(s->called, sizeof(s->called), ev->called);
	s->bytes += ev->len;
	s->n++;
}


static void answered_call(struct exchange *x)
{
	exchange_invite(x, "one", NUMBER, "", exchange_sdp(PBX, 6000, ""));
	exchange_answer(x, FIRST, "INVITE", "100 Trying", "", NULL);
	exchange_answer(x, FIRST, "INVITE", "180 Ringing", "", NULL);
	exchange_answer(x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_in_dialog(x, "one", "ACK", 1, "", NULL);
}


Test(call, from_invite_to_a_priced_record)
{
	const struct cdr_call *r;
	struct exchange x;

	exchange_open(&x);
	answered_call(&x);
	cr_expect_eq(x.begin_n, 1);
	cr_expect_eq(x.answer_n, 1);
	exchange_run(&x, 61000);
	exchange_in_dialog(&x, "one", "BYE", 2,
			   "Reason: Q.850;cause=31\n", NULL);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 200"));
	cr_expect(strstr(exchange_last(&x, FIRST, "BYE"), "cause=31"));
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);

	r = exchange_record(&x);
	cr_expect_str_eq(r->call.outcome, "ok");
	cr_expect_str_eq(r->call.initiator, "calling");
	cr_expect_str_eq(r->call.called_received, NUMBER);
	cr_expect_str_eq(r->call.called, "+492211");
	cr_expect_str_eq(r->call.reason_received, "Q.850;cause=31");
	cr_expect_eq(r->call.q850, 31);
	cr_expect_eq(r->call.duration_ms, 61000);
	cr_expect_eq(r->call.price_micro, 61000);
	cr_expect_eq(r->call.b_sip_code, 200);
	cr_expect(!r->call.clock_stepped);
	cr_expect_eq(r->attempt_n, 1);
	cr_expect_eq(r->charge_n, 2);
	cr_expect_eq(r->charges[0].amount_micro, 61000);
	exchange_close(&x);
	/* what was not spent went back */
	cr_expect_eq(x.balance_micro, 10000000 - 61000);
}


/* Somebody sets the wall clock back: the call lasts what it lasts. */
Test(call, a_clock_that_is_set_changes_no_duration)
{
	const struct cdr_call *r;
	struct exchange x;

	exchange_open(&x);
	answered_call(&x);
	exchange_run(&x, 30000);
	x.now.wall_us -= 3600000000;
	exchange_run(&x, 31000);
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);

	r = exchange_record(&x);
	cr_expect_eq(r->call.duration_ms, 61000);
	cr_expect_eq(r->call.price_micro, 61000);
	cr_expect(r->call.clock_stepped);
	cr_expect_lt(r->call.ended_at, r->call.started_at);
	exchange_close(&x);
}


/* Verbatim, in the order of the wire, without a gap. */
Test(call, an_observer_sees_every_message)
{
	static const char *const order[] = {
		"", "INVITE sip:", "SIP/2.0 100", "INVITE sip:", "SIP/2.0 100",
		"SIP/2.0 180", "SIP/2.0 180", "SIP/2.0 200", "ACK sip:c@1",
		"SIP/2.0 200", "", "ACK sip:198",
		"BYE sip:198", "SIP/2.0 200", "BYE sip:c@1", "", "SIP/2.0 200",
	};
	uint64_t seq[3][2] = {{0}};
	struct seen s = {.n = 0};
	struct exchange x;
	size_t sent = 0;

	exchange_open(&x);
	cr_assert_eq(tap_attach(note, &s), 0);
	answered_call(&x);
	exchange_run(&x, 1000);
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	cr_expect_eq(s.gone_n, 0); /* more could come */
	exchange_run(&x, 40000);
	cr_expect_eq(s.gone_n, 1);
	cr_expect_eq(s.gone_after, s.n);
	tap_detach(note, &s);

	cr_assert_eq(s.n, ARRAY_SIZE(order));
	for (size_t i = 0; i < s.n; i++) {
		cr_expect_str_eq(s.first[i], order[i], "%zu: %s", i,
				 s.first[i]);
		if (s.kind[i] == TAP_SIP)
			cr_expect_eq(s.seq[i], seq[s.leg[i]][s.dir[i]]++,
				     "%zu", i);
	}
	cr_expect_str_eq(s.called, "+492211");
	cr_expect_str_eq(s.parties, "C +4930100\nD +492211\n"
				    "C sip:+4930100@10.1.0.1\nD sip:00492211@10.0.0.1\n"
				    "D sip:00492211@10.0.0.1\n"
				    "C +4930100\nD +492211\n"
				    "D sip:+492211@10.2.0.1:5060\n");
	for (size_t i = 0; i < x.letter_n; i++)
		sent += strlen(x.letters[i].text);
	cr_expect_gt(s.bytes, sent); /* and what came in */
	exchange_close(&x);
}


/* Who comes in mid-call sees from the sequence number what it missed. */
Test(call, an_observer_may_come_late)
{
	struct seen s = {.n = 0};
	struct exchange x;

	exchange_open(&x);
	answered_call(&x);
	cr_assert_eq(tap_attach(note, &s), 0);
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	tap_detach(note, &s);
	cr_assert_gt(s.n, 0u);
	cr_expect_str_eq(s.first[0], "BYE sip:198");
	cr_expect_eq(s.seq[0], 2); /* after INVITE and ACK */
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	exchange_close(&x);
}


Test(call, next_carrier_and_its_early_media)
{
	const struct cdr_call *r;
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", NUMBER, "", exchange_sdp(PBX, 6000, ""));
	exchange_run(&x, 40);
	exchange_answer(&x, FIRST, "INVITE", "183 Session Progress", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_answer(&x, FIRST, "INVITE", "503 Service Unavailable", "",
			NULL);
	cr_assert(exchange_last(&x, SECOND, "INVITE"));

	/* an answer without SDP has none: what the first said is not its */
	exchange_answer(&x, SECOND, "INVITE", "200 OK", "", NULL);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 488"));
	cr_expect(exchange_last(&x, SECOND, "BYE"));
	exchange_answer(&x, SECOND, "BYE", "200 OK", "", NULL);

	r = exchange_record(&x);
	cr_expect_str_eq(r->call.outcome, "carrier_media");
	cr_expect_eq(r->attempt_n, 2);
	cr_expect_str_eq(r->attempts[0].outcome, "carrier_congested");
	cr_expect_str_eq(r->attempts[1].gateway_id, "gwy_2");
	cr_expect_eq(r->attempts[0].pdd_ms, 40);
	cr_expect_eq(r->attempts[1].pdd_ms, CDR_NULL);
	cr_expect_eq(r->call.price_micro, 0);
	exchange_close(&x);
}


Test(call, a_busy_number_is_not_tried_again)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", NUMBER, "", exchange_sdp(PBX, 6000, ""));
	exchange_answer(&x, FIRST, "INVITE", "486 Busy Here",
			"Reason: Q.850;cause=17\n", NULL);
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 486"));
	cr_expect_null(exchange_last(&x, SECOND, "INVITE"));
	cr_expect_str_eq(exchange_record(&x)->call.initiator, "called");
	exchange_close(&x);
}


Test(call, max_forwards_end_a_loop)
{
	struct exchange x;

	exchange_open(&x);
	exchange_invite(&x, "one", NUMBER, "Max-Forwards: 1\n",
			exchange_sdp(PBX, 6000, ""));
	cr_expect_str_eq(exchange_header(exchange_last(&x, FIRST, "INVITE"),
					 "Max-Forwards"), "0");
	exchange_answer(&x, FIRST, "INVITE", "486 Busy", "", NULL);

	exchange_invite(&x, "two", NUMBER, "Max-Forwards: 0\n",
			exchange_sdp(PBX, 6000, ""));
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 483"));
	cr_expect_eq(exchange_count(&x, FIRST, "INVITE"), 1);
	exchange_close(&x);
}


/* What is deleted under a call takes neither the call nor its record... */
Test(call, what_is_deleted_in_mid_call)
{
	const struct cdr_call *r;
	struct exchange x;

	exchange_open(&x);
	answered_call(&x);
	exchange_put(&x, "address", "adr_1", NULL);
	exchange_put(&x, "did", "did_1", NULL);
	exchange_put(&x, "route", "rte_1", NULL);
	exchange_put(&x, "gateway", "gwy_1", NULL);
	exchange_put(&x, "rate_deck", "dck_1", NULL);
	exchange_run(&x, 30000);
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	cr_expect(exchange_last(&x, FIRST, "BYE"));
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	r = exchange_record(&x);
	cr_expect_eq(r->call.price_micro, 30000);
	cr_expect_str_eq(r->call.trunk_id, "trk_1");
	exchange_close(&x);
}


/* ... but its trunk: who has none may not call. The record is whole. */
Test(call, a_trunk_deleted_in_mid_call_ends_it)
{
	const struct cdr_call *r;
	struct exchange x;

	exchange_open(&x);
	answered_call(&x);
	exchange_run(&x, 3000);
	exchange_put(&x, "trunk", "trk_1", NULL);
	exchange_run(&x, 100);
	cr_expect(exchange_last(&x, FIRST, "BYE"));
	cr_expect(exchange_last(&x, PBX, "BYE"));
	r = exchange_record(&x);
	cr_expect_str_eq(r->call.outcome, "suspended");
	cr_expect_str_eq(r->call.trunk_id, "trk_1");
	cr_expect_gt(r->call.price_micro, 0);
	exchange_close(&x);
}


/* The process ends: both sides are told and the record is written. */
Test(call, stop_ends_every_call)
{
	static const char stop[] = "{\"op\":\"stop\"}";
	struct exchange x;

	exchange_open(&x);
	answered_call(&x);
	exchange_invite(&x, "two", NUMBER, "", exchange_sdp(PBX, 6002, ""));
	exchange_answer(&x, FIRST, "INVITE", "180 Ringing", "", NULL);
	exchange_run(&x, 3000);
	free(worker_command(x.worker, &x.now, stop, sizeof(stop) - 1));

	cr_expect(exchange_last(&x, PBX, "BYE"));
	cr_expect(exchange_last(&x, FIRST, "BYE"));
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 503"));
	cr_expect(exchange_last(&x, FIRST, "CANCEL"));
	cr_expect_eq(x.end_n, 2);
	exchange_close(&x);
}


/* A disk that refuses: nobody is admitted, but an emergency call is. */
Test(call, without_a_journal_only_emergency_calls)
{
	struct exchange x;

	exchange_open(&x);
	x.is_sick = true;
	exchange_invite(&x, "one", NUMBER, "", exchange_sdp(PBX, 6000, ""));
	cr_expect(exchange_last(&x, PBX, "SIP/2.0 503"));
	cr_expect_str_eq(x.ends[0].call.outcome, "journal_down");
	exchange_invite(&x, "two", "112", "", exchange_sdp(PBX, 6002, ""));
	cr_expect(exchange_last(&x, FIRST, "INVITE sip:112@"));
	exchange_answer(&x, FIRST, "INVITE", "200 OK", "",
			exchange_sdp(FIRST, 7000, ""));
	exchange_in_dialog(&x, "two", "ACK", 1, "", NULL);
	exchange_in_dialog(&x, "two", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	cr_expect_eq(x.end_n, 2);
	cr_expect(x.ends[1].call.is_emergency);
	exchange_close(&x);
}


/* What names us names the public address: Via, Contact, From, To. */
Test(call, our_inside_address_crosses_nowhere)
{
	struct exchange x;

	exchange_open(&x);
	answered_call(&x);
	exchange_in_dialog(&x, "one", "BYE", 2, "", NULL);
	exchange_answer(&x, FIRST, "BYE", "200 OK", "", NULL);
	for (size_t i = 0; i < x.letter_n; i++) {
		const char *text = x.letters[i].text;

		if (!strcmp(x.letters[i].to, FIRST))
			cr_expect_null(strstr(text, "10.1.0.1"), "%s", text);
		if (!strcmp(x.letters[i].to, FIRST))
			cr_expect(strstr(exchange_header(text, "Via"),
					 "198.51.100.7:5060"));
		cr_expect_null(strstr(exchange_header(text, "Contact"),
				      "10.0.0.1"), "%s", text);
	}
	exchange_close(&x);
}


/* The binding was saved when the node had more sockets than now. */
Test(call, a_binding_of_a_socket_that_is_gone)
{
	static const char file[] =
		"{\"version\":1,\"contacts\":[{\"trunk\":\"trk_1\","
		"\"username\":\"pbx\",\"uri\":\"sip:pbx@10.1.0.1:5060\","
		"\"local\":\"10.9.0.1:5060\",\"peer\":\"10.1.0.1:5060\","
		"\"transport\":0,\"sock\":60000,\"q\":1000,"
		"\"expires_wall_ms\":1795000060000,\"user_agent\":\"\","
		"\"call_id\":\"r\",\"cseq\":1}]}";
	struct exchange x;

	exchange_open(&x);
	cr_assert_eq(worker_restore(x.worker, &x.now, file,
				    sizeof(file) - 1), 0);
	exchange_recv(&x, FIRST,
		      "INVITE sip:+4930100@10.0.0.1 SIP/2.0\n"
		      "Via: SIP/2.0/UDP 10.2.0.1:5060;branch=z9hG4bKi\n"
		      "From: <sip:+44123@10.2.0.1>;tag=i\n"
		      "To: <sip:+4930100@10.0.0.1>\nCall-ID: i\n"
		      "CSeq: 1 INVITE\nContact: <sip:c@10.2.0.1>\n",
		      exchange_sdp(FIRST, 7000, ""));
	cr_expect(exchange_last(&x, PBX, "INVITE sip:pbx@10.1.0.1"));
	exchange_answer(&x, PBX, "INVITE", "486 Busy", "", NULL);
	exchange_run(&x, 60000);
	exchange_close(&x);
}
