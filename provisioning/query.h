/**
 * @file query.h  An SQL statement put together from our own constant tables;
 * whatever a client sent goes in as a parameter, never as text.
 */
#ifndef QUERY_H
#define QUERY_H
#include "json.h"
#include <libpq-fe.h>

#define QUERY_PARAMS_MAX 64

struct query {
	struct mbuf *mb;
	const char *params[QUERY_PARAMS_MAX]; /**< borrowed                 */
	int n;
	int err;                              /**< first failure, sticky    */
};

void query_init(struct query *q);
void query_reset(struct query *q); /**< frees the text                      */

/** Append SQL text of ours. */
void query_text(struct query *q, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** Append "$n" and remember value (borrowed until query_run()). */
void query_param(struct query *q, const char *value);

/** Append the text of values, whose parameters become those of q (which must
 *  have none of its own). */
void query_join(struct query *q, const struct query *values);

/** @return as pg_exec(), or an error of putting it together */
struct pg;
int query_run(struct query *q, struct pg *pg, PGresult **retp);

#endif
