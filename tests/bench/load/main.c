/** @file main.c  Options, sockets, the pass and the report of the load. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "load.h"

#define SIGNAL_BUFFER (8 << 20)
#define MEDIA_BUFFER (1 << 20)
#define TIMERS_NS (5 * LOAD_NS_PER_MS)
#define LINGER_NS (300 * LOAD_NS_PER_MS)
#define GIVE_UP_NS (40 * LOAD_NS_PER_S)
#define MEDIA_SETUP_NS (8 * LOAD_NS_PER_S)

static struct load load;


uint64_t load_clock_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);

	return (uint64_t)t.tv_sec * LOAD_NS_PER_S + (uint64_t)t.tv_nsec;
}


/* What the kernel stamps packets with */
uint64_t load_wall_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);

	return (uint64_t)t.tv_sec * LOAD_NS_PER_S + (uint64_t)t.tv_nsec;
}


double load_cpu_s(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);

	return (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}


static void die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(2);
}


void load_send(struct load *l, int fd, const char *text, size_t len)
{
	(void)sendto(fd, text, len, 0, (const struct sockaddr *)&l->target,
		     sizeof(l->target));
}


static struct sockaddr_in address(const char *text)
{
	struct sockaddr_in sa = {.sin_family = AF_INET};
	char ip[LOAD_ADDRESS_SIZE];
	char *colon;

	snprintf(ip, sizeof(ip), "%s", text);
	colon = strchr(ip, ':');
	if (colon)
		*colon = '\0';
	sa.sin_port = htons((uint16_t)(colon ? atoi(colon + 1) : 0));
	if (inet_pton(AF_INET, ip, &sa.sin_addr) != 1) {
		errno = EINVAL;
		die(text);
	}

	return sa;
}


static int socket_open(struct load *l, const struct sockaddr_in *local,
		       int buffer, enum load_socket kind)
{
	const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	struct epoll_event ev = {.events = EPOLLIN};
	const int on = kind == MEDIA_CALLER || kind == MEDIA_CARRIER;

	if (fd < 0)
		die("socket");
	/* when a packet was there, not when we had time for it */
	if (on && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on)))
		die("SO_TIMESTAMPNS");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
		       sizeof(buffer)))
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer,
				 sizeof(buffer));
	if (bind(fd, (const struct sockaddr *)local, sizeof(*local)))
		die("bind");
	ev.data.u64 = (uint64_t)kind << 32 | (uint32_t)fd;
	if (epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &ev))
		die("epoll_ctl");

	return fd;
}


static void sockets_open(struct load *l)
{
	struct sockaddr_in sa = address(l->opt.caller);

	l->target = address(l->opt.target);
	l->epoll = epoll_create1(0);
	l->caller = socket_open(l, &sa, SIGNAL_BUFFER, SOCKET_CALLER);
	sa = address(l->opt.carrier);
	l->carrier = socket_open(l, &sa, SIGNAL_BUFFER, SOCKET_CARRIER);
	if (!l->opt.media_ms)
		return;

	sa = address(l->opt.media_ip);
	for (unsigned side = 0; side < 2; side++) {
		l->media[side] = calloc(l->opt.calls, sizeof(int));
		for (unsigned i = 0; l->media[side] && i < l->opt.calls; i++) {
			sa.sin_port = htons((uint16_t)media_port(l, i, side));
			l->media[side][i] =
				socket_open(l, &sa, MEDIA_BUFFER,
					    side ? MEDIA_CARRIER
						 : MEDIA_CALLER);
		}
	}
}


static void take(struct load *l, int fd, enum load_socket kind)
{
	static char buf[65536];
	ssize_t n;

	for (unsigned i = 0; i < 64; i++) {
		n = recv(fd, buf, sizeof(buf) - 1, 0);
		if (n <= 0)
			return;
		buf[n] = '\0';
		l->now_ns = load_clock_ns();
		if (kind == SOCKET_CALLER)
			caller_receive(l, buf);
		else
			carrier_receive(l, buf);
	}
}


