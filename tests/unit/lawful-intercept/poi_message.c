/**
 * @file tests/unit/lawful-intercept/poi_message.c  Every kind of message comes
 * back as it was, and no other octets are taken for one.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "poi_message.h"

static uint8_t buf[POI_MESSAGE_MAX];
static uint8_t big[POI_SIP_MAX + 1];


static size_t encoded(const struct poi_message *m)
{
	size_t len = 0;

	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, m), 0);

	return len;
}


static struct poi_message decoded(size_t len)
{
	struct poi_message m;

	memset(&m, 0, sizeof(m));
	cr_assert_eq(poi_message_decode(&m, buf, len), 0);

	return m;
}


static struct poi_message sip_message(size_t len)
{
	struct poi_message m;

	memset(&m, 0, sizeof(m));
	m.type = POI_SIP;
	memset(m.sip.call, 7, sizeof(m.sip.call));
	m.sip.wall_ns = 1795936547123456789;
	m.sip.leg = POI_LEG_B;
	m.sip.direction = POI_SENT;
	m.sip.attempt = 3;
	m.sip.protocol = 17;
	(void)sa_set_str(&m.sip.source, "192.0.2.1", 5060);
	(void)sa_set_str(&m.sip.destination, "2001:db8::2", 5062);
	m.sip.bytes = big;
	m.sip.len = len;

	return m;
}


static struct poi_message call_message(uint8_t n)
{
	struct poi_message m;
	size_t i;

	memset(&m, 0, sizeof(m));
	m.type = POI_CALL;
	m.call.wall_ns = -1;
	m.call.session = POI_SESSION_CALL;
	m.call.in_progress = true;
	m.call.n = n;
	for (i = 0; i < n && i < POI_MATCHES_MAX; i++) {
		m.call.match[i].id = UINT32_MAX - (uint32_t)i;
		m.call.match[i].role = POI_FORWARDING;
	}

	return m;
}


static struct poi_message targets_message(uint16_t n)
{
	struct poi_message m;
	size_t i;

	memset(&m, 0, sizeof(m));
	m.type = POI_TARGETS;
	m.targets.generation = 9;
	m.targets.part = 1;
	m.targets.parts = 2;
	m.targets.n = n;
	for (i = 0; i < n && i < POI_TARGETS_PART; i++) {
		memset(m.targets.target[i].digest, (int)i, POI_DIGEST_SIZE);
		m.targets.target[i].id = (uint32_t)i;
		m.targets.target[i].want = POI_WANT_SIP;
	}

	return m;
}


Test(poi_message, hello_and_key_come_back)
{
	struct poi_message m = {.type = POI_HELLO}, back;

	strcpy(m.hello.node, "node-1");
	memset(m.hello.boot, 3, sizeof(m.hello.boot));
	back = decoded(encoded(&m));
	cr_assert_eq(back.type, POI_HELLO);
	cr_assert_str_eq(back.hello.node, "node-1");
	cr_assert_arr_eq(back.hello.boot, m.hello.boot, POI_ID_SIZE);

	memset(&m, 0, sizeof(m));
	m.type = POI_KEY;
	memset(m.key.key, 0xa5, sizeof(m.key.key));
	back = decoded(encoded(&m));
	cr_assert_eq(back.type, POI_KEY);
	cr_assert_arr_eq(back.key.key, m.key.key, POI_KEY_SIZE);
}


Test(poi_message, a_name_of_a_node_is_printable_and_ends)
{
	struct poi_message m = {.type = POI_HELLO};
	size_t len;

	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	memset(m.hello.node, 'n', sizeof(m.hello.node));
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	strcpy(m.hello.node, "no\nde");
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);

	strcpy(m.hello.node, "node");
	len = encoded(&m);
	buf[POI_HEADER_SIZE + 1] = '\n';
	cr_assert_eq(poi_message_decode(&m, buf, len), EBADMSG);
}


Test(poi_message, a_full_part_of_targets_comes_back)
{
	const struct poi_message m = targets_message(POI_TARGETS_PART);
	const struct poi_message back = decoded(encoded(&m));

	cr_assert_eq(back.targets.generation, 9);
	cr_assert_eq(back.targets.part, 1);
	cr_assert_eq(back.targets.parts, 2);
	cr_assert_eq(back.targets.n, POI_TARGETS_PART);
	cr_assert_eq(memcmp(&back.targets.target[255],
			    &m.targets.target[255], POI_DIGEST_SIZE), 0);
	cr_assert_eq(back.targets.target[255].id, 255);
	cr_assert_eq(back.targets.target[255].want, POI_WANT_SIP);
}


Test(poi_message, an_empty_set_of_targets_is_a_set)
{
	struct poi_message m = targets_message(0);
	struct poi_message back;

	m.targets.part = 0;
	m.targets.parts = 1;
	back = decoded(encoded(&m));
	cr_assert_eq(back.targets.n, 0);
	cr_assert_eq(back.targets.parts, 1);
}


Test(poi_message, targets_out_of_their_bounds_are_refused)
{
	struct poi_message m = targets_message(POI_TARGETS_PART + 1);
	size_t len;

	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m = targets_message(1);
	m.targets.part = 2;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m = targets_message(1);
	m.targets.generation = 0;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m = targets_message(1);
	m.targets.parts = POI_TARGETS_MAX / POI_TARGETS_PART + 1;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m = targets_message(1);
	m.targets.target[0].want = 4;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m.targets.target[0].want = 0;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);

	/* a count that the octets do not have */
	m = targets_message(1);
	len = encoded(&m);
	buf[POI_HEADER_SIZE + 9] = 2;
	cr_assert_eq(poi_message_decode(&m, buf, len), EBADMSG);
	buf[POI_HEADER_SIZE + 8] = 0xff;
	cr_assert_eq(poi_message_decode(&m, buf, len), EBADMSG);
}


