/** @file channel.c  The count in use is who holds; rates are exact. */
#include <criterion/criterion.h>
#include <string.h>
#include "channel.h"

#define SECOND_US UINT64_C(1000000)
#define DAY_US (86400 * SECOND_US)

static const uint8_t key[16] = {1}, call_id[16] = {2};


static struct channels *channels(void)
{
	struct channels *c = NULL;

	cr_assert_eq(channels_alloc(&c, key), 0);

	return c;
}


static struct moment at(uint64_t us)
{
	return (struct moment){.mono_us = us, .wall_us = (int64_t)us};
}


static struct channel_line *line(struct channels *c, const char *id,
				 uint64_t us)
{
	const struct moment now = at(us);

	return channel_get(c, channel_hash(c, id), id, &now);
}


static struct channel_line *find(const struct channels *c, const char *id)
{
	return channel_find(c, channel_hash(c, id), id);
}


static void take(struct channels *c, struct channel_hold *hold,
		 enum channel_dir dir, uint32_t kbps, uint64_t us)
{
	const struct moment now = at(us);

	channel_take(c, line(c, "trk_1", us), hold, dir, kbps, &now,
		     call_id);
}


Test(channel, in_use_is_who_holds)
{
	struct channel_hold h[3] = {{.line = NULL}};
	struct channels *c = channels();
	const struct channel_line *l;

	cr_expect_eq(channel_used(find(c, "trk_1"), MEASURE_TOTAL), 0);
	take(c, &h[0], CHANNEL_IN, 80, 1);
	take(c, &h[1], CHANNEL_OUT, 80, 1);
	take(c, &h[2], CHANNEL_OUT, 24, 1);
	l = find(c, "trk_1");
	cr_expect_eq(channel_used(l, MEASURE_IN), 1);
	cr_expect_eq(channel_used(l, MEASURE_OUT), 2);
	cr_expect_eq(channel_used(l, MEASURE_TOTAL), 3);
	cr_expect_eq(channel_used(l, MEASURE_KBPS), 184);
	cr_expect(channels_are_exact(c));

	/* from the middle, twice */
	channel_release(c, &h[1]);
	channel_release(c, &h[1]);
	cr_expect_eq(channel_used(l, MEASURE_OUT), 1);
	cr_expect_eq(channel_total(c), 2);
	cr_expect(channels_are_exact(c));
	channel_release(c, &h[0]);
	channel_release(c, &h[2]);
	cr_expect_eq(channel_total(c), 0);
	cr_expect_eq(channel_used(l, MEASURE_KBPS), 0);
	mem_deref(c);
}


Test(channel, media_that_change)
{
	struct channel_hold h = {.line = NULL};
	struct channels *c = channels();

	channel_set_kbps(&h, 1000); /* holds nothing: nothing */
	take(c, &h, CHANNEL_IN, 80, 1);
	channel_set_kbps(&h, 24);
	cr_expect_eq(channel_used(find(c, "trk_1"), MEASURE_KBPS), 24);
	channel_set_kbps(&h, 110);
	cr_expect_eq(channel_used(find(c, "trk_1"), MEASURE_KBPS), 110);
	cr_expect(channels_are_exact(c));
	channel_release(c, &h);
	mem_deref(c);
}


Test(channel, peak_of_the_day)
{
	struct channel_hold h[4] = {{.line = NULL}};
	struct channels *c = channels();
	struct channel_use use;

	for (int i = 0; i < 3; i++)
		take(c, &h[i], i ? CHANNEL_OUT : CHANNEL_IN, 0, 1);
	channel_count_met(find(c, "trk_1"), true);
	channel_count_met(find(c, "trk_1"), false);
	channel_release(c, &h[1]);
	channel_use(find(c, "trk_1"), &use);
	cr_expect_eq(use.used[CHANNEL_OUT], 1);
	cr_expect_eq(use.peak[CHANNEL_OUT], 2);
	cr_expect_eq(use.peak[CHANNEL_IN], 1);
	cr_expect_eq(use.peak_total, 3);
	cr_expect_eq(use.refused, 1);
	cr_expect_eq(use.marked, 1);

	/* the next day begins with what is in use */
	channel_release(c, &h[0]);
	take(c, &h[3], CHANNEL_OUT, 0, DAY_US + 1);
	channel_use(find(c, "trk_1"), &use);
	cr_expect_eq(use.peak_total, 2);
	cr_expect_eq(use.peak[CHANNEL_IN], 0);
	channel_use(NULL, &use);
	cr_expect_eq(use.peak_total, 0);
	for (int i = 0; i < 4; i++)
		channel_release(c, &h[i]);
	mem_deref(c);
}


