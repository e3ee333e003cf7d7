/** @file location.c  The end of an INVITE that tells where its caller is. */
#include <criterion/criterion.h>
#include <string.h>
#include "location.h"
#include "message.h"
#include "text.h"

static struct location berlin;
static struct location_parts parts = {"b-1", "x@location.invalid"};
static struct mbuf *mb;


static void setup(void)
{
	memset(&berlin, 0, sizeof(berlin));
	TEXT_FILL(berlin.civic[CIVIC_COUNTRY], "DE");
	TEXT_FILL(berlin.civic[CIVIC_RD], "A \"B\" <C> & D");
	TEXT_FILL(berlin.uri, "https://lis.example/7");
	mb = mbuf_alloc(64);
}


static void teardown(void)
{
	mem_deref(mb);
}

TestSuite(location, .init = setup, .fini = teardown);


static const char *text(void)
{
	mb->pos = mb->end;
	mbuf_write_u8(mb, '\0');

	return (const char *)mb->buf;
}


Test(location, marks_are_escaped)
{
	cr_assert_eq(location_pidf(mb, &berlin, "+49<30>"), 0);
	cr_expect(strstr(text(), "<cl:RD>A &quot;B&quot; &lt;C&gt; &amp; D"
			 "</cl:RD>"));
	cr_expect(strstr(text(), "pres:+49&lt;30&gt;@"));
	cr_expect_null(strstr(text(), "tuple id=\"point\""));
}


Test(location, longest_of_everything)
{
	for (size_t i = 0; i < CIVIC_N; i++)
		memset(berlin.civic[i], '"', sizeof(berlin.civic[i]) - 1);

	cr_assert_eq(location_pidf(mb, &berlin, ""), 0);
	cr_expect_gt(mb->end, CIVIC_N * 95 * 6);
	cr_expect(strstr(text(), "</presence>"));
}


Test(location, a_point_and_a_circle)
{
	TEXT_FILL(berlin.latitude, "-52.5");
	TEXT_FILL(berlin.longitude, "13.4");
	cr_assert_eq(location_pidf(mb, &berlin, "+4930"), 0);
	cr_expect(strstr(text(), "<gml:Point srsName=\"urn:ogc:def:crs:EPSG::"
			 "4326\"><gml:pos>-52.5 13.4</gml:pos></gml:Point>"));

	mbuf_rewind(mb);
	berlin.radius_m = 30;
	cr_assert_eq(location_pidf(mb, &berlin, "+4930"), 0);
	cr_expect(strstr(text(), "EPSG::9001\">30</gs:radius></gs:Circle>"));
}


/* What we write, our own decoder finds the SDP in. */
Test(location, by_value_beside_the_sdp)
{
	static const char sdp[] = "v=0\r\ns=x\r\n";
	struct sip_msg *msg;
	const uint8_t *found;
	size_t len;

	cr_assert_eq(mbuf_write_str(
			     mb, "INVITE sip:112@192.0.2.1 SIP/2.0\r\n"
			     "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bK1\r\n"
			     "From: <sip:a@192.0.2.2>;tag=1\r\n"
			     "To: <sip:112@192.0.2.1>\r\nCall-ID: 1\r\n"
			     "CSeq: 1 INVITE\r\n"), 0);
	cr_assert_eq(location_print(mb, &berlin, LOCATION_VALUE, &parts,
				    "+4930", (const uint8_t *)sdp,
				    sizeof(sdp) - 1), 0);
	mb->pos = 0;
	cr_assert_eq(sip_msg_decode(&msg, mb), 0);
	cr_expect_eq(pl_strcmp(&msg->ctyp.type, "multipart"), 0);
	cr_assert_eq(message_sdp(msg, &found, &len), 0);
	cr_expect_eq(len, sizeof(sdp) - 1);
	cr_expect_eq(memcmp(found, sdp, len), 0);
	cr_expect(strstr(text(), "Geolocation: <cid:x@location.invalid>\r\n"
			 "Geolocation-Routing: yes\r\n"));
	cr_expect(strstr(text(), "Content-ID: <x@location.invalid>\r\n"));
	mem_deref(msg);
}


Test(location, by_value_without_sdp)
{
	cr_assert_eq(location_print(mb, &berlin, LOCATION_VALUE, &parts,
				    "+4930", NULL, 0), 0);
	cr_expect(strstr(text(), "Content-Type: application/pidf+xml\r\n"));
	cr_expect_null(strstr(text(), "multipart"));
}


Test(location, by_reference)
{
	cr_assert_eq(location_print(mb, &berlin, LOCATION_REFERENCE, &parts,
				    "+4930", (const uint8_t *)"v=0\r\n", 5),
		     0);
	cr_expect_str_eq(text(), "Geolocation: <https://lis.example/7>\r\n"
			 "Geolocation-Routing: yes\r\n"
			 "Content-Type: application/sdp\r\n"
			 "Content-Length: 5\r\n\r\nv=0\r\n");
}