Test(poi_message, in_force_comes_back)
{
	const struct poi_message m = {.type = POI_IN_FORCE,
				      .in_force = {.generation = 77,
						   .n = 65536}};
	const struct poi_message back = decoded(encoded(&m));

	cr_assert_eq(back.in_force.generation, 77);
	cr_assert_eq(back.in_force.n, 65536);
}


Test(poi_message, a_call_comes_back_with_its_matches)
{
	const struct poi_message m = call_message(POI_MATCHES_MAX);
	const struct poi_message back = decoded(encoded(&m));

	cr_assert_eq(back.call.wall_ns, -1);
	cr_assert(back.call.in_progress);
	cr_assert_eq(back.call.n, POI_MATCHES_MAX);
	cr_assert_eq(back.call.match[15].id, UINT32_MAX - 15);
	cr_assert_eq(back.call.match[15].role, POI_FORWARDING);
}


Test(poi_message, a_call_has_one_to_sixteen_matches_with_a_role)
{
	struct poi_message m = call_message(0);
	size_t len;

	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m = call_message(POI_MATCHES_MAX + 1);
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m = call_message(1);
	m.call.match[0].role = POI_ROLE_END;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m = call_message(1);
	m.call.session = 0;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);

	m = call_message(1);
	len = encoded(&m);
	buf[POI_HEADER_SIZE + 25] = 2; /* neither false nor true */
	cr_assert_eq(poi_message_decode(&m, buf, len), EBADMSG);
}


Test(poi_message, sip_comes_back_verbatim_also_the_longest)
{
	struct poi_message m, back;
	size_t i;

	for (i = 0; i < sizeof(big); i++)
		big[i] = (uint8_t)(i * 31);

	m = sip_message(POI_SIP_MAX);
	back = decoded(encoded(&m));
	cr_assert_eq(back.type, POI_SIP);
	cr_assert_eq(back.sip.wall_ns, 1795936547123456789);
	cr_assert_eq(back.sip.leg, POI_LEG_B);
	cr_assert_eq(back.sip.direction, POI_SENT);
	cr_assert_eq(back.sip.attempt, 3);
	cr_assert_eq(back.sip.protocol, 17);
	cr_assert(sa_cmp(&back.sip.source, &m.sip.source, SA_ALL));
	cr_assert(sa_cmp(&back.sip.destination, &m.sip.destination, SA_ALL));
	cr_assert_eq(back.sip.len, POI_SIP_MAX);
	cr_assert_eq(memcmp(back.sip.bytes, big, POI_SIP_MAX), 0);

	m = sip_message(POI_SIP_MAX + 1);
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &i, &m), EINVAL);
	m = sip_message(0);
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &i, &m), EINVAL);
}


Test(poi_message, rtp_comes_back_and_is_a_packet)
{
	struct poi_message m = {.type = POI_RTP}, back;
	size_t len;

	m.rtp.wall_ns = 5;
	m.rtp.leg = POI_LEG_A;
	m.rtp.stream = 1;
	(void)sa_set_str(&m.rtp.source, "192.0.2.1", 30000);
	(void)sa_set_str(&m.rtp.destination, "192.0.2.2", 40000);
	m.rtp.bytes = big;
	m.rtp.len = POI_RTP_MAX;
	back = decoded(encoded(&m));
	cr_assert_eq(back.rtp.leg, POI_LEG_A);
	cr_assert_eq(back.rtp.stream, 1);
	cr_assert_eq(back.rtp.len, POI_RTP_MAX);
	cr_assert(sa_cmp(&back.rtp.source, &m.rtp.source, SA_ALL));

	m.rtp.len = POI_RTP_MAX + 1;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m.rtp.len = 11;
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
	m.rtp.len = 12;
	sa_init(&m.rtp.source, AF_UNSPEC);
	cr_assert_eq(poi_message_encode(buf, sizeof(buf), &len, &m), EINVAL);
}


