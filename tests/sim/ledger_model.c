/**
 * @file ledger_model.c  Accounts, leases and the loader as in
 * sql/migrate/0005_api.sql and 0006_load.sql: a lease is taken from the free
 * balance, each END is loaded once however often it is read, and its sell
 * charge settles the lease of its epoch.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define EPOCHS 4
#define LOAD_MS 700

static const char *const ids[] = {"acc_1", "acc_2", "acc_3"};

enum { ACCOUNTS = 3 };

struct lease {
	int64_t granted_micro, settled_micro;
};

struct account_model {
	int64_t start_micro, balance_micro, credit_micro, leased_micro;
	int64_t charged_micro;      /* sum of postings */
	struct lease leases[EPOCHS];
};

struct key {
	int64_t started_at;
	uint8_t call_id[16];
};

struct ledger_model {
	struct world *w;
	struct account_model accounts[ACCOUNTS];
	struct cdr_call *call;
	size_t position;
	struct key *loaded;
	size_t loaded_n;
	size_t end_of_reads;        /* highest offset ever read            */
};

struct ask {
	struct lease_order order;
	char account_id[36];
	unsigned boot;
	bool is_unknown;
};


static void load_over(struct world *w, void *arg)
{
	struct ledger_model *l = arg;

	/* a transaction that failed after the COPY is done again */
	if (w->climate.has_bad_ledger && chance(w, 10))
		l->position = 0;
	if (!w->climate.has_bad_ledger || chance(w, 70))
		ledger_model_load(w);
	world_after(w, LOAD_MS, load_over, l);
}


struct ledger_model *ledger_model_alloc(struct world *w)
{
	static const int64_t rich_micro = 1000000000;
	struct ledger_model *l = calloc(1, sizeof(*l));

	l->w = w;
	l->call = calloc(1, sizeof(*l->call));
	l->accounts[0].balance_micro = draw(w, chance(w, 50) ? 40000
							    : 1000000);
	l->accounts[1].credit_micro = draw(w, 2000000);
	l->accounts[1].balance_micro = -(int64_t)draw(w, 10000);
	l->accounts[2].balance_micro = rich_micro;
	for (int i = 0; i < ACCOUNTS; i++)
		l->accounts[i].start_micro = l->accounts[i].balance_micro;
	world_after(w, LOAD_MS, load_over, l);

	return l;
}


void ledger_model_free(struct ledger_model *l)
{
	free(l->loaded);
	free(l->call);
	free(l);
}


uint64_t ledger_model_calls(const struct ledger_model *l)
{
	return l->loaded_n;
}


static struct account_model *account_find(struct ledger_model *l,
					  const char *id)
{
	for (int i = 0; i < ACCOUNTS; i++)
		if (!strcmp(ids[i], id))
			return &l->accounts[i];

	world_fail(l->w, "ledger: unknown account \"%s\"", id);

	return &l->accounts[0];
}


/* --- leases: api_v1.lease_take(), api_v1.lease_return() */

static int64_t lease_take(struct account_model *a, unsigned epoch,
			  int64_t want_micro, int64_t min_micro)
{
	int64_t micro = a->balance_micro + a->credit_micro - a->leased_micro;

	if (micro > want_micro)
		micro = want_micro;
	if (micro <= 0 || micro < min_micro)
		return 0;
	a->leased_micro += micro;
	a->leases[epoch].granted_micro += micro;

	return micro;
}


static void lease_return(struct account_model *a, unsigned epoch,
			 int64_t micro)
{
	struct lease *lease = &a->leases[epoch];

	if (micro > lease->granted_micro - lease->settled_micro)
		micro = lease->granted_micro - lease->settled_micro;
	lease->granted_micro -= micro;
	a->leased_micro -= micro;
}


static void ask_over(struct world *w, void *arg)
{
	struct ask *ask = arg;
	struct account_model *a = account_find(w->ledger, ask->account_id);
	int64_t micro = 0;

	if (ask->boot == w->boot && ask->order.want_micro < 0) {
		lease_return(a, ask->boot, -ask->order.want_micro);
	}
	else if (ask->boot == w->boot) {
		if (!ask->is_unknown)
			micro = lease_take(a, ask->boot,
					   ask->order.want_micro,
					   ask->order.min_micro);
		world_trace(w, "lease %s: %lld of %lld", ask->account_id,
			    (long long)micro,
			    (long long)ask->order.want_micro);
		worker_leased(w->worker, &w->now, ask->account_id, micro,
			      !ask->is_unknown, ask->order.ticket);
	}
	free(ask);
}


void ledger_model_drop(event_h *h, void *arg)
{
	if (h == ask_over)
		free(arg);
}


