/**
 * @file fail.c  How every command complains.
 */
#include <stdarg.h>
#include <stdio.h>
#include "command.h"


int command_fail(int code, const char *fmt, ...)
{
	va_list ap;

	(void)fputs("strowger: ", stderr);
	va_start(ap, fmt);
	(void)vfprintf(stderr, fmt, ap);
	va_end(ap);
	(void)fputc('\n', stderr);

	return code;
}
