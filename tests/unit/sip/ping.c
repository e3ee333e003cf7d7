/**
 * @file ping.c  Tests: probes, hysteresis, what calls tell, new catalogs.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "fake_catalog.h"
#include "metric.h"
#include "ping.h"
#include "text.h"
#include "world.h"

struct ward {
	struct world w;
	struct catalog *cat;
	struct gateway *gw;
	struct ping *p;
	int ups, downs;         /**< events                                 */
};


static void change_handler(const char *gateway_id, bool is_up, void *arg)
{
	struct ward *d = arg;

	cr_expect_str_eq(gateway_id, "gw_1");
	++*(is_up ? &d->ups : &d->downs);
}


static void ward_open(struct ward *d, uint32_t ping_s)
{
	memset(d, 0, sizeof(*d));
	world_open(&d->w);
	d->cat = fake_catalog();
	d->gw = fake_gateway(d->cat, "gw_1", "192.0.2.1", 5060);
	d->gw->ping_s = ping_s;
	d->gw->ping_down_after = 3;
	d->gw->ping_up_after = 2;
	cr_assert_eq(ping_alloc(&d->p, d->w.ep, &d->w.path, 1,
				change_handler, d), 0);
	ping_catalog(d->p, d->cat);
}


static void ward_close(struct ward *d)
{
	mem_deref(d->p);
	world_until(&d->w, d->w.now_ms + 40000);
	world_close(&d->w);
	mem_deref(d->cat);
}


static void wait_ms(struct ward *d, uint64_t ms)
{
	world_until(&d->w, d->w.now_ms + ms);
}


static void heard(struct ward *d, enum health_word word)
{
	ping_heard(d->p, d->gw, word, "call", 0);
}


/* Different probes, whatever was repeated: each has its own Via. */
static size_t probes(const struct ward *d)
{
	const char *prev = "";
	size_t i, n = 0;

	for (i = 0; i < d->w.sent_n; i++) {
		const char *call_id = strstr(d->w.sent[i].text, "Call-ID:");

		if (strncmp(call_id, prev, 30))
			++n;
		prev = call_id;
	}

	return n;
}


static void answer(struct ward *d, int scode)
{
	const struct sent *s = world_last(&d->w, "OPTIONS ");
	char via[256], call_id[64], from[128];

	cr_assert(s);
	cr_assert_eq(sscanf(strstr(s->text, "Via:"), "%255[^\r]", via), 1);
	cr_assert_eq(sscanf(strstr(s->text, "From:"), "%127[^\r]", from), 1);
	cr_assert_eq(sscanf(strstr(s->text, "Call-ID:"), "%63[^\r]", call_id),
		     1);
	world_recv(&d->w, "SIP/2.0 %d X\r\n%s\r\n%s\r\nTo: <sip:x>;tag=1\r\n"
		   "%s\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n",
		   scode, via, from, call_id);
}


/* One interval of 2 s, whose probe is answered so (0: not at all). */
static void interval(struct ward *d, int scode)
{
	size_t before = probes(d);

	d->w.sent_n = 0; /* the wire's memory is short */
	before = 0;
	while (probes(d) == before)
		wait_ms(d, 10);
	if (scode)
		answer(d, scode);
	wait_ms(d, 1500);
}


static struct ping_state state_of(const struct ward *d);


Test(ping, asks_once_an_interval)
{
	const struct sent *s;
	struct ward d;

	ward_open(&d, 2);
	wait_ms(&d, 2000);
	cr_assert_eq(probes(&d), 1, "at a random point of the first");
	s = world_last(&d.w, "OPTIONS ");
	cr_assert(s);
	cr_expect_eq(strncmp(s->text, "OPTIONS sip:192.0.2.1:5060 SIP/2.0\r\n",
			     36), 0, "%s", s->text);
	cr_expect(strstr(s->text, "Via: SIP/2.0/UDP 192.0.2.9:5060;branch="
				  "z9hG4bK"));
	cr_expect(sa_cmp(&s->path.peer, &d.gw->addr, SA_ALL));
	answer(&d, 200);
	d.w.sent_n = 0;
	wait_ms(&d, 2000);
	cr_expect_eq(probes(&d), 1);
	answer(&d, 200);
	ward_close(&d);
}


