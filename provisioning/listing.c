/**
 * @file listing.c  Ranges, sort, fields and expand.
 */
#include <stdlib.h>
#include <string.h>
#include "form.h"
#include "listing.h"
#include "pg.h"
#include "text.h"

#define NAMES_MAX 32

static const struct {
	const char *name, *sql;
} ranges[] = {{"gte", ">="}, {"lt", "<"}};


/* Money and rates are integers of SQL, too */
static bool is_number(const struct field *f)
{
	return f->type == FIELD_NUMBER || f->type == FIELD_MONEY ||
	       f->type == FIELD_RATE;
}


static const char *sql_type(const struct field *f)
{
	return f->type == FIELD_TIME ? "timestamptz"
	       : is_number(f)	     ? "bigint"
				     : "text";
}


struct sort sort_read(struct request *req, const struct resource *res)
{
	const char *text = request_query(req, "sort");
	struct sort sort = {.column = NULL};

	if (!text)
		return sort;

	sort.is_descending = *text == '-';
	text += sort.is_descending;
	for (const char *const *name = req->op->sorts; *name; name++) {
		const size_t k = field_index(res->set, *name);

		if (strcmp(text, *name) != 0 || k >= res->set->n)
			continue;
		sort.name = *name;
		sort.column = res->set->fields[k].column;
		sort.type = sql_type(&res->set->fields[k]);
	}
	if (!sort.name)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "sort: see /openapi.json for what this list can "
			    "be sorted by");
	return sort;
}


void list_name(char *buf, size_t size, const struct request *req,
	       const struct sort *sort)
{
	text_format(buf, size, "%s%s%s", req->op->id,
		    sort->is_descending ? "-" : "+",
		    sort->name ? sort->name : "");
}


static bool is_concealed(const struct request *req, const struct resource *res,
			 const char *name)
{
	if (!res->concealed || !request_tenant(req))
		return false;
	for (const char *const *c = res->concealed; *c; c++) {
		if (!strcmp(*c, name))
			return true;
	}
	return false;
}


/* What a caller does not see it does not find out by asking for it */
void query_filters(struct query *q, const struct request *req,
		   const struct resource *res)
{
	for (size_t i = 0; i < res->set->n; i++) {
		const struct field *f = &res->set->fields[i];
		const char *value = request_query(req, f->name);

		if (!value || !(f->flags & F_FILTER))
			continue;
		if (resource_hides(req, res, f->name)) {
			query_text(q, " AND false");
			continue;
		}
		if (is_concealed(req, res, f->name)) {
			query_text(q, " AND ");
			res->is_open(q, request_tenant(req));
		}
		query_text(q, f->flags & F_BEGINS
				      ? " AND starts_with(t.%s, "
				      : " AND (t.%s = ", f->column);
		query_param(q, value);
		query_text(q, ")");
	}
}


/* A time in ms, a number as SQL has it. 0 or an error: it is none */
static int amount_read(int64_t *ret, const struct field *f, const char *text)
{
	if (f->type == FIELD_TIME)
		return form_time(ret, text);
	return text_decimal(ret, text, f->type == FIELD_MONEY  ? 6
				       : f->type == FIELD_RATE ? 9
							       : 0);
}


/* The end of a range as it was asked for; NULL: it was not, or is none and a
   problem is set */
static const char *range_end(struct request *req, const struct field *f,
			     size_t k, int64_t *ret)
{
	const char *value;
	char name[80];

	text_format(name, sizeof(name), "%s[%s]", f->name, ranges[k].name);
	value = request_query(req, name);
	if (!value || !amount_read(ret, f, value))
		return value;
	problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
		    f->type == FIELD_TIME
			    ? "%s is a time as 2026-11-22T10:31:00Z"
			    : "%s is a number",
		    name);
	return NULL;
}


static bool has_range(const struct field *f)
{
	return f->type == FIELD_TIME || is_number(f);
}


static void query_range(struct query *q, const struct field *f,
			const char *sql, const char *value)
{
	/* a time that is made as it is read comes as text */
	query_text(q, f->column		      ? " AND t.%s %s ("
		      : f->type == FIELD_TIME ? " AND (%s)::timestamptz %s ("
					      : " AND (%s) %s (",
		   f->column ? f->column : f->read, sql);
	query_param(q, value);
	query_text(q, f->type == FIELD_TIME    ? "::timestamptz)"
		      : f->type == FIELD_MONEY ? "::numeric * 1000000)"
		      : f->type == FIELD_RATE  ? "::numeric * 1000000000)"
					       : "::numeric)");
}


