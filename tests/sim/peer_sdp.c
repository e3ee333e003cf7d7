/** @file peer_sdp.c  Session descriptions that peers write. */
#include <stdio.h>
#include "peer.h"


void peer_sdp(struct talk *t, unsigned kind, char *buf, size_t size)
{
	const struct agent *p = t->peer;
	const bool is_secure = kind == SDP_SECURE;
	int n;

	if (kind == SDP_BROKEN) {
		(void)snprintf(buf, size, "v=0\r\nthis is no SDP %s\r\n",
			       p->mark);
		return;
	}

	n = snprintf(buf, size,
		     "v=0\r\no=%s %u %u IN IP4 %s\r\ns=%s\r\n"
		     "c=IN IP4 %s\r\nt=0 0\r\n"
		     "m=audio %u RTP/%s 8 101\r\na=rtpmap:8 PCMA/8000\r\n"
		     "a=rtpmap:101 telephone-event/8000\r\na=%s\r\n"
		     "a=candidate:1 1 UDP 1 %s 4000 typ host\r\n"
		     "a=x-%s:hidden\r\n",
		     p->mark, p->index + 1, t->sdp_version++, p->host,
		     p->mark, p->host, 4000 + 2 * p->serial,
		     is_secure ? "SAVP" : "AVP",
		     kind == SDP_HOLD ? "sendonly" : "sendrecv", p->host,
		     p->mark);
	if (is_secure)
		(void)snprintf(buf + n, size - (size_t)n,
			       "a=crypto:1 AES_CM_128_HMAC_SHA1_80 "
			       "inline:%s\r\n", p->mark);
	else if (kind == SDP_VIDEO_TOO)
		(void)snprintf(buf + n, size - (size_t)n,
			       "m=video %u RTP/AVP 96\r\n"
			       "a=rtpmap:96 VP8/90000\r\n",
			       6000 + 2 * p->serial);
}
