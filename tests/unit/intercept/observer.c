/**
 * @file tests/unit/intercept/observer.c  Calls as the tap tells them, and what
 * becomes of them in the queues.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "observer.h"

#define RTP_SIZE 4096

static const uint8_t secret[POI_KEY_SIZE] = "0123456789abcdef0123456789abcdef";

struct fixture {
	struct observer *o;
	struct target_set *set;
	struct poi_key key;
};


static void open_fixture(struct fixture *f)
{
	const struct observer_config cfg = {.sip_size = 1u << 24,
					    .rtp_size = RTP_SIZE};

	memset(f, 0, sizeof(*f));
	cr_assert_eq(observer_alloc(&f->o, &cfg), 0);
	cr_assert_eq(target_set_alloc(&f->set), 0);
	poi_key_init(&f->key, secret);
}


static void close_fixture(struct fixture *f)
{
	observer_free(f->o);
	target_set_free(f->set);
}


/* @param identities  by blanks, 7, 8 ...; "": nobody */
static void seek(struct fixture *f, const char *identities, uint8_t want)
{
	struct poi_target t = {.id = 7, .want = want};
	char identity[64];

	observer_publish(f->o, NULL);
	while (observer_look(f->o, 1))
		;
	target_set_begin(f->set, &f->key);
	for (int n; sscanf(identities, "%63s%n", identity, &n) == 1;
	     identities += n, t.id++) {
		poi_digest(t.digest, &f->key, identity);
		cr_assert_eq(target_set_add(f->set, &t), 0);
	}
	(void)target_set_close(f->set);
	observer_publish(f->o, f->set);
	cr_expect(!observer_is_in_force(f->o));
	while (observer_look(f->o, 1))
		;
	cr_expect(observer_is_in_force(f->o));
}


static struct tap_event event(enum tap_kind kind, uint8_t call)
{
	struct tap_event ev = {.kind = kind, .wall_ns = 5};

	memset(ev.call, call, sizeof(ev.call));

	return ev;
}


static void tell(struct fixture *f, enum tap_kind kind, uint8_t call)
{
	const struct tap_event ev = event(kind, call);

	observer_hear(&ev, f->o);
}


static void party(struct fixture *f, uint8_t call, enum tap_role role,
		  const char *text)
{
	struct tap_event ev = event(TAP_CALL_PARTY, call);

	ev.party = (struct tap_party){role, text, strlen(text)};
	observer_hear(&ev, f->o);
}


static void say(struct fixture *f, uint8_t call, const char *text,
		bool is_again)
{
	struct tap_event ev = event(TAP_SIP, call);

	ev.leg = TAP_LEG_A;
	ev.bytes = (const uint8_t *)text;
	ev.len = strlen(text);
	ev.retransmission = is_again;
	observer_hear(&ev, f->o);
}


static void packet(struct fixture *f, uint8_t call, enum tap_leg leg,
		   size_t len)
{
	static const uint8_t bytes[POI_RTP_MAX + 1] = {0x80};
	struct tap_event ev = event(TAP_RTP, call);

	ev.leg = leg;
	ev.dir = TAP_IN;
	ev.bytes = bytes;
	ev.len = len;
	observer_hear(&ev, f->o);
}


/* @param named  one that the request names as calling, and one as called */
static void outside(struct fixture *f, const char *dialog, const char *text,
		    const char *calling, const char *called, int64_t wall_ns)
{
	const struct tap_party named[] = {
		{TAP_CALLING, calling, strlen(calling)},
		{TAP_CALLED, called, strlen(called)},
	};
	struct tap_event ev = {
		.kind = TAP_OUTSIDE, .leg = TAP_LEG_A, .wall_ns = wall_ns,
		.dialog = dialog, .dialog_len = strlen(dialog),
		.parties = named, .party_n = ARRAY_SIZE(named),
		.is_register = !strncmp(text, "REGISTER", 8),
		.bytes = (const uint8_t *)text, .len = strlen(text),
	};

	(void)sa_set_str(&ev.peer, "192.0.2.1", 5060);
	observer_hear(&ev, f->o);
}


/* With a Call-ID and a source; its first message is not said yet. */
static void begin(struct fixture *f, uint8_t call, const char *dialog)
{
	struct tap_event ev = event(TAP_CALL_BEGIN, call);

	ev.dialog = dialog;
	ev.dialog_len = strlen(dialog);
	(void)sa_set_str(&ev.peer, "192.0.2.1", 5061);
	observer_hear(&ev, f->o);
}


