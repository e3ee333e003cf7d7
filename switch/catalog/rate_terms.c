/** @file rate_terms.c  See rate_terms.h. */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "rate_terms.h"
#include "text.h"

#define MINUTE_MS 60000
#define MILLION 1000000


/* --- rows */

static int number(const json_t *json, const char *name, int64_t max,
		  int64_t fallback, int64_t *ret)
{
	const json_t *value = json_object_get(json, name);

	*ret = fallback;
	if (!value || json_is_null(value))
		return 0;

	*ret = json_integer_value(value);
	return json_is_integer(value) && *ret >= 0 && *ret <= max ? 0
								  : EINVAL;
}


static int value_decode(struct rate_value *ret, const json_t *json)
{
	int64_t ppm, increment;

	if (number(json, "rate_per_min_nano", INT64_MAX, -1,
		   &ret->per_min_nano) ||
	    number(json, "percent_ppm", UINT32_MAX, MILLION, &ppm) ||
	    number(json, "increment_ms", 86400000, 0, &increment))
		return EINVAL;

	ret->percent_ppm = (uint32_t)ppm;
	ret->increment_ms = (uint32_t)increment;
	return 0;
}


static int tiers_decode(struct rate_terms *t, const json_t *list)
{
	if (json_array_size(list) > RATE_TIERS_MAX)
		return EINVAL;

	for (; t->tier_n < json_array_size(list); t->tier_n++) {
		const json_t *json = json_array_get(list, t->tier_n);
		int64_t from_s;

		if (number(json, "from_s", 86400, 0, &from_s) || !from_s ||
		    value_decode(&t->tiers[t->tier_n].value, json))
			return EINVAL;
		t->tiers[t->tier_n].from_ms = (uint32_t)from_s * 1000;
		if (t->tier_n && t->tiers[t->tier_n].from_ms <=
					 t->tiers[t->tier_n - 1].from_ms)
			return EINVAL;
	}

	return 0;
}


static int windows_decode(struct rate_terms *t, const json_t *list)
{
	if (json_array_size(list) > RATE_WINDOWS_MAX)
		return EINVAL;

	for (; t->window_n < json_array_size(list); t->window_n++) {
		const json_t *json = json_array_get(list, t->window_n);
		const char *id = json_string_value(
			json_object_get(json, "schedule_id"));

		if (!id || text_copy(t->windows[t->window_n].schedule_id,
				     SCHEDULE_ID_SIZE, id) ||
		    value_decode(&t->windows[t->window_n].value, json))
			return EINVAL;
	}

	return 0;
}


int rate_terms_decode(struct rate_terms *ret, const struct json_t *json)
{
	const char *action = json_string_value(
		json_object_get(json, "cap_action"));
	int64_t free_ms;

	if (number(json, "attempt_fee_micro", INT64_MAX, 0,
		   &ret->attempt_micro) ||
	    number(json, "minimum_micro", INT64_MAX, 0,
		   &ret->minimum_micro) ||
	    number(json, "cap_micro", INT64_MAX, PRICE_NO_CAP,
		   &ret->cap_micro) ||
	    number(json, "free_ms", 86400000, 0, &free_ms))
		return EINVAL;

	ret->free_ms = (uint32_t)free_ms;
	ret->is_cap_cut = action && !strcmp(action, "cut");
	ret->is_reverse = json_is_true(json_object_get(json, "is_reverse"));
	if (tiers_decode(ret, json_object_get(json, "tiers")))
		return EINVAL;

	return windows_decode(ret, json_object_get(json, "windows"));
}


int origin_set_decode(struct origin_set *ret, const struct json_t *json)
{
	const json_t *list = json_object_get(json, "prefixes");

	if (json_array_size(list) > ORIGIN_PREFIXES_MAX)
		return EINVAL;

	for (; ret->n < json_array_size(list); ret->n++) {
		const char *text = json_string_value(
			json_array_get(list, ret->n));

		if (!text || !text_is_digits(text) ||
		    text_copy(ret->prefixes[ret->n],
			      sizeof(ret->prefixes[0]), text))
			return EINVAL;
	}

	return 0;
}


