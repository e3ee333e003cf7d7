/**
 * @file endpoint.c  Dispatch: what gets an answer, whose it is, and where the
 * answer goes.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "metric.h"
#include "transaction_server.h"
#include "world.h"

static struct world w;
/* Counted, as every owner is; the last reference is this program's. */
static void *owner(void)
{
	static void *object;

	if (!object)
		object = mem_zalloc(1, NULL);

	return object;
}
static struct server_tx *kept;
static unsigned heard;
static bool is_answering = true, is_keeping;


static void open_world(void)
{
	world_open(&w);
}


static void close_world(void)
{
	kept = mem_deref(kept);
	world_close(&w);
}


static void dialog_handler(struct server_tx *tx, const struct sip_msg *msg,
			   const struct sip_path *path, void *arg)
{
	cr_assert_eq(arg, &heard);
	cr_assert_eq(path, &w.path);
	cr_assert_eq(tx == NULL, !pl_strcmp(&msg->met, "ACK"));
	++heard;

	if (is_keeping)
		kept = mem_ref(tx);
	else if (tx && is_answering)
		(void)server_tx_reply(tx, 200, "OK", NULL, NULL, NULL, 0,
				      NULL);
}


static void request(const char *method, const char *to_tag,
		    const char *branch, const char *via)
{
	world_recv(&w, "%s sip:b@sw.example SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bK%s%s\r\n"
		   "From: <sip:a@pbx.example>;tag=theirs\r\n"
		   "To: <sip:b@sw.example>%s%s\r\nCall-ID: c1\r\n"
		   "CSeq: 1 %s\r\n\r\n", method, branch, via,
		   *to_tag ? ";tag=" : "", to_tag, method);
}


static struct endpoint_census census(void)
{
	struct endpoint_census c;

	endpoint_census(w.ep, &c);

	return c;
}


static void expect_counter(const char *name, const char *labels, int64_t want)
{
	const int64_t got = metric_value(metric_counter(name, labels, ""));

	cr_expect_eq(got, want, "%s{%s} is %lld", name, labels,
		     (long long)got);
}


TestSuite(endpoint, .init = open_world, .fini = close_world);


Test(endpoint, an_initial_request_is_the_owners)
{
	request("OPTIONS", "", "a", "");
	cr_assert_eq(w.requests_n, 1);
	cr_assert_eq(w.sent_n, 0);
	cr_assert_eq(census().server_tx, 0);
}


Test(endpoint, a_dialogs_request_is_the_bindings)
{
	struct sip_binding b = {.owner = owner()};

	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	request("BYE", "ours", "a", "");
	request("ACK", "ours", "b", "");
	cr_assert_eq(heard, 2);
	cr_assert_eq(w.requests_n, 0);
	cr_assert_eq(world_count(&w, "SIP/2.0 200"), 1);
	cr_assert_eq(w.traced[0].owner, owner());
	cr_assert_eq(w.traced[1].owner, owner());

	endpoint_unbind(w.ep, &b);
	endpoint_unbind(w.ep, &b);
	request("BYE", "ours", "c", "");
	cr_assert_eq(w.requests_n, 1); /* anybody's now */
}


Test(endpoint, a_dialog_may_answer_later)
{
	struct sip_binding b = {.owner = NULL};

	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	is_keeping = true;
	request("BYE", "ours", "a", "");
	world_until(&w, 500);
	cr_assert_eq(w.sent_n, 0);
	cr_assert_eq(server_tx_reply(kept, 200, "OK", NULL, NULL, NULL, 0,
				     NULL), 0);
	cr_assert_str_eq(world_times(&w, "SIP/2.0 200"), "500");
	endpoint_unbind(w.ep, &b);
}


Test(endpoint, a_dialog_that_forgets_answers_500)
{
	struct sip_binding b = {.owner = NULL};

	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	is_answering = false;
	request("INFO", "ours", "a", "");
	world_until(&w, 20);
	cr_assert_eq(world_count(&w, "SIP/2.0 500"), 1);
	endpoint_unbind(w.ep, &b);
}


