/**
 * @file bandwidth.c  Bit rates of codecs, and headers on top.
 */
#include <stddef.h>
#include <string.h>
#include <strings.h>
#include "bandwidth.h"

#define PTIME_MS 20
#define HEADERS_V4 (20 + 8 + 12) /* RFC 791, RFC 768, RFC 3550 5.1 */
#define HEADERS_V6 (40 + 8 + 12) /* RFC 8200 */
#define VIDEO_KBPS 1000

static const struct {
	const char *name;
	uint32_t bps;
} codecs[] = {
	{"PCMA", 64000},    {"PCMU", 64000},    {"G722", 64000},
	{"G729", 8000},     {"G723", 6400},     {"GSM", 13200},
	{"iLBC", 15200},    {"opus", 40000},    {"AMR", 12200},
	{"AMR-WB", 23850},  {"G726-16", 16000}, {"G726-24", 24000},
	{"G726-32", 32000}, {"G726-40", 40000}, {"G728", 16000},
	{"speex", 24600},   {"t38", 14400},     {"L16", 128000},
};


static uint32_t bits(const char *codec)
{
	const size_t len = strcspn(codec, "/");

	for (size_t i = 0; i < sizeof(codecs) / sizeof(codecs[0]); i++)
		if (strlen(codecs[i].name) == len &&
		    !strncasecmp(codecs[i].name, codec, len))
			return codecs[i].bps;

	return codecs[0].bps;
}


uint32_t bandwidth_audio_kbps(const char *codec, uint32_t ptime_ms,
			      bool is_ipv6)
{
	const uint32_t headers = 8u * (is_ipv6 ? HEADERS_V6 : HEADERS_V4);
	uint32_t bps;

	if (!ptime_ms || ptime_ms > 1000)
		ptime_ms = PTIME_MS;
	bps = bits(codec) + (headers * 1000 + ptime_ms - 1) / ptime_ms;

	return (bps + 999) / 1000;
}


uint32_t bandwidth_video_kbps(uint32_t said_kbps)
{
	return said_kbps ? said_kbps : VIDEO_KBPS;
}
