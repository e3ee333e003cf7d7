/**
 * @file tests/unit/base/oom.c  Every constructor with its first, second, ...
 * allocation failing: it says ENOMEM, leaks nothing and works afterwards. The
 * linker leads the allocators of the library through here.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <re.h>
#include <stdlib.h>
#include "htab.h"
#include "log.h"
#include "metric.h"
#include "pg.h"
#include "ring.h"
#include "rng.h"
#include "settings.h"
#include "snapshot.h"
#include "token.h"
#include "wheel.h"

#define NEVER UINT_MAX

void *__real_calloc(size_t n, size_t size);
void *__real_malloc(size_t size);
void *__real_aligned_alloc(size_t align, size_t size);
char *__real_strdup(const char *s);
void *__real_mem_zalloc(size_t size, mem_destroy_h *dh);
int __real_str_dup(char **dst, const char *src);

void *__wrap_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_aligned_alloc(size_t align, size_t size);
char *__wrap_strdup(const char *s);
void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh);
int __wrap_str_dup(char **dst, const char *src);

static const uint8_t key[16];
static unsigned left = NEVER; /* allocations until one fails */


static bool fails(void)
{
	return left != NEVER && left-- == 0;
}


void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}


void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}


void *__wrap_aligned_alloc(size_t align, size_t size)
{
	return fails() ? NULL : __real_aligned_alloc(align, size);
}


char *__wrap_strdup(const char *s)
{
	return fails() ? NULL : __real_strdup(s);
}


void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_zalloc(size, dh);
}


int __wrap_str_dup(char **dst, const char *src)
{
	return fails() ? ENOMEM : __real_str_dup(dst, src);
}


/** @return allocations that make needs; at each of them it has to say so */
static unsigned starve(int (*make)(void))
{
	unsigned n;
	int err;

	for (n = 0; n < 100; n++) {
		left = n;
		err = make();
		left = NEVER;
		if (!err)
			return n;
		cr_assert_eq(err, ENOMEM, "allocation %u: %d", n, err);
	}

	return n;
}


static int make_htab(void)
{
	struct htab *h;
	int err = htab_alloc(&h, 100, key);

	if (!err)
		mem_deref(h);

	return err;
}


static int make_wheel(void)
{
	struct wheel *w;
	int err = wheel_alloc(&w, 0);

	if (!err)
		mem_deref(w);

	return err;
}


static int make_rng(void)
{
	struct rng *r;
	int err = rng_seeded(&r, 1);

	if (!err)
		mem_deref(r);

	return err;
}


static int make_ring(void)
{
	struct ring *r;
	int err = ring_alloc(&r, 4, 4);

	if (!err)
		ring_free(r);

	return err;
}


static int make_mint(void)
{
	struct token_mint *m;
	int err = token_mint_alloc(&m, key, 1, 1);

	if (!err)
		mem_deref(m);

	return err;
}


static int make_pg(void)
{
	struct pg *pg;
	int err = pg_alloc(&pg, "host=x", "y");

	if (!err)
		mem_deref(pg);

	return err;
}


static int make_log(void)
{
	int err = log_open(LOG_INFO, false);

	if (!err)
		log_close();

	return err;
}


static int make_snapshot(void)
{
	static int data;
	struct snapshot_slot *s;
	int err = snapshot_slot_alloc(&s);

	if (err)
		return err;

	err = snapshot_publish(s, &data, 1, NULL);
	snapshot_slot_free(s);

	return err;
}


static int make_settings(void)
{
	static const struct setting table[] = {
		{"a", SET_FLAG, 0, 1, 0, 0, NULL, "true", NULL},
	};
	bool flag;

	return settings_load("/dev/null", table, 1, &flag, NULL, 0);
}


Test(oom, constructors)
{
	cr_assert_eq(starve(make_htab), 2);
	cr_assert_eq(starve(make_wheel), 1);
	cr_assert_eq(starve(make_rng), 1);
	cr_assert_eq(starve(make_ring), 2);
	cr_assert_eq(starve(make_mint), 1);
	cr_assert_eq(starve(make_pg), 3);
	cr_assert_eq(starve(make_log), 2);
	cr_assert_eq(starve(make_snapshot), 2);
	cr_assert_eq(starve(make_settings), 1);
}


static bool always(const void *data, const void *arg)
{
	return data && !arg;
}


/* A table that cannot grow gets slower and loses nothing. */
Test(oom, htab_lives_without_growing)
{
	struct htab_node node[100] = {{0}};
	struct htab *h;
	uint64_t i;

	cr_assert_eq(htab_alloc(&h, 0, key), 0);
	for (i = 0; i < 100; i++) {
		left = 0;
		htab_insert(h, &node[i], i, &node[i]);
	}
	left = NEVER;

	for (i = 0; i < 100; i++)
		cr_assert_eq(htab_find(h, i, always, NULL), &node[i]);
	mem_deref(h);
}


/* The first that fits is there; nothing crashes before. */
Test(oom, metric_gives_a_dummy)
{
	unsigned n;
	char *text;

	for (n = 0; n < 4; n++) {
		left = n;
		metric_add(metric_counter("x_total", NULL, "X"), 1);
		left = NEVER;
	}

	metric_add(metric_counter("x_total", NULL, "X"), 1);
	text = metric_print(NULL);
	cr_assert_str_eq(text, "# HELP x_total X\n# TYPE x_total counter\n"
			       "x_total 1\n");
	free(text);
}
