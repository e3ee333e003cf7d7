/**
 * @file registration.c  /v1/registrations: where customers' PBXs are now,
 * asked of the switch; taking one binding away.
 */
#include "json.h"
#include <openssl/evp.h>
#include <string.h>
#include "change.h"
#include "live_list.h"
#include "resource.h"
#include "switch_ask.h"
#include "text.h"

#define ID_BYTES 16

static const struct field fields[] = {
	{.name = "id", .type = FIELD_TEXT},
	{.name = "node", .type = FIELD_TEXT, .flags = F_FILTER},
	FIELD_REFERENCE("tenant_id", "ten_", 0),
	FIELD_REFERENCE("trunk_id", "trk_", 0),
	{.name = "username", .type = FIELD_TEXT, .flags = F_FILTER},
	{.name = "realm", .type = FIELD_TEXT, .flags = F_FILTER},
	{.name = "contact", .type = FIELD_TEXT},
	{.name = "received", .type = FIELD_TEXT},
	{.name = "user_agent", .type = FIELD_TEXT},
	{.name = "q", .type = FIELD_TEXT},
	{.name = "expires_at", .type = FIELD_TIME},
};
static const struct field_set set = FIELD_SET(fields);

const struct resource resource_registration = {
	.kind = "registration", .path = "/v1/registrations",
	.owner = "t.tenant_id", .set = &set,
};

/** How the switch's names become ours. */
static const struct {
	const char *ours, *theirs;
} names[] = {
	{"node", "node"},         {"tenant_id", "tenant"},
	{"trunk_id", "trunk"},    {"username", "username"},
	{"realm", "realm"},       {"contact", "contact"},
	{"received", "received"}, {"user_agent", "user_agent"},
	{"expires_at", "expires_at"},
};


static const char *text_of(const json_t *doc, const char *name)
{
	const char *text = json_string_value(json_object_get(doc, name));

	return text ? text : "";
}


/* A binding has no row: its id is made of what names it */
static void id_of(const json_t *row, char id[2 * ID_BYTES + 1])
{
	static const char *const parts[] = {"node", "trunk", "username",
					    "contact"};
	uint8_t md[EVP_MAX_MD_SIZE] = {0};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; ok && i < sizeof(parts) / sizeof(parts[0]); i++) {
		const char *text = text_of(row, parts[i]);

		ok = EVP_DigestUpdate(ctx, text, strlen(text) + 1) == 1;
	}
	if (ok)
		(void)EVP_DigestFinal_ex(ctx, md, NULL);
	EVP_MD_CTX_free(ctx);
	text_hex(id, md, ID_BYTES);
}


static json_t *encode(const struct request *req, const json_t *theirs)
{
	json_t *row = json_object();
	char id[2 * ID_BYTES + 1], q[8];

	(void)req;
	id_of(theirs, id);
	json_object_set_new(row, "id", json_string(id));
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *text = text_of(theirs, names[i].theirs);

		json_object_set_new(row, names[i].ours,
				    *text ? json_string(text) : json_null());
	}
	json_object_set_new(row, "q", json_string(text_decimal_format(
		q, sizeof(q),
		json_integer_value(json_object_get(theirs, "q")), 3)));
	return row;
}


static const struct live_list registrations = {
	.res = &resource_registration, .op = "registrations", .key = "serial",
	.encode = encode,
};

operation_h registration_list, registration_delete;


void registration_list(struct request *req)
{
	live_list_answer(req, &registrations);
}


static void drop(struct request *req, const json_t *row)
{
	const char *id = req->path_params[0];
	json_t *answer = switch_ask(
		req, json_pack("{s:s, s:s, s:s, s:s}", "op", "unregister",
			       "trunk", text_of(row, "trunk_id"), "username",
			       text_of(row, "username"), "contact",
			       text_of(row, "contact")));

	if (answer && change_begin(req) &&
	    change_audit(req, "registration", id, row, NULL) &&
	    change_commit(req))
		request_answer(req, 204, NULL);

	req->answer.version = 0; /* nothing provisioned has changed */
	json_decref(answer);
}


void registration_delete(struct request *req)
{
	json_t *row = live_list_need(req, &registrations, "id",
				     req->path_params[0], NULL);

	if (row && req->is_dry)
		request_answer(req, 204, NULL);
	else if (row)
		drop(req, row);
	json_decref(row);
}
