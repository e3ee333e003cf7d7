/** @file country.h  Countries by name, for people who read a page. */
#ifndef COUNTRY_H
#define COUNTRY_H

/** Of a code of ISO 3166-1 ("DE"), in English; the code when it is none. */
const char *country_name(const char *code);

#endif
