/* The relay with real sockets on the loopback. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include "metric.h"
#include "moment.h"
#include "relay.h"
#include "tap.h"

#define WAIT_MS 5000 /* for what must come: never waited for in full */

static const uint8_t call_id[16] = {1, 2, 3};

/* A peer: one socket for RTP, one for RTCP. */
struct peer {
	int rtp, rtcp;
	struct sa rtp_sa, rtcp_sa;
};

static struct relay *relay;
static struct media_doors doors;
static struct media_session *session;
static struct peer a, b, stranger;


static int peer_socket(struct sa *ret)
{
	struct sa sa;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	cr_assert_geq(fd, 0);
	sa_set_str(&sa, "127.0.0.1", 0);
	cr_assert_eq(bind(fd, &sa.u.sa, sa.len), 0);
	ret->len = sizeof(ret->u);
	cr_assert_eq(getsockname(fd, &ret->u.sa, &ret->len), 0);

	return fd;
}


static void peer_open(struct peer *p)
{
	p->rtp = peer_socket(&p->rtp_sa);
	p->rtcp = peer_socket(&p->rtcp_sa);
}


static void relay_open(uint16_t port_min, uint16_t port_max, uint32_t sessions)
{
	struct relay_config cfg = {
		.port_min = port_min,
		.port_max = port_max,
		.reuse_ms = 2000,
		.sessions_max = sessions,
		.dscp = 46,
	};

	sa_set_str(&cfg.addr_a, "127.0.0.1", 0);
	sa_set_str(&cfg.addr_b, "127.0.0.1", 0);
	cr_assert_eq(relay_alloc(&relay, &cfg), 0);
	relay_doors(relay, &doors);
}


static void setup(void)
{
	/* below the ports that the system hands out to others */
	relay_open(22000, 22199, 40);
	peer_open(&a);
	peer_open(&b);
	peer_open(&stranger);
	cr_assert_eq(doors.openh(&session, 1, call_id, doors.arg), 0);
}


static void peer_close(struct peer *p)
{
	close(p->rtp);
	close(p->rtcp);
}


static void teardown(void)
{
	if (session)
		doors.closeh(session);
	relay_free(relay);
	peer_close(&a);
	peer_close(&b);
	peer_close(&stranger);
}


static void point(enum media_side side, const struct peer *p, bool is_strict)
{
	doors.pointh(session, side, 0, &p->rtp_sa, &p->rtcp_sa, 8000,
		     is_strict);
}


static void send_to(int fd, uint16_t port, const void *bytes, size_t len)
{
	struct sa to;

	sa_set_str(&to, "127.0.0.1", port);
	cr_assert_eq(sendto(fd, bytes, len, 0, &to.u.sa, to.len),
		     (ssize_t)len);
}


static void packet_send(const struct peer *p, enum media_side side,
			uint16_t seq)
{
	uint8_t buf[172] = {0x80, 8, seq >> 8, seq & 0xff};

	buf[171] = (uint8_t)side;
	send_to(p->rtp, doors.porth(session, side, 0), buf, sizeof(buf));
}


static bool is_readable(int fd, int ms)
{
	struct pollfd p = {.fd = fd, .events = POLLIN};

	return poll(&p, 1, ms) == 1;
}


/* @return sequence number, and where it came from */
static uint16_t packet_recv(const struct peer *p, struct sa *from)
{
	uint8_t buf[256];
	struct sa sa;

	cr_assert(is_readable(p->rtp, WAIT_MS), "nothing came");
	sa.len = sizeof(sa.u);
	cr_assert_eq(recvfrom(p->rtp, buf, sizeof(buf), 0, &sa.u.sa, &sa.len),
		     172);
	if (from)
		*from = sa;

	return (uint16_t)(buf[2] << 8 | buf[3]);
}


