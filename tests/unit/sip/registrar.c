/**
 * @file registrar.c  Tests: REGISTER over an endpoint with virtual time.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "fake_catalog.h"
#include "metric.h"
#include "registrar.h"
#include "text.h"
#include "world.h"

struct office {
	struct world w;         /**< first: the handler gets only this      */
	struct registrar *r;
	struct tenant tenant;
	struct trunk trunk;
	struct credential cred;
	char told[200];         /**< "+uri -uri(why) "                      */
	unsigned serial;        /**< of branches                            */
	unsigned cseq;
};


static void request_handler(struct world *w, const struct sip_msg *msg)
{
	struct office *o = (struct office *)w;

	registrar_handle(o->r, msg, &w->path, &o->cred);
}


static void event_handler(const struct contact *c, bool is_bound,
			  const char *why, void *arg)
{
	struct office *o = arg;
	const size_t n = strlen(o->told);

	cr_expect_str_eq(c->tenant_id, "ten_1");
	text_format(o->told + n, sizeof(o->told) - n,
		    is_bound ? "+%s " : "-%s(%s) ", c->uri, why);
}


static void registrar_again(struct office *o, size_t bindings_max)
{
	const struct registrar_config cfg = {
		.expires_min_s = 60, .expires_max_s = 3600,
		.expires_default_s = 600, .bindings_max = bindings_max,
		.ep = o->w.ep, .h = event_handler, .arg = o,
	};

	o->r = mem_deref(o->r);
	cr_assert_eq(registrar_alloc(&o->r, &cfg), 0);
}


static void office_open(struct office *o)
{
	memset(o, 0, sizeof(*o));
	world_open(&o->w);
	o->w.requesth = request_handler;
	text_copy(o->tenant.id, ID_SIZE, "ten_1");
	o->trunk.tenant = &o->tenant;
	text_copy(o->trunk.id, ID_SIZE, "trk_1");
	text_copy(o->cred.username, USER_SIZE, "pbx");
	o->cred.trunk = &o->trunk;
	registrar_again(o, 100);
}


static void office_close(struct office *o)
{
	/* finished transactions keep their answer for 32 s */
	world_until(&o->w, o->w.now_ms + 40000);
	mem_deref(o->r);
	world_close(&o->w);
}


static void wait_s(struct office *o, unsigned s)
{
	world_until(&o->w, o->w.now_ms + s * 1000);
}


/* @return the status of the answer, whose text is in o->w.sent */
static int ask(struct office *o, const char *user, const char *call_id,
	       unsigned cseq, const char *headers)
{
	size_t before = o->w.sent_n;

	world_recv(&o->w, "REGISTER sip:voip.example.com SIP/2.0\r\n"
		   "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%u;rport\r\n"
		   "Max-Forwards: 70\r\n"
		   "From: <sip:%s@voip.example.com>;tag=1\r\n"
		   "To: <sip:%s@voip.example.com>\r\n"
		   "Call-ID: %s\r\n"
		   "CSeq: %u REGISTER\r\n"
		   "User-Agent: unit\xff\r\n"
		   "%s"
		   "Content-Length: 0\r\n\r\n",
		   ++o->serial, user, user, call_id, cseq, headers);
	cr_assert_eq(o->w.sent_n, before + 1);

	return atoi(o->w.sent[before].text + strlen("SIP/2.0 "));
}


static int put(struct office *o, const char *headers)
{
	return ask(o, "pbx", "c1", ++o->cseq, headers);
}


static const char *last(const struct office *o)
{
	return o->w.sent[o->w.sent_n - 1].text;
}


static bool answered(const struct office *o, const char *line)
{
	return strstr(last(o), line) != NULL;
}


static size_t find(const struct office *o, struct contact *c)
{
	return registrar_find(o->r, "trk_1", c, CONTACTS_MAX);
}