static const struct copy *next(struct copy_queue *q)
{
	return copy_queue_front(q, copy_queue_mark(q));
}


/* The oldest is of this kind; it is left in a buffer. */
static const struct copy *expect(struct copy_queue *q, enum copy_kind kind)
{
	static uint64_t buf[512];
	const struct copy *c = next(q);

	cr_assert_not_null(c);
	cr_assert_eq(c->kind, kind, "%u", c->kind);
	memcpy(buf, c, sizeof(*c) + (c->len < 2048 ? c->len : 0));
	copy_queue_pop(q);

	return (void *)buf;
}


static void expect_nothing(struct fixture *f)
{
	cr_expect_null(next(observer_sip(f->o)));
	cr_expect_null(next(observer_rtp(f->o)));
}


Test(observer, copies_what_a_target_says_once)
{
	const struct poi_match *match;
	const struct copy *c;
	struct fixture f;

	open_fixture(&f);
	seek(&f, "tel:4930100", POI_WANT_ALL);

	tell(&f, TAP_CALL_BEGIN, 1);
	party(&f, 1, TAP_CALLED, "+4930100");
	party(&f, 1, TAP_CALLED, "sip:+4930100@h;user=phone"); /* the same */
	expect_nothing(&f); /* what it is told with is yet to come */
	packet(&f, 1, TAP_LEG_A, 172);
	expect_nothing(&f);
	say(&f, 1, "INVITE", false);
	say(&f, 1, "INVITE", true);
	packet(&f, 1, TAP_LEG_B, 172);
	tell(&f, TAP_CALL_END, 1);
	say(&f, 1, "200", false);
	tell(&f, TAP_CALL_GONE, 1);

	c = expect(observer_sip(f.o), COPY_CALL);
	cr_expect_eq(c->len, sizeof(*match));
	cr_expect(!c->is_in_progress);
	match = (const void *)copy_bytes(c);
	cr_expect_eq(match->id, 7);
	cr_expect_eq(match->role, POI_CALLED);
	c = expect(observer_sip(f.o), COPY_SIP);
	cr_expect_arr_eq(copy_bytes(c), "INVITE", 6);
	c = expect(observer_sip(f.o), COPY_SIP);
	cr_expect_arr_eq(copy_bytes(c), "200", 3);
	c = expect(observer_sip(f.o), COPY_END);
	cr_expect_eq(c->rtp_mark, copy_queue_mark(observer_rtp(f.o)));
	c = expect(observer_rtp(f.o), COPY_RTP);
	cr_expect_eq(c->leg, POI_LEG_B);
	cr_expect_eq(c->len, 172);
	expect_nothing(&f);
	close_fixture(&f);
}


Test(observer, numbers_are_what_the_rules_made_of_them)
{
	struct fixture f;

	open_fixture(&f);
	seek(&f, "tel:4930100", POI_WANT_ALL);
	tell(&f, TAP_CALL_BEGIN, 1);
	party(&f, 1, TAP_CALLED, "sip:4930100@h;user=phone");
	party(&f, 1, TAP_CALLED, "tel:4930100");
	party(&f, 1, TAP_CALLED, "+49301001");
	party(&f, 1, TAP_CALLED, "+493010");
	party(&f, 1, TAP_CALLED, "<nonsense");
	say(&f, 1, "INVITE", false);
	expect_nothing(&f);
	party(&f, 1, TAP_FORWARDING, "tel:+49-30-100");
	say(&f, 1, "100", false);
	(void)expect(observer_sip(f.o), COPY_CALL);
	(void)expect(observer_sip(f.o), COPY_SIP); /* the INVITE */
	(void)expect(observer_sip(f.o), COPY_SIP);
	close_fixture(&f);
}


