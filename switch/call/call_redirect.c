/**
 * @file call_redirect.c  A carrier answered 3xx. Its gateway's policy says
 * whether that is a failure, a way to follow - only to gateways of ours, only
 * to numbers within the gateway's prefixes, at most REDIRECTS_MAX in a call,
 * never the same twice - or a matter of the caller, if it is trusted.
 */
#include <string.h>
#include "call_private.h"
#include "redirect.h"
#include "text.h"


const char *call_number(const struct call *call)
{
	return call->redirected ? call->redirected : call->called.e164;
}


static bool is_allowed(const struct call *call, const struct gateway *by,
		       const char *number)
{
	if (!by->redirect_prefix_n)
		return !strcmp(number, call->called.e164);

	for (uint8_t i = 0; i < by->redirect_prefix_n; i++) {
		const char *prefix = by->redirect_prefixes[i];

		if (!strncmp(number + 1, prefix, strlen(prefix)))
			return true;
	}

	return false;
}


static bool was_tried(const struct call *call, const struct gateway *gw,
		      const char *number)
{
	for (uint8_t i = 0; i < call->redirect_n; i++)
		if (call->redirects[i].gateway == gw &&
		    !strcmp(call->redirects[i].number, number))
			return true;

	for (uint8_t i = 0; i < call->attempt_n; i++)
		if (!strcmp(call->attempts[i].gateway_id, gw->id) &&
		    !strcmp(number, call->called.e164))
			return true;

	return false;
}


/* @return why not, NULL: it is in the list */
static const char *add(struct call *call, const struct gateway *by,
		       const struct redirect_contact *c)
{
	struct redirect *r = &call->redirects[call->redirect_n];
	const struct gateway *gw = NULL;
	char number[E164_SIZE];

	if (call->redirect_n >= REDIRECTS_MAX)
		return "too_many";
	if (sa_isset(&c->addr, SA_ALL))
		gw = catalog_peer(call->cat, &c->addr).gateway;
	if (!gw || !sa_cmp(&gw->addr, &c->addr, SA_ALL) || !gw->is_active)
		return "no_gateway";
	/* it chooses where to, not for whom */
	if (!strategy_serves(gw, call->trunk, &call->tags))
		return "not_for_customer";
	if (rule_apply(&by->number_in, c->number, number, sizeof(number)) ||
	    !number_is_e164(number) || !is_allowed(call, by, number))
		return "number_not_allowed";
	if (was_tried(call, gw, number))
		return "tried";

	r->gateway = gw;
	TEXT_FILL(r->number, number);
	call->redirect_n++;

	return NULL;
}


static bool follow(struct call *call, const struct gateway *by,
		   const struct redirect_contact *contacts, size_t n)
{
	const uint8_t before = call->redirect_n;

	for (size_t i = 0; i < n; i++) {
		const char *dropped = add(call, by, &contacts[i]);

		WHY(call->why, WHY_CANDIDATE,
		    dropped ? OUT_B_REDIRECT : OUT_OK, by->id,
		    WHY_TEXT("redirect", contacts[i].uri),
		    WHY_TEXT("dropped", dropped ? dropped : ""));
	}

	return call->redirect_n > before;
}


/* For the caller to call, as they came */
static bool pass_back(struct call *call, const struct gateway *by,
		      const struct redirect_contact *contacts, size_t n)
{
	struct mbuf *mb;
	int err = 0;

	if (!n || !call->trunk || !call->trunk->is_trusted)
		return false;

	mb = mbuf_alloc(512);
	if (!mb)
		return false;

	for (size_t i = 0; i < n; i++)
		err |= mbuf_printf(mb, "Contact: <%s>;q=%u.%03u\r\n",
				   contacts[i].uri, contacts[i].q / 1000,
				   contacts[i].q % 1000);
	mb->pos = 0;
	call->contacts = mem_deref(call->contacts);
	err |= mbuf_strdup(mb, &call->contacts, mb->end);
	mem_deref(mb);
	WHY(call->why, WHY_CANDIDATE, OUT_NONE, by->id,
	    WHY_COUNT("contacts_passed_back", (int64_t)n));

	return !err;
}


enum redirect_verdict call_redirect(struct call *call,
				    const struct gateway *by,
				    const struct sip_msg *answer)
{
	struct redirect_contact contacts[REDIRECT_CONTACTS_MAX];
	size_t n;

	if (by->redirect == REDIRECT_REFUSE || call->is_emergency)
		return REDIRECT_IS_FAILURE;

	n = redirect_read(contacts, answer);
	if (by->redirect == REDIRECT_PASS)
		return pass_back(call, by, contacts, n) ? REDIRECT_IS_LAST
							: REDIRECT_IS_FAILURE;

	return follow(call, by, contacts, n) ? REDIRECT_IS_NEXT
					     : REDIRECT_IS_FAILURE;
}
