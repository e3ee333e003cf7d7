/**
 * @file caller.c  INVITE, digest when asked, ACK, BYE; retransmits as
 * RFC 3261 17.1 says and counts it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "load.h"

#define T1_MS 500
#define T2_MS 4000
#define SENDS_MAX 7
#define PROVISIONAL_WAIT_NS (60 * LOAD_NS_PER_S)


/* 10000 prefixes in an order that no cache likes */
static void called_uri(const struct load *l, unsigned i, char out[64])
{
	snprintf(out, 64, "sip:49%04u%06u@%s", i * 7919 % 10000, i,
		 l->opt.target);
}


static void keep(struct kept *kept, const char *text, int len)
{
	free(kept->text);
	kept->text = strndup(text, (size_t)len);
	kept->len = (size_t)len;
}


static void request_sent(struct load *l, struct call *c, const char *text,
			 int len)
{
	keep(&c->request, text, len);
	c->sent_ns = l->now_ns;
	c->interval_ms = T1_MS;
	c->next_ns = l->now_ns + T1_MS * LOAD_NS_PER_MS;
	c->sent_n = 1;
	load_send(l, l->caller, text, (size_t)len);
}


static void invite(struct load *l, struct call *c, const char *authorization)
{
	const unsigned i = (unsigned)(c - l->calls);
	const unsigned user = i % l->opt.users;
	char text[LOAD_MESSAGE_MAX], sdp[1024], uri[64];
	const int sdp_len = message_sdp(l, sdp, i, false);
	int len;

	c->cseq++;
	called_uri(l, i, uri);
	len = snprintf(text, sizeof(text),
		       "INVITE %s SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP %s;branch=z9hG4bK%08xi%us%u;rport\r\n"
		       "Max-Forwards: 70\r\n"
		       "From: <sip:u%05u@%s>;tag=a%08x%u\r\nTo: <%s>\r\n"
		       "Call-ID: %08x-%u@%s\r\nCSeq: %u INVITE\r\n"
		       "Contact: <sip:u%05u@%s>\r\n"
		       "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
		       "User-Agent: load\r\n%s"
		       "Content-Type: application/sdp\r\n"
		       "Content-Length: %d\r\n\r\n%s",
		       uri, l->opt.caller, l->run, i, c->cseq, user,
		       l->opt.target, l->run, i, uri, l->run, i,
		       l->opt.caller, c->cseq, user, l->opt.caller,
		       authorization, sdp_len, sdp);
	request_sent(l, c, text, len);
}


/* A request in the dialog; an ACK is not kept for another time. */
static void in_dialog(struct load *l, struct call *c, const char *method,
		      uint32_t cseq)
{
	const unsigned i = (unsigned)(c - l->calls);
	char text[LOAD_MESSAGE_MAX];
	int len;

	len = snprintf(text, sizeof(text),
		       "%s %s SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP %s;branch=z9hG4bK%08xi%u%c%u;rport\r\n"
		       "Max-Forwards: 70\r\n%s"
		       "From: <sip:u%05u@%s>;tag=a%08x%u\r\nTo: %s\r\n"
		       "Call-ID: %08x-%u@%s\r\nCSeq: %u %s\r\n"
		       "Content-Length: 0\r\n\r\n",
		       method, c->target, l->opt.caller, l->run, i, *method,
		       cseq, c->routes, i % l->opt.users, l->opt.target,
		       l->run, i, c->to, l->run, i, l->opt.caller, cseq,
		       method);
	if (*method == 'A')
		load_send(l, l->caller, text, (size_t)len);
	else
		request_sent(l, c, text, len);
}


