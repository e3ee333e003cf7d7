/**
 * @file server.c  A control socket that gives one prepared answer.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "server.h"
#include "text.h"

static char dir[] = "/tmp/control.XXXXXX", path[64], request[4096];
static const char *prepared;
static pthread_t thread;
static int fd;


static void *serve(void *arg)
{
	int peer = accept(fd, NULL, NULL);
	size_t len = 0;
	ssize_t n;

	(void)arg;
	(void)close(fd); /* nobody else is served */
	while ((n = read(peer, request + len, sizeof(request) - 1 - len)) > 0) {
		len += (size_t)n;
		if (request[len - 1] == '\n')
			break;
	}
	request[len ? len - 1 : 0] = '\0';

	n = write(peer, prepared, strlen(prepared));
	(void)n;
	(void)close(peer);

	return NULL;
}


const char *server_start(const char *answer)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};

	prepared = answer;
	cr_assert(mkdtemp(dir));
	(void)text_format(path, sizeof(path), "%s/sock", dir);
	(void)text_copy(un.sun_path, sizeof(un.sun_path), path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	cr_assert_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	cr_assert_eq(pthread_create(&thread, NULL, serve, NULL), 0);

	return path;
}


const char *server_stop(void)
{
	(void)pthread_join(thread, NULL);
	(void)unlink(path);
	(void)rmdir(dir);

	return request;
}
