/**
 * @file proxy.c  One thread that carries bytes between pairs of sockets.
 */
#include <libpq-fe.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "proxy.h"

#define PAIRS 8

struct pair {
	int client, server; /* -1: free */
};

struct proxy {
	char dir[64], path[128], server[128], dsn[1024];
	int fd;
	struct pair pairs[PAIRS];
	_Atomic int mode;
	atomic_uint cuts;
	atomic_bool ends;
	pthread_t thread;
};


/* The server's socket, and the same connection string through ours. */
static int dsn_turn(struct proxy *p, const char *dsn)
{
	PQconninfoOption *all = PQconninfoParse(dsn, NULL), *o;
	const char *host = "/var/run/postgresql", *port = "5432";
	size_t at;

	if (!all)
		return -1;

	at = (size_t)snprintf(p->dsn, sizeof(p->dsn), "host=%s port=5432",
			      p->dir);
	for (o = all; o->keyword; o++) {
		if (!o->val)
			continue;
		if (!strcmp(o->keyword, "host"))
			host = o->val;
		else if (!strcmp(o->keyword, "port"))
			port = o->val;
		else
			at += (size_t)snprintf(p->dsn + at,
					       sizeof(p->dsn) - at, " %s='%s'",
					       o->keyword, o->val);
	}
	snprintf(p->server, sizeof(p->server), "%s/.s.PGSQL.%s", host, port);
	PQconninfoFree(all);

	return p->server[0] == '/' ? 0 : -1;
}


static int unix_socket(const char *path, int listens)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int err;

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (listens)
		err = bind(fd, (void *)&addr, sizeof(addr)) || listen(fd, 8);
	else
		err = connect(fd, (void *)&addr, sizeof(addr));
	if (err) {
		close(fd);
		return -1;
	}

	return fd;
}


static void pair_close(struct pair *pair)
{
	if (pair->client >= 0)
		close(pair->client);
	if (pair->server >= 0)
		close(pair->server);
	pair->client = pair->server = -1;
}


static void pair_accept(struct proxy *p)
{
	const int client = accept(p->fd, NULL, NULL);
	int i;

	for (i = 0; i < PAIRS; i++) {
		struct pair *pair = &p->pairs[i];

		if (pair->client >= 0)
			continue;
		pair->client = client;
		pair->server = atomic_load(&p->mode) == PROXY_AWAY
			? -1 : unix_socket(p->server, 0);
		if (pair->server < 0)
			pair_close(pair);
		return;
	}
	close(client);
}


/* @return false when the pair is to be closed */
static int bytes_carry(struct proxy *p, int from, int to)
{
	char buf[65536];
	const ssize_t n = recv(from, buf, sizeof(buf), 0);

	if (n <= 0 || send(to, buf, (size_t)n, MSG_NOSIGNAL) != n)
		return 0;

	if (atomic_load(&p->mode) == PROXY_CUT_ANSWER &&
	    (memmem(buf, (size_t)n, "COMMIT", 7) ||
	     memmem(buf, (size_t)n, "lease_take", 10))) {
		/* time for the server to do it */
		usleep(20000);
		atomic_store(&p->mode, PROXY_PASS);
		atomic_fetch_add(&p->cuts, 1);
		return 0;
	}

	return 1;
}


static void *run(void *arg)
{
	struct proxy *p = arg;
	struct pollfd fds[1 + 2 * PAIRS];
	int i;

	while (!atomic_load(&p->ends)) {
		const int mode = atomic_load(&p->mode);

		for (i = 0; i < PAIRS; i++) {
			struct pair *pair = &p->pairs[i];

			if (mode == PROXY_AWAY && pair->client >= 0) {
				atomic_fetch_add(&p->cuts, 1);
				pair_close(pair);
			}
			fds[1 + 2 * i].fd = pair->client;
			fds[2 + 2 * i].fd = pair->server;
		}
		fds[0].fd = p->fd;
		for (i = 0; i < 1 + 2 * PAIRS; i++)
			fds[i].events = POLLIN;
		if (mode == PROXY_STALL) {
			usleep(5000);
			continue;
		}
		if (poll(fds, 1 + 2 * PAIRS, 5) <= 0)
			continue;

		for (i = 0; i < PAIRS; i++) {
			struct pair *pair = &p->pairs[i];

			if ((fds[1 + 2 * i].fd >= 0 &&
			     fds[1 + 2 * i].revents &&
			     !bytes_carry(p, pair->client, pair->server)) ||
			    (fds[2 + 2 * i].fd >= 0 &&
			     fds[2 + 2 * i].revents && pair->server >= 0 &&
			     !bytes_carry(p, pair->server, pair->client)))
				pair_close(pair);
		}
		if (fds[0].revents)
			pair_accept(p);
	}

	return NULL;
}


struct proxy *proxy_start(const char *dsn)
{
	struct proxy *p = calloc(1, sizeof(*p));
	int i;

	snprintf(p->dir, sizeof(p->dir), "/tmp/proxy-XXXXXX");
	if (!mkdtemp(p->dir))
		abort();
	snprintf(p->path, sizeof(p->path), "%s/.s.PGSQL.5432", p->dir);
	for (i = 0; i < PAIRS; i++)
		p->pairs[i].client = p->pairs[i].server = -1;

	if (dsn_turn(p, dsn)) {
		(void)rmdir(p->dir);
		free(p);
		return NULL;
	}

	p->fd = unix_socket(p->path, 1);
	if (pthread_create(&p->thread, NULL, run, p))
		abort();
	return p;
}


const char *proxy_dsn(const struct proxy *p)
{
	return p->dsn;
}


void proxy_set(struct proxy *p, enum proxy_mode mode)
{
	atomic_store(&p->mode, mode);
}


unsigned proxy_cuts(const struct proxy *p)
{
	return atomic_load(&p->cuts);
}


void proxy_stop(struct proxy *p)
{
	int i;

	atomic_store(&p->ends, 1);
	pthread_join(p->thread, NULL);
	for (i = 0; i < PAIRS; i++)
		pair_close(&p->pairs[i]);
	close(p->fd);
	unlink(p->path);
	(void)rmdir(p->dir);
	free(p);
}
