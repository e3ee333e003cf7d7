/**
 * @file catalog_row_policy.c  Rows of number lists, and the members of peers
 * that say what their numbers go through.
 */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "catalog_row_number.h"
#include "text.h"


static int name_find(uint8_t *ret, const char *const *names,
		     const json_t *value)
{
	const char *text = json_string_value(value);

	for (uint8_t i = 0; text && names[i]; i++) {
		if (!strcmp(text, names[i])) {
			*ret = i;
			return 0;
		}
	}

	return EINVAL;
}


/* [number, is_prefix, replacement, expires_ms or null] */
static int entry_decode(struct list_entry *e, const json_t *array)
{
	const char *number, *replacement;
	json_t *expires;
	int is_prefix;

	/* unpacking only reads; jansson takes no const */
	if (json_unpack((json_t *)(uintptr_t)array, "[sbso!]", &number,
			&is_prefix, &replacement, &expires))
		return EINVAL;

	e->key = prefix_key(number);
	e->is_prefix = is_prefix;
	e->expires_ms = json_is_integer(expires)
				? json_integer_value(expires)
				: INT64_MAX;

	return !e->key || text_copy(e->replacement, sizeof(e->replacement),
				    replacement)
		       ? EINVAL
		       : 0;
}


int number_list_decode(struct row_body *body, const json_t *json)
{
	static const char *const kinds[] = {"allow", "deny", "rewrite", "tag",
					    NULL};
	static const char *const subjects[] = {"calling", "called", NULL};
	const json_t *entries = json_object_get(json, "entries");
	struct list_entry *list = row_numbers(body);

	if (name_find(&body->number_list.kind, kinds,
		      json_object_get(json, "kind")) ||
	    name_find(&body->number_list.subject, subjects,
		      json_object_get(json, "subject")) ||
	    !json_is_array(entries) ||
	    json_array_size(entries) > NUMBER_ENTRIES_MAX)
		return EINVAL;

	for (size_t i = 0; i < json_array_size(entries); i++) {
		if (entry_decode(&list[i], json_array_get(entries, i)))
			return EINVAL;
	}
	body->number_n = (uint32_t)json_array_size(entries);

	return 0;
}


static int lists_decode(struct number_refs *refs, const json_t *lists)
{
	const size_t n = json_array_size(lists);

	if (n > NUMBER_LISTS_MAX)
		return EINVAL;

	for (size_t i = 0; i < n; i++) {
		const char *id = json_string_value(json_array_get(lists, i));

		if (!id || text_copy(refs->lists[i], sizeof(refs->lists[i]),
				     id))
			return EINVAL;
	}
	refs->list_n = (uint8_t)n;

	return 0;
}


static int use_decode(struct number_refs *refs, const json_t *use)
{
	static const char *const directions[] = {"in", "out", NULL};
	static const char *const subjects[] = {"calling", "called",
					       "diversion", "identity", "name",
					       NULL};
	const char *id = json_string_value(json_object_get(use,
							   "rule_set_id"));
	uint8_t direction, subject;

	if (!id || name_find(&direction, directions,
			     json_object_get(use, "direction")) ||
	    name_find(&subject, subjects, json_object_get(use, "subject")))
		return EINVAL;

	return text_copy(refs->rules[direction][subject],
			 sizeof(refs->rules[direction][subject]), id)
		       ? EINVAL
		       : 0;
}


static int sources_decode(struct number_policy *p, const json_t *sources)
{
	static const char *const names[] = {"from", "pai", "ppi", "rpid",
					    "diversion", NULL};
	const size_t n = json_array_size(sources);

	if (n > SOURCE_N)
		return EINVAL;

	for (size_t i = 0; i < n; i++) {
		if (name_find(&p->sources[i], names,
			      json_array_get(sources, i)))
			return EINVAL;
	}
	p->source_n = (uint8_t)n;

	return 0;
}


static bool is_flag(const json_t *json, const char *name)
{
	return json_is_true(json_object_get(json, name));
}


static bool is_text(const json_t *json, const char *name, const char *text)
{
	const char *value = json_string_value(json_object_get(json, name));

	return value && !strcmp(value, text);
}


int policy_decode(struct number_policy *p, struct row_body *body,
		  const json_t *json)
{
	const json_t *uses = json_object_get(json, "number_rules");
	const char *domain = json_string_value(json_object_get(
		json, "identity_domain"));
	struct number_refs *refs = row_numbers(body);

	if (lists_decode(refs, json_object_get(json, "number_lists")) ||
	    sources_decode(p, json_object_get(json, "calling_sources")) ||
	    text_copy(p->domain, sizeof(p->domain), domain ? domain : ""))
		return EINVAL;

	for (size_t i = 0; i < json_array_size(uses); i++) {
		if (use_decode(refs, json_array_get(uses, i)))
			return EINVAL;
	}

	p->called_in_to = is_text(json, "called_source", "to");
	p->is_tel = is_text(json, "identity_uri", "tel");
	p->sends_ppi = is_flag(json, "send_ppi");
	p->sends_rpid = is_flag(json, "send_rpid");
	p->sends_diversion = is_flag(json, "send_diversion");
	p->sends_history = is_flag(json, "send_history");

	return 0;
}


int trunk_decode(struct row_body *body, const json_t *json)
{
	return policy_decode(&body->trunk.numbers, body, json);
}


int number_lists_decode(struct row_body *body, const json_t *json)
{
	return lists_decode(row_numbers(body),
			    json_object_get(json, "number_lists"));
}


int grant_decode(struct row_body *body, const json_t *json)
{
	const struct cli_grant *g = &body->grant;

	(void)json;
	if (!number_is_e164(g->e164) ||
	    (g->e164_last[0] && (!number_is_e164(g->e164_last) ||
				 strlen(g->e164) != strlen(g->e164_last))))
		return EINVAL;

	return 0;
}


int short_code_decode(struct row_body *body, const json_t *json)
{
	(void)json;

	return number_is_e164(body->short_code.e164) &&
			       number_is_dialable(body->short_code.code)
		       ? 0
		       : EINVAL;
}


int schedule_row_decode(struct row_body *body, const json_t *json)
{
	return schedule_decode(&body->schedule, json);
}


int zone_row_decode(struct row_body *body, const json_t *json)
{
	return zone_decode(&body->zone, json);
}
