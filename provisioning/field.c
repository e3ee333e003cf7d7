/**
 * @file field.c  From a JSON body to text parameters, by a table of fields.
 */
#include <errno.h>
#include <inttypes.h>
#include <openssl/crypto.h>
#include <string.h>
#include "field.h"
#include "form.h"
#include "moment.h"
#include "name_rule.h"
#include "rule.h"
#include "text.h"

#define POINTER_SIZE 160
#define NAME_MAX_LEN 64

/** Where in the body we are, and where refusals go. */
struct decode {
	struct problem *p;
	const char *pointer;
	const json_t *json;
};


static void record_destructor(void *data)
{
	struct record *r = data;

	for (size_t i = 0; i < r->set->n; i++) {
		if (r->v[i].text && r->set->fields[i].type == FIELD_SECRET)
			OPENSSL_cleanse(r->v[i].text,
					strlen(r->v[i].text));
		mem_deref(r->v[i].text);
	}
}


size_t field_index(const struct field_set *set, const char *name)
{
	size_t i;

	for (i = 0; i < set->n; i++) {
		if (!strcmp(set->fields[i].name, name))
			break;
	}
	return i;
}


const char *record_text(const struct record *r, const char *name)
{
	const size_t i = field_index(r->set, name);

	return i < r->set->n ? r->v[i].text : NULL;
}


static int value_set(struct record *r, size_t i, const char *text)
{
	char *copy = NULL;
	int err;

	if (text) {
		err = str_dup(&copy, text);
		if (err)
			return err;
	}
	mem_deref(r->v[i].text);
	r->v[i].text = copy;
	r->v[i].state = copy ? VALUE_TEXT : VALUE_NULL;

	return 0;
}


int record_put(struct record *r, const char *name, const char *text)
{
	const size_t i = field_index(r->set, name);

	return i < r->set->n ? value_set(r, i, text) : ENOENT;
}


const char *field_pointer(char *buf, size_t size, const char *parent,
			  const char *name)
{
	char outer[NAME_MAX_LEN], mid[POINTER_SIZE];
	const char *dot = strchr(name, '.');

	if (!dot)
		return pointer_join(buf, size, parent, name);

	text_set(outer, sizeof(outer), name, (size_t)(dot - name));
	pointer_join(mid, sizeof(mid), parent, outer);
	return pointer_join(buf, size, mid, dot + 1);
}


json_t *field_get(const json_t *doc, const char *name)
{
	char outer[NAME_MAX_LEN];
	const char *dot = strchr(name, '.');

	if (!dot)
		return json_object_get(doc, name);

	text_set(outer, sizeof(outer), name, (size_t)(dot - name));
	return json_object_get(json_object_get(doc, outer), dot + 1);
}


bool field_is_read(const struct field *f)
{
	return f->type != FIELD_SECRET && (f->column || f->read);
}


/* --- one value --------------------------------------------------------- */

static int refuse(const struct decode *d, const struct field *f,
		  const char *code, const char *what)
{
	problem_add(d->p, d->pointer, code,
		    f->type == FIELD_SECRET ? NULL : d->json, "must be %s",
		    what);
	return 0;
}


static int refuse_range(const struct decode *d, const struct field *f,
			const char *what)
{
	problem_add(d->p, d->pointer, "out_of_range",
		    f->type == FIELD_SECRET ? NULL : d->json,
		    "%s must be within %" PRId64 "..%" PRId64, what, f->min,
		    f->max);
	return 0;
}


/* Length in bytes: the switch keeps these texts in fixed buffers */
static int text_value(const struct decode *d, const struct field *f,
		      struct record *r, size_t i)
{
	const char *s = json_string_value(d->json);
	const int64_t n = s ? (int64_t)strlen(s) : 0;

	if (!s)
		return refuse(d, f, "wrong_type", "a string");
	if (n < f->min || n > f->max)
		return refuse_range(d, f, "length in bytes");
	if (f->form && !f->form(s))
		return refuse(d, f, "bad_form", f->form_is);

	return value_set(r, i, s);
}


static bool choice_is_known(const struct field *f, const char *s)
{
	for (size_t i = 0; f->choices[i]; i++) {
		if (!strcmp(f->choices[i], s))
			return true;
	}
	return false;
}


