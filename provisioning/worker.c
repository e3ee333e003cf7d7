/**
 * @file worker.c  What a thread of the API keeps from request to request.
 */
#include <pthread.h>
#include <re.h>
#include <stdlib.h>
#include "pg.h"
#include "rng.h"
#include "worker.h"

static pthread_key_t worker_key;
static pthread_once_t worker_once = PTHREAD_ONCE_INIT;


static void destroy(void *data)
{
	struct worker *w = data;

	mem_deref(w->pg);
	mem_deref(w->rng);
	free(w);
}


static void worker_key_make(void)
{
	(void)pthread_key_create(&worker_key, destroy);
}


struct worker *worker_get(const char *dsn)
{
	struct worker *w;

	(void)pthread_once(&worker_once, worker_key_make);
	w = pthread_getspecific(worker_key);
	if (w)
		return w;

	w = calloc(1, sizeof(*w));
	if (!w || pg_alloc(&w->pg, dsn, "strowger-api") ||
	    rng_system(&w->rng) || pthread_setspecific(worker_key, w)) {
		if (w)
			destroy(w);
		return NULL;
	}
	return w;
}


bool worker_connect(struct worker *w)
{
	int err = pg_ready(w->pg);
	int backend;

	if (!err) {
		backend = PQbackendPID(pg_conn(w->pg));
		if (backend == w->backend)
			return true;
		err = pg_exec(w->pg,
			      "SELECT set_config('statement_timeout', '60s', "
			      "false), set_config('lock_timeout', '5s', "
			      "false), set_config('TimeZone', 'UTC', false), "
			      "set_config('client_encoding', 'UTF8', false)",
			      0, NULL, NULL);
		w->backend = err ? 0 : backend;
	}
	return !err;
}
