/**
 * @file mdf_count.c  Stands in for a mediation function under load: mutual TLS,
 * answers keepalives, and keeps of every PDU of X2 and X3 no more than a hash,
 * by task, call and sequence number. It decodes by itself, from TS 103 221-2;
 * nothing here is the product's.
 *
 *     mdf_count run PORT STATE CERTIFICATE KEY CA   until it is killed
 *     mdf_count report STATE                        one line of JSON, any time
 *
 * What it has lies in the file STATE, which it maps: a kill -9 takes nothing of
 * what was counted, and the next one goes on from there, as a real one would
 * that had stored it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define STREAMS 4096       /* of a task, a call and a product; power of two */
#define NUMBERS 65536      /* of each; with 100 packets/s: 10 minutes */
#define SOURCES 8192       /* of RTP; power of two */
#define PEERS 8
#define BUFFER (1 << 18)
#define HEADER 40
#define SEQUENCE 8         /* the attribute */

enum { X2 = 1, X3 = 2, KEEPALIVE = 3, KEEPALIVE_ACK = 4 };

/* numbers of one task, call and product */
struct stream {
	uint8_t key[26];   /* type, XID, correlation */
	uint32_t next;     /* above the highest that came; 0: not in use */
};

/* packets of one synchronisation source, as new PDUs bring them */
struct source {
	uint32_t ssrc;
	bool is_known;
	uint16_t next;
	uint32_t breaks;   /* not the one after the last */
};

struct state {
	uint64_t repeated, differing, late, malformed, keepalives, connections;
	struct stream streams[STREAMS];
	struct source sources[SOURCES];
	uint32_t hashes[STREAMS][NUMBERS]; /* 0: has not come */
};

struct peer {
	int fd;
	SSL *tls;
	size_t n;
	uint8_t buf[BUFFER];
};

static struct state *state;
static struct peer peers[PEERS];


static void die(const char *what)
{
	perror(what);
	exit(2);
}


static void state_open(const char *file, bool is_made)
{
	const int fd = open(file, is_made ? O_RDWR | O_CREAT : O_RDONLY, 0600);

	if (fd < 0 || (is_made && ftruncate(fd, sizeof(*state))))
		die(file);
	state = mmap(NULL, sizeof(*state),
		     is_made ? PROT_READ | PROT_WRITE : PROT_READ, MAP_SHARED,
		     fd, 0);
	if (state == MAP_FAILED)
		die(file);
	(void)close(fd);
}


static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}


static uint16_t u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}


/* FNV-1a; never 0 */
static uint32_t hash(const uint8_t *p, size_t n)
{
	uint32_t h = 2166136261u;

	while (n--)
		h = (h ^ *p++) * 16777619u;

	return h ? h : 1;
}


/* Both tables are much larger than what a run brings: there is an end */
static struct stream *stream_of(const uint8_t *pdu)
{
	struct stream *s;
	uint8_t key[26];
	uint32_t i;

	memcpy(key, pdu + 2, 2);
	memcpy(key + 2, pdu + 16, 24);
	for (i = hash(key, sizeof(key));; i++) {
		s = &state->streams[i & (STREAMS - 1)];
		if (!s->next)
			memcpy(s->key, key, sizeof(key));
		if (!memcmp(s->key, key, sizeof(key)))
			return s;
	}
}


static struct source *source_of(uint32_t ssrc)
{
	struct source *s;
	uint32_t i;

	for (i = ssrc * 2654435761u >> 7;; i++) {
		s = &state->sources[i & (SOURCES - 1)];
		if (!s->is_known)
			s->ssrc = ssrc;
		if (s->ssrc == ssrc)
			return s;
	}
}


static bool sequence_of(const uint8_t *pdu, uint32_t head, uint32_t *seq)
{
	uint32_t at = HEADER;

	while (at + 4 <= head) {
		const uint32_t n = u16(pdu + at + 2);

		if (at + 4 + n > head)
			return false;
		if (u16(pdu + at) == SEQUENCE && n == 4) {
			*seq = u32(pdu + at + 4);
			return true;
		}
		at += 4 + n;
	}

	return false;
}


