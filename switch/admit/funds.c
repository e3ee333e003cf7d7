/**
 * @file funds.c  See funds.h. A fund lives while somebody holds or waits and
 * for idle_ms afterwards; what is then free goes back to the account.
 */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include "funds.h"
#include "htab.h"
#include "text.h"


/* who waits in mid-call is asked for again this often, until it is cut */
#define AGAIN_MS 300
/* a package that had nothing is not asked for again so soon: unless there is
   more, which is told */
#define DRY_MS 30000

struct fund {
	struct htab_node node;
	struct funds *owner; /* weak: funds own us */
	char account_id[ID_SIZE];
	int64_t granted_micro, spent_micro, held_micro;
	int64_t chunk_micro; /* last grant: a refill is asked at its half */
	bool is_scarce;      /* the last ask was not granted whole */
	int64_t step;        /* 0: money */
	uint64_t dry_ms;     /* mono: nothing is to be had before then */
	uint64_t ahead_ms;   /* mono: nor is a refill asked for ahead */
	struct list holds;
	struct list waiting; /* by due_ms, then by who asked first */
	uint64_t ticket;     /* of the ask under way; 0: none */
	int64_t asked_micro; /* by that ask */
	int64_t burn_micro;  /* of a draft: a minute of who holds in its base */
	struct wheel_timer wait, again, idle;
};

struct funds {
	struct funds_config cfg;
	const struct funds *base; /* of a draft; borrowed */
	struct htab *table;
	uint64_t tickets;
	uint64_t until_ms;   /* mono: nothing is held from then on */
};


static int64_t fund_free(const struct fund *fund)
{
	return fund->granted_micro - fund->spent_micro - fund->held_micro;
}


/* What a request takes of what is free: whole, or of a package some steps. */
static int64_t fund_share(const struct fund *fund, int64_t wanted_micro)
{
	const int64_t free_micro = max(fund_free(fund), 0);

	return fund->step && free_micro < wanted_micro
		       ? free_micro - free_micro % fund->step : wanted_micro;
}


static void fund_destructor(void *arg)
{
	struct fund *fund = arg;

	wheel_stop(fund->owner->cfg.wheel, &fund->wait);
	wheel_stop(fund->owner->cfg.wheel, &fund->again);
	wheel_stop(fund->owner->cfg.wheel, &fund->idle);
	htab_remove(fund->owner->table, &fund->node);
}


static bool fund_drop(void *data, void *arg)
{
	(void)arg;
	mem_deref(data);

	return false;
}


static void funds_destructor(void *arg)
{
	struct funds *f = arg;

	if (f->table)
		htab_each(f->table, fund_drop, NULL);

	mem_deref(f->table);
}


int funds_alloc(struct funds **fp, const struct funds_config *cfg)
{
	struct funds *f;
	int err;

	if (!fp || !cfg || !cfg->wheel || !cfg->now ||
	    !cfg->askh)
		return EINVAL;

	f = mem_zalloc(sizeof(*f), funds_destructor);
	if (!f)
		return ENOMEM;

	f->cfg = *cfg;
	err = htab_alloc(&f->table, 256, cfg->key);
	if (err)
		mem_deref(f);
	else
		*fp = f;

	return err;
}


int funds_draft(struct funds **fp, const struct funds *base,
		funds_ask_h *askh, void *arg)
{
	struct funds_config cfg = base->cfg;
	int err;

	cfg.askh = askh;
	cfg.arg = arg;
	err = funds_alloc(fp, &cfg);
	if (!err) {
		(*fp)->base = base;
		(*fp)->until_ms = base->until_ms;
	}

	return err;
}


static bool fund_equal(const void *data, const void *key)
{
	const struct fund *fund = data;

	return 0 == strcmp(fund->account_id, key);
}


static struct fund *fund_find(const struct funds *f, const char *account)
{
	return htab_find(f->table,
			 htab_hash(f->table, account, strlen(account)),
			 fund_equal, account);
}


/* Of a draft perhaps that of its base: to be read only. */
static const struct fund *fund_known(const struct funds *f,
				     const char *account)
{
	const struct fund *fund = fund_find(f, account);

	return fund || !f->base ? fund : fund_find(f->base, account);
}


static bool is_lapsed(const struct funds *f)
{
	return moment_ms(f->cfg.now) >= f->until_ms;
}


void funds_until(struct funds *f, uint64_t until_ms)
{
	f->until_ms = until_ms;
}


static int64_t holders_burn(const struct fund *fund)
{
	int64_t burn_micro = fund->burn_micro;
	struct le *le;

	LIST_FOREACH(&fund->holds, le)
		burn_micro += ((const struct fund_hold *)le->data)
				      ->per_min_micro;

	return burn_micro;
}


