/** @file identity.c  See identity.h. */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include "identity.h"
#include "message.h"
#include "text.h"

#define VALUES_MAX 16


static int address_read(struct identity *ret, const struct sip_addr *addr)
{
	struct identity id = {.number = ""};

	if (message_number(&addr->uri, id.number, sizeof(id.number)) ||
	    !id.number[0])
		return ENOENT;

	(void)text_set(id.name, sizeof(id.name),
		       addr->dname.p ? addr->dname.p : "", addr->dname.l);
	*ret = id;

	return 0;
}


/* Remote-Party-ID is of the calling party unless it says otherwise. */
static bool is_calling(const struct sip_addr *addr)
{
	struct pl party;

	return msg_param_decode(&addr->params, "party", &party) ||
	       !pl_strcasecmp(&party, "calling");
}


static int values_read(struct identity *ret, const struct sip_msg *msg,
		       const char *name, bool is_rpid)
{
	struct message_values values;
	struct sip_addr addr;
	struct pl value;

	message_values_init(&values, msg, name);
	for (int n = 0; n < VALUES_MAX &&
			message_values_next(&values, &value); n++) {
		if (sip_addr_decode(&addr, &value) ||
		    (is_rpid && !is_calling(&addr)))
			continue;
		if (!address_read(ret, &addr))
			return 0;
	}

	return ENOENT;
}


int identity_read(struct identity *ret, const struct sip_msg *msg,
		  enum identity_header header)
{
	static const char *const names[] = {
		[IDENTITY_HEADER_PAI] = "P-Asserted-Identity",
		[IDENTITY_HEADER_PPI] = "P-Preferred-Identity",
		[IDENTITY_HEADER_RPID] = "Remote-Party-ID",
	};
	struct sip_addr from = {.uri = msg->from.uri,
				.dname = msg->from.dname};

	memset(ret, 0, sizeof(*ret));
	if (header == IDENTITY_HEADER_FROM)
		return address_read(ret, &from);

	return values_read(ret, msg, names[header],
			   header == IDENTITY_HEADER_RPID);
}


static unsigned token_privacy(const struct pl *token)
{
	static const struct {
		const char *name;
		unsigned flag;
	} values[] = {
		{"header", PRIVACY_HEADER},   {"session", PRIVACY_SESSION},
		{"user", PRIVACY_USER},       {"id", PRIVACY_ID},
		{"history", PRIVACY_HISTORY}, {"none", PRIVACY_NONE},
		{"critical", PRIVACY_CRITICAL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		if (!pl_strcasecmp(token, values[i].name))
			return values[i].flag;
	}

	return PRIVACY_UNKNOWN;
}


/* Values stand between semicolons; some write commas. */
static bool token_next(struct pl *text, struct pl *ret)
{
	for (ret->l = 0; text->l && !ret->l;) {
		size_t len = 0;

		while (len < text->l && !strchr(";, \t\r\n", text->p[len]))
			++len;
		ret->p = text->p;
		ret->l = len;
		pl_advance(text, (ssize_t)(len < text->l ? len + 1 : len));
	}

	return ret->l > 0;
}


static unsigned value_privacy(struct pl text)
{
	unsigned privacy = 0;
	struct pl token;

	while (token_next(&text, &token))
		privacy |= token_privacy(&token);

	return privacy;
}


static bool from_is_anonymous(const struct sip_msg *msg)
{
	return !pl_strcasecmp(&msg->from.uri.host, "anonymous.invalid") ||
	       !pl_strcasecmp(&msg->from.uri.user, "anonymous");
}


static bool rpid_is_private(const struct sip_msg *msg)
{
	const struct pl value = message_header(msg, "Remote-Party-ID");
	struct sip_addr addr;
	struct pl privacy;

	return value.l && !sip_addr_decode(&addr, &value) &&
	       !msg_param_decode(&addr.params, "privacy", &privacy) &&
	       (!pl_strcasecmp(&privacy, "full") ||
		!pl_strcasecmp(&privacy, "uri"));
}


unsigned privacy_read(const struct sip_msg *msg)
{
	struct message_values values;
	unsigned privacy = 0;
	struct pl value;

	message_values_init(&values, msg, "Privacy");
	for (int n = 0; n < VALUES_MAX &&
			message_values_next(&values, &value); n++)
		privacy |= value_privacy(value);

	if (from_is_anonymous(msg) || rpid_is_private(msg))
		privacy |= PRIVACY_ID;

	return privacy;
}


static bool is_word(const struct pl *token)
{
	for (size_t i = 0; i < token->l; i++)
		if (!isalnum((unsigned char)token->p[i]) &&
		    token->p[i] != '-' && token->p[i] != '.' &&
		    token->p[i] != '_')
			return false;

	return true;
}


static void unknown_add(struct pl text, char *buf, size_t size)
{
	struct pl token;

	while (token_next(&text, &token)) {
		const size_t used = strlen(buf);

		if (token_privacy(&token) != PRIVACY_UNKNOWN ||
		    !is_word(&token) || used + token.l + 3 > size)
			continue;
		(void)re_snprintf(buf + used, size - used, "%s%r",
				  used ? ", " : "", &token);
	}
}


void privacy_unknown(const struct sip_msg *msg, char *buf, size_t size)
{
	struct message_values values;
	struct pl value;

	buf[0] = '\0';
	message_values_init(&values, msg, "Privacy");
	for (int n = 0; n < VALUES_MAX &&
			message_values_next(&values, &value); n++)
		unknown_add(value, buf, size);
}


bool privacy_hides_number(unsigned privacy)
{
	/* a value that is not known is taken for one that hides */
	return (privacy & (PRIVACY_HEADER | PRIVACY_USER | PRIVACY_ID |
			   PRIVACY_CRITICAL | PRIVACY_UNKNOWN)) != 0;
}


bool privacy_is_impossible(unsigned privacy)
{
	return (privacy & PRIVACY_CRITICAL) && (privacy & PRIVACY_UNKNOWN);
}
