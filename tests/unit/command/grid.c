#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include "grid.h"


Test(grid, columns_as_wide_as_they_need)
{
	static const char *const heads[] = {"A", "LONG HEAD", "C", NULL};
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct grid *g;

	cr_assert_eq(grid_alloc(&g, heads), 0);
	cr_assert_eq(grid_cell(g, "m\xc3\xbcnze"), 0);
	cr_assert_eq(grid_cell(g, NULL), 0);
	cr_assert_eq(grid_cell(g, "x"), 0);
	cr_assert_eq(grid_cell(g, "1"), 0);
	cr_assert_eq(grid_cell(g, ""), 0);
	cr_assert_eq(grid_cell(g, "y"), 0);
	grid_print(g, f);
	(void)fclose(f);

	cr_expect_str_eq(text, "A      LONG HEAD  C\n"
			       "m\xc3\xbcnze  -          x\n"
			       "1      -          y\n");
	free(text);
	mem_deref(g);
}


Test(grid, many_cells)
{
	static const char *const heads[] = {"N", NULL};
	struct grid *g;
	int i;

	cr_assert_eq(grid_alloc(&g, heads), 0);
	for (i = 0; i < 1000; i++)
		cr_assert_eq(grid_cell(g, "n"), 0);
	mem_deref(g);
}


Test(grid, without_columns)
{
	static const char *const none[] = {NULL};
	struct grid *g;

	cr_expect_eq(grid_alloc(&g, none), EINVAL);
}
