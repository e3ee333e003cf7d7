/**
 * @file catalog_row_number.h  Rows about numbers: what their members cannot
 * say in a table.
 */
#ifndef CATALOG_ROW_NUMBER_H
#define CATALOG_ROW_NUMBER_H
#include "catalog_row.h"

/** Bytes behind the body that the numbers of this row take. */
size_t row_numbers_size(enum row_kind kind, const struct json_t *json);

/** Those numbers: number_n of struct numbering. */
void *row_numbers(const struct row_body *body);

/* @return 0 or EINVAL */
int did_decode(struct row_body *body, const struct json_t *json);
int numbering_decode(struct row_body *body, const struct json_t *json);

#endif
