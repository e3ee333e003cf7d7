/**
 * @file sample.h  Session descriptions as real programs send them.
 */
#ifndef SAMPLE_H
#define SAMPLE_H

/* RFC 8866 5, with audio as the first stream */
#define SAMPLE_RFC                                                            \
	"v=0\r\n"                                                             \
	"o=jdoe 3724394400 3724394405 IN IP4 198.51.100.1\r\n"                \
	"s=Call to John Smith\r\n"                                            \
	"i=SDP Offer #1\r\n"                                                  \
	"u=http://www.jdoe.example.com/home.html\r\n"                         \
	"e=Jane Doe <jane@jdoe.example.com>\r\n"                              \
	"p=+1 617 555-6011\r\n"                                               \
	"c=IN IP4 198.51.100.1\r\n"                                           \
	"t=0 0\r\n"                                                           \
	"m=audio 49170 RTP/AVP 0\r\n"                                         \
	"m=audio 49180 RTP/AVP 0\r\n"                                         \
	"m=video 51372 RTP/AVP 99\r\n"                                        \
	"c=IN IP6 2001:db8::2\r\n"                                            \
	"a=rtpmap:99 h263-1998/90000\r\n"

/* what SIPp's built-in scenario offers */
#define SAMPLE_SIPP                                                           \
	"v=0\r\n"                                                             \
	"o=user1 53655765 2353687637 IN IP4 10.1.2.3\r\n"                     \
	"s=-\r\n"                                                             \
	"c=IN IP4 10.1.2.3\r\n"                                               \
	"t=0 0\r\n"                                                           \
	"m=audio 6000 RTP/AVP 0\r\n"                                          \
	"a=rtpmap:0 PCMU/8000\r\n"

#define SAMPLE_BARESIP                                                        \
	"v=0\r\n"                                                             \
	"o=- 2174869152 1029384756 IN IP4 10.1.2.3\r\n"                       \
	"s=-\r\n"                                                             \
	"c=IN IP4 10.1.2.3\r\n"                                               \
	"t=0 0\r\n"                                                           \
	"a=tool:baresip 1.0.0\r\n"                                            \
	"m=audio 17640 RTP/AVP 96 8 101\r\n"                                  \
	"b=AS:125\r\n"                                                        \
	"a=rtpmap:96 opus/48000/2\r\n"                                        \
	"a=fmtp:96 stereo=1;sprop-stereo=1\r\n"                               \
	"a=rtpmap:8 PCMA/8000\r\n"                                            \
	"a=rtpmap:101 telephone-event/8000\r\n"                               \
	"a=fmtp:101 0-15\r\n"                                                 \
	"a=rtcp:17641\r\n"                                                    \
	"a=sendrecv\r\n"                                                      \
	"a=label:1\r\n"                                                       \
	"a=rtcp-rsize\r\n"                                                    \
	"a=ssrc:1538762 cname:sip:bob@10.1.2.3\r\n"                           \
	"a=ptime:20\r\n"

/* linphone: AVPF, ICE, feedback, a second stream */
#define SAMPLE_LINPHONE                                                       \
	"v=0\r\n"                                                             \
	"o=alice 1234 5678 IN IP4 10.1.2.3\r\n"                               \
	"s=Talk\r\n"                                                          \
	"c=IN IP4 10.1.2.3\r\n"                                               \
	"b=AS:380\r\n"                                                        \
	"t=0 0\r\n"                                                           \
	"a=ice-pwd:7a0c2e4b6d8f1a3c5e7092b4\r\n"                              \
	"a=ice-ufrag:3f5a7c9e\r\n"                                            \
	"a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL\r\n"     \
	"a=record:off\r\n"                                                    \
	"m=audio 7078 RTP/AVPF 96 97 0 8 101\r\n"                             \
	"c=IN IP4 10.1.2.3\r\n"                                               \
	"a=rtpmap:96 opus/48000/2\r\n"                                        \
	"a=fmtp:96 useinbandfec=1\r\n"                                        \
	"a=rtpmap:97 speex/16000\r\n"                                         \
	"a=fmtp:97 vbr=on\r\n"                                                \
	"a=rtpmap:101 telephone-event/48000\r\n"                              \
	"a=rtcp:57078 IN IP4 10.9.8.7\r\n"                                    \
	"a=candidate:1 1 UDP 2130706303 10.1.2.3 7078 typ host\r\n"           \
	"a=candidate:2 1 UDP 1694498687 10.9.8.7 57077 typ srflx "            \
	"raddr 10.1.2.3 rport 7078\r\n"                                       \
	"a=rtcp-fb:* trr-int 5000\r\n"                                        \
	"m=video 9078 RTP/AVP 96\r\n"                                         \
	"a=rtpmap:96 VP8/90000\r\n"                                           \
	"a=rtcp-fb:96 nack pli\r\n"                                           \
	"a=recvonly\r\n"

#define SAMPLE_FAX                                                            \
	"v=0\r\n"                                                             \
	"o=gw 1 2 IN IP4 10.1.2.3\r\n"                                        \
	"s=fax\r\n"                                                           \
	"c=IN IP4 10.1.2.3\r\n"                                               \
	"t=0 0\r\n"                                                           \
	"m=image 4000 udptl t38\r\n"                                          \
	"a=T38FaxVersion:0\r\n"                                               \
	"a=T38MaxBitRate:14400\r\n"                                           \
	"a=T38FaxRateManagement:transferredTCF\r\n"

#define SAMPLE_SRTP                                                           \
	"v=0\r\n"                                                             \
	"o=- 1 1 IN IP4 10.1.2.3\r\n"                                         \
	"s=-\r\n"                                                             \
	"c=IN IP4 10.1.2.3\r\n"                                               \
	"t=0 0\r\n"                                                           \
	"m=audio 4000 RTP/SAVP 8\r\n"                                         \
	"a=crypto:1 AES_CM_128_HMAC_SHA1_80 "                                 \
	"inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz\r\n"

/** A description with one audio line and what the caller adds to it. */
#define SAMPLE_AUDIO(session, media)                                          \
	"v=0\r\no=- 1 1 IN IP4 10.1.2.3\r\ns=-\r\n" session                   \
	"t=0 0\r\nm=audio 4000 RTP/AVP 8\r\n" media

#endif
