/*
 * A body for any resource: read, decoded, validated, applied as a merge
 * patch, refused as a problem document. The first byte chooses the resource.
 * Whatever comes, the answer has to be JSON, and a body that was accepted has
 * to be accepted again as what it was understood to be.
 */
#include "json.h"
#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include "resource.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct resource *const kinds[] = {
	&resource_tenant,  &resource_account,    &resource_realm,
	&resource_trunk,   &resource_credential, &resource_address,
	&resource_did,     &resource_carrier,    &resource_gateway,
	&resource_route,   &resource_rate_deck,  &resource_rate,
	&resource_site,    &resource_forward,    &resource_schedule,
	&resource_routing_plan, &resource_fraud_rule, &resource_api_key,
	&resource_calling_window,
};

static const struct operation op = {.method = "POST", .path = "/", .id = "x"};


static void encode(struct request *req)
{
	json_t *doc;
	char *text;

	if (!problem_is_set(&req->problem))
		return;

	doc = problem_encode(&req->problem, "/", "req_1");
	text = json_dumps(doc, 0);
	assert(text);
	free(text);
	json_decref(doc);
}


static bool is_accepted(const struct field_set *set, const json_t *body)
{
	struct problem problem = {0};
	struct record *rec = NULL;
	bool accepted;

	if (record_decode(&rec, set, body, "", &problem))
		abort();
	accepted = !problem_is_set(&problem);
	problem_clear(&problem);
	mem_deref(rec);
	return accepted;
}


static void patch(const struct field_set *set, const json_t *body)
{
	json_t *writable = field_writable(set, body);
	json_t *merged = merge_patch(writable, body);
	json_t *empty = json_object();
	json_t *same = merge_patch(body, empty);

	(void)is_accepted(set, merged);
	assert(!is_accepted(set, body) || is_accepted(set, same));
	json_decref(same);
	json_decref(empty);
	json_decref(merged);
	json_decref(writable);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const size_t n = sizeof(kinds) / sizeof(kinds[0]);
	struct request req = {.op = &op};
	const struct field_set *set;
	struct record *rec = NULL;
	json_t *body;

	if (size < 1)
		return 0;

	set = kinds[data[0] % n]->set;
	req.body_len = size - 1;
	req.body = malloc(size);
	memcpy(req.body, data + 1, size - 1);
	req.body[size - 1] = '\0';

	body = request_json(&req);
	if (body && !record_decode(&rec, set, body, "", &req.problem) &&
	    json_is_object(body))
		patch(set, body);
	encode(&req);

	mem_deref(rec);
	json_decref(body);
	free(req.body);
	request_reset(&req);
	return 0;
}
