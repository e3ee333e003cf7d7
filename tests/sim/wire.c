/** @file wire.c  See wire.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "wire.h"


static const char *line_end(const char *p)
{
	const char *end = strstr(p, "\r\n");

	return end ? end : p + strlen(p);
}


static void copy(char *buf, size_t size, const char *p, size_t len)
{
	if (len >= size)
		len = size - 1;
	memcpy(buf, p, len);
	buf[len] = '\0';
}


bool wire_header(const struct wire *m, const char *name, char *buf,
		 size_t size)
{
	const size_t name_len = strlen(name);
	const char *p = line_end(m->text);

	while (p[0] && p[2] && p + 2 < m->body) {
		const char *end = line_end(p += 2);

		if (!strncasecmp(p, name, name_len) && p[name_len] == ':') {
			p += name_len + 1;
			p += strspn(p, " ");
			copy(buf, size, p, (size_t)(end - p));
			return true;
		}
		p = end;
	}

	buf[0] = '\0';
	return false;
}


bool wire_param(const char *value, const char *name, char *buf, size_t size)
{
	const size_t len = strlen(name);
	const char *p = strrchr(value, '>');

	for (p = strchr(p ? p : value, ';'); p; p = strchr(p + 1, ';')) {
		if (strncasecmp(p + 1, name, len) || p[1 + len] != '=')
			continue;
		p += len + 2;
		copy(buf, size, p, strcspn(p, ";, \t"));
		return true;
	}

	buf[0] = '\0';
	return false;
}


void wire_addr(const char *value, char *buf, size_t size)
{
	const char *p = strchr(value, '<');

	if (p)
		copy(buf, size, p + 1, strcspn(p + 1, ">"));
	else
		copy(buf, size, value, strcspn(value, ";"));
}


static void first_line(struct wire *m)
{
	const char *p = m->text;

	m->is_request = strncmp(p, "SIP/2.0 ", 8) != 0;
	if (!m->is_request) {
		m->status = (unsigned)strtoul(p + 8, NULL, 10);
		return;
	}

	p += strcspn(p, " ");
	p += strspn(p, " ");
	copy(m->uri, sizeof(m->uri), p, strcspn(p, " \r"));
}


bool wire_parse(struct wire *m, const uint8_t *buf, size_t len)
{
	char cseq[64], *method;

	memset(m, 0, offsetof(struct wire, text));
	if (len >= sizeof(m->text) || memchr(buf, '\0', len))
		return false;

	memcpy(m->text, buf, len);
	m->text[len] = '\0';
	m->len = len;
	m->body = strstr(m->text, "\r\n\r\n");
	if (!m->body)
		return false;
	m->body += 4;
	m->body_len = len - (size_t)(m->body - m->text);

	first_line(m);
	if (!wire_header(m, "Via", m->via, sizeof(m->via)) ||
	    !wire_header(m, "From", m->from, sizeof(m->from)) ||
	    !wire_header(m, "To", m->to, sizeof(m->to)) ||
	    !wire_header(m, "Call-ID", m->call_id, sizeof(m->call_id)) ||
	    !wire_header(m, "CSeq", cseq, sizeof(cseq)))
		return false;

	(void)wire_header(m, "Contact", m->contact, sizeof(m->contact));
	(void)wire_param(m->via, "branch", m->branch, sizeof(m->branch));
	(void)wire_param(m->from, "tag", m->from_tag, sizeof(m->from_tag));
	(void)wire_param(m->to, "tag", m->to_tag, sizeof(m->to_tag));
	m->cseq = strtoul(cseq, &method, 10);
	method += strspn(method, " ");
	copy(m->method, sizeof(m->method), method, strlen(method));

	return true;
}


void wire_add(struct wire_out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(o->text + o->len, sizeof(o->text) - o->len, fmt, ap);
	va_end(ap);
	if (n > 0)
		o->len += (size_t)n;
	if (o->len >= sizeof(o->text))
		o->len = sizeof(o->text) - 1;
}


void wire_end(struct wire_out *o, const char *body)
{
	if (body[0])
		wire_add(o, "Content-Type: application/sdp\r\n");
	wire_add(o, "Content-Length: %zu\r\n\r\n%s", strlen(body), body);
}
