#include <criterion/criterion.h>
#include <string.h>
#include "sdp.h"
#include "sample.h"


static int parse(struct sdp *sdp, const char *text)
{
	return sdp_parse(sdp, (const uint8_t *)text, strlen(text));
}


static bool is_at(const struct sa *sa, const char *addr, uint16_t port)
{
	struct sa want;

	cr_assert_eq(sa_set_str(&want, addr, port), 0);

	return sa_cmp(sa, &want, SA_ALL);
}


Test(sdp, rfc_8866_example)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, SAMPLE_RFC), 0);
	cr_assert_eq(sdp.n, 3);
	cr_assert(!sdp.has_more);
	cr_assert(sdp.has_address);

	cr_assert_eq(sdp.streams[0].kind, SDP_AUDIO);
	cr_assert(sdp.streams[0].is_relayable);
	cr_assert(is_at(&sdp.streams[0].rtp, "198.51.100.1", 49170));
	cr_assert(is_at(&sdp.streams[0].rtcp, "198.51.100.1", 49171));
	cr_assert_str_eq(sdp.streams[0].codec, "PCMU/8000");

	cr_assert_eq(sdp.streams[2].kind, SDP_VIDEO);
	cr_assert(is_at(&sdp.streams[2].rtp, "2001:db8::2", 51372));
	cr_assert_str_eq(sdp.streams[2].codec, "h263-1998/90000");
	cr_assert_eq(sdp.streams[2].clock_hz, 90000);
	cr_assert_eq(sdp.streams[2].payload_type, 99);
}


Test(sdp, codec_of_the_first_format)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, SAMPLE_BARESIP), 0);
	cr_assert_eq(sdp.n, 1);
	cr_assert_str_eq(sdp.streams[0].codec, "opus/48000/2");
	cr_assert_eq(sdp.streams[0].clock_hz, 48000);
	cr_assert_eq(sdp.streams[0].payload_type, 96);
	cr_assert_eq(sdp.streams[0].dir, SDP_SENDRECV);
}


Test(sdp, rtcp_elsewhere)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, SAMPLE_LINPHONE), 0);
	cr_assert_eq(sdp.n, 2);
	cr_assert(is_at(&sdp.streams[0].rtp, "10.1.2.3", 7078));
	cr_assert(is_at(&sdp.streams[0].rtcp, "10.9.8.7", 57078));
	cr_assert(is_at(&sdp.streams[1].rtcp, "10.1.2.3", 9079));
	cr_assert_eq(sdp.streams[1].dir, SDP_RECVONLY);
}


Test(sdp, fax)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, SAMPLE_FAX), 0);
	cr_assert_eq(sdp.streams[0].kind, SDP_IMAGE);
	cr_assert(sdp.streams[0].is_relayable);
	cr_assert_str_eq(sdp.streams[0].codec, "t38");
	cr_assert_eq(sdp.streams[0].clock_hz, 0);
}


Test(sdp, secure_media)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, SAMPLE_SRTP), 0);
	cr_assert(sdp.streams[0].is_secure);
	cr_assert(!sdp.streams[0].is_relayable);

	cr_assert_eq(parse(&sdp, SAMPLE_AUDIO("c=IN IP4 10.1.2.3\r\n",
					      "a=crypto:1 x inline:y\r\n")),
		     0);
	cr_assert(sdp.streams[0].is_secure);
	cr_assert(sdp.streams[0].is_relayable);

	cr_assert_eq(parse(&sdp, "v=0\r\nc=IN IP4 10.1.2.3\r\n"
				 "a=fingerprint:sha-256 00:11\r\n"
				 "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"),
		     0);
	cr_assert(sdp.streams[0].is_secure);
	cr_assert(!sdp.streams[0].is_relayable);
}


Test(sdp, hold_by_zero_address)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, SAMPLE_AUDIO("c=IN IP4 0.0.0.0\r\n", "")), 0);
	cr_assert_eq(sdp.streams[0].dir, SDP_INACTIVE);
	cr_assert_eq(sa_port(&sdp.streams[0].rtp), 0);
	cr_assert(sdp.streams[0].is_relayable);
	cr_assert(sdp.has_address);

	cr_assert_eq(parse(&sdp, SAMPLE_AUDIO("c=IN IP4 0.0.0.0\r\n",
					      "a=sendonly\r\n")),
		     0);
	cr_assert_eq(sdp.streams[0].dir, SDP_SENDONLY);

	cr_assert_eq(parse(&sdp, SAMPLE_AUDIO("c=IN IP4 10.1.2.3\r\n",
					      "c=IN IP4 0.0.0.0\r\n")),
		     0);
	cr_assert_eq(sdp.streams[0].dir, SDP_INACTIVE);
}


