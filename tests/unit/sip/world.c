/**
 * @file world.c  One endpoint with virtual time and a wire that remembers.
 */
#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "world.h"


static int send_handler(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg)
{
	struct world *w = arg;
	struct sent *s = &w->sent[w->sent_n];

	if (w->send_err)
		return w->send_err;

	cr_assert_lt(w->sent_n, SENT_MAX);
	cr_assert_lt(len, sizeof(s->text));
	s->at_ms = w->now_ms;
	s->path = *path;
	memcpy(s->text, buf, len);
	s->text[len] = '\0';
	++w->sent_n;

	return 0;
}


static void request_handler(const struct sip_msg *msg,
			    const struct sip_path *path, void *arg)
{
	struct world *w = arg;

	(void)path;

	++w->requests_n;
	if (w->requesth)
		w->requesth(w, msg);
}


static void trace_handler(const struct sip_path *path, int dir,
			  const uint8_t *buf, size_t len, bool retransmission,
			  void *owner, void *arg)
{
	struct world *w = arg;

	(void)path;
	(void)buf;
	(void)len;

	if (w->traced_n == SENT_MAX)
		return;

	w->traced[w->traced_n].dir = dir;
	w->traced[w->traced_n].retransmission = retransmission;
	w->traced[w->traced_n++].owner = owner;
}


static void outside_handler(const struct sip_msg *request,
			    const struct sip_path *path, int dir,
			    const uint8_t *buf, size_t len, void *arg)
{
	struct world *w = arg;
	struct outside *o = &w->outside[w->outside_n];

	(void)path;
	if (w->outside_n == SENT_MAX)
		return;

	w->outside_n++;
	o->dir = dir;
	o->len = len;
	(void)re_snprintf(o->begin, sizeof(o->begin), "%b", buf,
			  sizeof(o->begin) - 1);
	(void)re_snprintf(o->call_id, sizeof(o->call_id), "%r",
			  &request->callid);
}


void world_open(struct world *w)
{
	static const uint8_t key[16] = "unit test";
	struct sip_endpoint_config cfg = {
		.transactions_max = 100,
		.server_name = "unit",
		.sendh = send_handler,
		.requesth = request_handler,
		.traceh = trace_handler,
		.outsideh = outside_handler,
		.arg = w,
	};

	memset(w, 0, sizeof(*w));
	w->path.transport = SIP_TRANSP_UDP;
	cr_assert_eq(sa_set_str(&w->path.local, "192.0.2.9", 5060), 0);
	cr_assert_eq(sa_set_str(&w->path.peer, "192.0.2.1", 5060), 0);
	cr_assert_eq(wheel_alloc(&w->wheel, 0), 0);
	cr_assert_eq(rng_seeded(&w->rng, 1), 0);
	cr_assert_eq(token_mint_alloc(&w->mint, key, 1, 1), 0);

	cfg.wheel = w->wheel;
	cfg.rng = w->rng;
	cfg.mint = w->mint;
	cr_assert_eq(endpoint_alloc(&w->ep, &cfg), 0);
}


void world_close(struct world *w)
{
	mem_deref(w->ep);
	cr_assert_eq(wheel_pending(w->wheel), 0);
	mem_deref(w->mint);
	mem_deref(w->rng);
	mem_deref(w->wheel);
}


void world_until(struct world *w, uint64_t at_ms)
{
	while (w->now_ms < at_ms) {
		struct moment now;

		w->now_ms += WHEEL_TICK_MS;
		now.mono_us = w->now_ms * 1000;
		now.wall_us = (int64_t)now.mono_us;
		endpoint_now(w->ep, &now);
		(void)wheel_advance(w->wheel, w->now_ms, 0);
	}
}


void world_recv(struct world *w, const char *fmt, ...)
{
	const struct moment now = {w->now_ms * 1000,
				   (int64_t)w->now_ms * 1000};
	char text[4096];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	cr_assert_lt(n, (int)sizeof(text));
	endpoint_recv(w->ep, &now, &w->path, (const uint8_t *)text,
		      (size_t)n);
}


static bool is_start(const struct sent *s, const char *start)
{
	return !strncmp(s->text, start, strlen(start));
}


size_t world_count(const struct world *w, const char *start)
{
	size_t i, n = 0;

	for (i = 0; i < w->sent_n; i++)
		n += is_start(&w->sent[i], start);

	return n;
}


const char *world_times(const struct world *w, const char *start)
{
	static char text[512];
	size_t i, n = 0;

	text[0] = '\0';
	for (i = 0; i < w->sent_n; i++) {
		if (is_start(&w->sent[i], start))
			n += (size_t)snprintf(text + n, sizeof(text) - n,
					      "%s%llu", n ? " " : "",
					      (unsigned long long)
					      w->sent[i].at_ms);
	}

	return text;
}


const struct sent *world_last(const struct world *w, const char *start)
{
	size_t i;

	for (i = w->sent_n; i > 0; i--) {
		if (is_start(&w->sent[i - 1], start))
			return &w->sent[i - 1];
	}

	return NULL;
}
