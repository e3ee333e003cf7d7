/**
 * @file row.c  Fuzz target: provisioned rows as JSON text into a store and a
 * catalog. The first byte chooses the kind; what is accepted has to survive
 * being published.
 */
#include "json.h"
#include "catalog_row.h"
#include "catalog_store.h"
#include "log.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct snapshot_slot *slot;


int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;

	return log_open(LOG_ERROR, false) || snapshot_slot_alloc(&slot);
}


/** Rows for what a row may refer to, so that it is not simply left out. */
static void put_others(struct catalog_store *s)
{
	static const struct {
		const char *kind, *id, *json;
	} rows[] = {
		{"tenant", "t", "{\"status\":\"active\"}"},
		{"account", "a", "{\"status\":\"active\",\"type\":\"prepaid\","
		 "\"tenant_id\":\"t\",\"currency\":\"EUR\"}"},
		{"trunk", "k", "{\"status\":\"active\",\"tenant_id\":\"t\","
		 "\"account_id\":\"a\"}"},
		{"carrier", "c", "{\"status\":\"active\"}"},
		{"gateway", "g", "{\"status\":\"active\",\"carrier_id\":\"c\","
		 "\"address\":\"192.0.2.1\"}"},
	};
	char why[128];
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *json = json_loads(rows[i].json, 0, NULL);

		(void)catalog_store_put(s, rows[i].kind, rows[i].id, 1, json,
					why, sizeof(why));
		json_decref(json);
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct catalog_store *s;
	char why[16];
	json_t *json;

	if (!size || catalog_store_alloc(&s))
		return 0;

	put_others(s);
	json = json_loadb((const char *)data + 1, size - 1, JSON_ALLOW_NUL,
			  NULL);
	if (json && !catalog_store_put(s, row_kind_name(data[0] % ROW_KIND_N),
				       "x", 2, json, why, sizeof(why)))
		(void)catalog_store_publish(s, slot);

	json_decref(json);
	mem_deref(s);

	return 0;
}