Test(registrar, contact_is_bound_where_it_came_from)
{
	struct contact c[CONTACTS_MAX];
	struct office o;

	office_open(&o);
	o.w.path.peer = fake_sa("203.0.113.7", 61234);
	cr_expect_eq(put(&o, "Contact: <sip:pbx@10.0.0.1:5060>\r\n"), 200);
	cr_expect(answered(&o, "\r\nContact: <sip:pbx@10.0.0.1:5060>"
			       ";expires=600\r\n"), "%s", last(&o));
	cr_expect(answered(&o, ";tag="));

	cr_assert_eq(find(&o, c), 1);
	cr_expect_str_eq(c[0].uri, "sip:pbx@10.0.0.1:5060");
	cr_expect_str_eq(c[0].username, "pbx");
	cr_expect(sa_cmp(&c[0].path.peer, &o.w.path.peer, SA_ALL));
	cr_expect_str_eq(c[0].user_agent, "unit?");
	cr_expect_eq(c[0].expires_wall_ms, 600000);
	cr_expect_eq(registrar_count(o.r), 1);
	cr_expect_eq(registrar_find(o.r, "trk_2", c, CONTACTS_MAX), 0);
	office_close(&o);
}


Test(registrar, question_changes_nothing)
{
	struct office o;

	office_open(&o);
	cr_expect_eq(put(&o, ""), 200);
	cr_expect_not(answered(&o, "Contact:"));
	cr_expect_not(registrar_is_dirty(o.r));
	put(&o, "Contact: <sip:pbx@10.0.0.1>\r\n");
	wait_s(&o, 100);
	cr_expect_eq(put(&o, ""), 200);
	cr_expect(answered(&o, ";expires=500\r\n"), "%s", last(&o));
	office_close(&o);
}


Test(registrar, expires_at_its_time)
{
	struct office o;

	office_open(&o);
	put(&o, "Contact: <sip:pbx@10.0.0.1>;expires=60\r\n");
	wait_s(&o, 59);
	cr_expect_eq(registrar_count(o.r), 1);
	wait_s(&o, 2);
	cr_expect_eq(registrar_count(o.r), 0);
	office_close(&o);
}


Test(registrar, refresh_renews_path_and_time)
{
	struct contact c[CONTACTS_MAX];
	struct office o;

	office_open(&o);
	put(&o, "Contact: <sip:pbx@10.0.0.1>;expires=60\r\n");
	wait_s(&o, 50);
	o.w.path.peer = fake_sa("203.0.113.9", 1024);
	put(&o, "Contact: <sip:pbx@10.0.0.1>;expires=60\r\n");
	wait_s(&o, 50);
	cr_assert_eq(find(&o, c), 1);
	cr_expect_eq(sa_port(&c[0].path.peer), 1024);
	wait_s(&o, 11);
	cr_expect_eq(find(&o, c), 0);
	office_close(&o);
}


Test(registrar, bounds_of_expires)
{
	struct office o;

	office_open(&o);
	cr_expect_eq(put(&o, "Contact: <sip:pbx@10.0.0.1>;expires=59\r\n"),
		     423);
	cr_expect(answered(&o, "\r\nMin-Expires: 60\r\n"));
	cr_expect_eq(registrar_count(o.r), 0);
	cr_expect_eq(put(&o, "Contact: <sip:pbx@10.0.0.1>\r\n"
			     "Expires: 86400\r\n"), 200);
	cr_expect(answered(&o, ";expires=3600\r\n"));
	office_close(&o);
}


Test(registrar, removal_of_one_and_of_all)
{
	struct office o;

	office_open(&o);
	put(&o, "Contact: <sip:a@h>, <sip:b@h>, <sip:c@h>\r\n");
	cr_expect_eq(registrar_count(o.r), 3);
	cr_expect_eq(put(&o, "Contact: <sip:b@h>;expires=0\r\n"), 200);
	cr_expect_eq(registrar_count(o.r), 2);
	cr_expect_not(answered(&o, "sip:b@h"));
	cr_expect(answered(&o, "sip:a@h"));
	cr_expect_eq(put(&o, "Contact: <sip:none@h>;expires=0\r\n"), 200);
	cr_expect_eq(registrar_count(o.r), 2);
	cr_expect_eq(put(&o, "Contact: *\r\nExpires: 0\r\n"), 200);
	cr_expect_eq(registrar_count(o.r), 0);
	cr_expect_not(answered(&o, "Contact"));
	cr_expect_eq(put(&o, "Contact: *\r\nExpires: 5\r\n"), 400);
	office_close(&o);
}