/* Wait until the worker has read so many packets of side A. */
static void settle(uint64_t packets_a)
{
	struct media_stats st;
	int i;

	for (i = 0; i < WAIT_MS; i++) {
		doors.statsh(session, MEDIA_A, 0, &st);
		if (st.packets + st.foreign + st.malformed >= packets_a)
			return;
		usleep(1000);
	}

	cr_assert(false, "the worker did not read");
}


TestSuite(relay, .init = setup, .fini = teardown);


Test(relay, both_ways)
{
	struct media_stats st;
	struct sa from;
	uint16_t i;

	point(MEDIA_A, &a, true);
	point(MEDIA_B, &b, true);

	for (i = 1; i <= 20; i++) {
		packet_send(&a, MEDIA_A, i);
		packet_send(&b, MEDIA_B, 1000 + i);
	}
	for (i = 1; i <= 20; i++) {
		cr_assert_eq(packet_recv(&b, &from), i);
		cr_assert_eq(sa_port(&from), doors.porth(session, MEDIA_B, 0));
		cr_assert_eq(packet_recv(&a, &from), 1000 + i);
		cr_assert_eq(sa_port(&from), doors.porth(session, MEDIA_A, 0));
	}

	doors.statsh(session, MEDIA_A, 0, &st);
	cr_assert_eq(st.packets, 20);
	cr_assert_eq(st.bytes, 20 * 172);
	cr_assert_eq(st.lost, 0);
	cr_assert_eq(st.foreign, 0);
	cr_assert_neq(st.last_us, 0);
}


Test(relay, rtcp)
{
	static const uint8_t rr[] = {0x80, 0xc9, 0, 1, 0, 0, 0, 1};
	const uint16_t port = doors.porth(session, MEDIA_A, 0) + 1;
	uint8_t buf[64];
	struct sa from;

	point(MEDIA_A, &a, true);
	point(MEDIA_B, &b, true);
	send_to(a.rtcp, port, rr, sizeof(rr));

	cr_assert(is_readable(b.rtcp, WAIT_MS));
	from.len = sizeof(from.u);
	cr_assert_eq(recvfrom(b.rtcp, buf, sizeof(buf), 0, &from.u.sa,
			      &from.len), 8);
	cr_assert_eq(memcmp(buf, rr, 8), 0);
	cr_assert_eq(sa_port(&from), doors.porth(session, MEDIA_B, 0) + 1);

	/* on the RTP port (RFC 5761): comes out at the RTCP port */
	send_to(a.rtp, port - 1, rr, sizeof(rr));
	cr_assert(is_readable(b.rtcp, WAIT_MS));
}


Test(relay, takes_the_source_behind_nat)
{
	struct media_stats st;
	struct peer inside = a;

	/* what the SDP says is not where the packets come from */
	inside.rtp_sa = stranger.rtp_sa;
	point(MEDIA_A, &inside, false);
	point(MEDIA_B, &b, true);

	packet_send(&a, MEDIA_A, 1);
	cr_assert_eq(packet_recv(&b, NULL), 1);
	packet_send(&b, MEDIA_B, 2);
	cr_assert_eq(packet_recv(&a, NULL), 2);

	doors.statsh(session, MEDIA_A, 0, &st);
	cr_assert(sa_cmp(&st.peer, &a.rtp_sa, SA_ALL));
}


Test(relay, drops_a_stranger)
{
	struct media_stats st;

	point(MEDIA_A, &a, false);
	point(MEDIA_B, &b, true);
	packet_send(&a, MEDIA_A, 1);
	cr_assert_eq(packet_recv(&b, NULL), 1);
	packet_send(&stranger, MEDIA_A, 66);
	packet_send(&a, MEDIA_A, 2);
	cr_assert_eq(packet_recv(&b, NULL), 2);

	doors.statsh(session, MEDIA_A, 0, &st);
	cr_assert_eq(st.foreign, 1);
	cr_assert_eq(st.packets, 2);
	cr_assert(!is_readable(stranger.rtp, 0));
}


