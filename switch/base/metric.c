/**
 * @file metric.c  The registry is a list that keeps one name's metrics
 * together, as the text format wants them; it only grows.
 */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "metric.h"

#define BOUNDS_MAX 24
#define SUM_UNIT 1e6 /**< sums are kept in millionths */
#define VALUE_MAX 1e9 /**< one observation; a sum holds 9000 of these */

enum metric_type { COUNTER, GAUGE, HISTOGRAM };

struct metric {
	struct metric *next;
	char *name, *labels, *help;
	enum metric_type type;
	_Atomic int64_t value; /**< histogram: sum in millionths        */
	size_t bounds_n;
	double bounds[BOUNDS_MAX];
	_Atomic uint64_t buckets[BOUNDS_MAX + 1]; /**< not cumulative   */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct metric *registry;
static struct metric dummy; /* when memory is gone: counts unseen */


static bool is_same(const struct metric *m, const char *name,
		    const char *labels)
{
	return !strcmp(m->name, name) && !strcmp(m->labels, labels);
}


static void metric_free(struct metric *m)
{
	if (!m)
		return;

	free(m->name);
	free(m->labels);
	free(m->help);
	free(m);
}


static struct metric *metric_new(enum metric_type type, const char *name,
				 const char *labels, const char *help)
{
	struct metric *m = calloc(1, sizeof(*m));

	if (!m)
		return NULL;

	m->type = type;
	m->name = strdup(name);
	m->labels = strdup(labels);
	m->help = strdup(help ? help : "");
	if (!m->name || !m->labels || !m->help) {
		metric_free(m);
		return NULL;
	}

	return m;
}


/** Under the lock: find or make. A new one goes behind its name's others. */
static struct metric *enter(enum metric_type type, const char *name,
			    const char *labels, const char *help,
			    const double *bounds, size_t n)
{
	struct metric **at = &registry, *m;
	bool found = false;

	for (; *at; at = &(*at)->next) {

		if (is_same(*at, name, labels)) {
			assert((*at)->type == type);
			return *at;
		}

		if (!strcmp((*at)->name, name))
			found = true;
		else if (found)
			break;
	}

	m = metric_new(type, name, labels, help);
	if (!m)
		return &dummy;

	m->bounds_n = n;
	if (n)
		memcpy(m->bounds, bounds, n * sizeof(*bounds));
	m->next = *at;
	*at = m;

	return m;
}


static struct metric *get(enum metric_type type, const char *name,
			  const char *labels, const char *help,
			  const double *bounds, size_t n)
{
	struct metric *m;

	assert(n <= BOUNDS_MAX);

	(void)pthread_mutex_lock(&lock);
	m = enter(type, name, labels ? labels : "", help, bounds, n);
	(void)pthread_mutex_unlock(&lock);

	return m;
}


struct metric *metric_counter(const char *name, const char *labels,
			      const char *help)
{
	return get(COUNTER, name, labels, help, NULL, 0);
}


struct metric *metric_gauge(const char *name, const char *labels,
			    const char *help)
{
	return get(GAUGE, name, labels, help, NULL, 0);
}


struct metric *metric_histogram(const char *name, const char *labels,
				const char *help, const double *bounds,
				size_t n)
{
	return get(HISTOGRAM, name, labels, help, bounds, n);
}


void metric_add(struct metric *m, uint64_t n)
{
	if (m)
		atomic_fetch_add_explicit(&m->value, (int64_t)n,
					  memory_order_relaxed);
}


void metric_set(struct metric *m, int64_t v)
{
	if (m)
		atomic_store_explicit(&m->value, v, memory_order_relaxed);
}


void metric_shift(struct metric *m, int64_t d)
{
	if (m)
		atomic_fetch_add_explicit(&m->value, d, memory_order_relaxed);
}


void metric_observe(struct metric *m, double v)
{
	size_t i = 0;

	if (!m)
		return;

	/* what a peer reported may be anything, also no number */
	if (!(v > -VALUE_MAX))
		v = -VALUE_MAX;
	else if (v > VALUE_MAX)
		v = VALUE_MAX;

	while (i < m->bounds_n && v > m->bounds[i])
		++i;

	atomic_fetch_add_explicit(&m->buckets[i], 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&m->value, (int64_t)(v * SUM_UNIT),
				  memory_order_relaxed);
}


int64_t metric_value(const struct metric *m)
{
	return m ? atomic_load_explicit(&m->value, memory_order_relaxed) : 0;
}


static void print_head(FILE *out, const struct metric *m)
{
	static const char *const types[] = {"counter", "gauge", "histogram"};
	const char *c;

	(void)fprintf(out, "# HELP %s ", m->name);
	for (c = m->help; *c; c++) {
		if (*c == '\\')
			(void)fputs("\\\\", out);
		else if (*c == '\n')
			(void)fputs("\\n", out);
		else
			(void)fputc(*c, out);
	}

	(void)fprintf(out, "\n# TYPE %s %s\n", m->name, types[m->type]);
}


static void print_histogram(FILE *out, const struct metric *m)
{
	const char *comma = *m->labels ? "," : "";
	const double sum = metric_value(m) / SUM_UNIT;
	uint64_t count = 0;
	size_t i;

	for (i = 0; i <= m->bounds_n; i++) {
		count += atomic_load_explicit(&m->buckets[i],
					      memory_order_relaxed);
		(void)fprintf(out, "%s_bucket{%s%sle=\"", m->name, m->labels,
			      comma);
		if (i < m->bounds_n)
			(void)fprintf(out, "%.9g", m->bounds[i]);
		else
			(void)fputs("+Inf", out);
		(void)fprintf(out, "\"} %" PRIu64 "\n", count);
	}

	(void)fprintf(out, *m->labels ? "%s_sum{%s} " : "%s_sum%s ", m->name,
		      m->labels);
	(void)fprintf(out, "%.6f\n", sum);
	(void)fprintf(out, *m->labels ? "%s_count{%s} " : "%s_count%s ",
		      m->name, m->labels);
	(void)fprintf(out, "%" PRIu64 "\n", count);
}


static void print_metric(FILE *out, const struct metric *m)
{
	if (m->type == HISTOGRAM) {
		print_histogram(out, m);
		return;
	}

	(void)fprintf(out, *m->labels ? "%s{%s} " : "%s%s ", m->name,
		      m->labels);
	(void)fprintf(out, "%" PRId64 "\n", metric_value(m));
}


char *metric_print(size_t *ret_len)
{
	const struct metric *m, *previous = NULL;
	char *text = NULL;
	size_t len = 0;
	FILE *out;

	out = open_memstream(&text, &len);
	if (!out)
		return NULL;

	(void)pthread_mutex_lock(&lock);
	for (m = registry; m; previous = m, m = m->next) {
		if (!previous || strcmp(previous->name, m->name) != 0)
			print_head(out, m);
		print_metric(out, m);
	}
	(void)pthread_mutex_unlock(&lock);

	if (fclose(out)) {
		free(text);
		return NULL;
	}

	if (ret_len)
		*ret_len = len;

	return text;
}
