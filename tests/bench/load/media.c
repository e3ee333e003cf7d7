/**
 * @file media.c  G.711 packets of 20 ms between both ends of every call that
 * is up, spread evenly; each carries when it was sent, and the kernel says when
 * it came back: how long we wait for the processor is no part of the delay.
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include "load.h"

#define MAGIC 0x5eed5eedu
#define PACKET_LEN 172
#define PACKETS_AT_ONCE 32
#define BURST_MAX 64
#define CARRIER_PORTS 5000 /* the carrier's ports begin so much higher */
#define CALL_MASK 0x0fffffffu /* of an SSRC: the rest says which side */
#define WARM_NS (LOAD_NS_PER_S / 2)
#define TAIL_NS (50 * LOAD_NS_PER_MS)
#define WAIT_NS (100 * UINT64_C(1000)) /* what is due meanwhile goes together */

struct __attribute__((packed)) packet {
	uint8_t version, type;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint32_t magic;
	uint64_t sent_ns;
	uint8_t is_counted; /* sent while the measurement ran */
	uint8_t rest[PACKET_LEN - 25];
};

/* what is counted between start and end of the measurement */
struct count {
	uint64_t sent, received, at_ns;
	double cpu_s;
};


int media_port(const struct load *l, unsigned call, bool carrier)
{
	return (int)(l->opt.media_base + 2 * call +
		     (carrier ? CARRIER_PORTS : 0));
}


/* @return how many the measurement is cut into */
unsigned media_slices(const struct load *l)
{
	return l->opt.slice_ms ? l->opt.media_ms / l->opt.slice_ms + 1 : 1;
}


static struct delays *delays_at(const struct load *l, unsigned slice,
				unsigned group)
{
	return &l->delays[(size_t)slice * l->opt.groups + group];
}


static struct delays *delays_of(const struct load *l, uint64_t sent_ns,
				unsigned call)
{
	const uint64_t ms = (sent_ns - l->counting_ns) / LOAD_NS_PER_MS;
	const unsigned last = media_slices(l) - 1;
	const unsigned i = l->opt.slice_ms ? (unsigned)(ms / l->opt.slice_ms)
					   : 0;

	return delays_at(l, i < last ? i : last, call % l->opt.groups);
}


static void delay_add(struct load *l, const struct packet *p, uint64_t at_ns)
{
	const uint32_t ssrc = ntohl(p->ssrc);
	const unsigned i = ssrc & CALL_MASK;
	const uint64_t ns = at_ns > p->sent_ns ? at_ns - p->sent_ns : 0;
	const uint32_t us = ns / 1000 < LOAD_DELAYS ? (uint32_t)(ns / 1000)
						    : LOAD_DELAYS - 1;
	struct delays *d;
	uint32_t *last;

	if (i >= l->opt.calls) {
		l->strange++;
		return;
	}

	d = delays_of(l, p->sent_ns, i);
	last = &l->calls[i].delay_us[ssrc > CALL_MASK];
	d->count[us]++;
	if (*last) {
		d->change_us += us > *last ? us - *last : *last - us;
		d->changes++;
	}
	*last = us ? us : 1;
}


static void packet_send(struct load *l, unsigned i, bool carrier)
{
	struct call *c = &l->calls[i];
	uint16_t *seq = carrier ? &c->seq_carrier : &c->seq_caller;
	const struct sockaddr_in *to = carrier ? &c->media_carrier
					       : &c->media_caller;
	struct packet p = {
		.version = 0x80,
		.type = 8,
		.seq = htons(*seq),
		.timestamp = htonl(*seq * 160u),
		.ssrc = htonl((carrier ? CALL_MASK + 1 : 0) + i),
		.magic = MAGIC,
		.sent_ns = load_wall_ns(),
		.is_counted = l->is_counting,
	};

	(*seq)++;
	if (sendto(l->media[carrier][i], &p, sizeof(p), 0,
		   (const struct sockaddr *)to, sizeof(*to)) != sizeof(p)) {
		l->rtp_refused++;
		return;
	}

	l->rtp_sent += l->is_counting;
	l->rtp_sent_all++;
}


/* When the kernel had it; we ask for nothing else */
static uint64_t stamp_of(struct msghdr *m)
{
	const struct cmsghdr *c = CMSG_FIRSTHDR(m);
	struct timespec t;

	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS)
		return load_wall_ns();
	memcpy(&t, CMSG_DATA(c), sizeof(t));

	return (uint64_t)t.tv_sec * LOAD_NS_PER_S + (uint64_t)t.tv_nsec;
}


