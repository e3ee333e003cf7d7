/**
 * @file rtp_relay.c  The relay alone, for rtp_load: opens N sessions whose
 * peers are where rtp_load has its sockets, writes the ports to stdout, and
 * relays until stdin ends. Its own report: counters of the first session.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay.h"


static struct media_session *session_open(const struct media_doors *doors,
					  int i, const char *addr, int base,
					  bool is_strict)
{
	const uint8_t call[16] = {(uint8_t)(i >> 8), (uint8_t)i};
	struct media_session *s;
	int side;

	if (doors->openh(&s, 1, call, doors->arg)) {
		fprintf(stderr, "no ports for call %d\n", i);
		exit(1);
	}

	for (side = 0; side < MEDIA_SIDES; side++) {
		const uint16_t port = (uint16_t)(base + 4 * i + 2 * side);
		struct sa rtp, rtcp;

		sa_set_str(&rtp, addr, port);
		sa_set_str(&rtcp, addr, port + 1);
		doors->pointh(s, side, 0, &rtp, &rtcp, 8000, is_strict);
	}

	return s;
}


static void report(const struct media_doors *doors, struct media_session *s)
{
	struct media_stats st;

	doors->statsh(s, MEDIA_A, 0, &st);
	fprintf(stderr,
		"call 0 side A: packets=%llu lost=%llu jitter_us=%u "
		"jitter_max_us=%u foreign=%llu\n",
		(unsigned long long)st.packets, (unsigned long long)st.lost,
		st.jitter_us, st.jitter_max_us,
		(unsigned long long)st.foreign);
}


int main(int argc, char **argv)
{
	const int calls = argc > 1 ? atoi(argv[1]) : 100;
	const bool is_strict = argc > 2 && atoi(argv[2]);
	struct relay_config cfg = {
		.port_min = 30000,
		.port_max = 65535,
		.reuse_ms = 2000,
		.sessions_max = 8192,
		.dscp = 46,
	};
	struct media_session **sessions;
	struct media_doors doors;
	struct relay *relay;
	int i;

	if (calls < 1 || calls > 8192)
		return 2;

	sessions = calloc((size_t)calls, sizeof(struct media_session *));
	sa_set_str(&cfg.addr_a, "127.0.0.1", 0);
	sa_set_str(&cfg.addr_b, "127.0.0.1", 0);
	if (!sessions || relay_alloc(&relay, &cfg))
		return 1;
	(void)relay_set_priority(relay, 10); /* as the switch, if it may */
	relay_doors(relay, &doors);

	for (i = 0; i < calls; i++) {
		sessions[i] = session_open(&doors, i, "127.0.0.4", 20000,
					   is_strict);
		printf("%u %u\n", doors.porth(sessions[i], MEDIA_A, 0),
		       doors.porth(sessions[i], MEDIA_B, 0));
	}
	fflush(stdout);

	while (getchar() != EOF)
		;

	report(&doors, sessions[0]);
	for (i = 0; i < calls; i++)
		doors.closeh(sessions[i]);
	relay_free(relay);
	free(sessions);

	return 0;
}
