/**
 * @file webhook_post.h  One POST of a webhook by libcurl: signed, to a public
 * address only, no redirects, bounded in time and size.
 */
#ifndef WEBHOOK_POST_H
#define WEBHOOK_POST_H
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include "webhook_secret.h"

/** What the settings say about webhooks; lives as long as the process. */
struct webhook_config {
	bool has_key;          /**< else there are no endpoints            */
	bool allow_private;    /**< any address                            */
	uint8_t key[WEBHOOK_KEY_SIZE];
	int64_t retry_first_ms, retry_for_s, disable_after_s;
	int64_t keep_days;     /**< of events                              */
};

/** Borrowed until the POST is over. */
struct webhook_message {
	const char *url, *id, *body;
	const char *secret_box, *previous_box; /**< sealed; previous or NULL */
};

struct webhook_result {
	long status;           /**< 0: no answer                           */
	long ms;
	char error[160];       /**< "" when it was taken (2xx)             */
};

struct webhook_post {
	const struct webhook_config *cfg;
	CURL *easy;            /**< kept for the next                      */
	struct curl_slist *headers;
	size_t received;
	bool is_refused;       /**< the address is not public              */
	char why[CURL_ERROR_SIZE];
};

/** Make easy ready to be performed. @return 0, ENOMEM, or EBADMSG: the key
 *  does not open the secret */
int webhook_post_begin(struct webhook_post *p,
		       const struct webhook_config *cfg,
		       const struct webhook_message *msg);

/** After it was performed with this code. */
void webhook_post_end(struct webhook_post *p, CURLcode code,
		      struct webhook_result *ret);

void webhook_post_free(struct webhook_post *p);

#endif
