/** @file catalog_forward.h  Rows of endpoints, forwards, decision URLs. */
#ifndef CATALOG_FORWARD_H
#define CATALOG_FORWARD_H
#include "catalog_row.h"

/* @return 0 or EINVAL */
int disconnect_decode(struct row_body *body, const struct json_t *json);
int endpoint_decode(struct row_body *body, const struct json_t *json);
int forward_decode(struct row_body *body, const struct json_t *json);
int decision_url_decode(struct row_body *body, const struct json_t *json);

/** Each owner's stand together, by priority. */
void build_forward_order(struct catalog *c);

#endif
