/**
 * @file rule.c  Number rules: decoded from JSON, applied to a number.
 */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "rule.h"
#include "text.h"

#define NUMBER_MAX 32


/** One optional leading '+', then digits, '*' and '#'. */
static bool is_number_text(const char *s)
{
	if (*s == '+')
		++s;

	return s[strspn(s, "0123456789*#")] == '\0';
}


static int text_decode(char buf[RULE_TEXT], const json_t *rule,
		       const char *name, char *why, size_t size)
{
	const json_t *value = json_object_get(rule, name);
	const char *text = json_string_value(value);

	buf[0] = '\0';
	if (!value)
		return 0;

	if (!text || strlen(text) != json_string_length(value) ||
	    !is_number_text(text) || text_copy(buf, RULE_TEXT, text)) {
		(void)text_format(why, size,
				  "%s: at most %d of 0-9 * # after a +",
				  name, RULE_TEXT - 1);
		return EINVAL;
	}

	return 0;
}


static int length_decode(uint8_t *ret, const json_t *rule, const char *name,
			 uint8_t fallback, char *why, size_t size)
{
	const json_t *value = json_object_get(rule, name);
	json_int_t n;

	*ret = fallback;
	if (!value)
		return 0;

	n = json_integer_value(value);
	if (!json_is_integer(value) || n < 0 || n > NUMBER_MAX) {
		(void)text_format(why, size, "%s: an integer 0..%d", name,
				  NUMBER_MAX);
		return EINVAL;
	}

	*ret = (uint8_t)n;

	return 0;
}


/** A misspelt member would silently change what the rule does. */
static int names_check(const json_t *rule, char *why, size_t size)
{
	static const char *const known[] = {"prefix", "min", "max", "strip",
					    "add"};
	size_t seen = 0, i;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (json_object_get(rule, known[i]))
			++seen;
	}

	if (seen == json_object_size(rule))
		return 0;

	(void)text_copy(why, size,
			"members: prefix, min, max, strip, add and no other");

	return EINVAL;
}


static int rule_decode(struct rule *r, const json_t *json, char *why,
		       size_t size)
{
	if (!json_is_object(json)) {
		(void)text_copy(why, size, "an object");
		return EINVAL;
	}

	if (names_check(json, why, size) ||
	    text_decode(r->prefix, json, "prefix", why, size) ||
	    text_decode(r->add, json, "add", why, size) ||
	    length_decode(&r->min, json, "min", 0, why, size) ||
	    length_decode(&r->max, json, "max", NUMBER_MAX, why, size) ||
	    length_decode(&r->strip, json, "strip", 0, why, size))
		return EINVAL;

	if (r->min > r->max) {
		(void)text_copy(why, size, "min: not above max");
		return EINVAL;
	}

	return 0;
}


int rule_set_decode(struct rule_set *ret, const struct json_t *array,
		    char *why, size_t size)
{
	struct rule_set set = {0};
	char detail[96];
	size_t i;

	if (!json_is_array(array) || json_array_size(array) > RULES_MAX) {
		(void)text_format(why, size, "an array of at most %d rules",
				  RULES_MAX);
		return EINVAL;
	}

	for (i = 0; i < json_array_size(array); i++) {
		if (rule_decode(&set.rules[i], json_array_get(array, i),
				detail, sizeof(detail))) {
			(void)text_format(why, size, "[%zu].%s", i, detail);
			return EINVAL;
		}
		++set.n;
	}

	*ret = set;

	return 0;
}


static bool rule_matches(const struct rule *r, const char *number, size_t len)
{
	return len >= r->min && len <= r->max && len >= r->strip &&
	       !strncmp(number, r->prefix, strlen(r->prefix));
}


int rule_index(const struct rule_set *set, const char *number)
{
	const size_t len = strlen(number);

	for (int i = 0; i < set->n; i++) {
		if (rule_matches(&set->rules[i], number, len))
			return i;
	}

	return -1;
}


int rule_apply(const struct rule_set *set, const char *number, char *ret,
	       size_t size)
{
	const int i = rule_index(set, number);

	if (!set->n)
		return text_copy(ret, size, number);

	return i < 0 ? ENOENT
		     : text_format(ret, size, "%s%s", set->rules[i].add,
				   number + set->rules[i].strip);
}


bool number_is_e164(const char *number)
{
	size_t digits;

	if (number[0] != '+' || number[1] == '0')
		return false;

	digits = strspn(number + 1, "0123456789");

	return digits >= 5 && digits <= 15 && number[1 + digits] == '\0';
}


bool number_is_dialable(const char *number)
{
	const size_t len = strnlen(number, NUMBER_MAX + 1);

	return len <= NUMBER_MAX && len > (number[0] == '+' ? 1 : 0) &&
	       is_number_text(number);
}
