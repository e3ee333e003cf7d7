#include <criterion/criterion.h>
#include <string.h>
#include "stream.h"

#define SECOND 1000000u

static struct stream st;
static struct sa alice, nat, stranger, alice_rtcp;


static void setup(void)
{
	memset(&st, 0, sizeof(st));
	sa_set_str(&alice, "10.1.2.3", 4000);
	sa_set_str(&alice_rtcp, "10.1.2.3", 4001);
	sa_set_str(&nat, "198.51.100.7", 61000);
	sa_set_str(&stranger, "203.0.113.66", 4000);
}


static void point_at(const struct sa *rtp, bool is_strict, uint64_t now_us)
{
	struct stream_point point = {.rtp = *rtp, .rtcp = *rtp,
				     .clock_hz = 8000,
				     .is_strict = is_strict};

	if (sa_port(rtp))
		sa_set_port(&point.rtcp, sa_port(rtp) + 1);
	stream_point(&st, &point, now_us);
}


static void packet(uint8_t buf[172], uint16_t seq, uint32_t ts, uint32_t ssrc)
{
	memset(buf, 0, 172);
	buf[0] = 0x80;
	buf[1] = 8;
	buf[2] = seq >> 8;
	buf[3] = seq & 0xff;
	buf[4] = ts >> 24;
	buf[5] = ts >> 16 & 0xff;
	buf[6] = ts >> 8 & 0xff;
	buf[7] = ts & 0xff;
	buf[8] = ssrc >> 24;
	buf[9] = ssrc >> 16 & 0xff;
	buf[10] = ssrc >> 8 & 0xff;
	buf[11] = ssrc & 0xff;
}


static enum stream_verdict rtp_at(const struct sa *from, uint16_t seq,
				  uint64_t now_us)
{
	uint8_t buf[172];

	packet(buf, seq, seq * 160u, 0xabcd);

	return stream_receive(&st, buf, sizeof(buf), false, from, now_us);
}


static enum stream_verdict rtp(uint16_t seq)
{
	return rtp_at(&alice, seq, seq * 20000u);
}


static struct media_stats stats(void)
{
	struct media_stats ret;

	memset(&ret, 0, sizeof(ret));
	stream_stats(&st, &ret);

	return ret;
}


static enum stream_verdict bytes(const char *p, size_t len, bool is_rtcp)
{
	return stream_receive(&st, (const uint8_t *)p, len, is_rtcp, &alice,
			      1);
}


TestSuite(stream, .init = setup);


Test(stream, nothing_before_the_first_point)
{
	cr_assert_eq(rtp(1), STREAM_FOREIGN);
	cr_assert_eq(stats().foreign, 1);
	cr_assert_eq(stats().last_us, 0);
}


Test(stream, counts_what_comes)
{
	int i;

	point_at(&alice, true, 0);
	for (i = 1; i <= 50; i++)
		cr_assert_eq(rtp(i), STREAM_RTP);

	cr_assert_eq(stats().packets, 50);
	cr_assert_eq(stats().bytes, 50 * 172);
	cr_assert_eq(stats().lost, 0);
	cr_assert_eq(stats().reordered, 0);
	cr_assert_eq(stats().jitter_us, 0);
	cr_assert_eq(stats().ssrc, 0xabcd);
	cr_assert_eq(stats().payload_type, 8);
	cr_assert_eq(stats().last_us, SECOND);
}


Test(stream, loss)
{
	point_at(&alice, true, 0);
	rtp(1);
	rtp(2);
	rtp(5);
	rtp(6);
	cr_assert_eq(stats().lost, 2);
}


Test(stream, reorder_is_no_loss)
{
	point_at(&alice, true, 0);
	rtp(1);
	rtp(3);
	cr_assert_eq(stats().lost, 1);
	rtp(2);
	rtp(4);
	cr_assert_eq(stats().lost, 0);
	cr_assert_eq(stats().reordered, 1);
	cr_assert_eq(stats().duplicate, 0);
}


Test(stream, duplicates_do_not_hide_loss)
{
	point_at(&alice, true, 0);
	rtp(1);
	rtp(2);
	rtp(2);
	rtp(2);
	rtp(4);
	rtp(2);
	cr_assert_eq(stats().duplicate, 3);
	cr_assert_eq(stats().lost, 1);
	cr_assert_eq(stats().packets, 6);
}


Test(stream, wrap_around)
{
	uint32_t i;

	point_at(&alice, true, 0);
	for (i = 65000; i < 65000 + 70000; i++) {
		if (i != 65535 && i != 65536 + 7)
			rtp((uint16_t)i);
	}
	cr_assert_eq(stats().lost, 2);
	cr_assert_eq(stats().reordered, 0);
}