static int refuse_choice(const struct decode *d, const struct field *f)
{
	char list[128] = "one of";
	size_t n = strlen(list);

	for (size_t i = 0; f->choices[i] && n < sizeof(list); i++) {
		text_format(list + n, sizeof(list) - n, " %s", f->choices[i]);
		n += strlen(f->choices[i]) + 1;
	}
	return refuse(d, f, "not_allowed", list);
}


static int choice_value(const struct decode *d, const struct field *f,
			struct record *r, size_t i)
{
	const char *s = json_string_value(d->json);

	if (!s || !choice_is_known(f, s))
		return refuse_choice(d, f);

	return value_set(r, i, s);
}


/* Without choices any text of the form */
static bool choices_has(const struct field *f, const char *s)
{
	return f->choices ? choice_is_known(f, s) : f->form(s);
}


/* As an array literal of PostgreSQL: choices hold letters, digits, '-' */
static int choices_value(const struct decode *d, const struct field *f,
			 struct record *r, size_t i)
{
	char text[1024] = "{";
	const size_t count = json_array_size(d->json);

	if (!json_is_array(d->json))
		return refuse(d, f, "wrong_type", "an array");
	if ((int64_t)count < f->min || (int64_t)count > f->max)
		return refuse_range(d, f, "number of elements");

	for (size_t k = 0; k < count; k++) {
		const json_t *item = json_array_get(d->json, k);
		const char *s = json_string_value(item);
		const size_t n = strlen(text);

		if (!s || !choices_has(f, s))
			return f->choices ? refuse_choice(d, f)
					  : refuse(d, f, "bad_form",
						   f->form_is);
		for (size_t m = 0; m < k; m++) {
			if (json_equal(json_array_get(d->json, m), item))
				return refuse(d, f, "repeated",
					      "a list without repetition");
		}
		if (text_format(text + n, sizeof(text) - n, "%s%s",
				k ? "," : "", s))
			return EOVERFLOW;
	}
	if (text_copy(text + strlen(text), sizeof(text) - strlen(text), "}"))
		return EOVERFLOW;
	return value_set(r, i, text);
}


static int number_value(const struct decode *d, const struct field *f,
			struct record *r, size_t i)
{
	char text[32];
	const json_int_t v = json_integer_value(d->json);

	if (!json_is_integer(d->json))
		return refuse(d, f, "wrong_type", "an integer");
	if (v < f->min || v > f->max)
		return refuse_range(d, f, "number");

	text_format(text, sizeof(text), "%" PRId64, (int64_t)v);
	return value_set(r, i, text);
}


static int flag_value(const struct decode *d, const struct field *f,
		      struct record *r, size_t i)
{
	if (!json_is_boolean(d->json))
		return refuse(d, f, "wrong_type", "true or false");

	return value_set(r, i, json_is_true(d->json) ? "true" : "false");
}


static int decimal_value(const struct decode *d, const struct field *f,
			 struct record *r, size_t i)
{
	const int scale = f->type == FIELD_RATE ? 9 : 6;
	const char *s = json_string_value(d->json);
	char text[32];
	int64_t v;

	if (!s || text_decimal(&v, s, scale))
		return refuse(d, f, "bad_form",
			      scale == 9 ? "a decimal string with at most 9 "
					   "places, as \"0.012500000\""
					 : "a decimal string with at most 6 "
					   "places, as \"12.345678\"");
	if (v < f->min || v > f->max) {
		char min[32], max[32];

		problem_add(d->p, d->pointer, "out_of_range", d->json,
			    "must be within %s..%s",
			    text_decimal_format(min, sizeof(min), f->min,
						scale),
			    text_decimal_format(max, sizeof(max), f->max,
						scale));
		return 0;
	}

	text_format(text, sizeof(text), "%" PRId64, v);
	return value_set(r, i, text);
}


static int time_value(const struct decode *d, const struct field *f,
		      struct record *r, size_t i)
{
	const char *s = json_string_value(d->json);
	char text[40];
	int64_t ms;

	if (!s || form_time(&ms, s))
		return refuse(d, f, "bad_form",
			      "a time as 2026-11-22T10:31:00Z (RFC 3339)");

	return value_set(r, i, moment_format(text, ms));
}


static int address_value(const struct decode *d, const struct field *f,
			 struct record *r, size_t i)
{
	const char *s = json_string_value(d->json);
	char text[80];

	if (f->type == FIELD_IP) {
		if (s && !form_ip(text, sizeof(text), s))
			return value_set(r, i, text);
		return refuse(d, f, "not_an_address",
			      "an IP address literal; names come later");
	}

