/**
 * @file merge_patch.c  JSON Merge Patch (RFC 7396) on the members that a
 * client may send.
 */
#include "json.h"
#include <string.h>
#include "field.h"
#include "text.h"

#define OUTER_MAX 64 /* of "outer.inner" */


json_t *field_writable(const struct field_set *set, const json_t *doc)
{
	json_t *out = json_object();

	for (size_t i = 0; i < set->n; i++) {
		const struct field *f = &set->fields[i];
		const char *dot = strchr(f->name, '.');
		json_t *value = field_get(doc, f->name), *inner;
		char outer[OUTER_MAX];

		if (!value || f->flags & F_READ_ONLY)
			continue;
		if (!dot) {
			json_object_set(out, f->name, value);
			continue;
		}
		text_set(outer, sizeof(outer), f->name,
			 (size_t)(dot - f->name));
		inner = json_object_get(out, outer);
		if (!inner) {
			inner = json_object();
			json_object_set_new(out, outer, inner);
		}
		json_object_set(inner, dot + 1, value);
	}
	return out;
}


/* RFC 7396 2: the pseudo code, which is its own best comment */
json_t *merge_patch(const json_t *target, const json_t *patch)
{
	const char *name;
	json_t *out, *value;

	if (!json_is_object(patch))
		return json_deep_copy(patch);

	out = json_is_object(target) ? json_copy((json_t *)target)
				     : json_object();
	json_object_foreach((json_t *)patch, name, value) {
		if (json_is_null(value))
			json_object_del(out, name);
		else
			json_object_set_new(
				out, name,
				merge_patch(json_object_get(out, name),
					    value));
	}
	return out;
}
