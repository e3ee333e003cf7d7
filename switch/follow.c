/** @file follow.c  See follow.h. NOTIFY is a hint, a poll the guarantee. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "catalog_store.h"
#include "follow.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "text.h"

#define POLL_MS 2000

struct follow {
	struct follow_config cfg;
	char file[512];
	struct pg *pg;
	struct catalog_store *store;
	struct snapshot_slot *slot;
	pthread_t thread;
	bool is_running, is_connected, is_unsent, has_spent;
	int64_t started_ms;     /**< UTC                                   */
	int stop_fd;
	atomic_bool is_stopping;
	struct metric *version, *up;
};


/* What fails here is tried again at the next look. */
static void publish(struct follow *f)
{
	struct snapshot *snap;

	f->is_unsent = true;
	if (catalog_store_publish(f->store, f->slot)) {
		log_event(LOG_ERROR, "catalog", "build_failed",
			  "fix=\"out of memory: the last catalog stays\"");
		return;
	}

	snap = snapshot_acquire(f->slot);
	metric_set(f->version, (int64_t)snapshot_version(snap));
	f->is_unsent = loop_catalog(f->cfg.loop, snap) != 0;
}


static void tell_applied(struct follow *f)
{
	struct snapshot *snap = snapshot_acquire(f->slot);
	char version[24];
	const char *params[2] = {f->cfg.node, version};

	(void)text_format(version, sizeof(version), "%llu",
			  snap ? (unsigned long long)snapshot_version(snap)
			       : 0ull);
	snapshot_release(snap);
	(void)pg_exec(f->pg, "select api_v1.node_applied($1, $2::bigint)", 2,
		      params, NULL);
}


static int hello(struct follow *f)
{
	char boot[24];
	const char *params[3] = {f->cfg.node, boot, STROWGER_VERSION};
	int err;

	(void)text_format(boot, sizeof(boot), "%lld",
			  (long long)f->cfg.boot);
	err = pg_exec(f->pg, "listen strowger_change", 0, NULL, NULL);

	return err ? err
		   : pg_exec(f->pg,
			     "select api_v1.node_hello($1, $2::bigint, $3)",
			     3, params, NULL);
}


/* What was spent before we started; of what is limited since, before now. */
static int read_spent(struct follow *f)
{
	struct moment now;
	int err;

	moment_read(&now);
	err = catalog_store_pull_spent(f->store, f->pg,
				       f->has_spent ? moment_wall_ms(&now)
						    : f->started_ms);
	f->has_spent |= !err;
	f->is_unsent |= !err;

	return err;
}


/* One look. Losing the database is logged once, not at each look. */
static void look(struct follow *f)
{
	bool is_changed = false;
	char why[200];
	int err;

	err = pg_ready(f->pg);
	if (!err && !f->is_connected)
		err = hello(f);
	if (!err && !f->has_spent)
		err = read_spent(f);
	if (!err)
		err = catalog_store_pull(f->store, f->pg, &is_changed);
	f->is_unsent |= is_changed;
	if (!err && catalog_store_lacks_spent(f->store))
		err = read_spent(f);

	if (err && f->is_connected)
		log_event(LOG_WARN, "catalog", "database_lost",
			  "error=%s now=\"routing on the last catalog\" "
			  "fix=\"PostgreSQL, db.dsn\"",
			  log_text(why, sizeof(why), pg_error(f->pg),
				   strlen(pg_error(f->pg))));
	if (!err && !f->is_connected)
		log_event(LOG_INFO, "catalog", "database_found", "node=%s",
			  f->cfg.node);
	f->is_connected = !err;
	metric_set(f->up, !err);
	if (err)
		return;

	if (f->is_unsent)
		publish(f);
	tell_applied(f); /* each time: it also says that we are there */
	if (!is_changed)
		return;

	err = catalog_store_save(f->store, f->file);
	if (err)
		log_event(LOG_WARN, "catalog", "save_failed",
			  "file=%s error=\"%s\" fix=\"node.state_dir: "
			  "space, rights\"", f->file, strerror(err));
}


static void *follow_thread(void *arg)
{
	struct follow *f = arg;

	(void)pthread_setname_np(pthread_self(), "follow");
	while (!atomic_load(&f->is_stopping)) {
		look(f);
		(void)pg_wait_notify(f->pg, POLL_MS, f->stop_fd);
	}

	return NULL;
}


/* Until PostgreSQL answers the copy on disk is what there is. */
static void load_saved(struct follow *f)
{
	const int err = catalog_store_load(f->store, f->file);

	if (err) {
		log_event(err == ENOENT ? LOG_INFO : LOG_ERROR, "catalog",
			  "not_loaded", "file=%s error=\"%s\" now=\"nobody "
			  "is known until PostgreSQL answers\"", f->file,
			  strerror(err));
		return;
	}

	log_event(LOG_INFO, "catalog", "loaded", "file=%s", f->file);
	publish(f);
}


int follow_start(struct follow **fp, const struct follow_config *cfg)
{
	struct follow *f = calloc(1, sizeof(*f));
	struct moment now;
	int err;

	if (!f)
		return ENOMEM;

	f->cfg = *cfg;
	moment_read(&now);
	f->started_ms = moment_wall_ms(&now);
	f->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->version = metric_gauge("strowger_catalog_version", NULL,
				  "version of the catalog in force");
	f->up = metric_gauge("strowger_database_up", "thread=\"catalog\"",
			     "1 when PostgreSQL answers");
	err = text_format(f->file, sizeof(f->file), "%s/catalog",
			  cfg->state_dir);
	if (!err)
		err = pg_alloc(&f->pg, cfg->dsn, "strowger-switch catalog");
	if (!err)
		err = catalog_store_alloc(&f->store);
	if (!err)
		err = snapshot_slot_alloc(&f->slot);
	if (err)
		goto out;

	load_saved(f);
	err = pthread_create(&f->thread, NULL, follow_thread, f);
	f->is_running = !err;

 out:
	if (err)
		follow_stop(f);
	else
		*fp = f;

	return err;
}


void follow_stop(struct follow *f)
{
	const uint64_t one = 1;

	if (!f)
		return;

	if (f->is_running) {
		atomic_store(&f->is_stopping, true);
		if (write(f->stop_fd, &one, sizeof(one)) < 0)
			log_event(LOG_WARN, "catalog", "stop_slow",
				  "error=\"%s\"", strerror(errno));
		(void)pthread_join(f->thread, NULL);
	}

	mem_deref(f->pg);
	mem_deref(f->store);
	snapshot_slot_free(f->slot);
	(void)close(f->stop_fd);
	free(f);
}
