/**
 * @file plain.c  One pass over the head; two allocations, whatever it holds.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <re.h>
#include "plain.h"

#define BUCKETS 32
#define DECIMALS_MAX 10

/** The message and its headers, which go together. */
struct plain {
	struct sip_msg msg; /**< first: this is what others hold */
	struct sip_hdr hdrs[];
};

/** What is decoded, or asked for by id. */
static const struct {
	struct pl name;
	enum sip_hdrid id;
	char compact;
	bool is_list; /**< a comma begins another one */
} known[] = {
	{PL("Via"), SIP_HDR_VIA, 'v', true},
	{PL("From"), SIP_HDR_FROM, 'f', false},
	{PL("To"), SIP_HDR_TO, 't', false},
	{PL("Call-ID"), SIP_HDR_CALL_ID, 'i', false},
	{PL("CSeq"), SIP_HDR_CSEQ, 0, false},
	{PL("Contact"), SIP_HDR_CONTACT, 'm', true},
	{PL("Max-Forwards"), SIP_HDR_MAX_FORWARDS, 0, false},
	{PL("Content-Type"), SIP_HDR_CONTENT_TYPE, 'c', false},
	{PL("Content-Length"), SIP_HDR_CONTENT_LENGTH, 'l', false},
	{PL("Record-Route"), SIP_HDR_RECORD_ROUTE, 0, true},
	{PL("Route"), SIP_HDR_ROUTE, 0, true},
	{PL("Authorization"), SIP_HDR_AUTHORIZATION, 0, false},
	{PL("Proxy-Authorization"), SIP_HDR_PROXY_AUTHORIZATION, 0, false},
	{PL("WWW-Authenticate"), SIP_HDR_WWW_AUTHENTICATE, 0, false},
	{PL("Proxy-Authenticate"), SIP_HDR_PROXY_AUTHENTICATE, 0, false},
	{PL("Expires"), SIP_HDR_EXPIRES, 0, false},
	{PL("Reason"), SIP_HDR_REASON, 0, true},
	{PL("Timestamp"), SIP_HDR_TIMESTAMP, 0, false},
};