/* Whether a stranger hears 481 or nothing is not for the endpoint to say. */
Test(endpoint, an_unknown_dialog_is_the_owners_question)
{
	request("BYE", "unknown", "a", "");
	request("BYE", "much-longer-than-any-tag-of-ours-could-be", "b", "");
	request("CANCEL", "", "d", "");
	request("ACK", "unknown", "c", "");
	cr_assert_eq(w.sent_n, 0);
	cr_assert_eq(w.requests_n, 3);
	cr_assert_eq(census().server_tx, 0);
	cr_assert_eq(census().bytes_kept, 0);
	expect_counter("strowger_sip_messages_total",
		       "dir=\"in\",result=\"stray_ack\"", 1);
}


static void reply_405(struct world *world, const struct sip_msg *msg)
{
	cr_assert_eq(endpoint_reply(world->ep, msg, &world->path, 405,
				    "Method Not Allowed", "Allow: %s\r\n",
				    "INVITE"), 0);
}


Test(endpoint, a_stateless_answer_is_the_same_each_time)
{
	w.requesth = reply_405;
	request("FOO", "", "a", "");
	request("FOO", "", "a", "");
	request("FOO", "", "b", "");
	cr_assert_eq(w.sent_n, 3);
	cr_assert_str_eq(w.sent[0].text, w.sent[1].text);
	cr_assert(strstr(w.sent[0].text, "Allow: INVITE\r\n"));
	cr_assert(strstr(w.sent[0].text, "To: <sip:b@sw.example>;tag="));
	cr_assert_null(strstr(w.sent[2].text,
			      strstr(w.sent[0].text, ";tag=") + 5));
	expect_counter("strowger_sip_stateless_replies_total",
		       "code=\"other\"", 3);
}


Test(endpoint, answers_go_to_the_source)
{
	w.requesth = reply_405;
	(void)sa_set_str(&w.path.peer, "198.51.100.7", 40000);
	request("FOO", "", "a", ";rport");
	request("FOO", "", "b", ";maddr=203.0.113.1");

	cr_assert_eq(sa_port(&w.sent[0].path.peer), 40000);
	cr_assert(strstr(w.sent[0].text, ";received=198.51.100.7;rport=40000"
			 "\r\n"));
	cr_assert(sa_cmp(&w.sent[1].path.peer, &w.path.peer, SA_ADDR));
	cr_assert_eq(sa_port(&w.sent[1].path.peer), 5060);
	cr_assert(strstr(w.sent[1].text, ";received=198.51.100.7\r\n"));
}


static void keep_it(struct world *world, const struct sip_msg *msg)
{
	struct server_tx *tx;

	if (!server_tx_start(&tx, world->ep, msg, &world->path, NULL, NULL)) {
		(void)server_tx_reply(tx, 200, "OK", NULL, NULL, NULL, 0,
				      NULL);
		mem_deref(tx);
	}
}


static void fill(unsigned from, unsigned n)
{
	unsigned i;

	for (i = from; i < from + n; i++) {
		w.sent_n = 0;
		world_recv(&w, "OPTIONS sip:sw SIP/2.0\r\n"
			   "Via: SIP/2.0/UDP h;branch=z9hG4bK%u\r\n"
			   "From: sip:a@x;tag=%u\r\nTo: sip:sw\r\n"
			   "Call-ID: f%u\r\nCSeq: 1 OPTIONS\r\n\r\n", i, i,
			   i);
	}
}


Test(endpoint, full)
{
	struct sip_binding b = {.owner = NULL};

	w.requesth = keep_it;
	fill(0, 100);
	cr_assert_eq(census().server_tx, 100);
	cr_assert_eq(world_count(&w, "SIP/2.0 200"), 1);

	fill(100, 1);
	cr_assert_eq(census().server_tx, 100);
	cr_assert_eq(world_count(&w, "SIP/2.0 503"), 1);
	cr_assert(strstr(w.sent[0].text, "Retry-After: "));

	/* a BYE still gets through: it makes room */
	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	request("BYE", "ours", "bye", "");
	cr_assert_eq(heard, 1);
	endpoint_unbind(w.ep, &b);
}


