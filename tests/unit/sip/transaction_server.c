/**
 * @file transaction_server.c  Every transition of RFC 3261 17.2 and RFC 6026
 * on the server's side, with exact schedules.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "transaction_server.h"
#include "world.h"

static struct world w;
static struct server_tx *tx;
/* Counted, as every owner is; the last reference is this program's. */
static void *owner(void)
{
	static void *object;

	if (!object)
		object = mem_zalloc(1, NULL);

	return object;
}
static unsigned cancels;
static bool is_letting_go, is_refusing;


static void cancel_handler(struct server_tx *t, const struct sip_msg *cancel,
			   void *arg)
{
	cr_assert_eq(t, tx);
	cr_assert_eq(arg, &cancels);
	cr_assert_eq(pl_strcmp(&cancel->met, "CANCEL"), 0);
	++cancels;

	if (is_letting_go)
		tx = mem_deref(tx);
}


static void request_handler(struct world *world, const struct sip_msg *msg)
{
	cr_assert_null(tx);

	if (is_refusing)
		return;

	cr_assert_eq(server_tx_start(&tx, world->ep, msg, &world->path,
				     cancel_handler, &cancels), 0);
	server_tx_own(tx, cancel_handler, &cancels, owner());
}


static void open_world(void)
{
	world_open(&w);
	w.requesth = request_handler;
}


static void close_world(void)
{
	tx = mem_deref(tx);
	world_close(&w);
}


static void request_at(uint64_t at_ms, const char *method)
{
	world_until(&w, at_ms);
	world_recv(&w, "%s sip:b@sw.example SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n"
		   "From: <sip:a@pbx.example>;tag=theirs\r\n"
		   "To: <sip:b@sw.example>%s\r\nCall-ID: c1\r\n"
		   "CSeq: 1 %s\r\n\r\n", method,
		   strcmp(method, "ACK") ? "" : ";tag=ours", method);
}


static int reply(uint16_t scode)
{
	return server_tx_reply(tx, scode, "X", scode > 100 ? "ours" : NULL,
			       NULL, NULL, 0, "X-Who: %s\r\n", "unit");
}


static void expect_alive(size_t n)
{
	struct endpoint_census census;

	endpoint_census(w.ep, &census);
	cr_expect_eq(census.server_tx, n, "%zu alive", census.server_tx);
	if (!n)
		cr_expect_eq(census.bytes_kept, 0);
}


TestSuite(server_tx, .init = open_world, .fini = close_world);


/* --- INVITE */

Test(server_tx, invite_100_after_200_ms)
{
	request_at(0, "INVITE");
	world_until(&w, 190);
	cr_assert_eq(w.sent_n, 0);
	world_until(&w, 10000);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 100"), "200");
	cr_assert_eq(w.sent_n, 1);
	cr_assert_null(strstr(w.sent[0].text, ";tag=ours"));
}


Test(server_tx, invite_no_100_once_something_was_said)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(180), 0);
	world_until(&w, 1000);
	cr_assert_eq(world_count(&w, "SIP/2.0 100"), 0);
	cr_assert(strstr(w.sent[0].text, "X-Who: unit\r\n"));
	cr_assert(strstr(w.sent[0].text, "Server: unit\r\n"));
}


Test(server_tx, invite_trying_at_once)
{
	request_at(0, "INVITE");
	cr_assert_eq(server_tx_trying(tx), 0);
	world_until(&w, 1000);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 100"), "0");
}


Test(server_tx, invite_again_gets_the_last_provisional)
{
	request_at(0, "INVITE");
	request_at(100, "INVITE");
	cr_assert_eq(w.sent_n, 0);

	cr_assert_eq(reply(180), 0);
	cr_assert_eq(reply(183), 0);
	request_at(500, "INVITE");
	cr_assert_str_eq(world_times(&w, "SIP/2.0 180"), "100");
	cr_assert_str_eq(world_times(&w, "SIP/2.0 183"), "100 500");
	cr_assert_eq(w.requests_n, 1);
}


Test(server_tx, invite_refused)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(486), 0);
	cr_assert(server_tx_is_final(tx));
	cr_assert_null(server_tx_request(tx));
	cr_assert_eq(reply(500), EALREADY);
	world_until(&w, 40000);

	/* G doubles up to T2, H ends it at 64*T1 */
	cr_assert_str_eq(world_times(&w, "SIP/2.0 486"),
			 "0 500 1500 3500 7500 11500 15500 19500 23500 27500 "
			 "31500");
	expect_alive(0);
}


Test(server_tx, invite_refused_and_acked)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(486), 0);
	request_at(200, "INVITE");
	request_at(600, "ACK");
	request_at(700, "ACK");
	request_at(800, "INVITE");
	world_until(&w, 5590);
	expect_alive(1);

	/* Timer I from the ACK */
	world_until(&w, 5610);
	expect_alive(0);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 486"), "0 200 500");
	cr_assert_eq(w.requests_n, 1);
}


