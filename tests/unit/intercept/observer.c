/**
 * @file tests/unit/intercept/observer.c  Calls as the tap tells them, and what
 * becomes of them in the queues.
 */
#include <criterion/criterion.h>
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


/* @param identity  "": nobody */
static void seek(struct fixture *f, const char *identity, uint8_t want)
{
	struct poi_target t = {.id = 7, .want = want};

	observer_publish(f->o, NULL);
	(void)observer_look(f->o, 1);
	target_set_begin(f->set, &f->key);
	poi_digest(t.digest, &f->key, identity);
	if (identity[0])
		cr_assert_eq(target_set_add(f->set, &t), 0);
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

	ev.role = role;
	ev.party = text;
	ev.party_len = strlen(text);
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
	say(&f, 1, "INVITE", false);
	(void)expect(observer_sip(f.o), COPY_CALL);
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
		ev.party = "sip:a@h";
		ev.party_len = 7;
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
