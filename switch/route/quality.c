/**
 * @file quality.c  A ring of buckets for each gateway, whose sum is kept
 * beside them: reading costs no walk.
 */
#include <errno.h>
#include <string.h>
#include "htab.h"
#include "metric.h"
#include "moment.h"
#include "quality.h"
#include "text.h"

#define BUCKETS 20
#define LINES 64
#define TRIAL_MS 300000 /* by then every trial call has been heard of */

struct counts {
	uint32_t attempts, answered, ended, shorts, rang;
	uint64_t talked_ms, pdd_ms;
};

struct line {
	struct htab_node node;
	char id[ID_SIZE];
	struct quality_limits limits;  /**< as last seen                   */
	struct counts buckets[BUCKETS], sum;
	uint64_t at;                   /**< number of the newest bucket    */
	uint8_t state;
	uint64_t until_ms;             /**< of the lock, or of the trials  */
	uint32_t trials_left, trials_due; /**< to be sent, to be heard of  */
	const char *reason;
	int64_t changed_wall_ms;
	struct metric *attempts, *answered, *locked;
};

struct quality {
	struct htab *lines;
	quality_change_h *h;
	void *arg;
};


static bool line_equal(const void *data, const void *key)
{
	const struct line *l = data;

	return !strcmp(l->id, key);
}


static struct line *line_find(const struct quality *q, const char *id)
{
	return htab_find(q->lines, htab_hash(q->lines, id, strlen(id)),
			 line_equal, id);
}


static void line_free(struct quality *q, struct line *l)
{
	metric_set(l->locked, 0);
	htab_remove(q->lines, &l->node);
	mem_deref(l);
}


static bool line_free_each(void *data, void *arg)
{
	line_free(arg, data);

	return false;
}


static void quality_destructor(void *arg)
{
	struct quality *q = arg;

	if (q->lines)
		(void)htab_each(q->lines, line_free_each, q);
	mem_deref(q->lines);
}


int quality_alloc(struct quality **qp, quality_change_h *h, void *arg)
{
	/* ids are made by the operator's API: nobody outside can aim them */
	static const uint8_t key[16];
	struct quality *q;
	int err;

	if (!qp)
		return EINVAL;

	q = mem_zalloc(sizeof(*q), quality_destructor);
	if (!q)
		return ENOMEM;

	q->h = h;
	q->arg = arg;
	err = htab_alloc(&q->lines, LINES, key);
	if (err)
		mem_deref(q);
	else
		*qp = q;
	return err;
}


static void metrics_make(struct line *l)
{
	char labels[64];

	(void)text_format(labels, sizeof(labels), "gateway=\"%s\"", l->id);
	l->attempts = metric_counter("strowger_gateway_attempts_total", labels,
				     "calls that a gateway answered or not");
	l->answered = metric_counter("strowger_gateway_answered_total", labels,
				     "calls that a gateway answered");
	l->locked = metric_gauge("strowger_gateway_locked", labels,
				 "1: quality below its limits");
}


/** The line of a gateway, made when there is none; NULL: no memory */
static struct line *line_need(struct quality *q, const struct gateway *gw)
{
	struct line *l = line_find(q, gw->id);

	if (!l) {
		l = mem_zalloc(sizeof(*l), NULL);
		if (!l)
			return NULL;
		(void)text_copy(l->id, sizeof(l->id), gw->id);
		l->reason = "";
		metrics_make(l);
		htab_insert(q->lines, &l->node,
			    htab_hash(q->lines, l->id, strlen(l->id)), l);
	}
	l->limits = gw->quality;

	return l;
}


struct sweep {
	struct quality *q;
	const struct catalog *cat;
};


static bool line_sweep(void *data, void *arg)
{
	struct sweep *s = arg;
	struct line *l = data;

	if (!catalog_gateway(s->cat, l->id))
		line_free(s->q, l);

	return false;
}


void quality_catalog(struct quality *q, const struct catalog *cat)
{
	struct sweep s = {q, cat};

	(void)htab_each(q->lines, line_sweep, &s);
}


/* --- the window */

static void counts_shift(struct counts *sum, const struct counts *c, int sign)
{
	const uint32_t s = (uint32_t)sign;

	sum->attempts += s * c->attempts;
	sum->answered += s * c->answered;
	sum->ended += s * c->ended;
	sum->shorts += s * c->shorts;
	sum->rang += s * c->rang;
	sum->talked_ms += (uint64_t)sign * c->talked_ms;
	sum->pdd_ms += (uint64_t)sign * c->pdd_ms;
}


