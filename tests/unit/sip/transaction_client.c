/**
 * @file transaction_client.c  Every transition of RFC 3261 17.1 and RFC 6026
 * on the client's side, with exact schedules.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "transaction_client.h"
#include "world.h"

#define BRANCH "z9hG4bKoursoursoursoursoursours00"

static struct world w;
static struct client_tx *tx;
/* Counted, as every owner is; the last reference is this program's. */
static void *owner(void)
{
	static void *object;

	if (!object)
		object = mem_zalloc(1, NULL);

	return object;
}

/** What the handler was told, in order. */
static struct {
	int err;
	uint16_t scode;
	uint64_t at_ms;
} told[32];
static size_t told_n;
static bool is_letting_go;


static void open_world(void)
{
	world_open(&w);
}


static void close_world(void)
{
	tx = mem_deref(tx);
	world_close(&w);
}


static void answer_handler(struct client_tx *t, int err,
			   const struct sip_msg *msg, void *arg)
{
	cr_assert_eq(t, tx);
	cr_assert_eq(arg, &told);
	cr_assert_eq(err == 0, msg != NULL);
	cr_assert_lt(told_n, 32);

	told[told_n].err = err;
	told[told_n].scode = msg ? msg->scode : 0;
	told[told_n++].at_ms = w.now_ms;

	if (is_letting_go)
		tx = mem_deref(tx);
}


