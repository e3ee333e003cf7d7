/**
 * @file job_runner.c  The thread that does jobs, one at a time, oldest first.
 * Any number of processes may have one: a job is taken by an UPDATE that skips
 * locked rows, and held by an advisory lock.
 */
#include "json.h"
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "job_private.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "rng.h"
#include "text.h"

#define POLL_MS 1000

/* ids of jobs do not clash with other locks but by chance */
#define LOCK "hashtextextended('core.job ' || id, 0)"

struct job_runner {
	struct pg *pg, *watch;
	struct rng *rng;
	pthread_t thread;
	bool is_running;
	atomic_bool is_stopping;
	int wake;
};

static const char setup_sql[] =
	"SELECT set_config('TimeZone', 'UTC', false), "
	"set_config('client_encoding', 'UTF8', false)";

/* A job at work whose lock is free has lost its process */
static const char orphan_sql[] =
	"UPDATE core.job SET status = CASE WHEN kind = ANY ($1::text[]) AND "
	"attempts < 3 THEN 'queued' ELSE 'failed' END, finished_at = CASE "
	"WHEN kind = ANY ($1::text[]) AND attempts < 3 THEN NULL ELSE now() "
	"END, detail = 'the process that did it ended' WHERE status = "
	"'running' AND pg_try_advisory_xact_lock(" LOCK ")";

/* What ended a week ago is forgotten */
static const char forget_sql[] =
	"DELETE FROM core.job WHERE finished_at < now() - interval '7 days'";

static const char take_sql[] =
	"UPDATE core.job SET status = 'running', started_at = now(), "
	"attempts = attempts + 1, errors = 0, done = 0 WHERE id = (SELECT id "
	"FROM core.job WHERE status = 'queued' AND kind = ANY ($1::text[]) "
	"ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED) "
	"RETURNING id, kind, coalesce(tenant_id, ''), key_id, args";

static const char lock_sql[] =
	"SELECT pg_advisory_lock(" LOCK ") FROM core.job WHERE id = $1";
static const char unlock_sql[] =
	"SELECT pg_advisory_unlock(" LOCK ") FROM core.job WHERE id = $1";

/* An earlier attempt may have left some */
static const char clean_sql[] =
	"WITH gone AS (DELETE FROM core.job_text WHERE job_id = $1 AND "
	"direction = 'out') DELETE FROM core.job_error WHERE job_id = $1";

static const char end_sql[] =
	"UPDATE core.job SET status = $2, result = $3::jsonb, detail = $4, "
	"errors = $5::bigint, done = CASE $2 WHEN 'done' THEN "
	"coalesce(total, done) ELSE done END, finished_at = CASE $2 WHEN "
	"'queued' THEN NULL ELSE now() END WHERE id = $1";


/* Names of the kinds, as an array of PostgreSQL */
static void kinds_text(char *buf, size_t size, bool resumable_only)
{
	size_t n;

	(void)text_copy(buf, size, "{");
	for (size_t i = 0; i < job_kind_n; i++) {
		if (resumable_only && !job_kinds[i]->is_resumable)
			continue;
		n = strlen(buf);
		text_format(buf + n, size - n, "%s%s", n > 1 ? "," : "",
			    job_kinds[i]->name);
	}
	n = strlen(buf);
	(void)text_copy(buf + n, size - n, "}");
}


static bool connect_both(struct job_runner *r)
{
	struct pg *const both[] = {r->pg, r->watch};

	for (size_t i = 0; i < 2; i++) {
		const bool was = pg_conn(both[i]) != NULL;

		if (pg_ready(both[i]) ||
		    (!was && pg_exec(both[i], setup_sql, 0, NULL, NULL)))
			return false;
		if (!was && i == 1 &&
		    pg_exec(r->watch, "LISTEN strowger_job", 0, NULL, NULL))
			return false;
	}
	return true;
}


static void look_after(struct job_runner *r)
{
	char resumable[512];
	const char *params[] = {resumable};

	kinds_text(resumable, sizeof(resumable), true);
	(void)pg_exec(r->watch, orphan_sql, 1, params, NULL);
	(void)pg_exec(r->watch, forget_sql, 0, NULL, NULL);
	(void)pg_exec(r->watch, "SELECT cdr.jobs_due()", 0, NULL, NULL);
	(void)pg_exec(r->watch, "SELECT core.package_open_due()", 0, NULL,
		      NULL);
}


static void job_fill(struct job *job, struct job_runner *r,
		     const PGresult *row)
{
	*job = (struct job){.pg = r->pg, .watch = r->watch, .rng = r->rng,
			    .is_stopping = &r->is_stopping};
	text_copy(job->id, sizeof(job->id), PQgetvalue(row, 0, 0));
	job->kind = job_kind_find(PQgetvalue(row, 0, 1));
	text_copy(job->tenant_id, sizeof(job->tenant_id),
		  PQgetvalue(row, 0, 2));
	text_copy(job->key_id, sizeof(job->key_id), PQgetvalue(row, 0, 3));
	job->args = json_loads(PQgetvalue(row, 0, 4), 0, NULL);
}


