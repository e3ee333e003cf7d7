/**
 * @file guard.c  One pass over the head with memchr(), nothing allocated.
 * libre takes a bare LF as a line end, the last of two To headers, and wraps
 * large numbers: whatever could be read in two ways is refused here.
 */
#include <ctype.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <re.h>
#include "guard.h"

enum {
	SIZE_LEAST = 20,
	SIZE_LIMIT = 65535,
	HEADERS_MAX = 128,
	COMMAS_MAX = 512,    /**< each may become a header of its own      */
	BLANKS_MAX = 64,     /**< in a row: libre's patterns scan a run of
			          them once for each one of them           */
	LINE_LEN_MAX = 8192,
	NAME_LEN_MAX = 64,
	METHOD_LEN_MAX = 32,
	BRANCH_LEN_MAX = 255,
};

enum head {
	HEAD_VIA,
	HEAD_FROM,
	HEAD_TO,
	HEAD_CALL_ID,
	HEAD_CSEQ,
	HEAD_MAX_FORWARDS,
	HEAD_CONTENT_LENGTH,
	HEAD_CONTENT_TYPE,
	HEAD_N
};

/** The headers that the guard reads (RFC 3261 7.3.3, 8.1.1, 20). */
static const struct {
	struct pl name;
	char compact;
	bool is_mandatory, may_repeat;
} heads[HEAD_N] = {
	[HEAD_VIA] = {PL("via"), 'v', true, true},
	[HEAD_FROM] = {PL("from"), 'f', true, false},
	[HEAD_TO] = {PL("to"), 't', true, false},
	[HEAD_CALL_ID] = {PL("call-id"), 'i', true, false},
	[HEAD_CSEQ] = {PL("cseq"), 0, true, false},
	[HEAD_MAX_FORWARDS] = {PL("max-forwards"), 0, false, false},
	[HEAD_CONTENT_LENGTH] = {PL("content-length"), 'l', false, false},
	[HEAD_CONTENT_TYPE] = {PL("content-type"), 'c', false, false},
};

struct scan {
	struct pl method;         /**< unset in a response               */
	struct pl value[HEAD_N];  /**< of the first one; p NULL: absent  */
	unsigned headers;
};


/* RFC 3261 25.1: alphanum and "-" "." "!" "%" "*" "_" "+" "`" "'" "~" */
static bool is_token(const struct pl *pl)
{
	static const bool is_good[256] = {
		['0' ... '9'] = true, ['A' ... 'Z'] = true,
		['a' ... 'z'] = true, ['-'] = true, ['.'] = true,
		['!'] = true, ['%'] = true, ['*'] = true, ['_'] = true,
		['+'] = true, ['`'] = true, ['\''] = true, ['~'] = true,
	};
	size_t i;

	for (i = 0; i < pl->l; i++)
		if (!is_good[(unsigned char)pl->p[i]])
			return false;

	return pl->l > 0;
}


/** Wider than a token, for peers that put '=' or '@' in a branch. */
static bool is_word(const struct pl *pl)
{
	size_t i;

	for (i = 0; i < pl->l; i++) {
		const unsigned char c = (unsigned char)pl->p[i];

		if (c <= ' ' || c >= 0x7f || strchr("\"<>,;", c))
			return false;
	}

	return pl->l > 0;
}


static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static void trim(struct pl *pl)
{
	while (pl->l && is_blank(pl->p[0]))
		pl_advance(pl, 1);

	while (pl->l && is_blank(pl->p[pl->l - 1]))
		--pl->l;
}


/** Some phones keep their NAT open with zero bytes. */
static bool is_keepalive(const uint8_t *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (buf[i] && !is_blank((char)buf[i]))
			return false;
	}

	return true;
}


/** Digits only, at most max. */
static bool number_read(uint32_t *ret, const struct pl *pl, uint32_t max)
{
	uint64_t v = 0;
	size_t i;

	if (!pl->l || pl->l > 10)
		return false;

	for (i = 0; i < pl->l; i++) {
		if (!isdigit((unsigned char)pl->p[i]))
			return false;
		v = v * 10 + (uint64_t)(pl->p[i] - '0');
	}

	if (v > max)
		return false;

	*ret = (uint32_t)v;

	return true;
}


/** One line as it stands, without its CRLF; rest moves behind it. */
static bool raw_line(struct pl *rest, struct pl *line)
{
	const char *lf = memchr(rest->p, '\n', rest->l);

	if (!lf || lf == rest->p || lf[-1] != '\r')
		return false;

	line->p = rest->p;
	line->l = (size_t)(lf - rest->p) - 1;
	pl_advance(rest, lf + 1 - rest->p);

	return !memchr(line->p, '\r', line->l);
}


