/**
 * @file call_media.c  The call's media: what each side's SDP says to the
 * relay, what of it the other side may see, and what the relay counted.
 */
#include <string.h>
#include "call_private.h"
#include "text.h"


#define HELD_SILENCE_MS 3600000 /* a call on hold may be silent for so long */


static enum outcome check(const struct sdp *sdp)
{
	bool is_usable = false;

	for (uint8_t i = 0; i < sdp->n; i++) {
		const struct sdp_stream *s = &sdp->streams[i];

		if (s->port && s->is_secure)
			return OUT_MEDIA_UNSUPPORTED;
		if (s->port && s->is_relayable)
			is_usable = true;
	}

	return is_usable ? OUT_OK : OUT_MEDIA_UNSUPPORTED;
}


enum outcome call_media_open(struct call *call, const uint8_t *text,
			     size_t len)
{
	struct media_doors *m = &call->w->doors.media;
	struct sdp sdp;
	enum outcome out;

	if (sdp_parse(&sdp, text, len))
		return OUT_BAD_SDP;

	out = check(&sdp);
	if (out != OUT_OK)
		return out;
	call_limit_media(call, &sdp);
	if (call->media || call->is_test)
		return OUT_OK;
	if (m->openh(&call->media, sdp.n, call->id, m->arg))
		return OUT_NO_MEDIA_PORT;
	call->streams = sdp.n;

	return OUT_OK;
}


/* The carrier is where it says; a customer may be behind a NAT. */
static bool is_strict(const struct call *call, enum side from)
{
	return from == SIDE_A ? call->kind == CALL_IN
			      : call->kind == CALL_OUT;
}


static bool is_held(const struct sdp *sdp)
{
	for (uint8_t i = 0; i < sdp->n; i++)
		if (sdp->streams[i].port &&
		    sdp->streams[i].dir == SDP_SENDRECV)
			return false;

	return true;
}


static void point(struct call *call, enum side from, const struct sdp *sdp)
{
	const struct media_doors *m = &call->w->doors.media;

	for (uint8_t i = 0; i < sdp->n && i < call->streams; i++) {
		const struct sdp_stream *s = &sdp->streams[i];

		m->pointh(call->media, (enum media_side)from, i, &s->rtp,
			  &s->rtcp, s->clock_hz, is_strict(call, from));
	}
	call->is_held[from] = is_held(sdp);
	call_limit_media(call, sdp);

	if (sdp->n && sdp->streams[0].port) {
		(void)re_snprintf(call->media_address[from],
				  sizeof(call->media_address[from]), "%J",
				  &sdp->streams[0].rtp);
		(void)text_copy(call->codec, sizeof(call->codec),
				sdp->streams[0].codec);
	}
}


/* A text that differs from the last one sent to this side is a new version
   (RFC 3264 8: the version grows by one with every change). */
static void origin_next(struct sdp_origin *origin, const uint8_t *text,
			size_t len)
{
	const uint32_t crc = crc32c(0, text, len);

	if (crc != origin->crc || !origin->version)
		origin->version++;
	origin->crc = crc;
}


static void write_ports(const struct call *call, enum side to,
			const struct sdp *sdp, struct sdp_rewrite *rw)
{
	const struct media_doors *m = &call->w->doors.media;
	const enum media_side side = (enum media_side)to;

	rw->addr = *m->addrh(call->media, side);
	for (uint8_t i = 0; i < sdp->n && i < call->streams; i++) {
		const uint16_t port = m->porth(call->media, side, i);

		rw->rtp_port[i] = sdp->streams[i].port ? port : 0;
		rw->rtcp_port[i] = port + 1;
	}
}


/* What call_media_cross() and call_media_propose() share: the text for the
   other side. */
static enum outcome carry(struct call *call, enum side from,
			  const uint8_t *text, size_t len, struct sdp *sdp,
			  struct mbuf *ret)
{
	const struct media_doors *m = &call->w->doors.media;
	const enum side to = side_other(from);
	struct sdp_rewrite rw = {0};
	enum outcome out;

	if (!call->media || sdp_parse(sdp, text, len))
		return OUT_BAD_SDP;

	for (uint8_t i = 0; i < sdp->n; i++)
		if (sdp->streams[i].port && sdp->streams[i].is_secure)
			return OUT_MEDIA_UNSUPPORTED;

	if (sdp->n > call->streams && !m->growh(call->media, sdp->n))
		call->streams = sdp->n;

	write_ports(call, to, sdp, &rw);
	origin_next(&call->origin[to], text, len);
	rw.session_id = call->origin[to].id;
	rw.session_version = call->origin[to].version;

	switch (sdp_rewrite(ret, text, len, &rw)) {

	case 0:
		out = OUT_OK;
		break;
	case EBADMSG:
		out = OUT_BAD_SDP;
		break;
	default:
		out = OUT_LIMIT_NODE;
		break;
	}

	return out;
}


enum outcome call_media_cross(struct call *call, enum side from,
			      const uint8_t *text, size_t len,
			      struct mbuf *ret)
{
	struct reinvite *ri = &call->reinvite;
	struct sdp sdp;
	const enum outcome out = carry(call, from, text, len, &sdp, ret);

	if (out != OUT_OK)
		return out;

	if (ri->proposed) {
		point(call, side_other(from), ri->proposed);
		ri->proposed = mem_deref(ri->proposed);
	}
	point(call, from, &sdp);

	return OUT_OK;
}


enum outcome call_media_propose(struct call *call, enum side from,
				const uint8_t *text, size_t len,
				struct mbuf *ret)
{
	struct reinvite *ri = &call->reinvite;

	ri->proposed = mem_deref(ri->proposed);
	ri->proposed = mem_zalloc(sizeof(*ri->proposed), NULL);
	if (!ri->proposed)
		return OUT_LIMIT_NODE;

	return carry(call, from, text, len, ri->proposed, ret);
}


void call_media_read(struct call *call)
{
	const struct media_doors *m = &call->w->doors.media;

	if (!call->media)
		return;

	for (int side = 0; side < SIDES; side++)
		m->statsh(call->media, (enum media_side)side, 0,
			  &call->stats[side]);
}


void call_media_close(struct call *call)
{
	if (!call->media)
		return;

	call_media_read(call);
	call->w->doors.media.closeh(call->media);
	call->media = NULL;
}


static uint64_t silence_ms(const struct call *call)
{
	const uint64_t now_us = call->w->now.mono_us;
	uint64_t last_us = call->answered_ms * 1000;

	for (int side = 0; side < SIDES; side++)
		if (call->stats[side].last_us > last_us)
			last_us = call->stats[side].last_us;

	return now_us > last_us ? (now_us - last_us) / 1000 : 0;
}


bool call_media_is_lost(const struct call *call)
{
	const uint64_t limit_ms =
		call->is_held[SIDE_A] || call->is_held[SIDE_B]
			? HELD_SILENCE_MS
			: (uint64_t)call->media_timeout_s * 1000;

	return call->media_timeout_s && silence_ms(call) >= limit_ms;
}
