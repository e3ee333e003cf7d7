/**
 * @file leg_pair.c  Two endpoints back to back in memory, virtual time.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "fake_catalog.h"
#include "leg_pair.h"
#include "text.h"

enum {
	PACKETS_N = 4000,
	RULES_N = 8,
	/* Timer C, then 64*T1 after its CANCEL, then Timer M */
	CLOSE_MS = 180000 + 3 * T64_MS,
};

struct packet {
	char *text;
	size_t len;
	uint64_t due_ms;
	struct sa from, to;
	bool is_over;
};

struct wire_rule {
	char sender[16], key[32];
	unsigned n;
	enum wire_action action;
	uint64_t delay_ms;
};

struct pair {
	struct wheel *wheel;
	struct rng *rng, *weather;
	struct token_mint *mint;
	struct moment now;
	struct party alice, bob;
	struct packet packets[PACKETS_N];
	unsigned n;
	struct wire_rule rules[RULES_N];
	unsigned rule_n;
	void *owner;
	uint64_t latency_ms;
	unsigned loss, doubled;
	void (*starve)(bool is_on);
	bool is_hungry;
};

static const char *const names[] = {
	"TRYING", "PROGRESS", "ANSWERED", "FAILED", "CANCELLED", "ACKED",
	"ACK_LOST", "OFFER", "OFFER_ANSWERED", "OFFER_REFUSED", "OFFER_ACKED",
	"OFFER_CANCELLED", "BYE",
};


static void packet_key(const struct packet *p, char *key, size_t size)
{
	const char *cseq = header(p->text, "CSeq");
	const char *method = strchr(cseq, ' ');
	char status[4] = "";

	if (!strncmp(p->text, "SIP/2.0 ", 8))
		memcpy(status, p->text + 8, 3);

	snprintf(key, size, "%s%s%s", status, status[0] ? " " : "",
		 method ? method + 1 : "");
}


/* @return what it was */
static bool hunger(struct pair *w, bool is_on)
{
	const bool was_on = w->is_hungry;

	w->is_hungry = is_on;
	if (w->starve)
		w->starve(is_on);

	return was_on;
}


static bool sa_is(const struct sa *sa, const char *ip)
{
	const struct sa want = fake_sa(ip, 5060);

	return sa_cmp(sa, &want, SA_ADDR);
}


static void packet_add(struct pair *w, const struct sip_path *path,
		       const uint8_t *buf, size_t len, uint64_t delay_ms,
		       bool is_over)
{
	struct packet *p = &w->packets[w->n++];

	cr_assert_lt(w->n, PACKETS_N);
	p->text = mem_zalloc(len + 1, NULL);
	memcpy(p->text, buf, len);
	p->len = len;
	p->from = path->local;
	p->to = path->peer;
	p->due_ms = pair_ms(w) + delay_ms;
	p->is_over = is_over;
}


static struct wire_rule *rule_find(struct pair *w, const struct packet *p)
{
	char key[32];
	unsigned i;

	packet_key(p, key, sizeof(key));
	for (i = 0; i < w->rule_n; i++) {
		struct wire_rule *r = &w->rules[i];

		if (r->n && !strcmp(r->key, key) &&
		    (!r->sender[0] || sa_is(&p->from, r->sender))) {
			--r->n;
			return r;
		}
	}

	return NULL;
}


static int send_handler(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg)
{
	struct party *party = arg;
	struct pair *w = party->w;
	const bool was_hungry = hunger(w, false);
	struct packet *p;
	struct wire_rule *r;

	packet_add(w, path, buf, len, w->latency_ms, false);
	p = &w->packets[w->n - 1];

	r = rule_find(w, p);
	if (r && r->action == WIRE_DROP)
		p->is_over = true;
	else if (r && r->action == WIRE_DOUBLE)
		packet_add(w, path, buf, len, w->latency_ms, false);
	else if (r)
		p->due_ms += r->delay_ms;

	if (w->loss && rng_below(w->weather, 100) < w->loss)
		p->is_over = true;
	else if (w->doubled && rng_below(w->weather, 100) < w->doubled)
		packet_add(w, path, buf, len,
			   w->latency_ms + rng_below(w->weather, 700), false);

	hunger(w, was_hungry);
	return 0;
}


