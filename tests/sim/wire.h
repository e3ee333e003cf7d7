/**
 * @file wire.h  SIP as the modelled peers read and write it: on purpose not
 * the product's code, so that one mistake is not made on both sides.
 */
#ifndef WIRE_H
#define WIRE_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX 8192

/** A message taken apart; texts are copies. */
struct wire {
	bool is_request;
	char method[24];         /**< of the CSeq                           */
	unsigned status;
	char uri[320];
	char via[320], from[320], to[320], contact[320];
	char branch[128], from_tag[96], to_tag[96], call_id[160];
	unsigned long cseq;
	char text[WIRE_MAX];     /**< the whole message, NUL ended          */
	size_t len;
	const char *body;        /**< in text                               */
	size_t body_len;
};

/** @return false: not readable */
bool wire_parse(struct wire *ret, const uint8_t *buf, size_t len);

/** Value of the first header line of this name. @return false: none */
bool wire_header(const struct wire *m, const char *name, char *buf,
		 size_t size);

/** Parameter of a header value: ";name=value". @return false: none */
bool wire_param(const char *value, const char *name, char *buf, size_t size);

/** The URI between < and >, or the whole value before ';'. */
void wire_addr(const char *value, char *buf, size_t size);

/** Text of a message under construction. */
struct wire_out {
	char text[WIRE_MAX];
	size_t len;
};

void wire_add(struct wire_out *o, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Content headers, the empty line and the body (may be ""). */
void wire_end(struct wire_out *o, const char *body);

#endif
