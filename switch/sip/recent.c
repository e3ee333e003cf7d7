/**
 * @file recent.c  Bounded memory of keyed things: hash table and age list.
 */
#include <assert.h>
#include "recent.h"

struct recent {
	struct htab *table;
	struct list ages;       /**< struct recent_entry, oldest first      */
	size_t max, size;
};


static void destructor(void *arg)
{
	struct recent *r = arg;

	while (r->ages.head)
		recent_drop(r, r->ages.head->data);

	mem_deref(r->table);
}


int recent_alloc(struct recent **rp, size_t max, size_t size,
		 const uint8_t key[16])
{
	struct recent *r;
	int err;

	if (!rp || !max || size < sizeof(struct recent_entry) || !key)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;

	r->max = max;
	r->size = size;

	err = htab_alloc(&r->table, 64, key);
	if (err) {
		mem_deref(r);
		return err;
	}

	*rp = r;
	return 0;
}


uint64_t recent_id(const struct recent *r, uint64_t seed, const void *bytes,
		   size_t len)
{
	return htab_mix(r->table, seed, bytes, len);
}


static bool id_equal(const void *data, const void *key)
{
	const struct recent_entry *e = data;
	const uint64_t *id = key;

	return e->id == *id;
}


void *recent_find(const struct recent *r, uint64_t id)
{
	return htab_find(r->table, id, id_equal, &id);
}


void *recent_victim(const struct recent *r)
{
	if (htab_count(r->table) < r->max)
		return NULL;

	return r->ages.head->data;
}


void *recent_add(struct recent *r, uint64_t id)
{
	struct recent_entry *e;

	assert(!recent_find(r, id));

	e = mem_zalloc(r->size, NULL);
	if (!e)
		return NULL;

	if (htab_count(r->table) >= r->max)
		recent_drop(r, r->ages.head->data);

	e->id = id;
	htab_insert(r->table, &e->node, id, e);
	list_append(&r->ages, &e->le, e);

	return e;
}


void recent_touch(struct recent *r, void *entry)
{
	struct recent_entry *e = entry;

	list_unlink(&e->le);
	list_append(&r->ages, &e->le, e);
}


void recent_drop(struct recent *r, void *entry)
{
	struct recent_entry *e = entry;

	htab_remove(r->table, &e->node);
	list_unlink(&e->le);
	mem_deref(e);
}


size_t recent_count(const struct recent *r)
{
	return htab_count(r->table);
}