/* Seen as running only when its lock is held. true: job is filled */
static bool take(struct job_runner *r, struct job *job)
{
	char kinds[512];
	const char *params[] = {kinds}, *id = job->id;
	PGresult *row = NULL;
	bool taken = false;
	int err;

	kinds_text(kinds, sizeof(kinds), false);
	err = pg_exec(r->watch, "BEGIN", 0, NULL, NULL);
	if (!err)
		err = pg_exec(r->watch, take_sql, 1, params, &row);
	if (!err && PQntuples(row) == 1) {
		job_fill(job, r, row);
		err = pg_exec(r->watch, lock_sql, 1, &id, NULL);
		if (!err)
			err = pg_exec(r->watch, clean_sql, 1, &id, NULL);
		taken = !err;
	}
	PQclear(row);
	err = pg_exec(r->watch, taken ? "COMMIT" : "ROLLBACK", 0, NULL, NULL);
	return taken && !err;
}


static const char *outcome_of(const struct job_runner *r,
			      const struct job *job, int err)
{
	if (!err)
		return "done";
	if (err == ECANCELED && atomic_load(&r->is_stopping) &&
	    !job->is_cancelled)
		return job->kind->is_resumable ? "queued" : "failed";
	return err == ECANCELED ? "cancelled" : "failed";
}


static void end(struct job_runner *r, struct job *job, int err)
{
	char *result = job->result ? json_dumps(job->result, JSON_COMPACT)
				   : NULL;
	char errors[24];
	const char *status = outcome_of(r, job, err), *id = job->id;
	const char *params[] = {job->id, status, result,
				*job->detail ? job->detail : NULL, errors};

	text_format(errors, sizeof(errors), "%llu",
		    (unsigned long long)job->error_n);
	if (!strcmp(status, "failed") && !*job->detail)
		params[3] = atomic_load(&r->is_stopping)
				    ? "the process that did it ended"
				    : strerror(err);
	if (!pg_exec(r->watch, end_sql, 5, params, NULL))
		(void)pg_exec(r->watch, unlock_sql, 1, &id, NULL);
	log_event(LOG_INFO, "api", "job", "job=%s kind=%s status=%s", job->id,
		  job->kind->name, status);
	metric_add(metric_counter("strowger_api_jobs_total",
				  !strcmp(status, "done")
					  ? "status=\"done\""
					  : "status=\"other\"",
				  "jobs that ended in this process"),
		   1);
	free(result);
}


/* One job, if there is any */
static bool work(struct job_runner *r)
{
	struct job job = {.kind = NULL};
	bool taken = take(r, &job);
	int err;

	if (taken) {
		err = job.kind->run(&job);
		(void)pg_exec(r->pg, "ROLLBACK", 0, NULL, NULL);
		end(r, &job, err);
	}
	json_decref(job.args);
	json_decref(job.result);
	return taken;
}


static void *runner_thread(void *arg)
{
	struct job_runner *r = arg;

	while (!atomic_load(&r->is_stopping)) {
		if (!connect_both(r)) {
			usleep(POLL_MS * 1000);
			continue;
		}
		look_after(r);
		if (!work(r))
			(void)pg_wait_notify(r->watch, POLL_MS, r->wake);
	}
	return NULL;
}


static void destructor(void *data)
{
	struct job_runner *r = data;

	if (r->is_running) {
		const uint64_t one = 1;

		atomic_store(&r->is_stopping, true);
		if (write(r->wake, &one, sizeof(one)) < 0)
			log_event(LOG_WARN, "api", "wake", "errno=%d", errno);
		pthread_join(r->thread, NULL);
	}
	if (r->wake >= 0)
		close(r->wake);
	mem_deref(r->pg);
	mem_deref(r->watch);
	mem_deref(r->rng);
}


int job_runner_start(struct job_runner **rp, const char *dsn)
{
	struct job_runner *r = mem_zalloc(sizeof(*r), destructor);
	int err;

	if (!r)
		return ENOMEM;

	r->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = r->wake < 0 ? errno : pg_alloc(&r->pg, dsn, "strowger-job");
	if (!err)
		err = pg_alloc(&r->watch, dsn, "strowger-job-watch");
	if (!err)
		err = rng_system(&r->rng);
	if (!err)
		err = pthread_create(&r->thread, NULL, runner_thread, r);
	r->is_running = !err;

	if (err)
		mem_deref(r);
	else
		*rp = r;
	return err;
}
