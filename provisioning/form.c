/**
 * @file form.c  Forms of texts in the API.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "form.h"
#include "moment.h"
#include "tag.h"
#include "text.h"

#define ID_CHARS 26


bool form_is_id(const char *text, const char *prefix)
{
	const size_t n = strlen(prefix);

	if (strncmp(text, prefix, n) != 0 || strlen(text) != n + ID_CHARS)
		return false;

	return strspn(text + n, "0123456789abcdefghijklmnopqrstuvwxyz") ==
	       ID_CHARS;
}


/* No control character and none of the given */
static bool is_clean(const char *text, const char *without)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c < ' ' || c == 0x7f || strchr(without, c))
			return false;
	}
	return true;
}


bool form_is_name(const char *text)
{
	return is_clean(text, "");
}


bool form_is_username(const char *text)
{
	return is_clean(text, "\"\\:");
}


bool form_is_realm(const char *text)
{
	return is_clean(text, "\"\\");
}


bool form_is_currency(const char *text)
{
	return strlen(text) == 3 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 3;
}


bool form_is_date(const char *text)
{
	char moment[32];
	int64_t ms;

	if (strlen(text) != strlen("2026-11-30"))
		return false;
	(void)text_format(moment, sizeof(moment), "%sT00:00:00Z", text);
	return !moment_parse(&ms, moment);
}


/* Letters and digits behind a country, and two check digits of an IBAN */
bool form_is_iban(const char *text)
{
	const size_t len = strlen(text);

	return len >= 15 && len <= 34 && isupper((unsigned char)text[0]) &&
	       isupper((unsigned char)text[1]) &&
	       isdigit((unsigned char)text[2]) &&
	       isdigit((unsigned char)text[3]) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == len;
}


bool form_is_vat_id(const char *text)
{
	const size_t len = strlen(text);

	return len >= 4 && len <= 15 && isupper((unsigned char)text[0]) &&
	       isupper((unsigned char)text[1]) &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+*") == len;
}


bool form_is_country(const char *text)
{
	return strlen(text) == 2 &&
	       strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == 2;
}


bool form_is_service_number(const char *text)
{
	const char *digits = text + (*text == '+');

	return *digits && form_is_dialled(digits);
}


/* ".police.x" or nothing */
static bool are_labels(const char *text)
{
	while (*text == '.') {
		const size_t len = strspn(text + 1,
					  "abcdefghijklmnopqrstuvwxyz"
					  "0123456789-");

		if (!len)
			return false;
		text += 1 + len;
	}

	return !*text;
}


bool form_is_emergency_number(const char *text)
{
	const char *service = strncmp(text, "test.", 5) ? text : text + 5;

	return strncmp(service, "sos", 3) ? form_is_service_number(text)
					  : are_labels(service + 3);
}


bool form_is_degrees(const char *text)
{
	const char *number = text + (*text == '-');
	const size_t whole = strspn(number, "0123456789");
	size_t decimals;

	if (!whole || whole > 3)
		return false;
	if (!number[whole])
		return true;

	decimals = strspn(number + whole + 1, "0123456789");

	return number[whole] == '.' && decimals && decimals <= 8 &&
	       !number[whole + 1 + decimals];
}


bool form_is_location_uri(const char *text)
{
	if (strncmp(text, "https:", 6) && strncmp(text, "sips:", 5) &&
	    strncmp(text, "pres:", 5))
		return false;

	for (; *text; text++) {
		if (*text <= ' ' || *text > '~' || strchr("\"<>", *text))
			return false;
	}
	return true;
}


bool form_is_zone(const char *text)
{
	for (; *text; text++) {
		if (!isalnum((unsigned char)*text) && !strchr("+-_/", *text))
			return false;
	}
	return true;
}


bool form_is_tag(const char *text)
{
	return tag_is_valid(text);
}


bool form_is_digits(const char *text)
{
	return strspn(text, "0123456789") == strlen(text);
}


bool form_is_dialled(const char *text)
{
	return strspn(text, "0123456789*#") == strlen(text);
}


bool form_is_token(const char *text)
{
	for (; *text; text++) {
		if (*text <= ' ' || *text > '~')
			return false;
	}

	return true;
}


bool form_is_rate_prefix(const char *text)
{
	return *text && form_is_digits(text) && strlen(text) <= 15;
}


bool form_is_failure_code(const char *text)
{
	return form_is_digits(text) && strlen(text) == 3 && *text >= '4' &&
	       *text <= '6';
}


/* Of an E.164 number, without '+' */
bool form_is_country_prefix(const char *text)
{
	return form_is_rate_prefix(text) && *text != '0';
}


int form_time(int64_t *ret_ms, const char *text)
{
	return moment_parse(ret_ms, text);
}


int form_ip(char *buf, size_t size, const char *text)
{
	unsigned char addr[16];
	const int af = strchr(text, ':') ? AF_INET6 : AF_INET;

	if (inet_pton(af, text, addr) != 1)
		return EBADMSG;

	return inet_ntop(af, addr, buf, (socklen_t)size) ? 0 : EBADMSG;
}


/* Are all bits behind the first len zero? */
static bool is_network(const unsigned char *addr, size_t bytes, unsigned len)
{
	for (size_t i = len; i < bytes * 8; i++) {
		if (addr[i / 8] & (0x80 >> (i % 8)))
			return false;
	}
	return true;
}


int form_cidr(char *buf, size_t size, const char *text)
{
	unsigned char addr[16];
	char host[64];
	const char *slash = strchr(text, '/');
	const int af = strchr(text, ':') ? AF_INET6 : AF_INET;
	const unsigned max = af == AF_INET6 ? 128 : 32;
	uint64_t len = max;

	if (text_set(host, sizeof(host), text,
		     slash ? (size_t)(slash - text) : strlen(text)))
		return EBADMSG;
	if (slash && text_u64(&len, slash + 1, strlen(slash + 1), max))
		return EBADMSG;
	if (inet_pton(af, host, addr) != 1 ||
	    !is_network(addr, max / 8, (unsigned)len) ||
	    !inet_ntop(af, addr, host, sizeof(host)))
		return EBADMSG;

	return text_format(buf, size, "%s/%u", host, (unsigned)len) ? EBADMSG
								    : 0;
}
