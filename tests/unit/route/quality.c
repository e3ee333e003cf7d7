/**
 * @file quality.c  Figures over a window that moves; lock below the limits
 * with enough samples only, trials after a time, and return.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "moment.h"
#include "quality.h"

static struct quality *q;
static struct gateway gw;
static struct moment now;
static unsigned locks, returns;


static void changed(const char *id, bool is_open,
		    const struct quality_figures *f, void *arg)
{
	(void)arg;
	cr_expect_str_eq(id, "gwy_1");
	cr_expect_eq(is_open, f->state == QUALITY_OPEN);
	if (is_open)
		++returns;
	else
		++locks;
}


static void open_world(void)
{
	cr_assert_eq(quality_alloc(&q, changed, NULL), 0);
	gw = (struct gateway){
		.id = "gwy_1",
		.quality = {.window_s = 200, .min_samples = 10,
			    .asr_min = -1, .acd_min_s = -1, .pdd_max_ms = -1,
			    .short_max = -1, .short_s = 6, .lock_s = 60,
			    .trials = 3},
	};
	now = (struct moment){.mono_us = 1000000, .wall_us = 5000000};
	locks = returns = 0;
}


static void close_world(void)
{
	mem_deref(q);
}

TestSuite(quality, .init = open_world, .fini = close_world);


static void pass(unsigned s)
{
	now.mono_us += s * UINT64_C(1000000);
	now.wall_us += s * INT64_C(1000000);
}


static void attempts(unsigned n, unsigned answered, int64_t pdd_ms,
		     uint64_t talked_ms)
{
	for (unsigned i = 0; i < n; i++) {
		quality_dialled(q, &gw, &now);
		quality_attempted(q, &gw, &now, i < answered, pdd_ms);
		if (i < answered)
			quality_talked(q, gw.id, &now, talked_ms);
	}
}


static struct quality_figures read_now(void)
{
	struct quality_figures f;

	quality_read(q, &gw, moment_ms(&now), &f);

	return f;
}


static bool is_open(void)
{
	return quality_is_open(q, &gw, moment_ms(&now));
}


Test(quality, nothing_is_known_of_a_new_one)
{
	const struct quality_figures f = read_now();

	cr_expect_eq(f.attempts, 0);
	cr_expect_eq(f.asr, -1);
	cr_expect_eq(f.acd_s, -1);
	cr_expect_eq(f.pdd_ms, -1);
	cr_expect_eq(f.short_pct, -1);
	cr_expect_not(f.has_enough);
	cr_expect(is_open());
	quality_talked(q, "gwy_unknown", &now, 1);
}


Test(quality, figures_and_window)
{
	struct quality_figures f;

	attempts(10, 4, 2000, 30000);
	pass(100);
	attempts(10, 8, 1000, 5000);
	f = read_now();
	cr_expect_eq(f.attempts, 20);
	cr_expect_eq(f.answered, 12);
	cr_expect_eq(f.asr, 60);
	cr_expect_eq(f.acd_s, 13); /* (4 * 30 + 8 * 5) / 12 */
	cr_expect_eq(f.pdd_ms, 1500);
	cr_expect_eq(f.short_pct, 66);
	cr_expect(f.has_enough);

	pass(105); /* the first ten have left */
	f = read_now();
	cr_expect_eq(f.attempts, 10);
	cr_expect_eq(f.asr, 80);
	attempts(1, 1, -1, 60000);
	f = read_now();
	cr_expect_eq(f.attempts, 11);
	cr_expect_eq(f.pdd_ms, 1000);

	pass(1000);
	f = read_now();
	cr_expect_eq(f.attempts, 0);
	cr_expect_eq(f.asr, -1);
	attempts(1, 0, -1, 0);
	cr_expect_eq(read_now().attempts, 1);
}


