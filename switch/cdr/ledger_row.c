/**
 * @file ledger_row.c  Rows for COPY: the table of fields turned into text.
 */
#include <errno.h>
#include <inttypes.h>
#include <re.h>
#include <string.h>
#include "ledger_row.h"
#include "moment.h"
#include "pg.h"
#include "rng.h"
#include "text.h"

#define COLUMN(f, ...) #f ","
#define TEXT_SIZE 512 /* the longest field and a NUL fit */
#define JSON_SIZE 2048


const char *ledger_copy_sql(void)
{
	return "COPY cdr.staging ("
	       CDR_FIELDS(COLUMN, COLUMN, COLUMN, COLUMN, COLUMN)
	       "charges,decision) FROM STDIN";
}


/* Bytes of the UTF-8 character at p (RFC 3629 4); 0: none. */
static size_t utf8_len(const uint8_t *p, size_t left)
{
	uint32_t least, c;
	size_t n, i;

	if (p[0] < 0x80)
		return 1;
	if ((p[0] & 0xe0) == 0xc0)
		n = 2, least = 0x80, c = p[0] & 0x1f;
	else if ((p[0] & 0xf0) == 0xe0)
		n = 3, least = 0x800, c = p[0] & 0x0f;
	else if ((p[0] & 0xf8) == 0xf0)
		n = 4, least = 0x10000, c = p[0] & 0x07;
	else
		return 0;

	if (left < n)
		return 0;
	for (i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}

	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	return n;
}


/* Text that the database takes. */
static const char *text_clean(char buf[TEXT_SIZE], const char *s, size_t max)
{
	const size_t len = strnlen(s, max < TEXT_SIZE ? max : TEXT_SIZE - 1);
	size_t i, n;

	for (i = 0; i < len; i += n ? n : 1) {
		n = utf8_len((const uint8_t *)s + i, len - i);
		if (n)
			memcpy(buf + i, s + i, n);
		else
			buf[i] = '?';
	}

	buf[len] = '\0';
	return buf;
}


static const char *field_text(char buf[TEXT_SIZE], const struct cdr_field *f,
			      const struct cdr *cdr)
{
	static const uint8_t no_uuid[16];
	const char *p = (const char *)cdr + f->offset;
	int64_t v;

	switch ((enum cdr_kind)f->kind) {
	case CDR_TEXT:
		return *p ? text_clean(buf, p, f->size - 1) : NULL;
	case CDR_FLAG:
		return *p ? "t" : "f";
	case CDR_UUID:
		return memcmp(p, no_uuid, 16)
			? uuid_format(buf, (const uint8_t *)p) : NULL;
	case CDR_NUMBER:
	case CDR_TIME:
	default:
		memcpy(&v, p, sizeof(v));
		if (v == CDR_NULL)
			return NULL;
		if (f->kind == CDR_TIME)
			return moment_format(buf, v);
		(void)text_format(buf, TEXT_SIZE, "%" PRId64, v);
		return buf;
	}
}


/* "key":"text" or "key":null */
static int json_text(struct mbuf *mb, const char *key, const char *text,
		     size_t size)
{
	char clean[TEXT_SIZE];
	const char *p;
	int err;

	if (!*text)
		return mbuf_printf(mb, "\"%s\":null,", key);

	err = mbuf_printf(mb, "\"%s\":\"", key);
	for (p = text_clean(clean, text, size - 1); *p && !err; p++) {
		if (*p == '"' || *p == '\\')
			err = mbuf_printf(mb, "\\%c", *p);
		else if ((unsigned char)*p < 0x20)
			err = mbuf_printf(mb, "\\u%04x", *p);
		else
			err = mbuf_write_u8(mb, (uint8_t)*p);
	}

	return err ? err : mbuf_write_str(mb, "\",");
}


static int json_number(struct mbuf *mb, const char *key, int64_t v)
{
	char text[64];

	(void)text_format(text, sizeof(text), "\"%s\":%" PRId64 ",", key, v);
	return mbuf_write_str(mb, text);
}


static int charge_write(struct mbuf *mb, const struct cdr_charge *c)
{
	int err;

	err = mbuf_printf(mb, "%s{\"side\":\"%s\",", mb->end > 1 ? "," : "",
			  c->side == CHARGE_SELL ? "sell" : "buy");
#define TEXT(name, f) \
	err |= json_text(mb, name, c->f, sizeof(c->f))
#define NUMBER(name, f) \
	err |= json_number(mb, name, (int64_t)c->f)
	TEXT("account_id", account_id);
	TEXT("carrier_id", carrier_id);
	NUMBER("amount_micro", amount_micro);
	TEXT("currency", currency);
	TEXT("deck_id", deck_id);
	NUMBER("deck_version", deck_version);
	TEXT("prefix", prefix);
	TEXT("destination", destination);
	NUMBER("rate_per_min_nano", tariff.rate_per_min_nano);
	NUMBER("connect_fee_micro", tariff.connect_fee_micro);
	NUMBER("first_ms", tariff.first_ms);
	NUMBER("next_ms", tariff.next_ms);
	NUMBER("rounding_decimals", rounding.decimals);
	NUMBER("billed_ms", billed_ms);
	NUMBER("lease_epoch", lease_epoch);
#undef TEXT
#undef NUMBER
	err |= mbuf_printf(mb, "\"rounding_mode\":\"%s\"}",
			   round_mode_name((enum round_mode)c->rounding.mode));

	return err ? ENOMEM : 0;
}


/* The charges of one record as a JSON array. */
static int charges_write(struct mbuf *mb, const struct cdr_call *call,
			 int64_t attempt)
{
	struct mbuf *json = mbuf_alloc(JSON_SIZE);
	uint32_t i;
	int err;

	if (!json)
		return ENOMEM;

	err = mbuf_write_u8(json, '[');
	for (i = 0; i < call->charge_n && !err; i++) {
		const struct cdr_charge *c = &call->charges[i];

		if (attempt == c->attempt)
			err = charge_write(json, c);
	}
	if (!err)
		err = mbuf_write_mem(json, (const uint8_t *)"]", 2);
	if (!err)
		err = pg_copy_field(mb, (const char *)json->buf, false);

	mem_deref(json);
	return err;
}


static int row_write(struct mbuf *mb, const struct cdr *cdr,
		     const struct cdr_call *call)
{
	char buf[TEXT_SIZE];
	size_t i;
	int err = 0;

	for (i = 0; i < CDR_FIELD_N && !err; i++)
		err = pg_copy_field(mb, field_text(buf, &cdr_fields[i], cdr),
				    false);

	if (!err)
		err = charges_write(mb, call, cdr->attempt);

	return err ? err
		   : pg_copy_field(mb, cdr->attempt ? NULL : call->why, true);
}


int ledger_rows(struct mbuf *mb, const struct cdr_call *call)
{
	uint32_t i;
	int err;

	err = row_write(mb, &call->call, call);
	for (i = 0; i < call->attempt_n && !err; i++)
		err = row_write(mb, &call->attempts[i], call);

	return err ? ENOMEM : 0;
}
