/**
 * @file text.c  Bounded text, decimal money text, hex and CRC-32C.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "text.h"

#define SCALE_MAX 18 /* 10^18 is the last power of ten in an int64_t */

/* CRC-32C of every half byte, polynomial 0x1edc6f41 reflected */
static const uint32_t crc_nibble[16] = {
	0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1,
	0x417b1dbc, 0x5125dad3, 0x61c69362, 0x7198540d,
	0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
	0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75,
};


int text_set(char *buf, size_t size, const char *s, size_t len)
{
	const bool fits = len < size;

	if (!size)
		return EOVERFLOW;
	if (!fits)
		len = size - 1;

	if (len)
		memcpy(buf, s, len);
	buf[len] = '\0';

	return fits ? 0 : EOVERFLOW;
}


int text_copy(char *buf, size_t size, const char *s)
{
	return text_set(buf, size, s, s ? strlen(s) : 0);
}


int text_format(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!size)
		return EOVERFLOW;

	va_start(ap, fmt);
	n = vsnprintf(buf, size, fmt, ap);
	va_end(ap);

	if (n < 0) {
		buf[0] = '\0';
		return EOVERFLOW;
	}

	return (size_t)n < size ? 0 : EOVERFLOW;
}


int text_u64(uint64_t *ret, const char *s, size_t len, uint64_t max)
{
	uint64_t v = 0;
	unsigned digit;
	size_t i;

	if (!s || !len)
		return EBADMSG;

	for (i = 0; i < len; i++) {
		digit = (unsigned)s[i] - '0';
		if (digit > 9)
			return EBADMSG;
		if (v > max / 10 || (v == max / 10 && digit > max % 10))
			return EBADMSG;
		v = v * 10 + digit;
	}

	*ret = v;

	return 0;
}


/** v * 10 + digit, kept negative because INT64_MIN has no positive twin. */
static int shift_in(int64_t *v, unsigned digit)
{
	if (__builtin_mul_overflow(*v, (int64_t)10, v) ||
	    __builtin_sub_overflow(*v, (int64_t)digit, v))
		return ERANGE;

	return 0;
}


/** Digits into v; whether it stops at the end is the caller's matter. */
static int read_digits(int64_t *v, const char **s, int max, int *ret_n)
{
	unsigned digit;
	int n = 0, err;

	while ((digit = (unsigned)**s - '0') <= 9) {
		if (n == max)
			return ERANGE;
		err = shift_in(v, digit);
		if (err)
			return err;
		++n;
		++*s;
	}

	*ret_n = n;

	return n ? 0 : EBADMSG;
}


bool text_is_formula(const char *s)
{
	if (*s == '=' || *s == '@' || *s == '\t' || *s == '\r')
		return true;
	return (*s == '+' || *s == '-') &&
	       s[1 + strspn(s + 1, "0123456789.,")] != '\0';
}


int text_decimal(int64_t *ret, const char *s, int scale)
{
	bool is_negative;
	int64_t v = 0;
	int n, decimals = 0, err;

	if (!s || scale < 0 || scale > SCALE_MAX)
		return EBADMSG;

	is_negative = *s == '-';
	s += is_negative;

	/* money has no 64 digits: the bound is on silly text */
	err = read_digits(&v, &s, 64, &n);
	if (!err && *s == '.') {
		++s;
		err = read_digits(&v, &s, scale, &decimals);
	}
	if (err)
		return err;
	if (*s)
		return EBADMSG;

	for (; decimals < scale; decimals++) {
		err = shift_in(&v, 0);
		if (err)
			return err;
	}

	if (!is_negative && v == INT64_MIN)
		return ERANGE;

	*ret = is_negative ? v : -v;

	return 0;
}


