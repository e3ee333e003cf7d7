/**
 * @file hide.c  Which headers of one side may be seen by the other.
 *
 * What is not in the list stays on its side. Among the ones left out on
 * purpose: Via, Route, Contact, User-Agent, Server, Warning, Organization,
 * Call-Info, Alert-Info, Error-Info, Reply-To, History-Info and Diversion
 * name hosts, addresses or products of the inside; Supported, Require and
 * Session-Expires are between neighbours; P-headers belong to one trust
 * domain (RFC 3325); Identity (RFC 8224) signs the From, To and Date of a
 * request that we write anew.
 */
#include <string.h>
#include "hide.h"

enum { HEADERS_N = 16 };

static const struct allowed {
	const char *name;
	const char *compact;    /**< "" when there is none                 */
	size_t len_max;         /**< longer values do not cross            */
	const char *why;
} rules[] = {
	{"Subject", "s", 128,
	 "RFC 3261 20.36: words of the caller for the called"},
	{"Priority", "", 32,
	 "RFC 3261 20.26: urgency as the caller sees it, a single token"},
	{"Accept-Language", "", 128,
	 "RFC 3261 20.3: in which language to answer"},
	{"User-to-User", "", 512,
	 "RFC 7433: opaque data from user to user, also of PRI trunks"},
	{"Session-ID", "", 128,
	 "RFC 7989: made to cross B2BUAs, random and without topology"},
};

enum { RULES_N = sizeof(rules) / sizeof(rules[0]) };


static const struct allowed *rule_find(const struct pl *name)
{
	size_t i;

	for (i = 0; i < RULES_N; i++) {
		if (!pl_strcasecmp(name, rules[i].name))
			return &rules[i];
		if (rules[i].compact[0] &&
		    !pl_strcasecmp(name, rules[i].compact))
			return &rules[i];
	}

	return NULL;
}


/* A value with CR, LF or NUL could smuggle a header of its own. */
static bool value_is_clean(const struct pl *val)
{
	size_t i;

	for (i = 0; i < val->l; i++) {
		const unsigned char c = (unsigned char)val->p[i];

		if ((c < ' ' && c != '\t') || c == 0x7f)
			return false;
	}

	return val->l > 0;
}


size_t hide_headers(const struct sip_msg *msg, char *buf, size_t size)
{
	const struct le *le;
	size_t n = 0, pos = 0;

	if (!msg || !buf || !size)
		return 0;

	for (le = msg->hdrl.head; le && n < HEADERS_N; le = le->next) {
		const struct sip_hdr *hdr = le->data;
		const struct allowed *rule = rule_find(&hdr->name);
		size_t len;

		if (!rule || hdr->val.l > rule->len_max ||
		    !value_is_clean(&hdr->val))
			continue;

		len = strlen(rule->name) + 2 + hdr->val.l + 2;
		if (len >= size - pos)
			continue;

		(void)re_snprintf(buf + pos, size - pos, "%s: %r\r\n",
				  rule->name, &hdr->val);
		pos += len;
		++n;
	}

	buf[pos] = '\0';
	return pos;
}


void hide_private(char *headers)
{
	static const char *const personal[] = {"Subject:", "User-to-User:"};
	char *to = headers, *line = headers;

	while (*line) {
		const char *end = strstr(line, "\r\n");
		const size_t len = end ? (size_t)(end - line) + 2
				       : strlen(line);
		bool is_personal = false;

		for (size_t i = 0; i < ARRAY_SIZE(personal); i++)
			is_personal |= !strncmp(line, personal[i],
						strlen(personal[i]));
		if (!is_personal) {
			memmove(to, line, len);
			to += len;
		}
		line += len;
	}
	*to = '\0';
}