static uint64_t bucket_number(const struct line *l, uint64_t now_ms)
{
	const uint64_t width_ms =
		(uint64_t)l->limits.window_s * 1000 / BUCKETS;

	return now_ms / (width_ms ? width_ms : 1);
}


/** What the window holds at a later bucket: those that left it are gone */
static struct counts sum_at(const struct line *l, uint64_t number)
{
	struct counts sum = l->sum;

	if (number >= l->at + BUCKETS)
		return (struct counts){0};

	for (uint64_t n = l->at + 1; n <= number; n++)
		counts_shift(&sum, &l->buckets[n % BUCKETS], -1);

	return sum;
}


static void window_clear(struct line *l)
{
	memset(l->buckets, 0, sizeof(l->buckets));
	memset(&l->sum, 0, sizeof(l->sum));
}


/** The bucket of now, emptied when it was another one's */
static struct counts *bucket(struct line *l, uint64_t now_ms)
{
	const uint64_t number = bucket_number(l, now_ms);

	/* a window that was made longer counts in larger steps */
	if (number < l->at || number >= l->at + BUCKETS) {
		window_clear(l);
		l->at = number;
	}
	for (; l->at < number; l->at++) {
		struct counts *next = &l->buckets[(l->at + 1) % BUCKETS];

		counts_shift(&l->sum, next, -1);
		memset(next, 0, sizeof(*next));
	}

	return &l->buckets[number % BUCKETS];
}


static int32_t share(uint64_t part, uint64_t of, uint32_t scale)
{
	return of ? (int32_t)(part * scale / of) : -1;
}


/** May a new round of trials begin? Also after one whose calls were lost. */
static bool is_trial_due(const struct line *l, uint64_t now_ms)
{
	return l->state != QUALITY_OPEN && now_ms >= l->until_ms &&
	       (l->state == QUALITY_LOCKED || !l->trials_left);
}


static uint8_t state_at(const struct line *l, uint64_t now_ms)
{
	return is_trial_due(l, now_ms) ? QUALITY_TRIAL : l->state;
}


static void figures(const struct line *l, uint64_t now_ms,
		    struct quality_figures *ret)
{
	const struct counts c = sum_at(l, bucket_number(l, now_ms));
	const bool is_due = is_trial_due(l, now_ms);

	*ret = (struct quality_figures){
		.attempts = c.attempts,
		.answered = c.answered,
		.ended = c.ended,
		.shorts = c.shorts,
		.asr = share(c.answered, c.attempts, 100),
		.acd_s = share(c.talked_ms / 1000, c.ended, 1),
		.pdd_ms = share(c.pdd_ms, c.rang, 1),
		.short_pct = share(c.shorts, c.ended, 100),
		.state = state_at(l, now_ms),
		.has_enough = c.attempts >= l->limits.min_samples,
		.until_ms = l->state == QUALITY_OPEN ? 0 : l->until_ms,
		.trials_left = is_due ? l->limits.trials : l->trials_left,
		.trials_due = is_due ? l->limits.trials : l->trials_due,
		.changed_wall_ms = l->changed_wall_ms,
		.reason = l->reason,
	};
}


void quality_read(const struct quality *q, const struct gateway *gw,
		  uint64_t now_ms, struct quality_figures *ret)
{
	const struct line *l = line_find(q, gw->id);

	if (l) {
		figures(l, now_ms, ret);
		return;
	}

	*ret = (struct quality_figures){
		.asr = -1, .acd_s = -1, .pdd_ms = -1, .short_pct = -1,
		.reason = "",
	};
}


bool quality_is_open(const struct quality *q, const struct gateway *gw,
		     uint64_t now_ms)
{
	const struct line *l = line_find(q, gw->id);

	if (!l || l->state == QUALITY_OPEN)
		return true;

	return is_trial_due(l, now_ms) ||
	       (l->state == QUALITY_TRIAL && l->trials_left > 0);
}


/* --- lock and return */

