/**
 * @file li_index.c  Identities and their numbers.
 */
#include "li_task.h"
#include "li_index.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include "htab.h"
#include "text.h"

struct entry {
	struct le le;
	struct htab_node by_identity, by_id;
	char identity[POI_IDENTITY_SIZE];
	uint32_t id;
	uint8_t want, want_before;
	int64_t left_us; /**< since when nobody wants it */
};

struct li_index {
	struct htab *by_identity, *by_id;
	struct list entries;
	struct entry **in_order; /**< [count], for li_index_get() */
	size_t count;
	uint32_t generation, last_id;
};


static void entry_destructor(void *arg)
{
	struct entry *e = arg;

	list_unlink(&e->le);
	OPENSSL_cleanse(e->identity, sizeof(e->identity));
}


static void index_destructor(void *arg)
{
	struct li_index *x = arg;

	mem_deref(x->by_identity);
	mem_deref(x->by_id);
	mem_deref(x->in_order);
	list_flush(&x->entries);
}


int li_index_alloc(struct li_index **ip)
{
	struct li_index *x = mem_zalloc(sizeof(*x), index_destructor);
	uint8_t key[16];
	int err;

	if (!x)
		return ENOMEM;

	err = RAND_bytes(key, sizeof(key)) == 1 ? 0 : EIO;
	err = err ? err : htab_alloc(&x->by_identity, 64, key);
	err = err ? err : htab_alloc(&x->by_id, 64, key);
	x->generation = 1;
	if (err)
		mem_deref(x);
	else
		*ip = x;

	return err;
}


static bool identity_equal(const void *data, const void *key)
{
	const struct entry *e = data;

	return !strcmp(e->identity, key);
}


static bool id_equal(const void *data, const void *key)
{
	const struct entry *e = data;

	return e->id == *(const uint32_t *)key;
}


static struct entry *entry_find(const struct li_index *x, uint32_t id)
{
	return htab_find(x->by_id, htab_hash(x->by_id, &id, sizeof(id)),
			 id_equal, &id);
}


static struct entry *entry_get(struct li_index *x, const char *identity)
{
	const uint64_t hash = htab_hash(x->by_identity, identity,
					strlen(identity));
	struct entry *e = htab_find(x->by_identity, hash, identity_equal,
				    identity);

	if (e)
		return e;
	if (x->last_id == UINT32_MAX)
		return NULL;
	e = mem_zalloc(sizeof(*e), entry_destructor);
	if (!e)
		return NULL;

	TEXT_FILL(e->identity, identity);
	e->id = ++x->last_id;
	htab_insert(x->by_identity, &e->by_identity, hash, e);
	htab_insert(x->by_id, &e->by_id,
		    htab_hash(x->by_id, &e->id, sizeof(e->id)), e);
	list_append(&x->entries, &e->le, e);

	return e;
}


static void entry_drop(struct li_index *x, struct entry *e)
{
	htab_remove(x->by_identity, &e->by_identity);
	htab_remove(x->by_id, &e->by_id);
	mem_deref(e);
}


static void task_add(struct li_index *x, const struct li_task *t)
{
	size_t i;

	for (i = 0; i < t->target_n; i++) {
		struct entry *e = entry_get(x, t->target[i].identity);

		if (e)
			e->want |= (uint8_t)(
				(t->products & LI_X2 ? POI_WANT_SIP : 0) |
				(t->products & LI_X3 ? POI_WANT_RTP : 0));
	}
}


/* What a switch copied in time may come when the time is over: its number
 * still means something then */
static bool is_past(const struct entry *e, int64_t now_us)
{
	return !e->want && (now_us < e->left_us ||
			    now_us - e->left_us > LI_LATE_US);
}


static bool settle(struct li_index *x, int64_t now_us)
{
	bool is_other = false;
	struct le *le, *next;

	for (le = list_head(&x->entries); le; le = next) {
		struct entry *e = le->data;

		next = le->next;
		is_other = is_other || e->want != e->want_before;
		if (!e->want && e->want_before)
			e->left_us = now_us;
		if (is_past(e, now_us))
			entry_drop(x, e);
	}

	return is_other;
}


static void order(struct li_index *x)
{
	const size_t n = list_count(&x->entries);
	struct le *le;
	size_t i = 0;

	x->in_order = mem_deref(x->in_order);
	x->count = 0;
	x->in_order = n ? mem_zalloc(n * sizeof(*x->in_order), NULL) : NULL;
	if (!x->in_order)
		return;
	for (le = list_head(&x->entries); le; le = le->next) {
		struct entry *e = le->data;

		if (e->want)
			x->in_order[i++] = e;
	}
	x->count = i < POI_TARGETS_MAX ? i : POI_TARGETS_MAX;
}


bool li_index_build(struct li_index *x, const struct list *tasks,
		    int64_t now_us)
{
	struct le *le;

	for (le = list_head(&x->entries); le; le = le->next) {
		struct entry *e = le->data;

		e->want_before = e->want;
		e->want = 0;
	}
	for (le = list_head(tasks); le; le = le->next) {
		if (li_task_is_in_force(le->data, now_us))
			task_add(x, le->data);
	}
	if (!settle(x, now_us))
		return false;

	order(x);
	x->generation++;

	return true;
}


uint32_t li_index_generation(const struct li_index *x)
{
	return x->generation;
}


size_t li_index_count(const struct li_index *x)
{
	return x->count;
}


struct li_sought li_index_get(const struct li_index *x, size_t i)
{
	const struct entry *e = x->in_order[i];

	return (struct li_sought){.identity = e->identity, .id = e->id,
				  .want = e->want};
}


const char *li_index_identity(const struct li_index *x, uint32_t id)
{
	const struct entry *e = entry_find(x, id);

	return e ? e->identity : NULL;
}
