/**
 * @file message_write.c  Writing: responses from the request's own text,
 * ACK and CANCEL from the request that they belong to.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>
#include <re.h>
#include "message.h"
#include "text.h"

#define MAX_FORWARDS 70 /**< RFC 3261 8.1.1.6 */


static bool via_has_rport(const struct sip_msg *req)
{
	struct pl end;

	return !msg_param_exists(&req->via.params, "rport", &end);
}


void message_reply_path(const struct sip_msg *req, const struct sip_path *path,
			struct sip_path *ret_path)
{
	const uint16_t port = sa_port(&req->via.addr);

	*ret_path = *path;

	if (path->transport == SIP_TRANSP_UDP && !via_has_rport(req))
		sa_set_port(&ret_path->peer, port ? port : SIP_PORT);
}


static bool param_is(struct pl prm, const char *name)
{
	const size_t len = strlen(name);

	while (prm.l && strchr(" \t\r\n", prm.p[0]))
		pl_advance(&prm, 1);

	return prm.l >= len && !strncasecmp(prm.p, name, len) &&
	       (prm.l == len || strchr("= \t\r\n", prm.p[len]));
}


/** ";a;b=1" without the two that only the receiver may fill in. */
static int via_params_write(struct mbuf *mb, struct pl params)
{
	struct pl prm;
	bool quote;
	size_t i;
	int err = 0;

	while (params.l) {
		quote = false;
		for (i = 1; i < params.l; i++) {
			if (params.p[i] == '"')
				quote = !quote;
			if (params.p[i] == ';' && !quote)
				break;
		}

		prm.p = params.p + 1;
		prm.l = i - 1;
		if (!param_is(prm, "received") && !param_is(prm, "rport"))
			err |= mbuf_write_mem(mb, (const uint8_t *)params.p,
					      i);

		pl_advance(&params, (ssize_t)i);
	}

	return err;
}


/** RFC 3261 18.2.1; RFC 3581 4: with rport always received as well. */
static int via_top_write(struct mbuf *mb, const struct sip_msg *req,
			 const struct sip_path *path)
{
	const struct sip_via *via = &req->via;
	const bool has_rport = via_has_rport(req);
	int err;

	err = mbuf_write_str(mb, "Via: ");
	err |= mbuf_write_mem(mb, (const uint8_t *)via->val.p,
			      (size_t)(via->params.p - via->val.p));
	err |= via_params_write(mb, via->params);

	if (has_rport || !sa_cmp(&via->addr, &path->peer, SA_ADDR))
		err |= mbuf_printf(mb, ";received=%j", &path->peer);
	if (has_rport)
		err |= mbuf_printf(mb, ";rport=%u", sa_port(&path->peer));

	err |= mbuf_write_str(mb, "\r\n");

	return err;
}


static int line_write(struct mbuf *mb, const char *name, const struct pl *val)
{
	int err;

	err = mbuf_write_str(mb, name);
	err |= mbuf_write_pl(mb, val);
	err |= mbuf_write_str(mb, "\r\n");

	return err;
}


/** Headers that come from the request (RFC 3261 8.2.6.2), but for To. */
static int request_lines_write(struct mbuf *mb, const struct sip_msg *req,
			       const struct sip_path *path, uint16_t scode)
{
	bool is_top = true;
	struct le *le;
	int err = 0;

	for (le = req->hdrl.head; le; le = le->next) {
		const struct sip_hdr *hdr = le->data;

		if (hdr->id == SIP_HDR_VIA) {
			err |= is_top ? via_top_write(mb, req, path) :
			       line_write(mb, "Via: ", &hdr->val);
			is_top = false;
		}
		else if (hdr->id == SIP_HDR_RECORD_ROUTE && scode > 100 &&
			 scode < 300) {
			err |= line_write(mb, "Record-Route: ", &hdr->val);
		}
		else if (hdr->id == SIP_HDR_TIMESTAMP && scode == 100) {
			err |= line_write(mb, "Timestamp: ", &hdr->val);
		}
	}

	err |= line_write(mb, "From: ", &req->from.val);
	err |= line_write(mb, "Call-ID: ", &req->callid);
	err |= mbuf_printf(mb, "CSeq: %u %r\r\n", req->cseq.num,
			   &req->cseq.met);

	return err;
}


static int to_write(struct mbuf *mb, const struct sip_msg *req,
		    const char *to_tag)
{
	int err;

	err = mbuf_write_str(mb, "To: ");
	err |= mbuf_write_pl(mb, &req->to.val);

	if (to_tag && !pl_isset(&req->to.tag)) {
		err |= mbuf_write_str(mb, ";tag=");
		err |= mbuf_write_str(mb, to_tag);
	}

	err |= mbuf_write_str(mb, "\r\n");

	return err;
}


/** The phrase may be a peer's: it must not end the line. */
static int status_write(struct mbuf *mb, uint16_t scode, const char *reason)
{
	int err;

	err = mbuf_printf(mb, "SIP/2.0 %u ", scode);
	err |= mbuf_write_mem(mb, (const uint8_t *)reason,
			      strcspn(reason, "\r\n"));
	err |= mbuf_write_str(mb, "\r\n");

	return err;
}


