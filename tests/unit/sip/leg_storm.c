/**
 * @file leg_storm.c  Two owners that do anything at any time over a wire that
 * loses and doubles: nobody may crash, hear two ends, or leave anything.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "leg_pair.h"
#include "rng.h"

enum { SEEDS = 40, STEPS = 100 };

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


static void storm(uint64_t seed)
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

	for (i = 0; i < STEPS; i++) {
		pair_run(w, rng_below(r, 2) ? rng_below(r, 3000) :
			 rng_below(r, 100));
		p = rng_below(r, 2) ? a : b;
		if (p->leg)
			act(p, rng_below(r, 20), rng_below(r, 8) == 0);
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


Test(leg_storm, nothing_crashes_and_nothing_remains)
{
	uint64_t seed;

	for (seed = 1; seed <= SEEDS; seed++)
		storm(seed);
}
