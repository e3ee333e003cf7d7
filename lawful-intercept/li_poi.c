/**
 * @file li_poi.c  Connections of switches.
 */
#include "li_poi.h"
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "poi_target.h"
#include "text.h"

#define SWITCHES_MAX 8
#define MESSAGES_A_RUN 512
#define BUFFER (4 * 1024 * 1024)

struct li_switch {
	struct le le;
	struct li_poi *poi; /**< weak: it owns us */
	int fd;
	uint32_t serial;
	char node[POI_NODE_SIZE]; /**< "": no hello yet                       */
	struct poi_key key;
	uint32_t told, has; /**< generations: being told, in force there      */
	uint16_t part;      /**< next one to be told                          */
	bool is_telling;
};

struct li_poi {
	int fd, epoll;
	char path[108];
	uint32_t uid, serial;
	const struct li_index *index; /**< borrowed */
	struct li_poi_handlers h;
	struct list switches;
	uint8_t buf[POI_MESSAGE_MAX]; /**< what is sent                       */
	uint8_t in[POI_MESSAGE_MAX];  /**< taken apart, while we send, too    */
	struct poi_message message;
};


static void poi_destructor(void *arg)
{
	struct li_poi *p = arg;

	list_flush(&p->switches);
	if (p->fd >= 0) {
		(void)close(p->fd);
		(void)unlink(p->path);
	}
}


static void switch_destructor(void *arg)
{
	struct li_switch *s = arg;

	list_unlink(&s->le);
	OPENSSL_cleanse(&s->key, sizeof(s->key));
	if (s->fd >= 0)
		(void)close(s->fd);
}


static int watch(int epoll, int op, int fd, uint32_t events, void *what)
{
	struct epoll_event ev = {.events = events, .data.ptr = what};

	return epoll_ctl(epoll, op, fd, &ev) ? errno : 0;
}


/* What a process left that is gone may be removed, not where one listens */
static bool is_taken(const struct sockaddr_un *un)
{
	const int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
			      SOCK_CLOEXEC, 0);
	bool taken;

	if (fd < 0)
		return false;
	taken = !connect(fd, (const struct sockaddr *)un, sizeof(*un)) ||
		errno == EAGAIN;
	(void)close(fd);

	return taken;
}


static int listen_at(struct li_poi *p)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	memcpy(un.sun_path, p->path, sizeof(un.sun_path));
	p->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC,
		       0);
	if (p->fd < 0)
		return errno;
	if (is_taken(&un)) {
		(void)close(p->fd); /* the path is another's: leave it there */
		p->fd = -1;
		return EADDRINUSE;
	}
	(void)unlink(p->path);
	/* who may connect is seen by their credentials, not by the mode */
	if (bind(p->fd, (struct sockaddr *)&un, sizeof(un)) ||
	    chmod(p->path, 0666) || listen(p->fd, SWITCHES_MAX))
		return errno;

	return 0;
}


int li_poi_open(struct li_poi **pp, const char *path, uint32_t uid, int epoll,
		const struct li_index *index,
		const struct li_poi_handlers *handlers)
{
	struct li_poi *p = mem_zalloc(sizeof(*p), poi_destructor);
	int err;

	if (!p)
		return ENOMEM;

	p->fd = -1;
	p->epoll = epoll;
	p->uid = uid;
	p->index = index;
	p->h = *handlers;
	err = text_copy(p->path, sizeof(p->path), path);
	err = err ? err : listen_at(p);
	err = err ? err : watch(epoll, EPOLL_CTL_ADD, p->fd, EPOLLIN, p);
	if (err)
		mem_deref(p);
	else
		*pp = p;

	return err;
}


bool li_poi_owns(const struct li_poi *p, const void *what)
{
	const struct le *le;

	if (what == p)
		return true;
	for (le = list_head(&p->switches); le; le = le->next) {
		if (le->data == what)
			return true;
	}

	return false;
}


static void drop(struct li_switch *s, const char *why)
{
	struct li_poi *p = s->poi;

	list_unlink(&s->le);
	if (s->node[0])
		p->h.gone(s, why, p->h.arg);
	mem_deref(s);
}


static int message_send(struct li_switch *s, const struct poi_message *m)
{
	struct li_poi *p = s->poi;
	size_t len;
	int err = poi_message_encode(p->buf, sizeof(p->buf), &len, m);

	if (err)
		return err;
	if (send(s->fd, p->buf, len, MSG_NOSIGNAL) != (ssize_t)len)
		err = errno;
	if (m->type == POI_KEY)
		OPENSSL_cleanse(p->buf, len);

	return err;
}


static int part_send(struct li_switch *s, uint16_t part, uint16_t parts)
{
	const struct li_index *x = s->poi->index;
	struct poi_message *m = &s->poi->message;
	const size_t first = (size_t)part * POI_TARGETS_PART;
	size_t i;

	m->type = POI_TARGETS;
	m->targets.generation = s->told;
	m->targets.part = part;
	m->targets.parts = parts;
	m->targets.n = 0;
	for (i = first; i < li_index_count(x) &&
			m->targets.n < POI_TARGETS_PART; i++) {
		const struct li_sought sought = li_index_get(x, i);
		struct poi_target *t = &m->targets.target[m->targets.n++];

		poi_digest(t->digest, &s->key, sought.identity);
		t->id = sought.id;
		t->want = sought.want;
	}

	return message_send(s, m);
}


