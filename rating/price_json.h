/**
 * @file price_json.h  A price as JSON, as it stands in cdr.charge.price and as
 * rating.parts() in PostgreSQL reads it.
 */
#ifndef PRICE_JSON_H
#define PRICE_JSON_H
#include "price.h"

#define PRICE_JSON_SIZE 3072 /**< enough for every price, with the NUL */

/**
 * {"steps": [[from_ms, increment_ms, rate_per_min_nano, is_window], ...],
 *  "connect_micro", "attempt_micro", "minimum_micro", "cap_micro" (null:
 *  none), "is_cap_cut", "is_reverse", "free_ms", "exchange_nano", "taxes":
 *  [[name, ppm], ...], "is_tax_included", "mode", "decimals", "duration",
 *  "is_per_interval"}
 * @param p  has passed price_check()
 */
void price_json(char buf[PRICE_JSON_SIZE], const struct price *p);

#endif
