/**
 * @file control.c  Client of the switch's control socket.
 */
#include "json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"
#include "text.h"


static int path_connect(const char *path, int *ret_fd)
{
	const struct timeval timeout = {.tv_sec = CONTROL_TIMEOUT_S};
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd, err;

	if (text_copy(un.sun_path, sizeof(un.sun_path), path))
		return ENAMETOOLONG;

	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return errno;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout,
		       sizeof(timeout)) ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout,
		       sizeof(timeout)) ||
	    connect(fd, (struct sockaddr *)&un, sizeof(un))) {
		err = errno;
		(void)close(fd);
		return err;
	}

	*ret_fd = fd;

	return 0;
}


static pid_t peer_pid(int fd)
{
	struct ucred cred = {0};
	socklen_t len = sizeof(cred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len))
		return 0;

	return cred.pid;
}


static int line_send(int fd, const json_t *request)
{
	char *text = json_dumps(request, JSON_COMPACT);
	size_t len, sent = 0;
	ssize_t n;
	int err = 0;

	if (!text)
		return ENOMEM;

	len = strlen(text);
	text[len++] = '\n'; /* in the place of the NUL */

	while (sent < len && !err) {
		n = send(fd, text + sent, len - sent, MSG_NOSIGNAL);
		if (n < 0)
			err = errno == EAGAIN ? ETIMEDOUT : errno;
		else
			sent += (size_t)n;
	}

	free(text);

	return err;
}


/** Everything up to the first newline or the end. */
static int line_receive(int fd, struct mbuf *mb)
{
	char chunk[16384];
	ssize_t n;

	for (;;) {
		n = recv(fd, chunk, sizeof(chunk), 0);
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		if (n == 0)
			return 0;
		if (mb->end + (size_t)n > CONTROL_ANSWER_MAX)
			return EMSGSIZE;
		if (mbuf_write_mem(mb, (const uint8_t *)chunk, (size_t)n))
			return ENOMEM;
		if (chunk[n - 1] == '\n')
			return 0;
	}
}


static int answer_read(int fd, json_t **ret_answer)
{
	struct mbuf *mb = mbuf_alloc(16384);
	json_t *answer;
	int err;

	if (!mb)
		return ENOMEM;

	err = line_receive(fd, mb);
	if (err)
		goto out;

	answer = json_loadb((const char *)mb->buf, mb->end, 0, NULL);
	if (!json_is_boolean(json_object_get(answer, "ok"))) {
		json_decref(answer);
		err = EBADMSG;
		goto out;
	}

	*ret_answer = answer;

 out:
	mem_deref(mb);
	return err;
}


int control_ask(const char *path, const struct json_t *request,
		struct json_t **ret_answer, pid_t *ret_pid)
{
	int fd = -1, err;

	err = path_connect(path, &fd);
	if (err)
		return err;

	if (ret_pid)
		*ret_pid = peer_pid(fd);

	err = line_send(fd, request);
	if (!err)
		err = answer_read(fd, ret_answer);

	(void)close(fd);

	return err;
}
