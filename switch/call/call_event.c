/**
 * @file call_event.c  What is told of a call while it lives: that it began,
 * was answered, is over. Carriers are not named: customers hear of it, too.
 */
#include <string.h>
#include "call_private.h"
#include "text.h"

static const char *const directions[] = {
	[CALL_OUT] = "out", [CALL_IN] = "in", [CALL_ONNET] = "onnet",
};


static void event_begin(struct event *ev, const struct call *call,
			enum event_kind kind)
{
	const char *trunk_id = call->kind == CALL_IN ? call->to_trunk_id
						     : call->trunk_id;

	event_init(ev, kind, moment_wall_ms(&call->w->now), call->tenant_id,
		   trunk_id);
	memcpy(ev->call_id, call->id, sizeof(ev->call_id));
	event_text(ev, "direction", directions[call->kind]);
	event_text(ev, "calling", call->calling.e164[0]
					  ? call->calling.e164
					  : call->calling.received);
	event_text(ev, "called", call_shown_called(call));
}


void call_event_started(struct call *call)
{
	struct event ev;

	if (call->is_told || call->is_test)
		return;

	call->is_told = true;
	event_begin(&ev, call, EVENT_CALL_STARTED);
	worker_emit(call->w, &ev);
}


void call_event_answered(struct call *call)
{
	struct event ev;

	event_begin(&ev, call, EVENT_CALL_ANSWERED);
	event_number(&ev, "setup_ms",
		     (int64_t)(call->answered_ms - call->begun_ms));
	worker_emit(call->w, &ev);
}


void call_event_ended(struct call *call)
{
	char price[48];
	struct event ev;

	if (call->is_test)
		return;

	call_event_started(call);
	event_begin(&ev, call, EVENT_CALL_ENDED);
	event_text(&ev, "outcome", outcome_row(call->outcome)->code);
	event_text(&ev, "initiator", call->initiator);
	event_number(&ev, "sip_code", call->sip_code);
	event_number(&ev, "duration_ms", (int64_t)call_duration_ms(call));
	if (call->money.is_sold) {
		event_text(&ev, "price",
			   text_decimal_format(price, sizeof(price),
					       call->money.price_micro, 6));
		event_text(&ev, "currency", call->money.currency);
	}
	worker_emit(call->w, &ev);
}
