/** @file carrier.c  Rings and answers every call at once. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "load.h"


/* The call of a request: the last six digits before the '@' of its URI. */
static struct call *call_of(struct load *l, const char *msg)
{
	const char *uri = strstr(msg, "sip:");
	const char *at;
	unsigned i = 0;

	if (!uri)
		return NULL;

	at = uri + 4 + strcspn(uri + 4, "@;: \r");
	if (*at != '@' || at - uri < 10)
		return NULL;
	for (const char *p = at - 6; p < at; p++) {
		if (!isdigit((unsigned char)*p))
			return NULL;
		i = 10 * i + (unsigned)(*p - '0');
	}

	return i < l->opt.calls ? &l->calls[i] : NULL;
}


/* The headers that an answer repeats, with a tag of ours. */
static int repeat(const struct load *l, char *out, const char *msg,
		  const struct call *c)
{
	int n, len;
	const char *to = message_header(msg, "To", 't', 0, &len);
	const bool is_tagged = to && memmem(to, (size_t)len, "tag=", 4);

	n = message_copy(out, msg, "Via", 'v');
	n += message_copy(out + n, msg, "Record-Route", '\0');
	n += message_copy(out + n, msg, "From", 'f');
	n += sprintf(out + n, "To: %.*s", len, to ? to : "");
	if (!is_tagged && c)
		n += sprintf(out + n, ";tag=b%08x%u", l->run,
			     (unsigned)(c - l->calls));
	n += sprintf(out + n, "\r\n");
	n += message_copy(out + n, msg, "Call-ID", 'i');

	return n + message_copy(out + n, msg, "CSeq", '\0');
}


static void answer(struct load *l, const char *status, const char *headers)
{
	char text[LOAD_MESSAGE_MAX];
	const int n = snprintf(text, sizeof(text),
			       "SIP/2.0 %s\r\n%sContent-Length: 0\r\n\r\n",
			       status, headers);

	load_send(l, l->carrier, text, (size_t)n);
}


static void on_invite(struct load *l, struct call *c, const char *msg,
		      const char *headers)
{
	const unsigned i = (unsigned)(c - l->calls);
	char text[LOAD_MESSAGE_MAX], sdp[1024];
	int n, sdp_len;

	if (c->answer.text) {
		l->carrier_retransmissions++;
		load_send(l, l->carrier, c->answer.text, c->answer.len);
		return;
	}

	n = snprintf(text, sizeof(text),
		     "SIP/2.0 180 Ringing\r\n%sContact: <sip:i%06u@%s>\r\n"
		     "Content-Length: 0\r\n\r\n",
		     headers, i, l->opt.carrier);
	load_send(l, l->carrier, text, (size_t)n);

	message_media(msg, &c->media_carrier);
	sdp_len = message_sdp(l, sdp, i, true);
	n = snprintf(text, sizeof(text),
		     "SIP/2.0 200 OK\r\n%sContact: <sip:i%06u@%s>\r\n"
		     "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS\r\n"
		     "Content-Type: application/sdp\r\n"
		     "Content-Length: %d\r\n\r\n%s",
		     headers, i, l->opt.carrier, sdp_len, sdp);
	c->answer.text = strndup(text, (size_t)n);
	c->answer.len = (size_t)n;
	load_send(l, l->carrier, text, (size_t)n);
}


void carrier_receive(struct load *l, char *msg)
{
	const bool is_invite = !strncmp(msg, "INVITE ", 7);
	struct call *c;
	char headers[LOAD_MESSAGE_MAX / 2];

	if (!strncmp(msg, "SIP/2.0", 7) || !strncmp(msg, "ACK ", 4))
		return;

	c = call_of(l, msg);
	(void)repeat(l, headers, msg, is_invite ? c : NULL);
	if (!is_invite) {
		answer(l, "200 OK", headers);
		return;
	}
	if (!c) {
		l->strange++;
		answer(l, "404 Not Found", headers);
		return;
	}

	on_invite(l, c, msg, headers);
}
