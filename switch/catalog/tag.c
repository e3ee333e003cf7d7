/** @file tag.c  See tag.h. */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "tag.h"
#include "text.h"


bool tag_is_valid(const char *name)
{
	const size_t len = strlen(name);

	return len && len < TAG_SIZE &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == len;
}


int tag_list_decode(struct tag_list *ret, const struct json_t *array)
{
	struct tag_list list = {.words = ""};
	size_t i, at = 0;

	if (!json_is_array(array) || json_array_size(array) > TAG_LIST_MAX)
		return EINVAL;

	for (i = 0; i < json_array_size(array); i++) {
		const char *name = json_string_value(json_array_get(array, i));

		if (!name || !tag_is_valid(name) ||
		    text_format(list.words + at, sizeof(list.words) - at,
				"%s ", name))
			return EINVAL;
		at += strlen(name) + 1;
	}

	*ret = list;

	return 0;
}


static int number_of(struct tag_table *table, const char *name, size_t len,
		     uint16_t *ret)
{
	uint16_t i;

	for (i = 0; i < table->n; i++) {
		if (!strncmp(table->names[i], name, len) &&
		    !table->names[i][len])
			break;
	}
	if (i == TAG_MAX)
		return ENOSPC;

	if (i == table->n)
		(void)text_set(table->names[table->n++], TAG_SIZE, name, len);
	*ret = i;

	return 0;
}


int tag_intern(struct tag_set *ret, struct tag_table *table,
	       const struct tag_list *list)
{
	const char *word = list->words;
	uint16_t number;

	memset(ret, 0, sizeof(*ret));

	while (*word) {
		const size_t len = strcspn(word, " ");

		if (number_of(table, word, len, &number))
			return ENOSPC;
		ret->bits[number / 64] |= UINT64_C(1) << number % 64;
		word += len + 1;
	}

	return 0;
}


void tag_set_join(struct tag_set *to, const struct tag_set *more)
{
	for (size_t i = 0; i < TAG_MAX / 64; i++)
		to->bits[i] |= more->bits[i];
}


bool tag_set_has(const struct tag_set *have, const struct tag_set *need)
{
	for (size_t i = 0; i < TAG_MAX / 64; i++) {
		if (need->bits[i] & ~have->bits[i])
			return false;
	}

	return true;
}


const char *tag_set_format(char *buf, size_t size,
			   const struct tag_table *table,
			   const struct tag_set *set)
{
	size_t at = 0;

	buf[0] = '\0';
	for (uint16_t i = 0; i < table->n; i++) {
		if (!(set->bits[i / 64] >> i % 64 & 1))
			continue;
		if (text_format(buf + at, size - at, "%s%s", at ? " " : "",
				table->names[i]))
			break;
		at += strlen(buf + at);
	}

	return buf;
}
