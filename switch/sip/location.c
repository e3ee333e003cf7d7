/**
 * @file location.c  See location.h.
 */
#include "location.h"

#define CRS "srsName=\"urn:ogc:def:crs:EPSG::4326\""
#define PIDF_TYPE "application/pidf+xml"

/* every byte of a civic element can become the longest escape */
#define ESCAPED_MAX (6 * sizeof(((struct location *)0)->civic[0]))


/* Character data and attribute values of XML 1.0 2.4 */
static int xml_escape(struct mbuf *mb, const char *text)
{
	int err = 0;

	for (; *text && !err; text++) {
		switch (*text) {

		case '&':
			err = mbuf_write_str(mb, "&amp;");
			break;
		case '<':
			err = mbuf_write_str(mb, "&lt;");
			break;
		case '>':
			err = mbuf_write_str(mb, "&gt;");
			break;
		case '"':
			err = mbuf_write_str(mb, "&quot;");
			break;
		default:
			err = mbuf_write_u8(mb, (uint8_t)*text);
			break;
		}
	}

	return err;
}


static int tuple_begin(struct mbuf *mb, const char *id)
{
	return mbuf_printf(mb, "<tuple id=\"%s\"><status><gp:geopriv>"
			   "<gp:location-info>", id);
}


static int tuple_end(struct mbuf *mb)
{
	return mbuf_write_str(mb, "</gp:location-info><gp:usage-rules/>"
			      "<gp:method>Manual</gp:method></gp:geopriv>"
			      "</status></tuple>\r\n");
}


static int civic_print(struct mbuf *mb, const struct location *loc)
{
#define X(name, element, member) element,
	static const char *const elements[CIVIC_N] = {CIVIC_ELEMENTS(X)};
#undef X
	int err = tuple_begin(mb, "civic");

	err |= mbuf_write_str(mb, "<cl:civicAddress>");
	for (size_t i = 0; i < CIVIC_N; i++) {
		if (!loc->civic[i][0])
			continue;
		err |= mbuf_printf(mb, "<cl:%s>", elements[i]);
		err |= xml_escape(mb, loc->civic[i]);
		err |= mbuf_printf(mb, "</cl:%s>", elements[i]);
	}
	err |= mbuf_write_str(mb, "</cl:civicAddress>");
	err |= tuple_end(mb);

	return err;
}


static int point_print(struct mbuf *mb, const struct location *loc)
{
	int err = tuple_begin(mb, "point");

	if (loc->radius_m)
		err |= mbuf_printf(mb, "<gs:Circle " CRS "><gml:pos>%s %s"
				   "</gml:pos><gs:radius uom=\"urn:ogc:def:"
				   "uom:EPSG::9001\">%u</gs:radius>"
				   "</gs:Circle>", loc->latitude,
				   loc->longitude, loc->radius_m);
	else
		err |= mbuf_printf(mb, "<gml:Point " CRS "><gml:pos>%s %s"
				   "</gml:pos></gml:Point>", loc->latitude,
				   loc->longitude);
	err |= tuple_end(mb);

	return err;
}


int location_pidf(struct mbuf *mb, const struct location *loc,
		  const char *number)
{
	int err;

	err = mbuf_write_str(
		mb, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n"
		"<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" "
		"xmlns:gp=\"urn:ietf:params:xml:ns:pidf:geopriv10\" "
		"xmlns:cl=\"urn:ietf:params:xml:ns:pidf:geopriv10:civicAddr\""
		" xmlns:gml=\"http://www.opengis.net/gml\" "
		"xmlns:gs=\"http://www.opengis.net/pidflo/1.0\" "
		"entity=\"pres:");
	err |= xml_escape(mb, number[0] ? number : "unknown");
	err |= mbuf_write_str(mb, "@location.invalid\">\r\n");
	if (loc->civic[CIVIC_COUNTRY][0])
		err |= civic_print(mb, loc);
	if (loc->latitude[0])
		err |= point_print(mb, loc);
	err |= mbuf_write_str(mb, "</presence>\r\n");

	return err ? ENOMEM : 0;
}


static int body_print(struct mbuf *mb, const char *type, const void *body,
		      size_t len)
{
	int err = 0;

	if (body)
		err = mbuf_printf(mb, "Content-Type: %s\r\n", type);
	err |= mbuf_printf(mb, "Content-Length: %zu\r\n\r\n", body ? len : 0);
	if (body)
		err |= mbuf_write_mem(mb, body, len);

	return err;
}


/* SDP and location behind each other (RFC 2046 5.1) */
static int parts_print(struct mbuf *mb, const struct location_parts *parts,
		       const struct mbuf *pidf, const uint8_t *sdp,
		       size_t len)
{
	int err;

	err = mbuf_printf(mb, "--%s\r\nContent-Type: application/sdp\r\n\r\n",
			  parts->boundary);
	err |= mbuf_write_mem(mb, sdp, len);
	err |= mbuf_printf(mb, "\r\n--%s\r\nContent-Type: " PIDF_TYPE "\r\n"
			   "Content-ID: <%s>\r\nContent-Disposition: render;"
			   " handling=optional\r\n\r\n", parts->boundary,
			   parts->cid);
	err |= mbuf_write_mem(mb, pidf->buf, pidf->end);
	err |= mbuf_printf(mb, "\r\n--%s--\r\n", parts->boundary);

	return err;
}


static int value_print(struct mbuf *mb, const struct location *loc,
		       const struct location_parts *parts, const char *number,
		       const uint8_t *sdp, size_t len)
{
	struct mbuf *pidf = mbuf_alloc(ESCAPED_MAX);
	struct mbuf *body = mbuf_alloc(2048);
	char type[128];
	int err = ENOMEM;

	if (!pidf || !body ||
	    re_snprintf(type, sizeof(type), "multipart/mixed;boundary=%s",
			parts->boundary) < 0)
		goto out;

	err = mbuf_printf(mb, "Geolocation: <cid:%s>\r\n"
			  "Geolocation-Routing: yes\r\n", parts->cid);
	err |= location_pidf(pidf, loc, number);
	if (sdp) {
		err |= parts_print(body, parts, pidf, sdp, len);
		err |= mbuf_write_str(mb, "MIME-Version: 1.0\r\n");
		err |= body_print(mb, type, body->buf, body->end);
	}
	else {
		err |= mbuf_printf(mb, "Content-ID: <%s>\r\n", parts->cid);
		err |= body_print(mb, PIDF_TYPE, pidf->buf, pidf->end);
	}

 out:
	mem_deref(body);
	mem_deref(pidf);
	return err ? ENOMEM : 0;
}


int location_print(struct mbuf *mb, const struct location *loc,
		   enum location_form form,
		   const struct location_parts *parts, const char *number,
		   const uint8_t *sdp, size_t len)
{
	int err;

	if (form == LOCATION_VALUE)
		return value_print(mb, loc, parts, number, sdp, len);

	err = mbuf_printf(mb, "Geolocation: <%s>\r\n"
			  "Geolocation-Routing: yes\r\n", loc->uri);
	err |= body_print(mb, "application/sdp", sdp, len);

	return err ? ENOMEM : 0;
}
