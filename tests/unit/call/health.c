/**
 * @file health.c  Nine kinds of faults of a carrier under calls, in virtual
 * time: how long until calls pass it by, how long until it is back, and
 * whether a carrier that is well is ever marked down. Prints a table.
 *
 * A call each 2 s; two gateways, the second always answers 486. The faulty
 * one has OPTIONS each 5 s, ping_down_after 3, ping_up_after 2,
 * no_response_ms 4000, no_ring_ms 3000. A minute well, two minutes ill, then
 * well until it is back, and a minute more.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "exchange.h"
#include "metric.h"

enum fault {
	WELL, SILENCE, REFUSED_BY_ICMP, ANSWERS_500, ANSWERS_503,
	RETRY_AFTER, TRYING_THEN_SILENCE, LATE, FLAPPING, INVITE_REFUSED,
	FAULTS
};

static const char *const names[FAULTS] = {
	"well", "silence", "refused by ICMP", "500", "503",
	"503, Retry-After 20", "100, then silence", "answers after 5 s",
	"flapping, 20 s each", "OPTIONS fine, INVITE 403",
};

enum { STEP_MS = 50, CALL_MS = 2000, LATER_MAX = 64, LATE_MS = 5000 };

#define GATEWAY(ping_s)                                                       \
	"{\"carrier_id\":\"car_1\",\"status\":\"active\","                    \
	"\"address\":\"10.2.0.1\",\"port\":5060,\"no_response_ms\":4000,"     \
	"\"no_ring_ms\":3000,\"ping_down_after\":3,\"ping_up_after\":2,"        \
	"\"ping_s\":" ping_s "}"

struct ward {
	struct exchange x;
	enum fault kind;
	bool is_ill;
	uint64_t ms;                 /**< since the start                   */
	unsigned call_n, ended;
	unsigned tried;              /**< INVITEs at the faulty one         */
	size_t seen;
	struct later {
		uint64_t at_ms;
		char text[4096];
	} later[LATER_MAX];          /**< answers on their way              */
	struct metric *up;
};


static void reply(struct ward *d, const char *from, const char *request,
		  const char *status, const char *cseq, const char *extra)
{
	char head[2048], via[300], to[256], call_id[128], with[64];

	strcpy(via, exchange_header(request, "Via"));
	strcpy(to, exchange_header(request, "To"));
	strcpy(call_id, exchange_header(request, "Call-ID"));
	strcpy(with, cseq ? cseq : exchange_header(request, "CSeq"));
	(void)snprintf(head, sizeof(head),
		       "SIP/2.0 %s\nVia: %s\nFrom: %s\nTo: %s%s\n"
		       "Call-ID: %s\nCSeq: %s\n%s",
		       status, via, exchange_header(request, "From"), to,
		       strstr(to, "tag=") ? "" : ";tag=c", call_id, with,
		       extra);
	exchange_recv(&d->x, from, head, NULL);
}


static bool is_dead(const struct ward *d)
{
	if (!d->is_ill)
		return false;

	return d->kind == SILENCE || d->kind == REFUSED_BY_ICMP ||
	       (d->kind == FLAPPING && d->ms / 20000 % 2 == 0);
}


/* What a carrier that is well says of the numbers that are called. */
static void answer_well(struct ward *d, const char *request)
{
	static const char *const words[] = {"486 Busy Here", "404 Not Found",
					    "480 Gone out", "603 Decline"};

	reply(d, FIRST, request, words[d->tried % 4], NULL, "");
}


static void answer_later(struct ward *d, const char *request)
{
	for (size_t i = 0; i < LATER_MAX; i++) {
		if (d->later[i].at_ms)
			continue;
		d->later[i].at_ms = d->ms + LATE_MS;
		(void)snprintf(d->later[i].text, sizeof(d->later[i].text),
			       "%s", request);
		return;
	}
}


static void answer_ill(struct ward *d, const char *request)
{
	if (d->kind == ANSWERS_500)
		reply(d, FIRST, request, "500 Oh", NULL, "");
	else if (d->kind == ANSWERS_503)
		reply(d, FIRST, request, "503 Full", NULL, "");
	else if (d->kind == RETRY_AFTER)
		reply(d, FIRST, request, "503 Full", NULL,
		      "Retry-After: 20\n");
	else if (d->kind == TRYING_THEN_SILENCE)
		reply(d, FIRST, request, "100 Trying", NULL, "");
	else if (d->kind == LATE)
		answer_later(d, request);
	else if (d->kind == INVITE_REFUSED)
		reply(d, FIRST, request, "403 Forbidden", NULL, "");
	else
		answer_well(d, request);
}


static void bounce(struct ward *d, const char *request)
{
	struct sip_path path = {.transport = SIP_TRANSP_UDP};

	(void)sa_set_str(&path.local, "10.0.0.1", 5060);
	(void)sa_set_str(&path.peer, FIRST, 5060);
	worker_unreachable(d->x.worker, &d->x.now, &path,
			   (const uint8_t *)request, strlen(request),
			   ECONNREFUSED);
}


