/**
 * @file call_emergency.c  An emergency call: recognised before any rule, its
 * calling number and place, and the alarm that somebody must hear.
 */
#include <string.h>
#include "call_private.h"
#include "emergency.h"
#include "log.h"
#include "text.h"

#define ROUNDS_MAX 3


static void begin(struct call *call, const struct emergency_hit *hit)
{
	call->is_emergency = true;
	call->sos.route = hit->route;
	call->sos.is_test = hit->is_test;
	TEXT_FILL(call->sos.number, hit->number);
	WHY(call->why, WHY_EMERGENCY, OUT_OK, hit->route->id,
	    WHY_TEXT("dialled", call->called.received),
	    WHY_TEXT("number", hit->number), WHY_TEXT("for", hit->scope),
	    WHY_COUNT("is_test", hit->is_test));
}


static bool is_emergency(struct call *call, const char *number)
{
	struct emergency_hit hit;

	if (!emergency_find(call->cat, call->trunk, call->site, number,
			    &hit))
		return false;

	begin(call, &hit);

	return true;
}


static bool is_service(struct call *call, const char *urn)
{
	struct emergency_hit hit;

	if (!emergency_find_service(call->cat, call->trunk, call->site,
				    urn + strlen(SERVICE_URN), &hit))
		return false;

	begin(call, &hit);

	return true;
}


bool call_emergency(struct call *call)
{
	const char *dialled = call->called.received;
	char number[E164_SIZE];

	if (!call->trunk)
		return false;
	if (!strncmp(dialled, SERVICE_URN, strlen(SERVICE_URN)))
		return is_service(call, dialled);
	if (is_emergency(call, dialled))
		return true;

	/* with the PBX's prefix for an outside line before it */
	return 0 == rule_apply(&call->trunk->number_in, dialled, number,
			       sizeof(number)) &&
	       is_emergency(call, number);
}


void call_emergency_calling(struct call *call)
{
	const char *forced = emergency_calling(call->trunk, call->site);

	/* before the trunk's own number takes the place of who called. Two may
	   call for help with one number at once: a third round is a circle */
	if (circle_came_back(call->w->circles, call->sos.number,
			     call->calling.e164[0] ? call->calling.e164
						   : call->calling.received,
			     &call->a_path.peer, ROUNDS_MAX))
		call->is_back = true;
	if (forced[0])
		TEXT_FILL(call->calling.e164, forced);
	else if (!call->calling.e164[0])
		TEXT_FILL(call->calling.e164, call->calling.received);

	/* who answers must be able to call back */
	call->is_private = false;
	WHY(call->why, WHY_CALLER, OUT_OK, call->trunk_id,
	    WHY_TEXT("received", call->calling.received),
	    WHY_TEXT("sent", call->calling.e164));
}


void call_emergency_place(struct call *call, const struct gateway *gw,
			  struct leg_out *out)
{
	const struct location *loc = emergency_location(call->trunk,
							call->site, gw);

	if (gw->emergency_location == LOCATION_NONE)
		return;

	WHY(call->why, WHY_EMERGENCY, OUT_OK, gw->id,
	    WHY_TEXT("location", loc ? loc->id : "unknown"));
	if (!loc)
		return;

	out->location = loc;
	out->location_form = (enum location_form)gw->emergency_location;
}


void call_emergency_alarm(const struct call *call)
{
	char number[40], id[37];
	struct event ev;

	(void)uuid_format(id, call->id);
	metric_add(call->w->metrics.emergency[call->sos.is_test], 1);
	event_init(&ev, EVENT_EMERGENCY, moment_wall_ms(&call->w->now),
		   call->tenant_id, call->trunk_id);
	memcpy(ev.call_id, call->id, sizeof(ev.call_id));
	event_text(&ev, "number", call->sos.number);
	event_text(&ev, "calling", call->calling.e164);
	event_text(&ev, "site_id", call->site_id);
	event_number(&ev, "test", call->sos.is_test);
	worker_emit(call->w, &ev);
	log_event(call->sos.is_test ? LOG_INFO : LOG_WARN, "emergency", "call",
		  "call=%s tenant=%s trunk=%s number=%s calling=%s test=%d",
		  id, call->tenant_id, call->trunk_id, call->sos.number,
		  log_number(number, call->calling.e164), call->sos.is_test);
}