Test(observer, who_is_sought_in_mid_call_and_then_not_any_more)
{
	const struct copy *c;
	struct fixture f;

	open_fixture(&f);
	/* more calls than are looked at in one go */
	for (uint8_t i = 1; i <= 200; i++) {
		tell(&f, TAP_CALL_BEGIN, i);
		party(&f, i, TAP_CALLING, i == 9 ? "sip:a@H" : "sip:b@h");
		say(&f, i, "INVITE", false);
	}
	tell(&f, TAP_CALL_END, 200);
	expect_nothing(&f);

	seek(&f, "sip:a@h", POI_WANT_SIP);
	c = expect(observer_sip(f.o), COPY_CALL);
	cr_expect(c->is_in_progress);
	packet(&f, 9, TAP_LEG_A, 172); /* messages alone are wanted */
	packet(&f, 8, TAP_LEG_A, 172);
	say(&f, 8, "BYE", false);
	expect_nothing(&f);
	say(&f, 9, "BYE", false);
	(void)expect(observer_sip(f.o), COPY_SIP);

	seek(&f, "", 0);
	(void)expect(observer_sip(f.o), COPY_END);
	say(&f, 9, "200", false);
	expect_nothing(&f);
	close_fixture(&f);
}


/* The consumer stands still: what is missing is told where it is missing. */
Test(observer, what_does_not_fit_is_counted)
{
	const struct copy *c;
	struct fixture f;
	unsigned n = 0;

	open_fixture(&f);
	seek(&f, "sip:a@h", POI_WANT_RTP);
	tell(&f, TAP_CALL_BEGIN, 1);
	party(&f, 1, TAP_CALLING, "sip:a@h");
	say(&f, 1, "INVITE", false);
	for (unsigned i = 0; i < 100; i++)
		packet(&f, 1, TAP_LEG_A, 172);
	packet(&f, 1, TAP_LEG_B, 172);
	while (next(observer_rtp(f.o))) {
		c = expect(observer_rtp(f.o), COPY_RTP);
		cr_expect_eq(c->lost_from_ns, 0);
		n++;
	}
	cr_assert(n > 0 && n < 100);

	packet(&f, 1, TAP_LEG_A, 172);
	c = expect(observer_rtp(f.o), COPY_RTP);
	cr_expect_eq(c->lost[SESSION_RTP_A], 100 - n);
	cr_expect_eq(c->lost[SESSION_RTP_B], 0);
	cr_expect_eq(c->lost_from_ns, 5);
	packet(&f, 1, TAP_LEG_A, 172);
	c = expect(observer_rtp(f.o), COPY_RTP);
	cr_expect_eq(c->lost_from_ns, 0, "told once");

	packet(&f, 1, TAP_LEG_A, 5);    /* no RTP */
	packet(&f, 1, TAP_LEG_A, POI_RTP_MAX + 1);
	tell(&f, TAP_CALL_GONE, 1);
	(void)expect(observer_sip(f.o), COPY_CALL);
	(void)expect(observer_sip(f.o), COPY_SIP);
	c = expect(observer_sip(f.o), COPY_END);
	cr_expect_eq(c->lost[SESSION_RTP_A], 2);
	cr_expect_eq(c->lost[SESSION_RTP_B], 1);
	close_fixture(&f);
}


/* Messages give way to what says whose they are, and that to the end. */
Test(observer, an_end_always_fits)
{
	static char large[60000];
	struct fixture f;
	unsigned calls = 0, ends = 0;

	open_fixture(&f);
	seek(&f, "sip:a@h", POI_WANT_ALL);
	memset(large, 'x', sizeof(large) - 1);
	for (unsigned i = 0; i < 20000; i++) {
		struct tap_event ev = event(TAP_CALL_BEGIN, 1);

		ev.call[14] = (uint8_t)i;
		ev.call[13] = (uint8_t)(i >> 8);
		ev.call[10] = (uint8_t)i;
		ev.call[11] = (uint8_t)(i >> 8);
		observer_hear(&ev, f.o);
		ev.kind = TAP_CALL_PARTY;
		ev.party = (struct tap_party){TAP_CALLING, "sip:a@h", 7};
		observer_hear(&ev, f.o);
		ev.kind = TAP_SIP;
		ev.bytes = (const uint8_t *)large;
		ev.len = sizeof(large) - 1;
		observer_hear(&ev, f.o);
		if (i >= SESSIONS_MAX)
			break;
	}
	cr_expect(!observer_is_broken(f.o));
	seek(&f, "", 0);
	cr_expect(!observer_is_broken(f.o));
	while (next(observer_sip(f.o))) {
		const struct copy *c = next(observer_sip(f.o));

		calls += c->kind == COPY_CALL;
		ends += c->kind == COPY_END;
		copy_queue_pop(observer_sip(f.o));
	}
	cr_expect_eq(calls, SESSIONS_MAX, "%u", calls);
	cr_expect_eq(ends, SESSIONS_MAX, "%u", ends);
	close_fixture(&f);
}