/** A header with its folded lines (RFC 3261 7.3.1). */
static bool header_line(struct pl *rest, struct pl *line)
{
	struct pl more;

	if (!raw_line(rest, line))
		return false;

	while (rest->l && (rest->p[0] == ' ' || rest->p[0] == '\t')) {
		if (!raw_line(rest, &more))
			return false;
		line->l = (size_t)(more.p + more.l - line->p);
	}

	return line->l <= LINE_LEN_MAX;
}


/** "SIP/2.0 200 OK"; the phrase may be empty, its blank may not. */
static bool status_line(const struct pl *line)
{
	struct pl code, phrase;
	uint32_t scode;

	if (line->l < 12 || line->p[11] != ' ')
		return false;

	code.p = line->p + 8;
	code.l = 3;
	if (!number_read(&scode, &code, 699) || scode < 100)
		return false;

	/* libre takes a first line that ends with the version for a request */
	phrase.p = line->p + 12;
	phrase.l = line->l - 12;

	return pl_strcmp(&phrase, "SIP/2.0") != 0;
}


static bool start_line(struct scan *s, const struct pl *line)
{
	static const struct pl version = PL("SIP/2.0");
	const char *uri, *end;
	size_t i;

	if (line->l > LINE_LEN_MAX)
		return false;

	if (line->l > 4 && !memcmp(line->p, "SIP/", 4))
		return !memcmp(line->p, "SIP/2.0 ", 8) && status_line(line);

	uri = memchr(line->p, ' ', line->l);
	if (!uri || line->l < version.l + 1)
		return false;

	s->method.p = line->p;
	s->method.l = (size_t)(uri - line->p);
	if (s->method.l > METHOD_LEN_MAX || !is_token(&s->method))
		return false;

	end = line->p + line->l - version.l - 1;
	if (end <= ++uri || memcmp(end + 1, version.p, version.l) != 0 ||
	    *end != ' ')
		return false;

	for (i = 0; uri + i < end; i++) {
		if ((unsigned char)uri[i] <= ' ' || uri[i] == 0x7f)
			return false;
	}

	return true;
}


static enum head head_find(const struct pl *name)
{
	int i;

	for (i = 0; i < HEAD_N; i++) {
		if (name->l == 1 && heads[i].compact &&
		    tolower((unsigned char)name->p[0]) == heads[i].compact)
			break;

		if (name->l == heads[i].name.l &&
		    !strncasecmp(name->p, heads[i].name.p, name->l))
			break;
	}

	return (enum head)i;
}


static enum guard_verdict header_take(struct scan *s, const struct pl *line)
{
	struct pl name = {line->p, 0}, value;
	const char *colon = memchr(line->p, ':', line->l);
	enum head head;

	if (!colon)
		return GUARD_HEADER_LINE;

	name.l = (size_t)(colon - line->p);
	while (name.l &&
	       (name.p[name.l - 1] == ' ' || name.p[name.l - 1] == '\t'))
		--name.l;

	if (name.l > NAME_LEN_MAX || !is_token(&name))
		return GUARD_HEADER_LINE;

	head = head_find(&name);
	if (head == HEAD_N)
		return GUARD_OK;

	if (s->value[head].p)
		return heads[head].may_repeat ? GUARD_OK : GUARD_REPEATED;

	value.p = colon + 1;
	value.l = (size_t)(line->p + line->l - value.p);
	trim(&value);
	s->value[head] = value;

	return GUARD_OK;
}


static enum guard_verdict headers_take(struct scan *s, struct pl *rest)
{
	enum guard_verdict v;
	struct pl line;
	int i;

	while (rest->l) {
		if (++s->headers > HEADERS_MAX)
			return GUARD_TOO_MANY_HEADERS;

		if (!header_line(rest, &line))
			return GUARD_HEADER_LINE;

		v = header_take(s, &line);
		if (v != GUARD_OK)
			return v;
	}

	for (i = 0; i < HEAD_N; i++) {
		if (heads[i].is_mandatory && !s->value[i].l)
			return GUARD_MISSING;
	}

	return GUARD_OK;
}


/** A parameter "branch=z9hG4bK..." of the topmost Via (RFC 3261 8.1.1.7). */
static bool param_is_branch(struct pl prm)
{
	static const struct pl cookie = PL("z9hG4bK");

	trim(&prm);
	if (prm.l < 6 || strncasecmp(prm.p, "branch", 6) != 0)
		return false;

	pl_advance(&prm, 6);
	trim(&prm);
	if (!prm.l || prm.p[0] != '=')
		return false;

	pl_advance(&prm, 1);
	trim(&prm);

	return prm.l > cookie.l && prm.l <= BRANCH_LEN_MAX &&
	       !memcmp(prm.p, cookie.p, cookie.l) && is_word(&prm);
}