Test(server_tx, invite_accepted)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(200), 0);

	/* the owner repeats a 2xx, nobody else (RFC 6026 7.1) */
	request_at(500, "INVITE");
	world_until(&w, 1000);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 200"), "0");
	cr_assert_eq(server_tx_again(tx), 0);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 200"), "0 1000");
	cr_assert_eq(w.requests_n, 1);

	/* Timer L */
	world_until(&w, 31990);
	expect_alive(1);
	world_until(&w, 32010);
	expect_alive(0);
	cr_assert_eq(server_tx_again(tx), EINVAL);
}


static unsigned acks;

static void dialog_handler(struct server_tx *t, const struct sip_msg *msg,
			   const struct sip_path *path, void *arg)
{
	(void)path;
	(void)arg;

	cr_assert_null(t);
	cr_assert_eq(pl_strcmp(&msg->met, "ACK"), 0);
	++acks;
}


Test(server_tx, ack_with_the_same_branch_reaches_the_dialog)
{
	struct sip_binding b = {.owner = owner()};

	endpoint_bind(w.ep, &b, "ours", dialog_handler, NULL);
	request_at(0, "INVITE");
	request_at(10, "ACK");
	cr_assert_eq(acks, 0);
	cr_assert_eq(reply(200), 0);
	request_at(100, "ACK");
	cr_assert_eq(acks, 1);
	endpoint_unbind(w.ep, &b);
}


Test(server_tx, invite_over_a_stream)
{
	w.path.transport = SIP_TRANSP_TCP;
	request_at(0, "INVITE");
	cr_assert_eq(reply(486), 0);
	world_until(&w, 5000);
	cr_assert_eq(w.sent_n, 1);
	request_at(5000, "ACK");
	expect_alive(0);
}


/* --- CANCEL */

Test(server_tx, cancel)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(180), 0);
	request_at(100, "CANCEL");
	cr_assert_eq(cancels, 1);

	/* the tag of the INVITE's answers (9.2) */
	cr_assert(strstr(world_last(&w, "SIP/2.0 200")->text, ";tag=ours"));
	cr_assert(strstr(world_last(&w, "SIP/2.0 200")->text, "1 CANCEL"));
	cr_assert_eq(reply(487), 0);

	/* again: the same answer, and nobody is told twice */
	request_at(200, "CANCEL");
	cr_assert_eq(cancels, 1);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 200"), "100 200");
}


/* Another port of the caller may: a NAT gives ports as it likes. */
Test(server_tx, cancel_by_somebody_else)
{
	const struct sip_path path = w.path;

	request_at(0, "INVITE");
	w.requesth = NULL;
	cr_assert_eq(sa_set_str(&w.path.peer, "198.51.100.7", 5060), 0);
	request_at(100, "CANCEL");
	cr_assert_eq(cancels, 0);
	cr_assert_eq(w.requests_n, 2); /* the owner says what a stray hears */
	cr_assert_eq(world_count(&w, "SIP/2.0 200"), 0);

	w.path = path;
	sa_set_port(&w.path.peer, 40000);
	request_at(200, "CANCEL");
	cr_assert_eq(cancels, 1);
	cr_assert_eq(world_count(&w, "SIP/2.0 200"), 1);
}


Test(server_tx, cancel_after_the_final_answer)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(200), 0);
	request_at(100, "CANCEL");
	cr_assert_eq(cancels, 0);
	cr_assert_eq(world_count(&w, "SIP/2.0 200"), 2);
}


Test(server_tx, cancel_makes_the_owner_let_go)
{
	is_letting_go = true;
	request_at(0, "INVITE");
	request_at(100, "CANCEL");
	cr_assert_null(tx);

	/* without an owner it answers for itself */
	world_until(&w, 110);
	cr_assert_eq(world_count(&w, "SIP/2.0 500"), 1);
	request_at(200, "ACK");
	world_until(&w, 33000);
	expect_alive(0);
}


/* --- others */

Test(server_tx, other_answered)
{
	request_at(0, "OPTIONS");
	request_at(500, "OPTIONS");
	cr_assert_eq(w.sent_n, 0);
	cr_assert_eq(reply(200), 0);
	request_at(1500, "OPTIONS");
	cr_assert_str_eq(world_times(&w, "SIP/2.0 200"), "500 1500");
	cr_assert_eq(w.requests_n, 1);

	/* Timer J */
	world_until(&w, 32490);
	expect_alive(1);
	world_until(&w, 32510);
	expect_alive(0);
}


Test(server_tx, other_provisional)
{
	request_at(0, "OPTIONS");
	cr_assert_eq(reply(100), 0);
	request_at(500, "OPTIONS");
	cr_assert_str_eq(world_times(&w, "SIP/2.0 100"), "0 500");
	cr_assert_eq(reply(200), 0);
}


Test(server_tx, other_over_a_stream)
{
	w.path.transport = SIP_TRANSP_TCP;
	request_at(0, "OPTIONS");
	cr_assert_eq(reply(200), 0);
	expect_alive(0);
	cr_assert_eq(reply(200), EALREADY);
}


