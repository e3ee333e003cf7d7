/**
 * @file sdp.c  Read of a session description what the relay needs: where each
 * stream goes, its direction, and whether it can be relayed at all.
 */
#include "sdp.h"

#include <arpa/inet.h>
#include <string.h>

#include "sdp_line.h"
#include "text.h"

enum place_kind {
	PLACE_NONE,    /* no c= line                                         */
	PLACE_UNKNOWN, /* a name, a multicast group, another network         */
	PLACE_HOLD,    /* 0.0.0.0 or ::                                      */
	PLACE_ADDRESS,
};

/* What a c= line says. */
struct place {
	enum place_kind kind;
	struct sa addr;
};

/* Direction and secrecy said on one level, session or media. */
struct level {
	struct place place;
	bool has_dir, is_secure;
	uint8_t dir;
};

/* What is known of one m-line while its lines are read. */
struct draft {
	struct level level;
	bool has_rtcp, is_rtp, has_count;
	uint16_t rtcp_port;
	struct place rtcp_place;
};

struct reader {
	struct sdp sdp;
	struct level session;
	struct draft drafts[SDP_STREAMS_MAX];
	size_t m_lines;
};


static bool addr_is_multicast(const struct sa *addr)
{
	if (sa_af(addr) == AF_INET)
		return IN_MULTICAST(sa_in(addr));

	return IN6_IS_ADDR_MULTICAST(&addr->u.in6.sin6_addr);
}


/* An IP literal; names are not looked up here. */
static void place_set(struct place *place, int af, const struct pl *word)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;

	memset(place, 0, sizeof(*place));
	place->kind = PLACE_UNKNOWN;

	if (text_set(text, sizeof(text), word->p, word->l))
		return;

	if (af == AF_INET && inet_pton(AF_INET, text, &v4) == 1)
		sa_set_in(&place->addr, ntohl(v4.s_addr), 0);
	else if (af == AF_INET6 && inet_pton(AF_INET6, text, &v6) == 1)
		sa_set_in6(&place->addr, v6.s6_addr, 0);
	else
		return;

	if (sa_is_any(&place->addr))
		place->kind = PLACE_HOLD;
	else if (!addr_is_multicast(&place->addr))
		place->kind = PLACE_ADDRESS;
}


/* "IN IP4 192.0.2.1": RFC 8866 5.7. A TTL or count means multicast. */
static int place_decode(struct place *place, struct pl value)
{
	struct pl net, type, addr;

	if (!sdp_word_next(&value, &net) || !sdp_word_next(&value, &type) ||
	    !sdp_word_next(&value, &addr))
		return EBADMSG;

	memset(place, 0, sizeof(*place));
	place->kind = PLACE_UNKNOWN;

	if (pl_strcasecmp(&net, "IN"))
		return 0;

	if (!pl_strcasecmp(&type, "IP4"))
		place_set(place, AF_INET, &addr);
	else if (!pl_strcasecmp(&type, "IP6"))
		place_set(place, AF_INET6, &addr);

	return 0;
}


static const char *codec_static(uint8_t payload_type)
{
	/* RFC 3551 6, those that are met in telephony */
	switch (payload_type) {
	case 0:
		return "PCMU/8000";
	case 3:
		return "GSM/8000";
	case 4:
		return "G723/8000";
	case 8:
		return "PCMA/8000";
	case 9:
		return "G722/8000";
	case 13:
		return "CN/8000";
	case 15:
		return "G728/8000";
	case 18:
		return "G729/8000";
	case 31:
		return "H261/90000";
	case 34:
		return "H263/90000";
	default:
		return "";
	}
}


/* "PCMA/8000" or "opus/48000/2" */
static void codec_set(struct sdp_stream *s, const struct pl *codec)
{
	const char *slash = codec->l ? memchr(codec->p, '/', codec->l) : NULL;
	const char *end = codec->p + codec->l, *stop;
	uint64_t hz;

	(void)text_set(s->codec, sizeof(s->codec), codec->p, codec->l);
	if (!slash)
		return;

	stop = memchr(slash + 1, '/', (size_t)(end - slash - 1));
	if (!stop)
		stop = end;
	if (!text_u64(&hz, slash + 1, (size_t)(stop - slash - 1), 1000000) &&
	    hz)
		s->clock_hz = (uint32_t)hz;
}


static uint8_t kind_of(const struct pl *media)
{
	if (!pl_strcasecmp(media, "audio"))
		return SDP_AUDIO;
	if (!pl_strcasecmp(media, "video"))
		return SDP_VIDEO;
	if (!pl_strcasecmp(media, "image"))
		return SDP_IMAGE;

	return SDP_OTHER;
}


