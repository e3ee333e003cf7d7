/**
 * @file call_package.c  Packages of who pays: units are held before the time
 * that they pay for begins, as money is, and what they do not pay money does.
 * Which period a call uses is settled when it begins.
 */
#include <string.h>
#include "call_private.h"
#include "text.h"


/* All packages of a call stand in its checkpoints. */
static unsigned room(const struct call *call, const struct money *m)
{
	unsigned n = 0;
	const struct money *other;

	for (unsigned i = 0; (other = call_payer_at(call, i)); i++)
		if (other != m && other->packs)
			n += other->packs->n;

	return n < COVERS_MAX ? COVERS_MAX - n : 0;
}


static void pack_set(struct pack *pack, struct cover *cover,
		     const struct package_use *use, struct money *m)
{
	pack->money = m;
	TEXT_FILL(pack->key, use->key);
	cover->kind = use->subscription->kind;
	cover->increment_ms = use->subscription->increment_ms;
}


void call_packages(struct call *call, struct money *m)
{
	const struct package_query query = {
		.account = catalog_account(call->cat, m->account_id),
		.is_forward = m != &call->money,
		.called = call->called.e164,
		.zones = &(struct zone_set){{0}},
		.wall_ms = call->begun_wall_ms,
	};
	struct package_use uses[COVERS_MAX];
	struct packs *packs;
	unsigned n;

	m->packs = mem_deref(m->packs);
	if (!query.account || call_price_is_free(m) ||
	    !catalog_has_packages(call->cat, query.account))
		return;

	catalog_zones(call->cat, query.called,
		      catalog_numbering(call->cat, query.called),
		      (struct zone_set *)(uintptr_t)query.zones);
	n = catalog_packages(call->cat, &query, uses);
	n = min(n, room(call, m));
	packs = n ? mem_zalloc(sizeof(*packs), NULL) : NULL;
	if (!packs)
		return;

	packs->n = n;
	for (unsigned i = 0; i < n; i++)
		pack_set(&packs->list[i], &packs->covers[i], &uses[i], m);
	m->packs = packs;
}


/* What each holds, as the arithmetic has it. */
static void look(struct packs *packs)
{
	for (unsigned i = 0; i < packs->n; i++)
		packs->covers[i].held = packs->list[i].hold.held_micro;
}


static int gross_at(const struct money *m, uint64_t ms, int64_t *ret_micro)
{
	struct cover covers[COVERS_MAX];
	struct price_parts parts;
	struct cover_sum sum;
	int err;

	memcpy(covers, m->packs->covers, sizeof(covers));
	err = cover_price(&m->sell, ms, covers, m->packs->n, &sum, &parts);
	if (!err)
		*ret_micro = parts.gross_micro;

	return err;
}


/*
 * A call that ends within its free seconds uses no minutes, and may come to a
 * minimum that one which minutes pay does not: what is held has to do for that,
 * too.
 */
int call_pack_price(const struct money *m, uint64_t ms, int64_t *ret_micro)
{
	const uint64_t free_ms = m->sell.free_ms >= 1000
					 ? m->sell.free_ms -
						   m->sell.free_ms % 1000
					 : m->sell.free_ms;
	int64_t least = 0, price;
	int err;

	look(m->packs);
	err = gross_at(m, ms, &price);
	if (!err && m->sell.minimum_micro && free_ms)
		err = gross_at(m, min(free_ms, ms), &least);
	if (!err)
		*ret_micro = max(price, least);

	return err;
}


bool call_pack_waits(const struct money *m)
{
	for (unsigned i = 0; m->packs && i < m->packs->n; i++)
		if (m->packs->list[i].hold.wanted_micro)
			return true;

	return false;
}


static funds_h pack_funded;


/* Never asked: packages are not taken back from calls. */
static int64_t pack_keep(void *arg)
{
	const struct pack *pack = arg;

	return pack->hold.held_micro;
}


static enum fund_verdict pack_take(struct money *m, unsigned i,
				   int64_t want, uint64_t due_ms)
{
	struct pack *pack = &m->packs->list[i];
	const struct cover *cover = &m->packs->covers[i];
	const int64_t step = cover->kind == COVER_MINUTES
				     ? cover->increment_ms : 1;
	const struct fund_request req = {
		.account_id = pack->key,
		.want_micro = want,
		.least_micro = min(step, want),
		.step = step,
		.per_min_micro = cover->kind == COVER_MINUTES
					 ? 60000
					 : price_dearest_nano(&m->sell) / 1000,
		.due_ms = due_ms,
		.h = pack_funded,
		.keeph = pack_keep,
		.arg = pack,
	};

	return fund_take(m->call->books.funds, &pack->hold, &req);
}