/* Who waits there comes first: nothing is free then. */
static void fund_begin(struct fund *fund, const struct fund *base)
{
	fund->spent_micro = base->spent_micro;
	fund->held_micro = base->held_micro;
	fund->granted_micro = list_isempty(&base->waiting)
				      ? base->granted_micro
				      : base->spent_micro + base->held_micro;
	fund->chunk_micro = base->chunk_micro;
	fund->is_scarce = base->is_scarce;
	fund->step = base->step;
	fund->dry_ms = base->dry_ms;
	fund->ahead_ms = base->ahead_ms;
	fund->burn_micro = holders_burn(base);
}


static struct fund *fund_get(struct funds *f, const char *account)
{
	struct fund *fund = fund_find(f, account);

	if (fund)
		return fund;

	fund = mem_zalloc(sizeof(*fund), fund_destructor);
	if (!fund)
		return NULL;

	fund->owner = f;
	if (f->base && fund_find(f->base, account))
		fund_begin(fund, fund_find(f->base, account));
	htab_insert(f->table, &fund->node,
		    htab_hash(f->table, account, strlen(account)), fund);
	if (text_copy(fund->account_id, sizeof(fund->account_id), account))
		return mem_deref(fund);

	return fund;
}


/* What it would take of plenty, and of little. */
static int64_t hold_wants(const struct fund_hold *hold)
{
	return hold->fund->is_scarce ? hold->least_micro : hold->wanted_micro;
}


/* The least that helps who waits first; and all that is wanted with a chunk
   of present burn on top, so that PostgreSQL is asked seldom. */
static void fund_needs(const struct fund *fund, struct fund_order *ret)
{
	const int64_t chunk_s = fund->owner->cfg.chunk_s;
	const struct le *le = list_head(&fund->waiting);
	const struct fund_hold *next = list_ledata(le);
	int64_t wanted = 0;

	LIST_FOREACH(&fund->waiting, le)
		wanted += hold_wants(le->data);

	ret->is_running = next && next->is_running;
	ret->min_micro = !next ? 0 : fund->step ? next->wanted_micro
						: next->least_micro;
	ret->min_micro = max(ret->min_micro - fund_free(fund), 1);
	ret->want_micro = max(wanted - fund_free(fund), 0) +
			  holders_burn(fund) * chunk_s / 60;
	ret->want_micro = max(ret->want_micro, ret->min_micro);
}


static void hold_unwait(struct fund_hold *hold)
{
	list_unlink(&hold->waiting);
	hold->least_micro = 0;
	hold->wanted_micro = 0;
}


/*
 * Calls that are not up yet hear that there is nothing; who is up goes on
 * waiting. They leave the queue first: who hears may ask again.
 */
static void fund_refuse(struct fund *fund, enum outcome out)
{
	struct list refused = LIST_INIT;
	struct le *le = list_head(&fund->waiting), *next;

	for (; le; le = next) {
		struct fund_hold *hold = le->data;

		next = le->next;
		if (hold->is_running)
			continue;
		list_unlink(&hold->waiting);
		list_append(&refused, &hold->waiting, hold);
	}

	while ((le = list_head(&refused))) {
		struct fund_hold *hold = le->data;

		hold_unwait(hold);
		hold->h(out, hold->arg);
	}
}


static bool fund_grant(struct fund *fund, struct fund_hold *hold,
		       int64_t amount_micro)
{
	if (is_lapsed(fund->owner) || fund_free(fund) < amount_micro)
		return false;

	fund->held_micro += amount_micro;
	hold->held_micro += amount_micro;

	return true;
}


/* Who runs out first is served first: nobody overtakes him, so that he is not
   starved by cheaper ones. */
static void fund_serve(struct fund *fund)
{
	struct le *le;

	while ((le = list_head(&fund->waiting))) {
		struct fund_hold *hold = le->data;

		const int64_t share = fund_share(fund, hold_wants(hold));

		if (((!share && fund->step) ||
		     !fund_grant(fund, hold, share)) &&
		    !fund_grant(fund, hold, hold->least_micro))
			break;
		hold_unwait(hold);
		hold->h(OUT_OK, hold->arg);
	}
}


/* Down to what has begun, for everybody. */
static void fund_tighten(struct fund *fund)
{
	struct le *le;

	/* packages are not shared by intervals: who comes first has them */
	if (fund->step)
		return;

	fund->is_scarce = true;
	LIST_FOREACH(&fund->holds, le) {
		struct fund_hold *hold = le->data;
		int64_t keep_micro;

		if (hold->wanted_micro && !hold->is_running)
			continue;
		if (hold->wanted_micro)
			hold_unwait(hold);

		keep_micro = hold->keeph(hold->arg);
		assert(keep_micro >= 0 && keep_micro <= hold->held_micro);
		fund->held_micro -= hold->held_micro - keep_micro;
		hold->held_micro = keep_micro;
	}
}