Test(quality, lock_trials_return)
{
	gw.quality.asr_min = 50;
	attempts(9, 0, -1, 0);
	cr_expect(is_open(), "too few samples");
	attempts(1, 0, -1, 0);
	cr_expect_not(is_open());
	cr_expect_eq(locks, 1);
	cr_expect_str_eq(read_now().reason, "asr");
	cr_expect_eq(read_now().state, QUALITY_LOCKED);

	/* half open: three calls, no more, and two of them fail */
	pass(60);
	cr_expect_eq(read_now().state, QUALITY_TRIAL);
	for (unsigned i = 0; i < 3; i++) {
		cr_expect(is_open());
		quality_dialled(q, &gw, &now);
	}
	cr_expect_not(is_open());
	quality_attempted(q, &gw, &now, true, 100);
	quality_attempted(q, &gw, &now, false, 100);
	cr_expect_not(is_open());
	quality_attempted(q, &gw, &now, false, 100);
	cr_expect_not(is_open());
	cr_expect_eq(locks, 1, "it was told of already");

	/* the next time they are answered */
	pass(60);
	attempts(3, 3, 100, 60000);
	cr_expect(is_open());
	cr_expect_eq(returns, 1);
	cr_expect_eq(read_now().attempts, 3, "it begins anew");
}


/* By hand: what was counted is gone, else the next call would lock it. */
Test(quality, unlock)
{
	gw.quality.asr_min = 50;
	cr_expect_not(quality_unlock(q, gw.id, &now), "nothing is known");
	attempts(10, 0, -1, 0);
	cr_expect_eq(read_now().until_ms, moment_ms(&now) + 60000);
	cr_expect_eq(read_now().trials_left, 0);
	cr_expect(quality_unlock(q, gw.id, &now));
	cr_expect(is_open());
	cr_expect_eq(returns, 1);
	cr_expect_eq(read_now().attempts, 0);
	cr_expect_eq(read_now().until_ms, 0);
	cr_expect_str_eq(read_now().reason, "");
	attempts(9, 0, -1, 0);
	cr_expect(is_open());
	cr_expect_not(quality_unlock(q, gw.id, &now), "it is open");

	/* also in the midst of its trials */
	attempts(1, 0, -1, 0);
	pass(60);
	cr_expect_eq(read_now().trials_left, 3, "three may come");
	quality_dialled(q, &gw, &now);
	cr_expect_eq(read_now().trials_left, 2);
	cr_expect_eq(read_now().trials_due, 3);
	cr_expect(quality_unlock(q, gw.id, &now));
	quality_attempted(q, &gw, &now, false, -1);
	cr_expect(is_open(), "one of those trials ends: too few samples");
	cr_expect_eq(read_now().trials_due, 0);
}


Test(quality, each_limit)
{
	static const struct {
		struct quality_limits limits;
		const char *reason;
	} cases[] = {
		{{.asr_min = 91, .acd_min_s = -1, .pdd_max_ms = -1,
		  .short_max = -1}, "asr"},
		{{.asr_min = -1, .acd_min_s = 5, .pdd_max_ms = -1,
		  .short_max = -1}, "acd"},
		{{.asr_min = -1, .acd_min_s = -1, .pdd_max_ms = 2999,
		  .short_max = -1}, "pdd"},
		{{.asr_min = -1, .acd_min_s = -1, .pdd_max_ms = -1,
		  .short_max = 99}, "short_calls"},
		{{.asr_min = 90, .acd_min_s = 4, .pdd_max_ms = 3000,
		  .short_max = 100}, ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		close_world();
		open_world();
		gw.quality = cases[i].limits;
		gw.quality.window_s = 100;
		gw.quality.min_samples = 10;
		gw.quality.short_s = 6;
		gw.quality.lock_s = 1;
		attempts(10, 9, 3000, 4000);
		cr_expect_str_eq(read_now().reason, cases[i].reason);
		cr_expect_eq(locks, cases[i].reason[0] ? 1 : 0);
	}
}


/* Trials whose calls were never heard of do not lock it for ever. */
Test(quality, lost_trials)
{
	gw.quality.asr_min = 50;
	attempts(10, 0, -1, 0);
	pass(60);
	for (unsigned i = 0; i < 3; i++)
		quality_dialled(q, &gw, &now);
	cr_expect_not(is_open());
	pass(300);
	cr_expect(is_open());
	attempts(3, 3, -1, 60000);
	cr_expect_eq(returns, 1);
}


/* Another window: what was counted is in other steps, nothing breaks. */
Test(quality, window_changes)
{
	attempts(5, 5, -1, 1000);
	gw.quality.window_s = 86400;
	attempts(1, 1, -1, 1000);
	cr_expect(read_now().attempts >= 1);
	gw.quality.window_s = 60;
	attempts(1, 1, -1, 1000);
	cr_expect(read_now().attempts >= 1);
	cr_expect(read_now().attempts <= 7);
}
