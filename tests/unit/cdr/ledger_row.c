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


static char *rows(void)
{
	struct mbuf *mb = mbuf_alloc(1024);
	char *text = NULL;

	cr_assert(zero(int, ledger_rows(mb, &call)));
	mb->pos = 0;
	cr_assert(zero(int, mbuf_strdup(mb, &text, mb->end)));
	mem_deref(mb);
	return text;
}


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
	char *text;

	example_end(&call, 1);
	text = rows();
	cr_expect(eq(uint, occurs(text, "\n"), 3));
	cr_expect(eq(uint, occurs(text, "\t"), 3 * (CDR_FIELD_N + 1)));
	cr_expect(has(text, "2026-11-22T"));
	cr_expect(has(text, "01000000-1111-1111-0100-000000000000\t0\t\\N\t"
			    "n1"));

	/* one charge each, at the call and at the attempt that was answered */
	cr_expect(eq(uint, occurs(text, "\"side\":\"sell\""), 1));
	cr_expect(eq(uint, occurs(text, "\"side\":\"buy\""), 1));
	cr_expect(eq(uint, occurs(text, "\t[]\t\\N\n"), 1));
	cr_expect(lt(ptr, strstr(text, "\"sell\""), strchr(text, '\n')));
	cr_expect(has(text, "\"rounding_mode\":\"up\""));
	cr_expect(has(text, "\"amount_micro\":13800"));
	cr_expect(has(text, "\"carrier_id\":null"));
	mem_deref(text);
}


Test(ledger_row, the_decision_is_the_calls)
{
	char *text;

	example_end(&call, 1);
	call.why = "[{\"step\":\"number\",\"received\":\"\\u0022\"}]";
	text = rows();
	cr_expect(has(text, "\t[{\"step\":\"number\",\"received\":"
			    "\"\\\\u0022\"}]\n"));
	cr_expect(eq(uint, occurs(text, "\"step\""), 1));
	mem_deref(text);
}


Test(ledger_row, text_is_escaped)
{
	char *text;

	example_end(&call, 1);
	text = rows();
	/* tab, newline, backslash, a byte that is no character, an "a" with
	 * dots */
	cr_expect(has(text, "line one\\nline \"two\"\\t\\\\ ?\xc3\xa4"));
	/* a quote within JSON within COPY */
	cr_expect(has(text, "\"Germany \\\\\"Berlin\\\\\"\""));
	mem_deref(text);
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
		char *text;

		example_begin(&call, 1);
		strcpy(call.call.b_user_agent, rows_[i].in);
		text = rows();
		cr_expect(has(text, rows_[i].out), "row %zu", i);
		mem_deref(text);
	}
}


Test(ledger_row, copy_names_every_field)
{
	const char *sql = ledger_copy_sql();

	cr_expect(has(sql, "COPY cdr.staging (started_at,call_id,attempt,"));
	cr_expect(has(sql, ",marks,charges,decision) FROM STDIN"));
	cr_expect(eq(uint, occurs(sql, ","), CDR_FIELD_N + 1));
}
