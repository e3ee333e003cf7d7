/**
 * @file sdp_rewrite.c  Write a session description for the other side. What
 * may cross is listed; everything else stays inside, so that an attribute
 * that nobody thought of cannot carry an address over.
 */
#include "sdp.h"

#include <ctype.h>
#include <string.h>

#include "sdp_line.h"

/* Where the writer stands in the description. */
struct writer {
	struct mbuf *mb;
	const struct sdp_rewrite *rw;
	const struct sdp *sdp;
	size_t m_lines;
	bool is_open;   /* the present m-line crosses, and its lines with it */
	bool is_feedback; /* RTP/AVPF                                        */
};


static const char *addr_type(const struct sa *addr)
{
	return sa_af(addr) == AF_INET6 ? "IP6" : "IP4";
}


/* "0 0", "2873397496 2873404696" */
static bool time_is_plain(const struct pl *value)
{
	size_t i;

	for (i = 0; i < value->l; i++) {
		if (!isdigit((uint8_t)value->p[i]) && value->p[i] != ' ')
			return false;
	}

	return value->l != 0;
}


/* "AS:64", "TIAS:64000", "RR:0" */
static bool bandwidth_is_plain(const struct pl *value)
{
	struct pl type, number;

	sdp_attribute_split(value, &type, &number);

	return sdp_word_is_plain(&type) && number.l &&
	       time_is_plain(&number);
}


/* Four numbers between dots, or hexadecimal words between colons. */
static bool holds_address(const struct pl *value)
{
	size_t i, dots = 0, colons = 0;

	for (i = 0; i < value->l; i++) {
		const char c = value->p[i];

		if (c == '.')
			dots++;
		else if (c == ':')
			colons++;
		else if (!isxdigit((uint8_t)c))
			dots = colons = 0;

		if (dots >= 3 || colons >= 2)
			return true;
	}

	return false;
}


static bool attribute_crosses(const struct writer *w, const struct pl *name)
{
	static const char *const names[] = {
		"rtpmap",     "fmtp",    "ptime",   "maxptime",
		"silenceSupp", "framerate", "content",
	};
	const struct pl head = {name->p, name->l < 3 ? name->l : 3};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		if (!pl_strcmp(name, names[i]))
			return true;
	}

	/* RFC 4585 4.2: feedback means something with AVPF alone */
	if (!pl_strcmp(name, "rtcp-fb"))
		return w->is_feedback;

	/* T38FaxVersion, T38MaxBitRate, ... (ITU-T T.38 annex D) */
	return !pl_strcmp(&head, "T38") && sdp_word_is_plain(name);
}


static int attribute_write(struct writer *w, const struct pl *line)
{
	struct pl name, value;

	sdp_attribute_split(line, &name, &value);
	if (!attribute_crosses(w, &name) || holds_address(&value))
		return 0;

	return mbuf_printf(w->mb, "a=%r\r\n", line);
}


/* Those of the formats in which no address can stand. */
static int formats_write(struct mbuf *mb, struct pl formats, bool is_rtp)
{
	bool is_empty = true;
	struct pl word;
	uint8_t pt;
	int err = 0;

	while (!err && sdp_word_next(&formats, &word)) {
		if (is_rtp ? sdp_payload_type(&word, &pt) != 0
			   : !sdp_word_is_plain(&word))
			continue;

		err = mbuf_printf(mb, " %r", &word);
		is_empty = false;
	}

	if (!err && is_empty)
		err = mbuf_write_str(mb, " 0");

	return err;
}


static int media_port_write(struct writer *w, const struct sdp_media_line *m,
			    uint16_t port)
{
	int err;

	err = mbuf_printf(w->mb, "m=%r %u %r", &m->media, port, &m->proto);
	err |= formats_write(w->mb, m->formats, sdp_proto_is_rtp(&m->proto));
	err |= mbuf_write_str(w->mb, "\r\n");

	return err ? ENOMEM : 0;
}


