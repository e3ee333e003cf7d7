/**
 * @file bandwidth.h  What a stream takes of a line: bits of the codec and of
 * the IP, UDP and RTP headers of each packet, one way. Pure.
 */
#ifndef BANDWIDTH_H
#define BANDWIDTH_H
#include <stdbool.h>
#include <stdint.h>

#define BANDWIDTH_UNKNOWN_KBPS 80 /**< no SDP yet: G.711 at 20 ms (IPv4)    */

/**
 * @param codec     as in a=rtpmap: "PCMA/8000"; an unknown one counts as G.711
 * @param ptime_ms  RFC 8866 6.4; 0: 20 ms (RFC 3551 4.2)
 * @param is_ipv6   20 bytes more a packet
 * @return kbit/s, rounded up
 */
uint32_t bandwidth_audio_kbps(const char *codec, uint32_t ptime_ms,
			      bool is_ipv6);

/** Video by what its b= line says (RFC 8866 5.8). @param said_kbps 0: none */
uint32_t bandwidth_video_kbps(uint32_t said_kbps);

#endif
