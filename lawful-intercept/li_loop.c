/**
 * @file li_loop.c  Who is told what when something happens.
 */
#include "li_alarm.h"
#include "li_call.h"
#include "li_rest.h"
#include "li_seldom.h"
#include "x1_face.h"
#include "li_loop.h"
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "li_poi.h"
#include "li_report.h"
#include "moment.h"
#include "poi_user.h"
#include "rng.h"
#include "text.h"

#define EVENTS 64
#define TURN_MS 100            /**< longest sleep: records and files are
				    written so often                       */
#define SECOND_MS 1000
#define TIDY_MS 3600000
#define COMES_MS 5000          /**< after a start a switch has come back    */
#define LOSS_SHOWN_US (10 * 1000000LL)

struct li_loop {
	const struct li_settings *settings;
	const struct li_secret *secret;
	int epoll;
	struct moment now;
	struct li_store *store;
	struct li_audit *audit;
	struct li_alarm *alarm;
	struct li_registry *registry;
	struct li_index *index;
	struct li_poi *poi;
	struct li_delivery *delivery;
	struct li_calls *calls;
	struct li_reporter *reporter;
	struct li_listener *listener;
	struct x1_face x1;
	struct li_rest rest;
	struct li_health health;
	struct li_seldom refusals;
	uint64_t began_ms, second_ms, tidy_ms, committed_ms;
	int64_t next_us;               /**< when a task's time begins or ends */
	int64_t lost_us;               /**< when something was lost last      */
	uint64_t reports_lost;         /**< that are written down             */
	bool owes_reports;             /**< the ADMF does not know of it yet  */
	bool is_silent;                /**< of the ADMF, reported             */
};


static void loop_destructor(void *arg)
{
	struct li_loop *l = arg;

	mem_deref(l->listener);
	mem_deref(l->poi);
	mem_deref(l->calls);
	mem_deref(l->delivery);
	mem_deref(l->reporter);
	mem_deref(l->index);
	mem_deref(l->registry);
	mem_deref(l->audit);
	mem_deref(l->store);
	mem_deref(l->alarm);
	li_seldom_close(&l->refusals);
	if (l->epoll >= 0)
		(void)close(l->epoll);
}


static void note(struct li_loop *l, const char *event, json_t *detail)
{
	li_audit_note(l->audit, l->now.wall_us, event, detail);
}


static int report(struct li_loop *l, enum li_report_about about,
		  const uint8_t *id, const char *type, int code,
		  const char *text)
{
	struct li_report r = {.about = about, .type = type, .code = code,
			      .text = text};

	if (id)
		memcpy(r.id, id, LI_UUID_SIZE);

	return li_reporter_tell(l->reporter, &r, l->now.wall_us);
}


static json_t *id_json(const char *name, const uint8_t *id)
{
	char text[40];

	return json_pack("{ss}", name, uuid_format(text, id));
}


static void fault_set(struct li_loop *l, enum li_fault fault, bool is_up,
		      const char *name, const char *text)
{
	if (!(l->health.faults & fault) == !is_up)
		return;
	l->health.faults = is_up ? l->health.faults | fault
				 : l->health.faults & ~(unsigned)fault;
	li_alarm_tell(l->alarm, l->now.wall_us, name, is_up, NULL);
	note(l, name, json_pack("{sb}", "is_up", (int)is_up));
	(void)report(l, LI_ABOUT_NE, NULL, is_up ? "FaultReport" : "FaultCleared",
	       is_up ? 9020 : 9000, text);
}


/* Tasks whose time is over, and nothing of it can still come: it never comes
 * again, whatever the clock does */
static void tasks_end(struct li_loop *l)
{
	struct le *le, *next;

	for (le = list_head(li_registry_tasks(l->registry)); le; le = next) {
		struct li_task *t = le->data;
		struct li_act act = {.wall_us = l->now.wall_us,
				     .event = "task_over"};
		int err;

		next = le->next;
		if (t->is_ended ||
		    !li_task_is_over(t, l->now.wall_us - LI_LATE_US))
			continue;
		act.detail = id_json("xid", t->xid);
		t->is_ended = true;
		if (t->owner == LI_OWNER_ADMF && t->implicit_deactivation) {
			(void)report(l, LI_ABOUT_TASK, t->xid,
			       "ImplicitDeactivation", 0, "its time is over");
			err = li_registry_task_remove(l->registry, t, &act);
		}
		else
			err = li_registry_task_update(l->registry, t, &act);
		if (err)
			fault_set(l, LI_FAULT_STORE, true, "store_fault",
				  "records cannot be written");
	}
}


