/**
 * @file ledger_row.c  Rows for COPY: the table of fields turned into text.
 */
#include <errno.h>
#include <inttypes.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "field.h"
#include "ledger_row.h"
#include "moment.h"
#include "pg.h"
#include "price_json.h"
#include "rng.h"
#include "text.h"

#define COLUMN(f, ...) #f ","
#define TEXT_SIZE 512 /* the longest field and a NUL fit */
#define PACKAGES_SIZE ((size_t)COVERS_MAX * 256)

#define CHARGE(column, f, kind_) \
	{ \
		.name = (column), .kind = (kind_), \
		.offset = offsetof(struct cdr_charge, f), \
		.size = sizeof(((struct cdr_charge *)0)->f), \
	}

/* Columns of cdr.charge behind the key; side,
   tax_micro, price, packages and rounding_mode are not of the table. */
static const struct cdr_field charge_columns[] = {
	CHARGE("account_id", account_id, CDR_TEXT),
	CHARGE("carrier_id", carrier_id, CDR_TEXT),
	CHARGE("amount_micro", amount_micro, CDR_NUMBER),
	CHARGE("currency", currency, CDR_TEXT),
	CHARGE("deck_id", deck_id, CDR_TEXT),
	CHARGE("deck_version", deck_version, CDR_NUMBER),
	CHARGE("prefix", prefix, CDR_TEXT),
	CHARGE("destination", destination, CDR_TEXT),
	CHARGE("rate_per_min_nano", price.tariff.rate_per_min_nano, CDR_NUMBER),
	CHARGE("connect_fee_micro", price.tariff.connect_fee_micro, CDR_NUMBER),
	CHARGE("first_ms", price.tariff.first_ms, CDR_NUMBER),
	CHARGE("next_ms", price.tariff.next_ms, CDR_NUMBER),
	CHARGE("rounding_decimals", price.rounding.decimals, CDR_NUMBER),
	CHARGE("billed_ms", billed_ms, CDR_NUMBER),
	CHARGE("lease_epoch", lease_epoch, CDR_NUMBER),
	CHARGE("net_micro", net_micro, CDR_NUMBER),
	CHARGE("covered_ms", covered_ms, CDR_NUMBER),
	CHARGE("covered_micro", covered_micro, CDR_NUMBER),
};
#define CHARGE_COLUMN_N (sizeof(charge_columns) / sizeof(charge_columns[0]))


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
			      const void *object)
{
	static const uint8_t no_uuid[16];
	const char *p = (const char *)object + f->offset;
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
		v = field_number(f, object);
		if (v == CDR_NULL)
			return NULL;
		if (f->kind == CDR_TIME)
			return moment_format(buf, v);
		(void)text_format(buf, TEXT_SIZE, "%" PRId64, v);
		return buf;
	}
}


static int key_write(struct mbuf *mb, const struct cdr_call *call)
{
	char buf[TEXT_SIZE];
	int err;

	err = pg_copy_field(mb, moment_format(buf, call->call.started_at),
			    false);

	return err ? err : pg_copy_field(mb, uuid_format(buf,
							 call->call.call_id),
					 false);
}


/* As an array of PostgreSQL. */
static const char *taxes_text(char buf[TEXT_SIZE], const struct cdr_charge *c)
{
	size_t len = 0;

	buf[len++] = '{';
	for (uint8_t i = 0; i < c->price.tax_n; i++) {
		char text[24];
		size_t n;

		(void)text_format(text, sizeof(text), "%s%" PRId64,
				  i ? "," : "", c->tax_micro[i]);
		n = strlen(text);
		memcpy(buf + len, text, n);
		len += n;
	}
	buf[len++] = '}';
	buf[len] = '\0';

	return buf;
}


