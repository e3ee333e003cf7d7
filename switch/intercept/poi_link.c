/**
 * @file poi_link.c  One round: read, then tell what is queued, as far as the
 * socket takes it, in as few packets as there can be. What is copied of a call
 * waits until its POI_CALL was told, its POI_END until all of that was.
 *
 * When the connection ends nobody is sought any more, and what is queued is
 * dropped, before the next one is tried: it begins with nothing.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "guarded.h"
#include "moment.h"
#include "poi_link_private.h"
#include "text.h"

#define RETRY_MIN_MS 100
#define RETRY_MAX_MS 2000
#define FLUSH_MS 1000
#define IDLE_MS 1000
#define BLOCKED_MS 50
#define GENTLE 5            /* nice */
#define REST_NS 5000000     /* packets gather: waking costs more than many */
#define ROUND_MAX 4096      /* records of a queue, then it is read again */
#define SEND_BUFFER (4 << 20)

_Static_assert(POI_NODE_SIZE >= 32, "a node's name fits");


static uint64_t now_ms(void)
{
	struct moment now;

	moment_read(&now);

	return moment_ms(&now);
}


static void queued(void *arg)
{
	struct poi_link *l = arg;
	const uint64_t one = 1;

	/* the load first: an exchange by every record would cost more */
	if (atomic_load(&l->is_asleep) &&
	    atomic_exchange(&l->is_asleep, false) &&
	    write(l->bell, &one, sizeof(one)) < 0)
		return; /* it is readable then */
}


void poi_link_publish(struct poi_link *l, const struct target_set *set)
{
	l->is_publishing = true;
	observer_publish(l->observer, set);
	l->cfg.wakeh(l->cfg.arg);
}


void poi_link_close(struct poi_link *l)
{
	if (l->fd < 0)
		return;

	(void)close(l->fd);
	l->fd = -1;
	l->retry_ms = now_ms() + l->wait_ms;
	l->wait_ms = MIN(2 * l->wait_ms, RETRY_MAX_MS);
	l->is_dirty = true;
	l->has_key = l->owes_in_force = false;
	OPENSSL_cleanse(&l->key, sizeof(l->key));
	l->is_blocked = l->is_lost_told[0] = l->is_lost_told[1] = false;
	OPENSSL_cleanse(l->out, l->out_n);
	l->out_n = 0;
	l->generation = 0;
	l->parts = 0;
}


