/**
 * @file dialog.c  The state of one dialog (RFC 3261 12).
 */
#include <string.h>
#include "dialog.h"

enum { ROUTES_N = 20 };

struct route_list {
	struct mbuf *mb;
	struct pl first;
	int err;
	unsigned n;
};


static void destructor(void *data)
{
	struct dialog *d = data;

	mem_deref(d->call_id);
	mem_deref(d->local);
	mem_deref(d->remote);
	mem_deref(d->remote_tag);
	mem_deref(d->target);
	mem_deref(d->routes);
}


static bool has_only(const struct pl *pl, const char *refused)
{
	size_t i;

	if (!pl->p || !pl->l || pl->l > DIALOG_TEXT_MAX)
		return false;

	for (i = 0; i < pl->l; i++) {
		if (pl->p[i] <= ' ' || pl->p[i] > '~')
			return false;
		if (strchr(refused, pl->p[i]))
			return false;
	}

	return true;
}


bool dialog_uri_is_clean(const struct pl *uri)
{
	return uri && has_only(uri, "<>\"");
}


static int copy_tag(char **tagp, const struct pl *tag)
{
	if (!pl_isset(tag))
		return str_dup(tagp, ""); /* RFC 2543 peers have none */

	return has_only(tag, "<>\";,=") ? pl_strdup(tagp, tag) : EBADMSG;
}


static int copy_uri(char **valp, const struct pl *uri)
{
	if (!dialog_uri_is_clean(uri))
		return EBADMSG;

	return re_sdprintf(valp, "<%r>", uri);
}


static void literal_addr(struct sa *sa, const struct pl *text)
{
	struct uri uri;

	sa_init(sa, AF_UNSPEC);
	if (uri_decode(&uri, text) || uri.af == AF_UNSPEC)
		return;

	if (sa_set(sa, &uri.host, uri.port ? uri.port : SIP_PORT))
		sa_init(sa, AF_UNSPEC);
}


static bool contact_uri(const struct sip_msg *msg, struct pl *uri)
{
	const struct sip_hdr *hdr = sip_msg_hdr(msg, SIP_HDR_CONTACT);
	struct sip_addr addr;

	if (!hdr || sip_addr_decode(&addr, &hdr->val))
		return false;

	*uri = addr.auri;
	return dialog_uri_is_clean(uri);
}


static int target_set(struct dialog *d, const struct pl *uri)
{
	char *target;
	int err;

	err = pl_strdup(&target, uri);
	if (err)
		return err;

	mem_deref(d->target);
	d->target = target;
	literal_addr(&d->contact, uri);
	return 0;
}


static bool route_handler(const struct sip_hdr *hdr, const struct sip_msg *msg,
			  void *arg)
{
	struct route_list *list = arg;
	struct sip_addr addr;
	(void)msg;

	if (sip_addr_decode(&addr, &hdr->val) ||
	    !dialog_uri_is_clean(&addr.auri) || ++list->n > ROUTES_N) {
		list->err = EBADMSG;
		return true;
	}

	if (list->n == 1)
		list->first = addr.auri;

	list->err = mbuf_printf(list->mb, "%s<%r>", list->n > 1 ? ", " : "",
				&addr.auri);
	if (!list->err && list->mb->end > DIALOG_ROUTES_MAX)
		list->err = EBADMSG;

	return list->err != 0;
}


/* The route set: Record-Route in order as UAS, reversed as UAC (12.1). */
static int routes_set(struct dialog *d, const struct sip_msg *msg,
		      bool is_reversed)
{
	struct route_list list = {.n = 0};
	char *routes = NULL;
	int err;

	list.mb = mbuf_alloc(256);
	if (!list.mb)
		return ENOMEM;

	sip_msg_hdr_apply(msg, !is_reversed, SIP_HDR_RECORD_ROUTE,
			  route_handler, &list);
	err = list.err;
	if (!err && list.mb->end) {
		mbuf_set_pos(list.mb, 0);
		err = mbuf_strdup(list.mb, &routes, list.mb->end);
	}
	if (err)
		goto out;

	mem_deref(d->routes);
	d->routes = routes;
	sa_init(&d->hop, AF_UNSPEC);
	if (list.n)
		literal_addr(&d->hop, &list.first);

 out:
	mem_deref(list.mb);
	return err;
}


static struct dialog *alloc(const struct sip_path *path, const char *local_tag)
{
	struct dialog *d;

	d = mem_zalloc(sizeof(*d), destructor);
	if (!d)
		return NULL;

	d->path = *path;
	str_ncpy(d->local_tag, local_tag, sizeof(d->local_tag));
	sa_init(&d->contact, AF_UNSPEC);
	sa_init(&d->hop, AF_UNSPEC);
	return d;
}


int dialog_accept(struct dialog **dp, const struct sip_msg *msg,
		  const struct sip_path *path, const char *local_tag)
{
	struct pl target;
	struct dialog *d;
	int err;

	if (!dp || !msg || !path || !local_tag)
		return EINVAL;

	if (!has_only(&msg->callid, "<>\""))
		return EBADMSG;

	d = alloc(path, local_tag);
	if (!d)
		return ENOMEM;

	if (!contact_uri(msg, &target))
		target = msg->from.auri;

	err = pl_strdup(&d->call_id, &msg->callid);
	if (!err)
		err = copy_uri(&d->local, &msg->to.auri);
	if (!err)
		err = copy_uri(&d->remote, &msg->from.auri);
	if (!err)
		err = copy_tag(&d->remote_tag, &msg->from.tag);
	if (!err)
		err = target_set(d, &target);
	if (!err)
		err = routes_set(d, msg, /* is_reversed */ false);

	d->remote_seq = msg->cseq.num;
	d->has_remote_seq = true;

	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}


