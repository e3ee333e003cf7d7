/**
 * @file package_model.h  What package_model.c (packages, and what charges may
 * take of them) and package_units.c (their balances) have in common.
 */
#ifndef PACKAGE_MODEL_H
#define PACKAGE_MODEL_H
#include "sim.h"

#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define NO_MAX (-1)

enum { PACKAGES = 4, BALANCES = 32, EPOCHS = 4, PACKAGE_CALLS = 512 };

struct package {
	char id[8];
	int account;             /* that has it: acc_1...                  */
	bool is_shared, is_active, is_day, is_by_list;
	int kind, direction;
	const char *prefix;      /* of the rate; NULL: any                 */
	uint32_t step;
	int carry_periods, priority;
	int64_t amount;          /* of a period                            */
	int64_t carry_max;
};

struct units {
	int64_t granted, settled;
};

/* A period of a package; [1]: by calls of later periods. */
struct balance {
	const struct package *package;
	int32_t period;
	int64_t granted, used[2], leased[2], carry_max;
	int64_t excess;          /* what an operator's release may cost    */
	struct units leases[EPOCHS][2];
	int64_t rival[2];        /* leased by the other node               */
	int64_t rival_used;
	int64_t charged;         /* by our records                         */
	int64_t released[2];     /* and the node has yet to hear of it     */
};

struct package_model {
	struct world *w;
	struct rng *rng;         /* of its own: a world without stays      */
	bool is_there, is_calm;
	int64_t wall_ms;         /* of the database, when the run begins   */
	int64_t east_ms;         /* of both tenants                        */
	struct package packages[PACKAGES];
	int package_n;
	struct balance balances[BALANCES];
	int balance_n;
	int64_t was_used[BALANCES]; /* before the run */
	struct {
		char id[37];
		unsigned active; /* which were, by bits                    */
	} calls[PACKAGE_CALLS];
	int call_n;
	uint64_t checked;
};

/* What a node calls a balance. */
struct key {
	struct package *package;
	int32_t period;
	bool is_carried;
};

static inline uint32_t below(struct package_model *m, uint32_t n)
{
	return rng_below(m->rng, n);
}

/* --- package_model.c */
int32_t package_period_at(const struct package_model *m,
			  const struct package *p, int64_t wall_ms);
int32_t package_period_now(const struct package_model *m,
			   const struct package *p);
/** The clock of the database: nobody sets it. */
int64_t package_now_ms(const struct package_model *m);
/** @return false, and the run fails: it is none */
bool package_key_read(struct package_model *m, const char *text,
		      struct key *ret);
void package_subscription_put(struct package_model *m,
			      const struct package *p);

/* --- package_units.c */
struct balance *package_balance_open(struct package_model *m,
				     const struct package *p, int32_t period);
/** NULL: there is none. */
struct balance *package_balance_of(struct package_model *m,
				   const struct key *k);
void package_units_post(struct world *w, struct balance *b, bool is_carried,
			int64_t epoch, int64_t units);

#endif
