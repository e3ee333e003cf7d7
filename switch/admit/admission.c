/**
 * @file admission.c  See admission.h.
 */
#include <assert.h>
#include <string.h>
#include "admission.h"

static const char *const names[LEVEL_N] = {
	"node", "tenant", "account", "trunk", "site", "number", "carrier",
	"gateway",
};


const char *limit_level_name(enum limit_level level)
{
	return level < LEVEL_N ? names[level] : "?";
}


const char *channel_measure_name(enum channel_measure what)
{
	static const char *const texts[] = {
		[MEASURE_TOTAL] = "total", [MEASURE_IN] = "in",
		[MEASURE_OUT] = "out", [MEASURE_KBPS] = "kbps",
	};

	return texts[what];
}


void admission_init(struct admission *a, bool passes_all, uint32_t kbps)
{
	a->n = 0;
	a->failed = 0;
	a->passes_all = passes_all;
	a->kbps = kbps;
	a->wait_us = 0;
}


void admission_add(struct admission *a, enum limit_level level,
		   enum channel_dir dir, bool has_rate, const char *id,
		   const struct limits *limits, struct channel_hold *hold)
{
	struct admission_line *l = &a->lines[a->n];

	assert(a->n < ADMISSION_LINES_MAX);
	l->level = level;
	l->dir = dir;
	l->has_rate = has_rate;
	l->id = id;
	l->limits = limits;
	l->hold = hold;
	a->failed = ++a->n;
}


static enum outcome outcome_of(const struct admission_line *l,
			       enum channel_measure what)
{
	static const uint8_t levels[LEVEL_N] = {
		[LEVEL_NODE] = OUT_LIMIT_NODE,
		[LEVEL_TENANT] = OUT_LIMIT_RESELLER,
		[LEVEL_ACCOUNT] = OUT_LIMIT_ACCOUNT,
		[LEVEL_TRUNK] = OUT_LIMIT_TOTAL,
		[LEVEL_SITE] = OUT_LIMIT_SITE,
		[LEVEL_NUMBER] = OUT_LIMIT_NUMBER,
		[LEVEL_CARRIER] = OUT_LIMIT_CARRIER,
		[LEVEL_GATEWAY] = OUT_LIMIT_GATEWAY,
	};

	if (l->level == LEVEL_TRUNK && what == MEASURE_IN)
		return OUT_LIMIT_IN;
	if (l->level == LEVEL_TRUNK && what == MEASURE_OUT)
		return OUT_LIMIT_OUT;

	return (enum outcome)levels[l->level];
}


/* What lines before it in the same decision will take of the same line: an
   on-net call of one account needs two of its channels. */
static uint32_t pending(const struct admission *a,
			const struct admission_line *l,
			enum channel_measure what)
{
	uint32_t n = 0;

	for (const struct admission_line *o = a->lines; o < l; o++) {
		if (o->hash != l->hash || o->line != l->line)
			continue;
		if (what == MEASURE_TOTAL || what == MEASURE_KBPS ||
		    (what == MEASURE_IN) == (o->dir == CHANNEL_IN))
			n++;
	}

	return what == MEASURE_KBPS ? n * a->kbps : n;
}


/* One limit of a line. What refuses is kept before what marks, that before
   the tightest that passes. */
static void compare(const struct admission *a, struct admission_line *l,
		    enum channel_measure what, int32_t limit,
		    enum outcome outcome)
{
	const uint32_t used = channel_used(l->line, what) +
			      pending(a, l, what);
	const uint64_t want = (uint64_t)used +
			      (what == MEASURE_KBPS ? a->kbps : 1);
	bool is_tighter;

	if (limit < 0 || (l->outcome != OUT_OK && !l->is_marked))
		return;

	is_tighter = (int64_t)limit - used < (int64_t)l->limit - l->used;
	if (want > (uint64_t)limit) {
		l->outcome = outcome;
		l->is_marked = l->limits->action == LIMIT_MARK ||
			       want * 100 <= (uint64_t)limit *
				       (100u + l->limits->burst_percent);
	}
	else if (l->outcome != OUT_OK || !is_tighter) {
		return;
	}

	l->what = what;
	l->used = used;
	l->limit = (uint32_t)limit;
}


