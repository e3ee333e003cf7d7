/**
 * @file udp.c  Datagrams over loopback.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include "metric.h"
#include "udp.h"

static struct sip_udp *here, *there;
static size_t got, got_len[100];
static struct sip_path got_path;
static uint8_t got_first[100];


static void datagram_handler(const struct sip_path *path, const uint8_t *buf,
			     size_t len, void *arg)
{
	cr_assert_eq(arg, &got);
	got_path = *path;
	got_first[got] = len ? buf[0] : 0;
	got_len[got++] = len;
}


static int open_on(struct sip_udp **up, const char *host, uint16_t port)
{
	struct sa addr;

	cr_assert_eq(sa_set_str(&addr, host, port), 0);

	return sip_udp_open(up, &addr, 7);
}


static void open_both(void)
{
	cr_assert_eq(open_on(&here, "127.0.0.1", 0), 0);
	cr_assert_eq(open_on(&there, "127.0.0.1", 0), 0);
}


static void close_both(void)
{
	here = mem_deref(here);
	there = mem_deref(there);
}


static int send_bytes(const uint8_t *buf, size_t len)
{
	return sip_udp_send(there, sip_udp_local(here), buf, len);
}


static size_t receive(size_t max)
{
	return sip_udp_receive(here, max, NULL, datagram_handler, &got);
}


TestSuite(udp, .init = open_both, .fini = close_both);


Test(udp, path_of_a_datagram)
{
	cr_assert_eq(receive(10), 0);
	cr_assert_eq(send_bytes((const uint8_t *)"abc", 3), 0);
	cr_assert_eq(receive(10), 1);
	cr_assert_eq(got_len[0], 3);
	cr_assert_eq(got_path.sock, 7);
	cr_assert_eq(got_path.transport, SIP_TRANSP_UDP);
	cr_assert(sa_cmp(&got_path.peer, sip_udp_local(there), SA_ALL));
	cr_assert(sa_cmp(&got_path.local, sip_udp_local(here), SA_ALL));
	cr_assert_eq(receive(10), 0);
}


Test(udp, batches_keep_order_and_bound)
{
	uint8_t i;

	for (i = 0; i < 70; i++)
		cr_assert_eq(send_bytes(&i, 1), 0);

	cr_assert_eq(receive(40), 40);
	cr_assert_eq(receive(0), 0);
	cr_assert_eq(receive(100), 30);
	for (i = 0; i < 70; i++)
		cr_assert_eq(got_first[i], i);
}


Test(udp, large_and_empty_datagrams)
{
	static uint8_t big[65507];

	cr_assert_eq(send_bytes(big, sizeof(big)), 0);
	cr_assert_eq(send_bytes(big, 0), 0);
	cr_assert_eq(receive(10), 2);
	cr_assert_eq(got_len[0], sizeof(big));
	cr_assert_eq(got_len[1], 0);
}


Test(udp, what_cannot_be_sent_says_so)
{
	static uint8_t big[65536];
	struct metric *errors = metric_counter("strowger_sip_udp_errors_total",
					       "op=\"send\"", "");

	cr_assert_eq(send_bytes(big, sizeof(big)), EMSGSIZE);
	cr_assert_eq(metric_value(errors), 1);
}


Test(udp, what_cannot_be_opened)
{
	struct sip_udp *twin = NULL;

	cr_assert_eq(open_on(&twin, "0.0.0.0", 0), EINVAL);
	cr_assert_eq(open_on(&twin, "203.0.113.1", 0), EADDRNOTAVAIL);
	cr_assert_eq(sip_udp_open(&twin, sip_udp_local(here), 0), EADDRINUSE);
	cr_assert_null(twin);
}


Test(udp, marked_cs3)
{
	int tos = 0;
	socklen_t len = sizeof(tos);

	cr_assert_eq(getsockopt(sip_udp_fd(here), IPPROTO_IP, IP_TOS, &tos,
				&len), 0);
	cr_assert_eq(tos, 24 << 2);
}


static void closing_handler(const struct sip_path *path, const uint8_t *buf,
			    size_t len, void *arg)
{
	datagram_handler(path, buf, len, arg);
	here = mem_deref(here);
}


static unsigned reads, handed_before_read;


static void read_handler(void *arg)
{
	const unsigned *handed = arg;

	reads++;
	handed_before_read = *handed;
}


static void counting_handler(const struct sip_path *path, const uint8_t *buf,
			     size_t len, void *arg)
{
	unsigned *handed = arg;

	(void)path;
	(void)buf;
	(void)len;
	(*handed)++;
}


Test(udp, the_reading_is_told_before_its_datagrams)
{
	const unsigned n = UDP_BATCH + 1;
	unsigned handed = 0;

	for (unsigned i = 0; i < n; i++)
		cr_assert_eq(send_bytes((const uint8_t *)"x", 1), 0);
	cr_assert_eq(sip_udp_receive(here, n, read_handler, counting_handler,
				     &handed), n);
	cr_assert_eq(reads, 2);
	cr_assert_eq(handed_before_read, UDP_BATCH);

	/* nothing was read: nothing is told */
	cr_assert_eq(sip_udp_receive(here, n, read_handler, counting_handler,
				     &handed), 0);
	cr_assert_eq(reads, 2);
}


