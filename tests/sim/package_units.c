/**
 * @file package_units.c  Balances of packages as in sql/migrate/0048: units are
 * leased by increments from what is free of a period, charges settle leases,
 * what a period leaves outlives it. Another node leases, uses and gives back
 * the same units; an operator gives, takes, suspends, and releases what had
 * expired.
 */
#include <stdlib.h>
#include <string.h>
#include "package_model.h"
#include "text.h"

#define LIVELY_MS 100000 /* then no one else moves any more */


/* --- balances */

static struct balance *balance_find(struct package_model *m,
				    const struct package *p, int32_t period)
{
	for (int i = 0; i < m->balance_n; i++)
		if (m->balances[i].package == p &&
		    m->balances[i].period == period)
			return &m->balances[i];

	return NULL;
}


/* core.package_open() */
struct balance *package_balance_open(struct package_model *m,
				    const struct package *p, int32_t period)
{
	struct balance *b = balance_find(m, p, period);

	if (b || m->balance_n == BALANCES)
		return b;

	b = &m->balances[m->balance_n++];
	b->package = p;
	b->period = period;
	b->granted = p->amount;
	b->carry_max = p->carry_max;

	return b;
}


/* core.package_free() */
static int64_t balance_free(const struct balance *b, bool is_carried)
{
	const int64_t left = b->granted - b->used[0] - b->used[1] -
			     b->leased[0] - b->leased[1];
	const int64_t carries = b->carry_max - b->used[1] - b->leased[1];

	return is_carried && b->carry_max != NO_MAX && carries < left
		       ? carries : left;
}


static const char *key_text(const struct balance *b, bool is_carried,
			    char buf[36])
{
	(void)text_format(buf, 36, "%s%c%04x", b->package->id,
			  is_carried ? '+' : ':', (unsigned)b->period);

	return buf;
}


/* What came of a balance, and was "-": nodes ask again. */
struct more {
	char key[36];
};


static void more_over(struct world *w, void *arg)
{
	struct more *more = arg;

	if (!w->is_down)
		worker_lease_more(w->worker, &w->now, more->key);
	free(more);
}


void package_model_drop(event_h *h, void *arg)
{
	if (h == more_over)
		free(arg);
}


/* core.package_more(): of each change of a row. */
static void balance_moved(struct world *w, const struct balance *before,
			  const struct balance *b)
{
	for (unsigned c = 0; c < 2; c++) {
		struct more *more;

		if (balance_free(before, c) >= b->package->step ||
		    balance_free(b, c) < b->package->step)
			continue;
		more = calloc(1, sizeof(*more));
		(void)key_text(b, c, more->key);
		world_after(w, 1 + below(w->packages, 50), more_over, more);
	}
}


/* --- leases: core.package_take(), core.package_keep() */

/* Only of periods in which a call may have begun that is up now. */
static bool is_open(const struct package_model *m, const struct key *k)
{
	const struct package *p = k->package;
	const int64_t ms = package_now_ms(m);

	return p->is_active &&
	       k->period >= package_period_at(m, p, ms - 25 * HOUR_MS) -
				    (k->is_carried ? p->carry_periods : 0) &&
	       k->period <= package_period_at(m, p, ms + 300000) - k->is_carried;
}


struct balance *package_balance_of(struct package_model *m,
				   const struct key *k)
{
	return k->is_carried ? balance_find(m, k->package, k->period)
			     : package_balance_open(m, k->package, k->period);
}


static int64_t share_of(const struct balance *b, bool is_carried,
			int64_t want, int64_t least)
{
	const int64_t step = b->package->step;
	const int64_t free_units = balance_free(b, is_carried);
	int64_t units = free_units / 2;

	if (units < least)
		units = least;
	if (units < step)
		units = step;
	if (units > want)
		units = want;
	if (units > free_units)
		units = free_units;

	return units <= 0 ? 0 : units / step * step;
}


/* The other node gives back what it is asked for, or at the end. */
static void rival_return(struct world *w, struct balance *b)
{
	const struct balance before = *b;

	for (unsigned c = 0; c < 2; c++) {
		b->leased[c] -= b->rival[c];
		b->rival[c] = 0;
	}
	balance_moved(w, &before, b);
}


static void rival_over(struct world *w, void *arg)
{
	rival_return(w, arg);
}