void media_receive(struct load *l, int fd)
{
	static struct packet packets[PACKETS_AT_ONCE];
	static _Alignas(struct cmsghdr)
		uint8_t control[PACKETS_AT_ONCE][CMSG_SPACE(
			sizeof(struct timespec))];
	struct mmsghdr msgs[PACKETS_AT_ONCE];
	struct iovec io[PACKETS_AT_ONCE];
	int n;

	memset(msgs, 0, sizeof(msgs));
	for (unsigned i = 0; i < PACKETS_AT_ONCE; i++) {
		io[i].iov_base = &packets[i];
		io[i].iov_len = sizeof(packets[i]);
		msgs[i].msg_hdr.msg_iov = &io[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		msgs[i].msg_hdr.msg_control = control[i];
		msgs[i].msg_hdr.msg_controllen = sizeof(control[i]);
	}

	n = recvmmsg(fd, msgs, PACKETS_AT_ONCE, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		if (msgs[i].msg_len != PACKET_LEN ||
		    packets[i].magic != MAGIC) {
			l->strange++;
			continue;
		}
		l->rtp_received_all++;
		if (!packets[i].is_counted)
			continue;
		l->rtp_received++;
		delay_add(l, &packets[i], stamp_of(&msgs[i].msg_hdr));
	}
}


static struct count count_now(const struct load *l)
{
	return (struct count){l->rtp_sent, l->rtp_received, load_clock_ns(),
			      load_cpu_s()};
}


static unsigned delay_us(const uint32_t *counts, double share)
{
	uint64_t total = 0, sum = 0;
	unsigned us;

	for (us = 0; us < LOAD_DELAYS; us++)
		total += counts[us];
	for (us = 0; us < LOAD_DELAYS; us++) {
		sum += counts[us];
		if ((double)sum >= share * (double)total)
			break;
	}

	return us;
}


static void delays_add(struct delays *to, const struct delays *d)
{
	for (unsigned us = 0; us < LOAD_DELAYS; us++)
		to->count[us] += d->count[us];
	to->change_us += d->change_us;
	to->changes += d->changes;
}


/* As members of a JSON object: of all, and of each group */
static void delays_print(const struct load *l, struct delays *all,
			 unsigned slice)
{
	memset(all, 0, sizeof(*all));
	printf("\"groups_p99_us\":[");
	for (unsigned g = 0; g < l->opt.groups; g++) {
		const struct delays *d = delays_at(l, slice, g);

		printf("%s%u", g ? "," : "", delay_us(d->count, 0.99));
		delays_add(all, d);
	}
	printf("],\"delay_p50_us\":%u,\"delay_p99_us\":%u,"
	       "\"jitter_us\":%.1f",
	       delay_us(all->count, 0.5), delay_us(all->count, 0.99),
	       all->changes ? (double)all->change_us / (double)all->changes
			    : 0);
}


/* Tell the delays of each slice, and make one of all */
static void slices_report(struct load *l, struct delays *all)
{
	const unsigned n = media_slices(l);

	for (unsigned i = 0; l->opt.slice_ms && i + 1 < n; i++) {
		printf("{\"event\":\"slice\",\"at_ms\":%u,",
		       i * l->opt.slice_ms);
		delays_print(l, all, i);
		printf("}\n");
	}
	for (unsigned i = 1; i < n; i++)
		for (unsigned g = 0; g < l->opt.groups; g++)
			delays_add(delays_at(l, 0, g), delays_at(l, i, g));
}


static void say(const char *event)
{
	printf("{\"event\":\"%s\"}\n", event);
	fflush(stdout);
}


static void report(const struct load *l, struct delays *all, unsigned calls,
		   const struct count *from, const struct count *to)
{
	const double s = (double)(to->at_ns - from->at_ns) / LOAD_NS_PER_S;

	printf("{\"event\":\"media\",\"calls\":%u,\"sent\":%llu,"
	       "\"received\":%llu,\"sent_all\":%llu,\"received_all\":%llu,"
	       "\"refused\":%llu,\"seconds\":%.3f,"
	       "\"load_cpu_s\":%.3f,\"strange\":%u,",
	       calls, (unsigned long long)(to->sent - from->sent),
	       (unsigned long long)(to->received - from->received),
	       (unsigned long long)l->rtp_sent_all,
	       (unsigned long long)l->rtp_received_all,
	       (unsigned long long)l->rtp_refused, s,
	       to->cpu_s - from->cpu_s, l->strange);
	delays_print(l, all, 0);
	printf("}\n");
	fflush(stdout);
}


static unsigned calls_with_media(const struct load *l, unsigned *calls)
{
	unsigned n = 0;

	for (unsigned i = 0; i < l->opt.calls; i++)
		if (l->calls[i].state == CALL_UP &&
		    l->calls[i].media_caller.sin_port &&
		    l->calls[i].media_carrier.sin_port)
			calls[n++] = i;

	return n;
}


/* Send what is due until the moment; what is late by more than an interval
 * is not sent at all: a burst would be cheaper than what is measured. */
static void packets_until(struct load *l, const unsigned *calls, unsigned n,
			  uint64_t begin_ns, uint64_t end_ns, uint64_t *sent)
{
	const uint64_t streams = 2 * (uint64_t)n;
	const uint64_t interval = LOAD_NS_PER_S / l->opt.pps;
	uint64_t now = load_clock_ns();

	while (now < end_ns) {
		const uint64_t due = (now - begin_ns) * streams / interval;

		if (due - *sent > streams)
			*sent = due - streams;
		for (unsigned i = 0; i < BURST_MAX && *sent < due; i++) {
			const unsigned k = (unsigned)(*sent % streams);

			packet_send(l, calls[k / 2], k & 1);
			(*sent)++;
		}
		load_pass(l, *sent < due ? 0 : WAIT_NS);
		now = load_clock_ns();
	}
}


void media_run(struct load *l)
{
	unsigned *calls = calloc(l->opt.calls, sizeof(*calls));
	struct delays *all = calloc(1, sizeof(*all));
	const unsigned n = calls && all ? calls_with_media(l, calls) : 0;
	const uint64_t begin = load_clock_ns();
	const uint64_t start = begin + WARM_NS;
	const uint64_t end = start + l->opt.media_ms * LOAD_NS_PER_MS;
	struct count from, to;
	uint64_t sent = 0, late;

	if (n) {
		packets_until(l, calls, n, begin, start, &sent);
		say("media_start");
		l->is_counting = true;
		l->counting_ns = load_wall_ns();
		from = count_now(l);
		packets_until(l, calls, n, begin, end, &sent);
		say("media_stop");
		to = count_now(l);
		late = load_clock_ns() + TAIL_NS;
		while (load_clock_ns() < late)
			load_pass(l, LOAD_NS_PER_MS);
		l->is_counting = false;
		to.received = l->rtp_received;
		slices_report(l, all);
		report(l, all, n, &from, &to);
	}
	free(all);
	free(calls);
}
