/**
 * @file grid.c  Rows of text in columns.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <re.h>
#include "grid.h"

struct grid {
	size_t column_n, cell_n, cell_size;
	size_t widths[GRID_COLUMNS_MAX];
	char **cells; /**< the heads are the first row */
};


static void destructor(void *arg)
{
	struct grid *g = arg;
	size_t i;

	for (i = 0; i < g->cell_n; i++)
		free(g->cells[i]);
	free(g->cells);
}


int grid_alloc(struct grid **gp, const char *const *heads)
{
	struct grid *g;
	size_t n = 0;
	int err = 0;

	while (heads[n])
		++n;
	if (!n || n > GRID_COLUMNS_MAX)
		return EINVAL;

	g = mem_zalloc(sizeof(*g), destructor);
	if (!g)
		return ENOMEM;

	g->column_n = n;
	while (*heads && !err)
		err = grid_cell(g, *heads++);

	if (err)
		mem_deref(g);
	else
		*gp = g;
	return err;
}


/** Terminals count characters: bytes that continue one take no room. */
static size_t width_of(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;

	return n;
}


int grid_cell(struct grid *g, const char *text)
{
	const size_t column = g->cell_n % g->column_n;
	char *copy;

	if (g->cell_n == g->cell_size) {
		size_t size = g->cell_size ? 2 * g->cell_size : 64;
		char **cells = realloc(g->cells, size * sizeof(*cells));

		if (!cells)
			return ENOMEM;
		g->cells = cells;
		g->cell_size = size;
	}

	copy = strdup(text && *text ? text : "-");
	if (!copy)
		return ENOMEM;

	g->cells[g->cell_n++] = copy;
	if (width_of(copy) > g->widths[column])
		g->widths[column] = width_of(copy);

	return 0;
}


void grid_print(const struct grid *g, FILE *out)
{
	size_t i, pad;

	for (i = 0; i < g->cell_n; i++) {
		const bool is_last = (i + 1) % g->column_n == 0;

		(void)fputs(g->cells[i], out);
		if (is_last) {
			(void)fputc('\n', out);
			continue;
		}
		pad = g->widths[i % g->column_n] - width_of(g->cells[i]) + 2;
		(void)fprintf(out, "%*s", (int)pad, "");
	}
}
