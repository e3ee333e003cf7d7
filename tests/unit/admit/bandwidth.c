/** @file bandwidth.c  Bits of codecs with their headers. */
#include <criterion/criterion.h>
#include "bandwidth.h"


Test(bandwidth, codec_and_headers)
{
	/* 160 + 40 bytes 50 times a second */
	cr_expect_eq(bandwidth_audio_kbps("PCMA/8000", 20, false), 80);
	cr_expect_eq(bandwidth_audio_kbps("pcmu/8000", 0, false), 80);
	/* 240 + 40 bytes 33.3 times */
	cr_expect_eq(bandwidth_audio_kbps("PCMA/8000", 30, false), 75);
	cr_expect_eq(bandwidth_audio_kbps("PCMA/8000", 10, false), 96);
	cr_expect_eq(bandwidth_audio_kbps("PCMA/8000", 20, true), 88);
	cr_expect_eq(bandwidth_audio_kbps("G729/8000", 20, false), 24);
	cr_expect_eq(bandwidth_audio_kbps("opus/48000/2", 20, false), 56);
	cr_expect_eq(bandwidth_audio_kbps("AMR-WB/16000", 20, false), 40);
	cr_expect_eq(bandwidth_audio_kbps("AMR/8000", 20, false), 29);
}


Test(bandwidth, what_is_not_known)
{
	cr_expect_eq(bandwidth_audio_kbps("", 20, false),
		     BANDWIDTH_UNKNOWN_KBPS);
	cr_expect_eq(bandwidth_audio_kbps("secret/8000", 20, false),
		     BANDWIDTH_UNKNOWN_KBPS);
	cr_expect_eq(bandwidth_audio_kbps("PCMA/8000", 65535, false), 80);
	cr_expect_eq(bandwidth_video_kbps(0), 1000);
	cr_expect_eq(bandwidth_video_kbps(384), 384);
}
