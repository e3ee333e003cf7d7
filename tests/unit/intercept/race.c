/**
 * @file tests/unit/intercept/race.c  The point of interception with the
 * threads that it has: a worker whose calls come and go, a media thread, the
 * link, and a strowger-li that reads, stalls, dies and comes back while other
 * targets come into force. Not a Criterion program: ThreadSanitizer does not
 * run inside Criterion's sandbox.
 *
 * Every message says whose it is and which in its row, so what is heard can be
 * held against what was said: nothing of another call, nothing before its
 * POI_CALL or after its POI_END, and every gap as long as was told.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <re.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "must.h"
#include "poi_link.h"
#include "tap.h"

#define SLOTS 48
#define WHO 16           /* identities */
#define LIVES 5          /* of strowger-li */
#define SETS 5           /* of targets, in each of them */
#define ENDS 24          /* of calls, until the next set */
#define STALL_MS 60      /* then nothing is read */
#define LIFE_MS 20000    /* at most */
#define STEPS 12         /* of a call */
#define RTP_SIZE 65536   /* small: it gets full while nobody reads */

/** A call of the worker. */
struct live {
	uint64_t number;  /* 0: none yet */
	uint32_t said;    /* messages of SIP */
	unsigned step;
};

/** What strowger-li knows of a call. */
struct heard {
	uint64_t number;
	bool is_up, has[SESSION_SOURCES];
	uint32_t next[SESSION_SOURCES], lost[SESSION_SOURCES];
	uint32_t count[SESSION_SOURCES];
};

/** As octets of a message or packet. */
struct content {
	uint64_t number;
	uint32_t serial;
};

static atomic_bool is_over;
static atomic_bool is_awake;             /* observer_look() has work       */
static _Atomic uint64_t numbers[SLOTS];  /* of the calls that have media   */
static struct live lives[SLOTS];
static struct heard heard[SLOTS];
static struct poi_message message;
static uint8_t buf[POI_MESSAGE_MAX];
static unsigned in_force_n, call_n, rtp_n, lost_n, end_n;


static void id_of(uint8_t id[POI_ID_SIZE], uint64_t number)
{
	memset(id, 0xa5, POI_ID_SIZE);
	memcpy(id, &number, sizeof(number));
	number *= 0x9e3779b97f4a7c15; /* spread, as random bits are */
	memcpy(id + 8, &number, sizeof(number));
}


static uint64_t number_of(const uint8_t id[POI_ID_SIZE])
{
	uint64_t number;

	memcpy(&number, id, sizeof(number));

	return number;
}


static unsigned who(uint64_t number, enum poi_role role)
{
	return (unsigned)(role == POI_CALLING ? number : number / WHO) % WHO;
}


static int64_t wall_ns(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_REALTIME, &t);

	return t.tv_sec * 1000000000LL + t.tv_nsec;
}


static void rest(long us)
{
	const struct timespec t = {.tv_nsec = us * 1000};

	(void)nanosleep(&t, NULL);
}


static struct tap_event event(enum tap_kind kind, uint64_t number)
{
	struct tap_event ev = {.kind = kind, .leg = TAP_LEG_A, .dir = TAP_IN,
			       .wall_ns = wall_ns()};

	id_of(ev.call, number);
	sa_set_in(&ev.local, 0x7f000001, 5060);
	sa_set_in(&ev.peer, 0x7f000002, 5060);

	return ev;
}


/* --- the worker */

static void tell(enum tap_kind kind, uint64_t number)
{
	const struct tap_event ev = event(kind, number);

	tap_emit(&ev);
}


static void party(uint64_t number, enum tap_role role, enum poi_role as)
{
	struct tap_event ev = event(TAP_CALL_PARTY, number);
	char text[32];

	(void)snprintf(text, sizeof(text), "+49301000%02u", who(number, as));
	ev.party = (struct tap_party){.role = role, .text = text,
				      .len = strlen(text)};
	tap_emit(&ev);
}


static void say(struct live *l)
{
	const struct content c = {l->number, l->said++};
	struct tap_event ev = event(TAP_SIP, l->number);

	ev.bytes = (const uint8_t *)&c;
	ev.len = sizeof(c);
	tap_emit(&ev);
}


static void begin(struct live *l, size_t slot)
{
	l->number = l->number ? l->number + SLOTS : slot + SLOTS;
	l->said = 0;
	l->step = 0;
	tell(TAP_CALL_BEGIN, l->number);
	party(l->number, TAP_CALLING, POI_CALLING);
	party(l->number, TAP_CALLED, POI_CALLED);
	say(l);
	atomic_store(&numbers[slot], l->number);
}


