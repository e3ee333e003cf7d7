/**
 * @file tests/unit/base/outcome.c  The table is whole and every final answer
 * of a carrier finds a row of it.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "outcome.h"


Test(outcome, rows_are_whole)
{
	unsigned o, p;

	for (o = 0; o < OUTCOME_N; o++) {
		const struct outcome_row *row = outcome_row(o);

		cr_assert(strlen(row->code) > 0);
		cr_assert(strlen(row->hint) > 0);
		cr_assert_eq(outcome_from_code(row->code), o);
		cr_assert_eq(strncmp(row->name, "OUT_", 4), 0);
		cr_assert(row->q850 <= 127);

		if (o == OUT_NONE)
			continue;
		cr_assert(row->sip == 200 ||
			  (row->sip >= 400 && row->sip <= 699));
		cr_assert(strlen(row->phrase) > 0);
		cr_assert(row->q850 > 0);

		for (p = 0; p < o; p++)
			cr_assert_str_neq(outcome_row(p)->code, row->code);
	}
}


Test(outcome, unknown_code)
{
	cr_assert_eq(outcome_from_code("nonsense"), OUTCOME_N);
	cr_assert_eq(outcome_from_code(NULL), OUTCOME_N);
}


Test(outcome, every_answer_has_a_row)
{
	uint16_t scode;

	for (scode = 300; scode <= 699; scode++) {
		enum outcome o = outcome_from_sip(scode);

		cr_assert(o > OUT_OK && o < OUTCOME_N, "%u", scode);
		cr_assert_eq(strncmp(outcome_row(o)->name, "OUT_B_", 6), 0);

		/* a server that fails is no reason to give up */
		if (scode < 400 || scode / 100 == 5)
			cr_assert(outcome_row(o)->may_try_next, "%u", scode);

		/* RFC 3261 21.6: no other place will do better; media is
		   a matter of the gateway */
		if (scode >= 600 && scode != 606)
			cr_assert(!outcome_row(o)->may_try_next, "%u", scode);
	}
}


Test(outcome, known_answers)
{
	static const struct {
		uint16_t scode;
		enum outcome o;
	} want[] = {
		{0, OUT_B_SILENT},	    {302, OUT_B_REDIRECT},
		{400, OUT_B_REJECTED},	    {401, OUT_B_AUTH},
		{403, OUT_B_FORBIDDEN},	    {404, OUT_B_NOT_FOUND},
		{407, OUT_B_AUTH},	    {408, OUT_B_UNAVAILABLE},
		{410, OUT_B_GONE},	    {415, OUT_B_REFUSED_MEDIA},
		{480, OUT_B_UNAVAILABLE},   {484, OUT_B_INCOMPLETE},
		{486, OUT_B_BUSY},	    {487, OUT_B_UNAVAILABLE},
		{488, OUT_B_REFUSED_MEDIA}, {500, OUT_B_ERROR},
		{502, OUT_B_ERROR},	    {503, OUT_B_CONGESTED},
		{600, OUT_B_BUSY_EVERYWHERE}, {603, OUT_B_DECLINED},
		{604, OUT_B_NOT_EXIST},	    {606, OUT_B_REFUSED_MEDIA},
		{607, OUT_B_DECLINED},	    {608, OUT_B_DECLINED},
		{699, OUT_B_REJECTED},
	};
	size_t i;

	for (i = 0; i < sizeof(want) / sizeof(want[0]); i++)
		cr_assert_eq(outcome_from_sip(want[i].scode), want[i].o, "%u",
			     want[i].scode);
}
