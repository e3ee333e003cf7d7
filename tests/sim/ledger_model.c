/**
 * @file ledger_model.c  Accounts, sessions, leases and the loader as in
 * sql/migrate: a lease is taken from the free balance while the node's session
 * lasts, each END is loaded once however often it is read, and its sell charge
 * settles the lease of its epoch. Meanwhile payments come, limits change,
 * money is transferred, another node spends from the same accounts, the
 * database is away for a while, and an operator releases what had expired.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define EPOCHS 4
#define LOAD_MS 700
#define SESSION_MS 30000
#define MARGIN_MS 2000
#define CLAIM_MS 3000
#define LIVELY_MS 100000 /* then no more is paid, lowered, transferred */

static const char *const ids[] = {"acc_1", "acc_2", "acc_3"};

enum { ACCOUNTS = 3 };

struct lease {
	int64_t granted_micro, settled_micro;
};

struct account_model {
	int64_t start_micro, balance_micro, credit_micro, leased_micro;
	int64_t charged_micro;      /* sum of usage postings */
	int64_t paid_micro;         /* of all others */
	int64_t rival_micro;        /* leased by the other node */
	int64_t overspent_micro;
	int64_t excess_micro;       /* what operators took the risk of: limits
				       lowered below what was leased, leases
				       released */
	int64_t released_micro;     /* and the node has yet to hear of it */
	bool is_exhausted;
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
	uint64_t session_ms;        /* of the present boot: lasts until    */
	uint64_t away_ms;           /* the database is, until then         */
};

struct ask {
	struct lease_order order;
	char account_id[36];
	unsigned boot;
	bool is_unknown;
};


static bool is_away(const struct world *w)
{
	return world_ms(w) < w->ledger->away_ms;
}


bool ledger_model_is_away(const struct world *w)
{
	return is_away(w);
}


static bool is_package(const char *id)
{
	return !strncmp(id, "sub_", 4);
}