int64_t package_model_take(struct world *w, const char *key, int64_t want,
			   int64_t least)
{
	struct package_model *m = w->packages;
	struct balance *b;
	struct key k;
	int64_t units;

	if (!package_key_read(m, key, &k) || !is_open(m, &k))
		return 0;
	b = package_balance_of(m, &k);
	if (!b)
		return 0;

	units = share_of(b, k.is_carried, want, least);
	if (!units && b->rival[0] + b->rival[1])
		world_after(w, 1 + below(m, 50), rival_over, b);
	b->leased[k.is_carried] += units;
	b->leases[w->boot][k.is_carried].granted += units;

	return units;
}


static int64_t lease_rest(const struct units *lease)
{
	return lease->granted - lease->settled;
}


void package_model_return(struct world *w, const char *key, unsigned epoch,
			  int64_t units)
{
	struct balance before, *b;
	struct units *lease;
	struct key k;

	if (!package_key_read(w->packages, key, &k))
		return;
	b = package_balance_of(w->packages, &k);
	if (!b)
		return;

	before = *b;
	lease = &b->leases[epoch][k.is_carried];
	if (units > lease_rest(lease))
		units = lease_rest(lease);
	lease->granted -= units;
	b->leased[k.is_carried] -= units;
	balance_moved(w, &before, b);
}


/* --- the node's session */

/* More is used and leased than there is. */
static bool is_over(const struct balance *b)
{
	return balance_free(b, false) < 0 || balance_free(b, true) < 0;
}


static void recall(struct world *w, const struct balance *b)
{
	char key[36];

	for (unsigned c = 0; c < 2; c++)
		if (lease_rest(&b->leases[w->boot][c]))
			worker_lease_recalled(w->worker, &w->now,
					      key_text(b, c, key));
}


void package_model_claim(struct world *w)
{
	struct package_model *m = w->packages;
	char key[36];

	for (int i = 0; i < m->balance_n; i++) {
		struct balance *b = &m->balances[i];

		for (unsigned c = 0; c < 2; c++) {
			if (b->released[c])
				worker_leased(w->worker, &w->now,
					      key_text(b, c, key),
					      -b->released[c], true, 0);
			b->released[c] = 0;
		}
		if (is_over(b))
			recall(w, b);
	}
}


void package_model_close(struct world *w)
{
	struct package_model *m = w->packages;

	for (int i = 0; i < m->balance_n; i++) {
		struct balance *b = &m->balances[i];
		const struct balance before = *b;

		for (unsigned e = 0; e < w->boot; e++)
			for (unsigned c = 0; c < 2; c++) {
				b->leased[c] -= lease_rest(&b->leases[e][c]);
				b->leases[e][c] = (struct units){0};
			}
		balance_moved(w, &before, b);
	}
}


void package_model_boot(struct world *w)
{
	struct package_model *m = w->packages;

	for (int i = 0; i < m->balance_n; i++)
		m->balances[i].released[0] = m->balances[i].released[1] = 0;
}


/* --- what others do */

static void rival_act(struct world *w, struct balance *b)
{
	struct package_model *m = w->packages;
	const bool c = package_period_now(m, b->package) > b->period;
	int64_t units;

	if (below(m, 10) < 4) {
		units = share_of(b, c, 20000, 1 + below(m, 10000));
		b->leased[c] += units;
		b->rival[c] += units;
		if (!units && !w->is_down)
			recall(w, b);
	}
	else if (b->rival[c] && below(m, 10) < 6) {
		units = 1 + below(m, (uint32_t)b->rival[c]);
		b->rival[c] -= units;
		b->leased[c] -= units;
		b->used[c] += units;
		b->rival_used += units;
	}
	else {
		rival_return(w, b);
	}
}


/* core.package_adjust(): nothing below what is used or leased. */
static void adjust(struct world *w, struct balance *b)
{
	struct package_model *m = w->packages;
	const struct balance before = *b;
	const int64_t units = (int64_t)below(m, 60000) - 20000;

	if (units < 0 && balance_free(b, false) < -units)
		return;
	world_trace(w, "%s.%d: %lld units", b->package->id, b->period,
		    (long long)units);
	b->granted += units;
	balance_moved(w, &before, b);
}


static void suspend(struct world *w, struct package *p)
{
	p->is_active = !p->is_active;
	world_trace(w, "%s is %s", p->id,
		    p->is_active ? "active" : "suspended");
	package_subscription_put(w->packages, p);
	catalog_model_publish(w);
}


