/**
 * @file guard.h  What a SIP message must look like before libre's decoder may
 * see it: bounds, exactly one of each mandatory header, agreeing methods.
 */
#ifndef GUARD_H
#define GUARD_H
#include <stddef.h>
#include <stdint.h>

enum guard_verdict {
	GUARD_OK,
	GUARD_KEEPALIVE,   /**< CRLF or blanks only (RFC 5626 3.5.1)        */
	GUARD_TOO_SHORT, GUARD_TOO_LONG, GUARD_NO_END, GUARD_NUL,
	GUARD_START_LINE, GUARD_HEADER_LINE, GUARD_TOO_MANY_HEADERS,
	GUARD_MISSING,     /**< Via, From, To, Call-ID or CSeq              */
	GUARD_REPEATED,    /**< one that may stand only once                */
	GUARD_NO_BRANCH,   /**< topmost Via without z9hG4bK branch          */
	GUARD_CSEQ,        /**< number >= 2^31 or another method            */
	GUARD_CONTENT_LENGTH,
	GUARD_N
};

/**
 * Check one datagram (or one framed message). Pure.
 * @param ret_len  bytes that belong to the message (Content-Length trims)
 */
enum guard_verdict guard_check(const uint8_t *buf, size_t len,
			       size_t *ret_len);

const char *guard_name(enum guard_verdict v);

#endif
