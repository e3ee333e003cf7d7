/**
 * @file catalog_row_peer.h  Rows about peers: what their members cannot say
 * in a table.
 */
#ifndef CATALOG_ROW_PEER_H
#define CATALOG_ROW_PEER_H
#include "catalog_row.h"

/* @return 0 or EINVAL */
int tenant_decode(struct row_body *body, const struct json_t *json);
int realm_decode(struct row_body *body, const struct json_t *json);
int address_decode(struct row_body *body, const struct json_t *json);
int gateway_decode(struct row_body *body, const struct json_t *json);

#endif
