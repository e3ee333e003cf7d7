/**
 * @file webhook_send.c  Claims deliveries, sends them side by side, writes
 * down what became of them.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "text.h"
#include "webhook_send.h"

#define JOBS_MAX 32      /* at once                            */
#define JOBS_EACH "4"    /* of one endpoint                    */
#define HOLD "60 seconds" /* more than a POST may take         */
#define LOOK_MS 1000     /* a NOTIFY may be lost               */
#define WAIT_MS 200      /* until the end of the process is seen */
#define FORGET_MS 600000
#define FORGET_ROWS "5000"

static const char claim_sql[] =
	"SELECT id, event_id, url, secret_box, previous_box, body "
	"FROM core.webhook_claim($1, " JOBS_EACH ", '" HOLD "')";

static const char result_sql[] =
	"SELECT core.webhook_result($1, $2, $3, $4, "
	"make_interval(secs => $5::float8 / 1000), "
	"make_interval(secs => $6), make_interval(secs => $7))";

static const char forget_sql[] =
	"SELECT core.events_forget(make_interval(days => $1::integer), "
	FORGET_ROWS ")";

/** One delivery under way. */
struct job {
	struct webhook_post post;
	bool is_busy;
	char id[37];
};

struct webhook_send {
	const struct webhook_config *cfg;
	struct pg *pg;
	CURLM *multi;
	struct job jobs[JOBS_MAX];
	unsigned busy;
	uint64_t look_ms, forget_ms; /* mono: next time */
	bool is_listening;
	bool is_running;
	pthread_t thread;
	atomic_bool is_stopping;
	struct metric *taken, *failed;
};


static uint64_t mono_ms(void)
{
	struct moment now;

	moment_read(&now);

	return moment_ms(&now);
}


static void number(char buf[24], int64_t v)
{
	(void)text_format(buf, 24, "%" PRId64, v);
}


/* --- what became of one */

static void result_write(struct webhook_send *s, const char *id,
			 const struct webhook_result *r)
{
	char status[24], ms[24], first[24], retry[24], off[24];
	const char *params[] = {id, r->status ? status : NULL,
				*r->error ? r->error : NULL, ms, first,
				retry, off};

	number(status, r->status);
	number(ms, r->ms);
	number(first, s->cfg->retry_first_ms);
	number(retry, s->cfg->retry_for_s);
	number(off, s->cfg->disable_after_s);
	metric_add(*r->error ? s->failed : s->taken, 1);

	/* what cannot be written down is sent again */
	if (pg_exec(s->pg, result_sql, 7, params, NULL))
		log_event(LOG_WARN, "webhook", "result_lost",
			  "delivery=%s error=\"%s\"", id, pg_error(s->pg));
}


static void job_end(struct webhook_send *s, struct job *job, CURLcode code)
{
	struct webhook_result result;

	(void)curl_multi_remove_handle(s->multi, job->post.easy);
	webhook_post_end(&job->post, code, &result);
	job->is_busy = false;
	s->busy--;
	result_write(s, job->id, &result);
}


static void jobs_end(struct webhook_send *s)
{
	struct CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(s->multi, &left))) {
		const CURLcode code = msg->data.result;
		char *data = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		(void)curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE,
					&data);
		for (unsigned i = 0; i < JOBS_MAX; i++)
			if (data == (char *)&s->jobs[i].post)
				job_end(s, &s->jobs[i], code);
	}
}


/* --- what is due */

static struct job *job_free(struct webhook_send *s)
{
	for (unsigned i = 0; i < JOBS_MAX; i++)
		if (!s->jobs[i].is_busy)
			return &s->jobs[i];

	return NULL;
}


static const char *column(const PGresult *res, int row, int col)
{
	return PQgetisnull(res, row, col) ? NULL : PQgetvalue(res, row, col);
}


static void job_begin(struct webhook_send *s, const PGresult *res, int row)
{
	const struct webhook_message msg = {
		.id = column(res, row, 1),
		.url = column(res, row, 2),
		.secret_box = column(res, row, 3),
		.previous_box = column(res, row, 4),
		.body = column(res, row, 5),
		.timeout_ms = WEBHOOK_TIMEOUT_MS,
	};
	struct job *job = job_free(s);
	int err;

	if (!job)
		return; /* never: no more are claimed than are free */

	TEXT_FILL(job->id, column(res, row, 0));
	err = webhook_post_begin(&job->post, &s->cfg->policy, &msg);
	if (!err && curl_multi_add_handle(s->multi, job->post.easy))
		err = ENOMEM;
	if (err) {
		const struct webhook_result failed = {
			.error = "webhooks.key_file is not the key that the "
				 "secret was sealed with"};

		if (err == EBADMSG)
			result_write(s, job->id, &failed);
		return;
	}
	job->is_busy = true;
	s->busy++;
}


