/* Decoding of bodies by tables of fields. */
#include "json.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "field.h"
#include "form.h"
#include "resource.h"

static const struct field item_fields[] = {
	{.name = "gateway_id", .type = FIELD_ID, .flags = F_REQUIRED,
	 .choices = (const char *const[]){"gwy_", NULL}},
	{.name = "weight", .type = FIELD_NUMBER, .min = 0, .max = 10},
};
static const struct field_set item_set = FIELD_SET(item_fields);

static const struct field fields[] = {
	{.name = "id", .type = FIELD_TEXT, .flags = F_READ_ONLY,
	 .column = "id"},
	{.name = "name", .type = FIELD_TEXT, .flags = F_REQUIRED,
	 .column = "name", .min = 1, .max = 8, .form = form_is_name,
	 .form_is = "clean"},
	{.name = "kind", .type = FIELD_CHOICE, .column = "kind",
	 .choices = (const char *const[]){"one", "two", NULL}},
	{.name = "words", .type = FIELD_CHOICES, .column = "words", .min = 1,
	 .max = 2, .choices = (const char *const[]){"a", "b-c", NULL}},
	{.name = "limits.in", .type = FIELD_NUMBER, .flags = F_NULLABLE,
	 .column = "limit_in", .min = 0, .max = 100},
	{.name = "limits.out", .type = FIELD_NUMBER, .column = "limit_out",
	 .min = 0, .max = 100},
	{.name = "is_on", .type = FIELD_FLAG, .column = "is_on"},
	{.name = "amount", .type = FIELD_MONEY, .column = "amount_micro",
	 .min = -5000000, .max = 5000000},
	{.name = "rate", .type = FIELD_RATE, .column = "rate_nano", .min = 0,
	 .max = INT64_MAX},
	{.name = "at", .type = FIELD_TIME, .column = "at"},
	{.name = "number", .type = FIELD_E164, .column = "number"},
	{.name = "ip", .type = FIELD_IP, .column = "ip"},
	{.name = "net", .type = FIELD_CIDR, .column = "net"},
	{.name = "rules", .type = FIELD_RULES, .column = "rules"},
	{.name = "targets", .type = FIELD_LIST, .min = 1, .max = 2,
	 .items = &item_set},
	{.name = "password", .type = FIELD_SECRET, .min = 1, .max = 8},
};
static const struct field_set set = FIELD_SET(fields);

static struct problem problem;


static struct record *decode(const char *text)
{
	json_t *body = json_loads(text, JSON_DECODE_ANY, NULL);
	struct record *rec = NULL;

	cr_assert_not_null(body, "%s", text);
	problem_clear(&problem);
	cr_assert_eq(record_decode(&rec, &set, body, "", &problem), 0);
	json_decref(body);
	return rec;
}


/* The text a member becomes; "(refused)" or "(null)" */
static const char *as(const char *name, const char *json)
{
	static char out[256];
	char body[256];
	struct record *rec;

	snprintf(body, sizeof(body), "{\"name\":\"n\",\"%s\":%s}", name,
		 json);
	rec = decode(body);
	snprintf(out, sizeof(out), "%s",
		 problem_is_set(&problem) ? "(refused)"
		 : record_text(rec, name) ? record_text(rec, name)
					  : "(null)");
	mem_deref(rec);
	problem_clear(&problem);
	return out;
}


static const char *error_text(size_t i, const char *member)
{
	return json_string_value(json_object_get(
		json_array_get(problem.errors, i), member));
}


