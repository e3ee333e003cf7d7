/**
 * @file tests/unit/must.h  What has to be so in a plain program: the tests that
 * run under ThreadSanitizer, which Criterion does not.
 */
#ifndef MUST_H
#define MUST_H
#include <stdio.h>
#include <stdlib.h>

#define MUST(is)                                                              \
	do {                                                                  \
		if (!(is)) {                                                  \
			(void)printf("%s:%d: %s\n", __FILE__, __LINE__, #is); \
			exit(1);                                              \
		}                                                             \
	} while (0)

#endif