Test(endpoint, twice_full)
{
	struct sip_binding b = {.owner = NULL};
	unsigned i;

	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	for (i = 0; i < 200; i++) {
		char branch[16];

		w.sent_n = 0;
		(void)re_snprintf(branch, sizeof(branch), "n%u", i);
		request("INFO", "ours", branch, "");
	}

	cr_assert_eq(heard, 200);
	request("INFO", "ours", "last", "");
	cr_assert_eq(heard, 200);
	cr_assert_eq(world_count(&w, "SIP/2.0 503"), 1);
	endpoint_unbind(w.ep, &b);
}


Test(endpoint, goes_with_its_bindings)
{
	struct sip_binding b = {.owner = NULL};

	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	w.ep = mem_deref(w.ep);
	cr_assert_null(b.node.link);
}


Test(endpoint, what_cannot_be_opened)
{
	struct sip_endpoint *ep = NULL;
	struct sip_endpoint_config cfg = *endpoint_config(w.ep);

	cfg.transactions_max = 0;
	cr_assert_eq(endpoint_alloc(&ep, &cfg), EINVAL);
	cfg = *endpoint_config(w.ep);
	cfg.requesth = NULL;
	cr_assert_eq(endpoint_alloc(&ep, &cfg), EINVAL);
	cr_assert_null(ep);
}


Test(endpoint, what_is_refused_is_counted)
{
	world_recv(&w, "\r\n\r\n");
	world_recv(&w, "nonsense that is long enough to look at");
	world_recv(&w, "OPTIONS sip:x SIP/2.0\r\nVia: x\r\n\r\n");
	world_recv(&w, "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.9:5060;"
		   "branch=z9hG4bKnone\r\nFrom: sip:a@x;tag=1\r\n"
		   "To: sip:b@x;tag=2\r\nCall-ID: c\r\nCSeq: 1 BYE\r\n\r\n");
	world_recv(&w, "OPTIONS sip:x SIP/2.0\r\nVia: SIP/2.0/UDP h;"
		   "branch=z9hG4bKa\r\nFrom: <>\r\nTo: sip:b@x\r\n"
		   "Call-ID: c\r\nCSeq: 1 OPTIONS\r\n\r\n");
	cr_assert_eq(w.sent_n, 0);
	cr_assert_eq(w.requests_n, 0);

	expect_counter("strowger_sip_messages_total",
		       "dir=\"in\",result=\"keepalive\"", 1);
	expect_counter("strowger_sip_messages_total",
		       "dir=\"in\",result=\"no_end\"", 1);
	expect_counter("strowger_sip_messages_total",
		       "dir=\"in\",result=\"missing\"", 1);
	expect_counter("strowger_sip_messages_total",
		       "dir=\"in\",result=\"stray_response\"", 1);
	expect_counter("strowger_sip_messages_total",
		       "dir=\"in\",result=\"undecodable\"", 1);
	expect_counter("strowger_sip_messages_total",
		       "dir=\"in\",result=\"ok\"", 0);
}


Test(endpoint, sending)
{
	const uint8_t bytes[] = "ACK";

	cr_assert_eq(endpoint_send(w.ep, &w.path, bytes, 3, true, owner()), 0);
	cr_assert_eq(w.traced[0].dir, 1);
	cr_assert(w.traced[0].retransmission);
	w.send_err = ENETUNREACH;
	cr_assert_eq(endpoint_send(w.ep, &w.path, bytes, 3, false, owner()),
		     ENETUNREACH);
	expect_counter("strowger_sip_messages_total",
		       "dir=\"out\",result=\"failed\"", 1);
	expect_counter("strowger_sip_retransmissions_total", "dir=\"out\"",
		       1);
}


static void close_endpoint(struct world *world, const struct sip_msg *msg)
{
	(void)msg;

	world->ep = mem_deref(world->ep);
}


Test(endpoint, may_go_inside_a_handler)
{
	w.requesth = close_endpoint;
	request("OPTIONS", "", "a", "");
	cr_assert_null(w.ep);
}


Test(endpoint, doors)
{
	const struct moment now = {5, 6};
	char token[TOKEN_SIZE];

	endpoint_now(w.ep, &now);
	cr_assert_eq(endpoint_moment(w.ep)->wall_us, 6);
	cr_assert_eq(endpoint_wheel(w.ep), w.wheel);
	cr_assert_eq(endpoint_rng(w.ep), w.rng);
	cr_assert_eq(endpoint_config(w.ep)->t1_ms, 500);
	endpoint_token(w.ep, token);
	cr_assert_eq(strlen(token), TOKEN_LEN);
}