int dialog_start(struct dialog **dp, const struct sip_path *path,
		 const char *call_id, const char *local_tag,
		 const char *local, const char *remote, const char *target)
{
	struct pl uri;
	struct dialog *d;
	int err;

	if (!dp || !path || !call_id || !local_tag || !local || !remote ||
	    !target)
		return EINVAL;

	pl_set_str(&uri, target);
	if (!dialog_uri_is_clean(&uri))
		return EINVAL;

	d = alloc(path, local_tag);
	if (!d)
		return ENOMEM;

	err  = str_dup(&d->call_id, call_id);
	err |= str_dup(&d->local, local);
	err |= str_dup(&d->remote, remote);
	err |= str_dup(&d->target, target);

	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}


int dialog_fork(struct dialog **dp, const struct dialog *first,
		const struct sip_msg *answer)
{
	struct dialog *d = NULL;
	int err;

	if (!dp || !first || !answer)
		return EINVAL;

	err = dialog_start(&d, &first->path, first->call_id, first->local_tag,
			   first->local, first->remote, first->target);
	if (err)
		return err;

	d->local_seq = first->local_seq;
	err = dialog_confirm(d, answer);

	if (err)
		mem_deref(d);
	else
		*dp = d;
	return err;
}


int dialog_confirm(struct dialog *d, const struct sip_msg *answer)
{
	char *tag = NULL;
	int err;

	if (!d || !answer)
		return EINVAL;

	err = copy_tag(&tag, &answer->to.tag);
	if (err)
		return err;

	err = routes_set(d, answer, /* is_reversed */ true);
	if (err) {
		mem_deref(tag);
		return err;
	}

	mem_deref(d->remote_tag);
	d->remote_tag = tag;
	dialog_refresh(d, answer);
	return 0;
}


void dialog_refresh(struct dialog *d, const struct sip_msg *msg)
{
	struct pl uri;

	/* out of memory or a broken Contact: the old target stays */
	if (d && msg && contact_uri(msg, &uri))
		(void)target_set(d, &uri);
}


bool dialog_is_from(const struct dialog *d, const struct sip_msg *answer)
{
	if (!d->remote_tag)
		return false;

	return !pl_isset(&answer->to.tag) ? !d->remote_tag[0] :
		0 == pl_strcmp(&answer->to.tag, d->remote_tag);
}


bool dialog_owns(const struct dialog *d, const struct sip_msg *request)
{
	if (pl_strcmp(&request->callid, d->call_id) ||
	    pl_strcmp(&request->to.tag, d->local_tag))
		return false;

	if (!d->remote_tag)
		return true;

	return !pl_isset(&request->from.tag) ? !d->remote_tag[0] :
		0 == pl_strcmp(&request->from.tag, d->remote_tag);
}


bool dialog_take_seq(struct dialog *d, const struct sip_msg *request)
{
	/* an equal number in a new transaction was never ours to answer */
	if (d->has_remote_seq && request->cseq.num <= d->remote_seq)
		return false;

	d->remote_seq = request->cseq.num;
	d->has_remote_seq = true;
	return true;
}


void dialog_moved(struct dialog *d, const struct sip_path *path)
{
	d->path = *path;
}


void dialog_answered(struct dialog *d, const struct sip_msg *answer)
{
	if (d->path.transport == SIP_TRANSP_UDP &&
	    sa_isset(&answer->src, SA_ALL))
		d->path.peer = answer->src;
}


void dialog_dest(const struct dialog *d, struct sip_path *ret_path)
{
	*ret_path = d->path;
	if (d->path.transport != SIP_TRANSP_UDP)
		return;

	if (d->routes) {
		if (sa_af(&d->hop) == sa_af(&d->path.local))
			ret_path->peer = d->hop;
	}
	else if (sa_isset(&d->contact, SA_ALL) &&
		 sa_cmp(&d->contact, &d->path.peer, SA_ADDR)) {
		ret_path->peer = d->contact;
	}
}


int dialog_request(struct mbuf *mb, const struct dialog *d,
		   const char *method, const char *branch, uint32_t cseq,
		   uint8_t max_forwards)
{
	int err;

	err = mbuf_printf(mb, "%s %s SIP/2.0\r\n"
			  "Via: SIP/2.0/%s %J;branch=%s;rport\r\n",
			  method, d->target,
			  sip_transp_name((enum sip_transp)d->path.transport),
			  &d->path.local, branch);
	if (d->routes)
		err |= mbuf_printf(mb, "Route: %s\r\n", d->routes);

	err |= mbuf_printf(mb, "Max-Forwards: %u\r\n"
			   "From: %s;tag=%s\r\n"
			   "To: %s%s%s\r\n"
			   "Call-ID: %s\r\n"
			   "CSeq: %u %s\r\n",
			   max_forwards, d->local, d->local_tag, d->remote,
			   str_isset(d->remote_tag) ? ";tag=" : "",
			   str_isset(d->remote_tag) ? d->remote_tag : "",
			   d->call_id, cseq, method);
	return err;
}