Test(server_tx, other_never_answered)
{
	request_at(0, "OPTIONS");
	world_until(&w, 31990);
	expect_alive(1);
	world_until(&w, 32010);
	expect_alive(0);
	cr_assert_eq(w.sent_n, 0);
	cr_assert_eq(reply(200), EALREADY);
	cr_assert_null(server_tx_request(tx));
}


/* --- tags, merging, owners */

Test(server_tx, an_answer_without_our_tag_gets_one)
{
	const char *tag;

	request_at(0, "OPTIONS");
	cr_assert_eq(server_tx_reply(tx, 404, "Not Found", NULL, NULL, NULL,
				     0, NULL), 0);
	tag = strstr(w.sent[0].text, "To: <sip:b@sw.example>;tag=");
	cr_assert_not_null(tag);
	cr_assert_eq(strcspn(tag + 27, "\r"), TOKEN_LEN);
}


Test(server_tx, merged_request)
{
	request_at(0, "INVITE");
	world_recv(&w, "INVITE sip:b@sw.example SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKother\r\n"
		   "From: <sip:a@pbx.example>;tag=theirs\r\n"
		   "To: <sip:b@sw.example>\r\nCall-ID: c1\r\n"
		   "CSeq: 1 INVITE\r\n\r\n");
	cr_assert_eq(world_count(&w, "SIP/2.0 482"), 1);
	cr_assert_eq(w.requests_n, 1);
	expect_alive(1);

	/* the next one of the same call is no copy */
	is_refusing = true;
	tx = mem_deref(tx);
	world_recv(&w, "INVITE sip:b@sw.example SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnext\r\n"
		   "From: <sip:a@pbx.example>;tag=theirs\r\n"
		   "To: <sip:b@sw.example>\r\nCall-ID: c1\r\n"
		   "CSeq: 2 INVITE\r\n\r\n");
	cr_assert_eq(w.requests_n, 2);
}


static void request_by(const char *branch)
{
	world_recv(&w, "INVITE sip:b@sw.example SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%s\r\n"
		   "From: <sip:a@pbx.example>;tag=theirs\r\n"
		   "To: <sip:b@sw.example>\r\nCall-ID: c1\r\n"
		   "CSeq: 1 INVITE\r\n\r\n", branch);
}


Test(server_tx, merged_after_the_answer)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(200), 0);
	request_by("copy");
	cr_assert_eq(world_count(&w, "SIP/2.0 482"), 1);
	cr_assert_eq(w.requests_n, 1);
}


Test(server_tx, tried_again_after_a_refusal)
{
	request_at(0, "INVITE");
	cr_assert_eq(reply(503), 0);
	is_refusing = true;
	tx = mem_deref(tx);
	request_by("again");
	cr_assert_eq(world_count(&w, "SIP/2.0 482"), 0);
	cr_assert_eq(w.requests_n, 2);
}


Test(server_tx, a_request_starts_once)
{
	struct server_tx *twin = NULL;

	request_at(0, "INVITE");
	cr_assert_eq(server_tx_start(&twin, w.ep, server_tx_request(tx),
				     &w.path, NULL, NULL), EALREADY);
	cr_assert_null(twin);
}


Test(server_tx, owner_lets_go_unanswered)
{
	request_at(0, "INVITE");
	tx = mem_deref(tx);
	world_until(&w, 10);
	cr_assert_eq(world_count(&w, "SIP/2.0 500"), 1);
	world_until(&w, 33000);
	expect_alive(0);
}


Test(server_tx, owner_lets_go_on_a_stream)
{
	w.path.transport = SIP_TRANSP_TCP;
	request_at(0, "OPTIONS");
	tx = mem_deref(tx);
	world_until(&w, 10);
	cr_assert_eq(world_count(&w, "SIP/2.0 500"), 1);
	expect_alive(0);
}


Test(server_tx, owner_lets_go_answered)
{
	request_at(0, "OPTIONS");
	cr_assert_eq(reply(200), 0);
	tx = mem_deref(tx);
	request_at(500, "OPTIONS");
	cr_assert_str_eq(world_times(&w, "SIP/2.0 200"), "0 500");
	world_until(&w, 33000);
	expect_alive(0);
}


Test(server_tx, endpoint_goes_first)
{
	request_at(0, "INVITE");
	w.ep = mem_deref(w.ep);
	cr_assert_eq(reply(200), EALREADY);
	cr_assert_eq(wheel_pending(w.wheel), 0);
}


Test(server_tx, a_dead_wire_does_not_stop_the_machine)
{
	request_at(0, "INVITE");
	w.send_err = ENETUNREACH;
	cr_assert_eq(reply(486), 0);
	w.send_err = 0;
	world_until(&w, 600);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 486"), "500");
}


Test(server_tx, lingering_memory)
{
	struct endpoint_census census;

	request_at(0, "INVITE");
	cr_assert_eq(reply(200), 0);
	endpoint_census(w.ep, &census);
	cr_assert_lt(census.bytes_kept, 1000, "%zu",
		     (size_t)census.bytes_kept);
}
