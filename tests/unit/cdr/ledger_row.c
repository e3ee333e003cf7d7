/**
 * @file ledger_row.c  Tests of COPY rows: escapes, NULLs, charges with their
 * attempt, and bytes that are no UTF-8.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "example.h"
#include "ledger_row.h"

static struct cdr_call call;


static char *texts[LEDGER_TABLE_N];


static void rows(void)
{
	struct mbuf *tables[LEDGER_TABLE_N];

	for (int i = 0; i < LEDGER_TABLE_N; i++)
		tables[i] = mbuf_alloc(1024);
	cr_assert(zero(int, ledger_rows(tables, &call)));
	for (int i = 0; i < LEDGER_TABLE_N; i++) {
		texts[i] = mem_deref(texts[i]);
		tables[i]->pos = 0;
		cr_assert(zero(int, mbuf_strdup(tables[i], &texts[i],
						tables[i]->end)));
		mem_deref(tables[i]);
	}
}


static void teardown(void)
{
	for (int i = 0; i < LEDGER_TABLE_N; i++)
		texts[i] = mem_deref(texts[i]);
}


TestSuite(ledger_row, .fini = teardown);


static unsigned occurs(const char *text, const char *what)
{
	unsigned n = 0;

	for (; (text = strstr(text, what)); text += strlen(what))
		++n;
	return n;
}


static bool has(const char *text, const char *what)
{
	return strstr(text, what) != NULL;
}


Test(ledger_row, a_row_for_call_and_attempts)
{
	const char *text;

	example_end(&call, 1);
	rows();
	text = texts[LEDGER_RECORD];
	cr_expect(eq(uint, occurs(text, "\n"), 3));
	cr_expect(eq(uint, occurs(text, "\t"), 3 * (CDR_FIELD_N - 1)));
	cr_expect(has(text, "2026-11-22T"));
	cr_expect(has(text, "01000000-1111-1111-0100-000000000000\t0\t\\N\t"
			    "n1"));
}


/* One charge each, of the call and of the attempt that was answered. */
Test(ledger_row, a_row_for_each_charge)
{
	const char *text;

	example_end(&call, 1);
	rows();
	text = texts[LEDGER_CHARGE];
	cr_expect(eq(uint, occurs(text, "\n"), 2));
	cr_expect(has(text, "\t0\tsell\tacc_1\t\\N\t13800\tEUR\tdeck_sell"));
	cr_expect(has(text, "\t2\tbuy\t\\N\tcar_2\t13800\tEUR\tdeck_buy"));
	cr_expect(eq(uint, occurs(text, "\tup\n"), 2));
	cr_expect(eq(uint, occurs(text, "\t12500000\t0\t60000\t6000\t4\t"
				  "66000\t7\t"), 2));
	cr_expect_str_empty(texts[LEDGER_DECISION]);
}


Test(ledger_row, the_decision_is_the_calls)
{
	example_end(&call, 1);
	call.why = "[{\"step\":\"number\",\"received\":\"\\u0022\"}]";
	rows();
	cr_expect(has(texts[LEDGER_DECISION], "\t[{\"step\":\"number\","
		      "\"received\":\"\\\\u0022\"}]\n"));
	cr_expect(eq(uint, occurs(texts[LEDGER_DECISION], "\n"), 1));
}


Test(ledger_row, text_is_escaped)
{
	example_end(&call, 1);
	rows();
	/* tab, newline, backslash, a byte that is no character, an "a" with
	 * dots */
	cr_expect(has(texts[LEDGER_RECORD],
		      "line one\\nline \"two\"\\t\\\\ ?\xc3\xa4"));
	cr_expect(has(texts[LEDGER_CHARGE], "\tGermany \"Berlin\"\t"));
}


Test(ledger_row, no_character_is_refused)
{
	static const struct {
		const char *in, *out;
	} rows_[] = {
		{"a\x80z", "\ta?z\t"},             /* lone continuation   */
		{"a\xc0\xafz", "\ta??z\t"},        /* overlong            */
		{"a\xed\xa0\x80z", "\ta???z\t"},   /* surrogate           */
		{"a\xf4\x90\x80\x80z", "\ta????z\t"}, /* beyond Unicode   */
		{"a\xe2\x82", "\ta??\t"},          /* cut                 */
		{"a\xe2\x82\xacz", "\ta\xe2\x82\xacz\t"},
		{"a\xf0\x9f\x93\x9ez", "\ta\xf0\x9f\x93\x9ez\t"},
		{"a\x01z", "\ta\x01z\t"},
	};
	size_t i;

	for (i = 0; i < sizeof(rows_) / sizeof(rows_[0]); i++) {
		example_begin(&call, 1);
		strcpy(call.call.b_user_agent, rows_[i].in);
		rows();
		cr_expect(has(texts[LEDGER_RECORD], rows_[i].out), "row %zu",
			  i);
	}
}


static const char *copy_sql(struct mbuf *mb, enum ledger_table table)
{
	mbuf_rewind(mb);
	cr_assert(zero(int, ledger_copy_sql(mb, table)));
	return (const char *)mb->buf;
}


Test(ledger_row, copy_names_every_field)
{
	struct mbuf *mb = mbuf_alloc(64);
	const char *sql = copy_sql(mb, LEDGER_RECORD);

	cr_expect(has(sql, "COPY cdr.record (started_at,call_id,attempt,"));
	cr_expect(has(sql, ") FROM STDIN") && !has(sql, ",)"));
	cr_expect(eq(uint, occurs(sql, ","), CDR_FIELD_N - 1));

	example_end(&call, 1);
	rows();
	sql = copy_sql(mb, LEDGER_CHARGE);
	cr_expect(has(sql, "COPY cdr.charge (started_at,call_id,attempt,side,"
		      "account_id,"));
	cr_expect(eq(uint, 2 * occurs(sql, ","),
		     occurs(texts[LEDGER_CHARGE], "\t")));
	cr_expect(has(copy_sql(mb, LEDGER_DECISION), "COPY cdr.decision ("));
	mem_deref(mb);
}