static void packet_take(const uint8_t *rtp, uint32_t n)
{
	struct source *s;

	if (n < 12)
		return;

	s = source_of(u32(rtp + 8));
	if (s->is_known && (uint16_t)(u16(rtp + 2) + 1) == s->next)
		return; /* it was killed before it had the hash */

	s->breaks += s->is_known && u16(rtp + 2) != s->next;
	s->next = (uint16_t)(u16(rtp + 2) + 1);
	s->is_known = true;
}


/* The hash is what says that a PDU is there: a kill at any place here leaves
 * one that is there or one that will come again. */
static void content_take(const uint8_t *pdu, uint32_t head, uint32_t load)
{
	struct stream *s = stream_of(pdu);
	const uint32_t h = hash(pdu, head + load);
	uint32_t seq, *there;

	if (!sequence_of(pdu, head, &seq) || seq >= NUMBERS) {
		state->malformed++;
		return;
	}

	there = &state->hashes[s - state->streams][seq];
	if (*there) {
		state->repeated += *there == h;
		state->differing += *there != h;
		return;
	}

	if (u16(pdu + 2) == X3)
		packet_take(pdu + head, load);
	state->late += seq < s->next;
	*there = h;
	if (seq >= s->next)
		s->next = seq + 1;
}


static void keepalive_answer(struct peer *p, const uint8_t *pdu, uint32_t head)
{
	uint8_t answer[512];

	if (head > sizeof(answer))
		return;

	memcpy(answer, pdu, head);
	answer[3] = KEEPALIVE_ACK;
	state->keepalives++;
	(void)SSL_write(p->tls, answer, (int)head);
}


/* @return octets of a whole PDU that was taken; 0: more is needed */
static size_t pdu_take(struct peer *p, const uint8_t *pdu, size_t n)
{
	uint32_t head, load;
	uint16_t type;

	if (n < HEADER)
		return 0;

	head = u32(pdu + 4);
	load = u32(pdu + 8);
	type = u16(pdu + 2);
	if (head < HEADER || head > 4096 || load > 131072 || pdu[0] ||
	    type < X2 || type > KEEPALIVE) {
		state->malformed++;
		return n;
	}
	if (n < (size_t)head + load)
		return 0;

	if (type == KEEPALIVE)
		keepalive_answer(p, pdu, head + load);
	else
		content_take(pdu, head, load);

	return (size_t)head + load;
}


static void peer_close(struct peer *p)
{
	SSL_free(p->tls);
	(void)close(p->fd);
	p->fd = -1;
	p->tls = NULL;
}


static void peer_read(struct peer *p)
{
	size_t at = 0, took;
	int n;

	do {
		n = SSL_read(p->tls, p->buf + p->n, (int)(BUFFER - p->n));
		if (n <= 0)
			break;
		p->n += (size_t)n;
	} while (p->n < BUFFER - 20000 && SSL_pending(p->tls));

	while ((took = pdu_take(p, p->buf + at, p->n - at)))
		at += took;
	memmove(p->buf, p->buf + at, p->n - at);
	p->n -= at;

	if (n <= 0) {
		const int why = SSL_get_error(p->tls, n);

		ERR_clear_error();
		if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
			peer_close(p);
	}
}


static void peer_accept(int listener, SSL_CTX *ctx)
{
	const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
	struct peer *p = NULL;

	for (int i = 0; i < PEERS && !p; i++)
		if (peers[i].fd < 0)
			p = &peers[i];
	if (fd < 0 || !p) {
		if (fd >= 0)
			(void)close(fd);
		return;
	}

	p->fd = fd;
	p->n = 0;
	p->tls = SSL_new(ctx);
	SSL_set_fd(p->tls, fd);
	SSL_set_accept_state(p->tls);
	state->connections++;
}


