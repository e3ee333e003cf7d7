/**
 * @file sdp.h  Session descriptions (RFC 8866, RFC 3264): read what the relay
 * needs, rewrite only what must not cross. Pure; input is hostile.
 */
#ifndef SDP_H
#define SDP_H
#include <re.h>
#include <stdbool.h>

#define SDP_SIZE_MAX 16384
#define SDP_STREAMS_MAX 4   /**< m-lines relayed; more are refused (port 0) */

enum sdp_kind { SDP_AUDIO, SDP_VIDEO, SDP_IMAGE, SDP_OTHER };

struct sdp_stream {
	uint8_t kind;               /**< enum sdp_kind                      */
	uint8_t dir;                /**< libre's enum sdp_dir; an address of
				         zero (hold, RFC 3264 8.4) counts as
				         inactive unless it says sendonly   */
	bool is_secure;             /**< RTP/SAVP(F), UDP/TLS/..., a=crypto,
				         a=fingerprint                      */
	bool is_relayable;          /**< RTP/AVP, RTP/AVPF or udptl, with an
				         IP literal or hold                 */
	bool has_rtcp_mux;
	uint16_t port;              /**< 0: refused or disabled             */
	struct sa rtp, rtcp;        /**< where the peer wants its media;
				         port 0: nothing (hold, refused)    */
	char codec[32];             /**< first payload type: "PCMA/8000"    */
	uint8_t payload_type;
	uint32_t clock_hz;          /**< of that codec; 8000 by default;
				         0: not RTP (udptl)                 */
	uint32_t ptime_ms;          /**< RFC 8866 6.4; 0: not said          */
	uint32_t kbps;              /**< b=AS or b=TIAS; 0: not said        */
};

struct sdp {
	uint8_t n;                  /**< m-lines seen, <= SDP_STREAMS_MAX   */
	bool has_more;              /**< further m-lines: refused            */
	bool has_address;           /**< any IP literal, zero included       */
	struct sdp_stream streams[SDP_STREAMS_MAX];
};

/** @return 0; EBADMSG (not SDP); EMSGSIZE. Names (FQDN) in c= give no
 *  address: is_relayable false. */
int sdp_parse(struct sdp *ret, const uint8_t *text, size_t len);

/** What replaces the inside: our address and ports, one per m-line. */
struct sdp_rewrite {
	struct sa addr;                         /**< port ignored            */
	uint16_t rtp_port[SDP_STREAMS_MAX];     /**< 0: refuse that m-line   */
	uint16_t rtcp_port[SDP_STREAMS_MAX];    /**< the RTP port: a=rtcp-mux
						     may cross           */
	uint64_t session_id, session_version;   /**< o= line; the caller adds
						     one when text changed */
};

/**
 * Write the description for the other side: o=, s=, c=, m= ports, a=rtcp are
 * ours; a=candidate, a=ice-*, a=crypto, a=fingerprint, a=setup, a=rtcp-mux
 * (unless both), i=, u=, e=, p=, connection addresses never cross; codec,
 * fmtp, ptime, direction, bandwidth lines do. Attributes not known here do
 * not cross. A stream that is not relayable gets port 0, whatever rw says.
 * Appended at ret->pos; on failure ret is as before.
 * @return 0, EBADMSG, ENOMEM
 */
int sdp_rewrite(struct mbuf *ret, const uint8_t *text, size_t len,
		const struct sdp_rewrite *rw);

#endif