/* core.package_release(): the node was not heard of for longer than its
   session. */
static void release(struct world *w)
{
	struct package_model *m = w->packages;

	for (int i = 0; i < m->balance_n; i++) {
		struct balance *b = &m->balances[i];
		const struct balance before = *b;

		for (unsigned c = 0; c < 2; c++) {
			struct units *lease = &b->leases[w->boot][c];
			const int64_t rest = lease_rest(lease);

			if (!rest)
				continue;
			world_trace(w, "%s.%d: %lld released", b->package->id,
				    b->period, (long long)rest);
			lease->granted = lease->settled;
			b->leased[c] -= rest;
			b->released[c] += rest;
			b->excess += rest;
		}
		balance_moved(w, &before, b);
	}
}


static void units_move(struct world *w, void *arg)
{
	struct package_model *m = w->packages;
	struct balance *b;

	(void)arg;
	if (world_ms(w) >= LIVELY_MS) {
		for (int i = 0; i < m->balance_n; i++)
			rival_return(w, &m->balances[i]);
		return;
	}
	world_after(w, 300 + below(m, 5000), units_move, NULL);
	if (ledger_model_is_away(w)) {
		if (ledger_model_is_lapsed(w) && !below(m, 5))
			release(w);
		return;
	}

	b = &m->balances[below(m, (uint32_t)m->balance_n)];
	switch (below(m, 8)) {

	case 0:
		adjust(w, b);
		break;
	case 1:
		suspend(w, &m->packages[below(m, (uint32_t)m->package_n)]);
		break;
	default:
		rival_act(w, b);
		break;
	}
}


void package_model_start(struct world *w)
{
	struct package_model *m = w->packages;

	if (!m->is_there || m->is_calm)
		return;
	world_after(w, 300 + below(m, 5000), units_move, NULL);
	/* the node dies with units in use */
	if (!w->climate.has_crash && !below(m, 4))
		world_after(w, 5000 + below(m, 40000), world_crash, NULL);
}


/* --- charges */

/* core.package_settle() */
void package_units_post(struct world *w, struct balance *b, bool is_carried,
		       int64_t epoch, int64_t units)
{
	struct units *lease = &b->leases[epoch][is_carried];
	int64_t due = lease_rest(lease);

	if (units > due && !b->excess)
		world_fail(w, "%s.%d: %lld units are charged, %lld were leased",
			   b->package->id, b->period, (long long)units,
			   (long long)due);
	if (units % b->package->step)
		world_fail(w, "%s: %lld units are no whole increments",
			   b->package->id, (long long)units);
	if (due > units)
		due = units;
	lease->settled += due;
	b->leased[is_carried] -= due;
	b->used[is_carried] += units;
	b->charged += units;
}


/* --- what always holds */

static void balance_check(struct world *w, const struct balance *b,
			  int64_t was_used, bool is_end)
{
	const int64_t over = b->used[0] + b->used[1] + b->leased[0] +
			     b->leased[1] - b->granted;
	const int64_t carried_over = b->used[1] + b->leased[1] - b->carry_max;

	for (unsigned c = 0; c < 2; c++) {
		int64_t leased = b->rival[c];

		for (int e = 0; e < EPOCHS; e++)
			leased += lease_rest(&b->leases[e][c]);
		if (leased != b->leased[c] || leased < 0)
			world_fail(w, "%s.%d: leased is not the sum of leases",
				   b->package->id, b->period);
		if (is_end && leased)
			world_fail(w, "%s.%d: %lld units are leased for ever",
				   b->package->id, b->period,
				   (long long)leased);
	}
	if (over > b->excess ||
	    (b->carry_max != NO_MAX && carried_over > b->excess))
		world_fail(w, "%s.%d: %lld units more than were granted",
			   b->package->id, b->period, (long long)over);
	if (b->used[0] + b->used[1] != was_used + b->rival_used + b->charged)
		world_fail(w, "%s.%d: used is not what was charged",
			   b->package->id, b->period);
}


void package_model_check(struct world *w, bool is_end)
{
	const struct package_model *m = w->packages;

	for (int i = 0; i < m->balance_n; i++)
		balance_check(w, &m->balances[i], m->was_used[i], is_end);
}