static void next_look(struct li_loop *l)
{
	struct le *le;

	l->next_us = INT64_MAX;
	for (le = list_head(li_registry_tasks(l->registry)); le;
	     le = le->next) {
		const int64_t us = li_task_next_us(le->data, l->now.wall_us);
		const int64_t late_us = li_task_next_us(
			le->data, l->now.wall_us - LI_LATE_US);

		l->next_us = us < l->next_us ? us : l->next_us;
		if (late_us < INT64_MAX - LI_LATE_US &&
		    late_us + LI_LATE_US < l->next_us)
			l->next_us = late_us + LI_LATE_US;
	}
}


/* Each task once, when every switch that is connected looks for it */
static void tasks_tell(struct li_loop *l)
{
	struct le *le;

	for (le = list_head(li_registry_tasks(l->registry)); le;
	     le = le->next) {
		struct li_task *t = le->data;

		if (t->is_told || t->owner != LI_OWNER_ADMF ||
		    !li_task_is_in_force(t, l->now.wall_us))
			continue;
		/* what is lost is told when there is room again */
		if (report(l, LI_ABOUT_TASK, t->xid,
			   "FullyActionedAndSuccessful", 9040, "in force"))
			return;
		t->is_told = true;
	}
}


/* Whatever changed: everybody looks again, before anything else happens */
static void followed(void *arg)
{
	struct li_loop *l = arg;

	if (!l->calls)
		return; /* still opening */
	moment_read(&l->now);
	if (li_delivery_follow(l->delivery, l->registry))
		li_alarm_tell(l->alarm, l->now.wall_us, "spool_fault", true,
			      NULL);
	if (li_index_build(l->index, li_registry_tasks(l->registry),
			   l->now.wall_us))
		li_poi_tell(l->poi);
	li_calls_follow(l->calls, l->now.wall_us);
	l->health.is_provisioned = li_poi_is_in_force(l->poi);
	if (l->health.is_provisioned)
		tasks_tell(l); /* a target that was sought already */
	next_look(l);
}


static void switch_came(const struct li_switch *s, void *arg)
{
	struct li_loop *l = arg;

	note(l, "poi_came", json_pack("{ss}", "node", li_switch_node(s)));
	fault_set(l, LI_FAULT_POI_AWAY, false, "poi_away",
		  "no switch is connected");
}


static void switch_gone(const struct li_switch *s, const char *why, void *arg)
{
	struct li_loop *l = arg;

	note(l, "poi_gone", json_pack("{ss ss}", "node", li_switch_node(s),
				      "why", why));
	li_calls_gone(l->calls, li_switch_serial(s), l->now.wall_us);
	l->health.is_provisioned = false;
	if (!li_poi_count(l->poi))
		fault_set(l, LI_FAULT_POI_AWAY, true, "poi_away",
			  "no switch is connected");
}


static void refusals_tell(struct li_loop *l)
{
	const char *event;
	json_t *j;

	while ((j = li_seldom_due(&l->refusals, moment_ms(&l->now), &event))) {
		li_alarm_tell(l->alarm, l->now.wall_us, event, true,
			      json_deep_copy(j));
		note(l, event, j);
	}
}


static void switch_refused(uint32_t uid, void *arg)
{
	struct li_loop *l = arg;

	li_seldom_count(&l->refusals, "poi_refused", "",
			json_pack("{sI}", "uid", (json_int_t)uid));
	refusals_tell(l);
}


static void switch_message(const struct li_switch *s,
			   const struct poi_message *m, void *arg)
{
	struct li_loop *l = arg;

	li_calls_message(l->calls, li_switch_serial(s), m);
}


static void targets_in_force(void *arg)
{
	struct li_loop *l = arg;

	l->health.is_provisioned = true;
	note(l, "in_force", json_pack("{sI}", "generation",
				      (json_int_t)li_index_generation(
					      l->index)));
	tasks_tell(l);
}


