/**
 * @file ledger.c  The two threads towards PostgreSQL: one loads the journal,
 * one asks for leases.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <re.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "ledger.h"
#include "ledger_lease.h"
#include "ledger_load.h"
#include "log.h"
#include "moment.h"

#define IDLE_MS 1000
#define CLAIM_WAIT_MS 50

struct ledger {
	struct ledger_load *load;
	struct ledger_lease *lease;
	uint32_t load_ms;
	int wake_fd;                 /* END records were synced */
	int stop_fd;
	atomic_bool is_stopping;
	_Atomic uint64_t stop_ms;    /* mono: load no longer than this */
	atomic_bool is_load_done;
	pthread_t load_thread, lease_thread;
	unsigned threads;
};


static void destructor(void *arg)
{
	struct ledger *l = arg;

	mem_deref(l->load);
	mem_deref(l->lease);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->stop_fd >= 0)
		close(l->stop_fd);
}


static uint64_t mono_ms(void)
{
	struct moment now;

	moment_read(&now);
	return moment_ms(&now);
}


static bool may_go_on(struct ledger *l)
{
	return !atomic_load(&l->is_stopping) ||
	       mono_ms() < atomic_load(&l->stop_ms);
}


/*
 * Loads are load_ms apart, so that a batch is worth its transaction; a wake
 * only ends the longer pause of an idle node.
 */
static void pause_between(struct ledger *l)
{
	struct pollfd fds[2] = {
		{.fd = l->stop_fd, .events = POLLIN},
		{.fd = l->wake_fd, .events = POLLIN},
	};
	eventfd_t ignored;

	if (poll(fds, 1, (int)l->load_ms) == 0)
		(void)poll(fds, 2, IDLE_MS);
	(void)eventfd_read(l->wake_fd, &ignored);
}


/* Until the database lets us be the node of this name. */
static bool claim_wait(struct ledger *l)
{
	struct pollfd stop = {.fd = l->stop_fd, .events = POLLIN};

	while (!ledger_lease_is_claimed(l->lease)) {
		if (atomic_load(&l->is_stopping))
			return false;
		(void)poll(&stop, 1, CLAIM_WAIT_MS);
	}

	return true;
}


static void *load_run(void *arg)
{
	struct ledger *l = arg;
	bool more = true;

	(void)pthread_setname_np(pthread_self(), "ledger");
	while (claim_wait(l) && !atomic_load(&l->is_stopping)) {
		more = ledger_load_step(l->load);
		if (!more)
			pause_between(l);
	}

	do {
		more = ledger_lease_is_claimed(l->lease) &&
		       ledger_load_step(l->load);
	} while (more && may_go_on(l));

	if (may_go_on(l) && ledger_lease_is_claimed(l->lease))
		ledger_load_finish(l->load);
	atomic_store(&l->is_load_done, true);
	return NULL;
}


static void *lease_run(void *arg)
{
	struct ledger *l = arg;

	(void)pthread_setname_np(pthread_self(), "lease");
	ledger_lease_run(l->lease);
	return NULL;
}


static int threads_start(struct ledger *l)
{
	int err;

	err = pthread_create(&l->lease_thread, NULL, lease_run, l);
	if (err)
		return err;
	++l->threads;

	err = pthread_create(&l->load_thread, NULL, load_run, l);
	if (err)
		return err;
	++l->threads;

	return 0;
}


int ledger_start(struct ledger **lp, const struct ledger_config *cfg,
		 lease_answer_h *h, void *arg)
{
	struct ledger *l;
	int err;

	if (!lp || !cfg || !cfg->dsn || !cfg->node || !cfg->journal_dir ||
	    !cfg->home || !cfg->session_s || !cfg->batch_max || !h)
		return EINVAL;

	l = mem_zalloc(sizeof(*l), destructor);
	if (!l)
		return ENOMEM;

	l->load_ms = cfg->load_ms;
	l->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	err = l->wake_fd < 0 || l->stop_fd < 0 ? errno : 0;
	if (!err)
		err = ledger_load_alloc(&l->load, cfg);
	if (!err)
		err = ledger_lease_alloc(&l->lease, cfg, h, arg);
	if (!err)
		err = threads_start(l);

	if (err)
		ledger_stop(l, 0);
	else
		*lp = l;
	return err;
}


int ledger_lease(struct ledger *l, const struct lease_ask *ask)
{
	return ledger_lease_push(l->lease, ask);
}


void ledger_wake(struct ledger *l)
{
	(void)eventfd_write(l->wake_fd, 1);
}


void ledger_backlog(const struct ledger *l, uint64_t *ret_bytes,
		    uint64_t *ret_age_ms)
{
	ledger_load_backlog(l->load, ret_bytes, ret_age_ms);
}


/* A database that hangs would keep the loader for ever. */
static void load_join(struct ledger *l)
{
	while (!atomic_load(&l->is_load_done)) {
		if (!may_go_on(l))
			ledger_load_break(l->load);
		(void)usleep(10000);
	}

	pthread_join(l->load_thread, NULL);
}


void ledger_stop(struct ledger *l, uint32_t timeout_ms)
{
	if (!l)
		return;

	/* leases first: closing what is left of them has to come last */
	if (l->threads >= 1) {
		ledger_lease_end(l->lease, timeout_ms / 2);
		pthread_join(l->lease_thread, NULL);
	}

	atomic_store(&l->stop_ms, mono_ms() + timeout_ms / 2);
	atomic_store(&l->is_stopping, true);
	(void)eventfd_write(l->stop_fd, 1);
	if (l->threads >= 2)
		load_join(l);

	mem_deref(l);
}