bool poi_link_push(struct poi_link *l)
{
	if (l->fd < 0)
		return false;
	if (!l->out_n)
		return true;
	if (send(l->fd, l->out, l->out_n, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		l->out_n = 0;
		return true;
	}

	if (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)
		l->is_blocked = true;
	else
		poi_link_close(l);

	return false;
}


bool poi_link_tell(struct poi_link *l, const struct poi_message *m)
{
	size_t len;
	int err;

	if (l->fd < 0)
		return false;

	err = poi_message_encode(l->out + l->out_n,
				 sizeof(l->out) - l->out_n, &len, m);
	if (err == EOVERFLOW) {
		if (!poi_link_push(l))
			return false;
		err = poi_message_encode(l->out, sizeof(l->out), &len, m);
	}
	if (err) {
		poi_link_close(l); /* we have made what cannot be */
		return false;
	}
	l->out_n += len;

	return true;
}


/* --- one record; true: it is done with */

static bool send_lost(struct poi_link *l, const struct copy *c,
		      struct session *one)
{
	bool *is_told = &l->is_lost_told[c->kind == COPY_RTP];
	struct poi_message *m = &l->message;
	struct poi_lost *lost = &m->lost;

	if (!c->lost_from_ns || *is_told)
		return true;

	m->type = POI_LOST;
	memcpy(lost->call, one->told, sizeof(lost->call));
	lost->from_ns = c->lost_from_ns;
	lost->to_ns = c->lost_to_ns;
	lost->sip = c->lost[SESSION_SIP];
	lost->rtp[0] = c->lost[SESSION_RTP_A];
	lost->rtp[1] = c->lost[SESSION_RTP_B];
	*is_told = poi_link_tell(l, m);
	for (int i = 0; *is_told && i < SESSION_SOURCES; i++)
		one->sent[i] += c->lost[i];

	return *is_told;
}


static bool send_call(struct poi_link *l, const struct copy *c,
		      struct session *one)
{
	struct poi_message *m = &l->message;

	m->type = POI_CALL;
	memcpy(m->call.call, one->told, sizeof(m->call.call));
	m->call.wall_ns = c->wall_ns;
	m->call.session = one->is_register ? POI_SESSION_REGISTER
					   : POI_SESSION_CALL;
	m->call.in_progress = c->is_in_progress;
	m->call.n = (uint8_t)(c->len / sizeof(m->call.match[0]));
	memcpy(m->call.match, copy_bytes(c), c->len);
	if (!poi_link_tell(l, m))
		return false;

	one->told_serial = c->serial;

	return true;
}


static bool send_sip(struct poi_link *l, const struct copy *c,
		     struct session *one)
{
	struct poi_message *m = &l->message;

	m->type = POI_SIP;
	memcpy(m->sip.call, one->told, sizeof(m->sip.call));
	m->sip.wall_ns = c->wall_ns;
	m->sip.leg = c->leg;
	m->sip.direction = c->direction;
	m->sip.attempt = c->attempt;
	m->sip.protocol = c->protocol;
	m->sip.source = c->source;
	m->sip.destination = c->destination;
	m->sip.bytes = copy_bytes(c);
	m->sip.len = c->len;
	if (!poi_link_tell(l, m))
		return false;

	one->sent[SESSION_SIP]++;

	return true;
}


static bool send_rtp(struct poi_link *l, const struct copy *c,
		     struct session *one)
{
	struct poi_message *m = &l->message;

	m->type = POI_RTP;
	memcpy(m->rtp.call, one->told, sizeof(m->rtp.call));
	m->rtp.wall_ns = c->wall_ns;
	m->rtp.leg = c->leg;
	m->rtp.stream = c->stream;
	m->rtp.source = c->source;
	m->rtp.destination = c->destination;
	m->rtp.bytes = copy_bytes(c);
	m->rtp.len = c->len;
	if (!poi_link_tell(l, m))
		return false;

	one->sent[c->leg == POI_LEG_A ? SESSION_RTP_A : SESSION_RTP_B]++;

	return true;
}


static bool send_end(struct poi_link *l, const struct copy *c,
		     struct session *one)
{
	struct poi_message *m = &l->message;

	m->type = POI_END;
	memcpy(m->end.call, one->told, sizeof(m->end.call));
	m->end.wall_ns = c->wall_ns;
	m->end.sip = one->sent[SESSION_SIP];
	m->end.rtp[0] = one->sent[SESSION_RTP_A];
	m->end.rtp[1] = one->sent[SESSION_RTP_B];

	return poi_link_tell(l, m);
}


static bool record_send(struct poi_link *l, const struct copy *c,
			struct session *one)
{
	const bool is_told = one->told_serial == c->serial;

	if (c->kind == COPY_CALL)
		return send_call(l, c, one);
	if (!is_told)
		return true; /* of an earlier connection */
	if (!send_lost(l, c, one))
		return false;
	if (c->kind == COPY_SIP)
		return send_sip(l, c, one);
	if (c->kind == COPY_RTP)
		return send_rtp(l, c, one);

	return send_end(l, c, one);
}


static bool record_done(struct poi_link *l, const struct copy *c)
{
	struct session *one = sessions_at(observer_sessions(l->observer),
					  c->session);

	if (l->fd >= 0 && !record_send(l, c, one) && l->fd >= 0)
		return false;

	l->is_lost_told[c->kind == COPY_RTP] = false;
	if (c->kind == COPY_END)
		sessions_release(observer_sessions(l->observer), one);

	return true;
}


/* @return how many; all up to the mark, unless the socket is full */
static unsigned packets_send(struct poi_link *l, uint64_t mark)
{
	struct copy_queue *q = observer_rtp(l->observer);
	const struct copy *c;
	unsigned n = 0;

	while ((c = copy_queue_front(q, mark)) && record_done(l, c)) {
		copy_queue_pop(q);
		n++;
	}

	return n;
}


/*
 * The mark of the packets is read first: what had been copied by then belongs
 * to calls that stand in the other queue by now.
 */
static unsigned queues_send(struct poi_link *l)
{
	struct copy_queue *q = observer_sip(l->observer);
	const uint64_t packets = copy_queue_mark(observer_rtp(l->observer));
	const uint64_t mark = copy_queue_mark(q);
	const struct copy *c;
	unsigned n = 0;

	while (n < ROUND_MAX && (c = copy_queue_front(q, mark))) {
		if (c->kind == COPY_END)
			n += packets_send(l, c->rtp_mark);
		if (l->is_blocked || !record_done(l, c))
			return n;
		copy_queue_pop(q);
		n++;
	}
	if (copy_queue_front(q, mark))
		return n;

	return n + packets_send(l, packets);
}


/* --- the connection */

static void hello(struct poi_link *l)
{
	struct poi_message *m = &l->message;

	m->type = POI_HELLO;
	memset(&m->hello, 0, sizeof(m->hello));
	TEXT_FILL(m->hello.node, l->node);
	memcpy(m->hello.boot, l->boot, sizeof(m->hello.boot));
	(void)poi_link_tell(l, m);
}


static bool is_whom_we_mean(const struct poi_link *l)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return !getsockopt(l->fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) &&
	       peer.uid == l->cfg.uid;
}