Test(registrar, users_of_one_trunk_are_apart)
{
	struct contact c[CONTACTS_MAX];
	struct office o;

	office_open(&o);
	put(&o, "Contact: <sip:x@10.0.0.1>\r\n");
	text_copy(o.cred.username, USER_SIZE, "site2");
	ask(&o, "site2", "c2", 1, "Contact: <sip:x@10.0.0.1>\r\n");
	cr_expect_eq(find(&o, c), 2);
	ask(&o, "site2", "c2", 2, "Contact: *\r\nExpires: 0\r\n");
	cr_assert_eq(find(&o, c), 1);
	cr_expect_str_eq(c[0].username, "pbx");
	office_close(&o);
}


Test(registrar, only_for_oneself)
{
	struct office o;

	office_open(&o);
	cr_expect_eq(ask(&o, "boss", "c1", 1, "Contact: <sip:x@h>\r\n"), 403);
	cr_expect_eq(registrar_count(o.r), 0);
	cr_expect_eq(ask(&o, "%70bx", "c1", 2, "Contact: <sip:x@h>\r\n"),
		     200, "escaped");
	office_close(&o);
}


Test(registrar, order_within_a_call_id)
{
	struct contact c[CONTACTS_MAX];
	struct office o;

	office_open(&o);
	ask(&o, "pbx", "c1", 5, "Contact: <sip:x@h>, <sip:y@h>\r\n");
	wait_s(&o, 40); /* no longer met as the same or a merged request */
	cr_expect_eq(ask(&o, "pbx", "c1", 5, "Contact: <sip:x@h>"
			 ";expires=0\r\n"), 500);
	cr_expect_eq(ask(&o, "pbx", "c1", 4, "Contact: *\r\n"
			 "Expires: 0\r\n"), 500);
	cr_expect_eq(ask(&o, "pbx", "c1", 3, "Contact: <sip:z@h>, "
			 "<sip:x@h>\r\n"), 500, "all or none");
	cr_expect_eq(find(&o, c), 2);
	cr_expect_eq(ask(&o, "pbx", "c2", 1, "Contact: <sip:x@h>"
			 ";expires=0\r\n"), 200, "after a restart");
	cr_expect_eq(ask(&o, "pbx", "c1", 6, "Contact: *\r\n"
			 "Expires: 0\r\n"), 200);
	cr_expect_eq(find(&o, c), 0);
	office_close(&o);
}


Test(registrar, retransmission_meets_the_same_answer)
{
	struct office o;

	office_open(&o);
	put(&o, "Contact: <sip:x@h>\r\n");
	o.serial = 0;
	o.cseq = 0;
	cr_expect_eq(put(&o, "Contact: <sip:x@h>\r\n"), 200);
	cr_expect_str_eq(o.w.sent[0].text, o.w.sent[1].text);
	cr_expect_eq(o.w.requests_n, 1);
	office_close(&o);
}


Test(registrar, too_many_contacts)
{
	struct office o;

	office_open(&o);
	put(&o, "Contact: <sip:1@h>,<sip:2@h>,<sip:3@h>,<sip:4@h>,"
		"<sip:5@h>,<sip:6@h>,<sip:7@h>\r\n");
	cr_expect_eq(put(&o, "Contact: <sip:8@h>,<sip:9@h>\r\n"), 403);
	cr_expect(answered(&o, "\r\nWarning: 399 "));
	cr_expect_eq(registrar_count(o.r), 7, "none of them");
	cr_expect_eq(put(&o, "Contact: <sip:8@h>\r\n"), 200);
	cr_expect_eq(put(&o, "Contact: <sip:9@h>\r\n"), 403);
	cr_expect_eq(put(&o, "Contact: <sip:1@h>\r\n"), 200, "refresh");
	cr_expect_eq(put(&o, "Contact: <sip:1@h>;expires=0,<sip:9@h>\r\n"),
		     200, "one for one");
	cr_expect_eq(registrar_count(o.r), CONTACTS_MAX);
	office_close(&o);
}


Test(registrar, full)
{
	struct office o;

	office_open(&o);
	registrar_again(&o, 1);
	cr_expect_eq(put(&o, "Contact: <sip:1@h>\r\n"), 200);
	cr_expect_eq(put(&o, "Contact: <sip:2@h>\r\n"), 503);
	cr_expect(answered(&o, "\r\nRetry-After: 60\r\n"));
	cr_expect_eq(put(&o, "Contact: <sip:1@h>\r\n"), 200);
	cr_expect_eq(registrar_count(o.r), 1);
	office_close(&o);
}


