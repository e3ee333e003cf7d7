/**
 * @file li_rest.h  Warrants and destinations for providers without an ADMF:
 * JSON, for intercept officers only. A warrant becomes a task of X1's kind;
 * those of an ADMF and those of officers do not see each other.
 *
 *     GET POST           /v1/warrants
 *     GET PUT DELETE     /v1/warrants/ID
 *     POST               /v1/warrants/ID/approve    where two are wanted
 *     GET POST           /v1/destinations
 *     GET DELETE         /v1/destinations/ID
 */
#ifndef LI_REST_H
#define LI_REST_H
#include "li_registry.h"
#include <stdint.h>
#include "li_listener.h"
#include "li_settings.h"

#define LI_REST_BODY_MAX 65536

struct li_rest {
	const struct li_settings *settings;
	struct li_registry *registry;
};

/** Does this path belong here? */
bool li_rest_has(const char *path);

void li_rest_answer(struct li_rest *rest, const struct li_request *req,
		    struct li_reply *reply, int64_t now_us);

#endif