/* Of core.package_key() and core.package_settle(). NULL: none. */
static const char *packages_json(char buf[PACKAGES_SIZE],
				 const struct cdr_charge *c)
{
	size_t len = 0;

	for (uint8_t i = 0; i < c->package_n; i++) {
		const struct cdr_package *p = &c->packages[i];
		const size_t key_len = strlen(p->key);

		if (key_len < 6 || !p->cover.used)
			continue;
		(void)text_format(buf + len, PACKAGES_SIZE - len,
			"%c{\"subscription_id\":\"%.*s\",\"period\":%lu,"
			"\"is_carried\":%s,\"kind\":\"%s\","
			"\"increment_ms\":%u,\"units\":%" PRId64 ","
			"\"covered\":%" PRId64 "}", len ? ',' : '[',
			(int)(key_len - 5), p->key,
			strtoul(p->key + key_len - 4, NULL, 16),
			p->key[key_len - 5] == '+' ? "true" : "false",
			cover_kind_name(p->cover.kind), p->cover.increment_ms,
			p->cover.used, p->cover.covered);
		len += strlen(buf + len);
	}
	if (!len)
		return NULL;

	(void)text_format(buf + len, PACKAGES_SIZE - len, "]");
	return buf;
}


static int charge_write(struct mbuf *mb, const struct cdr_call *call,
			const struct cdr_charge *c)
{
	char buf[TEXT_SIZE], price[PRICE_JSON_SIZE];
	char packages[PACKAGES_SIZE];
	int err;

	(void)text_format(buf, sizeof(buf), "%" PRId64, c->attempt);
	err = key_write(mb, call);
	if (!err)
		err = pg_copy_field(mb, buf, false);
	if (!err)
		err = pg_copy_field(mb, c->side == CHARGE_SELL ? "sell"
							       : "buy", false);
	for (size_t i = 0; i < CHARGE_COLUMN_N && !err; i++)
		err = pg_copy_field(mb, field_text(buf, &charge_columns[i],
						   c), false);

	if (!err)
		err = pg_copy_field(mb, taxes_text(buf, c), false);
	price_json(price, &c->price);
	if (!err)
		err = pg_copy_field(mb, price, false);
	if (!err)
		err = pg_copy_field(mb, packages_json(packages, c), false);

	return err ? err : pg_copy_field(mb, round_mode_name(
			(enum round_mode)c->price.rounding.mode), true);
}


static int record_write(struct mbuf *mb, const struct cdr *cdr)
{
	char buf[TEXT_SIZE];
	int err = 0;

	for (size_t i = 0; i < CDR_FIELD_N && !err; i++)
		err = pg_copy_field(mb, field_text(buf, &cdr_fields[i], cdr),
				    i + 1 == CDR_FIELD_N);

	return err;
}


static int decision_write(struct mbuf *mb, const struct cdr_call *call)
{
	int err = key_write(mb, call);

	return err ? err : pg_copy_field(mb, call->why, true);
}


static int columns_write(struct mbuf *mb, enum ledger_table table)
{
	int err;

	switch (table) {
	case LEDGER_RECORD:
		err = mbuf_write_str(mb, "record (" CDR_FIELDS(
			COLUMN, COLUMN, COLUMN, COLUMN, COLUMN));
		--mb->pos; /* the list ends with a comma */
		--mb->end;
		return err;
	case LEDGER_CHARGE:
		err = mbuf_write_str(mb, "charge (started_at,call_id,attempt,"
				     "side,");
		for (size_t i = 0; i < CHARGE_COLUMN_N && !err; i++)
			err = mbuf_printf(mb, "%s,", charge_columns[i].name);
		return err ? err : mbuf_write_str(mb, "tax_micro,price,packages,rounding_mode");
	case LEDGER_DECISION:
	case LEDGER_TABLE_N:
	default:
		return mbuf_write_str(mb, "decision (started_at,call_id,"
				      "decision");
	}
}


int ledger_copy_sql(struct mbuf *mb, enum ledger_table table)
{
	int err;

	err = mbuf_write_str(mb, "COPY cdr.");
	err |= columns_write(mb, table);
	err |= mbuf_write_str(mb, ") FROM STDIN");
	err |= mbuf_write_u8(mb, 0);

	return err ? ENOMEM : 0;
}


int ledger_rows(struct mbuf *const tables[LEDGER_TABLE_N],
		const struct cdr_call *call)
{
	uint32_t i;
	int err;

	err = record_write(tables[LEDGER_RECORD], &call->call);
	for (i = 0; i < call->attempt_n && !err; i++)
		err = record_write(tables[LEDGER_RECORD], &call->attempts[i]);
	for (i = 0; i < call->charge_n && !err; i++)
		err = charge_write(tables[LEDGER_CHARGE], call,
				   &call->charges[i]);
	if (!err && call->why)
		err = decision_write(tables[LEDGER_DECISION], call);

	return err ? ENOMEM : 0;
}