static uint32_t delay_draw(struct world *w)
{
	if (w->climate.has_bad_ledger && chance(w, 15))
		return draw_ms(w, 1500, 6000);

	return draw_ms(w, 2, 120);
}


int ledger_model_lease(const struct lease_order *order, void *arg)
{
	struct world *w = arg;
	struct ask *ask;

	if (w->is_down)
		return ENOBUFS;
	if (order->want_micro > 0 && order->min_micro > order->want_micro)
		world_fail(w, "lease: less wanted than needed");
	if (w->climate.has_bad_ledger && chance(w, 5))
		return ENOBUFS;

	ask = calloc(1, sizeof(*ask));
	ask->order = *order;
	strncpy(ask->account_id, order->account_id,
		sizeof(ask->account_id) - 1);
	ask->boot = w->boot;
	ask->is_unknown = w->climate.has_bad_ledger && chance(w, 12);
	world_after(w, delay_draw(w), ask_over, ask);

	return 0;
}


/* api_v1.lease_close_epochs() */
void ledger_model_boot(struct world *w)
{
	for (int i = 0; i < ACCOUNTS; i++) {
		struct account_model *a = &w->ledger->accounts[i];

		for (unsigned e = 0; e < w->boot; e++) {
			a->leased_micro -= a->leases[e].granted_micro -
					   a->leases[e].settled_micro;
			a->leases[e] = (struct lease){0};
		}
	}
}


/* --- the loader: api_v1.load_cdrs() */

static bool is_loaded(const struct ledger_model *l, const struct key *key)
{
	for (size_t i = 0; i < l->loaded_n; i++)
		if (!memcmp(&l->loaded[i], key, sizeof(*key)))
			return true;

	return false;
}


static void charge_post(struct ledger_model *l, const struct cdr_charge *c)
{
	struct account_model *a = account_find(l, c->account_id);
	struct lease *lease = &a->leases[c->lease_epoch % EPOCHS];
	int64_t due = lease->granted_micro - lease->settled_micro;

	if (c->lease_epoch < 0 || c->lease_epoch >= EPOCHS)
		world_fail(l->w, "charge: epoch %lld",
			   (long long)c->lease_epoch);
	if (c->amount_micro > due)
		world_fail(l->w, "charge of %lld is more than was leased: "
				 "%lld", (long long)c->amount_micro,
			   (long long)due);
	else
		due = c->amount_micro;
	lease->settled_micro += due;
	a->leased_micro -= due;
	a->balance_micro -= c->amount_micro;
	a->charged_micro += c->amount_micro;
}


static void record_load(struct ledger_model *l, bool is_again)
{
	const struct cdr_call *call = l->call;
	struct key key = {.started_at = call->call.started_at};

	memcpy(key.call_id, call->call.call_id, sizeof(key.call_id));
	if (is_loaded(l, &key)) {
		if (!is_again)
			world_fail(l->w, "a call has two ENDs");
		return;
	}

	l->loaded = realloc(l->loaded, (l->loaded_n + 1) * sizeof(key));
	l->loaded[l->loaded_n++] = key;
	check_record(l->w, call);
	for (uint32_t i = 0; i < call->charge_n; i++)
		if (call->charges[i].side == CHARGE_SELL)
			charge_post(l, &call->charges[i]);
}


void ledger_model_load(struct world *w)
{
	struct ledger_model *l = w->ledger;
	struct journal_record rec;
	const uint8_t *buf;
	size_t left = journal_model_read(w->journal, l->position, &buf);

	while (left && !journal_frame(buf, left, &rec)) {
		const bool is_again = l->position < l->end_of_reads;

		l->position += rec.frame_len;
		if (rec.type == JOURNAL_END) {
			if (journal_decode_call(&rec, l->call))
				world_fail(w, "an END cannot be read");
			else
				record_load(l, is_again);
		}
		left = journal_model_read(w->journal, l->position, &buf);
		if (!is_again)
			l->end_of_reads = l->position;
	}
}


void ledger_model_check(struct world *w, bool is_end)
{
	for (int i = 0; i < ACCOUNTS; i++) {
		const struct account_model *a = &w->ledger->accounts[i];

		if (a->balance_micro != a->start_micro - a->charged_micro)
			world_fail(w, "%s: ledger and balance differ",
				   ids[i]);
		if (a->charged_micro && a->balance_micro + a->credit_micro < 0)
			world_fail(w, "%s: overdrawn by %lld", ids[i],
				   (long long)-(a->balance_micro +
						a->credit_micro));
		if (a->leased_micro < 0)
			world_fail(w, "%s: leased %lld", ids[i],
				   (long long)a->leased_micro);
		if (is_end && a->leased_micro)
			world_fail(w, "%s: %lld are leased for ever", ids[i],
				   (long long)a->leased_micro);
	}
}