/* ACK of a final answer that is not 2xx: same branch as the INVITE. */
static void acknowledge(struct load *l, const struct call *c, const char *msg)
{
	const unsigned i = (unsigned)(c - l->calls);
	char text[LOAD_MESSAGE_MAX], uri[64];
	const char *to;
	int len, to_len;

	to = message_header(msg, "To", 't', 0, &to_len);
	if (!to)
		return;

	called_uri(l, i, uri);
	len = snprintf(text, sizeof(text),
		       "ACK %s SIP/2.0\r\n"
		       "Via: SIP/2.0/UDP %s;branch=z9hG4bK%08xi%us%u;rport\r\n"
		       "Max-Forwards: 70\r\n"
		       "From: <sip:u%05u@%s>;tag=a%08x%u\r\nTo: %.*s\r\n"
		       "Call-ID: %08x-%u@%s\r\nCSeq: %u ACK\r\n"
		       "Content-Length: 0\r\n\r\n",
		       uri, l->opt.caller, l->run, i, c->cseq,
		       i % l->opt.users, l->opt.target, l->run, i, to_len, to,
		       l->run, i, l->opt.caller, c->cseq);
	load_send(l, l->caller, text, (size_t)len);
}


static void finish(struct load *l, struct call *c, enum call_state state)
{
	if (c->state == CALL_UP || c->state == CALL_ENDING)
		l->up--;
	c->state = state;
	l->active--;
	if (state == CALL_DONE)
		l->done++;
	else
		l->failed++;
	free(c->request.text);
	c->request.text = NULL;
}


void caller_start(struct load *l, unsigned call)
{
	struct call *c = &l->calls[call];

	c->state = CALL_INVITED;
	l->active++;
	invite(l, c, "");
}


/* What the switch asks of a caller (BYE, OPTIONS) is answered 200. */
static void on_request(struct load *l, const char *msg)
{
	char text[LOAD_MESSAGE_MAX];
	int n;

	if (!strncmp(msg, "ACK", 3))
		return;

	n = sprintf(text, "SIP/2.0 200 OK\r\n");
	n += message_copy(text + n, msg, "Via", 'v');
	n += message_copy(text + n, msg, "From", 'f');
	n += message_copy(text + n, msg, "To", 't');
	n += message_copy(text + n, msg, "Call-ID", 'i');
	n += message_copy(text + n, msg, "CSeq", '\0');
	n += sprintf(text + n, "Content-Length: 0\r\n\r\n");
	load_send(l, l->caller, text, (size_t)n);
	l->strange++;
}


static void on_provisional(struct load *l, struct call *c, int code)
{
	c->next_ns = l->now_ns + PROVISIONAL_WAIT_NS;
	if (code > 100 && !c->is_provisional) {
		c->is_provisional = true;
		l->provisional_us[l->provisional_n++] =
			(uint32_t)((l->now_ns - c->sent_ns) / 1000);
	}
}


static void on_refused(struct load *l, struct call *c, int code,
		       const char *msg)
{
	char authorization[1024], uri[64];

	acknowledge(l, c, msg);
	called_uri(l, (unsigned)(c - l->calls), uri);
	if ((code == 401 || code == 407) && c->state == CALL_INVITED &&
	    message_digest(l, msg, (unsigned)(c - l->calls), uri,
			   authorization, sizeof(authorization))) {
		c->state = CALL_ANSWERED;
		invite(l, c, authorization);
		return;
	}

	finish(l, c, CALL_FAILED);
}


static char *contact_uri(const char *msg)
{
	int len;
	const char *contact = message_header(msg, "Contact", 'm', 0, &len);
	const char *open, *close;

	if (!contact)
		return NULL;

	open = memchr(contact, '<', (size_t)len);
	close = open ? memchr(open, '>', (size_t)(contact + len - open)) : NULL;
	if (!close)
		return strndup(contact, (size_t)len);

	return strndup(open + 1, (size_t)(close - open - 1));
}