static void link_open(struct poi_link *l)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const int size = SEND_BUFFER;

	l->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0);
	if (l->fd < 0) {
		l->retry_ms = now_ms() + RETRY_MAX_MS;
		return;
	}

	/* the kernel gives as much as it allows */
	(void)setsockopt(l->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	TEXT_FILL(to.sun_path, l->path);
	if (connect(l->fd, (struct sockaddr *)&to, sizeof(to)) ||
	    !is_whom_we_mean(l)) {
		poi_link_close(l);
		return;
	}

	l->wait_ms = RETRY_MIN_MS;
	hello(l);
	(void)poi_link_push(l);
}


static void published(struct poi_link *l)
{
	struct poi_message *m = &l->message;

	if (l->is_publishing && observer_is_in_force(l->observer))
		l->is_publishing = false;
	if (l->is_publishing || !l->owes_in_force)
		return;

	m->type = POI_IN_FORCE;
	m->in_force.generation = l->generation;
	m->in_force.n = l->target_n;
	if (poi_link_tell(l, m))
		l->owes_in_force = false;
}


static bool is_empty(struct poi_link *l)
{
	struct copy_queue *sip = observer_sip(l->observer);
	struct copy_queue *rtp = observer_rtp(l->observer);

	return !copy_queue_front(sip, copy_queue_mark(sip)) &&
	       !copy_queue_front(rtp, copy_queue_mark(rtp));
}


/* Nobody is sought, nothing is left: then it may be tried again */
static unsigned round_closed(struct poi_link *l)
{
	unsigned n;

	(void)observer_is_broken(l->observer);
	if (l->is_dirty && !l->is_publishing) {
		l->is_dirty = false;
		poi_link_publish(l, NULL);
	}

	n = queues_send(l);
	if (!l->is_dirty && !l->is_publishing && is_empty(l) &&
	    now_ms() >= l->retry_ms)
		link_open(l);

	return n;
}


/* @return records that were done with */
static unsigned round_run(struct poi_link *l)
{
	unsigned n;

	l->is_blocked = false;
	published(l);
	if (l->fd < 0)
		return round_closed(l);

	if (observer_is_broken(l->observer)) {
		poi_link_close(l);
		return 1;
	}

	poi_link_read(l);
	n = queues_send(l);
	(void)poi_link_push(l);

	return n;
}


static int wait_ms(const struct poi_link *l)
{
	const uint64_t now = now_ms();

	if (l->is_blocked)
		return BLOCKED_MS;
	if (l->fd >= 0 || l->is_publishing)
		return IDLE_MS;

	return l->retry_ms > now ? (int)(l->retry_ms - now) : 1;
}


