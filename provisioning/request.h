/**
 * @file request.h  One request on its way through the API: who asks, for
 * what, with which body; and what is answered. Knows nothing of sockets.
 */
#ifndef REQUEST_H
#define REQUEST_H
#include "json.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "operation.h"
#include "problem.h"
#include "rate_limit.h"

#define REQUEST_ID_SIZE 36
#define PATH_PARAMS_MAX 2
#define QUERY_PAIRS_MAX 32
#define LIMIT_DEFAULT 50
#define LIMIT_MAX 500

struct pg;
struct proxies;
struct webhook_config;
struct rng;

/** Who asks: one API key. */
struct caller {
	char key_id[36];
	char tenant_id[36];   /**< "": a key of the platform               */
	unsigned scopes;      /**< bits of enum scope                      */
};

struct answer {
	int status;
	json_t *json;         /**< owned                                   */
	char *text;           /**< malloc'd, instead of json               */
	const char *text_type;
	size_t text_len;      /**< 0: up to its NUL                        */
	uint64_t version;     /**< Strowger-Version, 0: none               */
	char etag[48];        /**< with quotes, "": none                   */
	char location[128];
	char allow[64];
	bool is_page;         /**< for a browser: what it may load is bounded */
	bool is_replayed;     /**< stored by an earlier request             */
	/** Member that is shown this once and not kept for whoever repeats
	 *  the POST with its Idempotency-Key (a secret made here), or NULL */
	const char *once;
	char applied[128];    /**< Strowger-Applied, "": nobody asked       */
};

/** Everything of the process that a request may need; set once at start. */
struct api {
	const struct proxies *proxies; /**< whose word on the client counts  */
	bool is_forwarded;   /**< and stands in Forwarded (RFC 7239)         */
	struct rate_limit *rate;
	unsigned sync_max;    /**< ?apply=sync that may wait at once        */
	const char *dsn, *node, *control;
	const struct webhook_config *webhooks;
};

struct request {
	const struct api *api;
	const struct operation *op;
	char id[REQUEST_ID_SIZE];
	const char *path;
	char ip[48];          /**< of the client, "" over a unix socket    */
	struct caller caller;
	char path_params[PATH_PARAMS_MAX][64];
	struct {
		const char *name, *value; /**< borrowed from the connection */
	} query[QUERY_PAIRS_MAX];
	size_t query_n;
	bool is_dry;          /**< ?dry_run=1: check all, keep nothing. What
				   change_commit() ends is taken back by it;
				   a handler with an effect of another kind
				   leaves that out                         */
	bool is_sync;         /**< ?apply=sync                              */
	const char *if_match; /**< header, or NULL                         */
	const char *if_none_match; /**< header, or NULL                    */
	const char *idempotency_key; /**< header, or NULL                  */
	const char *authorization;
	char *body;           /**< NUL behind body_len; NULL when empty    */
	size_t body_len;
	struct rate_state rate;
	char secret[64];      /**< made on the way, until it is revealed    */
	struct pg *pg;        /**< of this thread                          */
	struct rng *rng;
	struct answer answer;
	struct problem problem;
};

/** Value of a query parameter, NULL when absent. */
const char *request_query(const struct request *req, const char *name);

/** Every parameter must be one the operation documents; reads dry_run. */
void request_check_query(struct request *req);

/** 1..LIMIT_MAX; sets a problem when it is not. */
int request_limit(struct request *req);

/** The body as JSON: strict, bounded depth. New reference, NULL: problem. */
json_t *request_json(struct request *req);

/** The tenant whose rows the caller may see; NULL: all. */
const char *request_tenant(const struct request *req);

/** A problem out of a failed pg call (EPROTO: our own bug by then). */
void request_pg_failed(struct request *req, int err);

/**
 * The entity tag of a row: its version, by which If-Match goes, and a hash of
 * what is shown, since some members move without an edit of the row (a
 * balance): a strong validator (RFC 9110 8.8.1).
 */
void request_etag(struct request *req, const char *row_version,
		  const json_t *shown);

/** Does the If-Match header (if any) allow a change of this version? */
bool etag_matches(const char *if_match, const char *row_version);

/** Has If-None-Match this tag? Weak comparison (RFC 9110 13.1.2). */
bool etag_is_known(const char *if_none_match, const char *etag);

/** Answer 200 (or other) with a body. Takes the reference. */
void request_answer(struct request *req, int status, json_t *json);

/** Free answer and problem. */
void request_reset(struct request *req);

/** Deepest nesting of a JSON text, strings skipped. Pure. */
size_t json_depth(const char *text, size_t len);

#define JSON_DEPTH_MAX 16

#endif