static bool via_has_branch(const struct pl *via)
{
	struct pl prm = {NULL, 0};
	bool quote = false;
	size_t i;

	for (i = 0; i <= via->l; i++) {
		const char c = i < via->l ? via->p[i] : ',';

		if (c == '"') {
			/* sent-by has none; who cuts at ';' would be misled */
			if (!prm.p)
				return false;
			quote = !quote;
		}

		if (i < via->l && (quote || (c != ';' && c != ',')))
			continue;

		if (prm.p) {
			prm.l = (size_t)(via->p + i - prm.p);
			if (param_is_branch(prm))
				return true;
		}

		if (c == ',')
			return false;

		prm.p = via->p + i + 1;
	}

	return false;
}


/** "4711 INVITE": below 2^31 and of the same method (RFC 3261 8.1.1.5). */
static bool cseq_is_good(const struct scan *s)
{
	struct pl num = s->value[HEAD_CSEQ], method = num;
	uint32_t v;
	size_t i;

	for (i = 0; i < num.l && !is_blank(num.p[i]); i++)
		;

	num.l = i;
	pl_advance(&method, (ssize_t)i);
	trim(&method);

	if (!number_read(&v, &num, 0x7fffffff) || !is_token(&method) ||
	    method.l > METHOD_LEN_MAX)
		return false;

	return !s->method.p || !pl_cmp(&method, &s->method);
}


/** What a short message could make expensive to decode. */
static enum guard_verdict cost_check(const struct pl *head)
{
	unsigned commas = 0, blanks = 0;
	size_t i;

	for (i = 0; i < head->l; i++) {
		const char c = head->p[i];

		if (c > ',') { /* most are */
			blanks = 0;
			continue;
		}
		blanks = is_blank(c) ? blanks + 1 : 0;
		commas += c == ',';
		if (blanks > BLANKS_MAX)
			return GUARD_HEADER_LINE;
	}

	return commas > COMMAS_MAX ? GUARD_TOO_MANY_HEADERS : GUARD_OK;
}


static enum guard_verdict head_check(struct scan *s, struct pl head)
{
	enum guard_verdict v;
	struct pl line;

	if (memchr(head.p, 0, head.l))
		return GUARD_NUL;

	v = cost_check(&head);
	if (v != GUARD_OK)
		return v;

	if (!raw_line(&head, &line) || !start_line(s, &line))
		return GUARD_START_LINE;

	v = headers_take(s, &head);
	if (v != GUARD_OK)
		return v;

	if (!via_has_branch(&s->value[HEAD_VIA]))
		return GUARD_NO_BRANCH;

	return cseq_is_good(s) ? GUARD_OK : GUARD_CSEQ;
}


enum guard_verdict guard_check(const uint8_t *buf, size_t len,
			       size_t *ret_len)
{
	struct scan s = {0};
	struct pl head = {(const char *)buf, 0};
	enum guard_verdict v;
	const uint8_t *end;
	uint32_t body;

	if (is_keepalive(buf, len))
		return GUARD_KEEPALIVE;
	if (len < SIZE_LEAST)
		return GUARD_TOO_SHORT;
	if (len > SIZE_LIMIT)
		return GUARD_TOO_LONG;

	end = memmem(buf, len, "\r\n\r\n", 4);
	if (!end)
		return GUARD_NO_END;

	head.l = (size_t)(end + 2 - buf);
	v = head_check(&s, head);
	if (v != GUARD_OK)
		return v;

	end += 4;
	body = (uint32_t)(len - (size_t)(end - buf));
	if (s.value[HEAD_CONTENT_LENGTH].p &&
	    !number_read(&body, &s.value[HEAD_CONTENT_LENGTH], body))
		return GUARD_CONTENT_LENGTH;

	*ret_len = (size_t)(end - buf) + body;

	return GUARD_OK;
}


const char *guard_name(enum guard_verdict v)
{
	static const char *const names[GUARD_N] = {
		[GUARD_OK] = "ok",
		[GUARD_KEEPALIVE] = "keepalive",
		[GUARD_TOO_SHORT] = "too_short",
		[GUARD_TOO_LONG] = "too_long",
		[GUARD_NO_END] = "no_end",
		[GUARD_NUL] = "nul",
		[GUARD_START_LINE] = "start_line",
		[GUARD_HEADER_LINE] = "header_line",
		[GUARD_TOO_MANY_HEADERS] = "too_many_headers",
		[GUARD_MISSING] = "missing",
		[GUARD_REPEATED] = "repeated",
		[GUARD_NO_BRANCH] = "no_branch",
		[GUARD_CSEQ] = "cseq",
		[GUARD_CONTENT_LENGTH] = "content_length",
	};

	return (unsigned)v < GUARD_N ? names[v] : "unknown";
}
