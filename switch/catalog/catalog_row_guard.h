/**
 * @file catalog_row_guard.h  Rows that bound what calls a trunk may make: what
 * their members cannot say in a table, whom they are for.
 */
#ifndef CATALOG_ROW_GUARD_H
#define CATALOG_ROW_GUARD_H
#include "catalog_row.h"

/* @return 0 or EINVAL */
int fraud_rule_decode(struct row_body *body, const struct json_t *json);
int calling_window_decode(struct row_body *body, const struct json_t *json);

#endif