static const char *fault(const struct quality_limits *lim,
			 const struct quality_figures *f)
{
	if (lim->asr_min >= 0 && f->asr >= 0 && f->asr < lim->asr_min)
		return "asr";
	if (lim->acd_min_s >= 0 && f->acd_s >= 0 && f->acd_s < lim->acd_min_s)
		return "acd";
	if (lim->pdd_max_ms >= 0 && f->pdd_ms > lim->pdd_max_ms)
		return "pdd";
	if (lim->short_max >= 0 && f->short_pct > lim->short_max)
		return "short_calls";

	return "";
}


static void tell(struct quality *q, struct line *l, const struct moment *now)
{
	struct quality_figures f;

	l->changed_wall_ms = moment_wall_ms(now);
	metric_set(l->locked, l->state != QUALITY_OPEN);
	figures(l, moment_ms(now), &f);
	if (q->h)
		q->h(l->id, l->state == QUALITY_OPEN, &f, q->arg);
}


static void lock(struct quality *q, struct line *l, const struct moment *now,
		 const char *reason)
{
	const bool was_open = l->state == QUALITY_OPEN;

	l->state = QUALITY_LOCKED;
	l->reason = reason;
	l->until_ms = moment_ms(now) + (uint64_t)l->limits.lock_s * 1000;
	if (was_open)
		tell(q, l, now);
}


static void open_again(struct quality *q, struct line *l,
		       const struct moment *now)
{
	l->state = QUALITY_OPEN;
	l->reason = "";
	l->trials_left = l->trials_due = 0;
	tell(q, l, now);
}


/** The trials are over: their figures alone decide */
static void judge_trials(struct quality *q, struct line *l,
			 const struct moment *now,
			 const struct quality_figures *f)
{
	const char *reason = fault(&l->limits, f);

	if (reason[0])
		lock(q, l, now, reason);
	else
		open_again(q, l, now);
}


static void judge(struct quality *q, struct line *l, const struct moment *now)
{
	struct quality_figures f;
	const char *reason;

	figures(l, moment_ms(now), &f);
	if (l->state == QUALITY_TRIAL && !l->trials_due)
		judge_trials(q, l, now, &f);
	if (l->state != QUALITY_OPEN || !f.has_enough)
		return;

	reason = fault(&l->limits, &f);
	if (reason[0])
		lock(q, l, now, reason);
}


void quality_dialled(struct quality *q, const struct gateway *gw,
		     const struct moment *now)
{
	const uint64_t now_ms = moment_ms(now);
	struct line *l = line_find(q, gw->id);

	if (!l || state_at(l, now_ms) != QUALITY_TRIAL)
		return;

	if (is_trial_due(l, now_ms)) {
		l->state = QUALITY_TRIAL;
		l->trials_left = l->trials_due = l->limits.trials;
		l->until_ms = now_ms + TRIAL_MS;
		window_clear(l);
	}
	if (l->trials_left)
		--l->trials_left;
}


void quality_attempted(struct quality *q, const struct gateway *gw,
		       const struct moment *now, bool is_answered,
		       int64_t pdd_ms)
{
	struct line *l = line_need(q, gw);
	struct counts one = {.attempts = 1, .answered = is_answered};

	if (!l)
		return;

	if (pdd_ms >= 0) {
		one.rang = 1;
		one.pdd_ms = (uint64_t)pdd_ms;
	}
	counts_shift(bucket(l, moment_ms(now)), &one, 1);
	counts_shift(&l->sum, &one, 1);
	metric_add(l->attempts, 1);
	metric_add(l->answered, is_answered);
	if (l->state == QUALITY_TRIAL && l->trials_due)
		--l->trials_due;
	judge(q, l, now);
}


void quality_talked(struct quality *q, const char *gateway_id,
		    const struct moment *now, uint64_t duration_ms)
{
	struct line *l = line_find(q, gateway_id);
	struct counts one = {.ended = 1, .talked_ms = duration_ms};

	if (!l)
		return;

	one.shorts = duration_ms < (uint64_t)l->limits.short_s * 1000;
	counts_shift(bucket(l, moment_ms(now)), &one, 1);
	counts_shift(&l->sum, &one, 1);
	judge(q, l, now);
}


bool quality_unlock(struct quality *q, const char *gateway_id,
		    const struct moment *now)
{
	struct line *l = line_find(q, gateway_id);

	if (!l || l->state == QUALITY_OPEN)
		return false;

	window_clear(l);
	open_again(q, l, now);

	return true;
}