static void check_rate(struct admission *a, struct admission_line *l,
		       const struct moment *now)
{
	uint64_t wait_us;

	if (!l->has_rate || (l->outcome != OUT_OK && !l->is_marked))
		return;

	wait_us = channel_wait_us(l->line, l->limits->cps, now);
	if (!wait_us)
		return;

	l->outcome = OUT_LIMIT_CPS;
	l->is_marked = l->limits->action == LIMIT_MARK;
	l->what = MEASURE_TOTAL;
	l->limit = (uint32_t)l->limits->cps;
	l->used = l->limit;
	a->wait_us = wait_us;
}


/* All of them at once, so that the memory they are in comes in parallel. */
static void find_lines(struct admission *a, const struct channels *c)
{
	uint8_t i;

	for (i = 0; i < a->n; i++)
		a->lines[i].hash = channel_hash(c, a->lines[i].id);
	for (i = 0; i < a->n; i++)
		a->lines[i].line = channel_find(c, a->lines[i].hash,
						a->lines[i].id);
	for (i = 0; i < a->n; i++)
		channel_expect(a->lines[i].line, a->lines[i].dir);
}


static void check_line(struct admission *a, struct admission_line *l,
		       const struct moment *now)
{
	const struct limits *limits = l->limits;
	const bool is_in = l->dir == CHANNEL_IN;
	const enum channel_measure way = is_in ? MEASURE_IN : MEASURE_OUT;

	l->outcome = OUT_OK;
	l->is_marked = false;
	l->what = MEASURE_TOTAL;
	l->used = 0;
	l->limit = UINT32_MAX;

	compare(a, l, way, is_in ? limits->in : limits->out,
		outcome_of(l, way));
	compare(a, l, limits->mode == LIMIT_PAIRED ? way : MEASURE_TOTAL,
		limits->total, outcome_of(l, MEASURE_TOTAL));
	compare(a, l, MEASURE_KBPS, limits->kbps, OUT_LIMIT_BANDWIDTH);
	check_rate(a, l, now);
}


enum outcome admission_check(struct admission *a, const struct channels *c,
			     const struct moment *now)
{
	a->failed = a->n;
	a->wait_us = 0;
	find_lines(a, c);
	for (uint8_t i = 0; i < a->n; i++) {
		struct admission_line *l = &a->lines[i];

		check_line(a, l, now);
		if (l->outcome == OUT_OK || l->is_marked || a->passes_all)
			continue;
		a->failed = i;
		return l->outcome;
	}

	return OUT_OK;
}


static void line_take(struct admission *a, struct admission_line *l,
		      struct channels *c, const struct moment *now,
		      const uint8_t *call_id)
{
	channel_take(c, l->line, l->hold, l->dir, a->kbps, now, call_id);
	if (a->passes_all)
		return;
	if (l->has_rate && l->outcome != OUT_LIMIT_CPS)
		channel_count_rate(l->line, l->limits->cps, now);
	if (l->is_marked)
		channel_count_met(l->line, false);
}


/* Also one that the same decision has made before; a draft's own, not that of
   its base. */
static bool line_get(struct admission_line *l, struct channels *c,
		     const struct moment *now)
{
	if (!l->line || channels_are_draft(c))
		l->line = channel_get(c, l->hash, l->id, now);

	return l->line != NULL;
}


enum outcome admission_take(struct admission *a, struct channels *c,
			    const struct moment *now, const uint8_t *call_id)
{
	uint8_t i;

	for (i = 0; i < a->n; i++)
		if (!line_get(&a->lines[i], c, now))
			return OUT_LIMIT_NODE;

	for (i = 0; i < a->n; i++)
		line_take(a, &a->lines[i], c, now, call_id);

	return OUT_OK;
}


void admission_count(struct admission *a, struct channels *c,
		     const struct moment *now)
{
	struct admission_line *l = &a->lines[a->failed];

	if (a->failed >= a->n)
		return;

	if (line_get(l, c, now))
		channel_count_met(l->line, true);
}


bool admission_is_full(const struct admission *a,
		       const struct admission_line *l)
{
	const uint32_t want = l->what == MEASURE_KBPS ? a->kbps : 1;

	/* a limit of 0 is a switch: there is nothing to use up */
	if (!l->line || !l->limit || l->limit == UINT32_MAX)
		return false;

	return l->outcome != OUT_OK || l->used + want >= l->limit;
}