int tax_profile_decode(struct tax_profile *ret, const struct json_t *json)
{
	const json_t *lines = json_object_get(json, "lines");

	if (json_array_size(lines) > PRICE_TAXES_MAX)
		return EINVAL;

	ret->is_included = json_is_true(json_object_get(json, "is_included"));
	for (; ret->n < json_array_size(lines); ret->n++) {
		const json_t *line = json_array_get(lines, ret->n);
		const json_t *list = json_object_get(line, "countries");
		const char *name = json_string_value(
			json_object_get(line, "name"));
		int64_t ppm;

		if (!name || text_copy(ret->lines[ret->n].tax.name,
				       TAX_NAME_SIZE, name) ||
		    number(line, "percent_ppm", TAX_PPM_MAX, 0, &ppm) ||
		    json_array_size(list) > TAX_COUNTRIES_MAX)
			return EINVAL;

		ret->lines[ret->n].tax.ppm = (uint32_t)ppm;
		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *country = json_string_value(
				json_array_get(list, i));

			if (!country ||
			    text_copy(ret->lines[ret->n].countries[i], 3,
				      country))
				return EINVAL;
			++ret->lines[ret->n].country_n;
		}
	}

	return 0;
}


/* --- the price of a call */

/** What is in force at a moment of the rated time, of two kinds. */
struct clockwork {
	const struct tariff *tariff;
	const struct rate_terms *terms;
	int64_t start_wall_ms; /* of the rated time */
};


static int64_t value_of(const struct rate_value *v, int64_t base_nano)
{
	if (v->per_min_nano >= 0)
		return v->per_min_nano;

	return round_div((__int128)base_nano * v->percent_ppm, MILLION,
			 ROUND_HALF_EVEN);
}


/* The tier at a moment, as a step without windows. */
static void tier_at(const struct clockwork *c, uint64_t at_ms,
		    struct price_step *ret)
{
	const struct tariff *t = c->tariff;
	unsigned n = c->terms ? c->terms->tier_n : 0;

	ret->rate_per_min_nano = t->rate_per_min_nano;
	ret->increment_ms = at_ms < t->first_ms ? t->first_ms : t->next_ms;
	while (n && c->terms->tiers[n - 1].from_ms > at_ms)
		--n;
	if (!n)
		return;

	ret->rate_per_min_nano = value_of(&c->terms->tiers[n - 1].value,
					  t->rate_per_min_nano);
	ret->increment_ms = c->terms->tiers[n - 1].value.increment_ms
		? c->terms->tiers[n - 1].value.increment_ms : t->next_ms;
}


/* Where the next tier begins; UINT64_MAX: none. */
static uint64_t tier_next(const struct clockwork *c, uint64_t at_ms)
{
	const unsigned n = c->terms ? c->terms->tier_n : 0;

	/* the first interval is over, unless a tier has begun before */
	if (at_ms < c->tariff->first_ms &&
	    c->tariff->first_ms != c->tariff->next_ms &&
	    (!n || c->terms->tiers[0].from_ms > c->tariff->first_ms))
		return c->tariff->first_ms;

	for (unsigned i = 0; i < n; i++) {
		if (c->terms->tiers[i].from_ms > at_ms)
			return c->terms->tiers[i].from_ms;
	}

	return UINT64_MAX;
}


/* The window that is open at a moment; -1: none. */
static int window_at(const struct clockwork *c, uint64_t at_ms)
{
	for (unsigned i = 0; c->terms && i < c->terms->window_n; i++) {
		const struct schedule *s = c->terms->windows[i].schedule;

		if (s && schedule_is_open(s, c->start_wall_ms +
						     (int64_t)at_ms))
			return (int)i;
	}

	return -1;
}