void load_pass(struct load *l, uint64_t wait_ns)
{
	const struct timespec wait = {
		.tv_sec = (time_t)(wait_ns / LOAD_NS_PER_S),
		.tv_nsec = (long)(wait_ns % LOAD_NS_PER_S),
	};
	struct epoll_event evs[64];
	const int n = epoll_pwait2(l->epoll, evs, 64, &wait, NULL);

	l->now_ns = load_clock_ns();
	for (int i = 0; i < n; i++) {
		const enum load_socket kind = evs[i].data.u64 >> 32;
		const int fd = (int)(evs[i].data.u64 & 0xffffffff);

		if (kind == MEDIA_CALLER || kind == MEDIA_CARRIER)
			media_receive(l, fd);
		else
			take(l, fd, kind);
	}
}


static void timers(struct load *l)
{
	static uint64_t last_ns;

	if (l->now_ns - last_ns > TIMERS_NS) {
		last_ns = l->now_ns;
		caller_timers(l);
	}
}


/* Start the calls at their rate. @return when the last was started */
static uint64_t start_all(struct load *l)
{
	const uint64_t begin = load_clock_ns();
	const uint64_t every = LOAD_NS_PER_S / l->opt.rate;
	unsigned next = 0;

	while (next < l->opt.calls) {
		const uint64_t due = begin + next * every;

		l->now_ns = load_clock_ns();
		if (l->now_ns >= due) {
			caller_start(l, next++);
			continue;
		}
		timers(l);
		load_pass(l, due - l->now_ns > 2 * LOAD_NS_PER_MS
				     ? 2 * LOAD_NS_PER_MS
				     : due - l->now_ns);
	}

	return load_clock_ns();
}


/* Wait until every call has ended. @return when that was */
static uint64_t end_all(struct load *l, uint64_t give_up_ns)
{
	uint64_t ended = 0;

	l->is_held = false;
	for (;;) {
		l->now_ns = load_clock_ns();
		timers(l);
		if (!l->active && !ended)
			ended = l->now_ns;
		if ((ended && l->now_ns - ended > LINGER_NS) ||
		    l->now_ns > give_up_ns)
			return ended ? ended : l->now_ns;
		load_pass(l, LOAD_NS_PER_MS);
	}
}


static void media(struct load *l)
{
	const uint64_t until = load_clock_ns() + MEDIA_SETUP_NS;
	unsigned k = 0;

	while (l->up + l->failed < l->opt.calls && load_clock_ns() < until) {
		l->now_ns = load_clock_ns();
		timers(l);
		load_pass(l, LOAD_NS_PER_MS);
	}
	printf("{\"event\":\"setup\",\"up\":%u,\"failed\":%u}\n", l->up,
	       l->failed);
	media_run(l);

	/* hang up one after the other, as quickly as they were dialled */
	l->now_ns = load_clock_ns();
	for (unsigned i = 0; i < l->opt.calls; i++)
		if (l->calls[i].state == CALL_UP)
			l->calls[i].next_ns = l->now_ns +
					      k++ * LOAD_NS_PER_S /
						      l->opt.rate;
}


static int by_value(const void *a, const void *b)
{
	const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}


static unsigned quantile(uint32_t *values, unsigned n, double share)
{
	qsort(values, n, sizeof(*values), by_value);

	return n ? values[(unsigned)((n - 1) * share)] : 0;
}


static void report(struct load *l, double seconds, double cpu_s)
{
	printf("{\"event\":\"calls\",\"ok\":%u,\"failed\":%u,"
	       "\"caller_retransmissions\":%u,"
	       "\"carrier_retransmissions\":%u,\"seconds\":%.3f,"
	       "\"ring_p50_us\":%u,\"ring_p99_us\":%u,"
	       "\"answer_p50_us\":%u,\"answer_p99_us\":%u,"
	       "\"load_cpu_s\":%.3f,\"codes\":\"",
	       l->done, l->failed + l->active, l->caller_retransmissions,
	       l->carrier_retransmissions, seconds,
	       quantile(l->provisional_us, l->provisional_n, .5),
	       quantile(l->provisional_us, l->provisional_n, .99),
	       quantile(l->answer_us, l->answer_n, .5),
	       quantile(l->answer_us, l->answer_n, .99), cpu_s);
	for (unsigned i = 0; i < LOAD_CODES; i++)
		if (l->codes[i])
			printf("%u:%u ", i, l->codes[i]);
	printf("\"}\n");
}