Test(registrar, extension_is_required)
{
	struct office o;

	office_open(&o);
	cr_expect_eq(put(&o, "Require: gin\r\nContact: <sip:1@h>\r\n"), 420);
	cr_expect(answered(&o, "\r\nUnsupported: gin\r\n"));
	cr_expect_eq(put(&o, "Contact: <nonsense>\r\n"), 400);
	office_close(&o);
}


Test(registrar, best_q_first_then_newest)
{
	struct contact c[CONTACTS_MAX];
	struct office o;

	office_open(&o);
	put(&o, "Contact: <sip:low@h>;q=0.1\r\n");
	put(&o, "Contact: <sip:old@h>\r\n");
	put(&o, "Contact: <sip:mid@h>;q=0.5\r\n");
	put(&o, "Contact: <sip:new@h>\r\n");
	cr_expect(answered(&o, "<sip:low@h>;expires=600;q=0.100\r\n"));
	cr_assert_eq(find(&o, c), 4);
	cr_expect_str_eq(c[0].uri, "sip:new@h");
	cr_expect_str_eq(c[1].uri, "sip:old@h");
	cr_expect_str_eq(c[2].uri, "sip:mid@h");
	cr_expect_str_eq(c[3].uri, "sip:low@h");

	put(&o, "Contact: <sip:old@h>\r\n");
	cr_expect_eq(registrar_find(o.r, "trk_1", c, 2), 2);
	cr_expect_str_eq(c[0].uri, "sip:old@h", "renewed");
	cr_expect_str_eq(c[1].uri, "sip:new@h");
	cr_expect_eq(registrar_find(o.r, "trk_1", c, 0), 0);
	office_close(&o);
}


static void count_handler(const struct contact *c, void *arg)
{
	cr_expect_str_eq(c->trunk_id, "trk_1");
	++*(int *)arg;
}


Test(registrar, each_and_gauge)
{
	struct metric *live = metric_gauge("strowger_registrations", NULL, "");
	struct office o;
	int n = 0;

	office_open(&o);
	put(&o, "Contact: <sip:a@h>, <sip:b@h>\r\n");
	registrar_each(o.r, count_handler, &n);
	cr_expect_eq(n, 2);
	cr_expect_eq(metric_value(live), 2);
	registrar_again(&o, 1);
	cr_expect_eq(metric_value(live), 0);
	office_close(&o);
}


static void expect_same(const struct contact *a, const struct contact *b)
{
	cr_expect_str_eq(a->uri, b->uri);
	cr_expect_str_eq(a->trunk_id, b->trunk_id);
	cr_expect_str_eq(a->username, b->username);
	cr_expect_str_eq(a->user_agent, b->user_agent);
	cr_expect_str_eq(a->call_id, b->call_id);
	cr_expect(sa_cmp(&a->path.local, &b->path.local, SA_ALL));
	cr_expect(sa_cmp(&a->path.peer, &b->path.peer, SA_ALL));
	cr_expect_eq(a->path.transport, b->path.transport);
	cr_expect_eq(a->path.sock, b->path.sock);
	cr_expect_eq(a->q, b->q);
	cr_expect_eq(a->cseq, b->cseq);
	cr_expect_eq(a->expires_wall_ms, b->expires_wall_ms);
}


Test(registrar, survives_a_restart)
{
	struct contact before[CONTACTS_MAX], after[CONTACTS_MAX];
	struct office o;
	char *json;
	int i;

	office_open(&o);
	o.w.path.sock = 3;
	put(&o, "Contact: <sip:a@h>;expires=60, <sip:b@h>;q=0.7\r\n");
	put(&o, "Contact: <sip:c@[2001:db8::1]:5062>\r\n");
	cr_assert_eq(find(&o, before), 3);
	cr_expect(registrar_is_dirty(o.r));
	json = registrar_export(o.r);
	cr_assert(json);
	cr_expect_not(registrar_is_dirty(o.r));

	wait_s(&o, 59);
	registrar_again(&o, 100);
	cr_assert_eq(registrar_import(o.r, json, strlen(json)), 0);
	cr_assert_eq(find(&o, after), 3);
	for (i = 0; i < 3; i++)
		expect_same(&after[i], &before[i]);

	wait_s(&o, 2);
	cr_expect_eq(registrar_count(o.r), 2, "its time went on");
	cr_expect(registrar_is_dirty(o.r));

	registrar_again(&o, 100);
	cr_assert_eq(registrar_import(o.r, json, strlen(json)), 0);
	cr_expect_eq(registrar_count(o.r), 2, "expired meanwhile");
	registrar_again(&o, 1);
	cr_assert_eq(registrar_import(o.r, json, strlen(json)), 0);
	cr_expect_eq(registrar_count(o.r), 1, "bounded");

	free(json);
	office_close(&o);
}