static void expect_sip(struct fixture *f, const char *text, int64_t wall_ns)
{
	const struct copy *c = expect(observer_sip(f->o), COPY_SIP);

	cr_expect_arr_eq(copy_bytes(c), text, strlen(text), "%s", text);
	cr_expect_eq(c->len, strlen(text));
	cr_expect_eq(c->wall_ns, wall_ns);
}


/* @return by which strowger-li knows it */
static const uint8_t *expect_call(struct fixture *f, uint32_t matches)
{
	const struct copy *c = expect(observer_sip(f->o), COPY_CALL);

	cr_expect_eq(c->len, matches * sizeof(struct poi_match));

	return sessions_at(observer_sessions(f->o), c->session)->told;
}


static void expect_end(struct fixture *f)
{
	const struct copy *c = expect(observer_sip(f->o), COPY_END);

	sessions_release(observer_sessions(f->o),
			 sessions_at(observer_sessions(f->o), c->session));
}


#define MS INT64_C(1000000)

/* What the rules make of a number shows with the credentials. */
Test(observer, what_was_said_before_a_call_is_of_the_call)
{
	uint8_t told[POI_ID_SIZE];
	struct fixture f;

	open_fixture(&f);
	seek(&f, "tel:4930100", POI_WANT_ALL);
	outside(&f, "c1", "INVITE 1", "sip:a@h", "sip:030100@h", 100 * MS);
	outside(&f, "c2", "INVITE x", "sip:a@h", "sip:030100@h", 100 * MS);
	outside(&f, "c1", "401", "sip:a@h", "sip:030100@h", 101 * MS);
	outside(&f, "c1", "INVITE 1", "sip:a@h", "sip:030100@h", 102 * MS);
	outside(&f, "c1", "ACK", "sip:a@h", "sip:030100@h", 102 * MS);
	cr_expect(!observer_look(f.o, 103 * MS));
	expect_nothing(&f);

	begin(&f, 1, "c1");
	party(&f, 1, TAP_CALLED, "+4930100");
	say(&f, 1, "INVITE 2", false);
	memcpy(told, expect_call(&f, 1), sizeof(told));
	expect_sip(&f, "INVITE 1", 100 * MS);
	expect_sip(&f, "401", 101 * MS);
	expect_sip(&f, "ACK", 102 * MS);
	expect_sip(&f, "INVITE 2", 5);

	/* late, again, and one that is refused beside the call */
	outside(&f, "c1", "ACK", "sip:a@h", "sip:030100@h", 104 * MS);
	outside(&f, "c1", "INVITE 3", "sip:a@h", "sip:030100@h", 105 * MS);
	cr_expect(!observer_look(f.o, 3000 * MS));
	expect_sip(&f, "INVITE 3", 105 * MS);
	tell(&f, TAP_CALL_GONE, 1);
	expect_end(&f);

	/* of the same Call-ID, and then another call with it */
	outside(&f, "c1", "481", "sip:a@h", "sip:+4930100@h", 3001 * MS);
	cr_expect(!observer_look(f.o, 9000 * MS));
	cr_expect_arr_eq(expect_call(&f, 1), told, sizeof(told));
	expect_sip(&f, "481", 3001 * MS);
	expect_end(&f);
	expect_nothing(&f); /* c2 named nobody */
	close_fixture(&f);
}


