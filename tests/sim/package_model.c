/**
 * @file package_model.c  Packages as the seed draws them, and what the charges
 * of a call may take of them. Days end within the run.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "package_model.h"
#include "text.h"

#define WORLDS_PCT 50
#define CALM_PCT 25      /* of them: nobody but us touches the units       */
#define PLENTY 1000000000 /* more than a run can use                       */

static const char *const kind_names[] = {"minutes", "money"};
static const char *const direction_names[] = {"out", "forward", "both"};


static const char *tenant_of(int account)
{
	return account == 1 ? "ten_2" : "ten_1";
}


/* --- periods */

int32_t package_period_at(const struct package_model *m,
			 const struct package *p, int64_t wall_ms)
{
	const time_t s = (time_t)((wall_ms + m->east_ms) / 1000);
	struct tm tm;

	if (p->is_day)
		return (int32_t)((wall_ms + m->east_ms) / DAY_MS);
	(void)gmtime_r(&s, &tm);

	return (tm.tm_year + 1900) * 12 + tm.tm_mon;
}


int64_t package_now_ms(const struct package_model *m)
{
	return m->wall_ms + (int64_t)world_ms(m->w);
}


int32_t package_period_now(const struct package_model *m,
			   const struct package *p)
{
	return package_period_at(m, p, package_now_ms(m));
}


/* The day, or month, on which nobody may use it any more. */
static int64_t end_of(const struct package *p, int32_t period)
{
	const int32_t end = period + 1 + p->carry_periods;
	struct tm tm = {.tm_year = end / 12 - 1900, .tm_mon = end % 12,
			.tm_mday = 1};

	return p->is_day ? end : timegm(&tm) * 1000 / DAY_MS;
}


/* --- what a node calls a balance */

bool package_key_read(struct package_model *m, const char *text,
		      struct key *ret)
{
	const size_t n = strcspn(text, ":+");

	ret->is_carried = text[n] == '+';
	for (int i = 0; i < m->package_n && strlen(text) == n + 5; i++) {
		ret->package = &m->packages[i];
		ret->period = (int32_t)strtol(text + n + 1, NULL, 16);
		if (strlen(ret->package->id) == n &&
		    !strncmp(ret->package->id, text, n))
			return true;
	}

	world_fail(m->w, "no package is called %s", text);
	return false;
}


/* --- what is provisioned */

static void package_draw(struct package_model *m, struct package *p)
{
	static const char *const prefixes[] = {NULL, NULL, NULL, NULL, "44",
					      "4930"};
	static const uint32_t steps[] = {1, 1000, 6000, 10000};
	const bool is_plenty = !below(m, 3);

	(void)text_format(p->id, sizeof(p->id), "sub_%d", m->package_n);
	p->account = (int)below(m, 3);
	p->is_shared = below(m, 3);
	p->is_active = true;
	p->kind = (int)below(m, 2);
	p->direction = (int)(below(m, 3) ? below(m, 2) * 2 : below(m, 3));
	p->prefix = prefixes[below(m, ARRAY_SIZE(prefixes))];
	p->is_by_list = below(m, 2);
	p->step = p->kind ? 1 : steps[below(m, ARRAY_SIZE(steps))];
	p->is_day = below(m, 4);
	p->carry_periods = (int)below(m, 3);
	p->priority = (int)below(m, 3);
	p->amount = is_plenty ? PLENTY
			      : p->kind ? 1000 + below(m, 30000)
					: 5000 + below(m, 90000);
	p->carry_max = below(m, 2) ? NO_MAX : p->amount / 4;
}


