/**
 * @file csv.c  Tests of CSV records.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <string.h>
#include "csv.h"


Test(csv, records)
{
	char text[] = "a,\"b,\"\"c\"\"\",\r\n\"two\nlines\",x\n,\nlast";
	char *p = text, *cells[4];
	size_t n;

	cr_assert(zero(int, csv_record(&p, cells, 4, &n)));
	cr_assert(eq(sz, n, 3));
	cr_assert(eq(str, cells[0], "a"));
	cr_assert(eq(str, cells[1], "b,\"c\""));
	cr_assert(eq(str, cells[2], ""));
	cr_assert(zero(int, csv_record(&p, cells, 4, &n)));
	cr_assert(eq(sz, n, 2));
	cr_assert(eq(str, cells[0], "two\nlines"));
	cr_assert(zero(int, csv_record(&p, cells, 4, &n)));
	cr_assert(eq(sz, n, 2));
	cr_assert(zero(int, csv_record(&p, cells, 4, &n)));
	cr_assert(eq(str, cells[0], "last"));
	cr_assert(eq(int, csv_record(&p, cells, 4, &n), ENODATA));
}


Test(csv, refused)
{
	char open[] = "\"abc", after[] = "\"a\"b,c", many[] = "a,b,c";
	char *p, *cells[2];
	size_t n;

	p = open;
	cr_assert(eq(int, csv_record(&p, cells, 2, &n), EBADMSG));
	p = after;
	cr_assert(eq(int, csv_record(&p, cells, 2, &n), EBADMSG));
	p = many;
	cr_assert(eq(int, csv_record(&p, cells, 2, &n), E2BIG));
}