static void channel_event(const uint8_t did[LI_UUID_SIZE],
			  enum li_product product, enum li_channel_event ev,
			  uint64_t n, const char *why, void *arg)
{
	static const char *const names[] = {
		[LI_CHANNEL_UP] = "delivery_up",
		[LI_CHANNEL_DOWN] = "delivery_down",
		[LI_CHANNEL_LOSS] = "delivery_loss",
		[LI_CHANNEL_LOSS_OVER] = "delivery_loss_over",
		[LI_CHANNEL_TORN] = "delivery_torn",
	};
	static const char *const alarms[] = {
		[LI_CHANNEL_UP] = "delivery_down",
		[LI_CHANNEL_DOWN] = "delivery_down",
		[LI_CHANNEL_LOSS] = "delivery_loss",
		[LI_CHANNEL_LOSS_OVER] = "delivery_loss",
		[LI_CHANNEL_TORN] = "delivery_torn",
	};
	struct li_loop *l = arg;
	struct li_destination *d = li_registry_destination(l->registry, did);
	const bool is_good = ev == LI_CHANNEL_UP || ev == LI_CHANNEL_LOSS_OVER;
	const char *text = product == LI_X2 ? "delivery of X2"
					    : "delivery of X3";
	char id[40];
	json_t *j = json_pack("{ss ss sI ss}", "did", uuid_format(id, did),
			      "product", product == LI_X2 ? "x2" : "x3",
			      "lost", (json_int_t)n, "why", why ? why : "");

	if (d && (ev == LI_CHANNEL_UP || ev == LI_CHANNEL_DOWN))
		d->faults = ev == LI_CHANNEL_UP
				    ? d->faults & (uint8_t)~product
				    : d->faults | (uint8_t)product;
	if (ev == LI_CHANNEL_LOSS || ev == LI_CHANNEL_LOSS_OVER ||
	    ev == LI_CHANNEL_TORN)
		text = product == LI_X2 ? "loss of X2" : "loss of X3";
	li_alarm_tell(l->alarm, l->now.wall_us, alarms[ev], !is_good,
		      json_deep_copy(j));
	note(l, names[ev], j);
	if (d && d->owner == LI_OWNER_ADMF)
		(void)report(l, LI_ABOUT_DESTINATION, did,
		       is_good ? "AllClear" : "NonTerminatingFault",
		       is_good ? 9000 : 9020, text);
}


static void flow_event(const struct li_flow_note *n, void *arg)
{
	static const char *const names[] = {
		[LI_FLOW_START] = "delivery_start",
		[LI_FLOW_STOP] = "delivery_stop",
		[LI_FLOW_LOSS] = "poi_loss",
	};
	struct li_loop *l = arg;
	char xid[40], call[40], correlation[20];
	struct li_task *task;

	(void)text_format(correlation, sizeof(correlation), "%016llx",
			  (unsigned long long)n->correlation);
	li_audit_note(l->audit, n->wall_us, names[n->event],
		      json_pack("{ss ss ss sI sI}", "xid",
				uuid_format(xid, n->xid), "call",
				uuid_format(call, n->call), "correlation",
				correlation, "x2", (json_int_t)n->x2, "x3",
				(json_int_t)n->x3));
	if (n->event != LI_FLOW_LOSS)
		return;

	task = li_registry_task(l->registry, n->xid);
	if (task)
		task->is_losing = true;

	l->lost_us = l->now.wall_us;
	fault_set(l, LI_FAULT_LOSS, true, "poi_loss",
		  "copies are lost between switch and delivery");
	if (n->owner == LI_OWNER_ADMF)
		(void)report(l, LI_ABOUT_TASK, n->xid, "NonTerminatingFault", 9020,
		       "copies were lost");
}


/* What is neither a message of X1 nor an act is written down all the same */
static void request_refuse(struct li_loop *l, const struct li_request *req,
			   struct li_reply *reply, unsigned status)
{
	note(l, "http", json_pack("{ss ss si}", "certificate",
				  req->peer.serial, "from", req->peer.address,
				  "status", (int)status));
	reply->status = status;
}


