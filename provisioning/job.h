/**
 * @file job.h  Long work as a row of core.job: asked for by a request, which
 * is answered 202 with Location: /v1/jobs/{id}; done by the runner, a thread
 * of strowger-api with database connections of its own; with progress, errors
 * by line, a result, and cancelling. Which process does it does not matter:
 * the one at work holds an advisory lock, and a job whose process died is
 * queued again (is_resumable) or failed by the next runner that looks.
 *
 * A new kind: a file with a struct job_kind, a row in kinds[] of job.c, and an
 * operation whose handler calls job_create().
 */
#ifndef JOB_H
#define JOB_H
#include "json.h"
#include <libpq-fe.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job;
struct pg;
struct request;
struct rng;

struct job_kind {
	const char *name;  /**< [a-z_], as in core.job.kind                 */
	bool is_resumable; /**< may run again from its beginning            */

	/**
	 * Do the work, in the runner's thread; transactions are its own.
	 * @return 0: done; ECANCELED: job_progress() said so; other: failed.
	 *         What it left open is rolled back.
	 */
	int (*run)(struct job *job);
};

/* --- asking for it: in a handler, between change_begin() and commit ------ */

/** What a new job is given. */
struct job_order {
	const struct job_kind *kind;
	const char *tenant_id; /**< whose it is, NULL: the platform's       */
	json_t *args;          /**< borrowed; of the kind's own form        */
	const char *input;     /**< text, NULL: none                        */
};

/**
 * Write the job and its audit, and set the answer: 202, Location, the row.
 * The caller ends with change_commit(), as after any other write: nothing
 * runs before that, nor with ?dry_run=1.
 * @return false: a problem is set and the transaction rolled back
 */
bool job_create(struct request *req, const struct job_order *order);

/* --- doing it: in run() -------------------------------------------------- */

const char *job_id(const struct job *job);
const char *job_tenant(const struct job *job); /**< NULL: the platform's    */
const char *job_key(const struct job *job);    /**< who asked               */
const json_t *job_args(const struct job *job);
struct pg *job_pg(struct job *job);   /**< for the work                    */
struct rng *job_rng(struct job *job);

/** The text that came with the order. free() it; NULL: none, or no database */
char *job_input(struct job *job, size_t *ret_len);

/**
 * Say how far it is; seen at once, whatever transaction the work is in, and
 * written twice a second at most, so that it may be called for each row.
 * @param total  0: not known
 * @return false when the work is to end: cancelled, or the process stops.
 *         run() then rolls back and returns ECANCELED
 */
bool job_progress(struct job *job, uint64_t done, uint64_t total);

/**
 * A fault of the input. Counted; the first JOB_ERRORS_MAX are kept.
 * @param line    1.., 0: none
 * @param column  name, NULL: the whole line
 * @param value   what stands there, or NULL; cut to 128 bytes
 * @param code    stable, as in problem details ("bad_form")
 * @param hint    what to do
 */
void job_error(struct job *job, uint64_t line, const char *column,
	       const char *value, const char *code, const char *hint, ...)
	__attribute__((format(printf, 6, 7)));
uint64_t job_error_n(const struct job *job);

/** A piece of what comes out (GET /v1/jobs/{id}/output), in order. As pg_exec();
 *  kept with the transaction that the work is in */
int job_output(struct job *job, const char *text);

/** What is told of a job that is done. Takes the reference. */
void job_result(struct job *job, json_t *result);

/** Why it failed, for people; run() then returns an errno. */
void job_fail(struct job *job, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define JOB_ERRORS_MAX 1000

/* --- the runner ---------------------------------------------------------- */

struct job_runner;

/** Start the thread. mem_deref() stops it: a job at work is told to end. */
int job_runner_start(struct job_runner **rp, const char *dsn);

/* The kinds, each in its own file */
extern const struct job_kind job_kind_cdr_export, job_kind_cdr_retention,
	job_kind_cdr_delivery, job_kind_invoice_run, job_kind_rerate_check,
	job_kind_rerate_apply, job_kind_reconciliation;

#endif