Test(stream, late_packet_from_before_the_wrap)
{
	point_at(&alice, true, 0);
	rtp(65534);
	rtp(0);
	rtp(65535);
	rtp(1);
	cr_assert_eq(stats().lost, 0);
	cr_assert_eq(stats().reordered, 1);
}


Test(stream, single_jump_is_ignored_and_a_restart_is_followed)
{
	point_at(&alice, true, 0);
	rtp(1);
	rtp(3);
	rtp(30000);
	cr_assert_eq(stats().lost, 1);
	rtp(4);
	cr_assert_eq(stats().lost, 1);

	rtp(40000);
	rtp(40001);
	rtp(40003);
	cr_assert_eq(stats().lost, 2);
}


Test(stream, another_ssrc_is_a_new_run)
{
	uint8_t buf[172];

	point_at(&alice, true, 0);
	rtp(1);
	rtp(3);
	packet(buf, 9000, 5, 0x1111);
	cr_assert_eq(stream_receive(&st, buf, sizeof(buf), false, &alice, 90),
		     STREAM_RTP);
	packet(buf, 9001, 165, 0x1111);
	stream_receive(&st, buf, sizeof(buf), false, &alice, 20090);
	cr_assert_eq(stats().lost, 1);
	cr_assert_eq(stats().ssrc, 0x1111);
	cr_assert_eq(stats().jitter_us, 0);
}


/* RFC 3550 A.8 by hand: |D| = 80 units once gives J = 80/16 = 5 units. */
Test(stream, jitter_of_one_late_packet)
{
	point_at(&alice, true, 0);
	rtp_at(&alice, 1, 20000);
	rtp_at(&alice, 2, 40000);
	rtp_at(&alice, 3, 70000); /* 10 ms late: 80 units */
	cr_assert_eq(stats().jitter_us, 5 * 125);
	cr_assert_eq(stats().jitter_max_us, 625);

	/* back in time: again 80; J16 = 80 + 80 - (88 >> 4) = 155 */
	rtp_at(&alice, 4, 80000);
	cr_assert_eq(stats().jitter_us, 155 * 125 / 16);
}


/* Alternating 10 ms early and late: every |D| is 160, so J goes to 160. */
Test(stream, jitter_of_a_steady_swing)
{
	uint16_t i;

	point_at(&alice, true, 0);
	for (i = 1; i < 500; i++)
		rtp_at(&alice, i, i * 20000u + (i & 1 ? 20000u : 0));

	cr_assert_geq(stats().jitter_us, 19800);
	cr_assert_leq(stats().jitter_us, 20000);
}


/* RFC 4733: an event repeats its timestamp; that is no jitter. */
Test(stream, repeated_timestamp_is_no_jitter)
{
	uint8_t buf[172];
	int i;

	point_at(&alice, true, 0);
	rtp(1);
	for (i = 2; i < 12; i++) {
		packet(buf, i, 320, 0xabcd);
		stream_receive(&st, buf, sizeof(buf), false, &alice,
			       i * 20000);
	}
	cr_assert_eq(stats().jitter_us, 0);
}


Test(stream, a_new_time_base_is_no_jitter)
{
	uint8_t buf[172];

	point_at(&alice, true, 0);
	rtp(1);
	packet(buf, 2, 0x7fff0000, 0xabcd);
	stream_receive(&st, buf, sizeof(buf), false, &alice, 40000);
	packet(buf, 3, 0x7fff0000 + 160, 0xabcd);
	stream_receive(&st, buf, sizeof(buf), false, &alice, 60000);
	cr_assert_eq(stats().jitter_us, 0);
}


Test(stream, malformed_rtp)
{
	char buf[64] = {0};

	point_at(&alice, true, 0);
	cr_assert_eq(bytes("", 0, false), STREAM_MALFORMED);
	cr_assert_eq(bytes("\r\n\r\n", 4, false), STREAM_MALFORMED);
	cr_assert_eq(bytes("\x80\x08\0\0\0\0\0\0\0\0\0", 11, false),
		     STREAM_MALFORMED);
	buf[0] = 0x40; /* version 1 */
	cr_assert_eq(bytes(buf, 64, false), STREAM_MALFORMED);
	buf[0] = (char)0x8f; /* 15 CSRCs need 72 */
	cr_assert_eq(bytes(buf, 64, false), STREAM_MALFORMED);
	buf[0] = (char)0x90; /* extension cut off */
	cr_assert_eq(bytes(buf, 15, false), STREAM_MALFORMED);
	buf[15] = 13; /* extension of 52: 68 octets */
	cr_assert_eq(bytes(buf, 64, false), STREAM_MALFORMED);
	buf[15] = 12;
	cr_assert_eq(bytes(buf, 64, false), STREAM_RTP);
	buf[0] = (char)0xa0; /* padding of 0, then of more than there is */
	cr_assert_eq(bytes(buf, 64, false), STREAM_MALFORMED);
	buf[63] = 53;
	cr_assert_eq(bytes(buf, 64, false), STREAM_MALFORMED);
	buf[63] = 52;
	cr_assert_eq(bytes(buf, 64, false), STREAM_RTP);
	cr_assert_eq(stats().malformed, 9);
	cr_assert_eq(stats().packets, 2);
}


