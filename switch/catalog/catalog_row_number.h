/**
 * @file catalog_row_number.h  Rows about numbers: what their members cannot
 * say in a table.
 */
#ifndef CATALOG_ROW_NUMBER_H
#define CATALOG_ROW_NUMBER_H
#include "catalog_row.h"

/** What a tenant, trunk, gateway or plan names; behind its body. */
struct number_refs {
	char rules[RULE_DIRECTION_N][RULE_SUBJECT_N][ID_SIZE];
	char lists[NUMBER_LISTS_MAX][ID_SIZE];
	uint8_t list_n;
};

/** Bytes behind the body that the numbers of this row take. */
size_t row_numbers_size(enum row_kind kind, const struct json_t *json);

/** Those: struct number_refs, or number_n of struct numbering or list_entry,
 *  as the kind is. */
void *row_numbers(const struct row_body *body);

/* @return 0 or EINVAL */
int did_decode(struct row_body *body, const struct json_t *json);
int numbering_decode(struct row_body *body, const struct json_t *json);
int number_list_decode(struct row_body *body, const struct json_t *json);
/** The lists that a tenant or plan names; they go behind body. */
int number_lists_decode(struct row_body *body, const struct json_t *json);
int schedule_row_decode(struct row_body *body, const struct json_t *json);
int zone_row_decode(struct row_body *body, const struct json_t *json);
int trunk_decode(struct row_body *body, const struct json_t *json);
int grant_decode(struct row_body *body, const struct json_t *json);
int short_code_decode(struct row_body *body, const struct json_t *json);

/** What trunks and gateways have in common; the references go behind body. */
int policy_decode(struct number_policy *p, struct row_body *body,
		  const struct json_t *json);

#endif
