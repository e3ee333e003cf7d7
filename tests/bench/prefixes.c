/** @file tests/bench/prefixes.c  See prefixes.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "prefixes.h"
#include "text.h"

static char prefixes[PREFIXES][RATE_PREFIX_MAX + 1];
static size_t n;


static void prefix_add(const char *text, size_t len)
{
	if (n < PREFIXES && len && len <= RATE_PREFIX_MAX &&
	    strspn(text, "0123456789") >= len)
		(void)text_set(prefixes[n++], sizeof(*prefixes), text,
			       len);
}


static void read_file(const char *file)
{
	FILE *f = fopen(file, "r");
	char line[512];

	if (!f) {
		perror(file);
		exit(2);
	}
	while (fgets(line, sizeof(line), f))
		prefix_add(line, strcspn(line, ","));
	(void)fclose(f);
}


/* 900 codes of countries and networks, 60 areas each, and of those some */
static void draw(struct rng *rng)
{
	char text[16];

	for (uint32_t code = 100; code < 1000; code++) {
		for (uint32_t k = 0; k < 600; k++) {
			if (rng_below(rng, 100) >= 56)
				continue;
			(void)text_format(text, sizeof(text), "%u%03u%u",
					  code, k / 10 * 16, k % 10);
			prefix_add(text, strlen(text));
		}
	}
}


void prefixes_fill(const char *file, struct rng *rng)
{
	if (file)
		read_file(file);
	else
		draw(rng);
}


size_t prefixes_count(void)
{
	return n;
}


const char *prefixes_at(size_t i)
{
	return prefixes[i];
}


void prefixes_number(char digits[24], struct rng *rng)
{
	(void)text_format(digits, 24, "%s%06u",
			  prefixes[rng_below(rng, (uint32_t)n)],
			  rng_below(rng, 1000000));
	digits[15] = '\0';
}
