/**
 * @file rtp.c  Any run of packets at one stream: every packet is counted
 * once, and once a source is fixed no stranger gets in.
 *
 * Input: packets of one length octet, one octet of who and when, the bytes.
 */
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "stream.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void must(bool is_true)
{
	if (!is_true)
		abort();
}


static void check(const struct stream *s, uint64_t fed)
{
	struct media_stats st;

	memset(&st, 0, sizeof(st));
	stream_stats(s, &st);
	must(st.packets + st.rtcp_packets + st.foreign + st.malformed == fed);
	must(st.duplicate + st.reordered <= st.packets);
	must(st.jitter_us <= st.jitter_max_us);
}


static void point(struct stream *s, uint8_t how, uint64_t now_us)
{
	struct stream_point p = {.clock_hz = how & 1 ? 8000 : 90000,
				 .is_strict = how & 2};

	sa_set_str(&p.rtp, "10.0.0.1", how & 4 ? 0 : 4000 + (how & 8));
	sa_set_str(&p.rtcp, "10.0.0.1", 4001);
	stream_point(s, &p, now_us);
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t now_us = 0, fed = 0;
	struct stream s;

	memset(&s, 0, sizeof(s));

	while (size >= 2) {
		const uint8_t who = data[1];
		size_t len = data[0];
		struct sa from;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;

		now_us += (who >> 4) * 100000u;
		if (len == 0) {
			point(&s, who, now_us);
			continue;
		}

		sa_set_str(&from, who & 1 ? "10.0.0.1" : "10.0.0.2",
			   4000 + (who & 6));
		stream_receive(&s, data, len, who & 8, &from, now_us);
		check(&s, ++fed);
		data += len;
		size -= len;
	}

	return 0;
}
