/**
 * @file problem.c  Problem details (RFC 9457) and JSON pointers (RFC 6901).
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "problem.h"
#include "text.h"

#define VALUE_MAX 128 /* characters of a faulty value that are sent back */

static const struct problem_row rows[] = {
#define X(name, code_, status_, title_, help_) \
	[name] = {.code = (code_), .title = (title_), .help = (help_), \
		  .status = (status_)},
	PROBLEMS(X)
#undef X
};


const struct problem_row *problem_row(enum problem_kind kind)
{
	return &rows[kind < PROBLEM_N ? kind : PROBLEM_INTERNAL];
}


const struct problem_row *problem_find(const char *code)
{
	for (size_t i = PROBLEM_NONE + 1; i < PROBLEM_N; i++) {
		if (!strcmp(rows[i].code, code))
			return &rows[i];
	}
	return NULL;
}


int problem_status(const struct problem *p)
{
	return problem_row(p->kind)->status;
}


/* Bytes of the character at s (RFC 3629 4), 0 when it is none. A NUL ends
   every sequence early, so nothing is read past the text. */
static size_t utf8_len(const unsigned char *s)
{
	const size_t len = *s < 0x80	? 1
			   : *s < 0xc2	? 0
			   : *s < 0xe0	? 2
			   : *s < 0xf0	? 3
			   : *s < 0xf5	? 4
					: 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;

	/* too long a form, a surrogate half, beyond U+10FFFF */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;

	return len;
}


/* JSON carries UTF-8 alone: what a body said, or what was cut to fit, may be
   something else, and then each odd byte is shown as '?'. */
static void format_utf8(char *buf, size_t size, const char *fmt, va_list ap)
{
	size_t len;

	if (vsnprintf(buf, size, fmt, ap) < 0)
		*buf = '\0';

	for (char *s = buf; *s; s += len) {
		len = utf8_len((const unsigned char *)s);
		if (!len) {
			*s = '?';
			len = 1;
		}
	}
}


void problem_set(struct problem *p, enum problem_kind kind, const char *fmt,
		 ...)
{
	va_list ap;

	if (problem_is_set(p))
		return;

	p->kind = kind;
	va_start(ap, fmt);
	format_utf8(p->detail, sizeof(p->detail), fmt, ap);
	va_end(ap);
}


/* Long texts and whole objects are not sent back */
static json_t *value_copy(const json_t *value)
{
	if (json_is_object(value) || json_is_array(value) ||
	    json_string_length(value) > VALUE_MAX)
		return NULL;

	return json_deep_copy(value);
}


void problem_add(struct problem *p, const char *pointer, const char *code,
		 const json_t *value, const char *fmt, ...)
{
	char detail[256], whole[256];
	json_t *error, *copy;
	va_list ap;

	problem_set(p, PROBLEM_VALIDATION, "%s", "");
	if (!p->errors)
		p->errors = json_array();
	if (json_array_size(p->errors) >= PROBLEM_ERRORS_MAX) {
		++p->dropped;
		return;
	}

	va_start(ap, fmt);
	format_utf8(detail, sizeof(detail), fmt, ap);
	va_end(ap);

	(void)text_format(whole, sizeof(whole), "%s%s", p->at, pointer);
	error = json_pack("{s:s, s:s, s:s}", "pointer", whole, "code", code,
			  "detail", detail);
	copy = value_copy(value);
	if (copy)
		json_object_set_new(error, "value", copy);
	json_array_append_new(p->errors, error);
}


json_t *problem_encode(const struct problem *p, const char *instance,
		       const char *request_id)
{
	const struct problem_row *row = problem_row(p->kind);
	const char *detail = *p->detail ? p->detail : row->help;
	char type[64];
	json_t *doc;

	text_format(type, sizeof(type), "/problems/%s", row->code);
	doc = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "type", type,
			"title", row->title, "status", row->status, "detail",
			detail, "instance", instance, "code", row->code,
			"request_id", request_id);
	if (doc && p->errors)
		json_object_set(doc, "errors", p->errors);
	if (doc && p->dropped)
		json_object_set_new(doc, "errors_omitted",
				    json_integer((json_int_t)p->dropped));
	return doc;
}


void problem_clear(struct problem *p)
{
	json_decref(p->errors);
	memset(p, 0, sizeof(*p));
}


const char *pointer_join(char *buf, size_t size, const char *parent,
			 const char *name)
{
	size_t n;

	text_copy(buf, size, parent);
	n = strlen(buf);
	if (n + 1 < size)
		buf[n++] = '/';

	for (; *name && n + 2 < size; name++) {
		if (*name == '~' || *name == '/') {
			buf[n++] = '~';
			buf[n++] = *name == '~' ? '0' : '1';
		} else {
			buf[n++] = *name;
		}
	}
	/* a name cut within a character would not be UTF-8 */
	if (*name) {
		while (n && ((unsigned char)buf[n - 1] & 0xc0) == 0x80)
			--n;
		if (n && (unsigned char)buf[n - 1] >= 0xc0)
			--n;
	}
	buf[n] = '\0';

	return buf;
}
