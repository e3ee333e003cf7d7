/** @file webhook_post.c  A POST against a server of our own on loopback. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "webhook_post.h"

#define HEX_KEY_BYTE 0x5a

/** Answers one request; keeps what came. */
struct server {
	int fd;
	char url[64];
	const char *answer;
	char request[4096];
	pthread_t thread;
};


static void *serve(void *arg)
{
	struct server *s = arg;
	const int fd = accept(s->fd, NULL, NULL);
	char rest[256];
	size_t used = 0;
	ssize_t n;

	while (!strstr(s->request, "\r\n\r\n{") &&
	       (n = recv(fd, s->request + used,
			 sizeof(s->request) - 1 - used, 0)) > 0)
		used += (size_t)n;
	if (s->answer) {
		(void)send(fd, s->answer, strlen(s->answer), MSG_NOSIGNAL);
		(void)shutdown(fd, SHUT_WR);
	}
	/* until the other side has had enough */
	while (recv(fd, rest, sizeof(rest), 0) > 0)
		;
	(void)close(fd);

	return NULL;
}


static void server_open(struct server *s, const char *answer)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	socklen_t len = sizeof(in);

	memset(s, 0, sizeof(*s));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->answer = answer;
	s->fd = socket(AF_INET, SOCK_STREAM, 0);
	cr_assert_eq(bind(s->fd, (const void *)&in, sizeof(in)), 0);
	cr_assert_eq(listen(s->fd, 1), 0);
	cr_assert_eq(getsockname(s->fd, (void *)&in, &len), 0);
	(void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%u/x",
		       ntohs(in.sin_port));
	cr_assert_eq(pthread_create(&s->thread, NULL, serve, s), 0);
}


static void server_close(struct server *s)
{
	(void)pthread_join(s->thread, NULL);
	(void)close(s->fd);
}


static struct webhook_result ask(struct server *s, char *buf, size_t size,
				 long timeout_ms)
{
	const struct webhook_policy policy = {.allow_private = true};
	const struct webhook_message msg = {
		.url = s->url, .id = "m-1", .body = "{}",
		.timeout_ms = timeout_ms, .answer = buf, .answer_size = size,
	};
	struct webhook_post post = {.easy = NULL};
	struct webhook_result res;

	cr_assert_eq(webhook_post_begin(&post, &policy, &msg), 0);
	webhook_post_end(&post, curl_easy_perform(post.easy), &res);
	webhook_post_free(&post);
	server_close(s);

	return res;
}


Test(webhook_post, an_answer_is_kept)
{
	struct webhook_result res;
	struct server s;
	char buf[16];

	server_open(&s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
			"Connection: close\r\n\r\nhello");
	res = ask(&s, buf, sizeof(buf), 5000);
	cr_expect_eq(res.status, 200);
	cr_expect_eq(res.len, 5);
	cr_expect_arr_eq(buf, "hello", 5);
	cr_expect_str_empty(res.error);
	cr_expect(strstr(s.request, "POST /x HTTP/1.1\r\n"));
	cr_expect(strstr(s.request, "\r\nwebhook-id: m-1\r\n"));
	cr_expect_not(strstr(s.request, "webhook-signature"),
		      "nothing to sign with");
}


Test(webhook_post, an_answer_that_does_not_fit_is_none)
{
	struct webhook_result res;
	struct server s;
	char buf[4];

	server_open(&s, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n"
			"Connection: close\r\n\r\nhello");
	res = ask(&s, buf, sizeof(buf), 5000);
	cr_expect_neq(res.error[0], '\0');
}


Test(webhook_post, no_redirect_is_followed)
{
	struct webhook_result res;
	struct server s;
	char buf[64];

	server_open(&s, "HTTP/1.1 307 No\r\nLocation: http://127.0.0.1:1/\r\n"
			"Content-Length: 0\r\nConnection: close\r\n\r\n");
	res = ask(&s, buf, sizeof(buf), 5000);
	cr_expect_eq(res.status, 307);
	cr_expect_str_eq(res.error, "it answered 307");
}


Test(webhook_post, silence_ends_in_time)
{
	struct webhook_result res;
	struct server s;
	char buf[64];

	server_open(&s, NULL);
	res = ask(&s, buf, sizeof(buf), 200);
	cr_expect_eq(res.status, 0);
	cr_expect(res.ms >= 190 && res.ms < 5000, "%ld ms", res.ms);
	cr_expect_neq(res.error[0], '\0');
}


Test(webhook_post, private_addresses_are_not_connected_to)
{
	const struct webhook_policy policy = {.allow_private = false};
	const struct webhook_message msg = {
		.url = "http://127.0.0.1:9/", .id = "m-1", .body = "{}",
		.timeout_ms = 5000,
	};
	struct webhook_post post = {.easy = NULL};
	struct webhook_result res;

	cr_assert_eq(webhook_post_begin(&post, &policy, &msg), 0);
	webhook_post_end(&post, curl_easy_perform(post.easy), &res);
	webhook_post_free(&post);
	cr_expect_str_eq(res.error, "the URL leads to an address that is not "
				    "public");
}


Test(webhook_post, what_is_sealed_needs_its_key)
{
	struct webhook_policy policy = {.has_key = false};
	const struct webhook_message msg = {
		.url = "http://127.0.0.1:9/", .id = "m-1", .body = "{}",
		.timeout_ms = 5000, .secret_box = "\\x00",
	};
	struct webhook_post post = {.easy = NULL};

	cr_expect_eq(webhook_post_begin(&post, &policy, &msg), EBADMSG);
	policy.has_key = true;
	memset(policy.key, HEX_KEY_BYTE, sizeof(policy.key));
	cr_expect_eq(webhook_post_begin(&post, &policy, &msg), EBADMSG);
	webhook_post_free(&post);
}
