/** @file plain_same.c  Field by field. */
#include <string.h>
#include "plain_same.h"


static bool is_same(const struct pl *a, const struct pl *b)
{
	return a->l == b->l && !memcmp(a->p ? a->p : "", b->p ? b->p : "",
				       a->l);
}


static bool uri_same(const struct uri *a, const struct uri *b)
{
	return is_same(&a->scheme, &b->scheme) && is_same(&a->user, &b->user) &&
	       is_same(&a->password, &b->password) &&
	       is_same(&a->host, &b->host) && a->af == b->af &&
	       a->port == b->port && is_same(&a->params, &b->params) &&
	       is_same(&a->headers, &b->headers);
}


static bool address_same(const struct sip_taddr *a, const struct sip_taddr *b)
{
	return is_same(&a->dname, &b->dname) && is_same(&a->auri, &b->auri) &&
	       uri_same(&a->uri, &b->uri) && is_same(&a->params, &b->params) &&
	       is_same(&a->tag, &b->tag) && is_same(&a->val, &b->val);
}


static bool via_same(const struct sip_via *a, const struct sip_via *b)
{
	return is_same(&a->sentby, &b->sentby) &&
	       sa_cmp(&a->addr, &b->addr, SA_ALL) &&
	       is_same(&a->params, &b->params) &&
	       is_same(&a->branch, &b->branch) && is_same(&a->val, &b->val) &&
	       a->tp == b->tp;
}


/* Those that are asked for by id: also how many there are. */
static bool ids_same(const struct sip_msg *a, const struct sip_msg *b)
{
	static const enum sip_hdrid ids[] = {
		SIP_HDR_AUTHORIZATION, SIP_HDR_CONTACT,
		SIP_HDR_PROXY_AUTHENTICATE, SIP_HDR_PROXY_AUTHORIZATION,
		SIP_HDR_REASON, SIP_HDR_RECORD_ROUTE, SIP_HDR_ROUTE,
		SIP_HDR_VIA, SIP_HDR_WWW_AUTHENTICATE,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		const struct sip_hdr *ha = sip_msg_hdr(a, ids[i]);
		const struct sip_hdr *hb = sip_msg_hdr(b, ids[i]);

		if (sip_msg_hdr_count(a, ids[i]) !=
		    sip_msg_hdr_count(b, ids[i]))
			return false;
		if (ha && !is_same(&ha->val, &hb->val))
			return false;
	}

	return true;
}


/* Names may differ: before libre, strangers with a known hash get another. */
static bool lines_same(const struct sip_msg *a, const struct sip_msg *b)
{
	const struct le *la = a->hdrl.head, *lb = b->hdrl.head;

	for (; la && lb; la = la->next, lb = lb->next) {
		const struct sip_hdr *ha = la->data, *hb = lb->data;

		if (ha->name.l != hb->name.l || !is_same(&ha->val, &hb->val))
			return false;
	}

	return !la && !lb;
}


const char *plain_same(const struct sip_msg *a, const struct sip_msg *b)
{
	if (a->req != b->req || !is_same(&a->met, &b->met) ||
	    !is_same(&a->ver, &b->ver) || !is_same(&a->ruri, &b->ruri) ||
	    a->scode != b->scode || !is_same(&a->reason, &b->reason))
		return "first line";
	if (a->req && !uri_same(&a->uri, &b->uri))
		return "Request-URI";
	if (!via_same(&a->via, &b->via))
		return "Via";
	if (!address_same(&a->from, &b->from))
		return "From";
	if (!address_same(&a->to, &b->to))
		return "To";
	if (a->cseq.num != b->cseq.num || !is_same(&a->cseq.met, &b->cseq.met))
		return "CSeq";
	if (!is_same(&a->ctyp.type, &b->ctyp.type) ||
	    !is_same(&a->ctyp.subtype, &b->ctyp.subtype) ||
	    !is_same(&a->ctyp.params, &b->ctyp.params))
		return "Content-Type";
	if (!is_same(&a->callid, &b->callid) ||
	    !is_same(&a->maxfwd, &b->maxfwd) ||
	    !is_same(&a->expires, &b->expires) || !is_same(&a->clen, &b->clen))
		return "a short header";
	if (!ids_same(a, b))
		return "headers by id";
	if (!lines_same(a, b))
		return "lines";

	return mbuf_get_left(a->mb) == mbuf_get_left(b->mb) ? NULL : "body";
}
