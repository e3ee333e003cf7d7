/**
 * @file segment_use.c  A table of open calls and the segments they began in.
 */
#include <errno.h>
#include <re.h>
#include <string.h>
#include "htab.h"
#include "segment_use.h"

#define BUCKETS 1024

struct open_call {
	struct htab_node node;
	struct htab *table;
	uint8_t call_id[16];
	uint32_t segment;
};

struct segment_use {
	struct htab *open;
};


static void call_destructor(void *arg)
{
	struct open_call *c = arg;

	htab_remove(c->table, &c->node);
}


static bool call_free(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);
	return false;
}


static void destructor(void *arg)
{
	struct segment_use *u = arg;

	(void)htab_each(u->open, call_free, NULL);
	mem_deref(u->open);
}


int segment_use_alloc(struct segment_use **up)
{
	/* call ids are our own random numbers: nobody can aim at a bucket */
	static const uint8_t key[16];
	struct segment_use *u;
	int err;

	u = mem_zalloc(sizeof(*u), destructor);
	if (!u)
		return ENOMEM;

	err = htab_alloc(&u->open, BUCKETS, key);
	if (err)
		mem_deref(u);
	else
		*up = u;
	return err;
}


static bool call_equal(const void *data, const void *key)
{
	const struct open_call *c = data;

	return 0 == memcmp(c->call_id, key, sizeof(c->call_id));
}


static struct open_call *call_find(const struct segment_use *u,
				   const uint8_t call_id[16])
{
	return htab_find(u->open, htab_hash(u->open, call_id, 16), call_equal,
			 call_id);
}


int segment_use_begin(struct segment_use *u, const uint8_t call_id[16],
		      uint32_t segment)
{
	struct open_call *c;

	if (call_find(u, call_id))
		return 0;

	c = mem_zalloc(sizeof(*c), call_destructor);
	if (!c)
		return ENOMEM;

	memcpy(c->call_id, call_id, sizeof(c->call_id));
	c->table = u->open;
	c->segment = segment;
	htab_insert(u->open, &c->node, htab_hash(u->open, call_id, 16), c);
	return 0;
}


void segment_use_end(struct segment_use *u, const uint8_t call_id[16])
{
	mem_deref(call_find(u, call_id));
}


size_t segment_use_count(const struct segment_use *u)
{
	return htab_count(u->open);
}


static bool oldest_find(void *data, void *arg)
{
	const struct open_call *c = data;
	uint32_t *oldest = arg;

	if (c->segment < *oldest)
		*oldest = c->segment;
	return false;
}


uint32_t segment_use_oldest(const struct segment_use *u)
{
	uint32_t oldest = UINT32_MAX;

	(void)htab_each(u->open, oldest_find, &oldest);
	return oldest;
}
