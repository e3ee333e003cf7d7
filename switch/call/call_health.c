/**
 * @file call_health.c  What a call tells of the gateway that it was sent to
 * (ping.h). Only what the carrier itself is to blame for counts against it: a
 * busy or unknown number is a sign of life.
 */
#include <errno.h>
#include "call_private.h"


const struct gateway *call_hop(const struct call *call)
{
	const struct attempt *a = call_attempt(call);

	return a && a->gateway_id[0] && call->cat
		       ? catalog_gateway(call->cat, a->gateway_id) : NULL;
}


static void tell(struct call *call, enum health_word word, const char *why,
		 uint32_t retry_after_s)
{
	const struct gateway *gw = call_hop(call);

	if (gw)
		ping_heard(call->w->ping, gw, word, why, retry_after_s);
}


void call_health_alive(struct call *call)
{
	if (call->b_progressed)
		return;

	call->b_progressed = true;
	tell(call, HEALTH_ALIVE, "call", 0);
}


void call_health_no_ring(struct call *call)
{
	tell(call, HEALTH_FAILED, "no_ring", 0);
}


/* Our own lack of memory or room is no news of a carrier. */
static bool is_ours(int err)
{
	return err == ENOMEM || err == ENOBUFS;
}


void call_health_failed(struct call *call, enum outcome out, uint16_t scode,
			int err, uint32_t retry_after_s)
{
	if (!scode && is_ours(err))
		return;

	if (out == OUT_B_SILENT)
		tell(call, HEALTH_FAILED, "silent_call", 0);
	else if (out == OUT_B_ERROR)
		tell(call, HEALTH_FAILED, scode ? "call_5xx" : "wire", 0);
	else if (out == OUT_B_CONGESTED)
		tell(call, HEALTH_FAILED,
		     retry_after_s ? "retry_after" : "call_503",
		     retry_after_s);
	else if (out == OUT_B_FORBIDDEN || out == OUT_B_AUTH)
		tell(call, HEALTH_REFUSED, "refused", 0);
	else
		tell(call, HEALTH_ALIVE, "call", 0);
}