static void fund_ask(struct fund *fund);


static void again_over(void *arg)
{
	struct fund *fund = mem_ref(arg);

	fund_serve(fund);
	if (!list_isempty(&fund->waiting))
		fund_ask(fund);
	mem_deref(fund);
}


/* An ask is over: who is served, who goes on waiting, who is refused. */
static void fund_answered(struct fund *fund, int64_t granted_micro,
			  enum outcome why_not)
{
	if (fund->step && granted_micro <= 0) {
		fund->ahead_ms = moment_ms(fund->owner->cfg.now) + DRY_MS;
		/* a refill ahead asks for more than the next one may need */
		if (!list_isempty(&fund->waiting))
			fund->dry_ms = fund->ahead_ms;
	}
	if (granted_micro >= fund->asked_micro)
		fund->is_scarce = false;
	else if (!fund->is_scarce)
		fund_tighten(fund);
	fund_serve(fund);

	if (fund->ticket || list_isempty(&fund->waiting))
		return;
	if (granted_micro > 0 && !is_lapsed(fund->owner)) {
		fund_ask(fund);
		return;
	}

	fund_refuse(fund, is_lapsed(fund->owner) ? OUT_CREDIT_UNKNOWN
						 : why_not);
	if (!fund->ticket && !list_isempty(&fund->waiting))
		wheel_start(fund->owner->cfg.wheel, &fund->again, AGAIN_MS,
			    again_over, fund);
}


static void wait_over(void *arg)
{
	struct fund *fund = mem_ref(arg);

	fund->ticket = 0;
	fund_answered(fund, 0, OUT_CREDIT_UNKNOWN);
	mem_deref(fund);
}


static void fund_ask(struct fund *fund)
{
	struct funds *f = fund->owner;
	struct fund_order order = {.account_id = fund->account_id};

	if (fund->ticket)
		return;

	fund_needs(fund, &order);
	fund->asked_micro = order.want_micro;
	fund->ticket = order.ticket = ++f->tickets;
	wheel_stop(f->cfg.wheel, &fund->again);
	wheel_start(f->cfg.wheel, &fund->wait, f->cfg.wait_ms, wait_over,
		    fund);

	/* a full queue is settled by the same time-out as a lost answer */
	(void)f->cfg.askh(&order, f->cfg.arg);
}


static int give_back(struct funds *f, const char *account_id, int64_t micro)
{
	const struct fund_order order = {.account_id = account_id,
					 .want_micro = -micro};

	return micro > 0 ? f->cfg.askh(&order, f->cfg.arg) : 0;
}


static void idle_over(void *arg)
{
	struct fund *fund = arg;
	struct funds *f = fund->owner;

	if (!list_isempty(&fund->holds))
		return;

	if (fund->ticket ||
	    give_back(f, fund->account_id, fund_free(fund))) {
		wheel_start(f->cfg.wheel, &fund->idle, f->cfg.idle_ms,
			    idle_over, fund);
		return;
	}

	mem_deref(fund);
}


static int hold_join(struct funds *f, struct fund_hold *hold,
		     const char *account_id)
{
	struct fund *fund;

	if (hold->fund)
		return 0;

	fund = fund_get(f, account_id);
	if (!fund)
		return ENOMEM;

	hold->fund = fund;
	list_append(&fund->holds, &hold->le, hold);
	wheel_stop(f->cfg.wheel, &fund->idle);

	return 0;
}


static void hold_wait(struct fund_hold *hold, const struct fund_request *req)
{
	struct list *waiting = &hold->fund->waiting;
	struct le *le = waiting->tail;

	hold->least_micro = req->least_micro;
	hold->wanted_micro = req->want_micro;
	while (le && ((const struct fund_hold *)le->data)->due_ms >
			     hold->due_ms)
		le = le->prev;

	if (le)
		list_insert_after(waiting, le, &hold->waiting, hold);
	else
		list_prepend(waiting, &hold->waiting, hold);
}