void package_subscription_put(struct package_model *m, const struct package *p)
{
	char json[700], zones[24] = "", list[24] = "null";

	if (p->prefix && p->is_by_list)
		(void)text_format(list, sizeof(list), "\"nls_%s\"", p->prefix);
	else if (p->prefix)
		(void)text_format(zones, sizeof(zones), "\"zon_%s\"",
				  p->prefix);
	(void)snprintf(json, sizeof(json),
		       "{\"tenant_id\":\"%s\",\"account_id\":\"acc_%d\","
		       "\"currency\":\"EUR\",\"is_active\":%s,\"is_shared\":%s,"
		       "\"kind\":\"%s\",\"increment_ms\":%u,\"direction\":"
		       "\"%s\",\"zone_ids\":[%s],\"excluded_zone_ids\":[],"
		       "\"number_list_id\":%s,\"period\":\"%s\","
		       "\"anchor_day\":1,\"carry_periods\":%d,\"priority\":%d,"
		       "\"from_ms\":%lld,\"to_ms\":null}", tenant_of(p->account),
		       p->account + 1, p->is_active ? "true" : "false",
		       p->is_shared ? "true" : "false", kind_names[p->kind],
		       p->step, direction_names[p->direction], zones, list,
		       p->is_day ? "day" : "month", p->carry_periods,
		       p->priority, (long long)(m->wall_ms - 40 * DAY_MS));
	catalog_model_row(m->w, "subscription", p->id, json);
}


void package_model_put(struct world *w)
{
	static const char *const prefixes[] = {"44", "4930"};
	struct package_model *m = w->packages;
	char json[200], id[12];

	if (!m->is_there)
		return;

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		(void)text_format(id, sizeof(id), "zon_%s", prefixes[i]);
		(void)snprintf(json, sizeof(json),
			       "{\"name\":\"%s\",\"prefixes\":[\"%s\"],"
			       "\"countries\":[],\"types\":[]}", prefixes[i],
			       prefixes[i]);
		catalog_model_row(w, "zone", id, json);
		(void)text_format(id, sizeof(id), "nls_%s", prefixes[i]);
		(void)snprintf(json, sizeof(json),
			       "{\"name\":\"%s\",\"kind\":\"tag\","
			       "\"subject\":\"called\",\"tags\":[],\"entries\":"
			       "[[\"%s\",true,\"\",null]]}", prefixes[i],
			       prefixes[i]);
		catalog_model_row(w, "number_list", id, json);
	}
	for (int i = 0; i < m->package_n; i++)
		package_subscription_put(m, &m->packages[i]);
}


bool package_model_is_there(const struct package_model *m)
{
	return m->is_there;
}


int64_t package_model_east_s(const struct package_model *m)
{
	return m->east_ms / 1000;
}


/* --- charges */

void package_model_begun(struct world *w, const char *call_id)
{
	struct package_model *m = w->packages;

	if (m->call_n == PACKAGE_CALLS)
		return;
	(void)text_copy(m->calls[m->call_n].id, sizeof(m->calls[0].id),
			call_id);
	for (int i = 0; i < m->package_n; i++)
		if (m->packages[i].is_active)
			m->calls[m->call_n].active |= 1u << i;
	m->call_n++;
}


/* Which packages were active when it began; all, where nobody saw that. */
static unsigned active_of(const struct package_model *m,
			  const uint8_t call_id[16])
{
	char id[37];

	uuid_format(id, call_id);
	for (int i = 0; i < m->call_n; i++)
		if (!strcmp(m->calls[i].id, id))
			return m->calls[i].active;

	return UINT32_MAX;
}


/* May such a charge be paid by it at all? The rates tell the numbers of the
   zones and lists apart. */
static bool is_for(const struct package *p, const struct cdr_charge *c)
{
	const int account = c->account_id[4] - '1';

	if (account != p->account &&
	    (!p->is_shared || strcmp(tenant_of(account), tenant_of(p->account))))
		return false;
	if (p->direction != 2 && p->direction != (c->attempt != 0))
		return false;

	return !p->prefix || !strcmp(c->prefix, p->prefix);
}


static bool stands_after(const struct key *a, const struct key *b)
{
	const int64_t ends = end_of(a->package, a->period) -
			     end_of(b->package, b->period);

	if (a->package->kind != b->package->kind)
		return a->package->kind > b->package->kind;
	if (a->package->priority != b->package->priority)
		return a->package->priority > b->package->priority;
	if (ends)
		return ends > 0;

	return a->package != b->package ? a->package > b->package
					: a->period > b->period;
}


