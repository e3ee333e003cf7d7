/**
 * @file digest_fields.c  Bounded parser of Digest challenges and answers.
 */
#include <string.h>
#include "digest_fields.h"

/** What is left to read. */
struct reader {
	const char *p, *end;
};


static bool is_blank(char c)
{
	/* a folded header line keeps its CRLF (RFC 3261 7.3.1) */
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static bool is_token(char c)
{
	/* RFC 3261 25.1 token */
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || (c && strchr("-.!%*_+`'~", c));
}


/* Some clients leave quotes out where they belong: "uri=sip:a@b" is read. */
static bool is_bare(char c)
{
	return c > ' ' && c < 0x7f && c != ',' && c != '"' && c != '\\';
}


static void skip_blanks(struct reader *rd)
{
	while (rd->p < rd->end && is_blank(*rd->p))
		++rd->p;
}


static bool skip_char(struct reader *rd, char c)
{
	skip_blanks(rd);
	if (rd->p == rd->end || *rd->p != c)
		return false;

	++rd->p;
	skip_blanks(rd);
	return true;
}


static struct pl read_while(struct reader *rd, bool (*is)(char c))
{
	struct pl pl = {rd->p, 0};

	while (rd->p < rd->end && is(*rd->p))
		++rd->p;

	pl.l = (size_t)(rd->p - pl.p);
	return pl;
}


/* After the opening quote. */
static int read_quoted(struct reader *rd, struct pl *ret_value)
{
	const char *start = rd->p;

	for (; rd->p < rd->end; ++rd->p) {
		unsigned char c = (unsigned char)*rd->p;

		if (c == '"') {
			ret_value->p = start;
			ret_value->l = (size_t)(rd->p - start);
			++rd->p;
			return 0;
		}

		/* no CR, LF or NUL may ride into what we echo */
		if (c < ' ' || c == 0x7f)
			return EBADMSG;

		if (c == '\\') {
			if (++rd->p == rd->end ||
			    (unsigned char)*rd->p < ' ')
				return EBADMSG;
		}
	}

	return EBADMSG;
}


static int read_value(struct reader *rd, struct pl *ret_value)
{
	int err = 0;

	if (rd->p < rd->end && *rd->p == '"') {
		++rd->p;
		err = read_quoted(rd, ret_value);
	}
	else {
		*ret_value = read_while(rd, is_bare);
	}

	if (!err && ret_value->l > DIGEST_FIELD_MAX)
		err = EBADMSG;

	return err;
}


static int field_store(struct digest_fields *f, const struct pl *name,
		       const struct pl *value)
{
	const struct {
		const char *name;
		struct pl *slot;
	} slots[] = {
		{"username", &f->username},   {"realm", &f->realm},
		{"nonce", &f->nonce},         {"uri", &f->uri},
		{"response", &f->response},   {"cnonce", &f->cnonce},
		{"opaque", &f->opaque},       {"algorithm", &f->algorithm},
		{"qop", &f->qop},             {"nc", &f->nc},
		{"stale", &f->stale},
	};
	size_t i;

	for (i = 0; i < sizeof(slots) / sizeof(slots[0]); i++) {
		if (pl_strcasecmp(name, slots[i].name))
			continue;

		/* which of two would count? neither */
		if (slots[i].slot->p)
			return EBADMSG;

		*slots[i].slot = *value;
		return 0;
	}

	return 0; /* unknown ones are to be ignored (RFC 7616 3.3) */
}


int digest_fields_decode(struct digest_fields *f, const struct pl *value)
{
	struct digest_fields got;
	struct reader rd;
	struct pl scheme;
	int n = 0, err;

	if (!f || !value || !value->p)
		return EINVAL;

	memset(&got, 0, sizeof(got));
	rd.p = value->p;
	rd.end = value->p + value->l;

	skip_blanks(&rd);
	scheme = read_while(&rd, is_token);
	if (pl_strcasecmp(&scheme, "Digest"))
		return ENOENT;

	if (rd.p == rd.end || !is_blank(*rd.p))
		return EBADMSG;
	skip_blanks(&rd);

	do {
		struct pl name = read_while(&rd, is_token), v;

		if (!name.l || !skip_char(&rd, '='))
			return EBADMSG;

		err = read_value(&rd, &v);
		if (!err)
			err = field_store(&got, &name, &v);
		if (err)
			return err;

		if (++n > DIGEST_FIELDS_MAX)
			return EBADMSG;
	} while (skip_char(&rd, ','));

	if (rd.p != rd.end)
		return EBADMSG;

	*f = got;
	return 0;
}


int digest_fields_text(char *buf, size_t size, const struct pl *raw)
{
	size_t i, n = 0;

	for (i = 0; i < raw->l; i++) {
		if (raw->p[i] == '\\' && i + 1 < raw->l)
			++i;
		if (n + 1 >= size)
			return EOVERFLOW;
		buf[n++] = raw->p[i];
	}

	buf[n] = '\0';
	return 0;
}


int digest_fields_escape(struct re_printf *pf, void *text)
{
	const char *p;
	int err = 0;

	for (p = text; *p && !err; ++p) {
		if (*p == '"' || *p == '\\')
			err = pf->vph("\\", 1, pf->arg);
		if (!err)
			err = pf->vph(p, 1, pf->arg);
	}

	return err;
}