static int body_write(struct mbuf *mb, const char *type, const uint8_t *body,
		      size_t len)
{
	int err = 0;

	if (len)
		err = mbuf_printf(mb, "Content-Type: %s\r\n", type);

	err |= mbuf_printf(mb, "Content-Length: %zu\r\n\r\n", len);

	if (len)
		err |= mbuf_write_mem(mb, body, len);

	return err;
}


int message_reply(struct mbuf *mb, const struct sip_msg *req,
		  const struct sip_path *path, uint16_t scode,
		  const char *reason, const char *to_tag,
		  const char *body_type, const uint8_t *body, size_t body_len,
		  const char *extra, ...)
{
	va_list ap;
	int err;

	if (!mb || !req || !path || !reason || scode < 100 || scode > 699 ||
	    (body_len && (!body || !body_type)))
		return EINVAL;

	err = status_write(mb, scode, reason);
	err |= request_lines_write(mb, req, path, scode);
	err |= to_write(mb, req, to_tag);

	if (extra) {
		va_start(ap, extra);
		err |= mbuf_vprintf(mb, extra, ap);
		va_end(ap);
	}

	err |= body_write(mb, body_type, body, body_len);

	return err ? ENOMEM : 0;
}


/** One line of our own request with its CRLF; false at the empty one. */
static bool own_line(struct pl *rest, struct pl *line)
{
	const char *lf = memchr(rest->p, '\n', rest->l);

	if (!lf)
		return false;

	line->p = rest->p;
	line->l = (size_t)(lf + 1 - rest->p);
	pl_advance(rest, (ssize_t)line->l);

	return line->l > 2;
}


static bool line_is(const struct pl *line, const char *name)
{
	const size_t len = strlen(name);

	return line->l > len && !strncasecmp(line->p, name, len);
}


/** "INVITE sip:x SIP/2.0" with another method */
static int request_line_derive(struct mbuf *mb, struct pl line,
			       const char *method)
{
	const char *blank = memchr(line.p, ' ', line.l);
	int err;

	if (!blank)
		return EBADMSG;

	pl_advance(&line, blank - line.p);
	err = mbuf_write_str(mb, method);
	err |= mbuf_write_pl(mb, &line);

	return err;
}


static int header_derive(struct mbuf *mb, const struct pl *line,
			 const char *method, const struct pl *to,
			 bool *is_via_done)
{
	struct pl num;

	if (line_is(line, "Via:")) {
		if (*is_via_done)
			return 0;
		*is_via_done = true;
		return mbuf_write_pl(mb, line);
	}

	if (line_is(line, "To:") && to)
		return line_write(mb, "To: ", to);

	if (line_is(line, "CSeq:")) {
		if (re_regex(line->p, line->l, "[0-9]+", &num))
			return EBADMSG;
		return mbuf_printf(mb, "CSeq: %r %s\r\n", &num, method);
	}

	if (line_is(line, "From:") || line_is(line, "To:") ||
	    line_is(line, "Call-ID:") || line_is(line, "Route:"))
		return mbuf_write_pl(mb, line);

	return 0;
}


int message_derive(struct mbuf *mb, const uint8_t *request, size_t len,
		   const char *method, const struct pl *to, const char *extra)
{
	struct pl rest = {(const char *)request, len}, line;
	bool is_via_done = false;
	int err;

	if (!mb || !request || !method || !own_line(&rest, &line))
		return EBADMSG;

	err = request_line_derive(mb, line, method);

	while (!err && own_line(&rest, &line))
		err = header_derive(mb, &line, method, to, &is_via_done);

	if (err)
		return err;

	err = mbuf_printf(mb, "Max-Forwards: %u\r\n%sContent-Length: 0\r\n"
			  "\r\n", MAX_FORWARDS, extra ? extra : "");
	if (err)
		return err;

	return is_via_done ? 0 : EBADMSG;
}


int message_quote(char *buf, size_t size, const char *text)
{
	size_t n = 0;

	if (size)
		buf[0] = '\0';
	if (size < 3)
		return EOVERFLOW;

	buf[n++] = '"';

	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		const bool is_escaped = c == '"' || c == '\\';

		if (n + is_escaped + 3 > size) {
			buf[0] = '\0';
			return EOVERFLOW;
		}

		if (is_escaped)
			buf[n++] = '\\';

		/* a control character would end the line, or the parser */
		buf[n++] = c < ' ' || c == 0x7f ? ' ' : (char)c;
	}

	buf[n++] = '"';
	buf[n] = '\0';

	return 0;
}


int message_unquote(char *buf, size_t size, const struct pl *text)
{
	size_t n = 0;

	for (size_t i = 0; i < text->l; i++) {
		if (text->p[i] == '\\' && i + 1 < text->l)
			++i;
		if (n + 1 == size) {
			buf[n] = '\0';
			text_mend(buf);
			return EOVERFLOW;
		}
		buf[n++] = text->p[i];
	}
	buf[n] = '\0';

	return 0;
}