static void check_key(struct package_model *m, const struct cdr_call *call,
		      const struct cdr_charge *c, const struct key *k,
		      const struct cover *cover)
{
	const struct package *p = k->package;
	const int32_t now = package_period_at(m, p, call->call.started_at);
	const unsigned bit = 1u << (p - m->packages);

	if (!is_for(p, c) || !(active_of(m, call->call.call_id) & bit))
		world_fail(m->w, "%s is not for this charge of %s to %s",
			   p->id, c->account_id, c->prefix);
	if (k->is_carried ? k->period >= now ||
				    k->period < now - p->carry_periods
			  : k->period != now)
		world_fail(m->w, "%s: a call of period %d uses %d", p->id, now,
			   k->period);
	if (cover->kind != p->kind || cover->increment_ms != p->step)
		world_fail(m->w, "%s is charged as another package", p->id);
}


/* Where nobody else uses units, the ledger always answers, and there are more
   than all calls need, minutes pay for all of the time. */
static void check_plenty(struct package_model *m, const struct cdr_call *call,
			 const struct cdr_charge *c)
{
	const struct climate *climate = &m->w->climate;

	if (!m->is_calm || climate->has_bad_ledger || climate->has_crash ||
	    c->attempt || call->call.answered_at == CDR_NULL)
		return;

	for (int i = 0; i < m->package_n; i++) {
		const struct package *p = &m->packages[i];

		if (p->kind || p->amount < PLENTY || !is_for(p, c))
			continue;
		if (c->billed_ms)
			world_fail(m->w, "%s has enough, and %lld ms are paid "
					 "in money", p->id,
				   (long long)c->billed_ms);
	}
}


static void charge_load(struct package_model *m, const struct cdr_call *call,
			const struct cdr_charge *c)
{
	struct key k, last = {NULL, 0, false};

	for (uint8_t i = 0; i < c->package_n; i++) {
		const struct cdr_package *p = &c->packages[i];
		struct balance *b;

		if (!package_key_read(m, p->key, &k))
			return;
		b = package_balance_of(m, &k);
		check_key(m, call, c, &k, &p->cover);
		if (last.package && !stands_after(&k, &last))
			world_fail(m->w, "%s pays before %s", last.package->id,
				   k.package->id);
		last = k;
		if (p->cover.used && !b)
			world_fail(m->w, "%s: no such period", p->key);
		else if (p->cover.used)
			package_units_post(m->w, b, k.is_carried, c->lease_epoch,
				   p->cover.used);
	}
	check_plenty(m, call, c);
	m->checked += c->package_n;
}


void package_model_load(struct world *w, const struct cdr_call *call)
{
	if (!w->packages->is_there)
		return;

	for (uint32_t i = 0; i < call->charge_n; i++) {
		const struct cdr_charge *c = &call->charges[i];

		if (c->side == CHARGE_SELL)
			charge_load(w->packages, call, c);
	}
}


uint64_t package_model_checked(const struct package_model *m)
{
	return m->checked;
}


/* --- the model */

/* Midnight of the tenants comes in the run; periods before it have left
   something. */
struct package_model *package_model_alloc(struct world *w)
{
	struct package_model *m = calloc(1, sizeof(*m));
	int n;

	m->w = w;
	m->wall_ms = w->now.wall_us / 1000;
	if (rng_seeded(&m->rng, w->seed * 37 + 11))
		world_fail(w, "no random numbers");
	m->is_there = below(m, 100) < WORLDS_PCT;
	if (!m->is_there)
		return m;

	m->is_calm = below(m, 100) < CALM_PCT;
	m->east_ms = DAY_MS - m->wall_ms % DAY_MS -
		     (int64_t)below(m, 60) * 1000;
	n = 2 + (int)below(m, PACKAGES - 1);
	while (m->package_n < n)
		package_draw(m, &m->packages[m->package_n++]);
	for (int i = 0; i < n; i++) {
		const struct package *p = &m->packages[i];
		const int32_t now = package_period_now(m, p);

		for (int32_t past = now - p->carry_periods; past <= now;
		     past++) {
			struct balance *b = package_balance_open(m, p, past);

			b->used[0] = past < now ? below(m, (uint32_t)p->amount)
						: 0;
			m->was_used[b - m->balances] = b->used[0];
		}
	}

	return m;
}


void package_model_free(struct package_model *m)
{
	mem_deref(m->rng);
	free(m);
}
