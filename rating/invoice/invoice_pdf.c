/**
 * @file invoice_pdf.c  weasyprint as a process of its own: the page goes in by
 * a pipe, the PDF comes out by another.
 */
#include "invoice.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Nothing comes until all is laid out: a thousand lines are 200 KiB, and 10 s of
   a core that others may need, too */
#define WAIT_MS(len) (60000 + (int)((len) < PAGE_MAX ? (len) : PAGE_MAX) / 2)
#define PAGE_MAX (1u << 18)
#define PDF_MAX (64u << 20)

extern char **environ;

struct printer {
	pid_t pid;
	int in, out;
	const char *html;
	size_t len, sent;
};


/* A socket and not a pipe for what goes in: send() can leave SIGPIPE out. */
static int start(struct printer *p)
{
	static char *const argv[] = {"weasyprint", "--quiet", "-e", "utf8",
				     "-", "-", NULL};
	posix_spawn_file_actions_t actions;
	int in[2], out[2], err;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in))
		return errno;
	if (pipe2(out, O_CLOEXEC)) {
		err = errno;
		(void)close(in[0]);
		(void)close(in[1]);
		return err;
	}
	err = posix_spawn_file_actions_init(&actions);
	if (!err) {
		(void)posix_spawn_file_actions_adddup2(&actions, in[1], 0);
		(void)posix_spawn_file_actions_adddup2(&actions, out[1], 1);
		(void)posix_spawn_file_actions_addopen(&actions, 2,
			"/dev/null", O_WRONLY, 0);
		err = posix_spawnp(&p->pid, argv[0], &actions, NULL, argv,
				   environ);
		(void)posix_spawn_file_actions_destroy(&actions);
	}
	(void)close(in[1]);
	(void)close(out[1]);
	p->in = in[0];
	p->out = out[0];

	return err;
}


static int send_some(struct printer *p)
{
	const ssize_t n = send(p->in, p->html + p->sent, p->len - p->sent,
			       MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : EIO;
	p->sent += (size_t)n;
	if (p->sent == p->len)
		(void)shutdown(p->in, SHUT_WR);

	return 0;
}


/* *is_end: all of the PDF is there */
static int receive_some(struct printer *p, struct mbuf *pdf, bool *is_end)
{
	uint8_t buf[65536];
	const ssize_t n = read(p->out, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR ? 0 : EIO;
	*is_end = !n;
	if (pdf->end + (size_t)n > PDF_MAX)
		return EFBIG;

	return mbuf_write_mem(pdf, buf, (size_t)n);
}


static int print(struct printer *p, struct mbuf *pdf)
{
	bool is_end = false;
	int err = 0;

	while (!err && !is_end) {
		struct pollfd fds[2] = {
			{.fd = p->out, .events = POLLIN},
			{.fd = p->sent < p->len ? p->in : -1,
			 .events = POLLOUT},
		};
		const int n = poll(fds, 2, WAIT_MS(p->len));

		if (n < 0)
			err = errno == EINTR ? 0 : errno;
		else if (!n)
			err = ETIMEDOUT;
		else if (fds[0].revents)
			err = receive_some(p, pdf, &is_end);
		else
			err = send_some(p);
	}

	return err;
}


int invoice_pdf(struct mbuf *pdf, const char *html, size_t len)
{
	struct printer p = {.in = -1, .out = -1, .html = html, .len = len};
	int status = 0, err = start(&p);

	if (!err) {
		err = print(&p, pdf);
		if (err)
			(void)kill(p.pid, SIGKILL);
		while (waitpid(p.pid, &status, 0) < 0 && errno == EINTR)
			;
		if (!err && (!WIFEXITED(status) || WEXITSTATUS(status) ||
			     pdf->end < 5 || memcmp(pdf->buf, "%PDF-", 5)))
			err = EIO;
	}
	if (p.in >= 0)
		(void)close(p.in);
	if (p.out >= 0)
		(void)close(p.out);

	return err;
}
