/**
 * @file rtp_load.c  Callers and callees on the loopback: each sends one G.711
 * packet of 20 ms, spread evenly, through a relay, and what the relay's
 * process used of the processor is divided by what arrived.
 *
 * Reads one call a line from stdin: "PORT_A PORT_B", the relay's ports. Call
 * i sends from ADDR:BASE + 4i (side A) and ADDR:BASE + 4i + 2 (side B).
 */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CALLS_MAX 8192
#define PACKET 172
#define RTP_HEADER 12
#define TICKS 20            /* of 1 ms: each socket sends in one of them */
#define DELAYS_MAX (1u << 22)
#define TICK_NS 1000000u

struct end {
	int fd;
	uint16_t seq;
	struct sockaddr_in to;
};

struct load {
	struct end ends[2 * CALLS_MAX];
	size_t ends_n;
	const char *addr, *relay_addr;
	int base, seconds, warm_s, pid;
	int epoll_fd;
	bool is_counting;
	uint64_t sent, received;
	uint32_t *delays_us;
	size_t delays_n;
};

static struct load load;


static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);

	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}


static void die(const char *what)
{
	perror(what);
	exit(1);
}


/* Time on the processor of all threads of a process, by the scheduler. */
static uint64_t process_cpu_ns(int pid)
{
	char path[64];
	struct dirent *d;
	uint64_t sum = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	if (!dir)
		die(path);

	while ((d = readdir(dir))) {
		char file[384];
		unsigned long long ns;
		FILE *f;

		snprintf(file, sizeof(file), "%s/%s/schedstat", path,
			 d->d_name);
		f = d->d_name[0] == '.' ? NULL : fopen(file, "r");
		if (!f)
			continue;
		if (fscanf(f, "%llu", &ns) == 1)
			sum += ns;
		fclose(f);
	}
	closedir(dir);

	return sum;
}


static void end_open(uint16_t port, uint16_t relay_port)
{
	struct end *e = &load.ends[load.ends_n];
	struct sockaddr_in local = {.sin_family = AF_INET,
				    .sin_port = htons(port)};
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = e};

	inet_pton(AF_INET, load.addr, &local.sin_addr);
	e->to.sin_family = AF_INET;
	e->to.sin_port = htons(relay_port);
	inet_pton(AF_INET, load.relay_addr, &e->to.sin_addr);

	e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	if (e->fd < 0 ||
	    bind(e->fd, (struct sockaddr *)&local, sizeof(local)))
		die("bind");
	if (epoll_ctl(load.epoll_fd, EPOLL_CTL_ADD, e->fd, &ev))
		die("epoll_ctl");
	load.ends_n++;
}


static void calls_read(void)
{
	unsigned a, b;
	int i;

	for (i = 0; i < CALLS_MAX && scanf("%u %u", &a, &b) == 2; i++) {
		end_open((uint16_t)(load.base + 4 * i), (uint16_t)a);
		end_open((uint16_t)(load.base + 4 * i + 2), (uint16_t)b);
	}
}


static void packet_send(struct end *e)
{
	uint8_t buf[PACKET] = {0x80, 8};
	const uint32_t ts = htonl(e->seq * 160u);
	const uint64_t at = now_ns();

	buf[2] = (uint8_t)(e->seq >> 8);
	buf[3] = (uint8_t)e->seq;
	memcpy(buf + 4, &ts, 4);
	memcpy(buf + 8, &e->fd, 4);
	memcpy(buf + RTP_HEADER, &at, sizeof(at));
	buf[RTP_HEADER + sizeof(at)] = load.is_counting;
	e->seq++;

	if (sendto(e->fd, buf, sizeof(buf), 0, (struct sockaddr *)&e->to,
		   sizeof(e->to)) == sizeof(buf))
		load.sent += load.is_counting;
}


static void packet_take(int fd)
{
	uint8_t buf[PACKET];
	uint64_t at, delay;

	if (recv(fd, buf, sizeof(buf), 0) != sizeof(buf) ||
	    !buf[RTP_HEADER + sizeof(at)])
		return;

	memcpy(&at, buf + RTP_HEADER, sizeof(at));
	delay = (now_ns() - at) / 1000;
	load.received++;
	if (load.delays_n < DELAYS_MAX)
		load.delays_us[load.delays_n++] = (uint32_t)delay;
}


