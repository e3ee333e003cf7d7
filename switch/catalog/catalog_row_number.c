/**
 * @file catalog_row_number.c  Numbers and ranges, and the numbering plan.
 */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "catalog_row_number.h"
#include "prefix.h"
#include "text.h"

#define NUMBERING_MAX 65536


/* Of a list that is too long nothing is decoded. */
static size_t list_size(const json_t *json, const char *name, size_t max,
			size_t size)
{
	const size_t n = json_array_size(json_object_get(json, name));

	return n <= max ? n * size : 0;
}


size_t row_numbers_size(enum row_kind kind, const json_t *json)
{
	if (kind == ROW_NUMBERING)
		return list_size(json, "rows", NUMBERING_MAX,
				 sizeof(struct numbering));
	if (kind == ROW_NUMBER_LIST)
		return list_size(json, "entries", NUMBER_ENTRIES_MAX,
				 sizeof(struct list_entry));

	return kind == ROW_TENANT || kind == ROW_TRUNK ||
			       kind == ROW_GATEWAY || kind == ROW_ROUTING_PLAN
		       ? sizeof(struct number_refs)
		       : 0;
}


void *row_numbers(const struct row_body *body)
{
	/* of a kind that has no targets: right behind the body */
	return (void *)(uintptr_t)(body + 1);
}


int did_decode(struct row_body *body, const json_t *json)
{
	const struct did *d = &body->did;

	(void)json;
	if (!number_is_e164(d->e164))
		return EINVAL;
	if (!d->e164_last[0])
		return 0;

	return number_is_e164(d->e164_last) &&
			       strlen(d->e164_last) == strlen(d->e164) &&
			       strcmp(d->e164_last, d->e164) > 0
		       ? 0
		       : EINVAL;
}


static uint8_t type_find(const char *name)
{
	for (uint8_t i = 0; i < NUMBERING_TYPE_N; i++) {
		if (!strcmp(numbering_type_name(i), name))
			return i;
	}

	/* a newer database may know more of them */
	return NUMBERING_UNKNOWN;
}


/* [prefix, country, network, type, min, max] */
static int number_decode(struct numbering *n, const json_t *array)
{
	const char *prefix, *country, *network, *type;
	json_int_t min, max;

	/* unpacking only reads; jansson takes no const */
	if (json_unpack((json_t *)(uintptr_t)array, "[ssssII!]", &prefix,
			&country, &network, &type, &min, &max))
		return EINVAL;

	n->key = prefix_key(prefix);
	if (!n->key || min < 0 || max < min || max > PREFIX_DIGITS_MAX ||
	    text_copy(n->country, sizeof(n->country), country) ||
	    text_copy(n->network, sizeof(n->network), network))
		return EINVAL;

	n->min_len = (uint8_t)min;
	n->max_len = (uint8_t)max;
	n->type = type_find(type);

	return 0;
}


int numbering_decode(struct row_body *body, const json_t *json)
{
	const json_t *rows = json_object_get(json, "rows");
	struct numbering *list = row_numbers(body);

	if (!json_is_array(rows) || json_array_size(rows) > NUMBERING_MAX)
		return EINVAL;

	for (size_t i = 0; i < json_array_size(rows); i++) {
		if (number_decode(&list[i], json_array_get(rows, i)))
			return EINVAL;
	}
	body->number_n = (uint32_t)json_array_size(rows);

	return 0;
}
