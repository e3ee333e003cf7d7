/**
 * @file catalog_row_rate.h  What members alone do not say of a row of decks,
 * terms, origins,
 * packages and taxes. @return 0 or EINVAL
 */
#ifndef CATALOG_ROW_RATE_H
#define CATALOG_ROW_RATE_H
#include "catalog_row.h"

int deck_decode(struct row_body *body, const struct json_t *json);
int terms_row_decode(struct row_body *body, const struct json_t *json);
int origin_row_decode(struct row_body *body, const struct json_t *json);
int subscription_row_decode(struct row_body *body, const struct json_t *json);
int tax_row_decode(struct row_body *body, const struct json_t *json);

#endif
