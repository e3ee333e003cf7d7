/**
 * @file tally.c  See tally.h.
 */
#include <errno.h>
#include <string.h>
#include "htab.h"
#include "metric.h"
#include "tally.h"
#include "text.h"

struct tallies {
	struct htab *table;
	uint8_t key[16];
	const struct tallies *base; /**< of a draft; borrowed              */
	struct wheel *wheel;    /**< borrowed                              */
	size_t max;
	struct metric *dropped;
};

struct tally {
	struct htab_node node;
	struct tallies *owner;  /**< weak: it owns us                      */
	char key[TALLY_KEY_SIZE];
	uint32_t window_ms;
	uint32_t live;
	uint64_t slot;          /**< number of the newest slot             */
	uint32_t counts[TALLY_SLOTS];
	uint64_t last_number;
	uint32_t run;
	uint64_t *numbers;      /**< of the window that began at since     */
	uint32_t number_n;
	uint64_t since_ms;
	uint64_t told_ms[4];
	struct wheel_timer idle;
};


static void tally_destructor(void *arg)
{
	struct tally *tally = arg;

	wheel_stop(tally->owner->wheel, &tally->idle);
	htab_remove(tally->owner->table, &tally->node);
	mem_deref(tally->numbers);
}


static bool tally_drop(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);

	return false;
}


static void destructor(void *arg)
{
	struct tallies *t = arg;

	if (t->table)
		(void)htab_each(t->table, tally_drop, NULL);
	mem_deref(t->table);
}


int tallies_alloc(struct tallies **tp, const uint8_t key[16],
		  struct wheel *wheel, size_t max)
{
	struct tallies *t = mem_zalloc(sizeof(*t), destructor);
	int err;

	if (!t)
		return ENOMEM;

	memcpy(t->key, key, sizeof(t->key));
	t->wheel = wheel;
	t->max = max;
	t->dropped = metric_counter("strowger_tallies_dropped_total", NULL,
				    "calls that a limit by number or a fraud "
				    "rule could not count: too many");
	err = htab_alloc(&t->table, 256, key);
	if (err)
		mem_deref(t);
	else
		*tp = t;

	return err;
}


int tallies_draft(struct tallies **tp, const struct tallies *base)
{
	const int err = tallies_alloc(tp, base->key, base->wheel, base->max);

	if (!err)
		(*tp)->base = base;

	return err;
}


static bool is_key(const void *data, const void *key)
{
	const struct tally *tally = data;

	return 0 == strcmp(tally->key, key);
}


static struct tally *own_find(const struct tallies *t, const char *key)
{
	return htab_find(t->table, htab_hash(t->table, key, strlen(key)),
			 is_key, key);
}


struct tally *tally_find(const struct tallies *t, const char *key)
{
	struct tally *tally = own_find(t, key);

	return tally || !t->base ? tally : tally_find(t->base, key);
}


static void idle_over(void *arg)
{
	struct tally *tally = arg;

	if (!tally->live)
		mem_deref(tally);
}


static void idle_start(struct tally *tally)
{
	wheel_start(tally->owner->wheel, &tally->idle,
		    (uint64_t)tally->window_ms + 1000, idle_over, tally);
}


static void counts_copy(struct tally *to, const struct tally *from)
{
	to->live = from->live;
	to->slot = from->slot;
	memcpy(to->counts, from->counts, sizeof(to->counts));
	to->last_number = from->last_number;
	to->run = from->run;
	to->since_ms = from->since_ms;
	if (from->numbers)
		to->numbers = mem_alloc(TALLY_NUMBERS * sizeof(*to->numbers),
					NULL);
	if (!to->numbers)
		return;

	to->number_n = from->number_n;
	memcpy(to->numbers, from->numbers,
	       from->number_n * sizeof(*to->numbers));
}


static bool has_room(const struct tallies *t, const struct tally *of_base)
{
	const size_t n = htab_count(t->table) +
			 (t->base ? htab_count(t->base->table) : 0);

	return of_base || n < t->max;
}


struct tally *tally_get(struct tallies *t, const char *key, uint32_t window_s)
{
	struct tally *tally = own_find(t, key), *of_base;

	if (tally) {
		tally->window_ms = window_s * 1000;
		return tally;
	}