Test(registrar, changes_are_told_and_refreshes_are_not)
{
	struct office o;
	char *json;

	office_open(&o);
	cr_expect_eq(put(&o, "Contact: <sip:a@10.0.0.1>;expires=60\r\n"), 200);
	cr_expect_eq(put(&o, "Contact: <sip:a@10.0.0.1>;expires=60\r\n"), 200);
	cr_expect_eq(put(&o, "Contact: <sip:b@10.0.0.1>;expires=90\r\n"), 200);
	cr_expect_eq(put(&o, "Contact: <sip:b@10.0.0.1>;expires=0\r\n"), 200);
	json = registrar_export(o.r);
	registrar_again(&o, 100);
	cr_expect_eq(registrar_import(o.r, json, strlen(json)), 0);
	wait_s(&o, 61);
	cr_expect_str_eq(o.told, "+sip:a@10.0.0.1 +sip:b@10.0.0.1 "
			 "-sip:b@10.0.0.1(removed) -sip:a@10.0.0.1(expired) ");

	/* what ran out while we were away */
	o.told[0] = '\0';
	registrar_again(&o, 100);
	cr_expect_eq(registrar_import(o.r, json, strlen(json)), 0);
	cr_expect_str_eq(o.told, "-sip:a@10.0.0.1(expired) ");
	free(json);
	office_close(&o);
}


/* Trunk and user have to be there; other users of the trunk stay. */
Test(registrar, what_is_provisioned_no_more_goes_at_once)
{
	struct catalog *cat = fake_catalog();
	struct trunk *trunk = fake_trunk(cat, "trk_1");
	struct credential *pbx;
	struct office o;

	text_copy(trunk->realm, REALM_SIZE, "voip.example.com");
	pbx = fake_credential(cat, trunk->realm, "pbx", "x", trunk);
	(void)fake_credential(cat, trunk->realm, "two", "x", trunk);
	office_open(&o);
	cr_expect_eq(put(&o, "Contact: <sip:a@10.0.0.1>\r\n"), 200);
	text_copy(o.cred.username, USER_SIZE, "two");
	cr_expect_eq(ask(&o, "two", "c2", 1,
			 "Contact: <sip:b@10.0.0.1>\r\n"), 200);

	registrar_catalog(o.r, cat);
	wait_s(&o, 1);
	cr_expect_eq(registrar_count(o.r), 2, "both are provisioned");
	o.told[0] = '\0';
	text_copy(pbx->username, USER_SIZE, "another");
	registrar_catalog(o.r, cat);
	wait_s(&o, 1);
	cr_expect_str_eq(o.told, "-sip:a@10.0.0.1(deleted) ");
	cat->trunk_n = 0;
	registrar_catalog(o.r, cat);
	wait_s(&o, 1);
	cr_expect_eq(registrar_count(o.r), 0, "the trunk is gone");
	office_close(&o);
	mem_deref(cat);
}


Test(registrar, many_are_looked_at_some_at_a_time)
{
	enum { PBXS = 700 };
	struct catalog *cat = fake_catalog();
	struct office o;
	char user[16], id[16];

	office_open(&o);
	registrar_again(&o, PBXS);
	for (unsigned i = 0; i < PBXS; i++) {
		text_format(user, sizeof(user), "u%u", i);
		text_format(id, sizeof(id), "c%u", i);
		text_copy(o.cred.username, USER_SIZE, user);
		cr_assert_eq(ask(&o, user, id, 1,
				 "Contact: <sip:a@10.0.0.1>;expires=3600"
				 "\r\n"), 200);
		o.w.sent_n = 0;
		if (i % 50 == 49)
			wait_s(&o, 33); /* for their transactions */
	}
	registrar_catalog(o.r, cat);
	cr_expect_eq(registrar_count(o.r), PBXS, "not here and now");
	world_until(&o.w, o.w.now_ms + 10);
	cr_expect(registrar_count(o.r) < PBXS && registrar_count(o.r) > 0,
		  "%zu", registrar_count(o.r));
	wait_s(&o, 1);
	cr_expect_eq(registrar_count(o.r), 0);
	office_close(&o);
	mem_deref(cat);
}