Test(observer, an_attempt_is_told_when_no_call_came_of_it)
{
	const struct copy *c;
	const struct poi_match *match;
	struct fixture f;

	open_fixture(&f);
	seek(&f, "sip:a@h", POI_WANT_ALL);
	outside(&f, "c1", "INVITE", "sip:a@h", "sip:b@h", 1000 * MS);
	outside(&f, "c1", "401", "sip:a@h", "sip:b@h", 1001 * MS);
	outside(&f, "r1", "REGISTER", "sip:a@h", "sip:a@h", 1500 * MS);
	cr_expect(!observer_look(f.o, 2999 * MS));
	expect_nothing(&f);
	cr_expect(!observer_look(f.o, 3000 * MS));
	c = expect(observer_sip(f.o), COPY_CALL);
	cr_expect_eq(c->wall_ns, 1000 * MS);
	cr_expect(!c->is_in_progress);
	match = (const void *)copy_bytes(c);
	cr_expect_eq(match->role, POI_CALLING);
	cr_expect_not(sessions_at(observer_sessions(f.o),
				  c->session)->is_register);
	expect_sip(&f, "INVITE", 1000 * MS);
	expect_sip(&f, "401", 1001 * MS);
	expect_end(&f);
	expect_nothing(&f);

	cr_expect(!observer_look(f.o, 3500 * MS));
	c = expect(observer_sip(f.o), COPY_CALL);
	cr_expect_eq(c->len, 2 * sizeof(*match));
	cr_expect(sessions_at(observer_sessions(f.o),
			      c->session)->is_register);
	expect_sip(&f, "REGISTER", 1500 * MS);
	expect_end(&f);

	/* again after it was told, and when it is forgotten */
	outside(&f, "c1", "INVITE", "sip:a@h", "sip:b@h", 4000 * MS);
	cr_expect(!observer_look(f.o, 32999 * MS));
	expect_nothing(&f);
	cr_expect(!observer_look(f.o, 33000 * MS));
	outside(&f, "c1", "INVITE", "sip:a@h", "sip:b@h", 33001 * MS);
	cr_expect(!observer_look(f.o, 35001 * MS));
	(void)expect_call(&f, 1);
	close_fixture(&f);
}


/* Who took part in the attempt alone hears of it, not of the call; and a call
   that goes on is not ended by what is said beside it. */
Test(observer, who_is_only_in_an_attempt_hears_nothing_of_the_call)
{
	uint8_t told[POI_ID_SIZE];
	struct fixture f;

	open_fixture(&f);
	seek(&f, "sip:b@h sip:d@h", POI_WANT_ALL);
	outside(&f, "c1", "INVITE b", "sip:a@h", "sip:b@h", 100 * MS);
	begin(&f, 1, "c1");
	party(&f, 1, TAP_CALLED, "sip:c@h");
	say(&f, 1, "INVITE c", false);
	memcpy(told, expect_call(&f, 1), sizeof(told));
	expect_sip(&f, "INVITE b", 100 * MS);
	expect_end(&f);
	expect_nothing(&f);

	party(&f, 1, TAP_FORWARDING, "sip:b@h");
	say(&f, 1, "181", false);
	cr_expect_arr_eq(expect_call(&f, 1), told, sizeof(told));
	expect_sip(&f, "INVITE c", 5);
	expect_sip(&f, "181", 5);
	expect_nothing(&f); /* INVITE b is told */
	outside(&f, "c1", "INVITE d", "sip:b@h", "sip:d@h", 200 * MS);
	cr_expect(!observer_look(f.o, 3000 * MS));
	cr_expect_arr_neq(expect_call(&f, 1), told, sizeof(told), "d's");
	expect_sip(&f, "INVITE d", 200 * MS);
	expect_end(&f);
	expect_sip(&f, "INVITE d", 200 * MS);
	expect_nothing(&f);

	/* a second call at once with the Call-ID is another one */
	begin(&f, 2, "c1");
	party(&f, 2, TAP_CALLED, "sip:b@h");
	say(&f, 2, "INVITE e", false);
	cr_expect_arr_neq(expect_call(&f, 1), told, sizeof(told));
	close_fixture(&f);
}


/* Before it was sought nobody is copied, and who was is, to the last. */
Test(observer, what_waits_belongs_to_the_set_that_it_came_in)
{
	struct fixture f;

	open_fixture(&f);
	seek(&f, "sip:a@h", POI_WANT_ALL);
	for (int i = 0; i < 200; i++) {
		char dialog[8];

		(void)re_snprintf(dialog, sizeof(dialog), "c%d", i);
		outside(&f, dialog, "INVITE", i == 150 ? "sip:a@h" : "sip:b@h",
			"sip:c@h", 90000 * MS);
	}
	seek(&f, "sip:b@h", POI_WANT_ALL);
	(void)expect_call(&f, 1);
	expect_sip(&f, "INVITE", 90000 * MS);
	expect_end(&f);
	expect_nothing(&f);
	outside(&f, "d", "INVITE", "sip:b@h", "sip:c@h", 90001 * MS);
	cr_expect(!observer_look(f.o, 92001 * MS));
	(void)expect_call(&f, 1);
	close_fixture(&f);
}


