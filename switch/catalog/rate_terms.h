/**
 * @file rate_terms.h  What a rate may have beside its price per minute, and
 * how it becomes the price of one call: tiers, windows of the week, fees, free
 * seconds, a cap; taxes. Pure.
 */
#ifndef RATE_TERMS_H
#define RATE_TERMS_H
#include "price.h"
#include "schedule.h"

#define RATE_TIERS_MAX 8
#define RATE_WINDOWS_MAX 4
#define ORIGIN_PREFIXES_MAX 64
#define TAX_COUNTRIES_MAX 50

struct json_t;

/** An amount, or a part of the rate's. */
struct rate_value {
	int64_t per_min_nano;   /**< -1: by percent_ppm                    */
	uint32_t percent_ppm;
	uint32_t increment_ms;  /**< 0: the rate's own                     */
};

struct rate_terms {
	char id[SCHEDULE_ID_SIZE];
	int64_t attempt_micro, minimum_micro;
	int64_t cap_micro;      /**< PRICE_NO_CAP                          */
	uint32_t free_ms;
	bool is_cap_cut, is_reverse;
	uint8_t tier_n, window_n;
	struct {
		uint32_t from_ms;
		struct rate_value value;
	} tiers[RATE_TIERS_MAX];        /**< ascending                     */
	struct {
		char schedule_id[SCHEDULE_ID_SIZE];
		const struct schedule *schedule; /**< of the catalog       */
		struct rate_value value;
	} windows[RATE_WINDOWS_MAX];    /**< the first open one counts     */
};

/** Numbers that call, told apart by a price list. */
struct origin_set {
	char id[SCHEDULE_ID_SIZE];
	uint8_t n;
	char prefixes[ORIGIN_PREFIXES_MAX][16];
};

struct tax_profile {
	char id[SCHEDULE_ID_SIZE];
	bool is_included;
	uint8_t n;
	struct {
		struct price_tax tax;
		uint8_t country_n;      /**< 0: calls to everywhere        */
		char countries[TAX_COUNTRIES_MAX][3];
	} lines[PRICE_TAXES_MAX];
};

/** @return 0 or EINVAL */
int rate_terms_decode(struct rate_terms *ret, const struct json_t *json);
int origin_set_decode(struct origin_set *ret, const struct json_t *json);
int tax_profile_decode(struct tax_profile *ret, const struct json_t *json);

/**
 * The price of a call that is answered at this moment. Windows change it at
 * their boundaries up to max_ms, or until it has PRICE_STEPS_MAX steps: the
 * last one goes on.
 * @param terms  NULL: the tariff alone
 */
void rate_terms_price(struct price *ret, const struct tariff *t,
		      struct rounding r, const struct rate_terms *terms,
		      int64_t answered_wall_ms, uint64_t max_ms);

bool rate_terms_has_windows(const struct rate_terms *terms);

/** Is this number (digits) one of them? */
bool origin_set_has(const struct origin_set *o, const char *digits);

/** Those lines that are due for a call to this country ("": not known). */
void tax_profile_apply(const struct tax_profile *t, const char *country,
		       struct price *p);

#endif
