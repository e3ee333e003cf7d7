/**
 * @file text.h  Bounded text for fixed buffers. No function here writes past
 * size, and each says when something did not fit.
 */
#ifndef TEXT_H
#define TEXT_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Copy len bytes and NUL. @return 0 or EOVERFLOW (buf then holds the cut) */
int text_set(char *buf, size_t size, const char *s, size_t len);
int text_copy(char *buf, size_t size, const char *s);

/** Fill a fixed array of characters; what does not fit is cut. */
#define TEXT_FILL(array, text)                                                \
	(void)text_copy((array), sizeof(array), (text))

/** snprintf. @return 0 or EOVERFLOW */
int text_format(char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/** Decimal without sign or blanks, <= max. @return 0 or EBADMSG */
int text_u64(uint64_t *ret, const char *s, size_t len, uint64_t max);

/**
 * Would a spreadsheet compute this text of a CSV? Callers choose some of it. A
 * sign before digits alone is a number: "+4930123", "-1.5".
 */
bool text_is_formula(const char *s);

/**
 * Decimal money text "12.345678" <-> integer of 10^-scale units (6 for
 * amounts, 9 for rates). Refuses more decimals than scale, and overflow.
 * @return 0, EBADMSG (no such number) or ERANGE (does not fit)
 */
int text_decimal(int64_t *ret, const char *s, int scale);
const char *text_decimal_format(char *buf, size_t size, int64_t v, int scale);

bool text_is_digits(const char *s);

/** The character that s begins with (RFC 3629 4). @return its bytes; 0: the
 *  end, or no UTF-8 */
size_t text_utf8(uint32_t *ret, const char *s);

/** Take away the beginning of a character of UTF-8 that was cut at the end. */
void text_mend(char *buf);

/** Lower-case hex of len bytes, NUL. buf >= 2 * len + 1 */
void text_hex(char *buf, const uint8_t *bytes, size_t len);
int text_unhex(uint8_t *bytes, size_t len, const char *hex);

/** CRC-32C (Castagnoli), hardware when there is. Begin with 0, chain on. */
uint32_t crc32c(uint32_t crc, const void *bytes, size_t len);

/** The same without hardware, half a byte a step. */
uint32_t crc32c_portable(uint32_t crc, const void *bytes, size_t len);

#endif
