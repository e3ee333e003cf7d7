/**
 * @file registrar_private.h  What the registrar's files share: bindings by
 * trunk.
 */
#ifndef REGISTRAR_PRIVATE_H
#define REGISTRAR_PRIVATE_H
#include "metric.h"
#include "registrar.h"

/** How a REGISTER ends. */
enum register_result {
	R_OK, R_QUERY, R_BAD_CONTACT, R_NOT_THE_USER, R_TOO_MANY,
	R_EXTENSION, R_TOO_BRIEF, R_OUT_OF_ORDER, R_FULL, R_N
};

/*
 *   homes (by trunk id) --> home --> binding, binding, ... newest first
 *                                      each: contact + expiry timer
 */
struct registrar {
	struct registrar_config cfg;
	struct htab *homes;
	struct list all;        /**< of all homes                           */
	const struct catalog *cat; /**< of the sweep; the caller's         */
	struct wheel_timer sweep;
	size_t sweep_left;      /**< bindings that it has still to look at  */
	size_t count;
	uint64_t serial;        /**< of the newest binding                  */
	bool is_dirty;
	struct metric *live;
	struct metric *answered[R_N];
};

/** All bindings of one trunk. */
struct home {
	struct htab_node node;
	struct list bindings;
	char trunk_id[ID_SIZE];
};

struct binding {
	struct le le, all_le;
	struct registrar *r;    /**< weak: it owns us                       */
	struct home *home;      /**< NULL: not bound yet                    */
	struct wheel_timer timer;
	struct contact c;
};

struct home *home_find(const struct registrar *r, const char *trunk_id);

/** A binding of nobody; mem_deref() it unless it was added. */
struct binding *binding_new(struct registrar *r);

/** Bind b->c to its trunk as the newest, or the oldest. Takes b over.
 *  @return 0 or ENOMEM (b is still the caller's) */
int binding_add(struct binding *b, bool is_newest);

/** b->c was renewed: newest again, expires anew. */
void binding_renew(struct binding *b);
void binding_drop(struct binding *b, const char *why);

/** Bindings of one address of record. */
size_t home_count(const struct home *s, const char *username);

#endif
