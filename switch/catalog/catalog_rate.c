/** @file catalog_rate.c  See catalog_rate.h. */
#include <stdlib.h>
#include <string.h>
#include "catalog_data.h"
#include "catalog_rate.h"


static int deck_id_compare(const void *key, const void *entry)
{
	const struct deck *const *deck = entry;

	return strcmp(key, deck_id(*deck));
}


static const struct deck_use *use_of(const struct catalog *c,
				     const struct deck *deck)
{
	struct deck *const *hit = c->deck_n
		? bsearch(deck_id(deck), c->decks, c->deck_n, sizeof(void *),
			  deck_id_compare)
		: NULL;

	return hit ? &c->deck_uses[hit - c->decks] : NULL;
}


static int id_compare(const void *key, const void *entry)
{
	return strcmp(key, entry); /* every id is the first member */
}


static const struct rate_terms *find_terms(const struct catalog *c,
					   const char *id)
{
	return c->rate_terms_n ? bsearch(id, c->rate_terms, c->rate_terms_n,
					 sizeof(*c->rate_terms), id_compare)
			       : NULL;
}


const struct rate_terms *catalog_terms(const struct catalog *c,
				       const struct deck *deck, const char *id)
{
	const struct deck_use *use;

	if (!c->rate_terms_n)
		return NULL;
	if (id[0])
		return find_terms(c, id);

	use = use_of(c, deck);
	return use ? use->terms : NULL;
}


const struct deck *catalog_origin_deck(const struct catalog *c,
				       const struct deck *deck,
				       const char *calling)
{
	const struct deck_use *use = deck && calling[0] && c->origin_set_n
					     ? use_of(c, deck) : NULL;

	if (!use)
		return NULL;

	for (unsigned i = 0; i < use->origin_n; i++) {
		if (origin_set_has(use->origins[i].set, calling))
			return use->origins[i].deck;
	}

	return NULL;
}


static bool hit_in(const struct catalog *c, const struct deck *deck,
		   const struct rate_query *q, struct rate_hit *ret)
{
	if (!deck || !deck_find(deck, q->called, q->wall_ms, &ret->rate))
		return false;

	ret->deck = deck;
	ret->terms = catalog_terms(c, deck, ret->rate.terms);

	return true;
}


bool catalog_rate(const struct catalog *c, const struct deck *deck,
		  const struct rate_query *q, struct rate_hit *ret)
{
	return hit_in(c, catalog_origin_deck(c, deck, q->calling), q, ret) ||
	       hit_in(c, deck, q, ret);
}


int64_t catalog_exchange(const struct catalog *c, const char *base,
			 const char *quote, int64_t wall_ms)
{
	int64_t nano = 0, from_ms = INT64_MIN;

	if (!strcmp(base, quote))
		return EXCHANGE_SAME;

	for (uint32_t i = 0; i < c->exchange_n; i++) {
		const struct exchange_rate *x = &c->exchanges[i];

		if (strcmp(x->base, base) || strcmp(x->quote, quote) ||
		    x->from_ms > wall_ms || x->from_ms < from_ms)
			continue;
		nano = x->rate_nano;
		from_ms = x->from_ms;
	}

	return nano;
}


bool catalog_price(const struct catalog *c, const struct rate_hit *hit,
		   const char *currency, int64_t answered_wall_ms,
		   uint64_t max_ms, struct price *ret)
{
	rate_terms_price(ret, &hit->rate.tariff, deck_rounding(hit->deck),
			 hit->terms, answered_wall_ms, max_ms);
	ret->exchange_nano = catalog_exchange(c, deck_currency(hit->deck),
					      currency, answered_wall_ms);

	return ret->exchange_nano > 0;
}
