#include <criterion/criterion.h>
#include <string.h>
#include "sdp.h"
#include "sample.h"


static char out[SDP_SIZE_MAX + 1024];


static int rewrite_by(const char *text, const struct sdp_rewrite *rw)
{
	struct mbuf *mb = mbuf_alloc(64);
	int err;

	err = sdp_rewrite(mb, (const uint8_t *)text, strlen(text), rw);
	memcpy(out, mb->buf, mb->end);
	out[mb->end] = '\0';
	mem_deref(mb);

	return err;
}


static struct sdp_rewrite ours(void)
{
	struct sdp_rewrite rw = {.session_id = 7, .session_version = 9};
	uint16_t i;

	sa_set_str(&rw.addr, "192.0.2.9", 0);
	for (i = 0; i < SDP_STREAMS_MAX; i++) {
		rw.rtp_port[i] = 20000 + 2 * i;
		rw.rtcp_port[i] = 20001 + 2 * i;
	}

	return rw;
}


static int rewrite(const char *text)
{
	const struct sdp_rewrite rw = ours();

	return rewrite_by(text, &rw);
}


Test(sdp_rewrite, a_plain_offer_word_for_word)
{
	cr_assert_eq(rewrite(SAMPLE_SIPP), 0);
	cr_assert_str_eq(out, "v=0\r\n"
			      "o=- 7 9 IN IP4 192.0.2.9\r\n"
			      "s=-\r\n"
			      "c=IN IP4 192.0.2.9\r\n"
			      "t=0 0\r\n"
			      "m=audio 20000 RTP/AVP 0\r\n"
			      "a=rtpmap:0 PCMU/8000\r\n");
}


Test(sdp_rewrite, keeps_codecs_and_bandwidth_drops_the_rest)
{
	cr_assert_eq(rewrite(SAMPLE_BARESIP), 0);
	cr_assert_str_eq(out, "v=0\r\n"
			      "o=- 7 9 IN IP4 192.0.2.9\r\n"
			      "s=-\r\n"
			      "c=IN IP4 192.0.2.9\r\n"
			      "t=0 0\r\n"
			      "m=audio 20000 RTP/AVP 96 8 101\r\n"
			      "b=AS:125\r\n"
			      "a=rtpmap:96 opus/48000/2\r\n"
			      "a=fmtp:96 stereo=1;sprop-stereo=1\r\n"
			      "a=rtpmap:8 PCMA/8000\r\n"
			      "a=rtpmap:101 telephone-event/8000\r\n"
			      "a=fmtp:101 0-15\r\n"
			      "a=ptime:20\r\n");
}


Test(sdp_rewrite, feedback_crosses_with_avpf_alone)
{
	cr_assert_eq(rewrite(SAMPLE_LINPHONE), 0);
	cr_assert(strstr(out, "a=rtcp-fb:* trr-int 5000\r\n"));
	cr_assert(!strstr(out, "nack pli"));
	cr_assert(strstr(out, "b=AS:380\r\nt=0 0\r\n"));
	cr_assert(strstr(out, "a=recvonly\r\n"));
}


Test(sdp_rewrite, no_inside_address_crosses)
{
	static const char *const texts[] = {SAMPLE_SIPP, SAMPLE_BARESIP,
					    SAMPLE_LINPHONE, SAMPLE_FAX,
					    SAMPLE_RFC, SAMPLE_SRTP};
	static const char *const inside[] = {
		"10.1.2.3", "10.9.8.7", "198.51.100.1", "2001:db8::2",
		"jdoe", "candidate", "ice-", "crypto", "ssrc", "555-6011",
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		cr_assert_eq(rewrite(texts[i]), 0);
		for (k = 0; k < ARRAY_SIZE(inside); k++)
			cr_assert(!strstr(out, inside[k]), "%s in %s",
				  inside[k], out);
	}
}


Test(sdp_rewrite, addresses_in_odd_places)
{
	cr_assert_eq(rewrite(SAMPLE_AUDIO(
			     "c=IN IP4 10.1.2.3\r\nb=X-10.1.2.3:1\r\n"
			     "b=AS:10.1.2.3\r\nk=clear:10.1.2.3\r\n",
			     "a=fmtp:8 via=10.1.2.3\r\n"
			     "a=fmtp:8 via=2001:db8::2\r\n"
			     "a=T38 10.1.2.3\r\na=T3810.1.2.3\r\n"
			     "a=rtpmap:8 PCMA/8000\r\n")),
		     0);
	cr_assert(!strstr(out, "10.1.2.3"), "%s", out);
	cr_assert(!strstr(out, "2001:"), "%s", out);
	cr_assert(strstr(out, "a=rtpmap:8 PCMA/8000"));

	cr_assert_eq(rewrite("v=0\r\nt=10.1.2.3 0\r\nc=IN IP4 10.1.2.3\r\n"
			     "m=audio 4 RTP/AVP 10.1.2.3 8\r\n"
			     "m=other 4 SOME/PROTO 10.1.2.3\r\n"),
		     0);
	cr_assert(!strstr(out, "10.1.2.3"), "%s", out);
	cr_assert(strstr(out, "t=0 0\r\n"));
	cr_assert(strstr(out, "m=audio 0 RTP/AVP 8\r\n"), "%s", out);
	cr_assert(strstr(out, "m=other 0 SOME/PROTO 0\r\n"), "%s", out);
}


