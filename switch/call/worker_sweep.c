/**
 * @file worker_sweep.c  A trunk was suspended: its live calls end by its
 * policy. Some calls a pass, so that ten thousand of them stop nobody.
 */
#include "call.h"
#include "worker_private.h"

#define CALLS_A_PASS 64


/* Turning the list once around shows every call that was there at the start;
 * who came later was admitted by the present catalog. */
static void sweep(void *arg)
{
	struct worker *w = arg;

	for (int i = 0; i < CALLS_A_PASS && w->sweep_left; i++) {
		struct le *le = list_head(&w->live);

		w->sweep_left = le ? w->sweep_left - 1 : 0;
		if (!le)
			break;
		list_unlink(le);
		list_append(&w->live, le, le->data);
		call_suspend(le->data, w->cat);
	}

	if (w->sweep_left)
		wheel_start(w->wheel, &w->sweep, 1, sweep, w);
}


void worker_sweep(struct worker *w)
{
	w->sweep_left = htab_count(w->calls);
	wheel_start(w->wheel, &w->sweep, 0, sweep, w);
}
