/**
 * @file source_address.c  /v1/trunks/{id}/ip-acls: from which addresses a
 * trunk is known without a password. One network belongs to one owner.
 */
#include "resource.h"

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
	{.constraint = NULL},
};

const struct resource resource_address = {
	.kind = "address", .table = "core.source_address", .key = "id",
	.key_type = "text", .id_prefix = "adr_", .path = "/ip-acls",
	.owner = "(SELECT k.tenant_id FROM core.trunk k "
		 "WHERE k.id = t.trunk_id)",
	.is_versioned = true, .parent = &resource_trunk,
	.parent_column = "trunk_id", .set = &set, .refusals = refusals,
};