void query_ranges(struct query *q, struct request *req,
		  const struct resource *res)
{
	for (size_t i = 0; i < res->set->n; i++) {
		const struct field *f = &res->set->fields[i];

		for (size_t k = 0; k < 2 && has_range(f); k++) {
			int64_t ignored;
			const char *value = range_end(req, f, k, &ignored);

			if (value)
				query_range(q, f, ranges[k].sql, value);
		}
	}
}


/* --- the same for a row that is here ------------------------------------ */

void ranges_check(struct request *req, const struct resource *res)
{
	for (size_t i = 0; i < res->set->n; i++) {
		const struct field *f = &res->set->fields[i];
		int64_t ignored;

		for (size_t k = 0; k < 2 && has_range(f); k++)
			(void)range_end(req, f, k, &ignored);
	}
}


/* A member of a row as the filters have it; NULL: null */
static const char *member_text(const json_t *row, const struct field *f,
			       char buf[24])
{
	const json_t *value = field_get(row, f->name);

	if (json_is_integer(value)) {
		text_format(buf, 24, "%lld",
			    (long long)json_integer_value(value));
		return buf;
	}
	return json_string_value(value);
}


static bool is_in_range(struct request *req, const struct field *f,
			const char *text)
{
	for (size_t k = 0; k < 2; k++) {
		int64_t end, at;

		if (!range_end(req, f, k, &end))
			continue;
		if (!text || amount_read(&at, f, text) ||
		    (k ? at >= end : at < end))
			return false;
	}
	return true;
}


bool row_is_wanted(struct request *req, const struct resource *res,
		   const json_t *row)
{
	for (size_t i = 0; i < res->set->n; i++) {
		const struct field *f = &res->set->fields[i];
		const char *wanted = f->flags & F_FILTER
					     ? request_query(req, f->name)
					     : NULL;
		char buf[24];
		const char *text = member_text(row, f, buf);

		if (wanted && (!text || strcmp(text, wanted) != 0))
			return false;
		if (has_range(f) && !is_in_range(req, f, text))
			return false;
	}
	return true;
}


/* --- names, as "a,b,c" -------------------------------------------------- */

struct names {
	char text[512];
	const char *v[NAMES_MAX];
	size_t n;
};


static bool names_read(struct request *req, const char *parameter,
		       struct names *names)
{
	const char *value = request_query(req, parameter);

	names->n = 0;
	if (!value)
		return false;
	if (text_copy(names->text, sizeof(names->text), value)) {
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "%s is too long", parameter);
		return false;
	}
	for (char *s = names->text; s && names->n < NAMES_MAX;) {
		char *comma = strchr(s, ',');

		if (comma)
			*comma++ = '\0';
		names->v[names->n++] = s;
		s = comma;
	}
	return true;
}


static bool names_have(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->n; i++) {
		if (!strcmp(names->v[i], name))
			return true;
	}
	return false;
}


void page_answer(struct request *req, json_t *rows, const char *list,
		 const struct cursor *keys)
{
	char text[CURSOR_SIZE];
	json_t *page = json_pack("{s:o, s:b, s:n}", "data", rows, "has_more",
				 keys != NULL, "next_cursor");

	if (keys && !cursor_encode(text, sizeof(text), list, keys))
		json_object_set_new(page, "next_cursor", json_string(text));
	request_answer(req, 200, page);
}


/* --- expand ------------------------------------------------------------- */

/* GET of one row: its path ends with the row's key */
static bool reads_one(const struct operation *op)
{
	return !strcmp(op->method, "GET") &&
	       op->path[strlen(op->path) - 1] == '}';
}


/* May the caller GET rows of this kind? */
static bool may_read(const struct request *req, const struct resource *res)
{
	for (size_t i = 0; i < operation_n; i++) {
		if (operations[i].resource == res &&
		    reads_one(&operations[i]))
			return operation_allows(&operations[i],
						req->caller.scopes);
	}
	return false;
}