/* While it is blocked nobody shall ring: there is room or there is not. */
static void rest(struct poi_link *l)
{
	struct pollfd fds[2] = {
		{.fd = l->bell, .events = POLLIN},
		{.fd = l->is_publishing ? -1 : l->fd,
		 .events = l->is_blocked ? POLLIN | POLLOUT : POLLIN},
	};
	uint64_t rings;

	atomic_store(&l->is_asleep, !l->is_blocked);
	if (l->is_blocked ||
	    (is_empty(l) && !atomic_load(&l->is_stopping) &&
	     !(l->is_publishing && observer_is_in_force(l->observer))))
		(void)poll(fds, 2, wait_ms(l));
	atomic_store(&l->is_asleep, false);
	if (read(l->bell, &rings, sizeof(rings)) < 0)
		return; /* nobody rang */
}


static void flush(struct poi_link *l)
{
	const uint64_t until = now_ms() + FLUSH_MS;

	while (l->fd >= 0 && (!is_empty(l) || l->out_n) && now_ms() < until)
		if (!round_run(l))
			rest(l);
}


/* Copies can wait, so it never takes the processor from who is at work, and
 * gets less of it: setpriority() is of this thread alone here. It does its
 * work all the same where that is not allowed. */
static void give_way(void)
{
	const struct sched_param param = {.sched_priority = 0};

	(void)sched_setscheduler(0, SCHED_BATCH, &param);
	(void)setpriority(PRIO_PROCESS, 0, GENTLE);
}


static void *link_thread(void *arg)
{
	const struct timespec gather = {.tv_nsec = REST_NS};
	struct poi_link *l = arg;

	(void)pthread_setname_np(pthread_self(), "poi");
	give_way();
	while (!atomic_load(&l->is_stopping)) {
		if (round_run(l))
			(void)nanosleep(&gather, NULL);
		else
			rest(l);
	}
	flush(l);
	poi_link_close(l);

	return NULL;
}


/* As the protocol has it: something, without blanks */
static void node_set(struct poi_link *l)
{
	TEXT_FILL(l->node, l->cfg.node[0] ? l->cfg.node : "_");
	for (char *p = l->node; *p; p++)
		if (*p <= ' ' || *p > '~')
			*p = '_';
}


static int parts_alloc(struct poi_link *l)
{
	const struct observer_config cfg = {
		.sip_size = l->cfg.sip_size,
		.rtp_size = l->cfg.rtp_size,
		.ringh = queued,
		.arg = l,
	};
	int err;

	l->bell = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (l->bell < 0)
		return errno;
	if (getrandom(l->boot, sizeof(l->boot), 0) != sizeof(l->boot))
		return EIO;

	err = observer_alloc(&l->observer, &cfg);
	for (size_t i = 0; i < ARRAY_SIZE(l->sets) && !err; i++)
		err = target_set_alloc(&l->sets[i]);

	return err;
}


int poi_link_alloc(struct poi_link **lp, const struct poi_link_config *cfg)
{
	struct poi_link *l = guarded_alloc(sizeof(*l), true);
	int err;

	if (!l)
		return errno;

	l->cfg = *cfg;
	l->fd = l->bell = -1;
	l->wait_ms = RETRY_MIN_MS;
	err = text_copy(l->path, sizeof(l->path), cfg->path);
	node_set(l);
	if (!err)
		err = parts_alloc(l);

	if (err)
		poi_link_free(l);
	else
		*lp = l;

	return err;
}


int poi_link_start(struct poi_link *l)
{
	const int err = pthread_create(&l->thread, NULL, link_thread, l);

	l->is_started = !err;

	return err;
}


struct observer *poi_link_observer(struct poi_link *l)
{
	return l->observer;
}


void poi_link_stop(struct poi_link *l)
{
	if (!l || !l->is_started)
		return;

	atomic_store(&l->is_stopping, true);
	queued(l);
	(void)pthread_join(l->thread, NULL);
	l->is_started = false;
}


void poi_link_free(struct poi_link *l)
{
	if (!l)
		return;

	poi_link_stop(l);
	observer_free(l->observer);
	for (size_t i = 0; i < ARRAY_SIZE(l->sets); i++)
		target_set_free(l->sets[i]);
	if (l->bell >= 0)
		(void)close(l->bell);
	guarded_free(l, sizeof(*l));
}