static void request(const struct li_request *req, struct li_reply *reply,
		    void *arg)
{
	struct li_loop *l = arg;

	moment_read(&l->now);
	if (req->is_too_long) {
		request_refuse(l, req, reply, 413);
		return;
	}
	if (l->settings->officers[0] && li_rest_has(req->path)) {
		li_rest_answer(&l->rest, req, reply, l->now.wall_us);
		return;
	}
	if (!l->settings->admf[0] || strcmp(req->path, "/X1/NE")) {
		request_refuse(l, req, reply, 404);
		return;
	}
	if (strcmp(req->method, "POST")) {
		request_refuse(l, req, reply, 405);
		return;
	}
	reply->type = "application/xml";
	if (x1_face_answer(&l->x1, reply->body, req->body, req->len,
			   &req->peer, l->now.wall_us))
		reply->status = 500;
}


static void refused(const char *why, const char *address, const char *serial,
		    void *arg)
{
	struct li_loop *l = arg;

	li_seldom_count(&l->refusals, "tls_refused", why,
			json_pack("{ss ss ss}", "why", why, "from", address,
				  "certificate", serial));
	refusals_tell(l);
}


static int refuse(char *why, size_t size, const char *what, int err)
{
	if (err && !why[0])
		(void)text_format(why, size, "%s: %s", what, strerror(err));

	return err;
}


/* What it said is not known: an operator has to look, and the authority to
 * give it again */
static void row_unread(enum li_kind kind, int64_t row, void *arg)
{
	struct li_loop *l = arg;
	json_t *j = json_pack("{ss sI}", "what",
			      kind == LI_KIND_TASK   ? "task"
			      : kind == LI_KIND_FLOW ? "numbers"
						     : "destination",
			      "row", (json_int_t)row);

	li_alarm_tell(l->alarm, l->now.wall_us, "row_unread", true,
		      json_deep_copy(j));
	note(l, "row_unread", j);
}


static int kept_open(struct li_loop *l, char *why, size_t size)
{
	const struct li_settings *s = l->settings;
	bool is_lost = false;
	int err = refuse(why, size, s->alarm_file,
			 li_alarm_open(&l->alarm, s->alarm_file));

	err = err ? err : refuse(why, size, "store",
				 li_store_open(&l->store, s->folder,
					       l->secret, &is_lost));
	err = err ? err : refuse(why, size, "audit",
				 li_audit_open(&l->audit, l->store,
					       l->secret));
	err = err ? err : li_registry_alloc(&l->registry, l->store, l->audit,
					    &s->numbering, followed, l);
	err = err ? err : refuse(why, size, "tasks",
				 li_registry_load(l->registry, row_unread, l));
	err = err ? err : li_reporter_open(&l->reporter, s);
	if (err)
		return err;

	note(l, "start", json_pack("{ss sb}", "version", STROWGER_VERSION,
				   "is_store_lost", (int)is_lost));
	if (is_lost) {
		li_alarm_tell(l->alarm, l->now.wall_us, "store_lost", true,
			      NULL);
		(void)report(l, LI_ABOUT_NE, NULL, "Alert", 10000,
		       "database cleared");
	}

	return 0;
}


static int poi_open(struct li_loop *l, char *why, size_t size)
{
	const struct li_settings *s = l->settings;
	const struct li_poi_handlers h = {
		.came = switch_came, .message = switch_message,
		.gone = switch_gone, .refused = switch_refused,
		.in_force = targets_in_force, .arg = l,
	};
	uint32_t uid = 0;
	int err = refuse(why, size, s->poi_user, poi_user_find(&uid, s->poi_user));

	return err ? err
		   : refuse(why, size, s->poi_socket,
			    li_poi_open(&l->poi, s->poi_socket, uid, l->epoll,
					l->index, &h));
}


static int listener_watch(struct li_loop *l)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = l->listener};

	return epoll_ctl(l->epoll, EPOLL_CTL_ADD, li_listener_fd(l->listener),
			 &ev)
		       ? errno : 0;
}