Test(field, texts)
{
	cr_assert_str_eq(as("name", "\"12345678\""), "12345678");
	cr_assert_str_eq(as("name", "\"123456789\""), "(refused)");
	cr_assert_str_eq(as("name", "\"\""), "(refused)");
	cr_assert_str_eq(as("name", "5"), "(refused)");
	cr_assert_str_eq(as("name", "null"), "(refused)");
	cr_assert_str_eq(as("name", "\"a\\nb\""), "(refused)");
	cr_assert_str_eq(as("name", "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\""),
			 "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
	cr_assert_str_eq(as("name", "\"\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4x\""),
			 "(refused)", "bounds are bytes: buffers are");
}


Test(field, choices)
{
	cr_assert_str_eq(as("kind", "\"two\""), "two");
	cr_assert_str_eq(as("kind", "\"three\""), "(refused)");
	cr_assert_str_eq(as("words", "[\"b-c\",\"a\"]"), "{b-c,a}");
	cr_assert_str_eq(as("words", "[\"a\",\"a\"]"), "(refused)");
	cr_assert_str_eq(as("words", "[]"), "(refused)");
	cr_assert_str_eq(as("words", "[\"}\"]"), "(refused)");
	cr_assert_str_eq(as("words", "\"a\""), "(refused)");
}


Test(field, numbers_and_money)
{
	cr_assert_str_eq(as("is_on", "true"), "true");
	cr_assert_str_eq(as("is_on", "1"), "(refused)");
	cr_assert_str_eq(as("amount", "\"-4.999999\""), "-4999999");
	cr_assert_str_eq(as("amount", "\"5\""), "5000000");
	cr_assert_str_eq(as("amount", "\"5.000001\""), "(refused)");
	cr_assert_str_eq(as("amount", "\"0.0000001\""), "(refused)");
	cr_assert_str_eq(as("amount", "1.5"), "(refused)");
	cr_assert_str_eq(as("rate", "\"0.0125\""), "12500000");
	cr_assert_str_eq(as("rate", "\"-0.1\""), "(refused)");
}


Test(field, times_and_addresses)
{
	cr_assert_str_eq(as("at", "\"2026-11-22T12:31:00.5+02:00\""),
			 "2026-11-22T10:31:00.500Z");
	cr_assert_str_eq(as("at", "\"2026-11-22\""), "(refused)");
	cr_assert_str_eq(as("at", "1700000000"), "(refused)");
	cr_assert_str_eq(as("number", "\"+4930123\""), "+4930123");
	cr_assert_str_eq(as("number", "\"030123\""), "(refused)");
	cr_assert_str_eq(as("ip", "\"2001:DB8::1\""), "2001:db8::1");
	cr_assert_str_eq(as("ip", "\"example.org\""), "(refused)");
	cr_assert_str_eq(as("net", "\"192.0.2.7\""), "192.0.2.7/32");
	cr_assert_str_eq(as("net", "\"0.0.0.0/0\""), "(refused)");
	cr_assert_str_eq(as("net", "\"10.0.0.0/8\""), "10.0.0.0/8");
}


Test(field, nested_members)
{
	struct record *rec =
		decode("{\"name\":\"n\",\"limits\":{\"in\":null,\"out\":5}}");

	cr_assert_not(problem_is_set(&problem));
	cr_assert_eq(rec->v[field_index(&set, "limits.in")].state,
		     VALUE_NULL);
	cr_assert_str_eq(record_text(rec, "limits.out"), "5");
	mem_deref(rec);

	mem_deref(decode("{\"name\":\"n\",\"limits\":{\"x\":1,\"in\":-1,"
			 "\"out\":null}}"));
	cr_assert_eq(json_array_size(problem.errors), 3);
	cr_assert_str_eq(error_text(0, "pointer"), "/limits/x");
	cr_assert_str_eq(error_text(1, "pointer"), "/limits/in");
	cr_assert_str_eq(error_text(2, "pointer"), "/limits/out");

	mem_deref(decode("{\"name\":\"n\",\"limits\":7}"));
	cr_assert_str_eq(error_text(0, "pointer"), "/limits");
	problem_clear(&problem);
}


Test(field, lists_name_the_element)
{
	mem_deref(decode("{\"name\":\"n\",\"targets\":[{\"gateway_id\":"
			 "\"gwy_00000000000000000000000000\"},{\"weight\":11,"
			 "\"y\":1}]}"));
	cr_assert_eq(json_array_size(problem.errors), 3);
	cr_assert_str_eq(error_text(0, "pointer"), "/targets/1/y");
	cr_assert_str_eq(error_text(1, "pointer"), "/targets/1/gateway_id");
	cr_assert_str_eq(error_text(2, "pointer"), "/targets/1/weight");
	mem_deref(decode("{\"name\":\"n\",\"targets\":[{},{},{}]}"));
	cr_assert_str_eq(error_text(0, "code"), "out_of_range");
	problem_clear(&problem);
}


Test(field, all_faults_at_once)
{
	mem_deref(decode("{\"id\":\"x\",\"kind\":1,\"a/b~c\":2}"));
	cr_assert_eq(problem.kind, PROBLEM_VALIDATION);
	cr_assert_eq(json_array_size(problem.errors), 4);
	cr_assert_str_eq(error_text(0, "pointer"), "/a~1b~0c");
	cr_assert_str_eq(error_text(0, "code"), "unknown");
	cr_assert_str_eq(error_text(1, "code"), "read_only");
	cr_assert_str_eq(error_text(2, "code"), "required");
	cr_assert_str_eq(error_text(3, "code"), "not_allowed");
	problem_clear(&problem);
}


Test(field, body_has_to_be_an_object)
{
	static const char *const bodies[] = {"[]", "1", "\"x\"", "null"};

	for (size_t i = 0; i < 4; i++) {
		mem_deref(decode(bodies[i]));
		cr_assert_str_eq(error_text(0, "pointer"), "");
		problem_clear(&problem);
	}
}


Test(field, secrets_are_not_sent_back)
{
	char *text;

	mem_deref(decode("{\"name\":\"n\",\"password\":\"far too long\"}"));
	text = json_dumps(problem.errors, 0);
	cr_assert_null(strstr(text, "too long"), "%s", text);
	free(text);
	cr_assert_null(json_object_get(json_array_get(problem.errors, 0),
				       "value"));
	cr_assert_not(field_is_read(&fields[field_index(&set, "password")]));
	problem_clear(&problem);
}


Test(field, put_from_inside)
{
	struct record *rec = decode("{\"name\":\"n\"}");

	cr_assert_eq(record_put(rec, "kind", "one"), 0);
	cr_assert_str_eq(record_text(rec, "kind"), "one");
	cr_assert_eq(record_put(rec, "kind", NULL), 0);
	cr_assert_null(record_text(rec, "kind"));
	cr_assert_eq(record_put(rec, "nonsense", "x"), ENOENT);
	mem_deref(rec);
}


/* What the tables of the real resources have to keep */
Test(field, tables_of_the_resources_are_sound)
{
	const struct resource *all[] = {
		&resource_tenant, &resource_account, &resource_posting,
		&resource_realm, &resource_trunk, &resource_credential,
		&resource_address, &resource_did, &resource_carrier,
		&resource_gateway, &resource_route, &resource_rate_deck,
		&resource_rate, &resource_node, &resource_audit_event};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct field_set *s = all[i]->set;
		const struct refusal *r = all[i]->refusals;

		cr_assert_leq(s->n, FIELDS_MAX);
		cr_assert(!(s->fields[0].flags & F_READ_ONLY) ||
			  all[i]->id_prefix, "%s", all[i]->kind);
		for (; r && r->constraint; r++)
			cr_assert(!r->field ||
				  field_index(s, r->field) < s->n, "%s",
				  r->constraint);
		for (size_t k = 0; k < s->n; k++)
			cr_assert_eq(field_index(s, s->fields[k].name), k);
	}
}


/* What an id is of is known by what it begins with. */
Test(field, ids_of_two_resources_begin_differently)
{
	for (size_t i = 0; i < resource_n; i++) {
		const char *prefix = resources[i]->id_prefix;

		for (size_t k = 0; prefix && k < i; k++)
			cr_expect(!resources[k]->id_prefix ||
				  strcmp(resources[k]->id_prefix, prefix),
				  "%s: %s, %s", prefix, resources[k]->kind,
				  resources[i]->kind);
	}
}