Test(relay, no_target_yet)
{
	point(MEDIA_A, &a, true);
	packet_send(&a, MEDIA_A, 1);
	settle(1);

	point(MEDIA_B, &b, true);
	packet_send(&b, MEDIA_B, 5);
	cr_assert_eq(packet_recv(&a, NULL), 5);
	packet_send(&a, MEDIA_A, 2);
	cr_assert_eq(packet_recv(&b, NULL), 2);
	cr_assert(!is_readable(b.rtp, 0));
}


/* Places that a description may not make us send to. */
Test(relay, unsendable_places)
{
	static const char *const addrs[] = {"224.0.0.1", "255.255.255.255",
					    "0.0.0.0", "::1"};
	struct metric *dropped = metric_counter("strowger_rtp_dropped_total",
						"reason=\"no_target\"", "");
	struct peer bad = b;
	size_t i;
	int ms;

	point(MEDIA_A, &a, true);

	for (i = 0; i < ARRAY_SIZE(addrs); i++) {
		sa_set_str(&bad.rtp_sa, addrs[i], 4000);
		point(MEDIA_B, &bad, false);
		packet_send(&a, MEDIA_A, (uint16_t)(i + 1));
	}

	/* our own ports of the same m-line: a circle */
	sa_set_str(&bad.rtp_sa, "127.0.0.1", doors.porth(session, MEDIA_A, 0));
	point(MEDIA_B, &bad, false);
	packet_send(&a, MEDIA_A, 9);
	settle(ARRAY_SIZE(addrs) + 1);

	/* counted at the end of the round */
	for (ms = 0; ms < WAIT_MS && metric_value(dropped) < 5; ms++)
		usleep(1000);
	cr_assert_eq(metric_value(dropped), ARRAY_SIZE(addrs) + 1);
}


Test(relay, grows_in_mid_call)
{
	size_t sessions, ports;

	cr_assert_eq(doors.porth(session, MEDIA_A, 1), 0);
	cr_assert_eq(doors.growh(session, 3), 0);
	cr_assert_eq(doors.growh(session, 2), 0);
	cr_assert_neq(doors.porth(session, MEDIA_A, 2), 0);
	cr_assert_eq(doors.porth(session, MEDIA_A, 2) % 2, 0);
	cr_assert_eq(doors.growh(session, SDP_STREAMS_MAX + 1), EINVAL);

	doors.censush(&sessions, &ports, doors.arg);
	cr_assert_eq(sessions, 1);
	cr_assert_eq(ports, 3 * 4);
}


Test(relay, ports_come_back)
{
	struct media_session *more;
	size_t sessions, ports;

	cr_assert_eq(doors.openh(&more, 2, call_id, doors.arg), 0);
	doors.closeh(more);
	doors.closeh(session);
	session = NULL;
	doors.censush(&sessions, &ports, doors.arg);
	cr_assert_eq(sessions, 0);
	cr_assert_eq(ports, 0);
}


Test(relay, close_while_packets_fly)
{
	uint16_t i;
	int k;

	for (i = 0; i < 40; i++) {
		uint16_t port = doors.porth(session, MEDIA_A, 0);
		uint8_t buf[172] = {0x80, 8, 0, 1};

		point(MEDIA_A, &a, false);
		point(MEDIA_B, &b, false);
		for (k = 0; k < 50; k++)
			send_to(a.rtp, port, buf, sizeof(buf));
		doors.closeh(session);
		for (k = 0; k < 50; k++)
			send_to(a.rtp, port, buf, sizeof(buf));
		session = NULL;
		cr_assert_eq(doors.openh(&session, 1, call_id, doors.arg), 0);
	}
}


static atomic_int tapped[2][2];
static _Atomic uint64_t tap_gaps;


static void tap_note(const struct tap_event *ev, void *arg)
{
	(void)arg;

	if (ev->kind != TAP_RTP || memcmp(ev->call, call_id, 16))
		return;

	if (ev->seq !=
	    (uint64_t)tapped[ev->leg == TAP_LEG_B][ev->dir]++)
		tap_gaps++;
	if (ev->len != 172 || sa_port(&ev->local) == 0 || ev->wall_ns == 0)
		tap_gaps++;
	if (ev->dir == TAP_IN && ev->leg == TAP_LEG_A &&
	    (memcmp(ev->bytes, "\x80\x08\0", 3) ||
	     ev->bytes[3] != ev->seq || ev->bytes[171] != MEDIA_A))
		tap_gaps++; /* verbatim */
}