static uint32_t first_match(const struct copy *c)
{
	const struct poi_match *match = (const void *)copy_bytes(c);

	return match->id;
}


/* Anybody can send them: what is held is bounded, and what is told, too; what
   is left out is counted, and told with the target's next call. */
Test(observer, a_flood_of_attempts_is_counted_and_no_call_misses_out)
{
	char dialog[8], named[16], all[512] = "";
	static char large[4000];
	unsigned calls = 0, sip = 0, of_first = 0;
	const struct copy *c;
	struct fixture f;

	open_fixture(&f);
	for (int i = 0; i < 20; i++)
		(void)re_snprintf(all + strlen(all), sizeof(all) - strlen(all),
				  "sip:a%d@h ", i);
	seek(&f, all, POI_WANT_ALL);
	memset(large, 'x', sizeof(large) - 1);
	for (int i = 0; i < 6000; i++) {
		(void)re_snprintf(dialog, sizeof(dialog), "c%d", i);
		(void)re_snprintf(named, sizeof(named), "sip:a%d@h", i % 20);
		outside(&f, dialog, large, named, "sip:c@h", 90000 * MS);
	}
	while (observer_look(f.o, 92000 * MS))
		;
	while (next(observer_sip(f.o))) {
		c = next(observer_sip(f.o));
		calls += c->kind == COPY_CALL;
		of_first += c->kind == COPY_CALL && first_match(c) == 7;
		sip += c->kind == COPY_SIP;
		copy_queue_pop(observer_sip(f.o));
	}
	cr_expect_eq(calls, ATTEMPTS_MAX);
	cr_expect_eq(sip, ATTEMPTS_MAX);
	cr_expect(!observer_is_broken(f.o));

	tell(&f, TAP_CALL_BEGIN, 1);
	party(&f, 1, TAP_CALLING, "sip:a0@h");
	say(&f, 1, "INVITE", false);
	(void)expect_call(&f, 1);
	c = expect(observer_sip(f.o), COPY_SIP);
	cr_expect_eq(c->lost[SESSION_SIP], 300 - of_first);
	cr_expect_eq(c->lost_from_ns, 90000 * MS);
	say(&f, 1, "100", false);
	c = expect(observer_sip(f.o), COPY_SIP);
	cr_expect_eq(c->lost[SESSION_SIP], 0, "told once");
	close_fixture(&f);
}


/* Each its own: who is flooded keeps nobody else from being told of. */
Test(observer, so_many_attempts_of_a_target_are_told)
{
	const struct copy *c;
	unsigned calls[2] = {0}, lost = 0;
	struct fixture f;

	open_fixture(&f);
	seek(&f, "sip:a@h sip:b@h", POI_WANT_ALL);
	for (int i = 0; i < 6000; i++) {
		char dialog[8];
		const int64_t wall_ns = (90000 + i) * MS;

		(void)re_snprintf(dialog, sizeof(dialog), "c%d", i);
		outside(&f, dialog, "INVITE", i == 3000 ? "sip:b@h" : "sip:a@h",
			"sip:c@h", wall_ns);
		(void)observer_look(f.o, wall_ns);
		for (; (c = next(observer_sip(f.o)));
		     copy_queue_pop(observer_sip(f.o))) {
			struct session *one = sessions_at(
				observer_sessions(f.o), c->session);

			if (c->kind == COPY_CALL)
				calls[first_match(c) == 8]++;
			lost += c->lost[SESSION_SIP];
			if (c->kind == COPY_END)
				sessions_release(observer_sessions(f.o), one);
		}
	}
	/* 4000 were due: 200 at once, and ten in each second */
	cr_expect(calls[0] >= 239 && calls[0] <= 242, "%u", calls[0]);
	cr_expect_eq(calls[1], 1);

	tell(&f, TAP_CALL_BEGIN, 1);
	party(&f, 1, TAP_CALLING, "sip:a@h");
	say(&f, 1, "INVITE", false);
	(void)expect_call(&f, 1);
	c = expect(observer_sip(f.o), COPY_SIP);
	cr_expect_eq(c->lost[SESSION_SIP], 4000 - 1 - calls[0] - lost);
	close_fixture(&f);
}


