/**
 * @file registrar_contact.c  Contact headers of a REGISTER.
 */
#include <string.h>
#include "registrar_contact.h"
#include "text.h"

#define EXPIRES_MALFORMED_S 3600 /* RFC 3261 20.10, 20.19 */
#define Q_MAX 1000

/** What the handler of headers works on. */
struct reading {
	struct contact_list *list;
	uint32_t default_s;
	int err;
};


static uint32_t seconds(const struct pl *text)
{
	uint64_t s;

	if (text_u64(&s, text->p, text->l, UINT32_MAX))
		return EXPIRES_MALFORMED_S;

	return (uint32_t)s;
}


static uint16_t quality(const struct pl *text)
{
	char buf[8];
	int64_t q;

	if (pl_strcpy(text, buf, sizeof(buf)) || text_decimal(&q, buf, 3) ||
	    q < 0 || q > Q_MAX)
		return Q_MAX;

	return (uint16_t)q;
}


bool contact_uri_check(const struct pl *text)
{
	struct uri uri;
	size_t i;

	if (!text->l || text->l >= CONTACT_URI_SIZE)
		return false;

	/* what we will write into a start line and into a file */
	for (i = 0; i < text->l; i++)
		if (text->p[i] <= ' ' || text->p[i] >= 0x7f ||
		    strchr("<>\"", text->p[i]))
			return false;

	/* libre finds a URI anywhere in the text */
	return !uri_decode(&uri, text) && uri.scheme.p == text->p &&
	       !pl_strcasecmp(&uri.scheme, "sip") && uri.host.l &&
	       !uri.headers.l;
}


static bool text_equal(const struct pl *a, const struct pl *b,
		       int (*cmp)(const struct pl *, const struct pl *))
{
	return a->l == b->l && (!a->l || !cmp(a, b));
}


bool contact_uri_equal(const char *a, const char *b)
{
	struct pl pa, pb;
	struct uri ua, ub;

	pl_set_str(&pa, a);
	pl_set_str(&pb, b);
	if (uri_decode(&ua, &pa) || uri_decode(&ub, &pb))
		return false;

	return ua.port == ub.port && text_equal(&ua.user, &ub.user, pl_cmp) &&
	       text_equal(&ua.host, &ub.host, pl_casecmp) &&
	       text_equal(&ua.params, &ub.params, pl_casecmp);
}


static int wish_decode(struct contact_wish *w, const struct pl *text,
		       uint32_t default_s)
{
	struct sip_addr addr;
	struct pl value;

	if (sip_addr_decode(&addr, text) || !contact_uri_check(&addr.auri))
		return EBADMSG;

	if (pl_strcpy(&addr.auri, w->uri, sizeof(w->uri)))
		return EBADMSG;

	w->expires_s = default_s;
	if (!msg_param_decode(&addr.params, "expires", &value))
		w->expires_s = seconds(&value);

	w->q = Q_MAX;
	if (!msg_param_decode(&addr.params, "q", &value))
		w->q = quality(&value);

	return 0;
}


static int list_add(struct contact_list *list, const struct pl *text,
		    uint32_t default_s)
{
	struct contact_wish *w;
	size_t i;
	int err;

	if (list->is_star)
		return EBADMSG;

	if (text->l == 1 && *text->p == '*') {
		list->is_star = true;
		return list->n ? EBADMSG : 0;
	}

	if (list->n == CONTACTS_MAX)
		return EOVERFLOW;

	w = &list->wishes[list->n];
	err = wish_decode(w, text, default_s);
	if (err)
		return err;

	/* which of two would count? */
	for (i = 0; i < list->n; i++)
		if (contact_uri_equal(list->wishes[i].uri, w->uri))
			return EBADMSG;

	++list->n;
	return 0;
}


static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}


static struct pl trim(struct pl text)
{
	while (text.l && is_blank(*text.p))
		pl_advance(&text, 1);
	while (text.l && is_blank(text.p[text.l - 1]))
		--text.l;

	return text;
}


/* Up to the next comma that is in no quotes and no <>: the decoder below splits
   header lines at commas, but not where it met a quote. */
static struct pl next_item(struct pl *rest)
{
	bool in_quotes = false, in_angles = false;
	struct pl item = *rest;
	size_t i;

	for (i = 0; i < rest->l; i++) {
		char c = rest->p[i];

		if (in_quotes && c == '\\')
			++i;
		else if (c == '"' && !in_angles)
			in_quotes = !in_quotes;
		else if (c == '<' && !in_quotes)
			in_angles = true;
		else if (c == '>' && !in_quotes)
			in_angles = false;
		else if (c == ',' && !in_quotes && !in_angles)
			break;
	}

	item.l = MIN(i, rest->l);
	pl_advance(rest, (ssize_t)item.l);

	return trim(item);
}


static bool header_handler(const struct sip_hdr *hdr,
			   const struct sip_msg *msg, void *arg)
{
	struct reading *rd = arg;
	struct pl rest = hdr->val;
	(void)msg;

	for (;;) {
		struct pl item = next_item(&rest);

		rd->err = list_add(rd->list, &item, rd->default_s);
		if (rd->err)
			return true;

		if (!rest.l)
			return false;

		pl_advance(&rest, 1);
	}
}


int contact_list_decode(struct contact_list *list, const struct sip_msg *msg,
			uint32_t default_s)
{
	struct reading rd = {.list = list, .default_s = default_s};

	memset(list, 0, sizeof(*list));

	if (msg->expires.l)
		rd.default_s = seconds(&msg->expires);

	sip_msg_hdr_apply(msg, true, SIP_HDR_CONTACT, header_handler, &rd);
	if (rd.err)
		return rd.err;

	/* RFC 3261 10.3 item 6 */
	if (list->is_star && (!msg->expires.l || rd.default_s))
		return EBADMSG;

	return 0;
}