static void load_over(struct world *w, void *arg)
{
	struct ledger_model *l = arg;

	if (is_away(w)) {
		world_after(w, LOAD_MS, load_over, l);
		return;
	}

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
	l->accounts[0].balance_micro = draw(w, chance(w, 70) ? 20000
							    : 1000000);
	l->accounts[1].credit_micro = draw(w, chance(w, 50) ? 30000
							   : 2000000);
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


/* --- the node's session: api_v1.node_claim() */

static void recall(struct world *w, int i)
{
	if (w->is_down)
		return;
	world_trace(w, "%s: recalled", ids[i]);
	worker_lease_recalled(w->worker, &w->now, ids[i]);
}


static void claim(struct world *w)
{
	struct ledger_model *l = w->ledger;

	l->session_ms = world_ms(w) + SESSION_MS;
	for (int i = 0; i < ACCOUNTS; i++) {
		struct account_model *a = &l->accounts[i];

		if (a->released_micro)
			worker_leased(w->worker, &w->now, ids[i],
				      -a->released_micro, true, 0);
		a->released_micro = 0;
		if (a->overspent_micro)
			recall(w, i);
	}
	package_model_claim(w);
	worker_lease_until(w->worker, &w->now, moment_ms(&w->now) +
			   SESSION_MS - MARGIN_MS);
}


static void claim_over(struct world *w, void *arg)
{
	(void)arg;
	if (!is_away(w) && !w->is_down)
		claim(w);
	world_after(w, CLAIM_MS, claim_over, NULL);
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

static int64_t account_free(const struct account_model *a)
{
	return a->balance_micro + a->credit_micro - a->leased_micro;
}


static int64_t account_lease(struct account_model *a, int64_t want_micro,
			     int64_t min_micro)
{
	const int64_t free_micro = account_free(a);
	int64_t micro = free_micro / 2;

	if (micro < min_micro)
		micro = min_micro;
	if (micro > want_micro)
		micro = want_micro;
	if (micro <= 0 || micro > free_micro || micro < min_micro)
		return 0;
	a->leased_micro += micro;

	return micro;
}


/* core.account_unlease() */
static void account_unlease(struct account_model *a, int64_t micro)
{
	a->leased_micro -= micro;
	a->overspent_micro -= micro;
	if (a->overspent_micro < 0)
		a->overspent_micro = 0;
}


static void more_over(struct world *w, void *arg)
{
	const struct account_model *a = arg;

	if (!w->is_down)
		worker_lease_more(w->worker, &w->now,
				  ids[a - w->ledger->accounts]);
}


static void account_more(struct world *w, struct account_model *a)
{
	if (a->is_exhausted && account_free(a) > 0)
		world_after(w, draw_ms(w, 1, 50), more_over, a);
}


/* The other node gives back at once what it is asked for. */
static void rival_return(struct world *w, struct account_model *a)
{
	account_unlease(a, a->rival_micro);
	a->rival_micro = 0;
	account_more(w, a);
}


static void rival_over(struct world *w, void *arg)
{
	rival_return(w, arg);
}


static int64_t lease_take(struct world *w, struct account_model *a,
			  unsigned epoch, int64_t want_micro,
			  int64_t min_micro)
{
	int64_t micro;

	if (world_ms(w) >= w->ledger->session_ms)
		return 0;

	micro = account_lease(a, want_micro, min_micro);
	a->leases[epoch].granted_micro += micro;
	a->is_exhausted |= !micro;
	if (!micro && a->rival_micro)
		world_after(w, draw_ms(w, 1, 50), rival_over, a);

	return micro;
}


static void lease_return(struct world *w, struct account_model *a,
			 unsigned epoch, int64_t micro)
{
	struct lease *lease = &a->leases[epoch];

	if (micro > lease->granted_micro - lease->settled_micro)
		micro = lease->granted_micro - lease->settled_micro;
	lease->granted_micro -= micro;
	account_unlease(a, micro);
	account_more(w, a);
}


static int64_t take(struct world *w, const struct ask *ask)
{
	const struct lease_order *o = &ask->order;

	if (is_package(ask->account_id))
		return package_model_take(w, ask->account_id, o->want_micro,
					  o->min_micro);

	return lease_take(w, account_find(w->ledger, ask->account_id),
			  ask->boot, o->want_micro, o->min_micro);
}


static void give_back(struct world *w, const struct ask *ask)
{
	const int64_t micro = -ask->order.want_micro;

	if (is_package(ask->account_id))
		package_model_return(w, ask->account_id, ask->boot, micro);
	else
		lease_return(w, account_find(w->ledger, ask->account_id),
			     ask->boot, micro);
}


static void ask_over(struct world *w, void *arg)
{
	struct ask *ask = arg;
	int64_t micro = 0;

	if (ask->boot == w->boot && ask->order.want_micro < 0 && is_away(w)) {
		world_after(w, 1000, ask_over, ask);
		return;
	}
	if (ask->boot == w->boot && ask->order.want_micro < 0) {
		give_back(w, ask);
	}
	else if (ask->boot == w->boot) {
		ask->is_unknown |= is_away(w) ||
				   world_ms(w) >= w->ledger->session_ms;
		if (!ask->is_unknown)
			micro = take(w, ask);
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


/* --- what else moves money */

static struct account_model *account_draw(struct world *w)
{
	return &w->ledger->accounts[draw(w, ACCOUNTS)];
}


/* core.post(): never less than what calls have been promised, but what is
   leased may go. */
static void payment(struct world *w)
{
	struct account_model *a = account_draw(w);
	int64_t micro = draw(w, 100000);

	if (chance(w, 30))
		micro = -micro;
	if (a->balance_micro + micro + a->credit_micro < 0)
		return;

	world_trace(w, "%s: posted %lld", ids[a - w->ledger->accounts],
		    (long long)micro);
	a->balance_micro += micro;
	a->paid_micro += micro;
	account_more(w, a);
}


static void transfer(struct world *w)
{
	struct account_model *from = account_draw(w), *to = account_draw(w);
	const int64_t most = from->balance_micro - from->leased_micro;
	int64_t micro = draw(w, 50000);

	if (micro > most)
		micro = most;
	if (micro <= 0)
		return;

	world_trace(w, "transfer of %lld", (long long)micro);
	from->balance_micro -= micro;
	from->paid_micro -= micro;
	to->balance_micro += micro;
	to->paid_micro += micro;
	account_more(w, to);
}


static void limit_change(struct world *w)
{
	struct account_model *a = &w->ledger->accounts[1];

	a->credit_micro = draw(w, chance(w, 50) ? 20000 : 2000000);
	world_trace(w, "credit: %lld", (long long)a->credit_micro);
	account_more(w, a);
}


/* The other node takes, spends and gives back. */
static void rival_act(struct world *w)
{
	struct account_model *a = account_draw(w);
	int64_t micro;

	if (chance(w, 40)) {
		micro = account_lease(a, 50000, 1 + draw(w, 20000));
		a->rival_micro += micro;
		if (!micro) {
			a->is_exhausted = true;
			recall(w, (int)(a - w->ledger->accounts));
		}
	}
	else if (a->rival_micro && chance(w, 60)) {
		micro = 1 + draw(w, (uint32_t)a->rival_micro);
		a->rival_micro -= micro;
		a->leased_micro -= micro;
		a->balance_micro -= micro;
		a->charged_micro += micro;
	}
	else {
		rival_return(w, a);
	}
}


/* core.lease_release(): the node was not heard of for longer than its
   session. */
static void release(struct world *w)
{
	for (int i = 0; i < ACCOUNTS; i++) {
		struct account_model *a = &w->ledger->accounts[i];
		struct lease *lease = &a->leases[w->boot];
		const int64_t rest =
			lease->granted_micro - lease->settled_micro;

		if (rest <= 0)
			continue;
		world_trace(w, "%s: %lld released", ids[i], (long long)rest);
		lease->granted_micro = lease->settled_micro;
		account_unlease(a, rest);
		a->released_micro += rest;
		a->excess_micro += rest;
	}
}


/* What is leased beyond what covers it is the operator's doing. */
static void cover(struct world *w)
{
	for (int i = 0; i < ACCOUNTS; i++) {
		struct account_model *a = &w->ledger->accounts[i];
		const int64_t beyond = -account_free(a);

		if (beyond <= a->overspent_micro)
			continue;
		a->overspent_micro = beyond;
		if (a->excess_micro < beyond)
			a->excess_micro = beyond;
		rival_return(w, a);
		recall(w, i);
	}
}


static void money_moves(struct world *w, void *arg)
{
	struct ledger_model *l = w->ledger;

	(void)arg;
	if (world_ms(w) >= LIVELY_MS) {
		for (int i = 0; i < ACCOUNTS; i++)
			rival_return(w, &l->accounts[i]);
		return;
	}
	world_after(w, draw_ms(w, 300, 6000), money_moves, NULL);
	if (is_away(w)) {
		if (world_ms(w) > l->session_ms && chance(w, 20))
			release(w);
		return;
	}

	switch (draw(w, 5)) {

	case 0:
		payment(w);
		break;
	case 1:
		transfer(w);
		break;
	case 2:
		limit_change(w);
		break;
	case 3:
		if (w->climate.has_bad_ledger && chance(w, 30)) {
			l->away_ms = world_ms(w) + draw(w, 80000);
			world_trace(w, "the database goes away");
		}
		break;
	default:
		rival_act(w);
		break;
	}
	cover(w);
}


void ledger_model_start(struct world *w)
{
	claim(w);
	world_after(w, CLAIM_MS, claim_over, NULL);
	if (chance(w, 50))
		world_after(w, draw_ms(w, 300, 6000), money_moves, NULL);
}


/* api_v1.lease_close_epochs() */
static void epochs_close(struct world *w)
{
	for (int i = 0; i < ACCOUNTS; i++) {
		struct account_model *a = &w->ledger->accounts[i];

		for (unsigned e = 0; e < w->boot; e++) {
			account_unlease(a, a->leases[e].granted_micro -
						   a->leases[e].settled_micro);
			a->leases[e] = (struct lease){0};
		}
	}
	package_model_close(w);
}


/* What was spent before the crash is pending until the journal is loaded. */
static void boot_over(struct world *w, void *arg)
{
	if (is_away(w)) {
		world_after(w, LOAD_MS, boot_over, arg);
		return;
	}
	ledger_model_load(w);
	epochs_close(w);
}


void ledger_model_boot(struct world *w)
{
	for (int i = 0; i < ACCOUNTS; i++)
		w->ledger->accounts[i].released_micro = 0;
	package_model_boot(w);
	boot_over(w, NULL);
}


bool ledger_model_is_lapsed(const struct world *w)
{
	return world_ms(w) > w->ledger->session_ms;
}


void ledger_model_claim(struct world *w)
{
	w->ledger->session_ms = 0;
	if (!is_away(w))
		claim(w);
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
	if (c->amount_micro > due && !a->excess_micro)
		world_fail(l->w, "charge of %lld is more than was leased: "
				 "%lld", (long long)c->amount_micro,
			   (long long)due);
	if (due > c->amount_micro)
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
	package_model_load(l->w, call);
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
	package_model_check(w, is_end);
	for (int i = 0; i < ACCOUNTS; i++) {
		const struct account_model *a = &w->ledger->accounts[i];
		const int64_t credit_micro =
			a->credit_micro + a->excess_micro;
		int64_t leased_micro = a->rival_micro;

		for (int e = 0; e < EPOCHS; e++)
			leased_micro += a->leases[e].granted_micro -
					a->leases[e].settled_micro;
		if (a->leased_micro != leased_micro)
			world_fail(w, "%s: leased is not the sum of leases",
				   ids[i]);
		if (a->balance_micro !=
		    a->start_micro + a->paid_micro - a->charged_micro)
			world_fail(w, "%s: ledger and balance differ",
				   ids[i]);
		if (a->charged_micro && a->balance_micro + credit_micro < 0)
			world_fail(w, "%s: overdrawn by %lld", ids[i],
				   (long long)-(a->balance_micro +
						credit_micro));
		if (a->leased_micro < 0)
			world_fail(w, "%s: leased %lld", ids[i],
				   (long long)a->leased_micro);
		if (is_end && a->leased_micro)
			world_fail(w, "%s: %lld are leased for ever", ids[i],
				   (long long)a->leased_micro);
	}
}