Test(udp, closed_inside_the_handler)
{
	cr_assert_eq(send_bytes((const uint8_t *)"x", 1), 0);
	cr_assert_eq(sip_udp_receive(here, 10, NULL, closing_handler, &got), 1);
	cr_assert_null(here);
}


static int icmp_err;


static void unreachable_handler(const struct sip_path *path,
				const uint8_t *buf, size_t len, int err,
				void *arg)
{
	cr_assert_eq(arg, &got);
	got_path = *path;
	got_first[got] = len ? buf[0] : 0;
	got_len[got++] = len;
	icmp_err = err;
}


/* Nobody listens there: the kernel says so, with the bytes and the peer. */
Test(udp, refused_by_icmp)
{
	static const uint8_t bytes[] = "INVITE of somebody";
	const struct sa gone = *sip_udp_local(here);

	here = mem_deref(here);
	cr_assert_eq(sip_udp_send(there, &gone, bytes, sizeof(bytes)), 0);
	got = 0;
	cr_assert_eq(sip_udp_errors(there, 10, unreachable_handler, &got), 1);
	cr_assert_eq(got, 1);
	cr_expect_eq(icmp_err, ECONNREFUSED);
	cr_expect(sa_cmp(&got_path.peer, &gone, SA_ALL));
	cr_expect_eq(got_len[0], sizeof(bytes));
	cr_expect_eq(got_first[0], 'I');
	cr_expect_eq(sip_udp_errors(there, 10, unreachable_handler, &got), 0);

	/* what the socket still has to tell takes no other datagram with it */
	cr_assert_eq(open_on(&here, "127.0.0.1", 0), 0);
	cr_assert_eq(sip_udp_send(there, &gone, bytes, sizeof(bytes)), 0);
	cr_assert_eq(send_bytes(bytes, sizeof(bytes)), 0);
	got = 0;
	cr_expect_eq(receive(10), 1);
}


Test(udp, ipv6)
{
	struct sip_udp *six = NULL;
	const int err = open_on(&six, "::1", 0);

	if (err == EADDRNOTAVAIL || err == EAFNOSUPPORT)
		cr_skip("no IPv6 here");

	cr_assert_eq(err, 0);
	cr_assert_eq(sip_udp_send(six, sip_udp_local(six),
				  (const uint8_t *)"6", 1), 0);
	cr_assert_eq(sip_udp_receive(six, 10, NULL, datagram_handler, &got), 1);
	cr_assert(sa_cmp(&got_path.peer, sip_udp_local(six), SA_ALL));
	mem_deref(six);
}