	of_base = t->base ? own_find(t->base, key) : NULL;
	if (has_room(t, of_base))
		tally = mem_zalloc(sizeof(*tally), tally_destructor);
	if (!tally) {
		if (!t->base)
			metric_add(t->dropped, 1);
		return NULL;
	}

	tally->owner = t;
	if (of_base)
		counts_copy(tally, of_base);
	tally->window_ms = window_s * 1000;
	htab_insert(t->table, &tally->node,
		    htab_hash(t->table, key, strlen(key)), tally);
	if (text_copy(tally->key, sizeof(tally->key), key))
		return mem_deref(tally);
	idle_start(tally);

	return tally;
}


static uint64_t slot_of(const struct tally *tally, uint64_t now_ms)
{
	return now_ms * TALLY_SLOTS / (tally->window_ms ? tally->window_ms
							: 1);
}


uint32_t tally_recent(const struct tally *tally, uint64_t now_ms)
{
	const uint64_t slot = tally ? slot_of(tally, now_ms) : 0;
	uint32_t sum = 0;

	for (uint64_t i = 0; tally && i < TALLY_SLOTS; i++) {
		const uint64_t age = slot - tally->slot + i;

		if (age < TALLY_SLOTS && i <= tally->slot)
			sum += tally->counts[(tally->slot - i) % TALLY_SLOTS];
	}

	return sum;
}


uint32_t tally_live(const struct tally *tally)
{
	return tally ? tally->live : 0;
}


static uint64_t number_hash(const struct tally *tally, const char *number)
{
	return htab_hash(tally->owner->table, number, strlen(number));
}


uint32_t tally_run(const struct tally *tally, const char *number)
{
	return tally && tally->run &&
			       tally->last_number ==
				       number_hash(tally, number)
		       ? tally->run : 0;
}


static bool has_number(const struct tally *tally, uint64_t hash)
{
	for (uint32_t i = 0; i < tally->number_n; i++) {
		if (tally->numbers[i] == hash)
			return true;
	}

	return false;
}


uint32_t tally_distinct(const struct tally *tally, const char *number,
			uint64_t now_ms)
{
	if (!tally || now_ms - tally->since_ms >= tally->window_ms)
		return 1;

	return tally->number_n +
	       (has_number(tally, number_hash(tally, number)) ? 0 : 1);
}


void tally_add(struct tally *tally, uint64_t now_ms)
{
	const uint64_t slot = slot_of(tally, now_ms);

	if (slot - tally->slot >= TALLY_SLOTS)
		memset(tally->counts, 0, sizeof(tally->counts));
	else
		for (uint64_t s = tally->slot + 1; s <= slot; s++)
			tally->counts[s % TALLY_SLOTS] = 0;

	tally->slot = slot;
	tally->counts[slot % TALLY_SLOTS]++;
	idle_start(tally);
}


void tally_number(struct tally *tally, const char *number, uint64_t now_ms)
{
	const uint64_t hash = number_hash(tally, number);

	tally->run = tally_run(tally, number) + 1;
	tally->last_number = hash;
	idle_start(tally);

	if (!tally->numbers)
		tally->numbers = mem_zalloc(TALLY_NUMBERS * sizeof(hash),
					    NULL);
	if (!tally->numbers)
		return;

	if (now_ms - tally->since_ms >= tally->window_ms) {
		tally->since_ms = now_ms;
		tally->number_n = 0;
	}
	if (tally->number_n < TALLY_NUMBERS && !has_number(tally, hash))
		tally->numbers[tally->number_n++] = hash;
}


void tally_hold(struct tally *tally)
{
	tally->live++;
}


void tally_release(struct tally *tally)
{
	if (--tally->live)
		return;

	idle_start(tally);
}


bool tally_tell(struct tally *tally, unsigned level, uint64_t now_ms)
{
	if (!tally || level >= ARRAY_SIZE(tally->told_ms))
		return false;
	if (tally->told_ms[level] &&
	    now_ms - tally->told_ms[level] < tally->window_ms)
		return false;

	tally->told_ms[level] = now_ms;

	return true;
}


size_t tally_count(const struct tallies *t)
{
	return htab_count(t->table);
}
