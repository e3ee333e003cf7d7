/**
 * @file channel.c  Lists of holders, and virtual scheduling for calls per
 * second (a theoretical arrival time per line: exact, one number).
 */
#include <errno.h>
#include <string.h>
#include "channel.h"
#include "htab.h"
#include "text.h"

#define CPS_BURST_US 1000000 /* one second's calls may come at once */
#define DAY_US INT64_C(86400000000)

/* In the order in which a decision reads: fewer lines of cache. */
struct channel_line {
	struct htab_node node;
	struct channel_hold *held[CHANNEL_DIRS];
	uint32_t n[CHANNEL_DIRS];        /* list length, kept beside the list */
	uint32_t kbps;                   /* sum over the lists */
	uint32_t full;                   /* limit that was reached; 0: none */
	char id[ID_SIZE];
	uint32_t day;                    /* of its last use, and of the peak */
	uint64_t next_us;                /* theoretical arrival time */
	uint32_t peak[CHANNEL_DIRS], peak_total;
	enum channel_measure full_of;
	uint64_t refused, marked;
	struct le idle;                  /* while nobody holds it */
};

struct channels {
	struct htab *lines;
	uint8_t key[16];
	const struct channels *base;     /* of a draft; borrowed */
	struct list idle;                /* longest idle first */
	size_t idle_n, total;
	channel_room_h *roomh;
	void *arg;
};


static bool line_equal(const void *data, const void *key)
{
	const struct channel_line *line = data;

	return 0 == strcmp(line->id, key);
}


static bool line_free(void *data, void *arg)
{
	struct channel_line *line = data;
	struct channels *c = arg;

	htab_remove(c->lines, &line->node);
	if (line->idle.list)
		c->idle_n--;
	list_unlink(&line->idle);
	mem_deref(line);

	return false;
}


static void channels_destructor(void *arg)
{
	struct channels *c = arg;

	if (c->lines)
		htab_each(c->lines, line_free, c);

	mem_deref(c->lines);
}


int channels_alloc(struct channels **cp, const uint8_t key[16])
{
	struct channels *c;
	int err;

	if (!cp || !key)
		return EINVAL;

	c = mem_zalloc(sizeof(*c), channels_destructor);
	if (!c)
		return ENOMEM;

	memcpy(c->key, key, sizeof(c->key));
	err = htab_alloc(&c->lines, 256, key);
	if (err)
		mem_deref(c);
	else
		*cp = c;

	return err;
}


int channels_draft(struct channels **cp, const struct channels *base)
{
	int err;

	if (!base)
		return EINVAL;

	err = channels_alloc(cp, base->key);
	if (!err)
		(*cp)->base = base;

	return err;
}


bool channels_are_draft(const struct channels *c)
{
	return c->base != NULL;
}


void channels_watch(struct channels *c, channel_room_h *h, void *arg)
{
	c->roomh = h;
	c->arg = arg;
}


uint64_t channel_hash(const struct channels *c, const char *id)
{
	const uint64_t hash = htab_hash(c->lines, id, strlen(id));

	htab_expect(c->lines, hash);

	return hash;
}


static struct channel_line *line_find(const struct channels *c, uint64_t hash,
				      const char *id)
{
	return htab_find(c->lines, hash, line_equal, id);
}


struct channel_line *channel_find(const struct channels *c, uint64_t hash,
				  const char *id)
{
	struct channel_line *line = line_find(c, hash, id);

	return line || !c->base ? line : channel_find(c->base, hash, id);
}


static void line_is_idle(struct channels *c, struct channel_line *line)
{
	list_append(&c->idle, &line->idle, line);
	c->idle_n++;
}


/* Lines of trunks that are gone must not stay for ever. Not when a line is
   made: the same decision may have found one that is idle. */
static void sweep(struct channels *c, uint32_t day)
{
	struct channel_line *line;

	for (int i = 0; i < 2; i++) {
		line = list_ledata(list_head(&c->idle));
		if (!line || (c->idle_n <= CHANNEL_IDLE_MAX &&
			      line->day + 1 >= day))
			return;
		line_free(line, c);
	}
}


static uint32_t day_of(const struct moment *now)
{
	return (uint32_t)(now->wall_us / DAY_US);
}


static bool is_held(const struct channel_line *line)
{
	return line->n[CHANNEL_IN] || line->n[CHANNEL_OUT];
}


/* What is in use there counts here, and is not released here. */
static void line_begin(struct channel_line *line,
		       const struct channel_line *base)
{
	memcpy(line->n, base->n, sizeof(line->n));
	line->kbps = base->kbps;
	line->next_us = base->next_us;
}


struct channel_line *channel_get(struct channels *c, uint64_t hash,
				 const char *id, const struct moment *now)
{
	struct channel_line *line = line_find(c, hash, id);
	const struct channel_line *base;

	if (line)
		return line;

	line = mem_zalloc(sizeof(*line), NULL);
	if (!line)
		return NULL;

	if (text_copy(line->id, sizeof(line->id), id)) {
		mem_deref(line);
		return NULL;
	}

	base = c->base ? channel_find(c->base, hash, id) : NULL;
	if (base)
		line_begin(line, base);
	line->day = day_of(now);
	if (!is_held(line))
		line_is_idle(c, line);
	htab_insert(c->lines, &line->node, hash, line);

	return line;
}


void channel_expect(const struct channel_line *line, enum channel_dir dir)
{
	if (line && line->held[dir])
		__builtin_prefetch(&line->held[dir]->link, 1);
}


uint32_t channel_used(const struct channel_line *line,
		      enum channel_measure what)
{
	if (!line)
		return 0;