static void first_hears(struct ward *d, const char *request)
{
	const bool is_invite = !strncmp(request, "INVITE ", 7);

	d->tried += is_invite;
	if (is_dead(d)) {
		if (d->kind == REFUSED_BY_ICMP)
			bounce(d, request);
	}
	else if (is_invite && d->is_ill) {
		answer_ill(d, request);
	}
	else if (is_invite) {
		answer_well(d, request);
	}
	else if (!strncmp(request, "OPTIONS ", 8)) {
		reply(d, FIRST, request, "200 OK", NULL, "");
	}
	else if (!strncmp(request, "CANCEL ", 7)) {
		reply(d, FIRST, request, "200 OK", NULL, "");
		reply(d, FIRST, request, "487 Gone", "1 INVITE", "");
	}
}


static void deliver(struct ward *d)
{
	struct exchange *x = &d->x;
	char text[sizeof(x->letters->text)];

	while (d->seen < x->letter_n) {
		const struct letter *l = &x->letters[d->seen++];
		const bool is_first = !strncmp(l->to, FIRST, strlen(FIRST));

		memcpy(text, l->text, sizeof(text));
		if (is_first)
			first_hears(d, text);
		else if (!strncmp(text, "INVITE ", 7))
			reply(d, SECOND, text, "486 Busy Here", NULL, "");
	}
	x->letter_n = d->seen = 0;
	d->ended += (unsigned)x->end_n;
	x->end_n = 0;

	for (size_t i = 0; i < LATER_MAX; i++) {
		if (d->later[i].at_ms && d->ms >= d->later[i].at_ms) {
			d->later[i].at_ms = 0;
			reply(d, FIRST, d->later[i].text, "486 Late", NULL,
			      "");
		}
	}
}


static void step(struct ward *d)
{
	char id[32];

	if (d->ms % CALL_MS == 0) {
		(void)snprintf(id, sizeof(id), "call%u", d->call_n++);
		exchange_invite(&d->x, id, "0049301234", "",
				exchange_sdp(PBX, 4000, ""));
	}
	deliver(d);
	exchange_run(&d->x, STEP_MS);
	d->ms += STEP_MS;
	deliver(d);
}


static bool is_up(const struct ward *d)
{
	return metric_value(d->up) == 1;
}


/* @return how often it went down meanwhile */
static unsigned run(struct ward *d, uint64_t ms)
{
	unsigned downs = 0;

	for (uint64_t end = d->ms + ms; d->ms < end;) {
		const bool was_up = is_up(d);

		step(d);
		downs += was_up && !is_up(d);
	}

	return downs;
}


static uint64_t run_until(struct ward *d, bool up, uint64_t max_ms)
{
	const uint64_t from = d->ms;

	while (is_up(d) != up && d->ms - from < max_ms)
		step(d);

	return d->ms - from;
}


static void open_ward(struct ward *d, enum fault kind)
{
	memset(d, 0, sizeof(*d));
	d->kind = kind;
	exchange_open(&d->x);
	exchange_put(&d->x, "trunk", "trk_1",
		     "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\","
		     "\"rate_deck_id\":\"dck_1\",\"status\":\"active\","
		     "\"direction\":\"both\",\"cli_policy\":\"owned\","
		     "\"default_cli\":\"+4930100\",\"number_in\":["
		     "{\"prefix\":\"00\",\"strip\":2,\"add\":\"+\"},"
		     "{\"prefix\":\"+\"}]}");
	exchange_put(&d->x, "gateway", "gwy_1", GATEWAY("5"));
	d->up = metric_gauge("strowger_gateway_up", "gateway=\"gwy_1\"", "");
	metric_set(d->up, 1);
}


static void close_ward(struct ward *d)
{
	exchange_put(&d->x, "gateway", "gwy_1", GATEWAY("0"));
	for (int i = 0; i < 1000; i++) {
		exchange_run(&d->x, 100);
		deliver(d);
	}
	d->x.end_n = d->ended;
	d->x.event_n = 1000; /* more than are kept */
	exchange_close(&d->x);
}


static void examine(enum fault kind)
{
	struct ward *d = calloc(1, sizeof(*d));
	uint64_t skip_ms, return_ms;
	unsigned tried, alarms;

	open_ward(d, kind);
	alarms = run(d, 60000);
	d->is_ill = true;
	d->tried = 0;
	skip_ms = run_until(d, false, 120000);
	tried = d->tried;
	(void)run(d, 120000 - skip_ms);
	d->is_ill = false;
	return_ms = run_until(d, true, 300000);
	alarms += run(d, 60000);

	if (kind == WELL)
		printf("%-26s never marked down\n", names[kind]);
	else
		printf("%-26s skipped after %5.1f s, %2u INVITEs; back after "
		       "%5.1f s; false alarms %u\n", names[kind],
		       skip_ms / 1e3, tried, return_ms / 1e3, alarms);

	cr_expect_eq(alarms, 0, "%s", names[kind]);
	if (kind == WELL) {
		cr_expect_eq(skip_ms, 120000u, "never down");
	}
	else {
		cr_expect_lt(skip_ms, 30000u, "%s", names[kind]);
		cr_expect_lt(return_ms, 245000u, "%s", names[kind]);
	}
	if (kind == RETRY_AFTER)
		cr_expect_eq(tried, 1, "it was told");
	close_ward(d);
	free(d);
}


Test(health, nine_faults)
{
	for (int kind = WELL; kind < FAULTS; kind++)
		examine((enum fault)kind);
	(void)fflush(stdout);
}
