/**
 * @file tests/unit/base/log.c  Lines as the operator reads them, taken from a
 * pipe in place of stderr.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "log.h"

static char seen[1 << 17];
static int pipe_fd[2];


static void take_stderr(void)
{
	cr_assert_eq(pipe(pipe_fd), 0);
	(void)fcntl(pipe_fd[0], F_SETFL, O_NONBLOCK);
	cr_assert(dup2(pipe_fd[1], STDERR_FILENO) >= 0);
}


static const char *read_stderr(void)
{
	ssize_t n = read(pipe_fd[0], seen, sizeof(seen) - 1);

	seen[n > 0 ? n : 0] = '\0';

	return seen;
}


/* What follows "ts=2026-11-22T10:31:00.123Z " */
static const char *rest(const char *line)
{
	cr_assert_eq(strncmp(line, "ts=2", 4), 0);
	cr_assert_eq(line[27], ' ');

	return line + 28;
}


Test(log, one_event_is_one_line, .init = take_stderr)
{
	log_event(LOG_INFO, "call", "end", "call=%d leg=%s", 7, "B");
	cr_assert_str_eq(rest(read_stderr()),
			 "level=info comp=call event=end call=7 leg=B\n");

	log_event(LOG_ERROR, "main", "stop", "%s", "a\nb\tc\x7f");
	cr_assert_str_eq(rest(read_stderr()),
			 "level=error comp=main event=stop a?b?c?\n");

	log_event(LOG_WARN, "main", "quiet", NULL);
	cr_assert_str_eq(rest(read_stderr()),
			 "level=warn comp=main event=quiet\n");

	log_event(LOG_DEBUG, "main", "unheard", NULL);
	cr_assert_str_empty(read_stderr());
}


Test(log, a_long_line_is_cut, .init = take_stderr)
{
	char text[3000];
	size_t len;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	log_event(LOG_INFO, "call", "end", "%s", text);
	read_stderr();
	len = strlen(seen);
	cr_assert(len > 900 && len < 1100);
	cr_assert_str_eq(seen + len - 5, "x...\n");
	cr_assert_eq(strchr(seen, '\n'), seen + len - 1);
}


Test(log, the_writer_writes_all_before_it_ends, .init = take_stderr)
{
	unsigned i, lines = 0;
	const char *p;

	cr_assert_eq(log_open(LOG_INFO, false), 0);
	cr_assert_eq(log_open(LOG_INFO, false), EALREADY);

	for (i = 0; i < 50; i++)
		log_event(LOG_INFO, "t", "chat", "i=%u", i);
	log_event(LOG_DEBUG, "t", "unheard", NULL);
	log_close();
	log_close();

	for (p = read_stderr(); (p = strchr(p, '\n')); p++)
		++lines;
	cr_assert_eq(lines, 50);
	cr_assert_eq(log_lost(), 0);
}


/* The pipe is full, so the writer stands; callers do not. */
Test(log, what_does_not_fit_is_counted, .init = take_stderr)
{
	static char filler[1 << 16];
	unsigned i;

	(void)fcntl(pipe_fd[1], F_SETFL, O_NONBLOCK);
	while (write(pipe_fd[1], filler, sizeof(filler)) > 0)
		;
	(void)fcntl(pipe_fd[1], F_SETFL, 0);

	cr_assert_eq(log_open(LOG_INFO, false), 0);
	for (i = 0; i < 5000; i++)
		log_event(LOG_INFO, "t", "flood", "i=%u", i);
	cr_assert(log_lost() >= 5000 - 4096 - 1 && log_lost() <= 5000 - 4096);

	(void)fcntl(pipe_fd[0], F_SETFL, 0);
	(void)close(STDERR_FILENO);
}


static void number(const char *in, const char *want)
{
	char buf[40];

	cr_assert_str_eq(log_number(buf, in), want);
}


Test(log, numbers_are_masked)
{
	number("+493012345678", "+493012345***");
	number("123456", "123***");
	number("12345", "1****");
	number("110", "1**");
	number("", "");
	number(NULL, "");
	number("123456789012345678901234567890123456789012345",
	       "123456789012345678901234567890123456***");
}


Test(log, numbers_are_shown_when_asked, .init = take_stderr)
{
	cr_assert_eq(log_open(LOG_INFO, true), 0);
	number("+493012345678", "+493012345678");
	log_close();
}


Test(log, text_is_quoted_and_bounded)
{
	char buf[64];
	char tiny[8];

	cr_assert_str_eq(log_text(buf, sizeof(buf), "a \"b\" \\\r\n\xff", 10),
			 "\"a \\\"b\\\" \\\\\\x0d\\x0a\\xff\"");
	cr_assert_str_eq(log_text(tiny, sizeof(tiny), "abcdefgh", 8),
			 "\"abcde\"");
	cr_assert_str_eq(log_text(tiny, sizeof(tiny), "abc\n", 4), "\"abc\"");
	cr_assert_str_eq(log_text(tiny, sizeof(tiny), NULL, 4), "\"\"");
	cr_assert_str_eq(log_text(tiny, 2, "a", 1), "");
}
