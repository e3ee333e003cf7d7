/**
 * @file name_rule.c  Rules for names: decoded from JSON, applied to a name.
 */
#include <errno.h>
#include <string.h>
#include "json.h"
#include "latin.h"
#include "name_rule.h"
#include "text.h"

#define MAX_CHARACTERS (NAME_BYTES - 1)

/* A member that is one of some words; the first is meant when it is absent. */
struct choice {
	const char *name, *is;
	const char *words[5];
};

static const struct choice when = {
	"when", "any, empty, given or number",
	{"any", "empty", "given", "number"}};
static const struct choice action = {
	"action", "pass, remove, text or number",
	{"pass", "remove", "text", "number"}};
static const struct choice charset = {
	"charset", "utf8 or ascii", {"utf8", "ascii"}};


/* --- from JSON */

static int choice_decode(uint8_t *ret, const json_t *rule,
			 const struct choice *of, char *why, size_t size)
{
	const json_t *value = json_object_get(rule, of->name);
	const char *text = json_string_value(value);

	*ret = 0;
	if (!value)
		return 0;

	for (uint8_t i = 0; text && of->words[i]; i++) {
		if (!strcmp(text, of->words[i])) {
			*ret = i;
			return 0;
		}
	}

	(void)text_format(why, size, "%s: %s", of->name, of->is);

	return EINVAL;
}


static bool is_clean(const char *text)
{
	uint32_t c;
	size_t n;

	for (; *text; text += n) {
		n = text_utf8(&c, text);
		if (!n || c < ' ' || c == 0x7f)
			return false;
	}

	return true;
}


static int text_decode(char buf[NAME_PART], const json_t *rule,
		       const char *name, char *why, size_t size)
{
	const json_t *value = json_object_get(rule, name);
	const char *text = json_string_value(value);

	buf[0] = '\0';
	if (!value)
		return 0;
	if (text && strlen(text) == json_string_length(value) &&
	    is_clean(text) && !text_copy(buf, NAME_PART, text))
		return 0;

	(void)text_format(why, size,
			  "%s: at most %d bytes without control characters",
			  name, NAME_PART - 1);

	return EINVAL;
}


static int prefix_decode(struct name_rule *r, const json_t *rule, char *why,
			 size_t size)
{
	const json_t *value = json_object_get(rule, "prefix");
	const char *text = json_string_value(value);

	if (!value)
		return 0;
	if (text && text[0] == '+' &&
	    strspn(text + 1, "0123456789") == json_string_length(value) - 1 &&
	    !text_copy(r->prefix, sizeof(r->prefix), text))
		return 0;

	(void)text_format(why, size, "prefix: + and at most %d digits",
			  RULE_TEXT - 2);

	return EINVAL;
}


static int max_decode(struct name_rule *r, const json_t *rule, char *why,
		      size_t size)
{
	const json_t *value = json_object_get(rule, "max");
	const json_int_t n = json_integer_value(value);

	if (!value)
		return 0;
	if (json_is_integer(value) && n >= 1 && n <= MAX_CHARACTERS) {
		r->max = (uint8_t)n;
		return 0;
	}

	(void)text_format(why, size, "max: an integer 1..%d", MAX_CHARACTERS);

	return EINVAL;
}


/* A misspelt member would silently change what the rule does. */
static int names_check(const json_t *rule, char *why, size_t size)
{
	static const char *const known[] = {"when", "prefix", "action", "text",
					    "before", "after", "max",
					    "charset"};
	size_t seen = 0;

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		seen += json_object_get(rule, known[i]) != NULL;
	if (json_is_object(rule) && seen == json_object_size(rule))
		return 0;

	(void)text_copy(why, size, "members: when, prefix, action, text, "
				   "before, after, max, charset and no other");

	return EINVAL;
}


/* What would have no effect is a mistake. */
static int sense_check(const struct name_rule *r, char *why, size_t size)
{
	const char *wrong = NULL;

	if ((r->action == NAME_REPLACE) != (r->text[0] != '\0'))
		wrong = "text: of action text, and only of it";
	else if (r->action == NAME_REMOVE && (r->before[0] || r->after[0]))
		wrong = "before, after: not of action remove";
	if (!wrong)
		return 0;

	(void)text_copy(why, size, wrong);

	return EINVAL;
}


