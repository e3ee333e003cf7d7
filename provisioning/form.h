/**
 * @file form.h  Forms of texts in the API, each a pure check.
 */
#ifndef FORM_H
#define FORM_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** prefix and 26 characters of base32: "trk_01jd8x...". */
bool form_is_id(const char *text, const char *prefix);

/** A name for people: no control characters. */
bool form_is_name(const char *text);

/** User name of digest: neither quote, backslash, colon nor control. */
bool form_is_username(const char *text);

/** Realm: neither quote, backslash nor control. */
bool form_is_realm(const char *text);

/** "EUR" */
bool form_is_currency(const char *text);
bool form_is_date(const char *text);     /* as 2026-11-30 */
bool form_is_iban(const char *text);
bool form_is_vat_id(const char *text);

/** "DE" */
bool form_is_country(const char *text);

/** Digits, '*' and '#', maybe '+' in front. */
bool form_is_service_number(const char *text);

/** Such a number, or an emergency service: "sos.police", "test.sos". */
bool form_is_emergency_number(const char *text);

/** "-12.345678": 1..3 digits and at most 8 decimals. */
bool form_is_degrees(const char *text);

/** A https:, sips: or pres: URI that can stand in angle brackets. */
bool form_is_location_uri(const char *text);

/** "Europe/Berlin", letters, digits and +-_/ */
bool form_is_zone(const char *text);

/** 1..15 digits: prefix of a rate. */
bool form_is_rate_prefix(const char *text);
bool form_is_country_prefix(const char *text);
bool form_is_failure_code(const char *text);

/** A tag, as "premium": see tag.h. */
bool form_is_tag(const char *text);

/** "" or 1..15 digits. */
bool form_is_digits(const char *text);

/** What a telephone can dial: digits, '*' and '#'. */
bool form_is_dialled(const char *text);

/** Printable ASCII without blanks. */
bool form_is_token(const char *text);

/** moment_parse() */
int form_time(int64_t *ret_ms, const char *text);

/**
 * "192.0.2.0/24", "2001:db8::/32" or one address.
 * @param buf  normal form, always with a length; size >= 64
 * @return 0 or EBADMSG (also when bits right of the prefix are set)
 */
int form_cidr(char *buf, size_t size, const char *text);

/** IP literal of either family, in normal form. 0 or EBADMSG */
int form_ip(char *buf, size_t size, const char *text);

#endif
