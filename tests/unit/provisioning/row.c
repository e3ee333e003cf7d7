/* From rows to JSON. */
#include "json.h"
#include <criterion/criterion.h>
#include <string.h>
#include "field.h"

static const struct field fields[] = {
	{.name = "id", .type = FIELD_ID, .column = "id"},
	{.name = "amount", .type = FIELD_MONEY, .column = "amount_micro"},
	{.name = "password", .type = FIELD_SECRET, .column = "ha1"},
	{.name = "limits.in", .type = FIELD_NUMBER, .column = "i"},
	{.name = "limits.out", .type = FIELD_NUMBER, .column = "o"},
	{.name = "is_on", .type = FIELD_FLAG, .column = "is_on"},
	{.name = "words", .type = FIELD_CHOICES, .column = "words"},
	{.name = "at", .type = FIELD_TIME, .column = "at"},
	{.name = "ip", .type = FIELD_IP, .column = "ip"},
	{.name = "sum", .type = FIELD_NUMBER, .read = "(SELECT 1)"},
};
static const struct field_set set = FIELD_SET(fields);


Test(row, select_leaves_secrets_out)
{
	struct mbuf *mb = mbuf_alloc(64);

	cr_assert_eq(field_select(mb, &set), 0);
	mbuf_write_u8(mb, 0);
	cr_assert_str_eq((char *)mb->buf,
			 "t.id, t.amount_micro, t.i, t.o, t.is_on, "
			 "to_jsonb(t.words), to_char(t.at at time zone 'UTC', "
			 "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), host(t.ip), "
			 "(SELECT 1)");
	mem_deref(mb);
}


Test(row, becomes_json)
{
	static char *const cells[] = {"v", "x_1", "-1500000", "7", NULL, "t",
				      "[\"a\"]", "2026-11-22T10:31:00.000Z",
				      "192.0.2.1", "5"};
	PGresAttDesc columns[10] = {{0}};
	PGresult *result = PQmakeEmptyPGresult(NULL, PGRES_TUPLES_OK);
	json_t *doc, *want;

	for (size_t i = 0; i < 10; i++)
		columns[i].name = "c";
	cr_assert(PQsetResultAttrs(result, 10, columns));
	for (int i = 0; i < 10; i++)
		cr_assert(PQsetvalue(result, 0, i, cells[i],
				     cells[i] ? (int)strlen(cells[i]) : -1));

	doc = row_encode(&set, result, 0, 1);
	want = json_loads("{\"id\":\"x_1\",\"amount\":\"-1.500000\","
			  "\"limits\":{\"in\":7,\"out\":null},\"is_on\":true,"
			  "\"words\":[\"a\"],\"at\":"
			  "\"2026-11-22T10:31:00.000Z\","
			  "\"ip\":\"192.0.2.1\",\"sum\":5}", 0, NULL);
	cr_assert(json_equal(doc, want));
	json_decref(doc);
	json_decref(want);
	PQclear(result);
}
