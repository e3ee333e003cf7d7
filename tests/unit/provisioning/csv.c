/* Comma-separated text (RFC 4180). */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "csv.h"

static char text[512];


static struct csv opened(const char *s)
{
	struct csv csv;

	strcpy(text, s);
	csv_open(&csv, text, strlen(text));
	return csv;
}


Test(csv, reads_records_and_counts_lines)
{
	struct csv csv = opened("a,b,c\r\n1,,3\n\n\nx,y,\n");

	cr_assert_eq(csv_next(&csv), 0);
	cr_assert_eq(csv.n, 3);
	cr_assert_str_eq(csv.fields[2], "c");
	cr_assert_eq(csv_next(&csv), 0);
	cr_assert_eq(csv.line, 2);
	cr_assert_str_eq(csv.fields[1], "");
	cr_assert_str_eq(csv.fields[2], "3");
	cr_assert_eq(csv_next(&csv), 0, "empty lines are passed over");
	cr_assert_eq(csv.line, 5);
	cr_assert_eq(csv.n, 3);
	cr_assert_str_eq(csv.fields[2], "");
	cr_assert_eq(csv_next(&csv), ENOENT);
	cr_assert_eq(csv_next(&csv), ENOENT);
}


Test(csv, unquotes)
{
	struct csv csv = opened("\"a,\"\"b\"\"\",\"line\nbreak\",\"\"\nz,y,x");

	cr_assert_eq(csv_next(&csv), 0);
	cr_assert_eq(csv.n, 3);
	cr_assert_str_eq(csv.fields[0], "a,\"b\"");
	cr_assert_str_eq(csv.fields[1], "line\nbreak");
	cr_assert_str_eq(csv.fields[2], "");
	cr_assert_eq(csv_next(&csv), 0);
	cr_assert_eq(csv.line, 3, "a break in quotes is a line as well");
	cr_assert_str_eq(csv.fields[2], "x", "the last line needs no end");
}


Test(csv, takes_semicolon_tab_and_byte_order_mark)
{
	struct csv csv = opened("\xef\xbb\xbf" "a;b,c\n1;2\n");

	cr_assert_eq(csv_next(&csv), 0);
	cr_assert_eq(csv.n, 2);
	cr_assert_str_eq(csv.fields[0], "a");
	cr_assert_str_eq(csv.fields[1], "b,c");

	csv = opened("a\tb\n");
	cr_assert_eq(csv_next(&csv), 0);
	cr_assert_eq(csv.n, 2);
}


Test(csv, refuses_broken_quotes)
{
	static const char *const bad[] = {"\"a", "\"a\"b\n", "\"a\"\"",
					  "a,\"\n\n", "a\rb\n", "\""};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct csv csv = opened(bad[i]);

		cr_assert_eq(csv_next(&csv), EBADMSG, "%s", bad[i]);
	}
}


Test(csv, is_bounded)
{
	struct csv csv;

	memset(text, ',', 100);
	text[100] = '\0';
	csv_open(&csv, text, 100);
	cr_assert_eq(csv_next(&csv), E2BIG);

	csv_open(&csv, text, 0);
	cr_assert_eq(csv_next(&csv), ENOENT);
}
