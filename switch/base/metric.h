/**
 * @file metric.h  Counters, gauges and histograms, registered once by their
 * owner and printed as Prometheus text (exposition format 0.0.4).
 * Updates are relaxed atomics: any thread, never blocking.
 */
#ifndef METRIC_H
#define METRIC_H
#include <stddef.h>
#include <stdint.h>

struct metric;

/**
 * @param name    "strowger_sip_requests_total"; base units
 * @param labels  "method=\"INVITE\"" or NULL; low cardinality, constant
 * The same name and labels give the same metric. Strings are copied.
 * Never fails: when memory is gone a shared dummy is returned.
 */
struct metric *metric_counter(const char *name, const char *labels,
			      const char *help);
struct metric *metric_gauge(const char *name, const char *labels,
			    const char *help);

/** @param bounds  ascending upper bounds, n <= 24 (+Inf is added) */
struct metric *metric_histogram(const char *name, const char *labels,
				const char *help, const double *bounds,
				size_t n);

void metric_add(struct metric *m, uint64_t n); /**< counter            */
void metric_set(struct metric *m, int64_t v);  /**< gauge              */
void metric_shift(struct metric *m, int64_t d);/**< gauge up or down   */
void metric_observe(struct metric *m, double v);/**< histogram, +-1e9  */
int64_t metric_value(const struct metric *m);

/** Whole registry as text; malloc'd, caller frees. NULL when out of memory */
char *metric_print(size_t *ret_len);

#endif
