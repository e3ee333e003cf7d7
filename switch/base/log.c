/**
 * @file log.c  Events are formatted by the caller into one fixed line and
 * written by the log thread.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "log.h"
#include "moment.h"
#include "ring.h"

#define LINE_SIZE 1024
#define LINE_N 4096

struct line {
	uint16_t len; /**< with the newline */
	char text[LINE_SIZE - sizeof(uint16_t)];
};

static _Atomic(struct ring *) lines; /* NULL: straight to stderr */
static pthread_t writer;
static atomic_int level_min = LOG_INFO;
static atomic_bool numbers_shown;
static _Atomic uint64_t lost;

static const char *const level_names[LOG_LEVEL_N] = {
	[LOG_DEBUG] = "debug",
	[LOG_INFO] = "info",
	[LOG_WARN] = "warn",
	[LOG_ERROR] = "error",
};


/** Whoever reads stderr may be slow; a dead reader must not stop us. */
static void write_line(const struct line *line)
{
	size_t done = 0;
	ssize_t n;

	while (done < line->len) {
		n = write(STDERR_FILENO, line->text + done, line->len - done);
		if (n > 0) {
			done += (size_t)n;
		}
		else if (n == 0 || errno != EINTR) {
			atomic_fetch_add(&lost, 1);
			return;
		}
	}
}


/** Write until the empty line with which log_close() ends us. */
static void *writer_run(void *arg)
{
	struct ring *ring = arg;
	struct pollfd pfd = {.fd = ring_fd(ring), .events = POLLIN};
	struct line line;

	(void)pthread_setname_np(pthread_self(), "log");
	for (;;) {
		ring_wake_clear(ring);
		while (ring_pop(ring, &line)) {
			if (!line.len)
				return NULL;
			write_line(&line);
		}

		if (ring_sleep(ring))
			(void)poll(&pfd, 1, -1);
	}
}


int log_open(enum log_level min, bool show_numbers)
{
	struct ring *ring;
	int err;

	if (min >= LOG_LEVEL_N)
		return EINVAL;
	if (atomic_load(&lines))
		return EALREADY;

	err = ring_alloc(&ring, LINE_N, sizeof(struct line));
	if (err)
		return err;

	err = pthread_create(&writer, NULL, writer_run, ring);
	if (err) {
		ring_free(ring);
		return err;
	}

	atomic_store(&level_min, (int)min);
	atomic_store(&numbers_shown, show_numbers);
	atomic_store(&lines, ring);

	return 0;
}


void log_close(void)
{
	struct ring *ring = atomic_exchange(&lines, NULL);
	const struct line empty = {0};

	if (!ring)
		return;

	/* a full ring has a writer that empties it */
	while (ring_push(ring, &empty))
		(void)sched_yield();

	(void)pthread_join(writer, NULL);
	ring_free(ring);
}


/** Free text came through log_text(); this is the net below it. */
static void flatten(char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
			text[i] = '?';
	}
}


static void line_format(struct line *line, enum log_level level,
			const char *comp, const char *event, const char *fmt,
			va_list ap)
{
	const size_t room = sizeof(line->text) - 1; /* for the newline */
	struct moment now;
	char ts[32];
	size_t len;
	int n;

	moment_read(&now);
	n = snprintf(line->text, room, "ts=%s level=%s comp=%s event=%s%s",
		     moment_format(ts, moment_wall_ms(&now)),
		     level_names[level], comp, event, fmt && *fmt ? " " : "");
	len = n < 0 ? 0 : (size_t)n;

	if (len < room && fmt && *fmt) {
		n = vsnprintf(line->text + len, room - len, fmt, ap);
		len += n < 0 ? 0 : (size_t)n;
	}

	if (len >= room) {
		len = room - 1;
		memcpy(line->text + len - 3, "...", 3);
	}

	flatten(line->text, len);
	line->text[len++] = '\n';
	line->len = (uint16_t)len;
}


void log_event(enum log_level level, const char *comp, const char *event,
	       const char *fmt, ...)
{
	struct ring *ring = atomic_load(&lines);
	struct line line;
	va_list ap;

	if ((int)level < atomic_load_explicit(&level_min,
					      memory_order_relaxed) ||
	    level >= LOG_LEVEL_N)
		return;

	va_start(ap, fmt);
	line_format(&line, level, comp, event, fmt, ap);
	va_end(ap);

	if (!ring)
		write_line(&line);
	else if (ring_push(ring, &line))
		atomic_fetch_add_explicit(&lost, 1, memory_order_relaxed);
}


const char *log_number(char *buf, const char *number)
{
	size_t len, i;

	if (!number)
		number = "";

	len = strlen(number);
	if (len > 39)
		len = 39;

	memcpy(buf, number, len);
	buf[len] = '\0';

	if (atomic_load_explicit(&numbers_shown, memory_order_relaxed))
		return buf;

	i = len < 6 ? 1 : len - 3;
	for (; i < len; i++)
		buf[i] = '*';

	return buf;
}


/** One escaped character. @return its length, 0 when it needs none */
static size_t escape(char out[5], unsigned char c)
{
	if (c == '"' || c == '\\') {
		out[0] = '\\';
		out[1] = (char)c;
		return 2;
	}

	if (c >= ' ' && c < 0x7f)
		return 0;

	return (size_t)snprintf(out, 5, "\\x%02x", c);
}


const char *log_text(char *buf, size_t size, const char *text, size_t len)
{
	size_t at = 0, i, n;
	char esc[5];

	if (!size)
		return buf;
	if (size < 3) {
		buf[0] = '\0';
		return buf;
	}

	buf[at++] = '"';
	for (i = 0; text && i < len; i++) {

		n = escape(esc, (unsigned char)text[i]);
		if (!n) {
			esc[0] = text[i];
			n = 1;
		}

		if (at + n + 2 > size) /* the quote and NUL still fit */
			break;

		memcpy(buf + at, esc, n);
		at += n;
	}
	buf[at++] = '"';
	buf[at] = '\0';

	return buf;
}


uint64_t log_lost(void)
{
	return atomic_load_explicit(&lost, memory_order_relaxed);
}