static int work_open(struct li_loop *l, char *why, size_t size)
{
	const struct li_settings *s = l->settings;
	int err = li_index_alloc(&l->index);

	err = err ? err : refuse(why, size, "certificates of delivery",
				 li_delivery_open(&l->delivery, s, l->secret,
						  l->epoll, channel_event,
						  l));
	err = err ? err : poi_open(l, why, size);
	err = err ? err : li_calls_alloc(&l->calls, s, l->store, l->registry,
					 l->delivery, l->index, flow_event, l);
	err = err ? err : refuse(why, size, "numbers",
				 li_calls_load(l->calls, row_unread, l));
	err = err ? err : li_listener_open(&l->listener, s, request, refused,
					   l, why, size);

	return err ? err : listener_watch(l);
}


int li_loop_open(struct li_loop **lp, const struct li_settings *settings,
		 const struct li_secret *secret, char *why, size_t size)
{
	struct li_loop *l = mem_zalloc(sizeof(*l), loop_destructor);
	int err;

	if (!l)
		return ENOMEM;

	why[0] = '\0';
	moment_read(&l->now);
	l->settings = settings;
	l->secret = secret;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	err = l->epoll < 0 ? errno : kept_open(l, why, size);
	if (!err) {
		l->x1 = (struct x1_face){.settings = settings,
					 .registry = l->registry,
					 .health = &l->health,
					 .heard_us = l->now.wall_us};
		l->rest = (struct li_rest){.settings = settings,
					   .registry = l->registry};
		l->health.reports_come = settings->report_url[0] != '\0';
		err = work_open(l, why, size);
	}
	if (err) {
		(void)refuse(why, size, "cannot start", err);
		mem_deref(l);
		return err;
	}

	l->began_ms = moment_ms(&l->now);
	tasks_end(l);
	followed(l);
	*lp = l;

	return 0;
}


/* Those that the disk does not let go are tried again next second */
static void tasks_purge(struct li_loop *l)
{
	struct le *le, *next;
	int err = 0;

	for (le = list_head(li_registry_tasks(l->registry)); le && !err;
	     le = next) {
		struct li_task *t = le->data;
		struct li_act act = {.wall_us = l->now.wall_us,
				     .event = "task_purged"};

		next = le->next;
		if (t->owner != LI_OWNER_ADMF)
			continue;
		act.detail = id_json("xid", t->xid);
		err = li_registry_task_remove(l->registry, t, &act);
	}
	if (err)
		fault_set(l, LI_FAULT_STORE, true, "store_fault",
			  "records cannot be written");
}


/* Without a word of the ADMF for too long its tasks end, if that is wanted */
static void silence_look(struct li_loop *l)
{
	const int64_t window_us = l->settings->keepalive_window_s * 1000000;
	const bool is_silent = window_us && l->now.wall_us - l->x1.heard_us >=
						    window_us;

	if (is_silent != l->is_silent) {
		l->is_silent = is_silent;
		li_alarm_tell(l->alarm, l->now.wall_us, "admf_silent",
			      is_silent, NULL);
		note(l, "admf_silent",
		     json_pack("{sb}", "is_up", (int)is_silent));
		(void)report(l, LI_ABOUT_NE, NULL,
			     is_silent ? "Alert" : "FaultCleared",
			     is_silent ? 9050 : 9000,
			     "keepalives not received");
	}
	if (is_silent)
		tasks_purge(l);
}


static void commit(struct li_loop *l)
{
	int err;

	l->committed_ms = moment_ms(&l->now);
	li_calls_write(l->calls, l->now.wall_us);
	err = li_audit_commit(l->audit, l->now.wall_us, NULL, NULL);
	fault_set(l, LI_FAULT_STORE, err != 0, "store_fault",
		  "records cannot be written");
}


/* The authority has heard, and will not have it: that is for a person */
static void reports_look(struct li_loop *l)
{
	struct li_report report;
	int code;

	while (li_reporter_refused(l->reporter, &report, &code)) {
		json_t *j = json_pack("{ss ss si}", "type", report.type,
				      "text", report.text, "code", code);

		li_alarm_tell(l->alarm, l->now.wall_us, "report_refused", true,
			      json_deep_copy(j));
		note(l, "report_refused", j);
	}
}


/* More than can wait: the ADMF hears that it missed something as soon as it
 * takes reports again. Both states are told: the next time is a change, too */