/* A test asks nobody for units that it has not been told of. */
static bool is_unknown(const struct money *m, const struct pack *pack,
		       const struct cover *cover)
{
	return !call_test_knows(m->call, pack->key) &&
	       !fund_covers(m->call->books.funds, pack->key,
			    cover->increment_ms);
}


/* One after the other, until nothing of the asked duration is left to pay. */
enum fund_verdict call_pack_take(struct money *m, uint64_t due_ms)
{
	struct packs *packs = m->packs;

	for (unsigned i = 0; packs && i < packs->n; i++) {
		struct pack *pack = &packs->list[i];

		while (!pack->is_over) {
			enum fund_verdict verdict;
			int64_t want;

			look(packs);
			want = cover_wants(&m->sell, m->asked_ms,
					   packs->covers, i) -
			       pack->hold.held_micro;
			if (want <= 0)
				break;
			if (is_unknown(m, pack, &packs->covers[i])) {
				pack->is_over = true;
				break;
			}

			verdict = pack_take(m, i, want, due_ms);
			if (verdict == FUND_WAITING)
				return verdict;
			if (verdict == FUND_REFUSED)
				pack->is_over = true;
		}
	}

	return FUND_HELD;
}


/* Once it had nothing it is not asked again by this call: money pays for what
   follows, and minutes pay from the beginning. */
static void pack_funded(enum outcome out, void *arg)
{
	struct pack *pack = arg;

	if (out != OUT_OK)
		pack->is_over = true;
	call_fund_on(pack->money);
}


bool call_pack_skip(struct money *m)
{
	bool was_waiting = false;

	for (unsigned i = 0; m->packs && i < m->packs->n; i++) {
		struct pack *pack = &m->packs->list[i];

		if (!pack->hold.wanted_micro)
			continue;
		fund_forget(&pack->hold);
		pack->is_over = true;
		was_waiting = true;
	}

	return was_waiting;
}


void call_pack_note(struct call *call, const struct money *m)
{
	for (unsigned i = 0; m->packs && i < m->packs->n; i++) {
		const struct pack *pack = &m->packs->list[i];
		const struct cover *cover = &m->packs->covers[i];
		const bool is_here = fund_covers(call->books.funds, pack->key,
						 cover->increment_ms);

		WHY(call->why, WHY_PACKAGE, is_here ? OUT_OK : OUT_NONE,
		    pack->key, WHY_TEXT("kind", cover_kind_name(cover->kind)),
		    WHY_TEXT("from", is_here ? "lease" : "ledger"),
		    WHY_COUNT("increment_ms", cover->increment_ms));
	}
}


int call_pack_settle(struct money *m, uint64_t ms)
{
	struct packs *packs = m->packs;
	int err;

	look(packs);
	err = cover_price(&m->sell, ms, packs->covers, packs->n, &packs->sum,
			  &m->price);
	if (err)
		call_pack_cancel(m);

	return err;
}


/* What was used is spent, the rest is free again. */
void call_pack_release(struct money *m)
{
	for (unsigned i = 0; m->packs && i < m->packs->n; i++)
		fund_settle(m->call->books.funds, &m->packs->list[i].hold,
			    m->packs->list[i].hold.fund
				    ? m->packs->covers[i].used : 0);
}


void call_pack_cancel(struct money *m)
{
	if (!m->packs)
		return;

	for (unsigned i = 0; i < m->packs->n; i++)
		m->packs->covers[i].used = m->packs->covers[i].covered = 0;
	m->packs->sum = (struct cover_sum){0};
	call_pack_release(m);
}


bool call_pack_used(const struct money *m)
{
	for (unsigned i = 0; m->packs && i < m->packs->n; i++)
		if (m->packs->covers[i].used > 0)
			return true;

	return false;
}


void call_pack_charge(const struct money *m, struct cdr_charge *c)
{
	struct packs *packs = m->packs;

	if (!packs)
		return;

	if (!m->is_settled)
		look(packs);
	c->covered_ms = (int64_t)packs->sum.covered_ms;
	c->covered_micro = packs->sum.covered_micro;
	for (unsigned i = 0; i < packs->n; i++) {
		struct cdr_package *p = &c->packages[c->package_n];

		if (m->is_settled && !packs->covers[i].used)
			continue;
		TEXT_FILL(p->key, packs->list[i].key);
		p->cover = packs->covers[i];
		++c->package_n;
	}
}


void call_pack_checkpoint(const struct call *call, struct cdr_checkpoint *cp)
{
	const struct money *m;
	unsigned n = 0;

	for (unsigned i = 0; (m = call_payer_at(call, i)); i++)
		for (unsigned k = 0; m->is_sold && m->packs &&
				     k < m->packs->n && n < COVERS_MAX; k++)
			cp->held[n++] = m->packs->list[k].hold.held_micro;
}
