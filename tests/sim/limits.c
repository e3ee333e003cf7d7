/**
 * @file limits.c  Random traces against admission.h: calls come, are refused,
 * answered, cancelled at the same moment as answered, forwarded, move to
 * another gateway, change their codec, end twice; the node crashes and starts
 * again with nothing. After each step a model that knows nothing but the list
 * of live calls must agree: who holds is who lives, never less than nothing,
 * all lines of a call or none, no limit is passed but by a burst, a mark or an
 * emergency call.
 *
 *	limits [--traces N] [--from SEED] [--steps N]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "admission.h"
#include "rng.h"

enum { LINES = 8, CALLS = 24, PER_CALL = 5 };

static const enum limit_level levels[LINES] = {
	LEVEL_TENANT, LEVEL_TENANT, LEVEL_ACCOUNT, LEVEL_TRUNK, LEVEL_TRUNK,
	LEVEL_SITE, LEVEL_NUMBER, LEVEL_GATEWAY,
};
static const char *const ids[LINES] = {
	"ten_1", "ten_2", "acc_1", "trk_1", "trk_2", "sit_1", "did_1",
	"gwy_1",
};

/** What the model knows of a call. */
struct talk {
	uint8_t id[16];
	struct channel_hold holds[PER_CALL];
	uint8_t line[PER_CALL], dir[PER_CALL];
	uint8_t n;              /**< lines held; 0: not live               */
	uint32_t kbps;
	bool is_emergency;
};

struct trace {
	struct rng *rng;
	struct channels *channels;
	struct limits limits[LINES];
	struct talk talks[CALLS];
	struct moment now;
	uint64_t seed;
	unsigned step, room_told;
};

static uint64_t steps, admitted, refused, marked, crashes;


static void fail(const struct trace *t, const char *what)
{
	(void)fprintf(stderr, "seed %llu, step %u: %s\n",
		      (unsigned long long)t->seed, t->step, what);
	(void)printf("0 passed, 1 failed\n");
	exit(1);
}


static uint32_t draw(struct trace *t, uint32_t n)
{
	return rng_below(t->rng, n);
}


/* --- the model: nothing but live calls */

static uint32_t model_used(const struct trace *t, unsigned line,
			   enum channel_measure what)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < CALLS; i++) {
		const struct talk *k = &t->talks[i];

		for (unsigned j = 0; j < k->n; j++) {
			if (k->line[j] != line)
				continue;
			if (what == MEASURE_KBPS)
				n += k->kbps;
			else if (what == MEASURE_TOTAL ||
				 (what == MEASURE_IN) ==
					 (k->dir[j] == CHANNEL_IN))
				n++;
		}
	}

	return n;
}


static void check(struct trace *t)
{
	size_t held = 0;

	for (unsigned i = 0; i < CALLS; i++)
		held += t->talks[i].n;
	if (channel_total(t->channels) != held)
		fail(t, "channels held and live calls differ");
	if (!channels_are_exact(t->channels))
		fail(t, "a count differs from its list");

	for (unsigned i = 0; i < LINES; i++) {
		const uint64_t hash = channel_hash(t->channels, ids[i]);
		const struct channel_line *line =
			channel_find(t->channels, hash, ids[i]);

		for (int what = MEASURE_TOTAL; what <= MEASURE_KBPS; what++)
			if (channel_used(line, (enum channel_measure)what) !=
			    model_used(t, i, (enum channel_measure)what))
				fail(t, "a line is used by others than the "
					"live calls");
	}
}


/* May one more be? As simple as it can be said. */
static bool model_fits(const struct trace *t, unsigned line,
		       enum channel_measure what, int32_t limit,
		       uint32_t with)
{
	const struct limits *l = &t->limits[line];
	const uint64_t want = (uint64_t)model_used(t, line, what) + with;

	return limit < 0 || l->action == LIMIT_MARK ||
	       want * 100 <= (uint64_t)limit * (100u + l->burst_percent);
}


