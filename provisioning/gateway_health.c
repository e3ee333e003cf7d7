/**
 * @file gateway_health.c  /v1/carrier-gateways/{id}/health: what the switch
 * knows of a gateway, asked over its control socket.
 */
#include <string.h>
#include "resource.h"
#include "switch_ask.h"

/** How the switch's names become ours. */
static const struct {
	const char *ours, *theirs;
} names[] = {
	{"state", "state"},	  {"reason", "reason"},
	{"since", "since"},	  {"rtt_us", "rtt_us"},
	{"failures", "failures"}, {"is_probed", "probed"},
};


static const json_t *gateway_find(const json_t *status, const char *id)
{
	const json_t *list = json_object_get(status, "gateways");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *g = json_array_get(list, i);
		const char *its = json_string_value(
			json_object_get(g, "gateway"));

		if (its && !strcmp(its, id))
			return g;
	}

	return NULL;
}


operation_h gateway_health;


void gateway_health(struct request *req)
{
	const char *id = req->path_params[0];
	json_t *row = resource_need(req, &resource_gateway, id, false, NULL);
	json_t *status = row ? switch_ask(req, json_pack("{s:s}", "op",
							 "status"))
			     : NULL;
	json_t *health;

	if (!status)
		goto out;

	health = json_pack("{s:s, s:O?}", "gateway_id", id, "node",
			   json_object_get(status, "node"));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		json_t *value = json_object_get(gateway_find(status, id),
						names[i].theirs);

		(void)json_object_set_new(health, names[i].ours,
					  value ? json_incref(value)
						: json_null());
	}
	request_answer(req, 200, health);

 out:
	json_decref(status);
	json_decref(row);
}
