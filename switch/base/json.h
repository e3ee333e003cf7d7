/**
 * @file json.h  jansson beside libre, which has a JSON parser with two names
 * of the same: libre's are renamed. Include it before anything that includes
 * <re.h>.
 */
#ifndef JSON_H
#define JSON_H
#ifdef RE_H__
#error "json.h has to come before re.h"
#endif
#define JSON_STRING RE_JSON_STRING
#define JSON_NULL RE_JSON_NULL
#include <re.h>
#undef JSON_STRING
#undef JSON_NULL
#include <jansson.h>
#endif