/** Characters of a parameter, a user or a host that mean nothing else. */
static const bool is_plain[256] = {
	['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
	['-'] = true, ['.'] = true, ['_'] = true, ['+'] = true,
	['~'] = true, ['!'] = true, ['*'] = true, ['\''] = true,
};


static void destructor(void *arg)
{
	struct plain *p = arg;

	mem_deref(p->msg.hdrht);
	mem_deref(p->msg.mb);
}


static size_t plain_run(const char *p, const char *end)
{
	const char *at = p;

	while (at < end && is_plain[(unsigned char)*at])
		at++;

	return (size_t)(at - p);
}


/** All digits there are. */
static bool number_take(const char **p, const char *end, uint32_t *ret)
{
	const char *const from = *p;
	uint64_t v = 0;

	while (*p < end && isdigit((unsigned char)**p) &&
	       *p - from < DECIMALS_MAX)
		v = v * 10 + (uint64_t)(*(*p)++ - '0');
	*ret = (uint32_t)v;

	return *p > from && v <= UINT32_MAX &&
	       (*p == end || !isdigit((unsigned char)**p));
}


/** ";name=value;name" to the end; the value of the one asked for. */
static bool params_take(const struct pl *params, const char *name,
			struct pl *ret)
{
	const size_t len = strlen(name);
	const char *p = params->l ? params->p : "";
	const char *const end = p + params->l;
	struct pl key, value;

	while (p < end) {
		if (*p++ != ';')
			return false;
		key.p = p;
		key.l = plain_run(p, end);
		p += key.l;
		if (!key.l)
			return false;
		if (p == end || *p != '=')
			continue;

		value.p = ++p;
		value.l = plain_run(p, end);
		p += value.l;
		if (!value.l)
			return false;
		if (!ret->p && key.l == len && !strncasecmp(key.p, name, len))
			*ret = value;
	}

	return true;
}


/** "host:port"; no IPv6, which needs brackets. */
static bool hostport_take(const char **p, const char *end, struct pl *host,
			  uint16_t *port)
{
	uint32_t v = 0;

	host->p = *p;
	host->l = plain_run(*p, end);
	*p += host->l;
	if (*p < end && **p == ':') {
		++*p;
		if (!number_take(p, end, &v) || !v || v > UINT16_MAX)
			return false;
	}
	*port = (uint16_t)v;

	return host->l > 0;
}


/** "sip:user@host:port;params" or without the user; no headers. */
static bool uri_take(struct uri *uri, const struct pl *text)
{
	const char *p = text->p, *const end = p + text->l;
	size_t user;
	struct sa sa;

	if (text->l < 5 || memcmp(p, "sip:", 4) != 0)
		return false;

	uri->scheme.p = p;
	uri->scheme.l = 3;
	p += 4;
	user = plain_run(p, end);
	if (user && p + user < end && p[user] == '@') {
		uri->user.p = p;
		uri->user.l = user;
		p += user + 1;
	}
	if (!hostport_take(&p, end, &uri->host, &uri->port))
		return false;

	uri->params.p = p;
	uri->params.l = (size_t)(end - p);
	for (; p < end; p++)
		if (!is_plain[(unsigned char)*p] && *p != ';' && *p != '=')
			return false;
	if (uri->params.l && uri->params.p[0] != ';')
		return false;

	uri->af = sa_set(&sa, &uri->host, 0) ? AF_UNSPEC : sa_af(&sa);

	return true;
}


/** "<uri>;params", or with a quoted name before it. */
static bool address_take(struct sip_taddr *addr, const struct pl *val)
{
	const char *p = val->p, *const end = p + val->l;
	const char *close;

	if (p < end && *p == '"') {
		close = memchr(p + 1, '"', (size_t)(end - p) - 1);
		if (!close || memchr(p, '\\', (size_t)(close - p)))
			return false;
		if (close > p + 1) {
			addr->dname.p = p + 1;
			addr->dname.l = (size_t)(close - p) - 1;
		}
		p = close + 1;
		if (p < end && *p == ' ')
			p++;
	}
	if (p == end || *p != '<')
		return false;

	addr->auri.p = ++p;
	close = memchr(p, '>', (size_t)(end - p));
	if (!close)
		return false;
	addr->auri.l = (size_t)(close - p);
	addr->params.p = close + 1;
	addr->params.l = (size_t)(end - close) - 1;
	if (!addr->params.l)
		addr->params.p = NULL;
	addr->val = *val;

	return uri_take(&addr->uri, &addr->auri) &&
	       params_take(&addr->params, "tag", &addr->tag);
}


/** "SIP/2.0/UDP 192.0.2.1:5060;params" */
static bool via_take(struct sip_via *via, const struct pl *val)
{
	static const struct pl udp = PL("SIP/2.0/UDP ");
	const char *p = val->p + udp.l, *const end = val->p + val->l;
	struct pl host;
	uint16_t port;

	if (val->l < udp.l || memcmp(val->p, udp.p, udp.l) != 0)
		return false;

	via->sentby.p = p;
	if (!hostport_take(&p, end, &host, &port) ||
	    sa_set(&via->addr, &host, port))
		return false;
	via->sentby.l = (size_t)(p - via->sentby.p);
	via->params.p = p;
	via->params.l = (size_t)(end - p);
	via->tp = SIP_TRANSP_UDP;
	via->val = *val;

	return params_take(&via->params, "branch", &via->branch);
}


/** "4711 INVITE" */
static bool cseq_take(struct sip_cseq *cseq, const struct pl *val)
{
	const char *p = val->p, *const end = p + val->l;

	if (!number_take(&p, end, &cseq->num) || p == end || *p++ != ' ')
		return false;

	cseq->met.p = p;
	cseq->met.l = (size_t)(end - p);

	return plain_run(p, end) == cseq->met.l && cseq->met.l;
}


static bool known_take(struct sip_msg *msg, struct sip_hdr *hdr)
{
	switch ((int)hdr->id) {

	case SIP_HDR_VIA:
		return msg->via.sentby.p || via_take(&msg->via, &hdr->val);

	case SIP_HDR_TO:
		return address_take(&msg->to, &hdr->val);

	case SIP_HDR_FROM:
		return address_take(&msg->from, &hdr->val);

	case SIP_HDR_CALL_ID:
		msg->callid = hdr->val;
		return true;

	case SIP_HDR_CSEQ:
		return cseq_take(&msg->cseq, &hdr->val);

	case SIP_HDR_MAX_FORWARDS:
		msg->maxfwd = hdr->val;
		return true;

	case SIP_HDR_CONTENT_TYPE:
		return !msg_ctype_decode(&msg->ctyp, &hdr->val);

	case SIP_HDR_CONTENT_LENGTH:
		msg->clen = hdr->val;
		return true;

	case SIP_HDR_EXPIRES:
		msg->expires = hdr->val;
		return true;

	default:
		return true;
	}
}


/** @return index into known, or its size */
static size_t known_find(const struct pl *name)
{
	const int c = tolower((unsigned char)name->p[0]);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (name->l == 1 ? c == known[i].compact :
		    name->l == known[i].name.l &&
		    !strncasecmp(name->p, known[i].name.p, name->l))
			break;
	}

	return i;
}