Test(relay, tells_the_tap)
{
	uint16_t i;
	int ms;

	cr_assert_eq(tap_attach(tap_note, NULL), 0);
	point(MEDIA_A, &a, true);
	point(MEDIA_B, &b, true);
	for (i = 0; i < 5; i++) {
		packet_send(&a, MEDIA_A, i);
		cr_assert_eq(packet_recv(&b, NULL), i);
	}
	packet_send(&b, MEDIA_B, 7);
	cr_assert_eq(packet_recv(&a, NULL), 7);

	/* the tap hears of a packet just after the peer has it */
	for (ms = 0; ms < WAIT_MS && !tapped[0][TAP_OUT]; ms++)
		usleep(1000);
	tap_detach(tap_note, NULL);

	cr_assert_eq(tapped[0][TAP_IN], 5);
	cr_assert_eq(tapped[1][TAP_OUT], 5);
	cr_assert_eq(tapped[1][TAP_IN], 1);
	cr_assert_eq(tapped[0][TAP_OUT], 1);
	cr_assert_eq(tap_gaps, 0);
}


static uint64_t now_us(void)
{
	struct moment now;

	moment_read(&now);

	return now.mono_us;
}


/* One packet a round is no reason to go on and on: others need the processor,
   too, and a thread in real time would not give it to them. */
Test(relay, a_flood_of_one_port_leaves_time_to_others)
{
	const unsigned n = 200;
	uint64_t begin_us;

	point(MEDIA_A, &a, false);
	point(MEDIA_B, &b, false);
	packet_send(&a, MEDIA_A, 0);
	(void)packet_recv(&b, NULL);

	begin_us = now_us();
	for (unsigned i = 1; i <= n; i++)
		packet_send(&a, MEDIA_A, (uint16_t)i);
	for (unsigned i = 1; i <= n; i++)
		cr_assert_eq(packet_recv(&b, NULL), i);

	/* 16 of a burst, then 1 ms without */
	cr_assert_geq(now_us() - begin_us, 1000 * (n / 17 - 2));
}


/* @return policy of the media thread; its priority */
static int media_policy(int *ret_priority)
{
	struct dirent *d;
	int policy = -1;
	DIR *dir = opendir("/proc/self/task");

	cr_assert_not_null(dir);
	while ((d = readdir(dir))) {
		struct sched_param param;
		char file[300], name[32] = "";
		const int tid = atoi(d->d_name);
		FILE *f;

		snprintf(file, sizeof(file), "/proc/self/task/%s/comm",
			 d->d_name);
		f = tid ? fopen(file, "r") : NULL;
		if (!f)
			continue;
		if (fscanf(f, "%31s", name) == 1 && !strcmp(name, "media")) {
			policy = sched_getscheduler(tid);
			cr_assert_eq(sched_getparam(tid, &param), 0);
			*ret_priority = param.sched_priority;
		}
		fclose(f);
	}
	closedir(dir);

	return policy;
}


static bool may_be_realtime(void)
{
	struct sched_param param = {.sched_priority = 10};

	if (sched_setscheduler(0, SCHED_RR, &param))
		return false;
	param.sched_priority = 0;
	cr_assert_eq(sched_setscheduler(0, SCHED_OTHER, &param), 0);

	return true;
}


static void packets_pass(void)
{
	point(MEDIA_A, &a, false);
	point(MEDIA_B, &b, false);
	packet_send(&a, MEDIA_A, 7);
	cr_assert_eq(packet_recv(&b, NULL), 7);
}