/* Ten a second: ten at once, then one every 100 ms, whatever the phase. */
Test(channel, calls_per_second)
{
	struct channels *c = channels();
	struct channel_line *l = line(c, "trk_1", 1);
	struct moment now = at(12345);
	unsigned n = 0;

	while (!channel_wait_us(l, 10, &now) && n < 20) {
		channel_count_rate(l, 10, &now);
		n++;
	}
	cr_expect_eq(n, 10);
	cr_expect_eq(channel_wait_us(l, 10, &now), SECOND_US / 10);
	now = at(12345 + SECOND_US / 10);
	cr_expect_eq(channel_wait_us(l, 10, &now), 0);

	/* over a long time the rate holds */
	n = 0;
	for (uint64_t us = SECOND_US; us < 11 * SECOND_US; us += 1000) {
		now = at(us);
		if (channel_wait_us(l, 10, &now))
			continue;
		channel_count_rate(l, 10, &now);
		n++;
	}
	cr_expect_geq(n, 100);
	cr_expect_leq(n, 110);
	mem_deref(c);
}


Test(channel, rate_of_zero_and_of_none)
{
	struct channels *c = channels();
	struct channel_line *l = line(c, "trk_1", 1);
	const struct moment now = at(1);

	cr_expect_eq(channel_wait_us(l, 0, &now), SECOND_US);
	cr_expect_eq(channel_wait_us(NULL, 0, &now), SECOND_US);
	for (unsigned i = 0; i < 1000; i++) {
		cr_expect_eq(channel_wait_us(l, -1, &now), 0);
		channel_count_rate(l, -1, &now);
	}
	/* a step of less than a microsecond is no rate */
	for (unsigned i = 0; i < 1000; i++) {
		cr_expect_eq(channel_wait_us(l, INT32_MAX, &now), 0);
		channel_count_rate(l, INT32_MAX, &now);
	}
	mem_deref(c);
}


static void count(const struct channel_hold *hold, void *arg)
{
	size_t *n = arg;

	cr_expect_arr_eq(hold->call_id, call_id, 16);
	(*n)++;
}


/* Lines that nobody uses go after a day; one that is held stays. */
Test(channel, lines_are_forgotten_when_empty)
{
	struct channel_hold held = {.line = NULL}, h = {.line = NULL};
	struct channels *c = channels();
	struct moment now = at(1);
	uint64_t us = 1;
	char id[16];
	size_t n = 0;

	take(c, &held, CHANNEL_OUT, 0, 1);
	for (unsigned i = 0; i < 500; i++) {
		(void)re_snprintf(id, sizeof(id), "gone_%u", i);
		us += 600 * SECOND_US;
		now = at(us);
		channel_take(c, line(c, id, us), &h, CHANNEL_IN, 0, &now,
			     call_id);
		channel_release(c, &h);
	}
	cr_expect_null(find(c, "gone_0"));
	cr_expect_null(find(c, "gone_200"));
	cr_expect(find(c, "gone_499"));
	cr_expect(find(c, "gone_400"));
	channel_each(find(c, "trk_1"), count, &n);
	cr_expect_eq(n, 1);
	channel_each(NULL, count, &n);
	cr_expect_eq(n, 1);
	channel_release(c, &held);
	mem_deref(c);
}


Test(channel, idle_lines_are_bounded)
{
	struct channel_hold h = {.line = NULL};
	struct channels *c = channels();
	struct moment now = at(1);
	char id[24];

	for (unsigned i = 0; i < CHANNEL_IDLE_MAX + 10; i++) {
		(void)re_snprintf(id, sizeof(id), "line_%u", i);
		channel_take(c, line(c, id, 1), &h, CHANNEL_IN, 0, &now,
			     call_id);
		channel_release(c, &h);
	}
	cr_expect_null(find(c, "line_0"));
	cr_expect_null(find(c, "line_9"));
	cr_expect(find(c, "line_10"));
	mem_deref(c);
}


struct news {
	unsigned n;
	uint32_t used;
};


static void room(const char *id, enum channel_measure what, uint32_t used,
		 uint32_t limit, void *arg)
{
	struct news *news = arg;

	cr_expect_str_eq(id, "trk_1");
	cr_expect_eq(what, MEASURE_OUT);
	cr_expect_eq(limit, 10);
	news->used = used;
	news->n++;
}


Test(channel, room_is_told_below_nine_tenths)
{
	struct channel_hold h[10] = {{.line = NULL}};
	struct channels *c = channels();
	struct news news = {0};

	channels_watch(c, room, &news);
	for (int i = 0; i < 10; i++)
		take(c, &h[i], CHANNEL_OUT, 0, 1);
	cr_expect(channel_is_full(find(c, "trk_1"), MEASURE_OUT, 10));
	cr_expect_not(channel_is_full(find(c, "trk_1"), MEASURE_OUT, 10));
	channel_release(c, &h[0]);
	cr_expect_eq(news.n, 0);
	channel_release(c, &h[1]);
	cr_expect_eq(news.n, 1);
	cr_expect_eq(news.used, 8);
	for (int i = 2; i < 10; i++)
		channel_release(c, &h[i]);
	cr_expect_eq(news.n, 1);
	cr_expect(channel_is_full(find(c, "trk_1"), MEASURE_OUT, 10));
	mem_deref(c);
}


Test(channel, no_memory)
{
	struct channels *c = channels();
	char longer[ID_SIZE + 1];

	memset(longer, 'x', ID_SIZE);
	longer[ID_SIZE] = '\0';
	cr_expect_null(line(c, longer, 1));
	cr_expect_eq(channels_alloc(NULL, key), EINVAL);
	mem_deref(c);
}