Test(poi_message, losses_and_ends_come_back)
{
	struct poi_message m = {.type = POI_LOST}, back;

	m.lost.from_ns = 1;
	m.lost.to_ns = 2;
	m.lost.sip = 3;
	m.lost.rtp[0] = 4;
	m.lost.rtp[1] = 5;
	back = decoded(encoded(&m));
	cr_assert_eq(back.lost.from_ns, 1);
	cr_assert_eq(back.lost.to_ns, 2);
	cr_assert_eq(back.lost.sip, 3);
	cr_assert_eq(back.lost.rtp[0], 4);
	cr_assert_eq(back.lost.rtp[1], 5);

	memset(&m, 0, sizeof(m));
	m.type = POI_END;
	m.end.wall_ns = 6;
	m.end.sip = 7;
	m.end.rtp[1] = 8;
	back = decoded(encoded(&m));
	cr_assert_eq(back.end.wall_ns, 6);
	cr_assert_eq(back.end.sip, 7);
	cr_assert_eq(back.end.rtp[0], 0);
	cr_assert_eq(back.end.rtp[1], 8);
}


Test(poi_message, nothing_shorter_longer_or_of_another_kind_is_taken)
{
	struct poi_message m = call_message(2), back;
	const size_t len = encoded(&m);
	size_t i;

	for (i = 0; i < len; i++)
		cr_assert_eq(poi_message_decode(&back, buf, i), EBADMSG);
	cr_assert_eq(poi_message_decode(&back, buf, len + 1), EBADMSG);

	/* the same, when the length in the header goes along */
	for (i = POI_HEADER_SIZE; i < len; i++) {
		buf[7] = (uint8_t)i;
		cr_assert_eq(poi_message_decode(&back, buf, i), EBADMSG);
	}
	buf[7] = (uint8_t)(len + 1);
	cr_assert_eq(poi_message_decode(&back, buf, len + 1), EBADMSG);

	buf[7] = (uint8_t)len;
	buf[1] = 0;
	cr_assert_eq(poi_message_decode(&back, buf, len), EBADMSG);
	buf[1] = POI_TYPE_END;
	cr_assert_eq(poi_message_decode(&back, buf, len), EBADMSG);
	buf[1] = POI_CALL;
	buf[2] = 1;
	cr_assert_eq(poi_message_decode(&back, buf, len), EBADMSG);
	buf[2] = 0;
	buf[0] = POI_VERSION + 1;
	cr_assert_eq(poi_message_decode(&back, buf, len), EPROTONOSUPPORT);
}


Test(poi_message, a_packet_says_how_long_its_first_message_is)
{
	struct poi_message m = call_message(2);
	const size_t len = encoded(&m);
	size_t i;

	cr_assert_eq(poi_message_len(buf, len), len);
	cr_assert_eq(poi_message_len(buf, sizeof(buf)), len);
	for (i = 0; i < len; i++)
		cr_assert_eq(poi_message_len(buf, i), 0);

	buf[7] = POI_HEADER_SIZE;
	cr_assert_eq(poi_message_len(buf, len), POI_HEADER_SIZE);
	buf[7] = POI_HEADER_SIZE - 1; /* it would never end */
	cr_assert_eq(poi_message_len(buf, len), 0);
	memset(buf + 4, 0xff, 4);
	cr_assert_eq(poi_message_len(buf, sizeof(buf)), 0);
}


Test(poi_message, a_buffer_too_small_is_told)
{
	struct poi_message m = call_message(2);
	const size_t need = encoded(&m);
	size_t len = 99;

	cr_assert_eq(poi_message_encode(buf, need - 1, &len, &m), EOVERFLOW);
	cr_assert_eq(len, 99);
	cr_assert_eq(poi_message_encode(buf, need, &len, &m), 0);
	cr_assert_eq(len, need);
}


Test(poi_message, calls_have_numbers_of_their_own)
{
	uint8_t a[POI_ID_SIZE] = {0}, b[POI_ID_SIZE] = {0};

	a[8] = b[8] = 0x80;
	b[15] = 1;
	cr_assert_eq(poi_correlation(a), UINT64_C(0x8000000000000000));
	cr_assert_eq(poi_correlation(b), UINT64_C(0x8000000000000001));
	a[8] = 0;
	cr_assert_neq(poi_correlation(a), 0);
}
