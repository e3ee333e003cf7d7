/**
 * @file sdp_line.c  Tokenizer of session descriptions. It looks at bytes, not
 * at strings: the text has no end mark and may hold anything.
 */
#include "sdp_line.h"

#include <ctype.h>
#include <string.h>

#include "text.h"


static bool value_is_clean(const struct pl *value)
{
	size_t i;

	for (i = 0; i < value->l; i++) {
		const uint8_t c = (uint8_t)value->p[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return false;
	}

	return true;
}


/* The bytes up to LF, without LF and one CR before it. */
static struct pl raw_line_next(struct pl *text)
{
	const char *lf = memchr(text->p, '\n', text->l);
	struct pl line = {text->p, lf ? (size_t)(lf - text->p) : text->l};

	pl_advance(text, (ssize_t)(line.l + (lf ? 1 : 0)));
	if (line.l && line.p[line.l - 1] == '\r')
		line.l--;

	return line;
}


int sdp_line_next(struct pl *text, struct sdp_line *ret)
{
	struct pl line = {NULL, 0};

	while (text->l && !line.l)
		line = raw_line_next(text);

	if (!line.l)
		return ENOENT;

	if (line.l < 2 || line.p[1] != '=' || !islower((uint8_t)line.p[0]))
		return EBADMSG;

	ret->type = line.p[0];
	ret->value.p = line.p + 2;
	ret->value.l = line.l - 2;

	return value_is_clean(&ret->value) ? 0 : EBADMSG;
}


static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}


bool sdp_word_next(struct pl *value, struct pl *ret)
{
	size_t n = 0;

	while (value->l && is_blank(value->p[0]))
		pl_advance(value, 1);

	while (n < value->l && !is_blank(value->p[n]))
		n++;

	if (!n)
		return false;

	ret->p = value->p;
	ret->l = n;
	pl_advance(value, (ssize_t)n);

	return true;
}


bool sdp_word_is_plain(const struct pl *word)
{
	size_t i;

	for (i = 0; i < word->l; i++) {
		const uint8_t c = (uint8_t)word->p[i];

		if (!(c < 0x80 && isalnum(c)) && !memchr("-_+*", c, 4))
			return false;
	}

	return word->l != 0;
}


/* "RTP/AVP", "udptl", "TCP/TLS/RTP/SAVP": plain words between slashes. */
static bool proto_is_plain(const struct pl *proto)
{
	size_t i;

	for (i = 0; i < proto->l; i++) {
		const struct pl c = {proto->p + i, 1};

		if (c.p[0] != '/' && !sdp_word_is_plain(&c))
			return false;
	}

	return proto->l != 0;
}


static int port_decode(struct pl word, struct sdp_media_line *m)
{
	const char *slash = memchr(word.p, '/', word.l);
	uint64_t port, count = 1;

	if (slash) {
		const size_t l = (size_t)(slash - word.p);

		if (text_u64(&count, slash + 1, word.l - l - 1, UINT16_MAX))
			return EBADMSG;
		word.l = l;
	}

	if (text_u64(&port, word.p, word.l, UINT16_MAX))
		return EBADMSG;

	m->port = (uint16_t)port;
	m->has_count = count != 1;

	return 0;
}


int sdp_media_decode(const struct pl *value, struct sdp_media_line *ret)
{
	struct pl rest = *value, port, first;
	struct sdp_media_line m;

	if (!sdp_word_next(&rest, &m.media) || !sdp_word_next(&rest, &port) ||
	    !sdp_word_next(&rest, &m.proto))
		return EBADMSG;

	m.formats = rest;
	if (!sdp_word_next(&rest, &first))
		return EBADMSG;

	if (!sdp_word_is_plain(&m.media) || !proto_is_plain(&m.proto) ||
	    port_decode(port, &m))
		return EBADMSG;

	*ret = m;

	return 0;
}


void sdp_attribute_split(const struct pl *value, struct pl *ret_name,
			 struct pl *ret_value)
{
	const char *colon =
		value->l ? memchr(value->p, ':', value->l) : NULL;

	*ret_name = *value;
	ret_value->p = value->p + value->l;
	ret_value->l = 0;

	if (!colon)
		return;

	ret_name->l = (size_t)(colon - value->p);
	ret_value->p = colon + 1;
	ret_value->l = value->l - ret_name->l - 1;
}


bool sdp_proto_is_rtp(const struct pl *proto)
{
	return !pl_strcasecmp(proto, "RTP/AVP") ||
	       !pl_strcasecmp(proto, "RTP/AVPF");
}


int sdp_payload_type(const struct pl *word, uint8_t *ret)
{
	uint64_t pt;

	if (text_u64(&pt, word->p, word->l, 127))
		return EBADMSG;

	*ret = (uint8_t)pt;

	return 0;
}