void leg_event_handler(struct leg *leg, const struct leg_event *ev, void *arg)
{
	struct party *p = arg;
	const size_t pos = strlen(p->heard);

	cr_assert_lt(ev->id, LEG_EVENT_N);
	leg_set_owner(leg, p->w->owner);
	snprintf(p->heard + pos, sizeof(p->heard) - pos, "%s%s%s",
		 pos ? " " : "", names[ev->id], ev->scode ? ":" : "");
	if (ev->scode)
		snprintf(p->heard + strlen(p->heard),
			 sizeof(p->heard) - strlen(p->heard), "%u", ev->scode);

	p->last = *ev;
	p->had_sdp = ev->sdp && ev->sdp_len == SDP_LEN &&
		!memcmp(ev->sdp, SDP, SDP_LEN);
	p->last.sdp = NULL;
	p->last.msg = NULL;
	p->last.path = NULL;

	if (p->let_go) {
		cr_assert_eq(leg, p->leg);
		p->leg = mem_deref(p->leg);
	}
}


static void request_handler(const struct sip_msg *msg,
			    const struct sip_path *path, void *arg)
{
	struct party *p = arg;
	char host[64];
	int err;

	if (!message_is(msg, "INVITE") || p->leg ||
	    pl_isset(&msg->to.tag)) {
		(void)endpoint_reply(p->ep, msg, path, 481, "Unknown", NULL);
		return;
	}

	++p->invites;
	re_snprintf(host, sizeof(host), "%J", &path->local);
	err = leg_accept(&p->leg, p->ep, msg, path, host, NULL,
			 leg_event_handler, p);
	cr_assert(!err || (p->w->starve && err == ENOMEM));
}


static void party_open(struct pair *w, struct party *p)
{
	const struct sip_endpoint_config cfg = {
		.t1_ms = 500, .t2_ms = 4000, .t4_ms = 5000,
		.timer_c_ms = 180000, .transactions_max = 1000,
		.server_name = "test", .wheel = w->wheel, .rng = w->rng,
		.mint = w->mint, .sendh = send_handler,
		.requesth = request_handler, .arg = p,
	};

	p->w = w;
	cr_assert_eq(endpoint_alloc(&p->ep, &cfg), 0);
	endpoint_now(p->ep, &w->now);
}


void pair_open(struct pair **wp)
{
	const uint8_t key[16] = "leg pair";
	struct pair *w = mem_zalloc(sizeof(*w), NULL);

	w->now.mono_us = 1000000;
	w->now.wall_us = 1800000000000000;
	w->latency_ms = 5;
	w->owner = mem_zalloc(1, NULL);
	cr_assert_eq(wheel_alloc(&w->wheel, pair_ms(w)), 0);
	cr_assert_eq(rng_seeded(&w->rng, 7), 0);
	cr_assert_eq(token_mint_alloc(&w->mint, key, 1, 1), 0);
	party_open(w, &w->alice);
	party_open(w, &w->bob);
	*wp = w;
}


static void census_is_empty(const struct party *p)
{
	struct endpoint_census c;

	endpoint_census(p->ep, &c);
	cr_assert_eq(c.client_tx, 0, "%zu client transactions", c.client_tx);
	cr_assert_eq(c.server_tx, 0, "%zu server transactions", c.server_tx);
	cr_assert_eq(c.dialogs, 0, "%zu dialogs", c.dialogs);
}


void pair_close(struct pair *w)
{
	unsigned i;

	w->loss = w->doubled = w->rule_n = 0;
	w->starve = NULL;
	w->alice.leg = mem_deref(w->alice.leg);
	w->bob.leg = mem_deref(w->bob.leg);
	pair_run(w, CLOSE_MS);

	census_is_empty(&w->alice);
	census_is_empty(&w->bob);
	cr_assert_eq(wheel_pending(w->wheel), 0);

	for (i = 0; i < w->n; i++)
		mem_deref(w->packets[i].text);
	cr_assert_eq(mem_nrefs(w->owner), 1, "a reference to the owner");
	mem_deref(w->owner);
	mem_deref(w->alice.ep);
	mem_deref(w->bob.ep);
	mem_deref(w->mint);
	mem_deref(w->weather);
	mem_deref(w->rng);
	mem_deref(w->wheel);
	mem_deref(w);
}