/* --- the call */

static void collect(struct trace *t, struct talk *k, struct admission *a)
{
	static const uint8_t paths[][PER_CALL] = {
		{0, 2, 3, 5, 7}, {0, 2, 4, 6, 7}, {1, 3, 6, 2, 0},
		{3, 3, 2, 2, 0}, /* on-net: lines twice */
	};
	const uint8_t *path = paths[draw(t, 4)];
	const unsigned n = 1 + draw(t, PER_CALL);

	for (unsigned j = 0; j < n; j++) {
		k->line[j] = path[j];
		k->dir[j] = (uint8_t)draw(t, 2);
		admission_add(a, levels[path[j]],
			      (enum channel_dir)k->dir[j], draw(t, 2) != 0,
			      ids[path[j]], &t->limits[path[j]],
			      &k->holds[j]);
	}
}


/* Every line of an admitted call has room for it, itself included. */
static void check_fits(struct trace *t, const struct talk *k)
{
	for (unsigned j = 0; j < k->n && !k->is_emergency; j++) {
		const struct limits *l = &t->limits[k->line[j]];
		const bool is_in = k->dir[j] == CHANNEL_IN;
		const enum channel_measure way = is_in ? MEASURE_IN
						       : MEASURE_OUT;

		if (!model_fits(t, k->line[j], way, is_in ? l->in : l->out,
				0) ||
		    !model_fits(t, k->line[j],
				l->mode == LIMIT_PAIRED ? way : MEASURE_TOTAL,
				l->total, 0) ||
		    !model_fits(t, k->line[j], MEASURE_KBPS, l->kbps, 0))
			fail(t, "a limit was passed");
	}
}


static void tell_full(struct trace *t, const struct admission *a)
{
	for (unsigned j = 0; j < a->n && j <= a->failed; j++) {
		const struct admission_line *l = &a->lines[j];

		marked += l->is_marked;
		if (admission_is_full(a, l))
			(void)channel_is_full(l->line, l->what, l->limit);
	}
	(void)t;
}


static void begin(struct trace *t, struct talk *k)
{
	struct admission a;
	enum outcome out;

	k->is_emergency = !draw(t, 16);
	k->kbps = 24 + draw(t, 100);
	admission_init(&a, k->is_emergency, k->kbps);
	collect(t, k, &a);
	out = admission_check(&a, t->channels, &t->now);
	if (out != OUT_OK) {
		admission_count(&a, t->channels, &t->now);
		tell_full(t, &a);
		for (unsigned j = 0; j < a.n; j++)
			if (k->holds[j].line)
				fail(t, "a refusal holds a line");
		if (k->is_emergency)
			fail(t, "an emergency call was refused");
		refused++;
		return;
	}

	if (admission_take(&a, t->channels, &t->now, k->id) != OUT_OK)
		fail(t, "no memory");
	k->n = a.n;
	tell_full(t, &a);
	check_fits(t, k);
	admitted++;
}


static void end(struct trace *t, struct talk *k)
{
	for (unsigned j = 0; j < PER_CALL; j++)
		channel_release(t->channels, &k->holds[j]);
	k->n = 0;
}


/* The answer and the CANCEL crossed: both ends of the call let go of it. */
static void race(struct trace *t, struct talk *k)
{
	const unsigned twice = draw(t, PER_CALL);

	channel_release(t->channels, &k->holds[twice]);
	end(t, k);
	channel_release(t->channels, &k->holds[twice]);
}


/* The gateway failed: its line goes back, what was before stays. */
static void give_last_back(struct trace *t, struct talk *k)
{
	channel_release(t->channels, &k->holds[--k->n]);
}


static void agree(struct trace *t, struct talk *k)
{
	k->kbps = 24 + draw(t, 100);
	for (unsigned j = 0; j < PER_CALL; j++)
		channel_set_kbps(&k->holds[j], k->kbps);
}