Test(stream, rtcp)
{
	static const char rr[] = "\x80\xc9\0\1\0\0\0\1";
	static const char pair[] = "\x80\xc9\0\1\0\0\0\1\x81\xca\0\1\0\0\0\2";

	point_at(&alice, false, 0);
	cr_assert_eq(bytes(rr, 8, true), STREAM_RTCP);
	cr_assert_eq(bytes(pair, 16, true), STREAM_RTCP);
	cr_assert_eq(bytes(pair, 15, true), STREAM_MALFORMED);
	cr_assert_eq(bytes(rr, 4, true), STREAM_MALFORMED);
	cr_assert_eq(bytes("", 0, true), STREAM_MALFORMED);
	cr_assert_eq(stats().rtcp_packets, 2);
	cr_assert_eq(stats().packets, 0);

	/* multiplexed: RFC 5761 4 */
	cr_assert_eq(bytes(rr, 8, false), STREAM_RTCP);
	cr_assert_eq(stats().rtcp_packets, 3);
}


Test(stream, udptl_is_not_looked_at)
{
	struct stream_point point = {.rtp = alice, .is_strict = true};

	stream_point(&st, &point, 0);
	cr_assert_eq(bytes("\0\1\2", 3, false), STREAM_RTP);
	cr_assert_eq(stats().packets, 1);
	cr_assert_eq(stats().bytes, 3);
	cr_assert_eq(stats().lost, 0);
}


Test(stream, strict_takes_the_signalled_address_only)
{
	struct sa to;

	point_at(&alice, true, 0);
	cr_assert_eq(rtp_at(&nat, 1, 1), STREAM_FOREIGN);
	cr_assert_eq(rtp_at(&alice_rtcp, 1, 1), STREAM_FOREIGN);
	cr_assert_eq(rtp_at(&alice, 1, 1), STREAM_RTP);
	cr_assert_eq(rtp_at(&stranger, 2, 1), STREAM_FOREIGN);
	cr_assert_eq(stats().foreign, 3);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &alice, SA_ALL));
}


Test(stream, first_source_is_taken_and_kept)
{
	struct sa to;

	point_at(&alice, false, 0);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &alice, SA_ALL));

	/* it rang for a minute */
	cr_assert_eq(rtp_at(&nat, 1, 60 * SECOND), STREAM_RTP);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &nat, SA_ALL));

	cr_assert_eq(rtp_at(&stranger, 2, 60 * SECOND + 1), STREAM_FOREIGN);
	cr_assert_eq(rtp_at(&stranger, 2, 80 * SECOND), STREAM_FOREIGN);
	cr_assert_eq(rtp_at(&nat, 2, 80 * SECOND), STREAM_RTP);
}


Test(stream, the_signalled_address_beats_the_first_comer_for_a_while)
{
	struct sa to;

	point_at(&alice, false, 0);
	cr_assert_eq(rtp_at(&stranger, 1, SECOND), STREAM_RTP);
	cr_assert_eq(rtp_at(&alice, 1, 2 * SECOND), STREAM_RTP);
	cr_assert_eq(rtp_at(&stranger, 2, 2 * SECOND), STREAM_FOREIGN);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &alice, SA_ALL));
}


Test(stream, after_the_window_the_source_is_fixed)
{
	point_at(&alice, false, 0);
	cr_assert_eq(rtp_at(&nat, 1, SECOND), STREAM_RTP);
	cr_assert_eq(rtp_at(&alice, 1, SECOND + STREAM_WINDOW_US),
		     STREAM_FOREIGN);
}


Test(stream, malformed_packets_take_nothing)
{
	point_at(&alice, false, 0);
	stream_receive(&st, (const uint8_t *)"junk", 4, false, &stranger, 1);
	cr_assert_eq(rtp_at(&nat, 1, 2), STREAM_RTP);
	cr_assert_eq(rtp_at(&stranger, 1, 3), STREAM_FOREIGN);
}