/* As much as the socket takes; the rest when it can be written again */
static void tell(struct li_switch *s)
{
	const size_t n = li_index_count(s->poi->index);
	const uint16_t parts = n ? (uint16_t)((n + POI_TARGETS_PART - 1) /
					      POI_TARGETS_PART)
				 : 1;
	int err = 0;

	while (s->part < parts && !err) {
		err = part_send(s, s->part, parts);
		if (!err)
			s->part++;
	}
	s->is_telling = s->part < parts;
	if (err && err != EAGAIN && err != ENOBUFS) {
		(void)shutdown(s->fd, SHUT_RDWR); /* its end is read next */
		return;
	}
	(void)watch(s->poi->epoll, EPOLL_CTL_MOD, s->fd,
		    EPOLLIN | (s->is_telling ? EPOLLOUT : 0u), s);
}


static void tell_anew(struct li_switch *s)
{
	s->told = li_index_generation(s->poi->index);
	s->part = 0;
	tell(s);
}


void li_poi_tell(struct li_poi *p)
{
	struct le *le;

	for (le = list_head(&p->switches); le; le = le->next) {
		struct li_switch *s = le->data;

		if (s->node[0])
			tell_anew(s);
	}
}


static int hello(struct li_switch *s, const struct poi_hello *h)
{
	struct poi_message m = {.type = POI_KEY};
	int err;

	if (s->node[0])
		return EBADMSG;

	TEXT_FILL(s->node, h->node);
	if (RAND_bytes(m.key.key, sizeof(m.key.key)) != 1)
		return EIO;
	poi_key_init(&s->key, m.key.key);
	err = message_send(s, &m);
	OPENSSL_cleanse(&m.key, sizeof(m.key));
	if (err)
		return err;

	s->poi->h.came(s, s->poi->h.arg);
	tell_anew(s);

	return 0;
}


static int taken(struct li_switch *s, const struct poi_message *m)
{
	struct li_poi *p = s->poi;

	if (m->type == POI_HELLO)
		return hello(s, &m->hello);
	if (!s->node[0] || m->type == POI_KEY || m->type == POI_TARGETS)
		return EBADMSG;
	if (m->type == POI_IN_FORCE) {
		s->has = m->in_force.generation;
		if (li_poi_is_in_force(p))
			p->h.in_force(p->h.arg);
		return 0;
	}
	p->h.message(s, m, p->h.arg);

	return 0;
}


/* All messages of a packet. @param total  one more for each */
static int packet_take(struct li_switch *s, size_t n, size_t *total)
{
	struct li_poi *p = s->poi;
	size_t at = 0;
	int err = n > sizeof(p->in) ? EBADMSG : 0;

	while (at < n && !err) {
		const size_t len = poi_message_len(p->in + at, n - at);

		err = len ? poi_message_decode(&p->message, p->in + at, len)
			  : EBADMSG;
		err = err ? err : taken(s, &p->message);
		at += len;
		++*total;
	}

	return err;
}


static void switch_read(struct li_switch *s)
{
	struct li_poi *p = s->poi;
	size_t total = 0;

	while (total < MESSAGES_A_RUN) {
		const ssize_t n = recv(s->fd, p->in, sizeof(p->in),
				       MSG_DONTWAIT | MSG_TRUNC);
		int err;

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			drop(s, n ? "read error" : "it closed");
			return;
		}
		err = packet_take(s, (size_t)n, &total);
		if (err) {
			drop(s, err == EPROTONOSUPPORT ? "another version"
						       : "a wrong message");
			return;
		}
	}
}


static int switch_alloc(struct li_poi *p, int fd)
{
	struct li_switch *s = mem_zalloc(sizeof(*s), switch_destructor);
	const int size = BUFFER;
	int err;

	if (!s) {
		(void)close(fd);
		return ENOMEM;
	}
	s->fd = fd;
	s->poi = p;
	s->serial = ++p->serial;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	err = watch(p->epoll, EPOLL_CTL_ADD, fd, EPOLLIN, s);
	if (err)
		mem_deref(s);
	else
		list_append(&p->switches, &s->le, s);

	return err;
}


static void accept_one(struct li_poi *p)
{
	const int fd = accept4(p->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct ucred cred = {.uid = UINT32_MAX};
	socklen_t len = sizeof(cred);

	if (fd < 0)
		return;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ||
	    cred.uid != p->uid || list_count(&p->switches) >= SWITCHES_MAX) {
		p->h.refused(cred.uid, p->h.arg);
		(void)close(fd);
		return;
	}
	(void)switch_alloc(p, fd);
}


void li_poi_run(struct li_poi *p, void *what)
{
	struct li_switch *s = what;

	if (what == p) {
		accept_one(p);
		return;
	}
	if (s->is_telling)
		tell(s);
	switch_read(s);
}


size_t li_poi_count(const struct li_poi *p)
{
	const struct le *le;
	size_t n = 0;

	for (le = list_head(&p->switches); le; le = le->next) {
		const struct li_switch *s = le->data;

		n += s->node[0] != '\0';
	}

	return n;
}


bool li_poi_is_in_force(const struct li_poi *p)
{
	const struct le *le;
	size_t n = 0;

	for (le = list_head(&p->switches); le; le = le->next) {
		const struct li_switch *s = le->data;

		if (!s->node[0])
			continue;
		if (s->has != li_index_generation(p->index))
			return false;
		n++;
	}

	return n > 0;
}


const char *li_switch_node(const struct li_switch *s)
{
	return s->node;
}


uint32_t li_switch_serial(const struct li_switch *s)
{
	return s->serial;
}
