/**
 * @file check.c  Every rating case of tests/data passes, and a wrong one does
 * not.
 */
#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

#define HEAD \
	"id,kind,connect_fee,segments,duration_s,vat_percent,rounding," \
	"max_cost,max_cost_strategy,balance,requested_s,expected,billed_s," \
	"source_path,notes\n"
#define PER_SECOND \
	"\"[{\"\"duration_s\"\": \"\"10\"\", \"\"tiers\"\": [{" \
	"\"\"from_s\"\": \"\"0\"\", \"\"to_s\"\": null, " \
	"\"\"increment_s\"\": \"\"1\"\", " \
	"\"\"price_per_increment\"\": \"\"1\"\"}]}]\""


static int check(const char *text, unsigned *passed, unsigned *failed,
		 char **ret_out)
{
	char file[] = "/tmp/rating-XXXXXX";
	const int fd = mkstemp(file);
	size_t size;
	FILE *out;
	int err;

	cr_assert(ge(int, fd, 0));
	cr_assert(eq(sz, (size_t)write(fd, text, strlen(text)),
		     strlen(text)));
	close(fd);

	out = open_memstream(ret_out, &size);
	err = rate_check_file(file, out, passed, failed);
	fclose(out);
	unlink(file);
	return err;
}


static void expect_passed(const char *file, unsigned n)
{
	unsigned passed = 0, failed = 0;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(zero(int, rate_check_file(file, out, &passed, &failed)));
	fclose(out);
	cr_expect(zero(uint, failed), "%s", text);
	cr_expect(eq(uint, passed, n));
	free(text);
}


/* Of other engines, and our own: each a sum that was done by hand. */
Test(check, all_cases_pass)
{
	expect_passed(RATING_CASES, 54);
	expect_passed(RATING_OWN, 47);
}


Test(check, a_difference_is_shown)
{
	unsigned passed, failed;
	char *out;

	cr_assert(zero(int, check(HEAD "X1,cost,0," PER_SECOND
				  ",10,0,none,,,,,11,10,,\n"
				  "X2,cost,0," PER_SECOND
				  ",10,0,none,,,,,10,10,,\n",
				  &passed, &failed, &out)));
	cr_expect(eq(uint, passed, 1));
	cr_expect(eq(uint, failed, 1));
	cr_expect(ne(ptr, strstr(out, "X1 FAIL (price) cost 10, expected 11"),
		     NULL));
	cr_expect(ne(ptr, strstr(out, "1 passed, 1 failed\n"), NULL));
	free(out);
}


Test(check, rows_that_cannot_be_read_fail)
{
	unsigned passed, failed;
	char *out;

	cr_assert(zero(int, check(HEAD "X1,cost,zero," PER_SECOND
				  ",10,0,none,,,,,11,10,,\n"
				  "X2,guess,0," PER_SECOND
				  ",10,0,none,,,,,10,10,,\n"
				  "X3,cost,0,[],10,0,none,,,,,10,10,,\n"
				  "X4,cost,0,{,10,0,none,,,,,10,10,,\n"
				  "X5\n",
				  &passed, &failed, &out)));
	cr_expect(zero(uint, passed));
	cr_expect(eq(uint, failed, 5));
	free(out);
}


Test(check, files_that_are_none)
{
	unsigned passed, failed;
	char *out;

	cr_expect(eq(int, check("id,kind\n", &passed, &failed, &out),
		     EBADMSG));
	free(out);
	cr_expect(eq(int, check(HEAD "\"open", &passed, &failed, &out),
		     EBADMSG));
	free(out);
	cr_expect(eq(int, rate_check_file("/nowhere", stderr, &passed,
					  &failed), ENOENT));
}