	if (!s || form_cidr(text, sizeof(text), s))
		return refuse(d, f, "bad_form",
			      "an address or a network as 192.0.2.0/24 without "
			      "host bits");
	if (strstr(text, "/0"))
		return refuse(d, f, "out_of_range",
			      "smaller than the whole Internet");
	return value_set(r, i, text);
}


/* As an array literal of PostgreSQL, which has nothing to escape */
static int cidrs_value(const struct decode *d, const struct field *f,
		       struct record *r, size_t i)
{
	char text[2048] = "{", one[80];
	const size_t count = json_array_size(d->json);

	if (!json_is_array(d->json))
		return refuse(d, f, "wrong_type", "an array");
	if ((int64_t)count < f->min || (int64_t)count > f->max)
		return refuse_range(d, f, "number of elements");

	for (size_t k = 0; k < count; k++) {
		const char *s = json_string_value(json_array_get(d->json, k));
		const size_t n = strlen(text);

		if (!s || form_cidr(one, sizeof(one), s))
			return refuse(d, f, "bad_form",
				      "a list of networks as 192.0.2.0/24 "
				      "without host bits");
		if (text_format(text + n, sizeof(text) - n, "%s%s",
				k ? "," : "", one))
			return refuse_range(d, f, "number of elements");
	}
	if (text_copy(text + strlen(text), sizeof(text) - strlen(text), "}"))
		return EOVERFLOW;
	return value_set(r, i, text);
}


static int id_value(const struct decode *d, const struct field *f,
		    struct record *r, size_t i)
{
	const char *s = json_string_value(d->json);

	if (!s || !form_is_id(s, f->choices[0])) {
		problem_add(d->p, d->pointer, "bad_form", d->json,
			    "must be an id: %s and 26 characters",
			    f->choices[0]);
		return 0;
	}
	return value_set(r, i, s);
}


static int e164_value(const struct decode *d, const struct field *f,
		      struct record *r, size_t i)
{
	const char *s = json_string_value(d->json);

	if (!s || !number_is_e164(s))
		return refuse(d, f, "bad_form",
			      "an E.164 number: '+' and 5 to 15 digits");

	return value_set(r, i, s);
}


static int json_put(struct record *r, size_t i, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT);
	int err;

	if (!text)
		return ENOMEM;

	err = value_set(r, i, text);
	free(text);
	return err;
}


static int rules_value(const struct decode *d, const struct field *f,
		       struct record *r, size_t i)
{
	struct rule_set rules;
	char why[120];

	if (rule_set_decode(&rules, d->json, why, sizeof(why))) {
		problem_add(d->p, d->pointer, "bad_rule", NULL, "%s", why);
		return 0;
	}
	(void)f;
	return json_put(r, i, d->json);
}


static int name_rules_value(const struct decode *d, const struct field *f,
			    struct record *r, size_t i)
{
	struct name_rules rules;
	char why[160];

	if (name_rules_decode(&rules, d->json, why, sizeof(why))) {
		problem_add(d->p, d->pointer, "bad_rule", NULL, "%s", why);
		return 0;
	}
	(void)f;
	return json_put(r, i, d->json);
}


/* Elements are decoded for their faults; the column takes the JSON as sent */
static int list_value(const struct decode *d, const struct field *f,
		      struct record *r, size_t i)
{
	const size_t count = json_array_size(d->json);
	int err = 0;

	if (!json_is_array(d->json))
		return refuse(d, f, "wrong_type", "an array");
	if ((int64_t)count < f->min || (int64_t)count > f->max)
		return refuse_range(d, f, "number of elements");

	for (size_t k = 0; k < count && !err; k++) {
		char pointer[POINTER_SIZE], name[24];
		struct record *item = NULL;

		text_format(name, sizeof(name), "%zu", k);
		pointer_join(pointer, sizeof(pointer), d->pointer, name);
		err = record_decode(&item, f->items,
				    json_array_get(d->json, k), pointer, d->p);
		mem_deref(item);
	}
	return err ? err : json_put(r, i, d->json);
}


typedef int(value_h)(const struct decode *d, const struct field *f,
		     struct record *r, size_t i);