static void step(struct live *l, size_t slot)
{
	if (!l->number || l->step == STEPS + 1) {
		begin(l, slot);
		return;
	}
	if (++l->step < STEPS) {
		say(l);
		return;
	}
	if (l->step == STEPS) {
		tell(TAP_CALL_END, l->number);
		say(l);
		return;
	}
	/* of every other call packets are on their way still */
	if (l->number / SLOTS % 2)
		atomic_store(&numbers[slot], 0);
	tell(TAP_CALL_GONE, l->number);
}


static void *work(void *arg)
{
	struct observer *o = arg;
	bool is_looking = false;

	while (!atomic_load(&is_over)) {
		for (size_t i = 0; i < SLOTS; i++) {
			if (atomic_exchange(&is_awake, false) || is_looking)
				is_looking = observer_look(o, wall_ns());
			step(&lives[i], i);
		}
		rest(500);
	}

	return NULL;
}


/* --- the media thread */

static void packet(uint64_t number, enum tap_leg leg, uint32_t serial)
{
	const struct content c = {number, serial};
	uint8_t bytes[172] = {0x80};
	struct tap_event ev = event(TAP_RTP, number);

	memcpy(bytes + 12, &c, sizeof(c));
	ev.leg = leg;
	ev.bytes = bytes;
	ev.len = sizeof(bytes);
	tap_emit(&ev);
}


static void *stream(void *arg)
{
	uint32_t serial = 0;

	(void)arg;
	while (!atomic_load(&is_over)) {
		for (size_t i = 0; i < SLOTS; i++) {
			const uint64_t number = atomic_load(&numbers[i]);

			if (!number)
				continue;
			packet(number, TAP_LEG_A, serial);
			packet(number, TAP_LEG_B, serial);
		}
		serial++;
		rest(200);
	}

	return NULL;
}


/* --- strowger-li */

static uint64_t now_ms(void)
{
	return (uint64_t)(wall_ns() / 1000000);
}


static bool is_sought(unsigned identity, uint32_t generation)
{
	return generation % 4 != 3 &&
	       (generation % 4 == 2 || identity % 2 == generation % 2);
}


static void post(int fd)
{
	size_t len;

	MUST(!poi_message_encode(buf, sizeof(buf), &len, &message));
	/* the switch may have hung up */
	(void)send(fd, buf, len, MSG_NOSIGNAL);
}


/* In two parts, of which the first says more than the second */
static void seek(int fd, const struct poi_key *key, unsigned life,
		 uint32_t generation)
{
	for (uint16_t part = 0; part < 2; part++) {
		struct poi_targets *t = &message.targets;

		message.type = POI_TARGETS;
		*t = (struct poi_targets){.generation = generation,
					  .part = part, .parts = 2};
		for (unsigned i = part ? 12 : 0; i < (part ? WHO : 12); i++) {
			char identity[32];

			if (!is_sought(i, generation))
				continue;
			(void)snprintf(identity, sizeof(identity),
				       "tel:49301000%02u", i);
			poi_digest(t->target[t->n].digest, key, identity);
			t->target[t->n].id = 1000 * life + i;
			t->target[t->n++].want = POI_WANT_ALL;
		}
		post(fd);
	}
}


static struct heard *heard_of(const uint8_t id[POI_ID_SIZE])
{
	const uint64_t number = number_of(id);
	struct heard *h = &heard[number % SLOTS];

	MUST(h->is_up && h->number == number);

	return h;
}


static void hear_call(const struct poi_call *c, unsigned life)
{
	const uint64_t number = number_of(c->call);
	struct heard *h = &heard[number % SLOTS];

	if (!h->is_up)
		*h = (struct heard){.number = number, .is_up = true};
	MUST(h->number == number);
	for (size_t i = 0; i < c->n; i++) {
		const struct poi_match *m = &c->match[i];

		MUST(m->id == 1000 * life + who(number, m->role));
	}
	call_n++;
}


/* Of its own call, and as many missing as was told */
static void hear(struct heard *h, enum session_source source,
		 const uint8_t *bytes)
{
	struct content c;

	memcpy(&c, bytes, sizeof(c));
	MUST(c.number == h->number);
	MUST(!h->has[source] ||
	     c.serial == h->next[source] + h->lost[source]);
	h->has[source] = true;
	h->next[source] = c.serial + 1;
	h->lost[source] = 0;
	h->count[source]++;
}


static void hear_lost(const struct poi_lost *l)
{
	struct heard *h = heard_of(l->call);
	const uint32_t n[SESSION_SOURCES] = {l->sip, l->rtp[0], l->rtp[1]};

	MUST(l->from_ns <= l->to_ns);
	for (size_t i = 0; i < SESSION_SOURCES; i++) {
		h->lost[i] += n[i];
		h->count[i] += n[i];
		lost_n += n[i];
	}
}


static void hear_end(const struct poi_end *e)
{
	struct heard *h = heard_of(e->call);

	MUST(e->sip == h->count[SESSION_SIP]);
	MUST(e->rtp[0] == h->count[SESSION_RTP_A]);
	MUST(e->rtp[1] == h->count[SESSION_RTP_B]);
	h->is_up = false;
	end_n++;
}


