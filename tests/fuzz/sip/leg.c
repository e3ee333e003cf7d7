/**
 * @file leg.c  Fuzz: a peer that knows the dialog says anything to a leg that
 * called it. The input is a list of messages ended by NUL; in them bytes 1 to
 * 5 stand for our tag, the Call-ID, the branch of our newest request, its
 * method and "\r\n", and a message of one byte is a deed of the owner.
 */
#include <stdlib.h>
#include <string.h>
#include "leg.h"
#include "text.h"

#define INPUT_MAX 6000
#define SDP "v=0\r\n"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct sip_endpoint *ep;
static struct wheel *wheel;
static struct moment now = {.mono_us = 1000000};
static char tag[64], call_id[64], branch[64], method[16];
static unsigned ends;


static void note(char *buf, size_t size, const uint8_t *msg, size_t len,
		 const char *expr)
{
	struct pl pl;

	if (!re_regex((const char *)msg, len, expr, &pl))
		(void)pl_strcpy(&pl, buf, size);
}


static int send_handler(const struct sip_path *path, const uint8_t *buf,
			size_t len, void *arg)
{
	(void)path;
	(void)arg;

	if (!memcmp(buf, "SIP/2.0", 7) || !memcmp(buf, "ACK ", 4))
		return 0;

	note(tag, sizeof(tag), buf, len, ";tag=[a-z0-9]+");
	note(branch, sizeof(branch), buf, len, "branch=[^;]+");
	note(method, sizeof(method), buf, len, "[A-Z]+ sip:");
	note(call_id, sizeof(call_id), buf, len, "Call-ID: [^\r\n]+");
	return 0;
}


static void request_handler(const struct sip_msg *msg,
			    const struct sip_path *path, void *arg)
{
	(void)arg;

	(void)endpoint_reply(ep, msg, path, 481, "Unknown", NULL);
}


static void event_handler(struct leg *leg, const struct leg_event *ev,
			  void *arg)
{
	(void)arg;

	if (ends)
		abort(); /* nothing follows the end */

	if (ev->id == LEG_FAILED || ev->id == LEG_BYE)
		++ends;
	else if (ev->id == LEG_ANSWERED || ev->id == LEG_OFFER_ANSWERED)
		(void)leg_ack(leg, ev->sdp, ev->sdp_len);
	else if (ev->id == LEG_OFFER)
		(void)leg_offer_reply(leg, 200, "OK", (const uint8_t *)SDP,
				      sizeof(SDP) - 1);
}


static void endpoint_open(void)
{
	static const uint8_t key[16] = "fuzz";
	struct sip_endpoint_config cfg = {
		.transactions_max = 1000, .sendh = send_handler,
		.requesth = request_handler,
	};

	if (wheel_alloc(&cfg.wheel, moment_ms(&now)) ||
	    rng_seeded(&cfg.rng, 1) || token_mint_alloc(&cfg.mint, key, 1, 1) ||
	    endpoint_alloc(&ep, &cfg))
		abort();

	wheel = cfg.wheel;
}


static void elapse(uint64_t ms)
{
	now.mono_us += ms * 1000;
	endpoint_now(ep, &now);
	wheel_advance(wheel, moment_ms(&now), 0);
}


static struct leg *dial(struct sip_path *path)
{
	struct leg_out out = {.max_forwards = 70, .no_response_ms = 4000};
	struct leg *leg = NULL;

	(void)sa_set_str(&out.path.local, "192.0.2.9", 5060);
	(void)sa_set_str(&out.path.peer, "192.0.2.1", 5060);
	*path = out.path;
	(void)text_copy(out.contact_host, sizeof(out.contact_host), "c:1");
	(void)text_copy(out.request_uri, sizeof(out.request_uri), "sip:b@y");
	(void)text_copy(out.from_host, sizeof(out.from_host), "x");
	(void)text_copy(out.to_host, sizeof(out.to_host), "y");
	(void)text_copy(out.credential.username,
			sizeof(out.credential.username), "u");
	(void)text_copy(out.credential.realm, sizeof(out.credential.realm),
			"r");
	(void)text_copy(out.credential.ha1[HA1_MD5],
			sizeof(out.credential.ha1[HA1_MD5]),
			"0123456789abcdef0123456789abcdef");
	if (leg_dial(&leg, ep, &out, (const uint8_t *)SDP, sizeof(SDP) - 1,
		     event_handler, NULL))
		abort();

	return leg;
}


static void deed(struct leg *leg, uint8_t what)
{
	switch (what) {
	case 'o': (void)leg_offer(leg, NULL, 0); break;
	case 'c': leg_cancel(leg, 16); break;
	case 'b': leg_bye(leg, 16, "x"); break;
	case 't': elapse(40000); break;
	default: elapse(600); break;
	}
}


static void message(const struct sip_path *path, const uint8_t *p, size_t len)
{
	const char *const words[] = {tag, call_id, branch, method, "\r\n"};
	struct mbuf *mb = mbuf_alloc(1024);
	size_t i;

	if (!mb)
		abort();

	for (i = 0; i < len; i++) {
		if (p[i] >= 1 && p[i] <= 5)
			(void)mbuf_write_str(mb, words[p[i] - 1]);
		else
			(void)mbuf_write_u8(mb, p[i]);
	}

	endpoint_recv(ep, &now, path, mb->buf, mb->end);
	mem_deref(mb);
}


static void census_check(void)
{
	struct endpoint_census c;

	endpoint_census(ep, &c);
	if (c.client_tx || c.server_tx || c.dialogs)
		abort();
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = data + size, *next;
	struct sip_path path;
	struct leg *leg;
	int i;

	if (!ep)
		endpoint_open();
	if (size > INPUT_MAX)
		return 0;

	ends = 0;
	leg = dial(&path);

	for (; data < end; data = next + 1) {
		next = memchr(data, 0, (size_t)(end - data));
		if (!next)
			next = end;
		if (next - data == 1)
			deed(leg, *data);
		else
			message(&path, data, (size_t)(next - data));
	}

	leg_bye(leg, 0, NULL);
	mem_deref(leg);
	for (i = 0; i < 10; i++)
		elapse(40000);
	census_check();

	return 0;
}