Test(registrar, an_operator_takes_one_away)
{
	struct office o;

	office_open(&o);
	cr_expect_eq(put(&o, "Contact: <sip:a@10.0.0.1>, "
			     "<sip:b@10.0.0.1>\r\n"), 200);
	o.told[0] = '\0';
	cr_expect(!registrar_remove(o.r, "trk_2", "pbx", "sip:a@10.0.0.1"));
	cr_expect(!registrar_remove(o.r, "trk_1", "two", "sip:a@10.0.0.1"));
	cr_expect(!registrar_remove(o.r, "trk_1", "pbx", "sip:c@10.0.0.1"));
	cr_expect(registrar_remove(o.r, "trk_1", "pbx", "sip:a@10.0.0.1"));
	cr_expect_str_eq(o.told, "-sip:a@10.0.0.1(dropped) ");
	cr_expect(registrar_remove(o.r, "trk_1", "pbx", "sip:b@10.0.0.1"));
	cr_expect_eq(registrar_count(o.r), 0);
	office_close(&o);
}


#define ROW(trunk, uri, peer, q, expires) \
	"{\"trunk\":\"" trunk "\",\"tenant\":\"ten_1\",\"username\":\"u\",\"uri\":\"" uri "\"," \
	"\"local\":\"192.0.2.9:5060\",\"peer\":\"" peer "\"," \
	"\"transport\":0,\"sock\":0,\"q\":" q ",\"expires_wall_ms\":" \
	expires ",\"user_agent\":\"\",\"call_id\":\"c\",\"cseq\":1}"

Test(registrar, import_drops_what_is_malformed)
{
	static const char json[] = "{\"version\":1,\"contacts\":["
		ROW("trk_1", "sip:a@h", "192.0.2.1:5060", "1000", "60000") ","
		ROW("", "sip:a@h", "192.0.2.1:5060", "1000", "60000") ","
		ROW("trk_1", "a b", "192.0.2.1:5060", "1000", "60000") ","
		ROW("trk_1", "sip:a@h", "nowhere", "1000", "60000") ","
		ROW("trk_1", "sip:a@h", "192.0.2.1:5060", "1001", "60000") ","
		ROW("trk_1", "sip:a@h", "192.0.2.1:5060", "1000", "0") ","
		ROW("trk_1", "sip:a@h", "192.0.2.1:5060", "1", "9999999") ","
		ROW("trk_1", "sip:a@h", "192.0.2.1:5060", "1",
		    "-9223372036854775808") ","
		"{}, 7, null]}";
	struct office o;

	office_open(&o);
	cr_assert_eq(registrar_import(o.r, json, strlen(json)), 0);
	cr_expect_eq(registrar_count(o.r), 1);
	cr_expect_eq(registrar_import(o.r, "{", 1), EBADMSG);
	cr_expect_eq(registrar_import(o.r, "{}", 2), EBADMSG);
	cr_expect_eq(registrar_import(o.r, "{\"version\":2,\"contacts\":[]}",
				      27), ENOTSUP);
	cr_expect_eq(registrar_count(o.r), 1);
	office_close(&o);
}


Test(registrar, config)
{
	struct registrar_config cfg = {.expires_min_s = 60,
		.expires_max_s = 3600, .expires_default_s = 600,
		.bindings_max = 10};
	struct registrar *r;
	struct office o;

	office_open(&o);
	cr_expect_eq(registrar_alloc(&r, &cfg), EINVAL);
	cfg.ep = o.w.ep;
	cfg.expires_default_s = 59;
	cr_expect_eq(registrar_alloc(&r, &cfg), EINVAL);
	cfg.expires_default_s = 3601;
	cr_expect_eq(registrar_alloc(&r, &cfg), EINVAL);
	office_close(&o);
}
