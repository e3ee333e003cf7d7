/**
 * @file spend.c  See spend.h. An entry lives until the spends do: there are
 * as many as limits of a day or month.
 */
#include <errno.h>
#include <string.h>
#include "day_clock.h"
#include "htab.h"
#include "spend.h"
#include "text.h"

struct spends {
	struct htab *table;
	uint8_t key[16];
	const struct spends *base; /**< of a draft; borrowed               */
};

struct spend {
	struct htab_node node;
	char key[SPEND_KEY_SIZE];
	char id[ID_SIZE];
	enum spend_period period;
	struct spend_policy policy;
	struct day_clock clock;
	int32_t number;         /**< of the day or month; 0: not looked yet */
	int64_t micro;
	int64_t unlocked_ms;
	bool has_start;         /**< what was before our start is in micro */
	int64_t read_ms;        /**< of that start; 0: none was given      */
	bool is_warned, is_told;
};


static bool spend_drop(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);

	return false;
}


static void destructor(void *arg)
{
	struct spends *s = arg;

	if (s->table)
		(void)htab_each(s->table, spend_drop, NULL);
	mem_deref(s->table);
}


int spends_alloc(struct spends **sp, const uint8_t key[16])
{
	struct spends *s = mem_zalloc(sizeof(*s), destructor);
	int err;

	if (!s)
		return ENOMEM;

	memcpy(s->key, key, sizeof(s->key));
	err = htab_alloc(&s->table, 64, key);
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


int spends_draft(struct spends **sp, const struct spends *base)
{
	const int err = spends_alloc(sp, base->key);

	if (!err)
		(*sp)->base = base;

	return err;
}


int32_t spend_number(const struct day_clock *clock, enum spend_period period,
		     int64_t wall_ms)
{
	const int32_t day = day_clock_day(clock, wall_ms);

	return period == SPEND_DAY ? day : day_clock_month(day);
}


static void turn(struct spend *s, int64_t wall_ms)
{
	const int32_t number = spend_number(&s->clock, s->period, wall_ms);

	if (number == s->number)
		return;

	/* before the first look nothing is known of the period */
	s->has_start = s->number != 0;
	s->number = number;
	s->micro = 0;
	s->is_warned = false;
	s->is_told = false;
}


static bool is_spend(const void *data, const void *key)
{
	const struct spend *s = data;

	return 0 == strcmp(s->key, key);
}


static struct spend *entry(struct spends *all, const char *id,
			   enum spend_period period)
{
	char key[SPEND_KEY_SIZE];
	struct spend *s;
	uint64_t hash;
	const struct spend *base;

	spend_key(key, id, period);
	hash = htab_hash(all->table, key, strlen(key));
	s = htab_find(all->table, hash, is_spend, key);
	if (s)
		return s;

	s = mem_zalloc(sizeof(*s), NULL);
	if (!s)
		return NULL;

	base = all->base ? htab_find(all->base->table, hash, is_spend, key)
			 : NULL;
	if (base)
		*s = *base;
	memset(&s->node, 0, sizeof(s->node));
	TEXT_FILL(s->key, key);
	TEXT_FILL(s->id, id);
	s->period = period;
	htab_insert(all->table, &s->node, hash, s);

	return s;
}


static int64_t forgiven_ms(const struct lock *lock, enum spend_period period)
{
	if (!lock)
		return 0;

	return period == SPEND_DAY ? lock->unlocked_ms
				   : lock->month_unlocked_ms;
}


/* What was spent before we counted. A second reading is of a limit that was
   taken away and set again: nobody counted meanwhile. */
static void begin_from(struct spend *s, const struct spend_start *start)
{
	const bool is_again = s->read_ms && s->read_ms != start->read_ms &&
			      start->number == s->number;

	s->read_ms = start->read_ms;
	if (is_again) {
		s->micro = 0;
		s->is_warned = false;
		s->is_told = false;
	}
	if (s->has_start && !is_again)
		return;

	s->has_start = true;
	if (start->number == s->number && start->read_ms > s->unlocked_ms)
		s->micro += start->micro;
}


struct spend *spend_get(struct spends *all, const struct catalog *cat,
			const char *id, enum spend_period period,
			const struct spend_policy *policy,
			const struct day_clock *clock, int64_t wall_ms)
{
	struct spend *s = entry(all, id, period);
	const struct spend_start *start;
	int64_t unlocked_ms;

	if (!s)
		return NULL;

	start = catalog_spend_start(cat, s->key);
	unlocked_ms = forgiven_ms(catalog_lock(cat, id), period);
	s->policy = *policy;
	s->clock = *clock;
	turn(s, wall_ms);

	if (unlocked_ms > s->unlocked_ms) {
		/* at our start the database has left out what was before */
		if (s->unlocked_ms || s->has_start) {
			s->micro = 0;
			s->is_warned = false;
			s->is_told = false;
		}
		s->unlocked_ms = unlocked_ms;
	}
	if (start)
		begin_from(s, start);

	return mem_ref(s);
}


bool spend_allows(struct spend *s, int64_t micro, int64_t wall_ms)
{
	turn(s, wall_ms);

	return s->policy.limit_micro < 0 ||
	       s->micro + micro <= s->policy.limit_micro;
}


bool spend_cuts(const struct spend *s)
{
	return s->policy.is_cut;
}


bool spend_locks(const struct spend *s)
{
	return s->policy.is_manual;
}


bool spend_add(struct spend *s, int64_t micro, int64_t wall_ms)
{
	const int64_t limit = s->policy.limit_micro;

	turn(s, wall_ms);
	s->micro += micro;
	if (s->micro < 0)
		s->micro = 0;

	if (s->is_warned || limit <= 0 ||
	    s->micro < limit / 100 * s->policy.warn_percent)
		return false;

	s->is_warned = true;

	return true;
}


int64_t spend_micro(const struct spend *s)
{
	return s->micro;
}


const char *spend_id(const struct spend *s)
{
	return s->id;
}


enum spend_period spend_period(const struct spend *s)
{
	return s->period;
}


int64_t spend_limit(const struct spend *s)
{
	return s->policy.limit_micro;
}


bool spend_tell_limit(struct spend *s)
{
	const bool is_first = !s->is_told;

	s->is_told = true;

	return is_first;
}