static SSL_CTX *tls_new(char *argv[])
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) ||
	    SSL_CTX_use_certificate_chain_file(ctx, argv[4]) != 1 ||
	    SSL_CTX_use_PrivateKey_file(ctx, argv[5], SSL_FILETYPE_PEM) != 1 ||
	    SSL_CTX_load_verify_locations(ctx, argv[6], NULL) != 1) {
		ERR_print_errors_fp(stderr);
		exit(2);
	}
	SSL_CTX_set_verify(ctx,
			   SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
			   NULL);

	return ctx;
}


static int listen_on(const char *port)
{
	struct sockaddr_in sa = {.sin_family = AF_INET,
				 .sin_port = htons((uint16_t)atoi(port)),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	const int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&sa, sizeof(sa)) || listen(fd, 8))
		die("listen");

	return fd;
}


static void run(char *argv[])
{
	SSL_CTX *ctx = tls_new(argv);
	const int listener = listen_on(argv[2]);
	struct pollfd fds[PEERS + 1];

	(void)signal(SIGPIPE, SIG_IGN);
	state_open(argv[3], true);
	for (int i = 0; i < PEERS; i++)
		peers[i].fd = -1;
	for (;;) {
		fds[PEERS] = (struct pollfd){.fd = listener,
					     .events = POLLIN};
		for (int i = 0; i < PEERS; i++)
			fds[i] = (struct pollfd){.fd = peers[i].fd,
						 .events = POLLIN};
		if (poll(fds, PEERS + 1, -1) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < PEERS; i++)
			if (fds[i].revents)
				peer_read(&peers[i]);
		if (fds[PEERS].revents)
			peer_accept(listener, ctx);
	}
}


struct sum {
	unsigned long long streams[3], taken[3]; /* by type */
	unsigned long long missing;              /* below the highest number */
	unsigned with_gap, gaps_max;             /* of one stream */
};


static void stream_add(struct sum *sum, const struct stream *s)
{
	const uint32_t *hashes = state->hashes[s - state->streams];
	const uint16_t type = u16(s->key);
	uint32_t seq, taken = 0, gaps = 0, above = 0;

	for (seq = 0; seq < NUMBERS && seq <= s->next; seq++) {
		if (!hashes[seq])
			continue;
		gaps += seq > above;
		above = seq + 1;
		taken++;
	}

	sum->streams[type]++;
	sum->taken[type] += taken;
	sum->missing += above - taken;
	sum->with_gap += gaps > 0;
	if (gaps > sum->gaps_max)
		sum->gaps_max = gaps;
}


static void report(void)
{
	unsigned long long breaks = 0, sources = 0;
	struct sum sum = {0};

	for (int i = 0; i < STREAMS; i++)
		if (state->streams[i].next)
			stream_add(&sum, &state->streams[i]);
	for (int i = 0; i < SOURCES; i++) {
		sources += state->sources[i].is_known;
		breaks += state->sources[i].breaks;
	}

	printf("{\"x2\":%llu,\"x3\":%llu,\"x2_streams\":%llu,"
	       "\"x3_streams\":%llu,\"missing\":%llu,\"with_gap\":%u,"
	       "\"gaps_max\":%u,\"rtp_sources\":%llu,"
	       "\"rtp_breaks\":%llu,",
	       sum.taken[X2], sum.taken[X3], sum.streams[X2],
	       sum.streams[X3], sum.missing, sum.with_gap, sum.gaps_max,
	       sources, breaks);
	printf("\"late\":%llu,\"repeated\":%llu,\"differing\":%llu,"
	       "\"malformed\":%llu,\"keepalives\":%llu,"
	       "\"connections\":%llu}\n",
	       (unsigned long long)state->late,
	       (unsigned long long)state->repeated,
	       (unsigned long long)state->differing,
	       (unsigned long long)state->malformed,
	       (unsigned long long)state->keepalives,
	       (unsigned long long)state->connections);
}


int main(int argc, char *argv[])
{
	if (argc == 7 && !strcmp(argv[1], "run")) {
		run(argv);
	} else if (argc == 3 && !strcmp(argv[1], "report")) {
		state_open(argv[2], false);
		report();
	} else {
		fprintf(stderr, "usage: %s run PORT STATE CERTIFICATE KEY CA | "
				"report STATE\n", argv[0]);
		return 2;
	}

	return 0;
}