/* Ever other callers, of fewer Call-IDs than may be: the oldest is forgotten,
   and not known when it comes again. */
Test(observer, whom_attempts_name_is_bounded)
{
	char calling[160], dialog[8];
	struct fixture f;

	open_fixture(&f);
	seek(&f, "sip:a@h", POI_WANT_SIP);
	outside(&f, "old", "INVITE", "sip:a@h", "sip:b@h", 90000 * MS);
	cr_expect(!observer_look(f.o, 92000 * MS));
	(void)expect_call(&f, 1);
	expect_sip(&f, "INVITE", 90000 * MS);
	expect_end(&f);

	memset(calling, 'x', sizeof(calling) - 1);
	memcpy(calling, "sip:", 4);
	calling[120] = '@';
	calling[sizeof(calling) - 1] = '\0';
	for (int i = 0; i < 2000; i++) {
		(void)re_snprintf(dialog, sizeof(dialog), "c%d", i);
		for (int k = 0; k < 32; k++) {
			calling[50] = (char)('A' + k);
			outside(&f, dialog, "INVITE", calling, calling,
				92000 * MS);
		}
	}
	outside(&f, "old", "INVITE", "sip:a@h", "sip:b@h", 92001 * MS);
	while (observer_look(f.o, 94001 * MS))
		;
	(void)expect_call(&f, 1);
	expect_sip(&f, "INVITE", 92001 * MS);
	close_fixture(&f);
}


static void say_on(struct fixture *f, enum tap_leg leg, const char *text)
{
	struct tap_event ev = event(TAP_SIP, 1);

	ev.leg = leg;
	ev.bytes = (const uint8_t *)text;
	ev.len = strlen(text);
	observer_hear(&ev, f->o);
}


/* Who is called shows with the INVITE to them alone: the call is theirs from
   its beginning. One that is called after another is not. */
Test(observer, a_call_is_of_whom_it_is_for_from_its_beginning)
{
	struct fixture f;

	open_fixture(&f);
	seek(&f, "sip:b@h sip:c@h", POI_WANT_ALL);
	outside(&f, "c1", "INVITE 1", "sip:a@h", "sip:x@h", 100 * MS);
	outside(&f, "c1", "401", "sip:a@h", "sip:x@h", 100 * MS);
	begin(&f, 1, "c1");
	party(&f, 1, TAP_CALLED, "+4930100");
	say(&f, 1, "INVITE 2", false);
	say(&f, 1, "INVITE 2", true);
	say(&f, 1, "100", false);
	expect_nothing(&f);
	party(&f, 1, TAP_CALLED, "sip:b@h");
	say_on(&f, TAP_LEG_B, "INVITE b");
	(void)expect_call(&f, 1);
	expect_sip(&f, "INVITE 1", 100 * MS);
	expect_sip(&f, "401", 100 * MS);
	expect_sip(&f, "INVITE 2", 5);
	expect_sip(&f, "100", 5);
	expect_sip(&f, "INVITE b", 5);
	tell(&f, TAP_CALL_GONE, 1);
	expect_end(&f);

	tell(&f, TAP_CALL_BEGIN, 1);
	say(&f, 1, "INVITE", false);
	party(&f, 1, TAP_CALLED, "sip:d@h");
	say_on(&f, TAP_LEG_B, "INVITE d");
	party(&f, 1, TAP_CALLED, "sip:c@h");
	say_on(&f, TAP_LEG_B, "INVITE c");
	(void)expect_call(&f, 1);
	expect_sip(&f, "INVITE c", 5);
	expect_nothing(&f);
	close_fixture(&f);
}


/* What a call said before somebody was sought stays unsaid. */
Test(observer, nothing_is_told_from_before_a_set)
{
	struct fixture f;

	open_fixture(&f);
	tell(&f, TAP_CALL_BEGIN, 1);
	party(&f, 1, TAP_CALLED, "+4930100");
	say(&f, 1, "INVITE", false);
	seek(&f, "sip:b@h", POI_WANT_ALL);
	party(&f, 1, TAP_CALLED, "sip:b@h");
	say_on(&f, TAP_LEG_B, "INVITE b");
	(void)expect_call(&f, 1);
	expect_sip(&f, "INVITE b", 5);
	expect_nothing(&f);
	close_fixture(&f);
}
