/**
 * @file leg.c  Birth and death of a leg, its reports to the owner, its facts.
 */
#include <string.h>
#include "leg_private.h"
#include "reason.h"
#include "text.h"

enum { USER_AGENT_MAX = 80, RETRY_AFTER_MAX_S = 86400 };


static void destructor(void *data)
{
	struct leg *leg = data;
	struct wheel *wheel = endpoint_wheel(leg->ep);

	if (leg->is_bound)
		endpoint_unbind(leg->ep, &leg->binding);
	wheel_stop(wheel, &leg->silence);
	wheel_stop(wheel, &leg->repeat.timer);

	list_flush(&leg->requests);
	mem_deref(leg->repeat.tx);
	mem_deref(leg->invite_in);
	mem_deref(leg->offer_in);
	mem_deref(leg->bye);
	mem_deref(leg->dialog);
	mem_deref(leg->contact);
	mem_deref(leg->user_agent);
	if (leg->credential)
		explicit_bzero(leg->credential, sizeof(*leg->credential));
	mem_deref(leg->credential);
	mem_deref(leg->owner);
}


/* What a leg that finishes alone waited for comes no more. */
static void endpoint_ended(void *arg)
{
	struct leg *leg = arg;

	leg->is_bound = false;
	if (!leg->is_held)
		return;

	leg->is_held = false;
	--leg->own_refs;
	mem_deref(leg);
}


int leg_alloc(struct leg **legp, struct sip_endpoint *ep,
	      const char *contact_host, uint8_t transport, leg_event_h *h,
	      void *arg)
{
	struct pl host;
	struct leg *leg;
	int err;

	pl_set_str(&host, contact_host);
	if (!dialog_uri_is_clean(&host))
		return EINVAL;

	leg = mem_zalloc(sizeof(*leg), destructor);
	if (!leg)
		return ENOMEM;

	leg->ep = ep;
	leg->h = h;
	leg->arg = arg;
	endpoint_token(ep, leg->binding.tag);
	leg->binding.endh = endpoint_ended;
	err = re_sdprintf(&leg->contact, "<sip:%s%s>", contact_host,
			  sip_transp_param((enum sip_transp)transport));

	if (err)
		mem_deref(leg);
	else
		*legp = leg;
	return err;
}


void leg_enter(struct leg *leg)
{
	mem_ref(leg);
	++leg->own_refs;
}


void leg_hold(struct leg *leg)
{
	if (leg->is_held)
		return;

	leg->is_held = true;
	leg_enter(leg);
}


static void release(struct leg *leg)
{
	--leg->own_refs;
	mem_deref(leg);
}


void leg_leave(struct leg *leg)
{
	if (leg->at == AT_OVER && leg->requests.head) {
		leg_hold(leg);
	}
	else if (leg->at == AT_OVER) {
		if (leg->is_bound)
			endpoint_unbind(leg->ep, &leg->binding);
		leg->is_bound = false;

		if (leg->is_held) {
			leg->is_held = false;
			release(leg);
		}
	}

	release(leg);
}


static bool is_end(enum leg_event_id id)
{
	return id == LEG_FAILED || id == LEG_CANCELLED || id == LEG_BYE;
}


/* A leg with no references but its own has nobody to report to. */
static void tell(struct leg *leg, const struct leg_event *ev)
{
	if (leg->is_told || mem_nrefs(leg) <= leg->own_refs)
		return;

	leg->is_told = is_end(ev->id);
	leg->h(leg, ev, leg->arg);
}


static uint32_t retry_after(const struct sip_msg *msg)
{
	const struct pl val = message_header(msg, "Retry-After");
	uint64_t n;
	size_t l = 0;

	while (l < val.l && val.p[l] >= '0' && val.p[l] <= '9')
		++l;

	if (!l || text_u64(&n, val.p, l, UINT32_MAX))
		return 0;

	return (uint32_t)(n < RETRY_AFTER_MAX_S ? n : RETRY_AFTER_MAX_S);
}


void leg_report(struct leg *leg, enum leg_event_id id, int err,
		const struct sip_msg *msg, const struct sip_path *path)
{
	struct leg_event ev = {
		.id = id, .err = err, .msg = msg,
		.path = path ? path : &leg->dialog->path,
	};

	if (msg) {
		ev.scode = msg->scode;
		ev.q850 = reason_read(msg, ev.reason_header,
				      sizeof(ev.reason_header));
		ev.retry_after_s = retry_after(msg);
		if (pl_isset(&msg->reason))
			(void)text_set(ev.reason, sizeof(ev.reason),
				       msg->reason.p, msg->reason.l);
		if (message_sdp(msg, &ev.sdp, &ev.sdp_len))
			ev.sdp = NULL;
	}

	tell(leg, &ev);
}


void leg_report_end(struct leg *leg, enum leg_event_id id, uint16_t scode,
		    int err, const char *reason)
{
	struct leg_event ev = {
		.id = id, .scode = scode, .err = err,
		.path = &leg->dialog->path,
	};

	str_ncpy(ev.reason, reason, sizeof(ev.reason));
	tell(leg, &ev);
}


void leg_note_user_agent(struct leg *leg, const struct sip_msg *msg)
{
	struct pl val;
	size_t i;

	if (leg->user_agent)
		return;

	val = message_header(msg, "User-Agent");
	if (!pl_isset(&val) && !msg->req)
		val = message_header(msg, "Server");
	if (!pl_isset(&val))
		return;

	for (i = 0; i < val.l; i++) {
		if ((unsigned char)val.p[i] < ' ')
			return;
	}

	if (val.l > USER_AGENT_MAX)
		val.l = USER_AGENT_MAX;
	(void)pl_strdup(&leg->user_agent, &val);
}


uint32_t leg_64t1_ms(const struct leg *leg)
{
	return 64 * endpoint_config(leg->ep)->t1_ms;
}


int leg_tail_print(struct mbuf *mb, const uint8_t *sdp, size_t len)
{
	int err = 0;

	if (sdp)
		err = mbuf_write_str(mb,
				     "Content-Type: application/sdp\r\n");
	err |= mbuf_printf(mb, "Content-Length: %zu\r\n\r\n", sdp ? len : 0);
	if (sdp)
		err |= mbuf_write_mem(mb, sdp, len);

	return err;
}


void leg_set_owner(struct leg *leg, void *owner)
{
	if (!leg)
		return;

	mem_ref(owner);
	mem_deref(leg->owner);
	leg->owner = owner;
	leg->binding.owner = owner; /* weak: ours */
	leg_in_own(leg);
}


const char *leg_call_id(const struct leg *leg)
{
	return leg ? leg->dialog->call_id : "";
}


const char *leg_user_agent(const struct leg *leg)
{
	return leg && leg->user_agent ? leg->user_agent : "";
}


bool leg_is_up(const struct leg *leg)
{
	return leg && (leg->at == AT_UP || leg->at == AT_WAIT_ACK ||
		       leg->at == AT_ANSWERED);
}