enum fund_verdict fund_take(struct funds *f, struct fund_hold *hold,
			    const struct fund_request *req)
{
	struct fund *fund;
	int64_t share;

	assert(req->least_micro >= 0 && !hold->wanted_micro);
	assert(req->want_micro >= req->least_micro);

	if (req->want_micro == 0)
		return FUND_HELD;
	if (hold_join(f, hold, req->account_id))
		return FUND_REFUSED;

	fund = hold->fund;
	fund->step = req->step;
	hold->h = req->h;
	hold->keeph = req->keeph;
	hold->arg = req->arg;
	hold->per_min_micro = req->per_min_micro;
	hold->due_ms = req->due_ms;
	hold->is_running = req->is_running;

	share = fund_share(fund, fund->is_scarce ? req->least_micro
						 : req->want_micro);
	if (list_isempty(&fund->waiting) && (share || !fund->step) &&
	    fund_grant(fund, hold, share)) {
		if (!fund->is_scarce &&
		    fund_free(fund) < fund->chunk_micro / 2 &&
		    fund->ahead_ms <= moment_ms(f->cfg.now))
			fund_ask(fund);
		return FUND_HELD;
	}
	/* what it holds pays for the next interval, too: neither who waits
	 * nor the end of the session is a reason to cut it before that */
	if (req->is_running && !req->least_micro)
		return FUND_HELD;
	if (fund->dry_ms > moment_ms(f->cfg.now))
		return FUND_REFUSED;

	hold_wait(hold, req);
	fund_ask(fund);

	return FUND_WAITING;
}


void fund_forget(struct fund_hold *hold)
{
	if (hold->wanted_micro)
		hold_unwait(hold);
}


bool fund_covers(const struct funds *f, const char *account_id,
		 int64_t amount_micro)
{
	const struct fund *fund = fund_known(f, account_id);

	return amount_micro == 0 ||
	       (fund && !is_lapsed(f) && list_isempty(&fund->waiting) &&
		fund_free(fund) >= amount_micro);
}


bool fund_is_scarce(const struct funds *f, const char *account_id)
{
	const struct fund *fund = fund_known(f, account_id);

	return fund && fund->is_scarce;
}


void fund_settle(struct funds *f, struct fund_hold *hold, int64_t price_micro)
{
	struct fund *fund = hold->fund;

	if (!fund)
		return;

	assert(price_micro >= 0 && price_micro <= hold->held_micro);

	if (hold->wanted_micro)
		list_unlink(&hold->waiting);
	list_unlink(&hold->le);

	fund->held_micro -= hold->held_micro;
	fund->spent_micro += price_micro;
	memset(hold, 0, sizeof(*hold));

	/* what came free may be what another waits for; not from in here */
	if (!list_isempty(&fund->waiting) && !fund->ticket)
		wheel_start(f->cfg.wheel, &fund->again, 0, again_over, fund);
	if (list_isempty(&fund->holds))
		wheel_start(f->cfg.wheel, &fund->idle, f->cfg.idle_ms,
			    idle_over, fund);
}


void funds_answer(struct funds *f, const char *account_id,
		  int64_t granted_micro, bool is_known, uint64_t ticket)
{
	struct fund *fund = fund_find(f, account_id);

	if (!fund) {
		(void)give_back(f, account_id, granted_micro);
		return;
	}

	mem_ref(fund);
	if (granted_micro < 0)
		fund->granted_micro -= min(-granted_micro, fund_free(fund));
	if (granted_micro > 0) {
		fund->granted_micro += granted_micro;
		fund->chunk_micro = granted_micro;
	}
	if (ticket && fund->ticket == ticket) {
		fund->ticket = 0;
		wheel_stop(f->cfg.wheel, &fund->wait);
		fund_answered(fund, granted_micro,
			      is_known ? OUT_NO_CREDIT : OUT_CREDIT_UNKNOWN);
	}
	else {
		fund_serve(fund);
	}
	mem_deref(fund);
}


void funds_more(struct funds *f, const char *account_id)
{
	struct fund *fund = fund_find(f, account_id);

	if (!fund)
		return;

	fund->dry_ms = fund->ahead_ms = 0;
	if (!list_isempty(&fund->waiting))
		fund_ask(fund);
}


void funds_recall(struct funds *f, const char *account_id)
{
	struct fund *fund = fund_find(f, account_id);
	int64_t free_micro;

	if (!fund)
		return;

	fund_tighten(fund);
	free_micro = fund_free(fund);
	if (!give_back(f, account_id, free_micro))
		fund->granted_micro -= max(free_micro, 0);
}


static bool census_add(void *data, void *arg)
{
	const struct fund *fund = data;
	struct funds_census *ret = arg;

	ret->accounts++;
	ret->holds += list_count(&fund->holds);
	ret->waiting += list_count(&fund->waiting);
	ret->granted_micro += fund->granted_micro;
	ret->spent_micro += fund->spent_micro;
	ret->held_micro += fund->held_micro;

	return false;
}


void funds_census(const struct funds *f, struct funds_census *ret)
{
	memset(ret, 0, sizeof(*ret));
	htab_each(f->table, census_add, ret);
}
