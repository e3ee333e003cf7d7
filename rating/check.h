/**
 * @file check.h  `rate check FILE`: rating cases taken from other engines,
 * computed by our arithmetic.
 */
#ifndef CHECK_H
#define CHECK_H
#include <stdio.h>

/**
 * Read a CSV of cases and write pass or the difference for each row, then
 * "N passed, N failed". Each case is computed as a charge plan and, where it
 * can be said so, again as the price that live calls are charged by: both have
 * to agree.
 *
 * Columns by name: id, kind (cost | max_duration), connect_fee, segments
 * (JSON), duration_s, vat_percent, rounding (none | MODE:DECIMALS), max_cost,
 * max_cost_strategy (free | disconnect), balance, requested_s, expected,
 * billed_s, and for the meaning of the fee: source_path, notes.
 *
 * @param ret_passed, ret_failed  rows; a row that cannot be read is failed
 * @return 0, errno of the file, or EBADMSG when it is no such CSV (said on
 *         out, with the line)
 */
int rate_check_file(const char *file, FILE *out, unsigned *ret_passed,
		    unsigned *ret_failed);

#endif
