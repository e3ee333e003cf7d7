/**
 * @file spend.c  See spend.h. An entry lives until the spends do: there are
 * as many as rows with a daily limit.
 */
#include <errno.h>
#include <string.h>
#include "htab.h"
#include "spend.h"
#include "text.h"

#define DAY_S 86400

struct spends {
	struct htab *table;
};

struct spend {
	struct htab_node node;
	char id[ID_SIZE];
	struct spend_policy policy;
	struct day_clock clock;
	int32_t day;
	int64_t micro;
	int64_t unlocked_ms;
	bool has_start;         /**< what was before our start is in micro */
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

	err = htab_alloc(&s->table, 64, key);
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


int32_t spend_day(const struct day_clock *clock, int64_t wall_ms)
{
	const int64_t wall_s = wall_ms / 1000;
	int32_t east_s = clock->n ? clock->offsets[0].east_s : 0;

	for (uint8_t i = 1; i < clock->n; i++) {
		if (clock->offsets[i].from_s > wall_s)
			break;
		east_s = clock->offsets[i].east_s;
	}

	return (int32_t)((wall_s + east_s) / DAY_S);
}


static void turn(struct spend *s, int64_t wall_ms)
{
	const int32_t day = spend_day(&s->clock, wall_ms);

	if (day == s->day)
		return;

	/* before the first look nothing is known of the day */
	s->has_start = s->day != 0;
	s->day = day;
	s->micro = 0;
	s->is_warned = false;
	s->is_told = false;
}


static bool is_spend(const void *data, const void *key)
{
	const struct spend *s = data;

	return 0 == strcmp(s->id, key);
}


static struct spend *entry(struct spends *all, const char *id)
{
	const uint64_t hash = htab_hash(all->table, id, strlen(id));
	struct spend *s = htab_find(all->table, hash, is_spend, id);

	if (s)
		return s;

	s = mem_zalloc(sizeof(*s), NULL);
	if (!s)
		return NULL;

	TEXT_FILL(s->id, id);
	htab_insert(all->table, &s->node, hash, s);

	return s;
}


struct spend *spend_get(struct spends *all, const struct catalog *cat,
			const char *id, const struct spend_policy *policy,
			const struct day_clock *clock, int64_t wall_ms)
{
	const struct lock *lock = catalog_lock(cat, id);
	const struct spend_start *start = catalog_spend_start(cat, id);
	struct spend *s = entry(all, id);

	if (!s)
		return NULL;

	s->policy = *policy;
	s->clock = *clock;
	turn(s, wall_ms);

	if (lock && lock->unlocked_ms > s->unlocked_ms) {
		/* at our start the database has left out what was before */
		if (s->unlocked_ms || s->has_start) {
			s->micro = 0;
			s->is_warned = false;
			s->is_told = false;
		}
		s->unlocked_ms = lock->unlocked_ms;
	}
	if (!s->has_start && start) {
		s->has_start = true;
		if (start->day == s->day && start->read_ms > s->unlocked_ms)
			s->micro += start->micro;
	}

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