static void usage(void)
{
	fprintf(stderr,
		"usage: bench_load [--target IP:PORT] [--caller IP:PORT] "
		"[--carrier IP:PORT]\n\t[--calls N] [--rate PER_S] "
		"[--hold MS] [--users N] [--password TEXT]\n\t[--media-ms MS "
		"[--slice-ms MS] [--groups N] [--pps N] [--media-ip IP] "
		"[--media-base PORT]]\n");
	exit(2);
}


static void text_option(char *out, size_t size)
{
	if (snprintf(out, size, "%s", optarg) >= (int)size)
		usage();
}


static void options(struct load_options *o, int argc, char *argv[])
{
	static const struct option table[] = {
		{"target", 1, NULL, 't'},   {"caller", 1, NULL, 'c'},
		{"carrier", 1, NULL, 'C'},  {"calls", 1, NULL, 'n'},
		{"rate", 1, NULL, 'r'},     {"hold", 1, NULL, 'h'},
		{"users", 1, NULL, 'u'},    {"password", 1, NULL, 'w'},
		{"media-ms", 1, NULL, 'm'}, {"pps", 1, NULL, 'p'},
		{"media-ip", 1, NULL, 'i'}, {"media-base", 1, NULL, 'b'},
		{"slice-ms", 1, NULL, 's'}, {"groups", 1, NULL, 'g'},
		{NULL, 0, NULL, 0},
	};
	unsigned *numbers[] = {
		['n'] = &o->calls,    ['r'] = &o->rate, ['h'] = &o->hold_ms,
		['u'] = &o->users,    ['m'] = &o->media_ms,
		['p'] = &o->pps,      ['b'] = &o->media_base,
		['s'] = &o->slice_ms, ['g'] = &o->groups,
	};
	int c;

	while ((c = getopt_long(argc, argv, "", table, NULL)) != -1) {
		switch (c) {

		case 't':
			text_option(o->target, sizeof(o->target));
			break;
		case 'c':
			text_option(o->caller, sizeof(o->caller));
			break;
		case 'C':
			text_option(o->carrier, sizeof(o->carrier));
			break;
		case 'w':
			text_option(o->password, sizeof(o->password));
			break;
		case 'i':
			text_option(o->media_ip, sizeof(o->media_ip));
			break;
		case '?':
			usage();
			break;
		default:
			*numbers[c] = (unsigned)strtoul(optarg, NULL, 10);
			break;
		}
	}

	if (!o->calls || !o->rate || !o->users || !o->pps || !o->groups ||
	    o->groups > LOAD_GROUPS_MAX ||
	    (o->slice_ms && o->media_ms / o->slice_ms >= LOAD_SLICES_MAX))
		usage();
}


int main(int argc, char *argv[])
{
	struct load *l = &load;
	double cpu_s;
	uint64_t begin, end;

	l->opt = (struct load_options){
		.target = "127.0.0.1:5060",
		.caller = "127.0.0.2:5070",
		.carrier = "127.0.0.1:5080",
		.media_ip = "127.0.0.4",
		.password = "pw",
		.calls = 100,
		.rate = 50,
		.users = 10000,
		.media_base = 20000,
		.pps = 50,
		.groups = 1,
	};
	options(&l->opt, argc, argv);

	l->run = (uint32_t)getpid() ^ (uint32_t)time(NULL) * 2654435761u;
	l->calls = calloc(l->opt.calls, sizeof(*l->calls));
	l->provisional_us = calloc(l->opt.calls, sizeof(uint32_t));
	l->answer_us = calloc(l->opt.calls, sizeof(uint32_t));
	l->delays = calloc((size_t)media_slices(l) * l->opt.groups,
			   sizeof(*l->delays)); /* most is never touched */
	if (!l->calls || !l->provisional_us || !l->answer_us || !l->delays)
		die("memory");
	sockets_open(l);

	cpu_s = load_cpu_s();
	begin = load_clock_ns();
	l->is_held = l->opt.media_ms > 0;
	end = start_all(l);
	if (l->opt.media_ms) {
		media(l);
		end = load_clock_ns();
	}
	end = end_all(l, end + l->opt.hold_ms * LOAD_NS_PER_MS + GIVE_UP_NS);
	report(l, (double)(end - begin) / (double)LOAD_NS_PER_S,
	       load_cpu_s() - cpu_s);

	return 0;
}
