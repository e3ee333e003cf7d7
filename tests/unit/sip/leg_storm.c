/**
 * @file leg_storm.c  Two owners that do anything at any time over a wire that
 * loses and doubles: nobody may crash, hear two ends, or leave anything.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "leg_storm.h"
#include "rng.h"

enum { STEPS = 100 };

static const uint8_t *const sdp = (const uint8_t *)SDP;


static bool is_end(uint32_t deed)
{
	return deed == 3 || deed == 7 || deed == 13 || deed == 14;
}


/* Errors are part of the game: most deeds do not fit the state. */
static void act(struct party *p, uint32_t deed, bool may_end)
{
	int err = 0;

	if (is_end(deed) && !may_end)
		return;

	switch (deed) {
	case 0: err = leg_progress(p->leg, 180, "Ringing", NULL, 0); break;
	case 1:
	case 2: err = leg_answer(p->leg, sdp, SDP_LEN); break;
	case 3: err = leg_reject(p->leg, 603, "Decline", 21, ""); break;
	case 4:
	case 5:
	case 6: err = leg_ack(p->leg, sdp, SDP_LEN); break;
	case 7: leg_cancel(p->leg, 16); break;
	case 8:
	case 9: err = leg_offer(p->leg, sdp, SDP_LEN); break;
	case 10:
	case 11: err = leg_offer_reply(p->leg, 200, "OK", sdp, SDP_LEN);
		 break;
	case 12: err = leg_offer_reply(p->leg, 488, "No", NULL, 0); break;
	case 13: leg_bye(p->leg, 16, "bye"); break;
	case 14: leg_bye(p->leg, 0, NULL); p->leg = mem_deref(p->leg); break;
	case 15: p->let_go = may_end; break;
	default: break;
	}

	(void)err;
}


static unsigned ends(const char *heard)
{
	static const char *const words[] = {"FAILED", "CANCELLED", "BYE"};
	const char *p;
	unsigned i, n = 0;

	for (i = 0; i < 3; i++) {
		for (p = heard; (p = strstr(p, words[i])); p++)
			n += p == heard || p[-1] == ' ';
	}

	return n;
}


void leg_storm(uint64_t seed, void (*starve)(bool is_on))
{
	struct party *a, *b, *p;
	struct pair *w;
	struct rng *r;
	unsigned i;

	cr_assert_eq(rng_seeded(&r, seed), 0);
	pair_open(&w);
	a = pair_party(w, ALICE);
	b = pair_party(w, BOB);
	pair_weather(w, seed, rng_below(r, 40), rng_below(r, 30));
	pair_latency(w, rng_below(r, 200));
	pair_dial(w, BOB);
	pair_starve(w, starve);

	for (i = 0; i < STEPS; i++) {
		pair_run(w, rng_below(r, 2) ? rng_below(r, 3000) :
			 rng_below(r, 100));
		p = rng_below(r, 2) ? a : b;
		pair_hunger(w, true);
		if (p->leg)
			act(p, rng_below(r, 20), rng_below(r, 8) == 0);
		pair_hunger(w, false);
	}

	cr_assert_leq(ends(a->heard), 1, "seed %llu: %s",
		      (unsigned long long)seed, a->heard);
	cr_assert_leq(ends(b->heard), b->invites, "seed %llu: %s",
		      (unsigned long long)seed, b->heard);

	if (a->leg)
		leg_bye(a->leg, 0, NULL);
	if (b->leg)
		leg_bye(b->leg, 0, NULL);
	pair_close(w);
	mem_deref(r);
}


/* A peer that knows the tags and says anything, written by hand. */
static void babble(struct pair *w, struct rng *r, const char *tag)
{
	static const char *const methods[] = {
		"INVITE", "ACK", "BYE", "CANCEL", "OPTIONS", "UPDATE",
		"PRACK", "NOSUCH",
	};
	static const char *const answers[] = {
		"100 Trying", "180 Ringing", "183 Progress", "200 OK",
		"202 Accepted", "302 Moved", "401 No", "407 No", "408 Late",
		"481 Gone", "487 Over", "491 Glare", "500 Bad", "603 No",
	};
	static const char *const more[] = {
		"", "Contact: <sip:c@127.0.0.3>\n", "Contact: *\n",
		"Record-Route: <sip:127.0.0.4;lr>\n", "Record-Route: x\n",
		"Require: timer\n", "WWW-Authenticate: Digest realm=\n",
		"Retry-After: 99999999999999999999\n", "Reason: ,;=\n",
	};
	const char *text = more[rng_below(r, 9)];
	const char *invite = pair_last(w, ALICE, "INVITE");
	const char *method = methods[rng_below(r, 8)];
	unsigned cseq = rng_below(r, 6);

	if (rng_below(r, 2)) {
		pair_answer(w, CAROL, ALICE,
			    rng_below(r, 4) || !pair_count(w, ALICE, "BYE") ?
			    "INVITE" : "BYE", answers[rng_below(r, 14)],
			    rng_below(r, 3) ? tag : "other", text);
		return;
	}

	pair_inject(w, CAROL, ALICE,
		    "%s sip:127.0.0.1 SIP/2.0\n"
		    "Via: SIP/2.0/UDP 127.0.0.3:5060;branch=z9hG4bK%u;rport\n"
		    "From: %s;tag=%s\nTo: %s\nCall-ID: %s\nCSeq: %u %s\n"
		    "Max-Forwards: 70\n%sContent-Length: 0\n\n",
		    method, rng_below(r, 40), header(invite, "To"),
		    rng_below(r, 5) ? tag : "wrong", header(invite, "From"),
		    header(invite, "Call-ID"), cseq, method, text);
}


void leg_storm_of_peer(uint64_t seed, void (*starve)(bool is_on))
{
	struct party *a;
	struct pair *w;
	struct rng *r;
	unsigned i;

	cr_assert_eq(rng_seeded(&r, seed), 0);
	pair_open(&w);
	a = pair_party(w, ALICE);
	pair_dial(w, CAROL);
	pair_starve(w, starve);

	for (i = 0; i < STEPS; i++) {
		babble(w, r, "c1");
		pair_run(w, rng_below(r, 8) ? 10 : rng_below(r, 9000));
		pair_hunger(w, true);
		if (a->leg)
			act(a, rng_below(r, 20), rng_below(r, 20) == 0);
		pair_hunger(w, false);
	}

	cr_assert_leq(ends(a->heard), 1, "seed %llu: %s",
		      (unsigned long long)seed, a->heard);
	if (a->leg)
		leg_bye(a->leg, 0, NULL);
	pair_close(w);
	mem_deref(r);
}


Test(leg_storm, of_owners_and_weather)
{
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++)
		leg_storm(seed, NULL);
}


Test(leg_storm, of_a_peer)
{
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++)
		leg_storm_of_peer(seed, NULL);
}
