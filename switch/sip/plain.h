/**
 * @file plain.h  Reads the messages that nearly all are: one header a line,
 * addresses in angle brackets, parameters without blanks or quotes. What is
 * written in another way that RFC 3261 allows is left to libre's decoder,
 * which is ten times slower; for what is read here both say the same.
 */
#ifndef PLAIN_H
#define PLAIN_H
#include <re.h>

/**
 * @param mb  a whole message that guard_check() has passed; at return its
 *            position is where the body begins
 * @return 0: *msgp is the caller's, as if from sip_msg_decode(), with these
 *         differences: only headers that the switch asks for by id have one,
 *         and msg->tag is 0; ENOTSUP: not plain, mb is as it was; ENOMEM
 */
int plain_decode(struct sip_msg **msgp, struct mbuf *mb);

#endif
