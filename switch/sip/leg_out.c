/**
 * @file leg_out.c  A leg that we call (UAC): the INVITE, its answers, ACK and
 * CANCEL (RFC 3261 13.2, 9.1).
 */
#include <errno.h>
#include <string.h>
#include "leg_private.h"
#include "location.h"
#include "text.h"


static void confirmed(struct leg_request *r, const struct sip_msg *msg)
{
	struct leg *leg = r->leg;
	int err;

	err = dialog_confirm(leg->dialog, msg);
	if (err == ENOMEM)
		return; /* the 2xx is repeated */

	leg->invite = NULL;
	if (err) {
		/* without a usable tag or route set no ACK can reach it */
		leg->at = AT_OVER;
		leg_report_end(leg, LEG_FAILED, 0, err, "");
	}
	else if (leg->at == AT_DIALLING) {
		leg->at = AT_ANSWERED;
		leg->unacked = r;
		leg_report(leg, LEG_ANSWERED, 0, msg, NULL);
	}
	else if (leg->at == AT_CANCELLING) {
		/* the answer crossed our CANCEL: RFC 3261 9.1, 15 */
		leg_report_end(leg, LEG_FAILED, 487, 0,
			       "Request Terminated");
		leg->at = AT_ANSWERED;
		leg->unacked = r;
		leg_bye(leg, 0, NULL);
	}
}


static void failed(struct leg_request *r, int err, const struct sip_msg *msg)
{
	struct leg *leg = r->leg;

	leg_request_forget(r);
	leg->at = AT_OVER;
	leg_report(leg, LEG_FAILED, err, msg, NULL);
}


static void invite_handler(struct leg_request *r, int err,
			   const struct sip_msg *msg)
{
	struct leg *leg = r->leg;

	wheel_stop(endpoint_wheel(leg->ep), &leg->silence);
	if (!err)
		leg_note_user_agent(leg, msg);

	if (err || msg->scode >= 300)
		failed(r, err, msg);
	else if (msg->scode < 200 && leg->at == AT_DIALLING)
		leg_report(leg, msg->scode == 100 ? LEG_TRYING : LEG_PROGRESS,
			   0, msg, NULL);
	else if (msg->scode >= 200 && leg->invite == r)
		confirmed(r, msg);
	else if (msg->scode >= 200 && dialog_is_from(leg->dialog, msg))
		leg_request_ack_again(r);
	else if (msg->scode >= 200)
		leg_request_release_fork(r, msg);
}


static void silence_handler(void *arg)
{
	struct leg *leg = arg;

	leg_enter(leg);
	leg_out_abandon(leg, 0);
	leg_report_end(leg, LEG_FAILED, 0, ETIMEDOUT, "");
	leg_leave(leg);
}


static int address_print(char **valp, const char *display, const char *user,
			 const char *host)
{
	char quoted[160] = "";
	struct pl pl_user, pl_host;
	int err;

	pl_set_str(&pl_user, user);
	pl_set_str(&pl_host, host);
	if (!dialog_uri_is_clean(&pl_host))
		return EINVAL;

	if (display[0]) {
		err = message_quote(quoted, sizeof(quoted), display);
		if (err)
			return err;
	}

	return re_sdprintf(valp, "%s%s<sip:%H%s%s>", quoted,
			   quoted[0] ? " " : "", uri_user_escape, &pl_user,
			   user[0] ? "@" : "", host);
}


static bool headers_end(const char *headers)
{
	const size_t len = strlen(headers);

	return !len || (len > 2 && !strcmp(headers + len - 2, "\r\n"));
}


/* The SDP, with the caller's place where the owner says so */
static int body_make(struct mbuf *mb, const struct leg *leg,
		     const struct leg_out *out, const uint8_t *sdp, size_t len)
{
	struct location_parts parts;
	char token[TOKEN_SIZE];

	if (!out->location)
		return leg_tail_print(mb, sdp, len);

	endpoint_token(leg->ep, token);
	(void)re_snprintf(parts.boundary, sizeof(parts.boundary), "b-%s",
			  token);
	endpoint_token(leg->ep, token);
	(void)re_snprintf(parts.cid, sizeof(parts.cid), "%s@location.invalid",
			  token);

	return location_print(mb, out->location, out->location_form, &parts,
			      out->from_user, sdp, len);
}


/* What the owner says besides From and To, our Contact and the SDP. */
static int tail_make(struct mbuf **mbp, const struct leg *leg,
		     const struct leg_out *out, const uint8_t *sdp, size_t len)
{
	const char *server = endpoint_config(leg->ep)->server_name;
	struct mbuf *mb;
	int err;

	if (!headers_end(out->headers))
		return EINVAL;

	mb = mbuf_alloc(512);
	if (!mb)
		return ENOMEM;

	err = mbuf_printf(mb, "Contact: %s\r\n" LEG_ALLOW, leg->contact);
	if (!err && str_isset(server))
		err = mbuf_printf(mb, "User-Agent: %s\r\n", server);
	if (!err)
		err = leg_identity_print(mb, out);
	if (!err)
		err = mbuf_write_str(mb, out->headers);
	if (!err)
		err = body_make(mb, leg, out, sdp, len);

	if (err)
		mem_deref(mb);
	else
		*mbp = mb;
	return err;
}


