/**
 * @file rate_limit.c  Token buckets by key, in sets of a few: a new key takes
 * the place of the one of its set that was used longest ago, so that memory is
 * bounded whatever keys there are.
 */
#include <errno.h>
#include <pthread.h>
#include <re.h>
#include <string.h>
#include "rate_limit.h"
#include "text.h"

#define SETS 512
#define WAYS 8
#define TOKEN 1000 /* thousandths of a token, so that a ms counts */

struct bucket {
	char key[36];
	uint64_t tokens, used_ms;
};

struct rate_limit {
	pthread_mutex_t lock;
	uint32_t per_s, burst;
	struct bucket buckets[SETS][WAYS];
};


static void destructor(void *data)
{
	struct rate_limit *r = data;

	pthread_mutex_destroy(&r->lock);
}


int rate_limit_alloc(struct rate_limit **rp, uint32_t per_s, uint32_t burst)
{
	struct rate_limit *r;

	if (!rp || (per_s && !burst))
		return EINVAL;

	r = mem_zalloc(sizeof(*r), destructor);
	if (!r)
		return ENOMEM;

	pthread_mutex_init(&r->lock, NULL);
	r->per_s = per_s;
	r->burst = burst;
	*rp = r;
	return 0;
}


/* FNV-1a */
static uint32_t hash(const char *key)
{
	uint32_t h = 2166136261u;

	for (; *key; key++)
		h = (h ^ (unsigned char)*key) * 16777619u;
	return h;
}


static struct bucket *bucket_find(struct rate_limit *r, const char *key,
				  uint64_t now_ms)
{
	struct bucket *set = r->buckets[hash(key) % SETS], *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (!strcmp(set[i].key, key))
			return &set[i];
		if (set[i].used_ms < oldest->used_ms)
			oldest = &set[i];
	}
	(void)text_copy(oldest->key, sizeof(oldest->key), key);
	oldest->tokens = (uint64_t)r->burst * TOKEN;
	oldest->used_ms = now_ms;
	return oldest;
}


static bool take(struct rate_limit *r, struct bucket *b, uint64_t now_ms,
		 struct rate_state *state)
{
	const uint64_t full = (uint64_t)r->burst * TOKEN;
	bool taken = false;

	/* one thousandth of per_s a ms is per_s a second */
	b->tokens += (now_ms - b->used_ms) * r->per_s;
	if (b->tokens > full)
		b->tokens = full;
	b->used_ms = now_ms;
	if (b->tokens >= TOKEN) {
		b->tokens -= TOKEN;
		taken = true;
	}

	state->left = (uint32_t)(b->tokens / TOKEN);
	state->wait_s = taken ? 0
			      : (uint32_t)((TOKEN - b->tokens + r->per_s *
					    1000ull - 1) /
					   (r->per_s * 1000ull));
	return taken;
}


bool rate_limit_take(struct rate_limit *r, const char *key, uint64_t now_ms,
		     struct rate_state *state)
{
	struct bucket *b;
	bool taken;

	*state = (struct rate_state){.burst = r->burst};
	if (!r->per_s)
		return true;

	state->window_s = (r->burst + r->per_s - 1) / r->per_s;
	pthread_mutex_lock(&r->lock);
	b = bucket_find(r, key, now_ms);
	if (now_ms < b->used_ms)
		now_ms = b->used_ms; /* read before another thread's */
	taken = take(r, b, now_ms, state);
	pthread_mutex_unlock(&r->lock);
	return taken;
}