Test(relay, goes_first_where_it_may)
{
	const bool may = may_be_realtime();
	int priority = -1;

	packets_pass(); /* the thread has its name by now */
	cr_assert_eq(relay_set_priority(relay, 10), may ? 0 : EPERM);
	cr_assert_eq(media_policy(&priority), may ? SCHED_RR : SCHED_OTHER);
	cr_assert_eq(priority, may ? 10 : 0);
	packets_pass();

	cr_assert_eq(relay_set_priority(relay, 0), 0);
	cr_assert_eq(media_policy(&priority), SCHED_OTHER);
	cr_assert_eq(relay_set_priority(relay, -1), EINVAL);
	cr_assert_eq(relay_set_priority(relay, RELAY_PRIORITY_MAX + 1),
		     EINVAL);
}


/* As a user without the right, and none granted by its limits */
Test(relay, goes_on_where_it_may_not_go_first)
{
	const struct rlimit none = {0, 0};
	int priority = -1;

	packets_pass();
	cr_assert_eq(setrlimit(RLIMIT_RTPRIO, &none), 0);
	if (!getuid())
		cr_assert_eq(setresuid(65534, 65534, 65534), 0);

	cr_assert_eq(relay_set_priority(relay, 10), EPERM);
	cr_assert_eq(media_policy(&priority), SCHED_OTHER);
	packets_pass();
}


Test(relay_limits, sessions_and_ports)
{
	struct media_session *s[3];

	/* four pairs of ports: two streams */
	relay_open(22200, 22207, 3);
	cr_assert_eq(doors.openh(&s[0], 1, call_id, doors.arg), 0);
	cr_assert_eq(doors.openh(&s[1], 1, call_id, doors.arg), 0);
	cr_assert_eq(doors.openh(&s[2], 1, call_id, doors.arg), ENOSPC);
	cr_assert_eq(doors.growh(s[1], 2), ENOSPC);
	cr_assert_neq(doors.porth(s[1], MEDIA_A, 0), 0);

	doors.closeh(s[0]);
	/* they rest */
	cr_assert_eq(doors.openh(&s[0], 1, call_id, doors.arg), ENOSPC);
	doors.closeh(s[1]);
	relay_free(relay);

	relay_open(22200, 22299, 1);
	cr_assert_eq(doors.openh(&s[0], 0, call_id, doors.arg), 0);
	cr_assert_eq(doors.openh(&s[1], 0, call_id, doors.arg), ENOSPC);
	doors.closeh(s[0]);
	relay_free(relay);
}


Test(relay_limits, skips_ports_of_other_programs)
{
	struct media_session *s;
	struct sa sa;
	int fd[2], i;

	/* of four pairs, one is held at its RTP port, one at its RTCP port */
	for (i = 0; i < 2; i++) {
		fd[i] = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		sa_set_str(&sa, "127.0.0.1", (uint16_t)(22300 + 3 * i));
		cr_assert_eq(bind(fd[i], &sa.u.sa, sa.len), 0);
	}

	relay_open(22300, 22307, 3);
	cr_assert_eq(doors.openh(&s, 1, call_id, doors.arg), 0);
	cr_assert_geq(doors.porth(s, MEDIA_A, 0), 22304);
	cr_assert_geq(doors.porth(s, MEDIA_B, 0), 22304);
	doors.closeh(s);
	relay_free(relay);

	close(fd[0]);
	close(fd[1]);
}


Test(relay_limits, refuses_a_bad_configuration)
{
	struct relay_config cfg = {.port_min = 42000, .port_max = 42100};

	cr_assert_eq(relay_alloc(&relay, &cfg), EINVAL);
	sa_set_str(&cfg.addr_a, "127.0.0.1", 0);
	sa_set_str(&cfg.addr_b, "127.0.0.1", 0);
	cfg.dscp = 64;
	cr_assert_eq(relay_alloc(&relay, &cfg), EINVAL);
	cfg.dscp = 0;
	cfg.port_max = 42000;
	cr_assert_eq(relay_alloc(&relay, &cfg), EINVAL);
}