/* Where another window is open than at at_ms: windows open and close at whole
   minutes, and so do clocks change. */
static uint64_t window_next(const struct clockwork *c, uint64_t at_ms,
			    uint64_t end_ms)
{
	const int now = window_at(c, at_ms);
	const int64_t wall_ms = c->start_wall_ms + (int64_t)at_ms;
	uint64_t next = at_ms + MINUTE_MS -
			(uint64_t)((wall_ms % MINUTE_MS + MINUTE_MS) %
				   MINUTE_MS);

	if (!c->terms || !c->terms->window_n)
		return UINT64_MAX;

	for (; next < end_ms; next += MINUTE_MS) {
		if (window_at(c, next) != now)
			return next;
	}

	return UINT64_MAX;
}


static void step_at(const struct clockwork *c, uint64_t at_ms,
		    struct price_step *ret)
{
	const int w = window_at(c, at_ms);
	const struct rate_value *v;

	tier_at(c, at_ms, ret);
	ret->from_ms = (uint32_t)at_ms;
	if (w < 0)
		return;

	v = &c->terms->windows[w].value;
	ret->rate_per_min_nano = value_of(v, ret->rate_per_min_nano);
	if (v->increment_ms)
		ret->increment_ms = v->increment_ms;
}


static void steps_fill(struct price *p, const struct clockwork *c,
		       uint64_t end_ms)
{
	uint64_t tier, window;

	p->step_n = 1;
	step_at(c, 0, &p->steps[0]);
	tier = tier_next(c, 0);
	window = window_next(c, 0, end_ms);

	while (p->step_n < PRICE_STEPS_MAX &&
	       (tier != UINT64_MAX || window != UINT64_MAX)) {
		const uint64_t at_ms = tier < window ? tier : window;
		struct price_step *s = &p->steps[p->step_n++];

		step_at(c, at_ms, s);
		s->is_window = at_ms == window;
		if (at_ms == tier)
			tier = tier_next(c, at_ms);
		if (at_ms == window)
			window = window_next(c, at_ms, end_ms);
	}
}


void rate_terms_price(struct price *ret, const struct tariff *t,
		      struct rounding r, const struct rate_terms *terms,
		      int64_t answered_wall_ms, uint64_t max_ms)
{
	struct clockwork c = {t, terms, answered_wall_ms};

	price_set(ret, t, r);
	if (!terms)
		return;

	ret->attempt_micro = terms->attempt_micro;
	ret->minimum_micro = terms->minimum_micro;
	ret->cap_micro = terms->cap_micro;
	ret->free_ms = terms->free_ms;
	ret->is_cap_cut = terms->is_cap_cut;
	ret->is_reverse = terms->is_reverse;
	c.start_wall_ms += terms->free_ms;
	memset(ret->steps, 0, sizeof(ret->steps));
	steps_fill(ret, &c, max_ms);
}


bool rate_terms_has_windows(const struct rate_terms *terms)
{
	return terms && terms->window_n;
}


bool origin_set_has(const struct origin_set *o, const char *digits)
{
	for (unsigned i = 0; i < o->n; i++) {
		if (!strncmp(o->prefixes[i], digits, strlen(o->prefixes[i])))
			return true;
	}

	return false;
}


static bool is_due(const struct tax_profile *t, unsigned line,
		   const char *country)
{
	for (unsigned i = 0; i < t->lines[line].country_n; i++) {
		if (!strcmp(t->lines[line].countries[i], country))
			return true;
	}

	return !t->lines[line].country_n;
}


void tax_profile_apply(const struct tax_profile *t, const char *country,
		       struct price *p)
{
	if (!t)
		return;

	p->is_tax_included = t->is_included;
	for (unsigned i = 0; i < t->n; i++) {
		if (is_due(t, i, country))
			p->taxes[p->tax_n++] = t->lines[i].tax;
	}
}