/* Our a=rtcp (RFC 3605) and the direction, known before the m-line's own. */
static int media_head_write(struct writer *w, const struct sdp_media_line *m,
			    size_t i)
{
	const struct sdp_stream *s = &w->sdp->streams[i];
	const uint16_t rtp = w->rw->rtp_port[i], rtcp = w->rw->rtcp_port[i];
	int err = 0;

	if (sdp_proto_is_rtp(&m->proto)) {
		if (rtcp && rtcp != rtp + 1)
			err |= mbuf_printf(w->mb, "a=rtcp:%u\r\n", rtcp);
		if (s->has_rtcp_mux && rtcp == rtp)
			err |= mbuf_write_str(w->mb, "a=rtcp-mux\r\n");
	}

	if (s->dir != SDP_SENDRECV)
		err |= mbuf_printf(w->mb, "a=%s\r\n", sdp_dir_name(s->dir));

	return err ? ENOMEM : 0;
}


static int media_write(struct writer *w, const struct pl *value)
{
	const size_t i = w->m_lines++;
	struct sdp_media_line m;
	int err;

	err = sdp_media_decode(value, &m);
	if (err)
		return err;

	w->is_open = i < w->sdp->n && w->sdp->streams[i].port &&
		     w->sdp->streams[i].is_relayable && w->rw->rtp_port[i];
	w->is_feedback = !pl_strcasecmp(&m.proto, "RTP/AVPF");

	/* RFC 3264 6: a refused stream stays, with port zero */
	err = media_port_write(w, &m, w->is_open ? w->rw->rtp_port[i] : 0);
	if (!err && w->is_open)
		err = media_head_write(w, &m, i);

	return err;
}


static int media_line_write(struct writer *w, const struct sdp_line *line)
{
	if (line->type == 'm')
		return media_write(w, &line->value);

	if (!w->is_open)
		return 0;

	if (line->type == 'a')
		return attribute_write(w, &line->value);

	if (line->type == 'b' && bandwidth_is_plain(&line->value))
		return mbuf_printf(w->mb, "b=%r\r\n", &line->value);

	return 0;
}


/* RFC 8866 9: b= stands before t=, and both before the first m=. */
static int session_write(struct writer *w, struct pl text)
{
	const struct sa *addr = &w->rw->addr;
	struct pl when = PL("0 0");
	struct sdp_line line;
	int err;

	err = mbuf_printf(w->mb,
			  "v=0\r\no=- %llu %llu IN %s %j\r\ns=-\r\n"
			  "c=IN %s %j\r\n",
			  (unsigned long long)w->rw->session_id,
			  (unsigned long long)w->rw->session_version,
			  addr_type(addr), addr, addr_type(addr), addr);

	while (!err && !sdp_line_next(&text, &line) && line.type != 'm') {
		if (line.type == 't' && time_is_plain(&line.value))
			when = line.value;
		else if (line.type == 'b' && bandwidth_is_plain(&line.value))
			err = mbuf_printf(w->mb, "b=%r\r\n", &line.value);
	}

	return err ? err : mbuf_printf(w->mb, "t=%r\r\n", &when);
}


int sdp_rewrite(struct mbuf *ret, const uint8_t *text, size_t len,
		const struct sdp_rewrite *rw)
{
	struct pl rest = {(const char *)text, len};
	struct writer w = {.mb = ret, .rw = rw};
	struct sdp_line line;
	struct sdp sdp;
	size_t start;
	int err;

	if (!ret || !text || !rw)
		return EINVAL;

	err = sdp_parse(&sdp, text, len);
	if (err)
		return EBADMSG;

	w.sdp = &sdp;
	start = ret->pos;

	err = session_write(&w, rest);
	while (!err && !(err = sdp_line_next(&rest, &line))) {
		if (line.type == 'm' || w.m_lines)
			err = media_line_write(&w, &line);
	}

	if (err == ENOENT)
		return 0;

	ret->pos = ret->end = start; /* never half a description */

	return err;
}
