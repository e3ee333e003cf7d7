/**
 * @file lock.c  See lock.h. One entry a row that was ever locked here.
 */
#include <errno.h>
#include <string.h>
#include "htab.h"
#include "lock.h"
#include "text.h"

struct locks {
	struct htab *table;
};

struct own_lock {
	struct htab_node node;
	char id[ID_SIZE];
	int64_t locked_ms, until_ms;
	enum outcome outcome;
};


static bool own_drop(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);

	return false;
}


static void destructor(void *arg)
{
	struct locks *l = arg;

	if (l->table)
		(void)htab_each(l->table, own_drop, NULL);
	mem_deref(l->table);
}


int locks_alloc(struct locks **lp, const uint8_t key[16])
{
	struct locks *l = mem_zalloc(sizeof(*l), destructor);
	int err;

	if (!l)
		return ENOMEM;

	err = htab_alloc(&l->table, 64, key);
	if (err)
		mem_deref(l);
	else
		*lp = l;

	return err;
}


static bool is_own(const void *data, const void *key)
{
	const struct own_lock *own = data;

	return 0 == strcmp(own->id, key);
}


static struct own_lock *find(const struct locks *l, const char *id)
{
	return htab_find(l->table, htab_hash(l->table, id, strlen(id)),
			 is_own, id);
}


int lock_set(struct locks *l, const char *id, enum outcome out,
	     int64_t now_ms, int64_t until_ms)
{
	struct own_lock *own = find(l, id);

	if (!own) {
		own = mem_zalloc(sizeof(*own), NULL);
		if (!own)
			return ENOMEM;
		TEXT_FILL(own->id, id);
		htab_insert(l->table, &own->node,
			    htab_hash(l->table, id, strlen(id)), own);
	}
	own->locked_ms = now_ms;
	own->until_ms = until_ms;
	own->outcome = out;

	return 0;
}


enum outcome lock_check(const struct locks *l, const struct catalog *cat,
			const char *id, int64_t now_ms)
{
	const struct lock *known = catalog_lock(cat, id);
	const struct own_lock *own = find(l, id);
	const int64_t unlocked_ms = known ? known->unlocked_ms : 0;

	if (known && known->locked_ms > unlocked_ms &&
	    now_ms < known->until_ms)
		return known->is_fraud ? OUT_FRAUD_LOCK : OUT_LIMIT_SPEND;

	return own && own->locked_ms > unlocked_ms && now_ms < own->until_ms
		       ? own->outcome : OUT_OK;
}
