/** @file message.c  As much of SIP and SDP as a load generator needs. */
#include <arpa/inet.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "load.h"

#define PARAM_SIZE 256
#define HEX_SIZE 33


static bool is_named(const char *line, const char *name, char compact)
{
	const size_t len = strlen(name);

	if (!strncasecmp(line, name, len) &&
	    (line[len] == ':' || line[len] == ' '))
		return true;

	return compact && (line[0] | 0x20) == compact && line[1] == ':';
}


/* The nth header of that name; NULL when there is none. */
const char *message_header(const char *msg, const char *name, char compact,
			   unsigned nth, int *len)
{
	const char *line = strstr(msg, "\r\n");

	*len = 0;
	while (line && line[2] && line[2] != '\r') {
		const char *end, *value;

		line += 2;
		end = strstr(line, "\r\n");
		if (!end)
			return NULL;
		if (is_named(line, name, compact) && !nth--) {
			value = memchr(line, ':', (size_t)(end - line));
			for (value++; *value == ' '; value++)
				;
			*len = (int)(end - value);
			return value;
		}
		line = end;
	}

	return NULL;
}


/* All headers of that name, as they came. @return bytes written */
int message_copy(char *out, const char *msg, const char *name, char compact)
{
	const char *value;
	int n = 0, len;

	for (unsigned i = 0;
	     (value = message_header(msg, name, compact, i, &len)); i++)
		n += sprintf(out + n, "%s: %.*s\r\n", name, len, value);

	return n;
}


int message_sdp(const struct load *l, char *out, unsigned call, bool carrier)
{
	return sprintf(out,
		       "v=0\r\no=- 1 1 IN IP4 %s\r\ns=-\r\n"
		       "c=IN IP4 %s\r\nt=0 0\r\n"
		       "m=audio %d RTP/AVP %s\r\na=rtpmap:8 PCMA/8000\r\n%s"
		       "a=rtpmap:101 telephone-event/8000\r\n"
		       "a=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n",
		       l->opt.media_ip, l->opt.media_ip,
		       media_port(l, call, carrier),
		       carrier ? "8 101" : "8 0 101",
		       carrier ? "" : "a=rtpmap:0 PCMU/8000\r\n");
}


/* Where the body wants RTP. */
bool message_media(const char *msg, struct sockaddr_in *ret)
{
	const char *body = strstr(msg, "\r\n\r\n");
	const char *conn = body ? strstr(body, "c=IN IP4 ") : NULL;
	const char *audio = body ? strstr(body, "m=audio ") : NULL;
	char ip[LOAD_ADDRESS_SIZE];

	if (!conn || !audio || sscanf(conn + 9, "%31[0-9.]", ip) != 1)
		return false;

	memset(ret, 0, sizeof(*ret));
	ret->sin_family = AF_INET;
	ret->sin_port = htons((uint16_t)atoi(audio + 8));

	return inet_pton(AF_INET, ip, &ret->sin_addr) == 1;
}


static bool param(const char *msg, const char *name, char out[PARAM_SIZE])
{
	const char *p = strstr(msg, name);
	size_t n = 0;
	bool quoted;

	out[0] = '\0';
	if (!p)
		return false;

	p += strlen(name);
	quoted = *p == '"';
	for (p += quoted; *p && *p != '\r' && *p != (quoted ? '"' : ',') &&
			  n < PARAM_SIZE - 1;)
		out[n++] = *p++;
	out[n] = '\0';

	return true;
}


static void md5_hex(char out[HEX_SIZE], const char *text)
{
	unsigned char sum[EVP_MAX_MD_SIZE];
	unsigned len;

	EVP_Digest(text, strlen(text), sum, &len, EVP_md5(), NULL);
	for (unsigned i = 0; i < 16; i++)
		sprintf(out + 2 * i, "%02x", sum[i]);
}


/* The header that answers a 401 or 407 (RFC 2617). */
bool message_digest(const struct load *l, const char *msg, unsigned call,
		    const char *uri, char *out, size_t size)
{
	const unsigned user = call % l->opt.users;
	char realm[PARAM_SIZE], nonce[PARAM_SIZE], opaque[PARAM_SIZE];
	char qop[PARAM_SIZE], text[1024];
	char ha1[HEX_SIZE], ha2[HEX_SIZE], response[HEX_SIZE];
	const bool has_qop = param(msg, "qop=", qop);
	const bool has_opaque = param(msg, "opaque=", opaque);
	char tail[PARAM_SIZE + 64] = "";
	int n = 0;

	if (!param(msg, "realm=", realm) || !param(msg, "nonce=", nonce))
		return false;

	snprintf(text, sizeof(text), "u%05u:%s:%s", user, realm,
		 l->opt.password);
	md5_hex(ha1, text);
	snprintf(text, sizeof(text), "INVITE:%s", uri);
	md5_hex(ha2, text);
	if (has_qop)
		snprintf(text, sizeof(text), "%s:%s:00000001:abcd%04x:auth:%s",
			 ha1, nonce, call & 0xffff, ha2);
	else
		snprintf(text, sizeof(text), "%s:%s:%s", ha1, nonce, ha2);
	md5_hex(response, text);

	if (has_qop)
		n = snprintf(tail, sizeof(tail),
			     ",qop=auth,nc=00000001,cnonce=\"abcd%04x\"",
			     call & 0xffff);
	if (has_opaque)
		snprintf(tail + n, sizeof(tail) - (size_t)n, ",opaque=\"%s\"",
			 opaque);
	snprintf(out, size,
		 "%s: Digest username=\"u%05u\",realm=\"%s\",nonce=\"%s\","
		 "uri=\"%s\",response=\"%s\",algorithm=MD5%s\r\n",
		 strncmp(msg + 8, "401", 3) ? "Proxy-Authorization"
					    : "Authorization",
		 user, realm, nonce, uri, response, tail);

	return true;
}
