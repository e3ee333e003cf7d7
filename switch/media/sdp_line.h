/**
 * @file sdp_line.h  The lines and words of a session description (RFC 8866
 * section 9), for sdp.c and sdp_rewrite.c. Everything borrows from the text.
 */
#ifndef SDP_LINE_H
#define SDP_LINE_H
#include <re.h>
#include <stdbool.h>

/** One "x=value" line. */
struct sdp_line {
	char type;
	struct pl value; /**< without the line end; may be empty            */
};

/** The parts of an m= line; every part holds harmless characters only. */
struct sdp_media_line {
	struct pl media, proto;
	struct pl formats;  /**< one or more words                          */
	uint16_t port;
	bool has_count;     /**< "port/2": several ports, never relayed     */
};

/**
 * Take the next line off the text; CRLF, LF and empty lines are accepted.
 * @return 0, ENOENT at the end, EBADMSG (no "x=", control characters)
 */
int sdp_line_next(struct pl *text, struct sdp_line *ret);

/** Take the next word (up to blanks) off a value; false at the end. */
bool sdp_word_next(struct pl *value, struct pl *ret);

/** Split an m= value. @return 0 or EBADMSG */
int sdp_media_decode(const struct pl *value, struct sdp_media_line *ret);

/**
 * Split an a= value at its first colon.
 * @param ret_value  what follows the colon; empty when there is none
 */
void sdp_attribute_split(const struct pl *value, struct pl *ret_name,
			 struct pl *ret_value);

/** RTP/AVP or RTP/AVPF: the fmts of the m= line are payload types. */
bool sdp_proto_is_rtp(const struct pl *proto);

/** A word of letters, digits, '-', '_', '+', '*': no address fits in it. */
bool sdp_word_is_plain(const struct pl *word);

/** @return 0 or EBADMSG when no payload type (0..127) */
int sdp_payload_type(const struct pl *word, uint8_t *ret);

#endif
