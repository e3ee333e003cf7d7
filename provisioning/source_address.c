/**
 * @file source_address.c  /v1/trunks/{id}/ip-acls: from which addresses a
 * trunk is known without a password, and by which marks when others call from
 * there too. No call may be claimed by two owners.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <string.h>
#include "form.h"
#include "resource.h"
#include "text.h"

#define TOKEN_MIN 16
#define TOKEN_MAX 128

static const struct field fields[] = {
	FIELD_ROW_ID("adr_"),
	{.name = "trunk_id", .type = FIELD_ID, .flags = F_READ_ONLY,
	 .column = "trunk_id",
	 .choices = (const char *const[]){"trk_", NULL}},
	{.name = "cidr", .type = FIELD_CIDR, .flags = F_REQUIRED,
	 .column = "cidr"},
	{.name = "port", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "port", .min = 1, .max = 65535},
	FIELD_REFERENCE("site_id", "sit_", F_NULLABLE),
	{.name = "tech_prefix", .type = FIELD_TEXT, .flags = F_NULLABLE,
	 .column = "tech_prefix", .min = 1, .max = 16,
	 .form = form_is_dialled, .form_is = "digits, * and #"},
	{.name = "token", .type = FIELD_SECRET, .flags = F_NULLABLE,
	 .min = TOKEN_MIN, .max = TOKEN_MAX, .form = form_is_token,
	 .form_is = "printable ASCII without blanks"},
	{.name = "token_sha256", .type = FIELD_SECRET, .flags = F_READ_ONLY,
	 .column = "token_sha256"},
	{.name = "has_token", .type = FIELD_FLAG, .flags = F_READ_ONLY,
	 .read = "t.token_sha256 IS NOT NULL"},
	FIELD_ROW_TIMES,
};
static const struct field_set set = FIELD_SET(fields);

static const struct refusal refusals[] = {
	{.constraint = "source_address_one_owner", .field = "cidr",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "this network and port belong to another row",
	 .clash_sql =
		 "SELECT coalesce('/v1/trunks/' || trunk_id || '/ip-acls/' "
		 "|| id, '/v1/carrier-gateways/' || gateway_id) "
		 "FROM core.source_address WHERE cidr = $1::cidr AND "
		 "coalesce(port::integer, 0) = coalesce($2::integer, 0)",
	 .clash_fields = {"cidr", "port"}},
	{.constraint = "source_address_site", .field = "site_id",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "this trunk has no such site"},
	{.constraint = "source_address_ambiguous", .field = "cidr",
	 .kind = PROBLEM_CONFLICT,
	 .detail = "calls from here could be those of another owner: rows of "
		   "one network and port need tech prefixes of which none "
		   "begins another, or tokens; see",
	 .clash_sql =
		 "SELECT string_agg(coalesce('/v1/trunks/' || trunk_id || "
		 "'/ip-acls/' || id, '/v1/carrier-gateways/' || gateway_id), "
		 "', ' ORDER BY id) FROM core.source_address "
		 "WHERE cidr = $1::cidr AND "
		 "coalesce(port::integer, 0) = coalesce($2::integer, 0)",
	 .clash_fields = {"cidr", "port"}},
	{.constraint = "source_address_one_mark", .field = "token",
	 .kind = PROBLEM_VALIDATION,
	 .detail = "goes without tech_prefix: a call shows the one or the "
		   "other"},
	{.constraint = NULL},
};


/* Of the token only the hash is stored. */
static int prepare(struct request *req, struct record *rec,
		   const json_t *before)
{
	const char *token = record_text(rec, "token");
	const size_t i = field_index(rec->set, "token");
	uint8_t md[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned len;

	(void)req;
	(void)before;

	if (rec->v[i].state == VALUE_ABSENT)
		return 0;
	if (!token)
		return record_put(rec, "token_sha256", NULL);
	if (!EVP_Digest(token, strlen(token), md, &len, EVP_sha256(), NULL))
		return ENOTSUP;

	text_hex(hex, md, len);

	return record_put(rec, "token_sha256", hex);
}

const struct resource resource_address = {
	.kind = "address", .table = "core.source_address", .key = "id",
	.key_type = "text", .id_prefix = "adr_", .path = "/ip-acls",
	.owner = OWNER_BY("trunk", "trunk_id"),
	.is_versioned = true, .parent = &resource_trunk,
	.parent_column = "trunk_id", .set = &set, .refusals = refusals,
	.prepare = prepare,
};