static void reports_lost_look(struct li_loop *l)
{
	static const char text[] = "reports were lost";
	const uint64_t lost = li_reporter_lost(l->reporter);
	json_t *j;

	if (lost != l->reports_lost) {
		j = json_pack("{sI}", "count",
			      (json_int_t)(lost - l->reports_lost));
		if (!l->owes_reports)
			li_alarm_tell(l->alarm, l->now.wall_us, "report_lost",
				      true, json_deep_copy(j));
		note(l, "report_lost", j);
		l->reports_lost = lost;
		l->owes_reports = true;
	}
	if (!l->owes_reports || !li_reporter_has_room(l->reporter))
		return;

	l->owes_reports = false;
	li_alarm_tell(l->alarm, l->now.wall_us, "report_lost", false, NULL);
	note(l, "report_lost_told", NULL);
	(void)report(l, LI_ABOUT_NE, NULL, "FaultReport", 9020, text);
	(void)report(l, LI_ABOUT_NE, NULL, "FaultCleared", 9000, text);
	if (l->health.is_provisioned)
		tasks_tell(l);
}


/* Of each task that was said to lose copies, that it does no more */
static void losses_end(struct li_loop *l)
{
	struct le *le;

	fault_set(l, LI_FAULT_LOSS, false, "poi_loss",
		  "copies are lost between switch and delivery");
	for (le = list_head(li_registry_tasks(l->registry)); le;
	     le = le->next) {
		struct li_task *t = le->data;

		if (t->is_losing && t->owner == LI_OWNER_ADMF)
			(void)report(l, LI_ABOUT_TASK, t->xid, "AllClear",
				     9000, "copies were lost");
		t->is_losing = false;
	}
}


static void clocks(struct li_loop *l)
{
	const uint64_t now_ms = moment_ms(&l->now);

	if (l->now.wall_us >= l->next_us) {
		tasks_end(l);
		followed(l);
	}
	if (now_ms - l->second_ms >= SECOND_MS) {
		l->second_ms = now_ms;
		/* the clock may have been set: look all the same */
		tasks_end(l);
		if (li_index_build(l->index, li_registry_tasks(l->registry),
				   l->now.wall_us))
			followed(l);
		silence_look(l);
		refusals_tell(l);
		reports_look(l);
		reports_lost_look(l);
		if (!li_poi_count(l->poi) && now_ms - l->began_ms > COMES_MS)
			fault_set(l, LI_FAULT_POI_AWAY, true, "poi_away",
				  "no switch is connected");
		if (l->health.faults & LI_FAULT_LOSS &&
		    l->now.wall_us - l->lost_us > LOSS_SHOWN_US)
			losses_end(l);
	}
	if (now_ms - l->tidy_ms >= TIDY_MS) {
		l->tidy_ms = now_ms;
		li_calls_tidy(l->calls, l->now.wall_us);
	}
	if (now_ms - l->committed_ms >= TURN_MS)
		commit(l);
}


static int wait_ms(struct li_loop *l, int listener_ms)
{
	const int64_t left_us = l->next_us == INT64_MAX
					? INT64_MAX
					: l->next_us - l->now.wall_us;
	int ms = TURN_MS;

	if (listener_ms >= 0 && listener_ms < ms)
		ms = listener_ms;
	if (left_us < (int64_t)ms * 1000)
		ms = left_us > 0 ? (int)(left_us / 1000) + 1 : 0;

	return ms;
}


void li_loop_run(struct li_loop *l, const volatile int *is_over)
{
	struct epoll_event ev[EVENTS];
	int listener_ms = 0;

	while (!*is_over) {
		const int n = epoll_wait(l->epoll, ev, EVENTS,
					 wait_ms(l, listener_ms));
		int i;

		moment_read(&l->now);
		for (i = 0; i < n; i++) {
			if (li_poi_owns(l->poi, ev[i].data.ptr))
				li_poi_run(l->poi, ev[i].data.ptr);
		}
		listener_ms = li_listener_run(l->listener);
		moment_read(&l->now);
		/* a crash must not give a number twice that went out; when the
		 * disk takes nothing, delivery goes on all the same */
		if (li_calls_are_dirty(l->calls))
			commit(l);
		li_delivery_run(l->delivery, moment_ms(&l->now));
		clocks(l);
	}
	note(l, "stop", NULL);
	commit(l);
}
