/**
 * @file why.c  Notes of a decision, written as JSON when they are taken: an
 * append to one buffer that grows by need.
 */
#include "why.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "text.h"

#define FIRST_SIZE 768
#define TAIL_SIZE 48 /* the last note and "]" always fit */

struct why {
	char *buf;          /**< "[note,note", not terminated               */
	size_t len, size;
	uint32_t dropped;   /**< notes that did not fit                     */
};

static const char *const names[WHY_STEP_N] = {
#define X(name, text, tells) [name] = text,
	WHY_STEPS(X)
#undef X
};


static void destroy(void *arg)
{
	struct why *why = arg;

	mem_deref(why->buf);
}


int why_alloc(struct why **wp)
{
	struct why *why = mem_zalloc(sizeof(*why), destroy);

	if (!why)
		return ENOMEM;

	why->buf = mem_alloc(FIRST_SIZE, NULL);
	if (!why->buf) {
		mem_deref(why);
		return ENOMEM;
	}
	why->size = FIRST_SIZE;
	why->buf[0] = '[';
	why->len = 1;
	*wp = why;

	return 0;
}


static int resize(struct why *why, size_t size)
{
	char *buf = mem_realloc(why->buf, size);

	if (!buf)
		return ENOMEM;

	why->buf = buf;
	why->size = size;

	return 0;
}


static int put(struct why *why, const char *p, size_t n)
{
	if (why->len + n > why->size &&
	    resize(why, 2 * why->size > why->len + n ? 2 * why->size
						     : why->len + n))
		return ENOMEM;

	memcpy(why->buf + why->len, p, n);
	why->len += n;

	return 0;
}


static int put_text(struct why *why, const char *text)
{
	return put(why, text, strlen(text));
}


static bool is_plain(uint8_t c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}


/* How many bytes can stand as they are? */
static size_t plain_bytes(const char *text)
{
	size_t n = 0, more;
	uint32_t c;

	do {
		while (is_plain((uint8_t)text[n]))
			++n;
		more = (uint8_t)text[n] > 0x7f ? text_utf8(&c, text + n) : 0;
		n += more;
	} while (more);

	return n;
}


/* Text that a peer may have chosen: quotes, backslashes, controls, and bytes
 * that are no UTF-8 are escaped (RFC 8259 7). */
static int put_string(struct why *why, const char *text)
{
	char escape[8];
	size_t n;
	int err = put(why, "\"", 1);

	while (*text && !err) {
		n = plain_bytes(text);
		err = put(why, text, n);
		text += n;
		if (!*text || err)
			break;

		(void)snprintf(escape, sizeof(escape), "\\u00%02x",
			       (unsigned)(uint8_t)*text++);
		err = put_text(why, escape);
	}

	return err ? err : put(why, "\"", 1);
}


static int put_number(struct why *why, int64_t number)
{
	uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
	char digits[24];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + left % 10);
		left /= 10;
	} while (left);
	if (number < 0)
		digits[--i] = '-';

	return put(why, digits + i, sizeof(digits) - i);
}


static int put_name(struct why *why, const char *name)
{
	int err = put(why, ",\"", 2);

	if (!err)
		err = put_text(why, name);

	return err ? err : put(why, "\":", 2);
}


static int put_fact(struct why *why, const char *name, const char *text,
		    int64_t number)
{
	int err;

	if (text && !text[0])
		return 0;

	err = put_name(why, name);
	if (err)
		return err;

	return text ? put_string(why, text) : put_number(why, number);
}


static int put_note(struct why *why, enum why_step step, enum outcome out,
		    const char *id, const struct why_fact *facts, size_t n)
{
	int err = put_text(why, why->len > 1 ? ",{\"step\":" : "{\"step\":");

	if (!err)
		err = put_string(why, names[step]);
	if (!err && out != OUT_NONE)
		err = put_fact(why, "outcome", outcome_row(out)->code, 0);
	if (!err)
		err = put_fact(why, "id", id ? id : "", 0);
	for (size_t i = 0; i < n && !err; i++)
		err = put_fact(why, facts[i].name, facts[i].text,
			       facts[i].number);

	return err ? err : put(why, "}", 1);
}


void why_note(struct why *why, enum why_step step, enum outcome out,
	      const char *id, const struct why_fact *facts, size_t n)
{
	size_t len;

	if (!why)
		return;

	len = why->len;
	if (why->dropped || put_note(why, step, out, id, facts, n) ||
	    why->len > WHY_SIZE_MAX - TAIL_SIZE) {
		why->len = len;
		why->dropped++;
	}
}


void why_shrink(struct why *why)
{
	if (why)
		(void)resize(why, why->len + TAIL_SIZE);
}


const char *why_json(struct why *why)
{
	char tail[TAIL_SIZE] = "]";
	size_t len;
	int err;

	if (!why)
		return "[]";

	len = why->len;
	if (why->dropped)
		(void)snprintf(tail, sizeof(tail),
			       "%s{\"step\":\"%s\",\"dropped\":%" PRIu32 "}]",
			       len > 1 ? "," : "", names[WHY_END],
			       why->dropped);
	err = put(why, tail, strlen(tail) + 1);
	why->len = len;

	return err ? "[]" : why->buf;
}


const char *why_step_name(enum why_step step)
{
	return step < WHY_STEP_N ? names[step] : "?";
}
