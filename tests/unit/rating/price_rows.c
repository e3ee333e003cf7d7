/**
 * @file price_rows.c  Random prices and calls with what our arithmetic makes
 * of them, as rows for COPY: `price_rows COUNT [SEED]`. tests/rating/sql_equal
 * computes them again in PostgreSQL.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "price_json.h"
#include "random_price.h"


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
	printf("}\t%" PRIu64 "\n", parts->billed_ms);
}


int main(int argc, char *argv[])
{
	const uint64_t count = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000;
	uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;

	for (uint64_t n = 0; n < count;) {
		const struct price p = random_price(&seed);
		const uint64_t ms = random_duration(&seed, &p);
		const uint64_t covered_ms = random_below(&seed, 4)
			? 0 : price_billed_ms(&p, random_below(&seed, ms + 1));
		struct price_parts parts;

		/* amounts that no account could hold */
		if (price_parts(&p, ms, covered_ms, &parts))
			continue;
		row_print(++n, &p, ms, covered_ms, &parts);
	}

	return fflush(stdout) ? 1 : 0;
}