/* --- the world */

static int32_t draw_limit(struct trace *t)
{
	return draw(t, 3) ? (int32_t)draw(t, 8) : -1;
}


static void change(struct trace *t)
{
	struct limits *l = &t->limits[draw(t, LINES)];

	*l = (struct limits){
		.in = draw_limit(t), .out = draw_limit(t),
		.total = draw_limit(t), .cps = draw_limit(t),
		.kbps = draw(t, 3) ? -1 : (int32_t)draw(t, 600),
		.burst_percent = (uint8_t)(draw(t, 2) ? 0 : draw(t, 101)),
		.mode = (uint8_t)draw(t, 3),
		.action = (uint8_t)(draw(t, 6) ? LIMIT_REFUSE : LIMIT_MARK),
	};
}


static void room(const char *id, enum channel_measure what, uint32_t used,
		 uint32_t limit, void *arg)
{
	struct trace *t = arg;

	(void)id;
	(void)what;
	if ((uint64_t)used * 10 >= (uint64_t)limit * 9)
		fail(t, "room was told of a full line");
	t->room_told++;
}


static void start(struct trace *t)
{
	uint8_t key[16];

	rng_bytes(t->rng, key, sizeof(key));
	if (channels_alloc(&t->channels, key))
		fail(t, "no memory");
	channels_watch(t->channels, room, t);
}


/* kill -9: calls and lines are gone together, nothing is resumed. */
static void crash(struct trace *t)
{
	t->channels = mem_deref(t->channels);
	memset(t->talks, 0, sizeof(t->talks));
	start(t);
	crashes++;
}


static void step(struct trace *t)
{
	struct talk *k = &t->talks[draw(t, CALLS)];
	const uint32_t what = draw(t, 100);

	t->now.mono_us += draw(t, 200000);
	t->now.wall_us += 200000;
	if (what < 1)
		crash(t);
	else if (what < 6)
		change(t);
	else if (!k->n)
		begin(t, k);
	else if (what < 40)
		end(t, k);
	else if (what < 60)
		race(t, k);
	else if (what < 75)
		give_last_back(t, k);
	else if (what < 90)
		agree(t, k);
	else
		end(t, k);
	check(t);
	steps++;
}


static void trace_run(uint64_t seed, unsigned n)
{
	struct trace t = {.seed = seed};

	if (rng_seeded(&t.rng, seed))
		fail(&t, "no memory");
	t.now.mono_us = 1 + draw(&t, 1000000);
	for (unsigned i = 0; i < LINES * 2; i++)
		change(&t);
	start(&t);
	for (t.step = 0; t.step < n; t.step++)
		step(&t);
	for (unsigned i = 0; i < CALLS; i++)
		end(&t, &t.talks[i]);
	check(&t);
	if (channel_total(t.channels))
		fail(&t, "something is left");
	mem_deref(t.channels);
	mem_deref(t.rng);
}


int main(int argc, char *argv[])
{
	unsigned long long traces = 2000, from = 1, n = 60;

	for (int i = 1; i + 1 < argc; i += 2) {
		const unsigned long long value = strtoull(argv[i + 1], NULL,
							  10);

		if (!strcmp(argv[i], "--traces"))
			traces = value;
		else if (!strcmp(argv[i], "--from"))
			from = value;
		else if (!strcmp(argv[i], "--steps"))
			n = value;
	}

	for (unsigned long long i = 0; i < traces; i++)
		trace_run(from + i, (unsigned)n);

	(void)printf("  %llu traces, %llu steps: %llu calls admitted, %llu "
		     "refused, %llu marks, %llu crashes\n", traces,
		     (unsigned long long)steps, (unsigned long long)admitted,
		     (unsigned long long)refused, (unsigned long long)marked,
		     (unsigned long long)crashes);
	(void)printf("%llu passed, 0 failed\n", traces);

	return 0;
}
