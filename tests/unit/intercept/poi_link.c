/**
 * @file tests/unit/intercept/poi_link.c  Sets of targets as they come over the
 * socket.
 */
#include <criterion/criterion.h>
#include <sys/socket.h>
#include <unistd.h>
#include "poi_link_private.h"

static struct poi_message m;
static int far;


static void nothing(void *arg)
{
	(void)arg;
}


/* A link without its thread, with a key already */
static struct poi_link *opened(void)
{
	const struct poi_link_config cfg = {
		.path = "/nowhere", .node = "n", .sip_size = 1u << 24,
		.rtp_size = 4096, .wakeh = nothing,
	};
	struct poi_link *l;
	int fd[2];

	cr_assert_eq(poi_link_alloc(&l, &cfg), 0);
	cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd), 0);
	l->fd = fd[0];
	far = fd[1];
	l->has_key = true;

	return l;
}


static void closed(struct poi_link *l)
{
	poi_link_close(l);
	poi_link_free(l);
	close(far);
}


static void part(struct poi_link *l, uint32_t generation, uint16_t which,
		 uint16_t parts, uint8_t digest)
{
	static uint8_t bytes[POI_MESSAGE_MAX];
	size_t len;

	m.type = POI_TARGETS;
	m.targets = (struct poi_targets){.generation = generation,
					 .part = which, .parts = parts, .n = 1};
	m.targets.target[0] = (struct poi_target){.digest = {digest}, .id = 1,
						  .want = POI_WANT_ALL};
	cr_assert_eq(poi_message_encode(bytes, sizeof(bytes), &len, &m), 0);
	cr_assert_eq(send(far, bytes, len, 0), (ssize_t)len);
	poi_link_read(l);
}


Test(poi_link, a_newer_set_gives_up_one_that_is_half_there)
{
	struct poi_link *l = opened();

	part(l, 1, 0, 3, 1);
	part(l, 1, 1, 3, 2);
	part(l, 2, 0, 2, 3);
	cr_assert(l->fd >= 0);
	cr_assert_eq(l->generation, 0);
	part(l, 2, 1, 2, 4);
	cr_assert(l->fd >= 0);
	cr_assert_eq(l->generation, 2);
	cr_assert_eq(l->target_n, 2);
	closed(l);
}


Test(poi_link, the_same_set_does_not_begin_twice)
{
	struct poi_link *l = opened();

	part(l, 1, 0, 2, 1);
	part(l, 1, 0, 2, 1);
	cr_assert_eq(l->fd, -1);
	closed(l);
}


Test(poi_link, a_part_of_the_older_set_ends_the_connection)
{
	struct poi_link *l = opened();

	part(l, 1, 0, 2, 1);
	part(l, 2, 0, 2, 1);
	part(l, 1, 1, 2, 1);
	cr_assert_eq(l->fd, -1);
	closed(l);
}


static void in_force(uint32_t generation)
{
	m.type = POI_IN_FORCE;
	m.in_force = (struct poi_in_force){.generation = generation};
}


/* @return generation of the message at the place, which goes on behind it */
static uint32_t next_in_force(const uint8_t *packet, size_t n, size_t *at)
{
	const size_t len = poi_message_len(packet + *at, n - *at);

	cr_assert_neq(len, 0);
	cr_assert_eq(poi_message_decode(&m, packet + *at, len), 0);
	cr_assert_eq(m.type, POI_IN_FORCE);
	*at += len;

	return m.in_force.generation;
}


Test(poi_link, what_is_told_goes_in_one_packet)
{
	static uint8_t packet[POI_MESSAGE_MAX];
	struct poi_link *l = opened();
	size_t at = 0;
	ssize_t n;

	for (uint32_t i = 1; i <= 3; i++) {
		in_force(i);
		cr_assert(poi_link_tell(l, &m));
	}
	cr_assert_lt(recv(far, packet, sizeof(packet), MSG_DONTWAIT), 0);
	cr_assert(poi_link_push(l));
	cr_assert(poi_link_push(l), "nothing is left to be sent");

	n = recv(far, packet, sizeof(packet), MSG_DONTWAIT);
	for (uint32_t i = 1; i <= 3; i++)
		cr_assert_eq(next_in_force(packet, (size_t)n, &at), i);
	cr_assert_eq(at, (size_t)n);
	cr_assert_lt(recv(far, packet, sizeof(packet), MSG_DONTWAIT), 0);
	closed(l);
}


/* Until nobody takes more; then all of it comes, in order and once */
Test(poi_link, a_full_socket_loses_nothing_that_was_taken)
{
	static uint8_t packet[POI_MESSAGE_MAX];
	struct poi_link *l = opened();
	uint32_t told = 0, heard = 0;
	ssize_t n;

	for (;;) {
		in_force(told + 1);
		if (!poi_link_tell(l, &m))
			break;
		told++;
	}
	cr_assert(l->is_blocked);
	cr_assert(l->fd >= 0);
	cr_assert_gt(told, POI_MESSAGE_MAX / 16, "more than one packet");

	while ((n = recv(far, packet, sizeof(packet), MSG_DONTWAIT)) > 0) {
		for (size_t at = 0; at < (size_t)n;)
			cr_assert_eq(next_in_force(packet, (size_t)n, &at),
				     ++heard);
		(void)poi_link_push(l);
	}
	cr_assert_eq(heard, told);
	closed(l);
}
