/**
 * @file phrase.h  The words of a status code (RFC 3261 21 and successors). A
 * peer's own words stay on its side: they may name what is inside.
 */
#ifndef PHRASE_H
#define PHRASE_H
#include <stdint.h>

/** Never NULL; a general word for codes that are not listed. Pure. */
const char *phrase_of(uint16_t scode);

#endif