static int dialog_make(struct leg *leg, const struct leg_out *out)
{
	char *local = NULL, *remote = NULL;
	char call_id[TOKEN_SIZE];
	int err;

	err = address_print(&local, out->from_display, out->from_user,
			    out->from_host);
	if (!err)
		err = address_print(&remote, "", out->to_user, out->to_host);
	if (err)
		goto out;

	endpoint_token(leg->ep, call_id);
	err = dialog_start(&leg->dialog, &out->path, call_id,
			   leg->binding.tag, local, remote, out->request_uri);

 out:
	mem_deref(local);
	mem_deref(remote);
	return err;
}


static int credential_copy(struct leg *leg, const struct credential *cred)
{
	if (!cred->username[0])
		return 0;

	leg->credential = mem_alloc(sizeof(*cred), NULL);
	if (!leg->credential)
		return ENOMEM;

	*leg->credential = *cred;
	return 0;
}


/* A leg that has not sent its INVITE yet, and what the INVITE says. */
static int leg_make(struct leg **legp, struct mbuf **tailp,
		    struct sip_endpoint *ep, const struct leg_out *out,
		    const uint8_t *sdp, size_t len, leg_event_h *h, void *arg)
{
	struct leg *leg = NULL;
	int err;

	err = leg_alloc(&leg, ep, out->contact_host, out->path.transport, h,
			arg);
	if (err)
		return err;

	leg->at = AT_DIALLING;
	err = dialog_make(leg, out);
	if (!err)
		err = tail_make(tailp, leg, out, sdp, len);

	if (err)
		mem_deref(leg);
	else
		*legp = leg;
	return err;
}


int leg_preview(struct mbuf *mb, struct sip_endpoint *ep,
		const struct leg_out *out, const uint8_t *sdp, size_t len)
{
	struct leg *leg = NULL;
	struct mbuf *tail = NULL;
	char token[TOKEN_SIZE], branch[7 + TOKEN_SIZE];
	int err;

	if (!mb || !ep || !out)
		return EINVAL;

	err = leg_make(&leg, &tail, ep, out, sdp, len, NULL, NULL);
	if (err)
		return err;

	endpoint_token(ep, token);
	(void)re_snprintf(branch, sizeof(branch), "z9hG4bK%s", token);
	err = dialog_request(mb, leg->dialog, "INVITE", branch,
			     leg->dialog->local_seq + 1, out->max_forwards);
	if (!err)
		err = mbuf_write_mem(mb, tail->buf, tail->end);

	mem_deref(tail);
	mem_deref(leg);
	return err;
}


int leg_dial(struct leg **legp, struct sip_endpoint *ep,
	     const struct leg_out *out, const uint8_t *sdp, size_t len,
	     leg_event_h *h, void *arg)
{
	struct leg *leg = NULL;
	struct mbuf *tail = NULL;
	int err;

	if (!legp || !ep || !out || !h)
		return EINVAL;

	err = leg_make(&leg, &tail, ep, out, sdp, len, h, arg);
	if (err)
		return err;

	leg_set_owner(leg, out->owner);
	err = credential_copy(leg, &out->credential);
	if (err)
		mem_deref(tail);
	else
		err = leg_request_send(&leg->invite, leg, leg->dialog,
				       "INVITE", tail, out->max_forwards,
				       invite_handler);
	if (err)
		goto out;

	endpoint_bind(ep, &leg->binding, leg->dialog->local_tag,
		      leg_dialog_handler, leg);
	leg->is_bound = true;
	if (out->no_response_ms)
		wheel_start(endpoint_wheel(ep), &leg->silence,
			    out->no_response_ms, silence_handler, leg);

 out:
	if (err)
		mem_deref(leg);
	else
		*legp = leg;
	return err;
}


int leg_ack(struct leg *leg, const uint8_t *sdp, size_t len)
{
	struct leg_request *r;
	int err;

	if (!leg)
		return EINVAL;

	r = leg->unacked;
	if (!r)
		return ENOENT;

	err = leg_request_ack(r, sdp, len);
	if (err)
		return err;

	leg->unacked = NULL;
	if (leg->offer == r)
		leg->offer = NULL;
	if (leg->at == AT_ANSWERED)
		leg->at = AT_UP;

	return 0;
}


void leg_out_abandon(struct leg *leg, uint8_t q850)
{
	wheel_stop(endpoint_wheel(leg->ep), &leg->silence);
	leg->at = AT_CANCELLING;
	leg_hold(leg);
	leg_request_cancel(leg->invite, q850);
}


void leg_cancel(struct leg *leg, uint8_t q850)
{
	if (!leg)
		return;

	if (leg->at == AT_DIALLING)
		leg_out_abandon(leg, q850);
	else if (leg->at == AT_ANSWERED)
		leg_bye(leg, q850, NULL);
	else if (leg->at == AT_UP && leg->offer)
		leg_request_cancel(leg->offer, q850);
}
