/**
 * @file registration.c  /v1/registrations: where customers' PBXs are now,
 * asked of the switch; taking one binding away.
 */
#include "json.h"
#include <openssl/evp.h>
#include <string.h>
#include "change.h"
#include "live_call.h"
#include "resource.h"
#include "text.h"

#define ID_BYTES 16

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


static json_t *encode(const json_t *theirs)
{
	json_t *row = json_object();
	char id[2 * ID_BYTES + 1], q[8];

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


/* Those of the answer that this caller may see, and wants */
static json_t *rows_pick(const struct request *req, const json_t *answer,
			 const json_t *tenants)
{
	const char *tenant = request_query(req, "tenant_id");
	const json_t *all = json_object_get(answer, "registrations");
	json_t *rows = json_array();

	for (size_t i = 0; i < json_array_size(all); i++) {
		const json_t *theirs = json_array_get(all, i);
		const char *owner = text_of(theirs, "tenant");

		if ((!tenants || json_object_get(tenants, owner)) &&
		    (!tenant || !strcmp(tenant, owner)))
			json_array_append_new(rows, encode(theirs));
	}
	return rows;
}


/* New reference to an array, NULL: problem is set */
static json_t *rows_read(struct request *req)
{
	json_t *question = json_pack("{s:s}", "op", "registrations");
	const char *trunk = request_query(req, "trunk_id");
	const char *tenant = request_query(req, "tenant_id");
	json_t *tenants = NULL, *answer, *rows = NULL;

	if (request_tenant(req)) {
		tenants = switch_tenants(req, question);
		if (!tenants) {
			json_decref(question);
			return NULL;
		}
	}
	if (trunk)
		json_object_set_new(question, "trunk", json_string(trunk));
	if (tenant)
		json_object_set_new(question, "tenant", json_string(tenant));

	answer = switch_ask(req, question);
	if (answer)
		rows = rows_pick(req, answer, tenants);
	json_decref(answer);
	json_decref(tenants);
	return rows;
}


operation_h registration_list, registration_delete;


void registration_list(struct request *req)
{
	json_t *rows = rows_read(req);

	if (rows)
		request_answer(req, 200,
			       json_pack("{s:o, s:b, s:n}", "data", rows,
					 "has_more", 0, "next_cursor"));
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
	json_t *rows = rows_read(req), *found = NULL;

	for (size_t i = 0; i < json_array_size(rows) && !found; i++) {
		json_t *row = json_array_get(rows, i);

		if (!strcmp(text_of(row, "id"), req->path_params[0]))
			found = json_incref(row);
	}
	json_decref(rows);

	if (found && req->is_dry)
		request_answer(req, 204, NULL);
	else if (found)
		drop(req, found);
	else
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "there is no such registration");
	json_decref(found);
}
