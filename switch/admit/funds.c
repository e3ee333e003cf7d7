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


struct fund {
	struct htab_node node;
	struct funds *owner; /* weak: funds own us */
	char account_id[ID_SIZE];
	int64_t granted_micro, spent_micro, held_micro;
	int64_t chunk_micro; /* last grant: a refill is asked at its half */
	struct list holds, waiting;
	uint64_t ticket;     /* of the ask under way; 0: none */
	struct wheel_timer wait, idle;
};

struct funds {
	struct funds_config cfg;
	struct htab *table;
	uint64_t tickets;
};


static int64_t fund_free(const struct fund *fund)
{
	return fund->granted_micro - fund->spent_micro - fund->held_micro;
}


static void fund_destructor(void *arg)
{
	struct fund *fund = arg;

	wheel_stop(fund->owner->cfg.wheel, &fund->wait);
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

	if (!fp || !cfg || !cfg->wheel || !cfg->askh)
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


static struct fund *fund_get(struct funds *f, const char *account)
{
	struct fund *fund = fund_find(f, account);

	if (fund)
		return fund;

	fund = mem_zalloc(sizeof(*fund), fund_destructor);
	if (!fund)
		return NULL;

	fund->owner = f;
	htab_insert(f->table, &fund->node,
		    htab_hash(f->table, account, strlen(account)), fund);
	if (text_copy(fund->account_id, sizeof(fund->account_id), account))
		return mem_deref(fund);

	return fund;
}


/* The least that helps who waits first; and all that is wanted with a chunk
   of present burn on top, so that PostgreSQL is asked seldom. */
static void fund_needs(const struct fund *fund, int64_t *ret_min,
		       int64_t *ret_want)
{
	const int64_t chunk_s = fund->owner->cfg.chunk_s;
	const struct le *le = list_head(&fund->waiting);
	int64_t wanted = 0, burn = 0, first = 0;

	if (le)
		first = ((const struct fund_hold *)le->data)->wanted_micro;

	LIST_FOREACH(&fund->waiting, le)
		wanted += ((const struct fund_hold *)le->data)->wanted_micro;

	LIST_FOREACH(&fund->holds, le)
		burn += ((const struct fund_hold *)le->data)->per_min_micro;

	*ret_min = max(first - fund_free(fund), 1);
	*ret_want = max(wanted - fund_free(fund), 0) + burn * chunk_s / 60;
	*ret_want = max(*ret_want, *ret_min);
}


/*
 * Everybody who waits now hears the same. They leave the queue first: who
 * then asks again for less must not stand behind one who is yet to hear.
 */
static void fund_refuse(struct fund *fund, enum outcome out)
{
	struct list refused = LIST_INIT;
	struct le *le;

	while ((le = list_head(&fund->waiting))) {
		list_unlink(le);
		list_append(&refused, le, le->data);
	}

	while ((le = list_head(&refused))) {
		struct fund_hold *hold = le->data;

		list_unlink(le);
		hold->wanted_micro = 0;
		hold->h(out, hold->arg);
	}
}


static void wait_over(void *arg)
{
	struct fund *fund = mem_ref(arg);

	fund->ticket = 0;
	fund_refuse(fund, OUT_CREDIT_UNKNOWN);
	mem_deref(fund);
}


static void fund_ask(struct fund *fund)
{
	struct funds *f = fund->owner;
	int64_t least, want;

	if (fund->ticket)
		return;

	fund_needs(fund, &least, &want);
	fund->ticket = ++f->tickets;
	wheel_start(f->cfg.wheel, &fund->wait, f->cfg.wait_ms, wait_over,
		    fund);

	/* a full queue is settled by the same time-out as a lost answer */
	(void)f->cfg.askh(fund->account_id, want, least, fund->ticket,
			  f->cfg.arg);
}


static void idle_over(void *arg)
{
	struct fund *fund = arg;
	struct funds *f = fund->owner;
	const int64_t free_micro = fund_free(fund);

	if (!list_isempty(&fund->holds))
		return;

	if (fund->ticket ||
	    (free_micro > 0 && f->cfg.askh(fund->account_id, -free_micro, 0,
					   0, f->cfg.arg))) {
		wheel_start(f->cfg.wheel, &fund->idle, f->cfg.idle_ms,
			    idle_over, fund);
		return;
	}

	mem_deref(fund);
}


static bool fund_grant(struct fund *fund, struct fund_hold *hold,
		       int64_t amount_micro)
{
	if (fund_free(fund) < amount_micro)
		return false;

	fund->held_micro += amount_micro;
	hold->held_micro += amount_micro;

	return true;
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


enum fund_verdict fund_take(struct funds *f, struct fund_hold *hold,
			    const char *account_id, int64_t amount_micro,
			    int64_t per_min_micro, funds_h *h, void *arg)
{
	struct fund *fund;

	assert(amount_micro >= 0 && !hold->wanted_micro);

	if (amount_micro == 0)
		return FUND_HELD;
	if (hold_join(f, hold, account_id))
		return FUND_REFUSED;

	fund = hold->fund;
	hold->h = h;
	hold->arg = arg;
	hold->per_min_micro = per_min_micro;

	if (list_isempty(&fund->waiting) &&
	    fund_grant(fund, hold, amount_micro)) {
		if (fund_free(fund) < fund->chunk_micro / 2)
			fund_ask(fund);
		return FUND_HELD;
	}

	hold->wanted_micro = amount_micro;
	list_append(&fund->waiting, &hold->waiting, hold);
	fund_ask(fund);

	return FUND_WAITING;
}


bool fund_covers(const struct funds *f, const char *account_id,
		 int64_t amount_micro)
{
	const struct fund *fund = fund_find(f, account_id);

	return amount_micro == 0 ||
	       (fund && list_isempty(&fund->waiting) &&
		fund_free(fund) >= amount_micro);
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

	if (list_isempty(&fund->holds))
		wheel_start(f->cfg.wheel, &fund->idle, f->cfg.idle_ms,
			    idle_over, fund);
}


/* Serve in the order of asking: who came first cannot be overtaken. */
static void fund_serve(struct fund *fund)
{
	struct le *le;

	while ((le = list_head(&fund->waiting))) {
		struct fund_hold *hold = le->data;

		if (!fund_grant(fund, hold, hold->wanted_micro))
			break;
		list_unlink(&hold->waiting);
		hold->wanted_micro = 0;
		hold->h(OUT_OK, hold->arg);
	}
}


void funds_answer(struct funds *f, const char *account_id,
		  int64_t granted_micro, bool is_known, uint64_t ticket)
{
	struct fund *fund = fund_find(f, account_id);

	if (!fund) {
		if (granted_micro > 0)
			(void)f->cfg.askh(account_id, -granted_micro, 0, 0,
					  f->cfg.arg);
		return;
	}

	mem_ref(fund);
	if (granted_micro > 0) {
		fund->granted_micro += granted_micro;
		fund->chunk_micro = granted_micro;
	}
	if (fund->ticket == ticket) {
		fund->ticket = 0;
		wheel_stop(f->cfg.wheel, &fund->wait);
	}
	fund_serve(fund);

	if (!fund->ticket && !list_isempty(&fund->waiting)) {
		if (granted_micro > 0)
			fund_ask(fund);
		else
			fund_refuse(fund, is_known ? OUT_NO_CREDIT
						   : OUT_CREDIT_UNKNOWN);
	}
	mem_deref(fund);
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
