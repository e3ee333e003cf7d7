/** @file control.c  See control.h. */
#include "json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "control.h"
#include "log.h"
#include "loop.h"
#include "metric.h"
#include "moment.h"
#include "text.h"

#define REQUEST_MAX 65536
#define ANSWER_WAIT_MS 3000
#define LINE_WAIT_MS 2000

struct control {
	int fd;
	char path[108];
	struct loop *loop;
};

static const char no_answer[] =
	"{\"ok\":false,\"code\":\"worker_busy\",\"detail\":\"the worker did "
	"not answer in 3 s; see strowger_worker_pass_seconds\"}";


static bool is_answered(const struct sockaddr_un *addr)
{
	const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const bool is_up = fd >= 0 && !connect(fd, (const void *)addr,
					       sizeof(*addr));

	if (fd >= 0)
		(void)close(fd);

	return is_up;
}


int control_open(struct control **cp, const char *path, struct loop *loop)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	struct control *c;
	int err;

	if (text_copy(addr.sun_path, sizeof(addr.sun_path), path))
		return ENAMETOOLONG;
	if (is_answered(&addr))
		return EADDRINUSE;
	if (unlink(path) && errno != ENOENT)
		return errno;

	c = calloc(1, sizeof(*c));
	if (!c)
		return ENOMEM;

	c->loop = loop;
	(void)text_copy(c->path, sizeof(c->path), path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->fd < 0 || bind(c->fd, (const void *)&addr, sizeof(addr)) ||
	    chmod(path, 0660) || listen(c->fd, 16)) {
		err = errno;
		control_close(c);
		return err;
	}

	*cp = c;

	return 0;
}


int control_fd(const struct control *c)
{
	return c->fd;
}


static uint64_t mono_ms(void)
{
	struct moment now;

	moment_read(&now);

	return moment_ms(&now);
}


/* One line without its newline. Who sends it byte by byte must not keep the
   others, and signals, waiting. @return its length, or -1 */
static ssize_t read_line(int fd, char *buf, size_t size)
{
	const uint64_t end_ms = mono_ms() + LINE_WAIT_MS;
	size_t used = 0;

	while (used < size) {
		const ssize_t n = recv(fd, buf + used, size - used, 0);
		char *end;

		if (n <= 0 || mono_ms() > end_ms)
			return -1;
		used += (size_t)n;
		end = memchr(buf, '\n', used);
		if (end)
			return end - buf;
	}

	return -1;
}


static void write_line(int fd, const char *text)
{
	size_t left = strlen(text);

	while (left) {
		const ssize_t n = send(fd, text, left, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		text += n;
		left -= (size_t)n;
	}
	(void)send(fd, "\n", 1, MSG_NOSIGNAL);
}


/* Metrics are read here: they need no worker. */
static char *metrics_answer(void)
{
	char *text = metric_print(NULL), *answer;
	json_t *o = json_pack("{s:b,s:s}", "ok", 1, "text", text ? text : "");

	answer = json_dumps(o, JSON_COMPACT);
	json_decref(o);
	free(text);

	return answer;
}


static char *answer_to(const struct control *c, const char *line, size_t len)
{
	json_t *req = json_loadb(line, len, 0, NULL);
	const char *op = json_string_value(json_object_get(req, "op"));
	const bool is_metrics = op && !strcmp(op, "metrics");

	json_decref(req);

	return is_metrics ? metrics_answer()
			  : loop_ask(c->loop, line, len, ANSWER_WAIT_MS);
}


void control_serve(struct control *c)
{
	static char line[REQUEST_MAX];
	const struct timeval patience = {.tv_sec = 1};
	const int fd = accept4(c->fd, NULL, NULL, SOCK_CLOEXEC);
	char *answer = NULL;
	ssize_t len;

	if (fd < 0)
		return;

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
			 sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience,
			 sizeof(patience));

	len = read_line(fd, line, sizeof(line));
	if (len >= 0) {
		answer = answer_to(c, line, (size_t)len);
		write_line(fd, answer ? answer : no_answer);
	}

	free(answer);
	(void)close(fd);
}


void control_close(struct control *c)
{
	if (!c)
		return;

	if (c->fd >= 0) {
		(void)close(c->fd);
		(void)unlink(c->path);
	}
	free(c);
}