static int rule_decode(struct name_rule *r, const json_t *json, char *why,
		       size_t size)
{
	uint8_t is_ascii;

	if (names_check(json, why, size) ||
	    choice_decode(&r->when, json, &when, why, size) ||
	    choice_decode(&r->action, json, &action, why, size) ||
	    choice_decode(&is_ascii, json, &charset, why, size) ||
	    prefix_decode(r, json, why, size) ||
	    text_decode(r->text, json, "text", why, size) ||
	    text_decode(r->before, json, "before", why, size) ||
	    text_decode(r->after, json, "after", why, size) ||
	    max_decode(r, json, why, size))
		return EINVAL;

	r->is_ascii = is_ascii;

	return sense_check(r, why, size);
}


int name_rules_decode(struct name_rules *ret, const struct json_t *array,
		      char *why, size_t size)
{
	struct name_rules set = {0};
	char detail[128];

	if (!json_is_array(array) || json_array_size(array) > NAME_RULES_MAX) {
		(void)text_format(why, size, "an array of at most %d rules",
				  NAME_RULES_MAX);
		return EINVAL;
	}

	for (size_t i = 0; i < json_array_size(array); i++) {
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


/* --- to a name */

static bool is_number(const char *name)
{
	return strpbrk(name, "0123456789") &&
	       !name[strspn(name, "0123456789+*#-./() ")];
}


static bool holds(const struct name_rule *r, const struct name_bearer *who)
{
	const bool is_given = who->name[strspn(who->name, " ")] != '\0';

	if (strncmp(who->e164, r->prefix, strlen(r->prefix)) != 0)
		return false;

	switch ((enum name_when)r->when) {
	case NAME_ANY:
		return true;
	case NAME_EMPTY:
		return !is_given;
	case NAME_GIVEN:
		return is_given;
	case NAME_NUMBER:
		return is_number(who->name);
	}

	return false;
}


static const char *base_of(const struct name_rule *r,
			   const struct name_bearer *who)
{
	switch ((enum name_action)r->action) {
	case NAME_PASS:
		return who->name;
	case NAME_REMOVE:
		return "";
	case NAME_REPLACE:
		return r->text;
	case NAME_SHOW_NUMBER:
		return who->number;
	}

	return "";
}


/* A name under construction. */
struct draft {
	char *buf;
	size_t len;
	unsigned left;             /* characters that it may still get */
};


static bool put(struct draft *d, const char *bytes, size_t n)
{
	if (!d->left || d->len + n >= NAME_BYTES)
		return false;

	memcpy(d->buf + d->len, bytes, n);
	d->len += n;
	--d->left;

	return true;
}


static void put_text(struct draft *d, const char *text, bool is_ascii)
{
	bool fits = true;
	uint32_t c;
	size_t n;

	for (; *text && fits; text += n) {
		n = text_utf8(&c, text);
		if (!n) {
			/* some say it in ISO 8859-1: for them each byte is
			   the character */
			c = (uint8_t)*text;
			n = 1;
		}
		if (c < 0x80 || !is_ascii) {
			fits = put(d, text, n);
			continue;
		}
		for (const char *s = latin_ascii(c); *s && fits; s++)
			fits = put(d, s, 1);
	}
}


/* Blanks at the ends are nothing to show. */
static void trim(char *name)
{
	const size_t blank = strspn(name, " ");
	size_t len = strlen(name + blank);

	memmove(name, name + blank, len + 1);
	while (len && name[len - 1] == ' ')
		name[--len] = '\0';
}


static void make(const struct name_rule *r, const char *base, char *ret)
{
	char inner[NAME_BYTES];
	struct draft d = {.buf = inner, .left = MAX_CHARACTERS};

	/* of what nothing is left, nothing is shown */
	put_text(&d, base, r->is_ascii);
	inner[d.len] = '\0';
	trim(inner);
	ret[0] = '\0';
	if (!inner[0])
		return;

	d = (struct draft){.buf = ret,
			   .left = r->max ? r->max : MAX_CHARACTERS};
	put_text(&d, r->before, r->is_ascii);
	put_text(&d, inner, false);
	put_text(&d, r->after, r->is_ascii);
	ret[d.len] = '\0';
	trim(ret);
}


int name_rule_apply(const struct name_rules *set,
		    const struct name_bearer *who, char ret[NAME_BYTES])
{
	for (int i = 0; i < set->n; i++) {
		if (holds(&set->rules[i], who)) {
			make(&set->rules[i], base_of(&set->rules[i], who),
			     ret);
			return i;
		}
	}

	(void)text_copy(ret, NAME_BYTES, who->name);

	return -1;
}
