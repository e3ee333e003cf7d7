/**
 * @file leg_oom.c  The storms once more while one allocation in fifty fails:
 * nobody crashes, nothing leaks, nothing remains. The linker leads the
 * allocators that sip calls through here.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdarg.h>
#include <re.h>
#include "leg_storm.h"

void *__real_mem_alloc(size_t size, mem_destroy_h *dh);
void *__real_mem_zalloc(size_t size, mem_destroy_h *dh);
struct mbuf *__real_mbuf_alloc(size_t size);
int __real_mbuf_write_mem(struct mbuf *mb, const uint8_t *buf, size_t size);
int __real_mbuf_write_str(struct mbuf *mb, const char *str);
int __real_mbuf_strdup(struct mbuf *mb, char **strp, size_t len);
int __real_str_dup(char **dst, const char *src);
int __real_pl_strdup(char **dst, const struct pl *src);

void *__wrap_mem_alloc(size_t size, mem_destroy_h *dh);
void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh);
struct mbuf *__wrap_mbuf_alloc(size_t size);
int __wrap_mbuf_write_mem(struct mbuf *mb, const uint8_t *buf, size_t size);
int __wrap_mbuf_write_str(struct mbuf *mb, const char *str);
int __wrap_mbuf_printf(struct mbuf *mb, const char *fmt, ...);
int __wrap_mbuf_strdup(struct mbuf *mb, char **strp, size_t len);
int __wrap_str_dup(char **dst, const char *src);
int __wrap_pl_strdup(char **dst, const struct pl *src);
int __wrap_re_sdprintf(char **strp, const char *fmt, ...);

static bool is_starving;
static uint64_t draw = 88172645463325252u;
static unsigned refused;


static void starve(bool is_on)
{
	is_starving = is_on;
}


static bool fails(void)
{
	if (!is_starving)
		return false;

	draw ^= draw << 13;
	draw ^= draw >> 7;
	draw ^= draw << 17;
	if (draw % 50)
		return false;

	++refused;
	return true;
}


void *__wrap_mem_alloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_alloc(size, dh);
}


void *__wrap_mem_zalloc(size_t size, mem_destroy_h *dh)
{
	return fails() ? NULL : __real_mem_zalloc(size, dh);
}


struct mbuf *__wrap_mbuf_alloc(size_t size)
{
	return fails() ? NULL : __real_mbuf_alloc(size);
}


int __wrap_mbuf_write_mem(struct mbuf *mb, const uint8_t *buf, size_t size)
{
	return fails() ? ENOMEM : __real_mbuf_write_mem(mb, buf, size);
}


int __wrap_mbuf_write_str(struct mbuf *mb, const char *str)
{
	return fails() ? ENOMEM : __real_mbuf_write_str(mb, str);
}


int __wrap_mbuf_printf(struct mbuf *mb, const char *fmt, ...)
{
	va_list ap;
	int err;

	if (fails())
		return ENOMEM;

	va_start(ap, fmt);
	err = mbuf_vprintf(mb, fmt, ap);
	va_end(ap);
	return err;
}


int __wrap_mbuf_strdup(struct mbuf *mb, char **strp, size_t len)
{
	return fails() ? ENOMEM : __real_mbuf_strdup(mb, strp, len);
}


int __wrap_str_dup(char **dst, const char *src)
{
	return fails() ? ENOMEM : __real_str_dup(dst, src);
}


int __wrap_pl_strdup(char **dst, const struct pl *src)
{
	return fails() ? ENOMEM : __real_pl_strdup(dst, src);
}


int __wrap_re_sdprintf(char **strp, const char *fmt, ...)
{
	va_list ap;
	int err;

	if (fails())
		return ENOMEM;

	va_start(ap, fmt);
	err = re_vsdprintf(strp, fmt, ap);
	va_end(ap);
	return err;
}


Test(leg_oom, storms)
{
	uint64_t seed;

	for (seed = 1; seed <= 40; seed++) {
		leg_storm(seed, starve);
		leg_storm_of_peer(seed, starve);
	}

	cr_assert_gt(refused, 100);
}