static int listen_once(struct webhook_send *s)
{
	int err = 0;

	if (!s->is_listening)
		err = pg_exec(s->pg, "LISTEN strowger_webhook", 0, NULL,
			      NULL);
	s->is_listening = !err;

	return err;
}


static void claim(struct webhook_send *s)
{
	char max[24];
	const char *params[] = {max};
	PGresult *res = NULL;
	int err;

	if (!s->cfg->policy.has_key)
		return;

	number(max, JOBS_MAX - s->busy);
	err = pg_ready(s->pg);
	if (err)
		s->is_listening = false;
	else
		err = listen_once(s);
	if (!err)
		err = pg_exec(s->pg, claim_sql, 1, params, &res);
	if (err == ECONNRESET)
		s->is_listening = false;

	for (int i = 0; !err && i < PQntuples(res); i++)
		job_begin(s, res, i);
	PQclear(res);
}


/* Some rows at a time, so that nobody waits for it */
static void forget(struct webhook_send *s)
{
	char days[24];
	const char *params[] = {days};
	PGresult *res = NULL;

	number(days, s->cfg->keep_days);
	s->forget_ms = mono_ms() + FORGET_MS;
	if (!pg_ready(s->pg) &&
	    !pg_exec(s->pg, forget_sql, 1, params, &res) &&
	    !strcmp(PQgetvalue(res, 0, 0), FORGET_ROWS))
		s->forget_ms = mono_ms() + LOOK_MS;
	PQclear(res);
}


/* --- the thread */

static bool is_told(struct webhook_send *s)
{
	PGconn *conn = pg_conn(s->pg);
	bool is_any = false;
	PGnotify *note;

	if (!conn || !PQconsumeInput(conn))
		return false;
	while ((note = PQnotifies(conn))) {
		is_any = true;
		PQfreemem(note);
	}

	return is_any;
}


static void wait(struct webhook_send *s)
{
	PGconn *conn = pg_conn(s->pg);
	struct curl_waitfd fd = {.fd = conn ? PQsocket(conn) : -1,
				 .events = CURL_WAIT_POLLIN};

	(void)curl_multi_poll(s->multi, &fd, fd.fd >= 0, WAIT_MS, NULL);
}


static void pass(struct webhook_send *s)
{
	int running;
	const unsigned before = s->busy;

	(void)curl_multi_perform(s->multi, &running);
	jobs_end(s);

	/* who has ended one has room for the next of the same endpoint */
	if (is_told(s) || s->busy < before || mono_ms() >= s->look_ms) {
		s->look_ms = mono_ms() + LOOK_MS;
		if (s->busy < JOBS_MAX)
			claim(s);
	}
	if (mono_ms() >= s->forget_ms)
		forget(s);
}


static void *send_thread(void *arg)
{
	struct webhook_send *s = arg;

	(void)pthread_setname_np(pthread_self(), "webhooks");
	while (!atomic_load(&s->is_stopping)) {
		pass(s);
		wait(s);
	}

	return NULL;
}


static void destructor(void *arg)
{
	struct webhook_send *s = arg;

	if (s->is_running) {
		atomic_store(&s->is_stopping, true);
		(void)curl_multi_wakeup(s->multi);
		(void)pthread_join(s->thread, NULL);
	}
	for (unsigned i = 0; i < JOBS_MAX; i++) {
		if (s->jobs[i].is_busy)
			(void)curl_multi_remove_handle(
				s->multi, s->jobs[i].post.easy);
		webhook_post_free(&s->jobs[i].post);
	}
	if (s->multi)
		(void)curl_multi_cleanup(s->multi);
	mem_deref(s->pg);
}


int webhook_send_start(struct webhook_send **sp, const char *dsn,
		       const struct webhook_config *cfg)
{
	static const char help[] = "POSTs to webhook endpoints";
	struct webhook_send *s = mem_zalloc(sizeof(*s), destructor);
	int err;

	if (!s)
		return ENOMEM;

	s->cfg = cfg;
	s->taken = metric_counter("strowger_webhooks_total",
				  "result=\"taken\"", help);
	s->failed = metric_counter("strowger_webhooks_total",
				   "result=\"failed\"", help);
	s->multi = curl_multi_init();
	err = s->multi ? pg_alloc(&s->pg, dsn, "strowger-api webhooks")
		       : ENOMEM;
	if (!err)
		err = pthread_create(&s->thread, NULL, send_thread, s);
	s->is_running = !err;

	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}