static int request(const char *method)
{
	char text[1024];
	const int n = re_snprintf(text, sizeof(text),
		"%s sip:b@carrier.example SIP/2.0\r\n"
		"Via: SIP/2.0/UDP 192.0.2.9:5060;branch=" BRANCH ";rport\r\n"
		"From: <sip:a@sw.example>;tag=ours\r\n"
		"To: <sip:b@carrier.example>\r\nCall-ID: ours-1\r\n"
		"CSeq: 7 %s\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		method, method);

	return client_tx_start(&tx, w.ep, &w.path, method, BRANCH,
			       (uint8_t *)text, (size_t)n, answer_handler,
			       &told, owner());
}


static void start(const char *method)
{
	cr_assert_eq(request(method), 0);
	cr_assert_eq(w.sent_n, 1);
}


static void answer_at(uint64_t at_ms, int scode, const char *method)
{
	world_until(&w, at_ms);
	world_recv(&w, "SIP/2.0 %d X\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=" BRANCH ";"
		   "received=192.0.2.9;rport=5060\r\n"
		   "From: <sip:a@sw.example>;tag=ours\r\n"
		   "To: <sip:b@carrier.example>;tag=theirs\r\n"
		   "Call-ID: ours-1\r\nCSeq: 7 %s\r\n\r\n", scode, method);
}


static void expect_alive(size_t n)
{
	struct endpoint_census census;

	endpoint_census(w.ep, &census);
	cr_expect_eq(census.client_tx, n, "%zu alive", census.client_tx);
	if (!n)
		cr_expect_eq(census.bytes_kept, 0);
}


TestSuite(client_tx, .init = open_world, .fini = close_world);


/* --- INVITE */

Test(client_tx, invite_unanswered)
{
	start("INVITE");
	world_until(&w, 40000);

	/* A doubles without end, B ends it at 64*T1 (17.1.1.2) */
	cr_assert_str_eq(world_times(&w, "INVITE"),
			 "0 500 1500 3500 7500 15500 31500");
	cr_assert_eq(told_n, 1);
	cr_assert_eq(told[0].err, ETIMEDOUT);
	cr_assert_eq(told[0].at_ms, 32000);
	expect_alive(0);
}


static void unreachable(const char *quoted)
{
	endpoint_unreachable(w.ep, endpoint_moment(w.ep), &w.path, (const uint8_t *)quoted,
			     strlen(quoted), ECONNREFUSED);
}


/* Only who has seen the request can end it by ICMP, and only from where it
   went to. */
Test(client_tx, icmp_ends_what_it_quotes)
{
	struct sip_path other;

	request("INVITE");
	other = w.path;
	(void)sa_set_str(&other.peer, "192.0.2.200", 5060);
	unreachable("INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch="
		    "z9hG4bKsomebodyelse;rport\r\n");
	unreachable("INVITE sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch="
		    BRANCH); /* may be cut in the middle */
	unreachable("CANCEL sip:b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch="
		    BRANCH ";rport\r\n");
	unreachable("");
	unreachable("INVITE");
	endpoint_unreachable(w.ep, endpoint_moment(w.ep), &other,
			     (const uint8_t *)w.sent[0].text,
			     strlen(w.sent[0].text), ECONNREFUSED);
	cr_expect_eq(told_n, 0);

	unreachable(w.sent[0].text);
	cr_assert_eq(told_n, 1);
	cr_expect_eq(told[0].err, ECONNREFUSED);
	world_until(&w, w.now_ms + 40000);
	cr_expect_eq(w.sent_n, 1, "no retransmission");
}


Test(client_tx, invite_provisional_stops_retransmission)
{
	start("INVITE");
	answer_at(700, 100, "INVITE");
	answer_at(800, 183, "INVITE");
	world_until(&w, 60000);

	cr_assert_str_eq(world_times(&w, "INVITE"), "0 500");
	cr_assert_eq(told_n, 2);
	cr_assert_eq(told[0].scode, 100);
	cr_assert_eq(told[1].scode, 183);
	expect_alive(1);
}


Test(client_tx, invite_accepted_passes_every_2xx)
{
	start("INVITE");
	answer_at(100, 200, "INVITE");
	answer_at(600, 200, "INVITE");
	answer_at(700, 486, "INVITE");
	answer_at(800, 180, "INVITE");

	cr_assert_eq(told_n, 2);
	cr_assert_eq(told[1].scode, 200);
	cr_assert_eq(world_count(&w, "ACK"), 0);

	/* Timer M: 64*T1 from the first 2xx */
	world_until(&w, 32090);
	expect_alive(1);
	world_until(&w, 32110);
	expect_alive(0);
}


Test(client_tx, invite_refused_is_acked_below)
{
	const struct sent *ack;

	start("INVITE");
	answer_at(100, 486, "INVITE");
	cr_assert_eq(told_n, 1);
	cr_assert_eq(told[0].scode, 486);

	ack = world_last(&w, "ACK");
	cr_assert_not_null(ack);
	cr_assert(strstr(ack->text, "branch=" BRANCH));
	cr_assert(strstr(ack->text, "To: <sip:b@carrier.example>;tag=theirs"));
	cr_assert(strstr(ack->text, "CSeq: 7 ACK\r\n"));

	/* again: ACK again, nobody is told; a 2xx now is ignored */
	answer_at(600, 486, "INVITE");
	answer_at(700, 503, "INVITE");
	answer_at(800, 200, "INVITE");
	cr_assert_str_eq(world_times(&w, "ACK"), "100 600 700");
	cr_assert_eq(told_n, 1);

	/* Timer D */
	world_until(&w, 32090);
	expect_alive(1);
	world_until(&w, 32110);
	expect_alive(0);
}


Test(client_tx, invite_over_a_stream)
{
	w.path.transport = SIP_TRANSP_TCP;
	start("INVITE");
	world_until(&w, 5000);
	cr_assert_eq(w.sent_n, 1);

	answer_at(5000, 486, "INVITE");
	cr_assert_eq(world_count(&w, "ACK"), 1);
	expect_alive(0);
}


/* --- Timer C */

Test(client_tx, timer_c_cancels_then_times_out)
{
	start("INVITE");
	answer_at(100, 100, "INVITE");
	answer_at(1000, 180, "INVITE");
	world_until(&w, 180990);
	cr_assert_eq(world_count(&w, "CANCEL"), 0);
	world_until(&w, 181010);
	cr_assert_eq(world_count(&w, "CANCEL"), 1);
	cr_assert_eq(told_n, 2);

	world_until(&w, 213010);
	cr_assert_eq(told_n, 3);
	cr_assert_eq(told[2].err, ETIMEDOUT);
	cr_assert_eq(told[2].at_ms, 213000);
	expect_alive(0);
}


Test(client_tx, timer_c_starts_anew_with_101_to_199_only)
{
	start("INVITE");
	answer_at(0, 100, "INVITE");
	answer_at(100000, 100, "INVITE");
	world_until(&w, 179990);
	cr_assert_eq(world_count(&w, "CANCEL"), 0);
	answer_at(179990, 183, "INVITE");
	world_until(&w, 359980);
	cr_assert_eq(world_count(&w, "CANCEL"), 0);
	world_until(&w, 360000);
	cr_assert_eq(world_count(&w, "CANCEL"), 1);
}


Test(client_tx, timer_c_then_487_is_a_timeout)
{
	start("INVITE");
	answer_at(0, 180, "INVITE");
	answer_at(180100, 487, "INVITE");

	cr_assert_eq(told_n, 2);
	cr_assert_eq(told[1].err, ETIMEDOUT);
	cr_assert_eq(world_count(&w, "ACK"), 1);
}


Test(client_tx, timer_c_crossed_by_2xx_is_an_answer)
{
	start("INVITE");
	answer_at(0, 180, "INVITE");
	answer_at(180100, 200, "INVITE");

	cr_assert_eq(told_n, 2);
	cr_assert_eq(told[1].err, 0);
	cr_assert_eq(told[1].scode, 200);
}


/* --- CANCEL */

Test(client_tx, cancel_waits_for_a_provisional_answer)
{
	const struct sent *cancel;

	start("INVITE");
	client_tx_cancel(tx, "Q.850;cause=16");
	client_tx_cancel(tx, NULL);
	world_until(&w, 600);
	cr_assert_eq(world_count(&w, "CANCEL"), 0);

	answer_at(600, 100, "INVITE");
	cancel = world_last(&w, "CANCEL");
	cr_assert_not_null(cancel);
	cr_assert(strstr(cancel->text, "branch=" BRANCH));
	cr_assert(strstr(cancel->text, "CSeq: 7 CANCEL\r\n"));
	cr_assert(strstr(cancel->text, "Reason: Q.850;cause=16\r\n"));
	expect_alive(2);

	answer_at(700, 200, "CANCEL");
	answer_at(800, 487, "INVITE");
	cr_assert_eq(told_n, 2);
	cr_assert_eq(told[1].scode, 487);
	cr_assert_eq(world_count(&w, "CANCEL"), 1);
}


Test(client_tx, cancel_at_once_when_proceeding)
{
	start("INVITE");
	answer_at(100, 180, "INVITE");
	client_tx_cancel(tx, "Q.850;cause=16\r\nX: injected");
	client_tx_cancel(tx, NULL);

	/* a transaction of its own: Timer E */
	world_until(&w, 2000);
	cr_assert_str_eq(world_times(&w, "CANCEL"), "100 600 1600");
	cr_assert_null(strstr(world_last(&w, "CANCEL")->text, "injected"));
}


Test(client_tx, cancel_without_final_answer)
{
	start("INVITE");
	answer_at(100, 180, "INVITE");
	client_tx_cancel(tx, NULL);
	answer_at(200, 200, "CANCEL");
	world_until(&w, 40000);

	cr_assert_eq(told_n, 2);
	cr_assert_eq(told[1].err, ETIMEDOUT);
	cr_assert_eq(told[1].at_ms, 32100);
	expect_alive(0);
}


Test(client_tx, cancel_without_any_answer)
{
	start("INVITE");
	client_tx_cancel(tx, NULL);
	world_until(&w, 40000);

	cr_assert_eq(world_count(&w, "CANCEL"), 0);
	cr_assert_eq(told_n, 1);
	cr_assert_eq(told[0].at_ms, 32000);
}


Test(client_tx, cancel_after_the_final_answer_is_nothing)
{
	start("INVITE");
	answer_at(100, 200, "INVITE");
	client_tx_cancel(tx, NULL);
	world_until(&w, 1000);

	cr_assert_eq(world_count(&w, "CANCEL"), 0);
}


Test(client_tx, cancel_when_others_is_nothing)
{
	start("OPTIONS");
	answer_at(100, 100, "OPTIONS");
	client_tx_cancel(tx, NULL);

	cr_assert_eq(world_count(&w, "CANCEL"), 0);
}


/* --- others */

Test(client_tx, other_unanswered)
{
	start("BYE");
	world_until(&w, 40000);

	/* E doubles up to T2, F ends it at 64*T1 (17.1.2.2) */
	cr_assert_str_eq(world_times(&w, "BYE"),
			 "0 500 1500 3500 7500 11500 15500 19500 23500 27500 "
			 "31500");
	cr_assert_eq(told_n, 1);
	cr_assert_eq(told[0].err, ETIMEDOUT);
	cr_assert_eq(told[0].at_ms, 32000);
	expect_alive(0);
}


Test(client_tx, other_provisional_slows_down)
{
	start("BYE");
	answer_at(600, 100, "BYE");
	world_until(&w, 40000);

	cr_assert_str_eq(world_times(&w, "BYE"),
			 "0 500 1500 5500 9500 13500 17500 21500 25500 29500");
	cr_assert_eq(told_n, 2);
	cr_assert_eq(told[1].err, ETIMEDOUT);
	cr_assert_eq(told[1].at_ms, 32000);
}


Test(client_tx, other_answered)
{
	start("BYE");
	answer_at(600, 200, "BYE");
	answer_at(700, 200, "BYE");
	cr_assert_eq(told_n, 1);
	cr_assert_eq(told[0].scode, 200);
	cr_assert_eq(world_count(&w, "ACK"), 0);

	/* Timer K */
	world_until(&w, 5590);
	expect_alive(1);
	world_until(&w, 5610);
	expect_alive(0);
}


Test(client_tx, other_over_a_stream)
{
	w.path.transport = SIP_TRANSP_TLS;
	start("BYE");
	answer_at(3000, 404, "BYE");

	cr_assert_eq(w.sent_n, 1);
	cr_assert_eq(told_n, 1);
	expect_alive(0);
}


/* --- matching */

Test(client_tx, a_response_must_match)
{
	start("BYE");
	answer_at(10, 200, "OPTIONS");
	world_recv(&w, "SIP/2.0 200 OK\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.8:5060;branch=" BRANCH "\r\n"
		   "From: sip:a@x;tag=1\r\nTo: sip:b@x\r\nCall-ID: ours-1\r\n"
		   "CSeq: 7 BYE\r\n\r\n");
	world_recv(&w, "SIP/2.0 200 OK\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=" BRANCH "x\r\n"
		   "From: sip:a@x;tag=1\r\nTo: sip:b@x\r\nCall-ID: ours-1\r\n"
		   "CSeq: 7 BYE\r\n\r\n");
	world_recv(&w, "SIP/2.0 200 OK\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.9:5060;branch=" BRANCH "\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKx\r\n"
		   "From: sip:a@x;tag=1\r\nTo: sip:b@x\r\nCall-ID: ours-1\r\n"
		   "CSeq: 7 BYE\r\n\r\n");
	cr_assert_eq(told_n, 0);

	answer_at(20, 200, "BYE");
	cr_assert_eq(told_n, 1);
}


/* --- owners and the wire */

Test(client_tx, owner_lets_go_inside_the_handler)
{
	is_letting_go = true;
	start("INVITE");
	answer_at(100, 486, "INVITE");
	cr_assert_null(tx);

	/* it still ACKs, alone */
	answer_at(600, 486, "INVITE");
	cr_assert_eq(world_count(&w, "ACK"), 2);
	cr_assert_eq(told_n, 1);
	world_until(&w, 33000);
	expect_alive(0);
}


Test(client_tx, owner_lets_go_at_the_timeout)
{
	is_letting_go = true;
	start("BYE");
	world_until(&w, 33000);
	cr_assert_null(tx);
	cr_assert_eq(told_n, 1);
	expect_alive(0);
}


Test(client_tx, orphan_retransmits_and_dies)
{
	start("BYE");
	tx = mem_deref(tx);
	world_until(&w, 2000);
	cr_assert_eq(world_count(&w, "BYE"), 3);
	world_until(&w, 33000);
	cr_assert_eq(told_n, 0);
	expect_alive(0);
}


Test(client_tx, endpoint_goes_first)
{
	start("INVITE");
	w.ep = mem_deref(w.ep);
	client_tx_cancel(tx, NULL);
	cr_assert_eq(wheel_pending(w.wheel), 0);
}


Test(client_tx, endpoint_goes_with_orphans)
{
	start("INVITE");
	tx = mem_deref(tx);
	w.ep = mem_deref(w.ep);
	cr_assert_eq(wheel_pending(w.wheel), 0);
}


Test(client_tx, wire_refuses_the_first)
{
	w.send_err = EHOSTUNREACH;
	cr_assert_eq(request("INVITE"), EHOSTUNREACH);
	cr_assert_null(tx);
	expect_alive(0);
}


Test(client_tx, wire_refuses_a_later_one)
{
	start("INVITE");
	w.send_err = EHOSTUNREACH;
	world_until(&w, 510);

	cr_assert_eq(told_n, 1);
	cr_assert_eq(told[0].err, EHOSTUNREACH);
	expect_alive(0);
}


Test(client_tx, what_cannot_start)
{
	cr_assert_eq(request("ACK"), EINVAL);
	cr_assert_eq(request("CANCEL"), EINVAL);
	cr_assert_eq(client_tx_start(&tx, w.ep, &w.path, "BYE", BRANCH,
				     (const uint8_t *)"BYE", 3,
				     answer_handler, &told, NULL), EINVAL);
	start("BYE");
	cr_assert_eq(request("BYE"), EALREADY);
}


Test(client_tx, a_branch_has_a_bound)
{
	char branch[128], text[512];
	int n;

	memset(branch, 'b', sizeof(branch) - 1);
	branch[sizeof(branch) - 1] = '\0';
	n = re_snprintf(text, sizeof(text), "BYE sip:b@c SIP/2.0\r\n"
			"Via: SIP/2.0/UDP 192.0.2.9:5060;branch=%s\r\n\r\n",
			branch);
	cr_assert_eq(client_tx_start(&tx, w.ep, &w.path, "BYE", branch,
				     (uint8_t *)text, (size_t)n,
				     answer_handler, &told, NULL), EINVAL);
	expect_alive(0);
}


Test(client_tx, lingering_memory)
{
	struct endpoint_census census;

	start("INVITE");
	answer_at(100, 486, "INVITE");
	endpoint_census(w.ep, &census);
	cr_assert_lt(census.bytes_kept, 1000, "%zu",
		     (size_t)census.bytes_kept);
}


Test(client_tx, trace_knows_owner_and_retransmission)
{
	start("INVITE");
	world_until(&w, 510);
	answer_at(600, 180, "INVITE");

	cr_assert_eq(w.traced_n, 3);
	cr_assert_eq(w.traced[0].owner, owner());
	cr_assert_not(w.traced[0].retransmission);
	cr_assert(w.traced[1].retransmission);
	cr_assert_eq(w.traced[2].dir, 0);
	cr_assert_eq(w.traced[2].owner, owner());
}
