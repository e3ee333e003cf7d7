/**
 * @file li_loop.h  All of strowger-li at work: one thread that waits for the
 * switches, the authority and the destinations; only reports to the ADMF have
 * a thread of their own.
 */
#ifndef LI_LOOP_H
#define LI_LOOP_H
#include <stddef.h>
#include "li_secret.h"
#include "li_settings.h"

struct li_loop;

/**
 * Open everything.
 * @param why  on failure what is wrong
 */
int li_loop_open(struct li_loop **lp, const struct li_settings *settings,
		 const struct li_secret *secret, char *why, size_t size);

/** Until *is_over. */
void li_loop_run(struct li_loop *l, const volatile int *is_over);

#endif