Test(ping, any_answer_but_408_and_503_is_life)
{
	static const int alive[] = {200, 404, 405, 481, 401, 483, 500};
	struct ward d;
	size_t i;

	ward_open(&d, 2);
	for (i = 0; i < sizeof(alive) / sizeof(alive[0]); i++)
		interval(&d, alive[i]);
	cr_expect_eq(d.downs, 0);
	cr_expect_eq(state_of(&d).failures, 0);

	interval(&d, 503);
	interval(&d, 408);
	cr_expect(ping_is_up(d.p, d.gw));
	cr_expect_eq(state_of(&d).failures, 2);
	interval(&d, 503);
	cr_expect_not(ping_is_up(d.p, d.gw));
	cr_expect_eq(d.downs, 1);
	ward_close(&d);
}


Test(ping, provisional_answer_is_no_answer)
{
	struct ward d;

	ward_open(&d, 2);
	interval(&d, 100);
	interval(&d, 100);
	cr_expect_eq(state_of(&d).failures, 1);
	ward_close(&d);
}


Test(ping, down_and_up_with_hysteresis)
{
	struct metric *gauge = metric_gauge("strowger_gateway_up",
					    "gateway=\"gw_1\"", "");
	struct ward d;

	ward_open(&d, 2);
	cr_expect_eq(metric_value(gauge), 1);
	interval(&d, 0);
	interval(&d, 0);
	interval(&d, 200);
	cr_expect_eq(state_of(&d).failures, 0, "not in a row");
	interval(&d, 0);
	interval(&d, 0);
	interval(&d, 0);
	interval(&d, 0);
	cr_expect_not(ping_is_up(d.p, d.gw));
	cr_expect_eq(metric_value(gauge), 0);
	cr_expect_eq(d.downs, 1);

	interval(&d, 200);
	cr_expect_not(ping_is_up(d.p, d.gw), "one swallow");
	interval(&d, 0);
	interval(&d, 200);
	cr_expect_not(ping_is_up(d.p, d.gw));
	interval(&d, 200);
	cr_expect(ping_is_up(d.p, d.gw));
	cr_expect_eq(metric_value(gauge), 1);
	cr_expect_eq(d.ups, 1);
	cr_expect_eq(d.downs, 1);
	ward_close(&d);
}


static void take_state(const struct ping_state *s, void *arg)
{
	*(struct ping_state *)arg = *s;
}


static struct ping_state state_of(const struct ward *d)
{
	struct ping_state s;

	memset(&s, 0, sizeof(s));
	ping_each(d->p, take_state, &s);

	return s;
}


Test(ping, state_is_told)
{
	struct ping_state s;
	struct ward d;

	ward_open(&d, 2);
	while (!probes(&d))
		wait_ms(&d, 10);
	wait_ms(&d, 70);
	answer(&d, 200);
	s = state_of(&d);
	cr_expect_str_eq(s.gateway_id, "gw_1");
	cr_expect(s.is_up && s.is_probed);
	cr_expect_eq(s.rtt_us, 70000);
	ward_close(&d);
}


Test(ping, wire_that_refuses_is_a_failure)
{
	struct ward d;

	ward_open(&d, 2);
	d.w.send_err = ECONNREFUSED;
	wait_ms(&d, 8000);
	cr_expect_not(ping_is_up(d.p, d.gw));
	d.w.send_err = 0;
	ward_close(&d);
}


Test(ping, calls_count_as_well)
{
	struct ward d;

	ward_open(&d, 60);
	heard(&d, HEALTH_FAILED);
	heard(&d, HEALTH_FAILED);
	heard(&d, HEALTH_ALIVE);
	heard(&d, HEALTH_FAILED);
	heard(&d, HEALTH_FAILED);
	cr_expect(ping_is_up(d.p, d.gw));
	heard(&d, HEALTH_FAILED);
	cr_expect_not(ping_is_up(d.p, d.gw));
	cr_expect_eq(d.downs, 1);
	heard(&d, HEALTH_ALIVE);
	cr_expect(ping_is_up(d.p, d.gw), "it went there all the same");
	cr_expect_eq(d.ups, 1);
	ward_close(&d);
}


