/** @file catalog_row_guard.c  See catalog_row_guard.h. */
#include <errno.h>
#include "catalog_row_guard.h"
#include "text.h"


int fraud_rule_decode(struct row_body *body, const struct json_t *json)
{
	struct fraud_rule *r = &body->fraud_rule;

	(void)json;
	TEXT_FILL(r->scope, body->refs.trunk[0] ? body->refs.trunk
						: body->refs.tenant);

	return r->window_s ? 0 : EINVAL;
}


int calling_window_decode(struct row_body *body, const struct json_t *json)
{
	const struct row_refs *refs = &body->refs;

	(void)json;
	TEXT_FILL(body->calling_window.scope, refs->trunk[0]  ? refs->trunk
					      : refs->plan[0] ? refs->plan
							      : refs->tenant);

	return 0;
}