static void answer_405(struct world *world, const struct sip_msg *msg)
{
	struct server_tx *own;

	cr_assert_eq(server_tx_start(&own, world->ep, msg, &world->path, NULL,
				     NULL), 0);
	(void)server_tx_reply(own, 405, "Method Not Allowed", NULL, NULL,
			      NULL, 0, NULL);
	mem_deref(own);
}


static void expect_outside(size_t i, int dir, const char *begin)
{
	cr_assert_lt(i, w.outside_n);
	cr_expect_eq(w.outside[i].dir, dir);
	cr_expect_str_eq(w.outside[i].begin, begin);
	cr_expect_str_eq(w.outside[i].call_id, "c1");
}


/* Whoever is given a request says whether it is outside; answers, and what is
   settled here, are told by the endpoint. */
Test(endpoint, what_no_owner_has_is_told)
{
	struct sip_binding b = {.owner = owner()};

	w.requesth = reply_405;
	request("FOO", "", "a", "");
	expect_outside(0, 1, "SIP/2.0 405");
	request("ACK", "nobodys", "a", "");
	expect_outside(1, 0, "ACK sip:b@s");

	w.requesth = answer_405;
	request("BAR", "", "b", "");
	expect_outside(2, 1, "SIP/2.0 405");
	request("BAR", "", "b", ""); /* again: the transaction's */
	cr_expect_eq(w.outside_n, 3);

	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	request("BYE", "ours", "c", "");
	request("ACK", "ours", "d", "");
	cr_expect_eq(w.outside_n, 3);
	endpoint_unbind(w.ep, &b);
}


Test(endpoint, what_is_refused_here_is_told_or_its_owners)
{
	struct sip_binding b = {.owner = owner()};

	w.requesth = keep_it;
	fill(0, 100);
	w.outside_n = 0;
	request("INVITE", "", "a", "");
	cr_assert_eq(w.outside_n, 2);
	expect_outside(0, 0, "INVITE sip:");
	expect_outside(1, 1, "SIP/2.0 503");

	/* in a dialog both are its owner's */
	is_answering = false;
	is_keeping = true;
	endpoint_bind(w.ep, &b, "ours", dialog_handler, &heard);
	for (unsigned i = 0; i < 101; i++) {
		char branch[16];

		(void)re_snprintf(branch, sizeof(branch), "n%u", i);
		w.sent_n = w.traced_n = 0;
		kept = mem_deref(kept);
		request("INFO", "ours", branch, "");
	}
	cr_assert_eq(world_count(&w, "SIP/2.0 503"), 1);
	cr_assert_eq(w.traced_n, 2);
	cr_expect_eq(w.traced[0].owner, owner());
	cr_expect_eq(w.traced[1].owner, owner());
	cr_expect_eq(w.outside_n, 2);
	endpoint_unbind(w.ep, &b);
}


static void look_at_octets(struct world *world, const struct sip_msg *msg)
{
	size_t len;
	const uint8_t *buf = endpoint_received(world->ep, &len);
	const struct pl all = {(const char *)buf, len};

	/* libre takes that name for Call-ID's: its decoder gets another one */
	cr_expect_eq(re_regex(all.p, all.l, "DC-Info: x"), 0);
	cr_expect_neq(re_regex((const char *)msg->mb->buf, msg->mb->end,
			       "DC-Info: x"), 0);
	heard++;
}


Test(endpoint, octets_are_those_of_the_wire)
{
	size_t len = 1;

	w.requesth = look_at_octets;
	world_recv(&w, "FOO sip:b@sw.example SIP/2.0\r\n"
		   "v: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKa\r\n"
		   "f: <sip:a@pbx.example>;tag=theirs\r\n"
		   "To: <sip:b@sw.example>\r\nCall-ID: c1\r\n"
		   "DC-Info: x\r\nSubject: %%\r\n  folded\r\n"
		   "CSeq: 1 FOO\r\n\r\n");
	cr_expect_eq(heard, 1);
	cr_expect_null(endpoint_received(w.ep, &len));
	cr_expect_eq(len, 0);
}