/* OPTIONS are fine, INVITEs are not: only a call brings it back. */
Test(ping, probes_do_not_heal_what_calls_found)
{
	struct ward d;
	int i;

	ward_open(&d, 2);
	for (i = 0; i < 3; i++) {
		interval(&d, 200);
		heard(&d, HEALTH_FAILED);
	}
	cr_expect_not(ping_is_up(d.p, d.gw));
	for (i = 0; i < 3; i++)
		interval(&d, 200);
	cr_expect_not(ping_is_up(d.p, d.gw));
	cr_expect_str_eq(state_of(&d).state, "down");
	interval(&d, 200);
	interval(&d, 200);
	cr_expect_str_eq(state_of(&d).state, "half_open");
	cr_expect_eq(d.ups, 0, "nobody is told before a call has tried");
	heard(&d, HEALTH_ALIVE);
	cr_expect_str_eq(state_of(&d).state, "up");
	cr_expect_eq(d.ups, 1);
	ward_close(&d);
}


Test(ping, retry_after_is_kept_and_bounded)
{
	struct ward d;

	ward_open(&d, 0);
	ping_heard(d.p, d.gw, HEALTH_FAILED, "retry_after", 5);
	cr_expect_not(ping_is_up(d.p, d.gw), "at once");
	wait_ms(&d, 4990);
	cr_expect_not(ping_is_up(d.p, d.gw));
	wait_ms(&d, 20);
	cr_expect(ping_is_up(d.p, d.gw));
	ping_heard(d.p, d.gw, HEALTH_FAILED, "retry_after", 86400);
	wait_ms(&d, HEALTH_TOLD_MAX_S * 1000 + 10);
	cr_expect(ping_is_up(d.p, d.gw));
	ward_close(&d);
}


/* Half open means one call at a time. */
Test(ping, a_trial_keeps_others_away)
{
	struct ward d;

	ward_open(&d, 0);
	ping_heard(d.p, d.gw, HEALTH_FAILED, "retry_after", 1);
	wait_ms(&d, 1010);
	cr_expect(ping_is_up(d.p, d.gw));
	ping_dialled(d.p, d.gw);
	cr_expect_not(ping_is_up(d.p, d.gw));
	wait_ms(&d, HEALTH_TRIAL_MS);
	cr_expect(ping_is_up(d.p, d.gw), "nothing came of it");
	ping_dialled(d.p, d.gw);
	heard(&d, HEALTH_ALIVE);
	ping_dialled(d.p, d.gw);
	cr_expect(ping_is_up(d.p, d.gw));
	ward_close(&d);
}


/* 403 may be about that one call: it takes four times as many. */
Test(ping, refusals_weigh_less)
{
	struct ward d;
	int i;

	ward_open(&d, 0);
	for (i = 0; i < 3 * HEALTH_REFUSED_FACTOR; i++) {
		cr_expect(ping_is_up(d.p, d.gw));
		heard(&d, HEALTH_REFUSED);
	}
	cr_expect_not(ping_is_up(d.p, d.gw));
	ward_close(&d);
}


Test(ping, unprobed_is_held_and_tried_again)
{
	struct ward d;
	int i;

	ward_open(&d, 0);
	for (i = 0; i < 3; i++) {
		cr_expect(ping_is_up(d.p, d.gw));
		heard(&d, HEALTH_FAILED);
	}
	cr_expect_not(ping_is_up(d.p, d.gw));
	wait_ms(&d, HEALTH_HOLD_MS - 10);
	cr_expect_not(ping_is_up(d.p, d.gw));
	wait_ms(&d, 20);
	cr_expect(ping_is_up(d.p, d.gw), "half open");

	heard(&d, HEALTH_FAILED);
	cr_expect_not(ping_is_up(d.p, d.gw), "the first silence closes it");
	wait_ms(&d, HEALTH_HOLD_MS + 10);
	cr_expect_not(ping_is_up(d.p, d.gw), "for twice as long");
	wait_ms(&d, HEALTH_HOLD_MS);
	heard(&d, HEALTH_ALIVE);
	heard(&d, HEALTH_FAILED);
	cr_expect(ping_is_up(d.p, d.gw), "counted anew");
	cr_expect_eq(d.w.sent_n, 0, "never probed");
	ward_close(&d);
}


