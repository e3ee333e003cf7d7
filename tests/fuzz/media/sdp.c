/**
 * @file sdp.c  Any bytes as a session description: both functions survive,
 * agree on what is readable, and what comes out reads back as what went in,
 * at our address alone.
 */
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "sdp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void must(bool is_true)
{
	if (!is_true)
		abort();
}


/* Our address is in a net that no corpus file uses. */
static void check_place(const struct sa *place, const struct sa *ours)
{
	must(!sa_port(place) || sa_cmp(place, ours, SA_ADDR));
}


static void check(const struct sdp *in, const struct mbuf *out,
		  const struct sa *ours)
{
	struct sdp seen;
	size_t i;

	must(sdp_parse(&seen, out->buf, out->end) == 0);
	must(seen.n == in->n);
	must(seen.has_more == in->has_more);

	for (i = 0; i < seen.n; i++) {
		const struct sdp_stream *a = &in->streams[i];
		const struct sdp_stream *b = &seen.streams[i];

		must(a->kind == b->kind);
		check_place(&b->rtp, ours);
		check_place(&b->rtcp, ours);
		if (!b->port)
			continue;

		must(a->dir == b->dir);
		must(!b->is_secure && !b->has_rtcp_mux);
		must(a->payload_type == b->payload_type);
	}
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sdp_rewrite rw = {.session_id = 1, .session_version = 1};
	struct mbuf *out;
	struct sdp sdp;
	uint16_t i;
	int err;

	sa_set_str(&rw.addr, "192.0.2.199", 0);
	for (i = 0; i < SDP_STREAMS_MAX; i++) {
		rw.rtp_port[i] = 20000 + 2 * i;
		rw.rtcp_port[i] = 20001 + 2 * i;
	}

	out = mbuf_alloc(1024);
	must(out != NULL);
	err = sdp_parse(&sdp, data, size);
	must((err == 0) == (sdp_rewrite(out, data, size, &rw) == 0));
	if (!err && out->end <= SDP_SIZE_MAX)
		check(&sdp, out, &rw.addr);
	mem_deref(out);

	return 0;
}
