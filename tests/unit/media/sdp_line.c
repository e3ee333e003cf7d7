#include <criterion/criterion.h>
#include "sdp_line.h"


static struct pl pl_of(const char *text)
{
	struct pl pl;

	pl_set_str(&pl, text);

	return pl;
}


Test(sdp_line, takes_both_line_ends_and_skips_empty_lines)
{
	struct pl text = pl_of("v=0\r\n\r\no=x\n\ns=\r\n");
	struct sdp_line line;

	cr_assert_eq(sdp_line_next(&text, &line), 0);
	cr_assert_eq(line.type, 'v');
	cr_assert_eq(pl_strcmp(&line.value, "0"), 0);
	cr_assert_eq(sdp_line_next(&text, &line), 0);
	cr_assert_eq(pl_strcmp(&line.value, "x"), 0);
	cr_assert_eq(sdp_line_next(&text, &line), 0);
	cr_assert_eq(line.type, 's');
	cr_assert_eq(line.value.l, 0);
	cr_assert_eq(sdp_line_next(&text, &line), ENOENT);
}


Test(sdp_line, last_line_needs_no_end)
{
	struct pl text = pl_of("a=sendonly");
	struct sdp_line line;

	cr_assert_eq(sdp_line_next(&text, &line), 0);
	cr_assert_eq(pl_strcmp(&line.value, "sendonly"), 0);
	cr_assert_eq(sdp_line_next(&text, &line), ENOENT);
}


Test(sdp_line, refuses_what_is_no_line)
{
	static const char *const bad[] = {"v", "v0=", "=0", "V=0", " v=0",
					  "a=x\ry", "a=\x01", "a=\x7f"};
	struct sdp_line line;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		struct pl text = pl_of(bad[i]);

		cr_assert_eq(sdp_line_next(&text, &line), EBADMSG, "%s",
			     bad[i]);
	}
}


Test(sdp_line, refuses_nul)
{
	struct pl text = {"a=x\0y", 5};
	struct sdp_line line;

	cr_assert_eq(sdp_line_next(&text, &line), EBADMSG);
}


Test(sdp_line, media_parts)
{
	const struct pl value = pl_of("audio 49170/2 RTP/AVP 0 8 101");
	struct sdp_media_line m;

	cr_assert_eq(sdp_media_decode(&value, &m), 0);
	cr_assert_eq(pl_strcmp(&m.media, "audio"), 0);
	cr_assert_eq(pl_strcmp(&m.proto, "RTP/AVP"), 0);
	cr_assert_eq(m.port, 49170);
	cr_assert(m.has_count);
	cr_assert_eq(pl_strcmp(&m.formats, " 0 8 101"), 0);
}


Test(sdp_line, media_refusals)
{
	static const char *const bad[] = {
		"", "audio", "audio 1", "audio 1 RTP/AVP", "audio x RTP/AVP 0",
		"audio 65536 RTP/AVP 0", "audio -1 RTP/AVP 0",
		"audio 1/ RTP/AVP 0", "audio 1/x RTP/AVP 0",
		"10.0.0.1 1 RTP/AVP 0", "audio 1 10.0.0.1 0",
		"audio 99999999999999999999 RTP/AVP 0",
	};
	struct sdp_media_line m;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		const struct pl value = pl_of(bad[i]);

		cr_assert_eq(sdp_media_decode(&value, &m), EBADMSG, "%s",
			     bad[i]);
	}
}


Test(sdp_line, attribute_parts)
{
	struct pl value = pl_of("rtpmap:8 PCMA/8000"), name, rest;

	sdp_attribute_split(&value, &name, &rest);
	cr_assert_eq(pl_strcmp(&name, "rtpmap"), 0);
	cr_assert_eq(pl_strcmp(&rest, "8 PCMA/8000"), 0);

	value = pl_of("sendonly");
	sdp_attribute_split(&value, &name, &rest);
	cr_assert_eq(pl_strcmp(&name, "sendonly"), 0);
	cr_assert_eq(rest.l, 0);
}


Test(sdp_line, payload_types)
{
	const struct pl good = pl_of("127"), big = pl_of("128"),
			word = pl_of("t38");
	uint8_t pt = 1;

	cr_assert_eq(sdp_payload_type(&good, &pt), 0);
	cr_assert_eq(pt, 127);
	cr_assert_eq(sdp_payload_type(&big, &pt), EBADMSG);
	cr_assert_eq(sdp_payload_type(&word, &pt), EBADMSG);
	cr_assert_eq(pt, 127);
}