Test(ping, call_heard_ends_the_hold)
{
	struct ward d;
	int i;

	ward_open(&d, 0);
	for (i = 0; i < 3; i++)
		heard(&d, HEALTH_FAILED);
	heard(&d, HEALTH_ALIVE);
	cr_expect(ping_is_up(d.p, d.gw));
	cr_expect_eq(wheel_pending(d.w.wheel), 0);
	ward_close(&d);
}


Test(ping, state_outlives_catalogs)
{
	struct catalog *next = fake_catalog();
	struct gateway *gw;
	struct ward d;
	int i;

	ward_open(&d, 60);
	for (i = 0; i < 3; i++)
		heard(&d, HEALTH_FAILED);

	gw = fake_gateway(next, "gw_1", "192.0.2.1", 5060);
	gw->ping_s = 60;
	gw->ping_down_after = 3;
	ping_catalog(d.p, next);
	mem_deref(d.cat);
	d.cat = next;
	d.gw = gw;
	cr_expect_not(ping_is_up(d.p, gw));
	ward_close(&d);
}


Test(ping, retargeted_and_removed)
{
	const struct sent *s;
	struct ward d;

	ward_open(&d, 2);
	interval(&d, 0);
	cr_assert_eq(sa_set_str(&d.gw->addr, "192.0.2.77", 5080), 0);
	ping_catalog(d.p, d.cat);
	cr_expect_eq(state_of(&d).failures, 0);
	d.w.sent_n = 0;
	wait_ms(&d, 2010);
	s = world_last(&d.w, "OPTIONS sip:192.0.2.77:5080 ");
	cr_assert(s);
	cr_expect(sa_cmp(&s->path.peer, &d.gw->addr, SA_ALL));

	d.gw->is_active = false;
	ping_catalog(d.p, d.cat);
	cr_expect(ping_is_up(d.p, d.gw), "unknown ones are up");
	wait_ms(&d, 35000); /* old probes finish alone */
	d.w.sent_n = 0;
	wait_ms(&d, 10000);
	cr_expect_eq(d.w.sent_n, 0);
	heard(&d, HEALTH_FAILED);
	ward_close(&d);
}


Test(ping, probing_switched_off_brings_it_up)
{
	struct ward d;
	int i;

	ward_open(&d, 60);
	for (i = 0; i < 3; i++)
		heard(&d, HEALTH_FAILED);
	d.gw->ping_s = 0;
	ping_catalog(d.p, d.cat);
	wait_ms(&d, HEALTH_HOLD_MS + 10);
	cr_expect(ping_is_up(d.p, d.gw));
	cr_expect_not(state_of(&d).is_probed);
	ward_close(&d);
}


/* Two sockets: a probe leaves from the one of the gateway's family. */
Test(ping, gateway_of_the_other_family)
{
	struct sip_path from[2];
	struct ward d;

	ward_open(&d, 10);
	mem_deref(d.p);
	from[0] = from[1] = d.w.path;
	from[1].sock = 1;
	cr_assert_eq(sa_set_str(&from[1].local, "2001:db8::9", 5060), 0);
	cr_assert_eq(ping_alloc(&d.p, d.w.ep, from, 2, change_handler, &d),
		     0);
	cr_assert_eq(sa_set_str(&d.gw->addr, "2001:db8::1", 5060), 0);
	ping_catalog(d.p, d.cat);
	wait_ms(&d, 10000);
	cr_assert(world_last(&d.w, "OPTIONS"));
	cr_expect_eq(world_last(&d.w, "OPTIONS")->path.sock, 1);
	cr_expect(strstr(world_last(&d.w, "OPTIONS")->text,
			 "Via: SIP/2.0/UDP [2001:db8::9]:5060"));
	ward_close(&d);
}
