/**
 * @file query.c  An SQL statement put together from our own constant tables.
 */
#include <errno.h>
#include <stdarg.h>
#include "pg.h"
#include "query.h"


void query_init(struct query *q)
{
	*q = (struct query){.mb = mbuf_alloc(512)};
	if (!q->mb)
		q->err = ENOMEM;
}


void query_reset(struct query *q)
{
	q->mb = mem_deref(q->mb);
	q->n = 0;
}


void query_text(struct query *q, const char *fmt, ...)
{
	va_list ap;

	if (q->err)
		return;

	va_start(ap, fmt);
	q->err = mbuf_vprintf(q->mb, fmt, ap);
	va_end(ap);
}


void query_param(struct query *q, const char *value)
{
	if (q->n >= QUERY_PARAMS_MAX)
		q->err = E2BIG;
	if (q->err)
		return;

	q->params[q->n++] = value;
	q->err = mbuf_printf(q->mb, "$%d", q->n);
}


void query_join(struct query *q, const struct query *values)
{
	if (!q->err)
		q->err = values->err ? values->err : q->n ? EINVAL : 0;
	if (q->err)
		return;

	q->n = values->n;
	for (int i = 0; i < q->n; i++)
		q->params[i] = values->params[i];
	q->err = mbuf_write_mem(q->mb, values->mb->buf, values->mb->end);
}


int query_run(struct query *q, struct pg *pg, PGresult **retp)
{
	if (!q->err)
		q->err = mbuf_write_u8(q->mb, 0);
	if (q->err)
		return q->err;

	return pg_exec(pg, (const char *)q->mb->buf, q->n, q->params, retp);
}
