/**
 * @file worker_event.c  See worker_event.h. Only limits that are reached are
 * kept, so that a limit which is never met costs nothing.
 */
#include <string.h>
#include "text.h"
#include "worker_private.h"

#define REACHED_MAX 10000
#define LIMIT_SIZE 32

struct limits_reached {
	struct worker *w;       /**< weak: it owns us                      */
	struct htab *table;
	struct metric *dropped;
};

/** A limit that was told as reached and not yet as cleared. */
struct reached {
	struct htab_node node;
	struct limits_reached *all;
	struct wheel_timer quiet;
	char tenant_id[ID_SIZE];
	struct limit_key {
		char object_id[ID_SIZE], limit[LIMIT_SIZE];
	} key;
	int64_t max;
};


static void reached_destructor(void *arg)
{
	struct reached *r = arg;

	wheel_stop(r->all->w->wheel, &r->quiet);
	htab_remove(r->all->table, &r->node);
}


static bool reached_free(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);

	return false;
}


static void destructor(void *arg)
{
	struct limits_reached *all = arg;

	if (all->table)
		(void)htab_each(all->table, reached_free, NULL);
	mem_deref(all->table);
}


int limits_reached_alloc(struct limits_reached **lp, struct worker *w,
			 const uint8_t key[16])
{
	struct limits_reached *all = mem_zalloc(sizeof(*all), destructor);

	if (!all)
		return ENOMEM;

	all->w = w;
	all->dropped = metric_counter(
		"strowger_events_dropped_total", "reason=\"limits\"",
		"events that nobody will hear of");
	if (htab_alloc(&all->table, 64, key)) {
		mem_deref(all);
		return ENOMEM;
	}
	*lp = all;

	return 0;
}


void worker_emit(struct worker *w, const struct event *ev)
{
	w->doors.eventh(ev, w->doors.arg);
}


/* --- limits */

static bool is_key(const void *data, const void *key)
{
	const struct reached *r = data;

	return 0 == memcmp(&r->key, key, sizeof(r->key));
}


static struct reached *reached_find(const struct limits_reached *all,
				    const struct limit_key *key)
{
	return htab_find(all->table,
			 htab_hash(all->table, key, sizeof(*key)), is_key,
			 key);
}


static void tell(struct worker *w, enum event_kind kind,
		 const struct reached *r, int64_t used,
		 const uint8_t *call_id)
{
	struct event ev;

	event_init(&ev, kind, moment_wall_ms(&w->now), r->tenant_id,
		   r->key.object_id);
	if (call_id)
		memcpy(ev.call_id, call_id, sizeof(ev.call_id));
	event_text(&ev, "limit", r->key.limit);
	event_number(&ev, "used", used);
	event_number(&ev, "max", r->max);
	worker_emit(w, &ev);
}


static void clear(struct reached *r, int64_t used)
{
	tell(r->all->w, EVENT_LIMIT_CLEARED, r, used, NULL);
	mem_deref(r);
}


static void quiet_handler(void *arg)
{
	clear(arg, 0);
}


static struct reached *reached_new(struct limits_reached *all,
				   const struct limit_key *key,
				   const char *tenant_id)
{
	struct reached *r = NULL;

	if (htab_count(all->table) < REACHED_MAX)
		r = mem_zalloc(sizeof(*r), reached_destructor);
	if (!r) {
		metric_add(all->dropped, 1);
		return NULL;
	}

	r->all = all;
	r->key = *key;
	TEXT_FILL(r->tenant_id, tenant_id ? tenant_id : "");
	htab_insert(all->table, &r->node,
		    htab_hash(all->table, key, sizeof(*key)), r);

	return r;
}


static void reach(struct worker *w, struct reached *r,
		  const struct limit_key *key, const struct limit_use *use)
{
	const bool is_new = !r;

	if (is_new)
		r = reached_new(w->reached, key, use->tenant_id);
	if (!r)
		return;

	r->max = use->max;
	if (use->is_rate)
		wheel_start(w->wheel, &r->quiet, LIMIT_QUIET_MS,
			    quiet_handler, r);
	if (is_new)
		tell(w, EVENT_LIMIT_REACHED, r, use->used, use->call_id);
}


void worker_limit(struct worker *w, const struct limit_use *use)
{
	const bool is_reached = use->max >= 0 && use->used >= use->max;
	struct limit_key key;
	struct reached *r;

	if (!is_reached && !htab_count(w->reached->table))
		return;

	memset(&key, 0, sizeof(key));
	TEXT_FILL(key.object_id, use->object_id);
	TEXT_FILL(key.limit, use->limit);
	r = reached_find(w->reached, &key);

	if (is_reached)
		reach(w, r, &key, use);
	else if (r && !use->is_rate &&
		 (use->max < 0 || use->used * 10 < use->max * 9))
		clear(r, use->used);
}


/* --- carriers and registrations */

void worker_gateway_changed(const char *gateway_id, bool is_up, void *arg)
{
	struct worker *w = arg;
	const struct gateway *gw =
		w->cat ? catalog_gateway(w->cat, gateway_id) : NULL;
	struct event ev;
	char address[64];

	event_init(&ev, is_up ? EVENT_CARRIER_UP : EVENT_CARRIER_DOWN,
		   moment_wall_ms(&w->now), NULL, gateway_id);
	if (gw) {
		(void)re_snprintf(address, sizeof(address), "%J", &gw->addr);
		event_text(&ev, "carrier_id", gw->carrier->id);
		event_text(&ev, "address", address);
	}
	worker_emit(w, &ev);
}


void worker_registered(const struct contact *c, bool is_bound,
		       const char *why, void *arg)
{
	struct worker *w = arg;
	struct event ev;
	char address[64];

	(void)re_snprintf(address, sizeof(address), "%J", &c->path.peer);
	event_init(&ev, is_bound ? EVENT_REGISTERED : EVENT_UNREGISTERED,
		   moment_wall_ms(&w->now), c->tenant_id, c->trunk_id);
	event_text(&ev, "username", c->username);
	event_text(&ev, "received", address);
	if (!is_bound)
		event_text(&ev, "why", why);
	event_text(&ev, "user_agent", c->user_agent);
	event_text(&ev, "contact", c->uri);
	worker_emit(w, &ev);
}
