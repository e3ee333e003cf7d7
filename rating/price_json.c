/** @file price_json.c  See price_json.h. */
#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include "price_json.h"

struct writer {
	char *buf;
	size_t len;
};


__attribute__((format(printf, 2, 3)))
static void put(struct writer *w, const char *format, ...)
{
	const size_t left = PRICE_JSON_SIZE - w->len;
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(w->buf + w->len, left, format, ap);
	va_end(ap);

	/* the size is that of the longest price there can be */
	assert(n >= 0 && (size_t)n < left);
	w->len += (size_t)n;
}


/* A name is the operator's: whatever JSON would not take is left out. */
static void put_name(struct writer *w, const char *name)
{
	put(w, "\"");
	for (; *name; name++) {
		if (*name != '"' && *name != '\\' &&
		    (unsigned char)*name >= 0x20)
			put(w, "%c", *name);
	}
	put(w, "\"");
}


static const char *truth(int is_so)
{
	return is_so ? "true" : "false";
}


static void put_steps(struct writer *w, const struct price *p)
{
	put(w, "\"steps\":[");
	for (unsigned i = 0; i < p->step_n; i++) {
		const struct price_step *s = &p->steps[i];

		put(w, "%s[%" PRIu32 ",%" PRIu32 ",%" PRId64 ",%s]",
		    i ? "," : "", s->from_ms, s->increment_ms,
		    s->rate_per_min_nano, truth(s->is_window != 0));
	}
	put(w, "],");
}


static void put_taxes(struct writer *w, const struct price *p)
{
	put(w, "\"is_tax_included\":%s,\"taxes\":[",
	    truth(p->is_tax_included));
	for (unsigned i = 0; i < p->tax_n; i++) {
		put(w, "%s[", i ? "," : "");
		put_name(w, p->taxes[i].name);
		put(w, ",%" PRIu32 "]", p->taxes[i].ppm);
	}
	put(w, "],");
}


void price_json(char buf[PRICE_JSON_SIZE], const struct price *p)
{
	struct writer w = {buf, 0};

	put(&w, "{");
	put_steps(&w, p);
	put_taxes(&w, p);
	put(&w, "\"connect_micro\":%" PRId64 ",\"attempt_micro\":%" PRId64
	    ",\"minimum_micro\":%" PRId64 ",",
	    p->tariff.connect_fee_micro, p->attempt_micro, p->minimum_micro);
	if (p->cap_micro == PRICE_NO_CAP)
		put(&w, "\"cap_micro\":null,");
	else
		put(&w, "\"cap_micro\":%" PRId64 ",", p->cap_micro);
	put(&w, "\"is_cap_cut\":%s,\"is_reverse\":%s,\"free_ms\":%" PRIu32
	    ",\"exchange_nano\":%" PRId64 ",",
	    truth(p->is_cap_cut), truth(p->is_reverse), p->free_ms,
	    p->exchange_nano);
	put(&w, "\"mode\":\"%s\",\"decimals\":%u,\"duration\":\"%s\","
	    "\"is_per_interval\":%s}",
	    round_mode_name((enum round_mode)p->rounding.mode),
	    p->rounding.decimals,
	    duration_mode_name((enum duration_mode)p->rounding.duration),
	    truth(p->rounding.is_per_interval));
}
