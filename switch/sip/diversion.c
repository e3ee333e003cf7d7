/** @file diversion.c  See diversion.h. */
#include <errno.h>
#include <string.h>
#include "diversion.h"
#include "message.h"
#include "text.h"

#define VALUES_MAX 16

/** RFC 7544 5: the reason of a Diversion and the cause of a History-Info. */
static const struct {
	const char *reason;
	uint32_t cause;
} causes[] = {
	{"unknown", 404},     {"user-busy", 486}, {"no-answer", 408},
	{"unconditional", 302}, {"deflection", 480}, {"deflection", 487},
	{"unavailable", 503},
};


static const char *reason_of(uint32_t cause)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (causes[i].cause == cause)
			return causes[i].reason;
	}

	return causes[0].reason;
}


static uint32_t cause_of(const char *reason)
{
	for (size_t i = 0; i < ARRAY_SIZE(causes); i++) {
		if (!strcmp(causes[i].reason, reason))
			return causes[i].cause;
	}

	return causes[0].cause;
}


/* A token of letters, digits and '-', or else "unknown". */
static void reason_set(struct diversion *d, const struct pl *text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-";

	if (!text->l || text_set(d->reason, sizeof(d->reason), text->p,
				 text->l) ||
	    d->reason[strspn(d->reason, allowed)])
		(void)text_copy(d->reason, sizeof(d->reason), "unknown");
}


static bool is_off(const struct pl *params, const char *name)
{
	struct pl value;

	return msg_param_decode(params, name, &value) ||
	       !pl_strcasecmp(&value, "off") || !pl_strcasecmp(&value, "name");
}


static int diverter_read(struct diversion *d, const struct pl *value)
{
	struct sip_addr addr;
	struct pl reason = PL_INIT;

	memset(d, 0, sizeof(*d));
	if (sip_addr_decode(&addr, value) ||
	    message_number(&addr.uri, d->number, sizeof(d->number)) ||
	    !d->number[0])
		return EBADMSG;

	(void)msg_param_decode(&addr.params, "reason", &reason);
	reason_set(d, &reason);
	d->is_private = !is_off(&addr.params, "privacy");

	return 0;
}


static size_t diverters_read(struct diversion ret[DIVERSIONS_MAX],
			     const struct sip_msg *msg)
{
	struct message_values values;
	struct pl value;
	size_t n = 0;

	message_values_init(&values, msg, "Diversion");
	for (int i = 0; i < VALUES_MAX && n < DIVERSIONS_MAX &&
			message_values_next(&values, &value); i++) {
		if (!diverter_read(&ret[n], &value))
			++n;
	}

	return n;
}


/** One entry of History-Info. */
struct entry {
	struct diversion who;
	uint32_t cause;      /**< why the call came to it; 0: not diverted   */
};


static int entry_read(struct entry *e, const struct pl *value)
{
	struct sip_addr addr;
	struct pl cause;

	memset(e, 0, sizeof(*e));
	if (sip_addr_decode(&addr, value) ||
	    message_number(&addr.uri, e->who.number, sizeof(e->who.number)) ||
	    !e->who.number[0])
		return EBADMSG;

	if (!msg_param_decode(&addr.uri.params, "cause", &cause))
		e->cause = pl_u32(&cause);
	/* a header of the URI, compared without case (RFC 7044) */
	e->who.is_private = addr.uri.headers.l &&
			    !re_regex(addr.uri.headers.p,
				      addr.uri.headers.l, "privacy=history");

	return 0;
}


/* The entry before one with a cause has forwarded; the last comes first. */
static size_t history_read(struct diversion ret[DIVERSIONS_MAX],
			   const struct sip_msg *msg)
{
	struct entry entries[VALUES_MAX];
	struct message_values values;
	size_t count = 0, n = 0, i;
	struct pl value;

	message_values_init(&values, msg, "History-Info");
	for (i = 0; i < VALUES_MAX && message_values_next(&values, &value);
	     i++) {
		if (!entry_read(&entries[count], &value))
			++count;
	}

	for (i = count; i-- > 1 && n < DIVERSIONS_MAX;) {
		if (!entries[i].cause)
			continue;
		ret[n] = entries[i - 1].who;
		(void)text_copy(ret[n].reason, sizeof(ret[n].reason),
				reason_of(entries[i].cause));
		++n;
	}

	return n;
}


size_t diversion_read(struct diversion ret[DIVERSIONS_MAX],
		      const struct sip_msg *msg)
{
	const size_t n = diverters_read(ret, msg);

	return n ? n : history_read(ret, msg);
}


static int uri_print(struct mbuf *mb, const char *number, bool is_private,
		     const char *host)
{
	struct pl user;

	if (is_private)
		return mbuf_write_str(mb, "sip:anonymous@anonymous.invalid");

	pl_set_str(&user, number);
	return mbuf_printf(mb, "sip:%H@%s", uri_user_escape, &user, host);
}


int diversion_print(struct mbuf *mb, const struct diversion *list, size_t n,
		    const char *host)
{
	int err = 0;

	for (size_t i = 0; i < n && !err; i++) {
		const struct diversion *d = &list[i];

		err = mbuf_write_str(mb, "Diversion: <");
		err |= uri_print(mb, d->number, d->is_private, host);
		err |= mbuf_printf(mb, ">;reason=%s%s\r\n", d->reason,
				   d->is_private ? ";privacy=full" : "");
	}

	return err ? ENOMEM : 0;
}


/* ";index=1.1.1" of step i; ";mp=1.1" says that it was mapped from there. */
static int index_print(struct mbuf *mb, size_t i)
{
	int err = mbuf_write_str(mb, ">;index=1");

	for (size_t k = 0; k < i; k++)
		err |= mbuf_write_str(mb, ".1");
	if (i)
		err |= mbuf_write_str(mb, ";mp=1");
	for (size_t k = 1; k < i; k++)
		err |= mbuf_write_str(mb, ".1");

	return err;
}


int diversion_print_history(struct mbuf *mb, const struct diversion *list,
			    size_t n, const char *called, const char *host)
{
	int err = mbuf_write_str(mb, "History-Info: ");

	for (size_t i = 0; i <= n && !err; i++) {
		const struct diversion *d = i < n ? &list[n - 1 - i] : NULL;

		err = mbuf_write_str(mb, i ? ", <" : "<");
		err |= uri_print(mb, d ? d->number : called,
				 d && d->is_private, host);
		if (i)
			err |= mbuf_printf(mb, ";cause=%u",
					   cause_of(list[n - i].reason));
		if (d && d->is_private)
			err |= mbuf_write_str(mb, "?Privacy=history");
		err |= index_print(mb, i);
	}
	err |= mbuf_write_str(mb, "\r\n");

	return err ? ENOMEM : 0;
}