/* Ids of the rows that this member refers to, as an array of PostgreSQL */
static char *ids_of(const json_t *rows, const char *member)
{
	struct mbuf *mb = mbuf_alloc(1024);
	char *text = NULL;
	int err = mb ? mbuf_write_u8(mb, '{') : ENOMEM;

	for (size_t i = 0; i < json_array_size(rows) && !err; i++) {
		const char *id = json_string_value(
			json_object_get(json_array_get(rows, i), member));

		if (id) /* letters, digits and '_' alone */
			err = mbuf_printf(mb, "%s%s", mb->end > 1 ? "," : "",
					  id);
	}
	if (!err)
		err = mbuf_write_str(mb, "}");
	if (!err) {
		mb->pos = 0;
		err = mbuf_strdup(mb, &text, mb->end);
	}
	mem_deref(mb);
	return err ? NULL : text;
}


/* The rows with these ids that the caller sees: an object by id */
static json_t *rows_by_id(struct request *req, const struct resource *res,
			  const char *ids)
{
	json_t *found = json_object();
	PGresult *result = NULL;
	struct query q;
	int err;

	query_init(&q);
	query_text(&q, "SELECT t.%s, ", res->key);
	if (!q.err)
		q.err = field_select(q.mb, res->set);
	query_text(&q, " FROM %s t WHERE t.%s = ANY (", res->table, res->key);
	query_param(&q, ids);
	query_text(&q, "::text[])");
	query_owner(&q, req, res->owner);
	err = query_run(&q, req->pg, &result);
	query_reset(&q);
	if (err)
		request_pg_failed(req, err);
	for (int i = 0; !err && i < PQntuples(result); i++) {
		json_t *row = row_encode(res->set, result, i, 1);

		json_object_set_new(found, PQgetvalue(result, i, 0),
				    row_seen(req, res, row));
		json_decref(row);
	}
	PQclear(result);
	return found;
}


static void expand(struct request *req, json_t *rows, const char *name,
		   const struct field *f, const struct resource *res)
{
	char *ids = ids_of(rows, f->name);
	json_t *found = ids ? rows_by_id(req, res, ids) : NULL;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		json_t *row = json_array_get(rows, i);
		const char *id = json_string_value(
			json_object_get(row, f->name));
		json_t *one = id ? json_object_get(found, id) : NULL;

		json_object_set(row, name, one ? one : json_null());
	}
	json_decref(found);
	mem_deref(ids);
}


static void expand_all(struct request *req, const struct resource *res,
		       json_t *rows, const struct names *names)
{
	for (size_t i = 0; i < names->n; i++) {
		const struct resource *target = NULL;
		char member[64];
		size_t k;

		text_format(member, sizeof(member), "%s_id", names->v[i]);
		k = field_index(res->set, member);
		if (k < res->set->n && res->set->fields[k].type == FIELD_ID)
			target = resource_of_prefix(
				res->set->fields[k].choices[0]);
		if (!target)
			problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
				    "expand: %s has no %s", res->kind, member);
		else if (!may_read(req, target))
			problem_set(&req->problem, PROBLEM_FORBIDDEN,
				    "this key may not read a %s",
				    target->kind);
		else
			expand(req, rows, names->v[i], &res->set->fields[k],
			       target);
	}
}


/* --- fields ------------------------------------------------------------- */

/* A handler may have put more into its rows than the resource has */
static bool is_member(const struct resource *res, const json_t *rows,
		      const char *name, const struct names *expanded)
{
	const size_t len = strlen(name);

	for (size_t i = 0; i < res->set->n; i++) {
		const char *known = res->set->fields[i].name;

		if (!strncmp(known, name, len) &&
		    (!known[len] || known[len] == '.') &&
		    field_is_read(&res->set->fields[i]))
			return true;
	}
	return names_have(expanded, name) ||
	       json_object_get(json_array_get(rows, 0), name);
}


static void keep(json_t *row, const struct names *names)
{
	const char *name;
	void *next;
	json_t *value;

	json_object_foreach_safe(row, next, name, value)
	{
		if (!names_have(names, name))
			json_object_del(row, name);
	}
}


bool rows_shape(struct request *req, const struct resource *res, json_t *rows)
{
	struct names expanded, wanted;
	const bool is_cut = names_read(req, "fields", &wanted);

	if (names_read(req, "expand", &expanded))
		expand_all(req, res, rows, &expanded);
	for (size_t i = 0; i < wanted.n; i++) {
		if (!is_member(res, rows, wanted.v[i], &expanded))
			problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
				    "fields: %s has no %s", res->kind,
				    wanted.v[i]);
	}
	for (size_t i = 0; is_cut && i < json_array_size(rows); i++)
		keep(json_array_get(rows, i), &wanted);
	return !problem_is_set(&req->problem);
}