struct party *pair_party(struct pair *w, const char *ip)
{
	return strcmp(ip, ALICE) ? &w->bob : &w->alice;
}


uint64_t pair_ms(const struct pair *w)
{
	return moment_ms(&w->now);
}


static void deliver(struct pair *w, struct packet *p)
{
	struct party *party = sa_is(&p->to, ALICE) ? &w->alice :
		sa_is(&p->to, BOB) ? &w->bob : NULL;
	struct sip_path path = {.transport = SIP_TRANSP_UDP};
	struct packet copy = *p;

	p->is_over = true;
	if (!party)
		return;

	path.local = copy.to;
	path.peer = copy.from;
	hunger(w, true);
	endpoint_recv(party->ep, &w->now, &path,
		      (const uint8_t *)copy.text, copy.len);
	hunger(w, false);
}


void pair_run(struct pair *w, uint64_t ms)
{
	const uint64_t end = pair_ms(w) + ms;
	unsigned i;

	while (pair_ms(w) < end) {
		w->now.mono_us += 5000;
		w->now.wall_us += 5000;
		endpoint_now(w->alice.ep, &w->now);
		endpoint_now(w->bob.ep, &w->now);
		hunger(w, true);
		wheel_advance(w->wheel, pair_ms(w), 0);
		hunger(w, false);

		for (i = 0; i < w->n; i++) {
			struct packet *p = &w->packets[i];

			if (!p->is_over && p->due_ms <= pair_ms(w))
				deliver(w, p);
		}
	}
}


void pair_latency(struct pair *w, uint64_t ms)
{
	w->latency_ms = ms;
}


void pair_rule(struct pair *w, const char *sender, const char *key,
		unsigned n, enum wire_action action, uint64_t delay_ms)
{
	struct wire_rule *r = &w->rules[w->rule_n++];

	cr_assert_leq(w->rule_n, RULES_N);
	snprintf(r->sender, sizeof(r->sender), "%s", sender ? sender : "");
	snprintf(r->key, sizeof(r->key), "%s", key);
	r->n = n;
	r->action = action;
	r->delay_ms = delay_ms;
}


void pair_weather(struct pair *w, uint64_t seed, unsigned loss,
		   unsigned doubled)
{
	w->weather = mem_deref(w->weather);
	cr_assert_eq(rng_seeded(&w->weather, seed), 0);
	w->loss = loss;
	w->doubled = doubled;
}


void pair_starve(struct pair *w, void (*starve)(bool is_on))
{
	w->starve = starve;
}


void pair_hunger(struct pair *w, bool is_on)
{
	(void)hunger(w, is_on);
}


static const struct packet *find(const struct pair *w, const char *sender,
				 const char *want, unsigned *count)
{
	const struct packet *found = NULL;
	unsigned i, n = 0;
	char key[32];

	for (i = 0; i < w->n; i++) {
		const struct packet *p = &w->packets[i];

		packet_key(p, key, sizeof(key));
		if (!strcmp(key, want) &&
		    (!sender || sa_is(&p->from, sender))) {
			found = p;
			++n;
		}
	}

	if (count)
		*count = n;
	return found;
}


unsigned pair_count(const struct pair *w, const char *sender,
		     const char *key)
{
	unsigned n;

	(void)find(w, sender, key, &n);
	return n;
}


const char *pair_last(const struct pair *w, const char *sender,
		       const char *key)
{
	const struct packet *p = find(w, sender, key, NULL);

	cr_assert(p, "no %s of %s", key, sender);
	return p->text;
}


const struct sa *pair_last_dest(const struct pair *w, const char *sender,
				 const char *key)
{
	const struct packet *p = find(w, sender, key, NULL);

	cr_assert(p, "no %s of %s", key, sender);
	return &p->to;
}


static char *scratch(void)
{
	static char bufs[8][1024];
	static unsigned i;

	return bufs[i++ % 8];
}