/* What the other side reads is what this side wrote, but for the place. */
Test(sdp_rewrite, parse_of_rewrite_is_the_same_but_for_addresses)
{
	static const char *const texts[] = {
		SAMPLE_SIPP, SAMPLE_BARESIP, SAMPLE_LINPHONE, SAMPLE_FAX,
		SAMPLE_RFC,
		SAMPLE_AUDIO("c=IN IP4 0.0.0.0\r\n", ""),
		SAMPLE_AUDIO("c=IN IP4 0.0.0.0\r\n", "a=sendonly\r\n"),
		SAMPLE_AUDIO("c=IN IP4 10.1.2.3\r\na=inactive\r\n", ""),
	};
	size_t i, k;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		struct sdp in, seen;

		cr_assert_eq(sdp_parse(&in, (const uint8_t *)texts[i],
				       strlen(texts[i])),
			     0);
		cr_assert_eq(rewrite(texts[i]), 0);
		cr_assert_eq(sdp_parse(&seen, (const uint8_t *)out,
				       strlen(out)),
			     0);
		cr_assert_eq(in.n, seen.n);

		for (k = 0; k < in.n; k++) {
			const struct sdp_stream *a = &in.streams[k];
			const struct sdp_stream *b = &seen.streams[k];

			cr_assert_eq(a->kind, b->kind);
			cr_assert_eq(a->dir, b->dir, "text %zu", i);
			cr_assert_eq(a->payload_type, b->payload_type);
			cr_assert_eq(a->clock_hz, b->clock_hz);
			cr_assert_str_eq(a->codec, b->codec);
			cr_assert_eq(b->port, 20000 + 2 * k);
			cr_assert_eq(sa_port(&b->rtcp), 20001 + 2 * k);
		}
	}
}


Test(sdp_rewrite, hold_names_our_address)
{
	cr_assert_eq(rewrite(SAMPLE_AUDIO("c=IN IP4 0.0.0.0\r\n", "")), 0);
	cr_assert(!strstr(out, "0.0.0.0"));
	cr_assert(strstr(out, "a=inactive\r\n"));
}


Test(sdp_rewrite, refused_streams_stay_with_port_zero)
{
	struct sdp_rewrite rw = ours();

	rw.rtp_port[1] = 0;
	cr_assert_eq(rewrite_by("v=0\r\nc=IN IP4 10.1.2.3\r\n"
				"m=audio 4 RTP/AVP 8\r\na=ptime:20\r\n"
				"m=video 6 RTP/AVP 99\r\na=ptime:30\r\n"
				"m=audio 0 RTP/AVP 8\r\na=ptime:40\r\n"
				"m=audio 8 RTP/SAVP 8\r\na=ptime:50\r\n"
				"m=audio 10 RTP/AVP 8\r\na=ptime:60\r\n",
				&rw),
		     0);
	cr_assert(strstr(out, "m=audio 20000 RTP/AVP 8\r\na=ptime:20\r\n"
			      "m=video 0 RTP/AVP 99\r\n"
			      "m=audio 0 RTP/AVP 8\r\n"
			      "m=audio 0 RTP/SAVP 8\r\n"
			      "m=audio 0 RTP/AVP 8\r\n"),
		  "%s", out);
	cr_assert(!strstr(out, "ptime:3"));
	cr_assert(!strstr(out, "ptime:6"));
}


Test(sdp_rewrite, rtcp_mux_only_when_both_ports_are_one)
{
	static const char text[] = SAMPLE_AUDIO("c=IN IP4 10.1.2.3\r\n",
						"a=rtcp-mux\r\n");
	struct sdp_rewrite rw = ours();

	cr_assert_eq(rewrite_by(text, &rw), 0);
	cr_assert(!strstr(out, "rtcp"));

	rw.rtcp_port[0] = rw.rtp_port[0];
	cr_assert_eq(rewrite_by(text, &rw), 0);
	cr_assert(strstr(out, "a=rtcp:20000\r\na=rtcp-mux\r\n"));
}


Test(sdp_rewrite, ipv6)
{
	struct sdp_rewrite rw = ours();

	sa_set_str(&rw.addr, "2001:db8::9", 0);
	cr_assert_eq(rewrite_by(SAMPLE_SIPP, &rw), 0);
	cr_assert(strstr(out, "c=IN IP6 2001:db8::9\r\n"));
	cr_assert(strstr(out, "o=- 7 9 IN IP6 2001:db8::9\r\n"));
}


Test(sdp_rewrite, failure_leaves_the_buffer)
{
	const struct sdp_rewrite rw = ours();
	struct mbuf *mb = mbuf_alloc(64);

	mbuf_write_str(mb, "head");
	cr_assert_eq(sdp_rewrite(mb, (const uint8_t *)"v=0\r\nm=\r\n", 9, &rw),
		     EBADMSG);
	cr_assert_eq(mb->end, 4);
	cr_assert_eq(mb->pos, 4);
	mem_deref(mb);
}
