/**
 * @file message.c  Reading: guard, decoders, and the questions that
 * the rest of the switch asks of a message.
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <re.h>
#include "guard.h"
#include "message.h"
#include "plain.h"

#define PARTS_MAX 16          /**< of a multipart body                   */
#define BOUNDARY_LEN_MAX 70   /**< RFC 2046 5.1.1                        */
#define VIAS_MAX 70           /**< one per hop, as Max-Forwards bounds   */

/** What is decoded, or asked for, by libre's id of a header. */
static const struct {
	enum sip_hdrid id;
	const char *name;
} known[] = {
	{SIP_HDR_AUTHORIZATION, "Authorization"},
	{SIP_HDR_CALL_ID, "Call-ID"},
	{SIP_HDR_CONTACT, "Contact"},
	{SIP_HDR_CONTENT_LENGTH, "Content-Length"},
	{SIP_HDR_CONTENT_TYPE, "Content-Type"},
	{SIP_HDR_CSEQ, "CSeq"},
	{SIP_HDR_EXPIRES, "Expires"},
	{SIP_HDR_FROM, "From"},
	{SIP_HDR_MAX_FORWARDS, "Max-Forwards"},
	{SIP_HDR_PROXY_AUTHENTICATE, "Proxy-Authenticate"},
	{SIP_HDR_PROXY_AUTHORIZATION, "Proxy-Authorization"},
	{SIP_HDR_REASON, "Reason"},
	{SIP_HDR_RECORD_ROUTE, "Record-Route"},
	{SIP_HDR_ROUTE, "Route"},
	{SIP_HDR_TIMESTAMP, "Timestamp"},
	{SIP_HDR_TO, "To"},
	{SIP_HDR_VIA, "Via"},
	{SIP_HDR_WWW_AUTHENTICATE, "WWW-Authenticate"},
};

/** RFC 3261 7.3.3 and the registry of header fields. */
static const struct {
	const char *name;
	char compact;
} compacts[] = {
	{"Accept-Contact", 'a'},
	{"Allow-Events", 'u'},
	{"Call-ID", 'i'},
	{"Contact", 'm'},
	{"Content-Encoding", 'e'},
	{"Content-Length", 'l'},
	{"Content-Type", 'c'},
	{"Event", 'o'},
	{"From", 'f'},
	{"Identity", 'y'},
	{"Refer-To", 'r'},
	{"Referred-By", 'b'},
	{"Reject-Contact", 'j'},
	{"Request-Disposition", 'd'},
	{"Session-Expires", 'x'},
	{"Subject", 's'},
	{"Supported", 'k'},
	{"To", 't'},
	{"Via", 'v'},
};


/**
 * libre's id is a 12-bit hash of the name and nothing else: a stranger with
 * the hash of To would be taken for To, behind the guard's back. There are
 * honest ones too (DC-Info has Call-ID's). As "X-..." it has no id.
 */
static void name_mask(char *name, size_t len)
{
	size_t i;
	enum sip_hdrid id;

	while (len && (name[len - 1] == ' ' || name[len - 1] == '\t'))
		--len;

	if (len < 2)
		return;

	id = (enum sip_hdrid)(hash_joaat_ci(name, len) & 0xfff);

	for (i = 0; i < ARRAY_SIZE(known); i++) {
		if (id != known[i].id)
			continue;

		if (len != strlen(known[i].name) ||
		    strncasecmp(name, known[i].name, len) != 0) {
			name[0] = 'X';
			name[1] = '-';
		}
		return;
	}
}


/** @param head  what the guard has passed: each line ends with CRLF */
static void names_mask(char *head, size_t len)
{
	const char *end = head + len;
	char *line = memchr(head, '\n', len), *colon;

	while (line && ++line < end && *line != '\r') {
		colon = *line == ' ' || *line == '\t' ? NULL :
			memchr(line, ':', (size_t)(end - line));
		if (colon)
			name_mask(line, (size_t)(colon - line));

		line = memchr(line, '\n', (size_t)(end - line));
	}
}