Test(sdp, media_level_direction_wins)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, SAMPLE_AUDIO("c=IN IP4 10.1.2.3\r\n"
					      "a=inactive\r\n",
					      "a=sendrecv\r\n")),
		     0);
	cr_assert_eq(sdp.streams[0].dir, SDP_SENDRECV);

	cr_assert_eq(parse(&sdp, SAMPLE_AUDIO("c=IN IP4 10.1.2.3\r\n"
					      "a=sendonly\r\n",
					      "")),
		     0);
	cr_assert_eq(sdp.streams[0].dir, SDP_SENDONLY);
}


Test(sdp, unusable_addresses)
{
	static const char *const lines[] = {
		"c=IN IP4 media.example.com\r\n", "c=IN IP4 224.2.1.1/127\r\n",
		"c=IN IP4 239.1.1.1\r\n", "c=IN IP6 ff02::1\r\n",
		"c=ATM NSAP 47.0091\r\n", "c=IN IP4 10.1.2.3.4\r\n",
		"c=IN IP4 1\r\n", "c=IN IP4 ::1\r\n", "",
		"c=IN IP6 fe80::1%eth0\r\n",
	};
	char text[256];
	struct sdp sdp;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		re_snprintf(text, sizeof(text), "v=0\r\n%sm=audio 4 RTP/AVP "
			    "8\r\n", lines[i]);
		cr_assert_eq(parse(&sdp, text), 0, "%s", lines[i]);
		cr_assert(!sdp.streams[0].is_relayable, "%s", lines[i]);
		cr_assert(!sdp.has_address, "%s", lines[i]);
		cr_assert_eq(sa_port(&sdp.streams[0].rtp), 0, "%s", lines[i]);
	}
}


Test(sdp, port_zero_and_count)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, "v=0\r\nc=IN IP4 10.1.2.3\r\n"
				 "m=audio 0 RTP/AVP 8\r\n"
				 "m=audio 4000/2 RTP/AVP 8\r\n"
				 "m=audio 65535 RTP/AVP 8\r\n"),
		     0);
	cr_assert_eq(sdp.streams[0].port, 0);
	cr_assert_eq(sa_port(&sdp.streams[0].rtp), 0);
	cr_assert(!sdp.streams[1].is_relayable);
	cr_assert_eq(sa_port(&sdp.streams[2].rtcp), 0);
}


Test(sdp, more_streams_than_relayed)
{
	struct sdp sdp;

	cr_assert_eq(parse(&sdp, "v=0\r\nc=IN IP4 10.1.2.3\r\n"
				 "m=audio 2 RTP/AVP 8\r\n"
				 "m=audio 4 RTP/AVP 8\r\n"
				 "m=audio 6 RTP/AVP 8\r\n"
				 "m=audio 8 RTP/AVP 8\r\n"
				 "m=audio 10 RTP/AVP 8\r\n"
				 "a=inactive\r\n"
				 "c=IN IP4 10.9.9.9\r\n"),
		     0);
	cr_assert_eq(sdp.n, SDP_STREAMS_MAX);
	cr_assert(sdp.has_more);
	cr_assert(is_at(&sdp.streams[3].rtp, "10.1.2.3", 8));
	cr_assert_eq(sdp.streams[3].dir, SDP_SENDRECV);
}


Test(sdp, what_is_no_description)
{
	static const char *const bad[] = {
		"", "hello", "v=1\r\n", "o=- 1 1 IN IP4 1.2.3.4\r\n",
		"v=0\r\nm=audio\r\n", "v=0\r\nnonsense\r\n",
		"v=0\r\nm=audio 1 RTP/AVP 0\r\na=rtcp:x\r\n",
		"v=0\r\nc=IN IP4\r\n",
	};
	struct sdp sdp = {.n = 77};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		cr_assert_eq(parse(&sdp, bad[i]), EBADMSG, "%s", bad[i]);
		cr_assert_eq(sdp.n, 77);
	}
}


Test(sdp, too_long)
{
	static uint8_t text[SDP_SIZE_MAX + 1] = "v=0\r\n";
	struct sdp sdp;

	cr_assert_eq(sdp_parse(&sdp, text, sizeof(text)), EMSGSIZE);
}


Test(sdp, every_cut_is_read_without_harm)
{
	static const char text[] = SAMPLE_LINPHONE;
	struct sdp sdp;
	size_t n;

	for (n = 0; n < sizeof(text); n++) {
		/* on the heap, so that a read past the end is seen */
		uint8_t *cut = malloc(n ? n : 1);
		int err;

		memcpy(cut, text, n);
		err = sdp_parse(&sdp, cut, n);
		cr_assert(err == 0 || err == EBADMSG);
		free(cut);
	}
}
