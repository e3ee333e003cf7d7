/**
 * @file grid.h  Rows of text printed in columns as wide as they need.
 */
#ifndef GRID_H
#define GRID_H
#include <stdio.h>

#define GRID_COLUMNS_MAX 12

struct grid;

/** @param heads  column names, NULL-ended. mem_deref() frees. */
int grid_alloc(struct grid **gp, const char *const *heads);

/** One cell, left to right, then the next row; NULL shows as "-". Copied. */
int grid_cell(struct grid *g, const char *text);

void grid_print(const struct grid *g, FILE *out);

#endif