/** libre may find another branch than the guard did (a quoted ";branch="). */
static bool is_whole(const struct sip_msg *msg)
{
	const struct pl *branch = &msg->via.branch;
	const struct le *le;
	unsigned vias = 0;

	for (le = msg->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (hdr->id == SIP_HDR_VIA &&
		    (!hdr->val.l || ++vias > VIAS_MAX))
			return false;
	}

	return branch->l > 7 && !memcmp(branch->p, "z9hG4bK", 7) &&
	       pl_isset(&msg->to.val) && pl_isset(&msg->from.val) &&
	       pl_isset(&msg->callid) && pl_isset(&msg->cseq.met);
}


int message_decode(struct sip_msg **msgp, const struct sip_path *path,
		   const uint8_t *buf, size_t len, int *ret_verdict)
{
	struct sip_msg *msg = NULL;
	enum guard_verdict verdict;
	struct mbuf *mb;
	int err;

	if (!msgp || !path || !buf || !ret_verdict)
		return EINVAL;

	verdict = guard_check(buf, len, &len);
	*ret_verdict = (int)verdict;
	if (verdict != GUARD_OK)
		return EBADMSG;

	mb = mbuf_alloc(len);
	if (!mb)
		return ENOMEM;

	memcpy(mb->buf, buf, len);
	mb->end = len;

	err = plain_decode(&msg, mb);
	if (err == ENOTSUP) {
		names_mask((char *)mb->buf, len);
		err = sip_msg_decode(&msg, mb);
	}
	mem_deref(mb);
	if (err)
		return err == ENOMEM ? ENOMEM : EBADMSG;

	if (!is_whole(msg)) {
		mem_deref(msg);
		return EBADMSG;
	}

	msg->src = path->peer;
	msg->dst = path->local;
	msg->tp = (enum sip_transp)path->transport;
	*msgp = msg;

	return 0;
}


bool message_is(const struct sip_msg *msg, const char *method)
{
	return !pl_strcmp(msg->req ? &msg->met : &msg->cseq.met, method);
}


static char compact_name(const char *name)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(compacts); i++) {
		if (!strcasecmp(name, compacts[i].name))
			return compacts[i].compact;
	}

	return 0;
}


/** Lines of one name, in their order; le is where to go on. */
static const struct sip_hdr *header_next(struct le **le, const char *name)
{
	const char compact = compact_name(name);
	const struct sip_hdr *hdr;

	while (*le) {
		hdr = (*le)->data;
		*le = (*le)->next;

		if (hdr->name.l == 1 ?
		    tolower((unsigned char)hdr->name.p[0]) == compact :
		    !pl_strcasecmp(&hdr->name, name))
			return hdr;
	}

	return NULL;
}


struct pl message_header(const struct sip_msg *msg, const char *name)
{
	struct le *le = msg->hdrl.head;
	const struct sip_hdr *hdr = header_next(&le, name);

	return hdr ? hdr->val : pl_null;
}


static void trim(struct pl *pl)
{
	while (pl->l && strchr(" \t\r\n", pl->p[0]))
		pl_advance(pl, 1);

	while (pl->l && strchr(" \t\r\n", pl->p[pl->l - 1]))
		--pl->l;
}


static bool list_holds(struct pl list, const char *token)
{
	struct pl item;
	const char *end;

	while (list.l) {
		end = memchr(list.p, ',', list.l);
		item = list;
		item.l = end ? (size_t)(end - list.p) : list.l;
		pl_advance(&list, (ssize_t)(item.l + (end ? 1 : 0)));

		end = memchr(item.p, ';', item.l);
		if (end)
			item.l = (size_t)(end - item.p);

		trim(&item);
		if (!pl_strcasecmp(&item, token))
			return true;
	}

	return false;
}


