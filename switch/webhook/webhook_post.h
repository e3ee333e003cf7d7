/**
 * @file webhook_post.h  One POST to a URL that a customer chose, by libcurl:
 * signed, to a public address only, no redirects, bounded in time and size.
 */
#ifndef WEBHOOK_POST_H
#define WEBHOOK_POST_H
#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>
#include "webhook_secret.h"

/** What the settings say of all of them; lives as long as the process. */
struct webhook_policy {
	bool has_key;          /**< else nothing that is sealed can be used */
	bool allow_private;    /**< any address                            */
	uint8_t key[WEBHOOK_KEY_SIZE];
	const char *ca_file;   /**< PEM: who may sign the certificates of
				    https; NULL: whom the system trusts    */
};

/** Borrowed until the POST is over. */
struct webhook_message {
	const char *url, *id, *body;
	/** Sealed secrets; previous or NULL. Both NULL: it is not signed.  */
	const char *secret_box, *previous_box;
	long timeout_ms;       /**< of the whole                           */
	char *answer;          /**< where its body goes; NULL: nowhere     */
	size_t answer_size;    /**< more is no answer                      */
};

struct webhook_result {
	long status;           /**< 0: no answer                           */
	long ms;
	size_t len;            /**< of the answer                          */
	char error[160];       /**< "" when it was taken (2xx)             */
};

struct webhook_post {
	const struct webhook_policy *policy;
	CURL *easy;            /**< kept for the next                      */
	struct curl_slist *headers;
	char *answer;
	size_t received, answer_max;
	bool is_refused;       /**< the address is not public              */
	char why[CURL_ERROR_SIZE];
};

/** Make easy ready to be performed. @return 0, ENOMEM, or EBADMSG: there is no
 *  key, or it does not open the secret */
int webhook_post_begin(struct webhook_post *p,
		       const struct webhook_policy *policy,
		       const struct webhook_message *msg);

/** After it was performed with this code. */
void webhook_post_end(struct webhook_post *p, CURLcode code,
		      struct webhook_result *ret);

void webhook_post_free(struct webhook_post *p);

#endif
