/** @file catalog_row_rate.c  A deck's rates as rows of the change feed. */
#include <errno.h>
#include "json.h"
#include "catalog_row.h"
#include "catalog_row_rate.h"
#include "text.h"


int row_rate_decode(struct rate *ret, const struct json_t *array)
{
	struct rate rate = {.to_ms = INT64_MAX};
	const char *prefix, *destination, *terms;
	json_int_t per_min, fee, first, next, from;
	json_t *to;
	int is_blocked;

	/* unpacking only reads; jansson takes no const */
	if (json_unpack((json_t *)(uintptr_t)array, "[ssIIIIIob*]", &prefix,
			&destination, &per_min, &fee, &first, &next, &from,
			&to, &is_blocked))
		return EINVAL;

	if (text_copy(rate.prefix, sizeof(rate.prefix), prefix) ||
	    text_copy(rate.destination, sizeof(rate.destination),
		      destination) ||
	    first < 0 || first > UINT32_MAX || next < 0 || next > UINT32_MAX)
		return EINVAL;

	rate.tariff.rate_per_min_nano = per_min;
	rate.tariff.connect_fee_micro = fee;
	rate.tariff.first_ms = (uint32_t)first;
	rate.tariff.next_ms = (uint32_t)next;
	rate.from_ms = from;
	if (json_is_integer(to))
		rate.to_ms = json_integer_value(to);
	rate.is_blocked = is_blocked;
	terms = json_string_value(json_array_get(array, 9));
	if (terms && text_copy(rate.terms, sizeof(rate.terms), terms))
		return EINVAL;
	*ret = rate;

	return 0;
}


struct json_t *row_rate_encode(const struct rate *r)
{
	return json_pack("[ssIIIIIobs]", r->prefix, r->destination,
			 (json_int_t)r->tariff.rate_per_min_nano,
			 (json_int_t)r->tariff.connect_fee_micro,
			 (json_int_t)r->tariff.first_ms,
			 (json_int_t)r->tariff.next_ms,
			 (json_int_t)r->from_ms,
			 r->to_ms == INT64_MAX ? json_null()
					       : json_integer(r->to_ms),
			 (int)r->is_blocked, r->terms);
}


int deck_decode(struct row_body *body, const json_t *json)
{
	const json_t *list = json_object_get(json, "origins");
	struct deck_row *d = &body->deck;

	if (json_array_size(list) > DECK_ORIGINS_MAX)
		return EINVAL;

	for (; d->origin_n < json_array_size(list); d->origin_n++) {
		const json_t *o = json_array_get(list, d->origin_n);
		const char *set = json_string_value(
			json_object_get(o, "origin_set_id"));
		const char *deck = json_string_value(
			json_object_get(o, "rate_deck_id"));

		if (!set || !deck ||
		    text_copy(d->origins[d->origin_n].set, ID_SIZE, set) ||
		    text_copy(d->origins[d->origin_n].deck, ID_SIZE, deck))
			return EINVAL;
	}

	return 0;
}


int terms_row_decode(struct row_body *body, const json_t *json)
{
	return rate_terms_decode(&body->rate_terms, json);
}


int origin_row_decode(struct row_body *body, const json_t *json)
{
	return origin_set_decode(&body->origin_set, json);
}


int tax_row_decode(struct row_body *body, const json_t *json)
{
	return tax_profile_decode(&body->tax, json);
}


int subscription_row_decode(struct row_body *body, const json_t *json)
{
	return subscription_decode(&body->subscription.is,
				   &body->subscription.zones,
				   &body->subscription.excluded, json);
}