bool message_lists(const struct sip_msg *msg, const char *header,
		   const char *token)
{
	struct le *le = msg->hdrl.head;
	const struct sip_hdr *hdr;

	while ((hdr = header_next(&le, header))) {
		if (list_holds(hdr->val, token))
			return true;
	}

	return false;
}


void message_values_init(struct message_values *v, const struct sip_msg *msg,
			 const char *name)
{
	v->name = name;
	v->le = msg->hdrl.head;
	v->rest = pl_null;
}


/* Up to the next comma that separates. */
static size_t value_length(const struct pl *text)
{
	bool is_quoted = false, is_angled = false;
	size_t i;

	for (i = 0; i < text->l; i++) {
		const char c = text->p[i];

		if (is_quoted && c == '\\')
			++i;
		else if (c == '"')
			is_quoted = !is_quoted;
		else if (!is_quoted && (c == '<' || c == '>'))
			is_angled = c == '<';
		else if (c == ',' && !is_quoted && !is_angled)
			break;
	}

	return i < text->l ? i : text->l;
}


bool message_values_next(struct message_values *v, struct pl *ret_value)
{
	const struct sip_hdr *hdr;

	for (;;) {
		while (v->rest.l) {
			struct pl value = v->rest;

			value.l = value_length(&v->rest);
			pl_advance(&v->rest, (ssize_t)(value.l +
						(value.l < v->rest.l)));
			trim(&value);
			if (value.l) {
				*ret_value = value;
				return true;
			}
		}

		hdr = header_next(&v->le, v->name);
		if (!hdr)
			return false;
		v->rest = hdr->val;
	}
}


/** Does this part's head say application/sdp? */
static bool part_is_sdp(struct pl head)
{
	static const struct pl name = PL("content-type:");
	struct msg_ctype ctype;
	struct pl line;
	const char *end;

	while (head.l) {
		end = memmem(head.p, head.l, "\r\n", 2);
		line = head;
		line.l = end ? (size_t)(end - head.p) : head.l;
		pl_advance(&head, (ssize_t)(line.l + (end ? 2 : 0)));

		if (line.l < name.l ||
		    strncasecmp(line.p, name.p, name.l) != 0)
			continue;

		pl_advance(&line, (ssize_t)name.l);

		return !msg_ctype_decode(&ctype, &line) &&
		       msg_ctype_cmp(&ctype, "application", "sdp");
	}

	return false;
}


/**
 * The next part of a multipart body (RFC 2046 5.1.1).
 * @param mark  CRLF "--" boundary
 */
static bool part_next(struct pl *rest, const struct pl *mark, struct pl *part)
{
	const char *end = memmem(rest->p, rest->l, mark->p, mark->l);

	if (!end)
		return false;

	part->p = rest->p;
	part->l = (size_t)(end - rest->p);
	pl_advance(rest, (ssize_t)(part->l + mark->l));

	return true;
}


static int multipart_sdp(const struct sip_msg *msg, struct pl *ret_sdp)
{
	struct pl rest = {(const char *)mbuf_buf(msg->mb),
			  mbuf_get_left(msg->mb)};
	char text[4 + BOUNDARY_LEN_MAX + 1];
	struct pl boundary, mark, part;
	const char *end;
	unsigned n;

	if (msg_param_decode(&msg->ctyp.params, "boundary", &boundary))
		return ENOENT;

	if (boundary.l > BOUNDARY_LEN_MAX ||
	    re_snprintf(text, sizeof(text), "\r\n--%r", &boundary) < 0)
		return ENOENT;

	/* the first mark may stand at the very start: without its CRLF */
	pl_set_str(&mark, text + 2);
	if (!part_next(&rest, &mark, &part))
		return ENOENT;

	pl_set_str(&mark, text);
	for (n = 0; n < PARTS_MAX && part_next(&rest, &mark, &part); n++) {
		end = memmem(part.p, part.l, "\r\n\r\n", 4);
		if (!end)
			continue;

		ret_sdp->p = end + 4;
		ret_sdp->l = (size_t)(part.p + part.l - ret_sdp->p);
		part.l = (size_t)(end - part.p);
		if (ret_sdp->l && part_is_sdp(part))
			return 0;
	}

	return ENOENT;
}