const char *text_decimal_format(char *buf, size_t size, int64_t v, int scale)
{
	const uint64_t abs = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	uint64_t unit = 1;
	int i;

	for (i = 0; i < scale && i < SCALE_MAX; i++)
		unit *= 10;

	if (scale > 0)
		(void)text_format(buf, size, "%s%llu.%0*llu", v < 0 ? "-" : "",
				  (unsigned long long)(abs / unit), i,
				  (unsigned long long)(abs % unit));
	else
		(void)text_format(buf, size, "%lld", (long long)v);

	return buf;
}


bool text_is_digits(const char *s)
{
	if (!s || !*s)
		return false;

	return s[strspn(s, "0123456789")] == '\0';
}


/* Of the first byte: how many follow, and which code points need so many. */
size_t text_utf8(uint32_t *ret, const char *s)
{
	static const struct {
		uint8_t mask, lead;
		uint32_t first, last;
	} forms[] = {
		{0x80, 0x00, 0x1, 0x7f},
		{0xe0, 0xc0, 0x80, 0x7ff},
		{0xf0, 0xe0, 0x800, 0xffff},
		{0xf8, 0xf0, 0x10000, 0x10ffff},
	};
	const uint8_t *p = (const uint8_t *)s;
	uint32_t c;
	size_t n, i;

	for (n = 0; n < 4 && (p[0] & forms[n].mask) != forms[n].lead; n++)
		;
	if (n == 4)
		return 0;

	c = p[0] & (uint8_t)~forms[n].mask;
	for (i = 1; i <= n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < forms[n].first || c > forms[n].last ||
	    (c >= 0xd800 && c <= 0xdfff))
		return 0;

	*ret = c;

	return n + 1;
}


void text_mend(char *buf)
{
	size_t len = strlen(buf), at = len;
	uint32_t c;

	while (at && len - at < 3 && ((uint8_t)buf[at - 1] & 0xc0) == 0x80)
		--at;
	if (at && ((uint8_t)buf[at - 1] & 0xc0) == 0xc0 &&
	    !text_utf8(&c, buf + at - 1))
		buf[at - 1] = '\0';
}


void text_hex(char *buf, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	size_t i;

	for (i = 0; i < len; i++) {
		buf[2 * i] = digits[bytes[i] >> 4];
		buf[2 * i + 1] = digits[bytes[i] & 15];
	}

	buf[2 * len] = '\0';
}


static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;

	return -1;
}


int text_unhex(uint8_t *bytes, size_t len, const char *hex)
{
	unsigned hi, lo;
	size_t i;

	if (!hex || strlen(hex) != 2 * len)
		return EBADMSG;

	for (i = 0; i < 2 * len; i++) {
		if (hex_value(hex[i]) < 0)
			return EBADMSG;
	}

	for (i = 0; i < len; i++) {
		hi = (unsigned)hex_value(hex[2 * i]);
		lo = (unsigned)hex_value(hex[2 * i + 1]);
		bytes[i] = (uint8_t)(hi << 4 | lo);
	}

	return 0;
}


uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len)
{
	const uint8_t *p = bytes;

	crc = ~crc;
	while (len--) {
		crc ^= *p++;
		crc = (crc >> 4) ^ crc_nibble[crc & 15];
		crc = (crc >> 4) ^ crc_nibble[crc & 15];
	}

	return ~crc;
}


#if defined(__x86_64__)
__attribute__((target("sse4.2")))
static uint32_t crc32c_sse42(uint32_t crc, const uint8_t *p, size_t len)
{
	uint64_t c = (uint32_t)~crc, word;

	for (; len >= 8; p += 8, len -= 8) {
		memcpy(&word, p, sizeof(word));
		c = __builtin_ia32_crc32di(c, word);
	}

	while (len--)
		c = __builtin_ia32_crc32qi((uint32_t)c, *p++);

	return ~(uint32_t)c;
}
#endif


uint32_t crc32c(uint32_t crc, const void *bytes, size_t len)
{
#if defined(__x86_64__)
	if (__builtin_cpu_supports("sse4.2"))
		return crc32c_sse42(crc, bytes, len);
#endif
	return crc32c_portable(crc, bytes, len);
}