Test(stream, refresh_keeps_the_source)
{
	point_at(&alice, false, 0);
	rtp_at(&nat, 1, 1);
	point_at(&alice, false, 60 * SECOND);
	cr_assert_eq(rtp_at(&stranger, 1, 60 * SECOND + 1), STREAM_FOREIGN);
	cr_assert_eq(rtp_at(&nat, 2, 60 * SECOND + 2), STREAM_RTP);
}


Test(stream, packets_under_way_are_not_taken_for_the_new_place)
{
	struct sa moved, nat_moved, to;

	sa_set_str(&moved, "10.1.2.3", 4002);
	sa_set_str(&nat_moved, "198.51.100.7", 61009);

	point_at(&alice, false, 0);
	rtp_at(&nat, 1, 1);
	point_at(&moved, false, 60 * SECOND);
	cr_assert_eq(rtp_at(&nat, 2, 60 * SECOND + 1), STREAM_RTP);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &moved, SA_ALL));

	cr_assert_eq(rtp_at(&nat_moved, 3, 60 * SECOND + 2), STREAM_RTP);
	cr_assert_eq(rtp_at(&nat, 4, 60 * SECOND + 3), STREAM_FOREIGN);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &nat_moved, SA_ALL));
}


Test(stream, the_old_source_is_taken_again_when_no_other_comes)
{
	struct sa moved, to;

	sa_set_str(&moved, "10.1.2.3", 4002);
	point_at(&alice, false, 0);
	rtp_at(&nat, 1, 1);
	point_at(&moved, false, 60 * SECOND);
	rtp_at(&nat, 2, 60 * SECOND + STREAM_WINDOW_US);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &nat, SA_ALL));
}


Test(stream, hold_sends_nothing_and_keeps_the_source)
{
	struct sa none, to;

	sa_init(&none, AF_UNSPEC);
	point_at(&alice, false, 0);
	rtp_at(&nat, 1, 1);
	point_at(&none, false, 10 * SECOND);
	cr_assert(!stream_target(&st, false, &to));
	cr_assert(!stream_target(&st, true, &to));
	cr_assert_eq(rtp_at(&nat, 2, 10 * SECOND + 1), STREAM_RTP);
	cr_assert_eq(rtp_at(&stranger, 2, 20 * SECOND), STREAM_FOREIGN);

	point_at(&alice, false, 30 * SECOND);
	cr_assert(stream_target(&st, false, &to));
	cr_assert(sa_cmp(&to, &nat, SA_ALL));
}


Test(stream, rtcp_follows_the_host_of_rtp)
{
	static const uint8_t rr[] = {0x80, 0xc9, 0, 1, 0, 0, 0, 1};
	struct sa nat_rtcp, to;

	sa_set_str(&nat_rtcp, "198.51.100.7", 61555);
	point_at(&alice, false, 0);
	cr_assert(stream_target(&st, true, &to));
	cr_assert(sa_cmp(&to, &alice_rtcp, SA_ALL));

	rtp_at(&nat, 1, 1);
	cr_assert(stream_target(&st, true, &to));
	cr_assert_eq(sa_port(&to), 61001);
	cr_assert(sa_cmp(&to, &nat, SA_ADDR));

	cr_assert_eq(stream_receive(&st, rr, 8, true, &stranger, 2),
		     STREAM_FOREIGN);
	cr_assert_eq(stream_receive(&st, rr, 8, true, &nat_rtcp, 2),
		     STREAM_RTCP);
	cr_assert(stream_target(&st, true, &to));
	cr_assert(sa_cmp(&to, &nat_rtcp, SA_ALL));
	cr_assert_eq(stream_receive(&st, rr, 8, true, &nat, 2),
		     STREAM_FOREIGN);
}


Test(stream, strict_rtcp)
{
	static const uint8_t rr[] = {0x80, 0xc9, 0, 1, 0, 0, 0, 1};

	point_at(&alice, true, 0);
	cr_assert_eq(stream_receive(&st, rr, 8, true, &alice_rtcp, 2),
		     STREAM_RTCP);
	cr_assert_eq(stream_receive(&st, rr, 8, true, &stranger, 2),
		     STREAM_FOREIGN);
	cr_assert_eq(stream_receive(&st, rr, 8, false, &stranger, 2),
		     STREAM_FOREIGN);
	cr_assert_eq(stream_receive(&st, rr, 8, false, &alice, 2),
		     STREAM_RTCP);
}