/* Take what came until the moment; sleeps when nothing is there. */
static void receive_until(uint64_t end_ns)
{
	struct epoll_event ev[256];
	int i, n;

	do {
		n = epoll_wait(load.epoll_fd, ev, 256, 0);
		for (i = 0; i < n; i++)
			packet_take(((struct end *)ev[i].data.ptr)->fd);

		if (!n && now_ns() + 200000 < end_ns) {
			const struct timespec nap = {.tv_nsec = 50000};

			nanosleep(&nap, NULL);
		}
	} while (now_ns() < end_ns);
}


static void run(int seconds)
{
	const uint64_t start = now_ns();
	uint64_t tick;
	size_t i;

	for (tick = 0; tick < (uint64_t)seconds * 1000; tick++) {
		for (i = tick % TICKS; i < load.ends_n; i += TICKS)
			packet_send(&load.ends[i]);
		receive_until(start + (tick + 1) * TICK_NS);
	}
}


static int delay_order(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}


static uint32_t delay_at(double share)
{
	return load.delays_n ? load.delays_us[(size_t)(
				       (double)(load.delays_n - 1) * share)]
			     : 0;
}


static void report(uint64_t cpu_ns, double seconds)
{
	const double got = load.received ? (double)load.received : 1;

	qsort(load.delays_us, load.delays_n, sizeof(*load.delays_us),
	      delay_order);
	printf("{\"calls\":%zu,\"sent\":%llu,\"received\":%llu,\"lost\":%lld,"
	       "\"pps\":%.0f,\"delay_p50_us\":%u,\"delay_p99_us\":%u,"
	       "\"relay_ns_per_packet\":%.0f,\"relay_cpu_pct\":%.1f}\n",
	       load.ends_n / 2, (unsigned long long)load.sent,
	       (unsigned long long)load.received,
	       (long long)(load.sent - load.received), got / seconds,
	       delay_at(0.5), delay_at(0.99), (double)cpu_ns / got,
	       (double)cpu_ns / seconds / 1e7);
}


static void usage(const char *name)
{
	fprintf(stderr,
		"usage: %s --pid RELAY [--seconds 5] [--warm 2] [--base 20000]"
		" [--addr 127.0.0.4] [--relay-addr 127.0.0.1] < PORTS\n",
		name);
	exit(2);
}


static void options(int argc, char **argv)
{
	static const struct option table[] = {
		{"pid", 1, NULL, 'p'},     {"seconds", 1, NULL, 's'},
		{"warm", 1, NULL, 'w'},    {"base", 1, NULL, 'b'},
		{"addr", 1, NULL, 'a'},    {"relay-addr", 1, NULL, 'r'},
		{NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {
		case 'p':
			load.pid = atoi(optarg);
			break;
		case 's':
			load.seconds = atoi(optarg);
			break;
		case 'w':
			load.warm_s = atoi(optarg);
			break;
		case 'b':
			load.base = atoi(optarg);
			break;
		case 'a':
			load.addr = optarg;
			break;
		case 'r':
			load.relay_addr = optarg;
			break;
		default:
			usage(argv[0]);
		}
	}

	if (!load.pid || load.seconds < 1)
		usage(argv[0]);
}


int main(int argc, char **argv)
{
	uint64_t cpu, start, cpu_ns;
	double seconds;

	load.addr = "127.0.0.4";
	load.relay_addr = "127.0.0.1";
	load.base = 20000;
	load.seconds = 5;
	load.warm_s = 2;
	options(argc, argv);

	load.epoll_fd = epoll_create1(0);
	load.delays_us = calloc(DELAYS_MAX, sizeof(*load.delays_us));
	if (load.epoll_fd < 0 || !load.delays_us)
		die("start");

	calls_read();
	run(load.warm_s);

	cpu = process_cpu_ns(load.pid);
	start = now_ns();
	load.is_counting = true;
	run(load.seconds);
	cpu_ns = process_cpu_ns(load.pid) - cpu;
	seconds = (double)(now_ns() - start) / 1e9;

	receive_until(now_ns() + 100 * TICK_NS);
	report(cpu_ns, seconds);

	return 0;
}