static value_h *const value_of[] = {
	[FIELD_TEXT] = text_value,       [FIELD_SECRET] = text_value,
	[FIELD_ID] = id_value,           [FIELD_CHOICE] = choice_value,
	[FIELD_CHOICES] = choices_value, [FIELD_NUMBER] = number_value,
	[FIELD_FLAG] = flag_value,       [FIELD_MONEY] = decimal_value,
	[FIELD_RATE] = decimal_value,    [FIELD_TIME] = time_value,
	[FIELD_E164] = e164_value,       [FIELD_IP] = address_value,
	[FIELD_CIDR] = address_value,    [FIELD_RULES] = rules_value,
	[FIELD_LIST] = list_value,       [FIELD_CIDRS] = cidrs_value,
	[FIELD_NAME_RULES] = name_rules_value,
};


/* --- one object -------------------------------------------------------- */

static int field_decode(struct record *r, size_t i, const json_t *body,
			const char *parent, struct problem *p)
{
	const struct field *f = &r->set->fields[i];
	char pointer[POINTER_SIZE];
	const struct decode d = {
		.p = p,
		.pointer = field_pointer(pointer, sizeof(pointer), parent,
					 f->name),
		.json = field_get(body, f->name),
	};

	if (!d.json) {
		if (f->flags & F_REQUIRED)
			problem_add(p, pointer, "required", NULL,
				    "is missing");
		return 0;
	}
	if (f->flags & F_READ_ONLY) {
		problem_add(p, pointer, "read_only", NULL,
			    "is made by the server and cannot be set");
		return 0;
	}
	if (json_is_null(d.json)) {
		if (!(f->flags & F_NULLABLE))
			problem_add(p, pointer, "wrong_type", NULL,
				    "must not be null");
		r->v[i].state = VALUE_NULL;
		return 0;
	}
	return value_of[f->type](&d, f, r, i);
}


/* Is name a member of ours at this level, or the head of "name.inner"? */
static bool is_known(const struct field_set *set, const char *outer,
		     const char *name, bool *ret_nested)
{
	const size_t len = strlen(name), at = outer ? strlen(outer) + 1 : 0;

	*ret_nested = false;
	for (size_t i = 0; i < set->n; i++) {
		const char *s = set->fields[i].name;

		if (outer && (strncmp(s, outer, at - 1) != 0 ||
			      s[at - 1] != '.'))
			continue;
		s += at;
		if (strncmp(s, name, len) != 0)
			continue;
		if (!s[len])
			return true;
		if (!outer && s[len] == '.') {
			*ret_nested = true;
			return true;
		}
	}
	return false;
}


static void check_members(const struct field_set *set, const char *outer,
			  const json_t *body, const char *parent,
			  struct problem *p)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)body, name, value) {
		char pointer[POINTER_SIZE];
		bool nested;

		pointer_join(pointer, sizeof(pointer), parent, name);
		if (!is_known(set, outer, name, &nested)) {
			problem_add(p, pointer, "unknown", NULL,
				    "is not a member of this resource");
		} else if (nested && json_is_object(value)) {
			check_members(set, name, value, pointer, p);
		} else if (nested && !json_is_null(value)) {
			problem_add(p, pointer, "wrong_type", value,
				    "must be an object");
		}
	}
}


static int object_decode(struct record *r, const json_t *body,
			 const char *parent, struct problem *p)
{
	int err = 0;

	if (!json_is_object(body)) {
		problem_add(p, parent, "wrong_type", body,
			    "must be an object");
		return 0;
	}

	check_members(r->set, NULL, body, parent, p);
	for (size_t i = 0; i < r->set->n && !err; i++)
		err = field_decode(r, i, body, parent, p);

	return err;
}


int record_decode(struct record **rp, const struct field_set *set,
		  const json_t *body, const char *at, struct problem *p)
{
	struct record *r;
	int err;

	if (!rp || !set || set->n > FIELDS_MAX || !p)
		return EINVAL;

	r = mem_zalloc(sizeof(*r), record_destructor);
	if (!r)
		return ENOMEM;

	r->set = set;
	err = object_decode(r, body, at, p);

	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}


json_t *field_cell(const struct field *f, const char *text)
{
	uint64_t v;

	if (!*text)
		return NULL;
	if (f->type == FIELD_NUMBER &&
	    !text_u64(&v, text, strlen(text), INT64_MAX))
		return json_integer((json_int_t)v);
	if (f->type == FIELD_FLAG && !strcmp(text, "true"))
		return json_true();
	if (f->type == FIELD_FLAG && !strcmp(text, "false"))
		return json_false();

	return json_string(text);
}