/* RTP/SAVP, RTP/SAVPF, UDP/TLS/RTP/SAVP, UDP/TLS/UDPTL, ... */
static bool proto_is_secure(struct pl proto)
{
	for (; proto.l >= 3; pl_advance(&proto, 1)) {
		const struct pl head = {proto.p, proto.l >= 4 ? 4 : 3};
		const struct pl tls = {proto.p, 3};

		if (!pl_strcasecmp(&head, "SAVP") ||
		    !pl_strcasecmp(&tls, "TLS"))
			return true;
	}

	return false;
}


static void first_format(struct sdp_stream *s, const struct draft *d,
			 struct pl formats)
{
	struct pl word, codec;

	if (!sdp_word_next(&formats, &word))
		return;

	if (!d->is_rtp) {
		codec_set(s, &word);
		return;
	}

	if (sdp_payload_type(&word, &s->payload_type)) {
		s->is_relayable = false;
		return;
	}

	pl_set_str(&codec, codec_static(s->payload_type));
	codec_set(s, &codec);
}


static int media_begin(struct reader *rd, const struct pl *value)
{
	struct sdp_media_line m;
	struct sdp_stream *s;
	struct draft *d;
	int err;

	err = sdp_media_decode(value, &m);
	if (err)
		return err;

	if (++rd->m_lines > SDP_STREAMS_MAX) {
		rd->sdp.has_more = true;
		return 0;
	}

	d = &rd->drafts[rd->sdp.n];
	s = &rd->sdp.streams[rd->sdp.n++];

	d->is_rtp = sdp_proto_is_rtp(&m.proto);
	d->has_count = m.has_count;
	s->kind = kind_of(&m.media);
	s->port = m.port;
	s->clock_hz = d->is_rtp ? 8000 : 0;
	s->is_secure = proto_is_secure(m.proto);
	s->is_relayable = d->is_rtp || !pl_strcasecmp(&m.proto, "udptl");
	first_format(s, d, m.formats);

	return 0;
}


static bool dir_decode(const struct pl *name, uint8_t *ret)
{
	static const uint8_t dirs[] = {SDP_SENDRECV, SDP_SENDONLY,
				       SDP_RECVONLY, SDP_INACTIVE};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		if (!pl_strcmp(name, sdp_dir_name(dirs[i]))) {
			*ret = dirs[i];
			return true;
		}
	}

	return false;
}


/* Attributes that may stand on both levels. */
static void level_attribute(struct level *level, const struct pl *name)
{
	if (dir_decode(name, &level->dir))
		level->has_dir = true;
	else if (!pl_strcmp(name, "crypto") ||
		 !pl_strcmp(name, "fingerprint"))
		level->is_secure = true;
}


/* "5005" or "5005 IN IP4 192.0.2.1": RFC 3605 2.1 */
static int rtcp_line_decode(struct draft *d, struct pl value)
{
	struct pl word;
	uint64_t port;

	if (!sdp_word_next(&value, &word) ||
	    text_u64(&port, word.p, word.l, UINT16_MAX))
		return EBADMSG;

	d->has_rtcp = true;
	d->rtcp_port = (uint16_t)port;
	if (place_decode(&d->rtcp_place, value))
		d->rtcp_place.kind = PLACE_NONE;

	return 0;
}


/* "8 PCMA/8000" names the codec when it is that of the first format. */
static void rtpmap_decode(struct sdp_stream *s, struct pl value)
{
	struct pl word, codec;
	uint8_t pt;

	if (sdp_word_next(&value, &word) && !sdp_payload_type(&word, &pt) &&
	    pt == s->payload_type && sdp_word_next(&value, &codec))
		codec_set(s, &codec);
}


/* "20"; what is no number says nothing */
static uint32_t number_decode(const struct pl *value, uint64_t max)
{
	uint64_t n;

	return text_u64(&n, value->p, value->l, max) ? 0 : (uint32_t)n;
}


/* "AS:64" in kbit/s, "TIAS:64000" in bit/s: RFC 8866 5.8, RFC 3890 6.2 */
static void bandwidth_decode(struct sdp_stream *s, struct pl value)
{
	const char *colon = pl_strchr(&value, ':');
	struct pl type, n;

	if (!colon)
		return;

	type = (struct pl){value.p, (size_t)(colon - value.p)};
	n = (struct pl){colon + 1, value.l - type.l - 1};
	if (!pl_strcmp(&type, "AS"))
		s->kbps = number_decode(&n, 1000000);
	else if (!pl_strcmp(&type, "TIAS") && !s->kbps)
		s->kbps = (number_decode(&n, 1000000000) + 999) / 1000;
}


