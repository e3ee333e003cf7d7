/**
 * @file latin.h  Latin letters in ASCII, for peers that show nothing else.
 */
#ifndef LATIN_H
#define LATIN_H
#include <stdint.h>

/** Of one code point: its spelling, "" when it has none. */
const char *latin_ascii(uint32_t c);

#endif