const char *header(const char *text, const char *name)
{
	char *buf = scratch(), want[64];
	const char *p, *end;

	snprintf(want, sizeof(want), "\r\n%s: ", name);
	buf[0] = '\0';
	p = strstr(text, want);
	if (!p)
		return buf;

	p += strlen(want);
	end = strstr(p, "\r\n");
	snprintf(buf, 1024, "%.*s", (int)(end - p), p);
	return buf;
}


const char *tag_of(const char *value)
{
	const char *p = strstr(value, ";tag=");
	char *buf = scratch();

	snprintf(buf, 1024, "%s", p ? p + 5 : "");
	return buf;
}


static void inject(struct pair *w, const char *from, const char *to,
		   const char *text)
{
	const struct sa peer = fake_sa(from, 5060), local = fake_sa(to, 5060);
	const struct sip_path path = {.local = peer, .peer = local,
				      .transport = SIP_TRANSP_UDP};
	char *wire = mem_zalloc(2 * strlen(text) + 1, NULL), *p = wire;

	for (; *text; text++) {
		if (*text == '\n' && (p == wire || p[-1] != '\r'))
			*p++ = '\r';
		*p++ = *text;
	}

	packet_add(w, &path, (uint8_t *)wire, (size_t)(p - wire), 0, false);
	mem_deref(wire);
	pair_run(w, 10);
}


void pair_inject(struct pair *w, const char *from, const char *to,
		  const char *fmt, ...)
{
	char text[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	inject(w, from, to, text);
}


void pair_answer(struct pair *w, const char *from, const char *to,
		  const char *method, const char *status, const char *to_tag,
		  const char *more)
{
	const char *req = pair_last(w, to, method);

	pair_inject(w, from, to,
		     "SIP/2.0 %s\nVia: %s\nFrom: %s\nTo: %s%s%s\n"
		     "Call-ID: %s\nCSeq: %s\n%s%s",
		     status, header(req, "Via"), header(req, "From"),
		     header(req, "To"), to_tag[0] ? ";tag=" : "", to_tag,
		     header(req, "Call-ID"), header(req, "CSeq"), more,
		     strstr(more, "Content-Length") ? "" :
		     "Content-Length: 0\n\n");
}


void pair_out(struct leg_out *out, const char *to_ip)
{
	memset(out, 0, sizeof(*out));
	out->path.local = fake_sa(ALICE, 5060);
	out->path.peer = fake_sa(to_ip, 5060);
	out->path.transport = SIP_TRANSP_UDP;
	text_copy(out->contact_host, sizeof(out->contact_host), ALICE ":5060");
	text_format(out->request_uri, sizeof(out->request_uri),
		    "sip:+4930123@%s", to_ip);
	text_copy(out->from_display, sizeof(out->from_display), "Al \"ice\"");
	text_copy(out->from_user, sizeof(out->from_user), "+4989555");
	text_copy(out->from_host, sizeof(out->from_host), ALICE);
	text_copy(out->to_user, sizeof(out->to_user), "+4930123");
	text_copy(out->to_host, sizeof(out->to_host), to_ip);
	out->max_forwards = 69;
}


void pair_dial(struct pair *w, const char *to_ip)
{
	struct leg_out out;

	pair_out(&out, to_ip);
	cr_assert_eq(leg_dial(&w->alice.leg, w->alice.ep, &out,
			      (const uint8_t *)SDP, SDP_LEN,
			      leg_event_handler, &w->alice), 0);
}


void pair_up(struct pair *w)
{
	pair_dial(w, BOB);
	pair_run(w, 50);
	cr_assert(w->bob.leg);
	cr_assert_eq(leg_answer(w->bob.leg, (const uint8_t *)SDP, SDP_LEN), 0);
	pair_run(w, 50);
	cr_assert_eq(leg_ack(w->alice.leg, NULL, 0), 0);
	pair_run(w, 50);
	heard_is(&w->alice, "TRYING:100 ANSWERED:200");
	heard_is(&w->bob, "ACKED");
	w->alice.heard[0] = w->bob.heard[0] = '\0';
}


void heard_is(const struct party *p, const char *want)
{
	cr_assert_str_eq(p->heard, want);
}