/* The route set is the Record-Route headers from last to first. */
static char *route_set(const char *msg)
{
	char text[2048] = "";
	const char *value;
	unsigned n = 0;
	int len, w = 0;

	while (message_header(msg, "Record-Route", '\0', n, &len))
		n++;
	while (n--) {
		value = message_header(msg, "Record-Route", '\0', n, &len);
		w += snprintf(text + w, sizeof(text) - (size_t)w,
			      "Route: %.*s\r\n", len, value);
	}

	return strdup(text);
}


static void on_answered(struct load *l, struct call *c, const char *msg)
{
	const uint32_t us = (uint32_t)((l->now_ns - c->sent_ns) / 1000);
	const char *to;
	int len;

	l->answer_us[l->answer_n++] = us;
	if (!c->is_provisional)
		l->provisional_us[l->provisional_n++] = us;

	to = message_header(msg, "To", 't', 0, &len);
	c->target = contact_uri(msg);
	if (!to || !c->target) {
		finish(l, c, CALL_FAILED);
		return;
	}
	c->to = strndup(to, (size_t)len);
	c->routes = route_set(msg);
	message_media(msg, &c->media_caller);
	c->state = CALL_UP;
	l->up++;
	in_dialog(l, c, "ACK", c->cseq);
	c->next_ns = l->now_ns + l->opt.hold_ms * LOAD_NS_PER_MS;
}


static void on_invite_answer(struct load *l, struct call *c, int code,
			     uint32_t cseq, const char *msg)
{
	const bool is_open = c->state == CALL_INVITED ||
			     c->state == CALL_ANSWERED;

	if (code >= 200 && code < 300 && !is_open && c->target) {
		in_dialog(l, c, "ACK", cseq);
		return;
	}
	if (!is_open || cseq != c->cseq)
		return;

	if (code < 200)
		on_provisional(l, c, code);
	else if (code < 300)
		on_answered(l, c, msg);
	else
		on_refused(l, c, code, msg);
}


void caller_receive(struct load *l, char *msg)
{
	const char *id, *cseq;
	struct call *c;
	unsigned run, i;
	int code, len;

	if (strncmp(msg, "SIP/2.0 ", 8)) {
		on_request(l, msg);
		return;
	}

	code = atoi(msg + 8);
	id = message_header(msg, "Call-ID", 'i', 0, &len);
	if (!id || sscanf(id, "%x-%u@", &run, &i) != 2 || run != l->run ||
	    i >= l->opt.calls || code < 100 || code >= LOAD_CODES)
		return;
	cseq = message_header(msg, "CSeq", '\0', 0, &len);
	if (!cseq)
		return;

	c = &l->calls[i];
	l->codes[code]++;
	if (memmem(cseq, (size_t)len, "INVITE", 6))
		on_invite_answer(l, c, code, (uint32_t)atoi(cseq), msg);
	else if (c->state == CALL_ENDING && (uint32_t)atoi(cseq) == c->cseq)
		finish(l, c, code < 300 ? CALL_DONE : CALL_FAILED);
}


static void call_due(struct load *l, struct call *c)
{
	if (c->state == CALL_UP) {
		if (l->is_held)
			return;
		c->state = CALL_ENDING;
		in_dialog(l, c, "BYE", ++c->cseq);
		return;
	}
	if (c->sent_n >= SENDS_MAX ||
	    (c->is_provisional && c->state != CALL_ENDING)) {
		finish(l, c, CALL_FAILED);
		return;
	}

	c->sent_n++;
	l->caller_retransmissions++;
	c->interval_ms = c->interval_ms * 2 > T2_MS ? T2_MS
						     : c->interval_ms * 2;
	c->next_ns = l->now_ns + c->interval_ms * LOAD_NS_PER_MS;
	load_send(l, l->caller, c->request.text, c->request.len);
}


void caller_timers(struct load *l)
{
	for (unsigned i = 0; i < l->opt.calls; i++) {
		struct call *c = &l->calls[i];

		if (c->state == CALL_IDLE)
			return;
		if (c->state < CALL_DONE && l->now_ns >= c->next_ns)
			call_due(l, c);
	}
}