	switch (what) {

	case MEASURE_IN:
		return line->n[CHANNEL_IN];
	case MEASURE_OUT:
		return line->n[CHANNEL_OUT];
	case MEASURE_KBPS:
		return line->kbps;
	case MEASURE_TOTAL:
		break;
	}

	return line->n[CHANNEL_IN] + line->n[CHANNEL_OUT];
}


void channel_use(const struct channel_line *line, struct channel_use *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!line)
		return;

	memcpy(ret->used, line->n, sizeof(ret->used));
	memcpy(ret->peak, line->peak, sizeof(ret->peak));
	ret->peak_total = line->peak_total;
	ret->kbps = line->kbps;
	ret->refused = line->refused;
	ret->marked = line->marked;
}


static uint32_t larger(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}


static void peak(struct channel_line *line, const struct moment *now)
{
	const uint32_t day = day_of(now);
	const uint32_t total = channel_used(line, MEASURE_TOTAL);

	if (line->day != day) {
		memset(line->peak, 0, sizeof(line->peak));
		line->peak_total = 0;
		line->day = day;
	}
	for (int dir = 0; dir < CHANNEL_DIRS; dir++)
		line->peak[dir] = larger(line->peak[dir], line->n[dir]);
	line->peak_total = larger(line->peak_total, total);
}


void channel_take(struct channels *c, struct channel_line *line,
		  struct channel_hold *hold, enum channel_dir dir,
		  uint32_t kbps, const struct moment *now,
		  const uint8_t *call_id)
{
	struct channel_hold **head = &line->held[dir];

	if (!is_held(line)) {
		list_unlink(&line->idle);
		c->idle_n--;
	}
	hold->line = line;
	hold->dir = (uint8_t)dir;
	hold->kbps = kbps;
	hold->call_id = call_id;
	hold->next = *head;
	hold->link = head;
	if (*head)
		(*head)->link = &hold->next;
	*head = hold;
	line->n[dir]++;
	line->kbps += kbps;
	c->total++;
	peak(line, now);
}


static void room(struct channels *c, struct channel_line *line)
{
	const uint32_t used = channel_used(line, line->full_of);
	const uint32_t limit = line->full;

	if (!limit || (uint64_t)used * 10 >= (uint64_t)limit * 9)
		return;

	line->full = 0;
	if (c->roomh)
		c->roomh(line->id, line->full_of, used, limit, c->arg);
}


void channel_release(struct channels *c, struct channel_hold *hold)
{
	struct channel_line *line = hold->line;

	if (!line)
		return;

	*hold->link = hold->next;
	if (hold->next)
		hold->next->link = hold->link;
	hold->next = NULL;
	hold->link = NULL;
	hold->line = NULL;
	line->n[hold->dir]--;
	line->kbps -= hold->kbps;
	c->total--;
	room(c, line);
	if (!is_held(line)) {
		line_is_idle(c, line);
		sweep(c, line->day);
	}
}


void channel_set_kbps(struct channel_hold *hold, uint32_t kbps)
{
	if (!hold->line)
		return;

	hold->line->kbps += kbps - hold->kbps;
	hold->kbps = kbps;
}


uint64_t channel_wait_us(const struct channel_line *line, int32_t cps,
			 const struct moment *now)
{
	const uint64_t now_us = now->mono_us;
	uint64_t next_us;

	if (cps < 0)
		return 0;
	if (cps == 0)
		return CPS_BURST_US;

	next_us = line && line->next_us > now_us ? line->next_us : now_us;
	next_us += 1000000u / (uint32_t)cps;

	return next_us > now_us + CPS_BURST_US
		       ? next_us - now_us - CPS_BURST_US : 0;
}


void channel_count_rate(struct channel_line *line, int32_t cps,
			const struct moment *now)
{
	if (cps <= 0)
		return;

	if (line->next_us < now->mono_us)
		line->next_us = now->mono_us;
	line->next_us += 1000000u / (uint32_t)cps;
}


void channel_count_met(struct channel_line *line, bool is_refused)
{
	if (is_refused)
		line->refused++;
	else
		line->marked++;
}


bool channel_is_full(struct channel_line *line, enum channel_measure what,
		     uint32_t limit)
{
	if (line->full)
		return false;

	line->full = limit;
	line->full_of = what;

	return true;
}


size_t channel_total(const struct channels *c)
{
	return c->total;
}


struct sum {
	size_t held;
	bool is_wrong;
};


static bool line_sum(void *data, void *arg)
{
	const struct channel_line *line = data;
	struct sum *sum = arg;
	uint32_t n, kbps = 0;

	for (int dir = 0; dir < CHANNEL_DIRS; dir++) {
		n = 0;
		for (const struct channel_hold *h = line->held[dir]; h;
		     h = h->next) {
			sum->is_wrong |= h->line != line || h->dir != dir;
			kbps += h->kbps;
			n++;
		}
		sum->is_wrong |= n != line->n[dir];
		sum->held += n;
	}
	sum->is_wrong |= kbps != line->kbps;

	return false;
}


bool channels_are_exact(const struct channels *c)
{
	struct sum sum = {0};

	htab_each(c->lines, line_sum, &sum);

	return !sum.is_wrong && sum.held == c->total;
}


void channel_each(const struct channel_line *line, channel_each_h *h,
		  void *arg)
{
	if (!line)
		return;

	for (int dir = 0; dir < CHANNEL_DIRS; dir++)
		for (const struct channel_hold *hold = line->held[dir]; hold;
		     hold = hold->next)
			h(hold, arg);
}