static void take(const struct poi_message *m, unsigned life)
{
	if (m->type == POI_IN_FORCE)
		in_force_n++;
	else if (m->type == POI_CALL)
		hear_call(&m->call, life);
	else if (m->type == POI_SIP)
		hear(heard_of(m->sip.call), SESSION_SIP, m->sip.bytes);
	else if (m->type == POI_RTP) {
		hear(heard_of(m->rtp.call),
		     m->rtp.leg == POI_LEG_A ? SESSION_RTP_A : SESSION_RTP_B,
		     m->rtp.bytes + 12);
		rtp_n++;
	}
	else if (m->type == POI_LOST)
		hear_lost(&m->lost);
	else {
		MUST(m->type == POI_END);
		hear_end(&m->end);
	}
}


static void take_packet(size_t n, unsigned life)
{
	size_t at = 0, len;

	for (; at < n; at += len) {
		len = poi_message_len(buf + at, n - at);
		MUST(len);
		MUST(!poi_message_decode(&message, buf + at, len));
		take(&message, life);
	}
}


/* @return false: the switch hung up */
static bool read_all(int fd, unsigned life)
{
	for (;;) {
		const ssize_t n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0)
			return false;
		take_packet((size_t)n, life);
	}
}


static int listen_at(const struct sockaddr_un *un)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	(void)unlink(un->sun_path);
	MUST(fd >= 0 && !bind(fd, (const struct sockaddr *)un, sizeof(*un)) &&
	     !listen(fd, 4));

	return fd;
}


static int accept_one(int listening)
{
	struct pollfd p = {.fd = listening, .events = POLLIN};
	ssize_t n;
	int fd;

	MUST(poll(&p, 1, 20000) == 1); /* it comes back */
	fd = accept(listening, NULL, NULL);
	MUST(fd >= 0);
	n = recv(fd, buf, sizeof(buf), 0);
	MUST(n > 0 && !poi_message_decode(&message, buf, (size_t)n) &&
	     message.type == POI_HELLO);

	return fd;
}


/* Until the newest set is in force, and so many calls have ended since */
static void turn(int fd, unsigned life)
{
	const unsigned sets = in_force_n + 1, ends = end_n;
	const uint64_t end = now_ms() + LIFE_MS;

	while (in_force_n < sets || end_n < ends + ENDS) {
		struct pollfd p = {.fd = fd, .events = POLLIN};

		MUST(now_ms() < end);
		(void)poll(&p, 1, 5);
		MUST(read_all(fd, life));
	}
}


/* Another key and other numbers each time. It stalls for as long as the queue
 * needs to get full, and goes without having read what it was sent. */
static void live(const struct sockaddr_un *un, unsigned life)
{
	const int listening = listen_at(un), fd = accept_one(listening);
	struct poi_key key;

	memset(heard, 0, sizeof(heard));
	message.type = POI_KEY;
	memset(message.key.key, (int)life, POI_KEY_SIZE);
	poi_key_init(&key, message.key.key);
	post(fd);
	for (uint32_t generation = 1; generation <= SETS; generation++) {
		seek(fd, &key, life, generation);
		turn(fd, life);
		rest(STALL_MS * 1000);
	}
	(void)close(listening);
	(void)close(fd);
}


static void awake(void *arg)
{
	(void)arg;
	atomic_store(&is_awake, true);
}


int main(void)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	const struct poi_link_config cfg = {
		.path = un.sun_path, .uid = geteuid(), .node = "race",
		.sip_size = 1u << 24, .rtp_size = RTP_SIZE, .wakeh = awake,
	};
	char folder[] = "/tmp/strowger-race-XXXXXX";
	pthread_t worker, media;
	struct poi_link *link;

	MUST(mkdtemp(folder));
	(void)snprintf(un.sun_path, sizeof(un.sun_path), "%s/poi", folder);
	MUST(!poi_link_alloc(&link, &cfg));
	MUST(!tap_attach(observer_hear, poi_link_observer(link)));
	MUST(!poi_link_start(link));
	MUST(!pthread_create(&worker, NULL, work, poi_link_observer(link)));
	MUST(!pthread_create(&media, NULL, stream, NULL));

	for (unsigned life = 1; life <= LIVES; life++)
		live(&un, life);

	atomic_store(&is_over, true);
	MUST(!pthread_join(worker, NULL));
	tap_detach(observer_hear, poi_link_observer(link));
	MUST(!pthread_join(media, NULL));
	poi_link_stop(link);
	poi_link_free(link);
	(void)unlink(un.sun_path);
	(void)rmdir(folder);

	(void)printf("%u sets, %u calls, %u ends, %u packets, %u lost\n",
		     in_force_n, call_n, end_n, rtp_n, lost_n);
	/* all of it did happen */
	MUST(rtp_n > 1000 && lost_n > 100);

	return 0;
}