static int media_attribute(struct sdp_stream *s, struct draft *d,
			   const struct pl *line)
{
	struct pl name, value;

	sdp_attribute_split(line, &name, &value);

	if (!pl_strcmp(&name, "rtpmap") && d->is_rtp)
		rtpmap_decode(s, value);
	else if (!pl_strcmp(&name, "ptime"))
		s->ptime_ms = number_decode(&value, 1000);
	else if (!pl_strcmp(&name, "rtcp-mux"))
		s->has_rtcp_mux = true;
	else if (!pl_strcmp(&name, "rtcp") && d->is_rtp)
		return rtcp_line_decode(d, value);
	else
		level_attribute(&d->level, &name);

	return 0;
}


static int session_attribute(struct reader *rd, const struct pl *line)
{
	struct pl name, value;

	sdp_attribute_split(line, &name, &value);
	level_attribute(&rd->session, &name);

	return 0;
}


static int line_read(struct reader *rd, const struct sdp_line *line)
{
	struct level *level = &rd->session;
	const size_t i = rd->m_lines - 1;

	if (line->type == 'm')
		return media_begin(rd, &line->value);

	if (rd->m_lines > SDP_STREAMS_MAX)
		return 0; /* part of an m-line that is refused */

	if (rd->m_lines)
		level = &rd->drafts[i].level;

	if (line->type == 'c' && level->place.kind == PLACE_NONE)
		return place_decode(&level->place, line->value);

	if (line->type == 'b' && rd->m_lines)
		bandwidth_decode(&rd->sdp.streams[i], line->value);

	if (line->type == 'a' && rd->m_lines)
		return media_attribute(&rd->sdp.streams[i], &rd->drafts[i],
				       &line->value);

	return line->type == 'a' ? session_attribute(rd, &line->value) : 0;
}


/*
 * RFC 3264 8.4: an address of zero means hold. Who says sendonly besides
 * keeps it: that direction asks for nothing to be sent to zero.
 */
static uint8_t dir_on_hold(uint8_t dir)
{
	return dir == SDP_SENDONLY ? SDP_SENDONLY : SDP_INACTIVE;
}


static void stream_place(struct sdp_stream *s, const struct draft *d,
			 const struct place *place)
{
	uint32_t rtcp_port = d->has_rtcp ? d->rtcp_port : s->port + 1u;

	if (place->kind == PLACE_ADDRESS && s->port) {
		s->rtp = place->addr;
		sa_set_port(&s->rtp, s->port);

		s->rtcp = d->rtcp_place.kind == PLACE_ADDRESS
				  ? d->rtcp_place.addr
				  : place->addr;
		if (rtcp_port > UINT16_MAX)
			rtcp_port = 0;
		sa_set_port(&s->rtcp, (uint16_t)rtcp_port);
		return;
	}

	sa_init(&s->rtp, AF_INET);
	sa_init(&s->rtcp, AF_INET);
	if (place->kind == PLACE_HOLD)
		s->dir = dir_on_hold(s->dir);
}


/* Session level holds where the m-line says nothing of its own. */
static void stream_finish(struct reader *rd, size_t i)
{
	struct sdp_stream *s = &rd->sdp.streams[i];
	const struct draft *d = &rd->drafts[i];
	const struct place *place = d->level.place.kind != PLACE_NONE
					    ? &d->level.place
					    : &rd->session.place;

	s->dir = d->level.has_dir ? d->level.dir : rd->session.dir;
	s->is_secure |= d->level.is_secure || rd->session.is_secure;

	if (place->kind == PLACE_HOLD || place->kind == PLACE_ADDRESS)
		rd->sdp.has_address = true;
	else
		s->is_relayable = false;

	if (d->has_count)
		s->is_relayable = false;

	stream_place(s, d, place);
}


int sdp_parse(struct sdp *ret, const uint8_t *text, size_t len)
{
	struct pl rest = {(const char *)text, len};
	struct sdp_line line;
	struct reader rd;
	size_t i;
	int err;

	if (!ret || !text)
		return EINVAL;
	if (len > SDP_SIZE_MAX)
		return EMSGSIZE;

	memset(&rd, 0, sizeof(rd));
	rd.session.dir = SDP_SENDRECV;

	err = sdp_line_next(&rest, &line);
	if (err || line.type != 'v' || pl_strcmp(&line.value, "0"))
		return EBADMSG;

	while (!(err = sdp_line_next(&rest, &line))) {
		err = line_read(&rd, &line);
		if (err)
			return err;
	}
	if (err != ENOENT)
		return err;

	for (i = 0; i < rd.sdp.n; i++)
		stream_finish(&rd, i);

	*ret = rd.sdp;

	return 0;
}
