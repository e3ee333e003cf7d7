/**
 * @file webhook_post.c  One POST.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <re.h>
#include <string.h>
#include "moment.h"
#include "text.h"
#include "webhook_post.h"
#include "webhook_target.h"

#define CONNECT_MS 5000
#define UNREAD_MAX 65536 /* of an answer that nobody reads */

static const char *const same_headers[] = {
	"Content-Type: application/json",
	("User-Agent: Strowger/" STROWGER_VERSION),
	"Expect:", /* no 100-continue */
};


/* What the name was resolved to is looked at here, and nothing else is
   connected to: a name that changes between check and use changes nothing */
static curl_socket_t open_handler(void *arg, curlsocktype purpose,
				  struct curl_sockaddr *addr)
{
	struct webhook_post *p = arg;

	(void)purpose;
	if (!p->policy->allow_private &&
	    !webhook_address_is_public(&addr->addr)) {
		p->is_refused = true;
		return CURL_SOCKET_BAD;
	}

	return socket(addr->family, addr->socktype | SOCK_CLOEXEC,
		      addr->protocol);
}


static size_t answer_handler(char *data, size_t size, size_t n, void *arg)
{
	struct webhook_post *p = arg;
	const size_t len = size * n;

	if (len > p->answer_max - p->received)
		return 0;
	if (p->answer)
		memcpy(p->answer + p->received, data, len);
	p->received += len;

	return len;
}


static int header_add(struct webhook_post *p, const char *text)
{
	struct curl_slist *list = curl_slist_append(p->headers, text);

	if (!list)
		return ENOMEM;
	p->headers = list;

	return 0;
}


/* Appends " v1,..." of one sealed secret */
static int signature_add(const struct webhook_policy *policy,
			 const struct webhook_message *msg, const char *box,
			 const char *timestamp, char *buf, size_t size)
{
	char secret[WEBHOOK_SECRET_SIZE], text[WEBHOOK_SIGNATURE_SIZE];
	int err = policy->has_key
			  ? webhook_secret_open(policy->key, box, secret)
			  : EBADMSG;

	if (!err)
		err = webhook_sign(secret, msg->id, timestamp, msg->body,
				   text);
	if (!err)
		err = text_format(buf + strlen(buf), size - strlen(buf),
				  " %s", text);
	OPENSSL_cleanse(secret, sizeof(secret));

	return err;
}


/* During the overlap of a rotation the receiver finds both */
static int header_sign(struct webhook_post *p,
		       const struct webhook_message *msg,
		       const char *timestamp)
{
	char line[200] = "webhook-signature:";
	int err = signature_add(p->policy, msg, msg->secret_box, timestamp,
				line, sizeof(line));

	if (!err && msg->previous_box)
		err = signature_add(p->policy, msg, msg->previous_box,
				    timestamp, line, sizeof(line));

	return err ? err : header_add(p, line);
}


static int headers_make(struct webhook_post *p,
			const struct webhook_message *msg)
{
	char timestamp[24], line[200];
	struct moment now;
	int err = 0;

	moment_read(&now);
	(void)text_format(timestamp, sizeof(timestamp), "%lld",
			  (long long)(now.wall_us / 1000000));
	if (msg->secret_box)
		err = header_sign(p, msg, timestamp);
	if (!err && !text_format(line, sizeof(line), "webhook-id: %s",
				 msg->id))
		err = header_add(p, line);
	if (!err && !text_format(line, sizeof(line), "webhook-timestamp: %s",
				 timestamp))
		err = header_add(p, line);
	for (size_t i = 0; i < ARRAY_SIZE(same_headers) && !err; i++)
		err = header_add(p, same_headers[i]);

	return err;
}


/* @return false: out of memory */
static bool options_set(struct webhook_post *p,
			const struct webhook_message *msg)
{
	CURL *c = p->easy;
	CURLcode bad = CURLE_OK;

	bad |= curl_easy_setopt(c, CURLOPT_URL, msg->url);
	bad |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	/* certificate and name are checked, as is libcurl's default */
	bad |= curl_easy_setopt(c, CURLOPT_SSLVERSION,
				(long)CURL_SSLVERSION_TLSv1_2);
	if (p->policy->ca_file)
		bad |= curl_easy_setopt(c, CURLOPT_CAINFO,
					p->policy->ca_file);
	bad |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(c, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	/* a name server that is slow must not hold whoever ends this one */
	bad |= curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
	bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, msg->timeout_ms);
	bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
				(long)CONNECT_MS);
	bad |= curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_handler);
	bad |= curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, p);
	bad |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, answer_handler);
	bad |= curl_easy_setopt(c, CURLOPT_WRITEDATA, p);
	bad |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, p->why);
	bad |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, p->headers);
	bad |= curl_easy_setopt(c, CURLOPT_COPYPOSTFIELDS, msg->body);
	bad |= curl_easy_setopt(c, CURLOPT_PRIVATE, p);

	return bad == CURLE_OK;
}


int webhook_post_begin(struct webhook_post *p,
		       const struct webhook_policy *policy,
		       const struct webhook_message *msg)
{
	int err;

	p->policy = policy;
	p->answer = msg->answer;
	p->answer_max = msg->answer ? msg->answer_size : UNREAD_MAX;
	p->received = 0;
	p->is_refused = false;
	p->why[0] = '\0';
	if (p->easy)
		curl_easy_reset(p->easy);
	else
		p->easy = curl_easy_init();
	if (!p->easy)
		return ENOMEM;

	err = headers_make(p, msg);
	if (!err && !options_set(p, msg))
		err = ENOMEM;
	if (err) {
		curl_slist_free_all(p->headers);
		p->headers = NULL;
	}

	return err;
}


void webhook_post_end(struct webhook_post *p, CURLcode code,
		      struct webhook_result *ret)
{
	curl_off_t us = 0;

	ret->status = 0;
	ret->len = p->received;
	ret->error[0] = '\0';
	(void)curl_easy_getinfo(p->easy, CURLINFO_RESPONSE_CODE,
				&ret->status);
	(void)curl_easy_getinfo(p->easy, CURLINFO_TOTAL_TIME_T, &us);
	ret->ms = (long)(us / 1000);

	/* another address of the name may have been allowed, and answered */
	if (p->is_refused && !ret->status)
		(void)text_copy(ret->error, sizeof(ret->error),
				"the URL leads to an address that is not "
				"public");
	else if (ret->status && (ret->status < 200 || ret->status > 299))
		(void)text_format(ret->error, sizeof(ret->error),
				  "it answered %ld", ret->status);
	else if (!ret->status || (p->answer && code != CURLE_OK))
		TEXT_FILL(ret->error, p->why[0] ? p->why
						: curl_easy_strerror(code));

	curl_slist_free_all(p->headers);
	p->headers = NULL;
}


void webhook_post_free(struct webhook_post *p)
{
	curl_slist_free_all(p->headers);
	p->headers = NULL;
	if (p->easy)
		curl_easy_cleanup(p->easy);
	p->easy = NULL;
}
