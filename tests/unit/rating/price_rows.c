/**
 * @file price_rows.c  Random prices and calls, some with packages, with what our arithmetic makes
 * of them, as rows for COPY: `price_rows COUNT [SEED]`. tests/rating/sql_equal
 * computes them again in PostgreSQL.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "cover.h"
#include "price_json.h"
#include "random_price.h"


/* What a package may have, and which kind and steps it has. */
static struct cover random_cover(uint64_t *seed, uint64_t ms)
{
	static const uint32_t steps[] = {1, 1, 1000, 6000, 60000};
	struct cover c = {
		.kind = random_below(seed, 3) ? COVER_MINUTES : COVER_MONEY,
		.increment_ms = 1,
	};

	if (c.kind == COVER_MINUTES)
		c.increment_ms = steps[random_below(seed, 5)];
	c.held = (int64_t)random_below(seed, c.kind == COVER_MINUTES
						     ? ms + 60000 : 100000);

	return c;
}


static void covers_print(const struct cover *covers, unsigned n,
			 const struct cover_sum *sum)
{
	const char *before = "";

	printf("\t[");
	for (unsigned i = 0; i < n; i++)
		printf("%s{\"kind\":\"%s\",\"increment_ms\":%u,"
		       "\"left\":%" PRId64 "}", i ? "," : "",
		       cover_kind_name(covers[i].kind),
		       covers[i].increment_ms, covers[i].held);
	printf("]\t%" PRId64 "\t{", sum->covered_micro);
	for (unsigned i = 0; i < n; i++) {
		if (!covers[i].used)
			continue;
		printf("%s%" PRId64 ",%" PRId64, before, covers[i].used,
		       covers[i].covered);
		before = ",";
	}
	printf("}\n");
}


static void row_print(uint64_t n, const struct price *p, uint64_t ms,
		      uint64_t covered_ms, const struct price_parts *parts)
{
	char json[PRICE_JSON_SIZE];

	price_json(json, p);
	printf("%" PRIu64 "\t%s\t%" PRIu64 "\t%" PRIu64 "\t%" PRId64
	       "\t%" PRId64 "\t{", n, json, ms, covered_ms,
	       parts->gross_micro, parts->net_micro);
	for (unsigned i = 0; i < p->tax_n; i++)
		printf("%s%" PRId64, i ? "," : "", parts->tax_micro[i]);
	printf("}\t%" PRIu64, parts->billed_ms);
}


int main(int argc, char *argv[])
{
	const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	for (uint64_t n = 0; n < count;) {
		const struct price p = random_price(&seed);
		const uint64_t ms = random_duration(&seed, &p);
		const unsigned cover_n = random_below(&seed, 2)
			? 0 : 1 + (unsigned)random_below(&seed, 4);
		struct cover covers[COVERS_MAX];
		struct price_parts parts;
		struct cover_sum sum;

		for (unsigned i = 0; i < cover_n; i++)
			covers[i] = random_cover(&seed, ms);
		/* amounts that no account could hold; those that are paid to
		 * it use no package */
		if ((cover_n && p.is_reverse) ||
		    cover_price(&p, ms, covers, cover_n, &sum, &parts))
			continue;
		row_print(++n, &p, ms, sum.covered_ms, &parts);
		covers_print(covers, cover_n, &sum);
	}

	return fflush(stdout) ? 1 : 0;
}
