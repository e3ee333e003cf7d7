/** @file worker_request.c  What strangers and acquaintances hear. */
#include <criterion/criterion.h>
#include <stdio.h>
#include "exchange.h"
#include "worker_private.h"

#define STRANGER "203.0.113.9"

static const char *const strays[] = {"BYE", "CANCEL", "INVITE", "OPTIONS",
				     "INFO", "PRACK"};


/* A request for a dialog that we do not have. */
static void stray(struct exchange *x, const char *from, const char *method,
		  const char *tag)
{
	char head[512];

	(void)snprintf(head, sizeof(head),
		       "%s sip:x@10.0.0.1 SIP/2.0\n"
		       "Via: SIP/2.0/UDP %s;branch=z9hG4bK%s%s\n"
		       "From: <sip:y@%s>;tag=y\nTo: <sip:x@10.0.0.1>%s\n"
		       "Call-ID: stray\nCSeq: 7 %s\n"
		       "Contact: <sip:y@%s>\n",
		       method, from, method, tag, from, tag, method, from);
	exchange_recv(x, from, head, NULL);
}


Test(worker_request, a_stranger_hears_nothing)
{
	struct exchange x;

	exchange_open(&x);
	for (size_t i = 0; i < ARRAY_SIZE(strays); i++)
		stray(&x, STRANGER, strays[i], ";tag=none");
	stray(&x, STRANGER, "OPTIONS", "");
	stray(&x, STRANGER, "MESSAGE", "");
	stray(&x, STRANGER, "CANCEL", "");
	cr_expect_eq(x.letter_n, 0, "%s", x.letters[0].text);
	exchange_close(&x);
}


/* After a restart peers still have dialogs with us: they are told, and no
   call is begun. */
Test(worker_request, who_is_known_hears_481)
{
	struct exchange x;

	exchange_open(&x);
	for (size_t i = 0; i < ARRAY_SIZE(strays); i++) {
		stray(&x, PBX, strays[i], ";tag=none");
		stray(&x, FIRST, strays[i], ";tag=none");
	}
	cr_expect_eq(exchange_count(&x, PBX, "SIP/2.0 481"),
		     ARRAY_SIZE(strays));
	cr_expect_eq(exchange_count(&x, FIRST, "SIP/2.0 481"),
		     ARRAY_SIZE(strays));
	cr_expect_eq(x.letter_n, 2 * ARRAY_SIZE(strays));
	cr_expect_eq(x.end_n, 0);
	exchange_close(&x);
}


Test(worker_request, options_of_who_is_known)
{
	struct exchange x;

	exchange_open(&x);
	stray(&x, FIRST, "OPTIONS", "");
	cr_expect(exchange_last(&x, FIRST, "SIP/2.0 200"));
	stray(&x, FIRST, "MESSAGE", "");
	cr_expect(exchange_last(&x, FIRST, "SIP/2.0 405"));
	exchange_close(&x);
}


Test(worker_request, an_allowance_has_a_burst_and_fills_again)
{
	struct allowance a = {0};
	uint32_t n = 0;

	while (allowance_take(&a, 0, 10, 200))
		n++;
	cr_expect_eq(n, 200);
	cr_expect_not(allowance_take(&a, 99, 10, 200));
	cr_expect(allowance_take(&a, 100, 10, 200));
	cr_expect_not(allowance_take(&a, 199, 10, 200));
	/* never more than the burst */
	for (n = 0; allowance_take(&a, 3600000, 10, 200); n++)
		;
	cr_expect_eq(n, 200);
}