static bool header_take(struct sip_msg *msg, struct sip_hdr *hdr,
			const struct pl *line)
{
	const char *colon = memchr(line->p, ':', line->l);
	const char *p, *end = line->p + line->l;
	size_t i;

	if (!colon || colon == line->p || colon[-1] == ' ' ||
	    colon[-1] == '\t')
		return false;

	for (p = colon + 1; p < end && (*p == ' ' || *p == '\t'); p++)
		;
	while (end > p && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	if (p == end || *p == ',' || end[-1] == ',')
		return false;

	hdr->name.p = line->p;
	hdr->name.l = (size_t)(colon - line->p);
	hdr->val.p = p;
	hdr->val.l = (size_t)(end - p);
	hdr->id = SIP_HDR_NONE;
	list_append(&msg->hdrl, &hdr->le, hdr);

	i = known_find(&hdr->name);
	if (i == ARRAY_SIZE(known))
		return true;
	if (known[i].is_list && memchr(p, ',', hdr->val.l))
		return false;

	hdr->id = known[i].id;
	hash_append(msg->hdrht, hdr->id, &hdr->he, hdr);

	return known_take(msg, hdr);
}


/** What the guard has seen: "METHOD uri SIP/2.0" or "SIP/2.0 200 phrase". */
static bool start_take(struct sip_msg *msg, const struct pl *line)
{
	static const struct pl version = PL("SIP/2.0");
	const char *const end = line->p + line->l;
	const char *const space = memchr(line->p, ' ', line->l);

	if (line->l > 12 && !memcmp(line->p, "SIP/2.0 ", 8)) {
		msg->ver.p = line->p;
		msg->ver.l = version.l;
		msg->reason.p = line->p + 12;
		msg->reason.l = line->l - 12;
		for (int i = 8; i < 11; i++)
			msg->scode = (uint16_t)(10 * msg->scode +
						line->p[i] - '0');
		return true;
	}

	if (!space || space + 2 + version.l >= end)
		return false;

	msg->req = true;
	msg->met.p = line->p;
	msg->met.l = (size_t)(space - line->p);
	msg->ruri.p = space + 1;
	msg->ver.p = end - version.l;
	msg->ver.l = version.l;
	msg->ruri.l = (size_t)(msg->ver.p - 1 - msg->ruri.p);

	return uri_take(&msg->uri, &msg->ruri);
}


/** Up to CRLF, which rest moves behind; not when the next one is folded. */
static bool line_take(struct pl *rest, struct pl *line)
{
	const char *lf = memchr(rest->p, '\n', rest->l);

	if (!lf || lf == rest->p)
		return false;

	line->p = rest->p;
	line->l = (size_t)(lf - rest->p) - 1;
	pl_advance(rest, lf + 1 - rest->p);

	return rest->l && rest->p[0] != ' ' && rest->p[0] != '\t';
}


static bool head_take(struct plain *pn, struct pl *rest)
{
	struct sip_hdr *hdr = pn->hdrs;
	struct pl line;

	if (!line_take(rest, &line) || !start_take(&pn->msg, &line))
		return false;

	while (rest->l >= 2 && rest->p[0] != '\r')
		if (!line_take(rest, &line) ||
		    !header_take(&pn->msg, hdr++, &line))
			return false;

	return rest->l >= 2;
}


static size_t lines_count(const struct pl *head)
{
	const char *p = head->p, *const end = p + head->l;
	size_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(end - p)))) {
		n++;
		if (end - ++p < 2 || *p == '\r')
			break;
	}

	return n;
}


int plain_decode(struct sip_msg **msgp, struct mbuf *mb)
{
	struct pl rest = {(const char *)mbuf_buf(mb), mbuf_get_left(mb)};
	const size_t size = sizeof(struct plain) +
			    lines_count(&rest) * sizeof(struct sip_hdr);
	struct plain *pn = mem_zalloc(size, destructor);
	int err;

	if (!pn)
		return ENOMEM;

	err = hash_alloc(&pn->msg.hdrht, BUCKETS);
	if (!err && !head_take(pn, &rest))
		err = ENOTSUP;
	if (err) {
		mem_deref(pn);
		return err;
	}

	pn->msg.mb = mem_ref(mb);
	mbuf_advance(mb, (ssize_t)(mbuf_get_left(mb) - rest.l + 2));
	*msgp = &pn->msg;

	return 0;
}
