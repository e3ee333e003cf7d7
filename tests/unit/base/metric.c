/**
 * @file tests/unit/base/metric.c  The exact text a scraper gets.
 */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "metric.h"


static void prints(const char *want)
{
	size_t len = 0;
	char *text = metric_print(&len);

	cr_assert_str_eq(text, want);
	cr_assert_eq(len, strlen(want));
	free(text);
}


Test(metric, same_name_and_labels_are_one)
{
	struct metric *a = metric_counter("x_total", "m=\"1\"", "X");

	cr_assert_eq(metric_counter("x_total", "m=\"1\"", "X"), a);
	cr_assert_neq(metric_counter("x_total", "m=\"2\"", "X"), a);
	cr_assert_neq(metric_counter("y_total", "m=\"1\"", "X"), a);

	metric_add(a, 2);
	metric_add(a, 3);
	cr_assert_eq(metric_value(a), 5);
}


Test(metric, families_stay_together)
{
	metric_add(metric_counter("a_total", "m=\"1\"", "A \\ \n end"), 7);
	metric_set(metric_gauge("g", NULL, "G"), -3);
	metric_shift(metric_gauge("g", NULL, "G"), 1);
	metric_add(metric_counter("a_total", "m=\"2\"", "other"), 8);

	prints("# HELP a_total A \\\\ \\n end\n"
	       "# TYPE a_total counter\n"
	       "a_total{m=\"1\"} 7\n"
	       "a_total{m=\"2\"} 8\n"
	       "# HELP g G\n"
	       "# TYPE g gauge\n"
	       "g -2\n");
}


Test(metric, histogram)
{
	static const double bounds[] = {0.001, 0.5, 2};
	struct metric *h, *l;

	h = metric_histogram("d_seconds", NULL, "D", bounds, 3);
	l = metric_histogram("d_seconds", "k=\"v\"", "D", bounds, 1);
	metric_observe(h, 0.001); /* a bound belongs to its bucket */
	metric_observe(h, 0.25);
	metric_observe(h, 1e3);
	metric_observe(l, 1);

	prints("# HELP d_seconds D\n"
	       "# TYPE d_seconds histogram\n"
	       "d_seconds_bucket{le=\"0.001\"} 1\n"
	       "d_seconds_bucket{le=\"0.5\"} 2\n"
	       "d_seconds_bucket{le=\"2\"} 2\n"
	       "d_seconds_bucket{le=\"+Inf\"} 3\n"
	       "d_seconds_sum 1000.251000\n"
	       "d_seconds_count 3\n"
	       "d_seconds_bucket{k=\"v\",le=\"0.001\"} 0\n"
	       "d_seconds_bucket{k=\"v\",le=\"+Inf\"} 1\n"
	       "d_seconds_sum{k=\"v\"} 1.000000\n"
	       "d_seconds_count{k=\"v\"} 1\n");
}


Test(metric, odd_values_do_not_break_the_sum)
{
	static const double bounds[] = {1};
	struct metric *h = metric_histogram("h", NULL, "H", bounds, 1);

	metric_observe(h, NAN);
	metric_observe(h, 1e300);
	metric_observe(h, -1e300);
	metric_observe(h, 2e9);

	prints("# HELP h H\n"
	       "# TYPE h histogram\n"
	       "h_bucket{le=\"1\"} 2\n"
	       "h_bucket{le=\"+Inf\"} 4\n"
	       "h_sum 0.000000\n"
	       "h_count 4\n");
}