int message_sdp(const struct sip_msg *msg, const uint8_t **ret_sdp,
		size_t *ret_len)
{
	struct pl sdp;

	if (!mbuf_get_left(msg->mb))
		return ENOENT;

	if (msg_ctype_cmp(&msg->ctyp, "application", "sdp")) {
		*ret_sdp = mbuf_buf(msg->mb);
		*ret_len = mbuf_get_left(msg->mb);
		return 0;
	}

	if (pl_strcasecmp(&msg->ctyp.type, "multipart") ||
	    multipart_sdp(msg, &sdp))
		return ENOENT;

	*ret_sdp = (const uint8_t *)sdp.p;
	*ret_len = sdp.l;

	return 0;
}


/** One character, maybe escaped (RFC 3261 25.1); -1 when malformed. */
static int user_char(struct pl *user)
{
	int c = (unsigned char)user->p[0];

	if (c == '%') {
		if (user->l < 3 || !isxdigit((unsigned char)user->p[1]) ||
		    !isxdigit((unsigned char)user->p[2]))
			return -1;

		c = ch_hex(user->p[1]) << 4 | ch_hex(user->p[2]);
		pl_advance(user, 2);
	}

	pl_advance(user, 1);

	return c < ' ' || c == 0x7f ? -1 : c;
}


int message_user(const struct pl *user, char *buf, size_t size)
{
	struct pl rest = *user;
	const char *params = rest.l ? memchr(rest.p, ';', rest.l) : NULL;
	size_t n = 0;
	int c;

	if (!size)
		return EOVERFLOW;

	buf[0] = '\0';
	if (params)
		rest.l = (size_t)(params - rest.p);

	while (rest.l && n + 1 < size) {
		c = user_char(&rest);
		if (c < 0) {
			buf[0] = '\0';
			return EBADMSG;
		}

		buf[n++] = (char)c;
	}

	buf[rest.l ? 0 : n] = '\0';

	return rest.l ? EOVERFLOW : 0;
}


/* "sos" and what is below it, of letters, digits and hyphens. */
static bool is_sos(const char *labels)
{
	if (!strncmp(labels, "test.", 5))
		labels += 5;
	if (strncmp(labels, "sos", 3) != 0 ||
	    strspn(labels, "abcdefghijklmnopqrstuvwxyz0123456789-.") !=
		    strlen(labels))
		return false;

	return !labels[3] || labels[3] == '.';
}


int message_service(const struct pl *text, char *buf, size_t size)
{
	const size_t prefix = strlen(SERVICE_URN);

	buf[0] = '\0';
	if (text->l <= prefix || strncasecmp(text->p, SERVICE_URN, prefix))
		return ENOENT;
	if (text->l >= size)
		return EOVERFLOW;

	for (size_t i = 0; i < text->l; i++)
		buf[i] = (char)tolower((unsigned char)text->p[i]);
	buf[text->l] = '\0';
	if (is_sos(buf + prefix))
		return 0;

	buf[0] = '\0';

	return ENOENT;
}


int message_number(const struct uri *uri, char *buf, size_t size)
{
	char *to = buf, *from;
	int err;

	if (pl_strcasecmp(&uri->scheme, "tel"))
		return message_user(&uri->user, buf, size);

	/* the decoder takes what has no user part for a host */
	err = message_user(&uri->host, buf, size);
	if (err)
		return err;

	for (from = buf; *from; ++from) {
		if (!strchr("-.()", *from))
			*to++ = *from;
	}
	*to = '\0';

	return 0;
}
