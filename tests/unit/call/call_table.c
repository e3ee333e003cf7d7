/** @file call_table.c  The call's table has no hole and no dead end. */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "call_table.h"

#define CELL(st, ev) (&call_def.rules[(st) * CALL_EVENT_N + (ev)])


Test(call_table, every_cell_is_written_and_every_state_ends)
{
	char why[200] = "";

	cr_assert_eq(fsm_check(&call_def, why, sizeof(why)), 0, "%s", why);
}


/* What a peer can send in any state is never "cannot happen". */
Test(call_table, the_wire_never_meets_cannot)
{
	static const uint8_t from_a[] = {EV_A_ACK, EV_A_CANCEL, EV_A_BYE,
					 EV_X_OFFER, EV_X_OFFER_ACK,
					 EV_X_OFFER_CANCEL};
	static const uint8_t from_b[] = {EV_B_TRYING, EV_B_RINGING,
					 EV_B_ANSWER, EV_B_FAIL_NEXT,
					 EV_B_FAIL_LAST, EV_B_BYE};

	for (int st = CALL_NEW; st < CALL_DONE; st++)
		for (size_t i = 0; i < sizeof(from_a); i++)
			cr_expect_neq(CELL(st, from_a[i])->kind, FSM_CANNOT,
				      "%s meets %s", call_def.states[st],
				      call_def.events[from_a[i]]);

	for (int st = CALL_DIALLING; st < CALL_DONE; st++)
		for (size_t i = 0; i < sizeof(from_b); i++)
			cr_expect_neq(CELL(st, from_b[i])->kind, FSM_CANNOT,
				      "%s meets %s", call_def.states[st],
				      call_def.events[from_b[i]]);
}


Test(call_table, an_operator_can_end_every_call)
{
	for (int st = CALL_NEW; st < CALL_CLOSING; st++) {
		cr_expect_eq(CELL(st, EV_ADMIN_DROP)->kind, FSM_GO);
		cr_expect_eq(CELL(st, EV_ADMIN_DROP)->next, CALL_CLOSING);
	}
}


/* The record is on disk before a call is done. */
Test(call_table, only_the_journal_leads_to_done)
{
	for (int st = 0; st < CALL_DONE; st++)
		for (int ev = 0; ev < CALL_EVENT_N; ev++)
			if (CELL(st, ev)->kind == FSM_GO &&
			    CELL(st, ev)->next == CALL_DONE)
				cr_expect(st == CALL_CLOSING &&
					  ev == EV_JOURNALLED);
}


Test(call_table, it_can_be_printed)
{
	char *text = fsm_print(&call_def);

	cr_assert_not_null(text);
	cr_expect_not_null(strstr(text, "A_INVITE"));
	cr_expect_not_null(strstr(text, "CLOSING"));
	free(text);
}
