/**
 * @file reason.h  The Reason header (RFC 3326) with Q.850 causes.
 */
#ifndef REASON_H
#define REASON_H
#include <re.h>

/**
 * What a message says of its cause.
 * @param text  receives the first Reason value, "" when there is none or it
 *              holds control characters
 * @return Q.850 cause 1..127, 0 when none is given
 */
uint8_t reason_read(const struct sip_msg *msg, char *text, size_t size);

/** "Q.850;cause=16;text=\"...\""; text may be NULL. 0 or errno. */
int reason_value(char *buf, size_t size, uint8_t q850, const char *text);

#endif
