/**
 * @file row.c  From a row of PostgreSQL to JSON, by the same table of fields.
 */
#include <string.h>
#include "field.h"
#include "text.h"


static int select_one(struct mbuf *mb, const struct field *f)
{
	if (f->type == FIELD_TIME && !f->read)
		return mbuf_printf(mb,
				   "to_char(t.%s at time zone 'UTC', "
				   "'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
				   f->column);
	if (f->read)
		return mbuf_printf(mb, "%s", f->read);
	if (f->type == FIELD_IP)
		return mbuf_printf(mb, "host(t.%s)", f->column);
	if (f->type == FIELD_CHOICES || f->type == FIELD_CIDRS)
		return mbuf_printf(mb, "to_jsonb(t.%s)", f->column);

	return mbuf_printf(mb, "t.%s", f->column);
}


int field_select(struct mbuf *mb, const struct field_set *set)
{
	bool first = true;
	int err = 0;

	for (size_t i = 0; i < set->n && !err; i++) {
		if (!field_is_read(&set->fields[i]))
			continue;
		if (!first)
			err = mbuf_write_str(mb, ", ");
		if (!err)
			err = select_one(mb, &set->fields[i]);
		first = false;
	}
	return err;
}


static json_t *decimal_json(const char *text, int scale)
{
	char buf[48];

	return json_string(text_decimal_format(buf, sizeof(buf),
					       strtoll(text, NULL, 10),
					       scale));
}


static json_t *value_json(const struct field *f, const char *text)
{
	switch (f->type) {
	case FIELD_NUMBER:
		return json_integer(strtoll(text, NULL, 10));
	case FIELD_FLAG:
		return json_boolean(*text == 't');
	case FIELD_MONEY:
		return decimal_json(text, 6);
	case FIELD_RATE:
		return decimal_json(text, 9);
	case FIELD_CHOICES:
	case FIELD_CIDRS:
	case FIELD_RULES:
	case FIELD_NAME_RULES:
	case FIELD_LIST:
	case FIELD_JSON:
		return json_loads(text, JSON_DECODE_ANY, NULL);
	case FIELD_TEXT:
	case FIELD_SECRET:
	case FIELD_ID:
	case FIELD_CHOICE:
	case FIELD_TIME:
	case FIELD_E164:
	case FIELD_IP:
	case FIELD_CIDR:
		break;
	}
	return json_string(text);
}


static void put(json_t *doc, const char *name, json_t *value)
{
	const char *dot = strchr(name, '.');
	char outer[64];
	json_t *inner;

	if (!dot) {
		json_object_set_new(doc, name, value);
		return;
	}

	text_set(outer, sizeof(outer), name, (size_t)(dot - name));
	inner = json_object_get(doc, outer);
	if (!inner) {
		inner = json_object();
		json_object_set_new(doc, outer, inner);
	}
	json_object_set_new(inner, dot + 1, value);
}


json_t *row_encode(const struct field_set *set, const PGresult *res, int row,
		   int first)
{
	json_t *doc = json_object();
	int col = first;

	for (size_t i = 0; i < set->n; i++) {
		const struct field *f = &set->fields[i];

		if (!field_is_read(f))
			continue;
		if (PQgetisnull(res, row, col))
			put(doc, f->name, json_null());
		else
			put(doc, f->name,
			    value_json(f, PQgetvalue(res, row, col)));
		++col;
	}
	return doc;
}
