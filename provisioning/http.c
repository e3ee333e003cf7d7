/**
 * @file http.c  The HTTP side of the API.
 */
#include "json.h"
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "api_key.h"
#include "apply.h"
#include "client_address.h"
#include "form.h"
#include "http.h"
#include "id.h"
#include "idempotency.h"
#include "log.h"
#include "metric.h"
#include "moment.h"
#include "text.h"
#include "worker.h"

#define HEADER_MEMORY 32768     /* per connection: request line + headers */
#define IDLE_S 30
#define BODY_MS 60000           /* a body of up to BODY_SMALL             */
#define BODY_SMALL (1u << 20)
#define BODY_BIG_MS 600000      /* an import                              */
#define BODIES_MAX (160u << 20) /* of all requests together               */

struct http {
	const struct api *api;
	struct MHD_Daemon *tcp, *local;
	char socket[108];
};

/** One request of a connection. */
struct exchange {
	struct request req;
	struct worker *worker; /* weak: lives as long as the thread */
	struct moment started;
	char *body;
	size_t size;
};

static atomic_size_t bodies_bytes;

static struct {
	struct metric *classes[6], *dropped, *limited;
	struct metric *seconds;
} count;


/* --- answers ----------------------------------------------------------- */

static void header(struct MHD_Response *response, const char *name,
		   const char *value)
{
	if (*value)
		(void)MHD_add_response_header(response, name, value);
}


/* The body as text; free() it. NULL: none */
static char *answer_text(struct request *req, const char **ret_type,
			 size_t *ret_len)
{
	json_t *json = req->answer.json;
	char *text;

	*ret_type = "application/json";
	*ret_len = 0;
	if (problem_is_set(&req->problem)) {
		*ret_type = "application/problem+json";
		json = problem_encode(&req->problem, req->path, req->id);
		req->answer.status = problem_status(&req->problem);
		text = json ? json_dumps(json, JSON_COMPACT) : NULL;
		json_decref(json);
		return text;
	}
	if (req->answer.text) {
		*ret_type = req->answer.text_type;
		text = req->answer.text;
		*ret_len = req->answer.text_len;
		req->answer.text = NULL;
		return text;
	}
	return json ? json_dumps(json, JSON_COMPACT) : NULL;
}


static void problem_headers(struct MHD_Response *response,
			    const struct request *req)
{
	if (req->answer.status == 503 ||
	    req->problem.kind == PROBLEM_IN_FLIGHT)
		header(response, "Retry-After", "1");
	if (req->answer.status == 401)
		header(response, "WWW-Authenticate", "Bearer");
	header(response, "Allow", req->answer.allow);
}


/* draft-ietf-httpapi-ratelimit-headers */
static void rate_headers(struct MHD_Response *response,
			 const struct rate_state *rate)
{
	char text[64];

	if (!rate->window_s)
		return;

	text_format(text, sizeof(text), "\"key\";q=%u;w=%u", rate->burst,
		    rate->window_s);
	header(response, "RateLimit-Policy", text);
	text_format(text, sizeof(text), "\"key\";r=%u;t=%u", rate->left,
		    rate->wait_s);
	header(response, "RateLimit", text);
	if (rate->wait_s) {
		text_format(text, sizeof(text), "%u", rate->wait_s);
		header(response, "Retry-After", text);
	}
}


static void answer_headers(struct MHD_Response *response,
			   const struct request *req)
{
	const struct answer *answer = &req->answer;
	char version[24];

	header(response, "ETag", answer->etag);
	if (req->is_dry)
		header(response, "Strowger-Dry-Run", "true");
	header(response, "Strowger-Applied", answer->applied);
	if (answer->is_page) {
		header(response, "Content-Security-Policy",
		       "default-src 'none'; script-src 'self'; style-src "
		       "'self'; connect-src 'self'; base-uri 'none'; "
		       "form-action 'none'; frame-ancestors 'none'");
		header(response, "X-Content-Type-Options", "nosniff");
		header(response, "Referrer-Policy", "no-referrer");
	}
	header(response, "Location", answer->location);
	if (answer->is_replayed)
		header(response, "Idempotency-Replayed", "true");
	text_format(version, sizeof(version), "%llu",
		    (unsigned long long)answer->version);
	if (answer->version)
		header(response, "Strowger-Version", version);
}


static void log_request(const struct exchange *x)
{
	const struct request *req = &x->req;
	struct moment now;
	unsigned class;
	double seconds;

	moment_read(&now);
	seconds = (double)(now.mono_us - x->started.mono_us) / 1e6;
	class = (unsigned)req->answer.status / 100;
	metric_add(count.classes[class < 6 ? class : 0], 1);
	metric_observe(count.seconds, seconds);
	log_event(class == 5 ? LOG_WARN : LOG_INFO, "api", "request",
		  "request=%s op=%s status=%d us=%llu key=%s problem=%s",
		  req->id, req->op ? req->op->id : "-", req->answer.status,
		  (unsigned long long)(now.mono_us - x->started.mono_us),
		  *req->caller.key_id ? req->caller.key_id : "-",
		  problem_row(req->problem.kind)->code);
}


/* RFC 9110 13.1.2: the client has this representation already */
static bool is_known(const struct request *req)
{
	return req->answer.status == MHD_HTTP_OK && *req->answer.etag &&
	       !strcmp(req->op->method, "GET") &&
	       etag_is_known(req->if_none_match, req->answer.etag);
}


static enum MHD_Result respond(struct MHD_Connection *connection,
			       struct exchange *x)
{
	struct MHD_Response *response;
	const char *type;
	size_t len;
	char *text = answer_text(&x->req, &type, &len);
	enum MHD_Result result;

	if (is_known(&x->req)) {
		free(text);
		text = NULL;
		x->req.answer.status = MHD_HTTP_NOT_MODIFIED;
	}
	if (text && !len)
		len = strlen(text);
	response = MHD_create_response_from_buffer(text ? len : 0, text,
						   MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return MHD_NO;
	}

	if (text)
		header(response, "Content-Type", type);
	header(response, "X-Request-Id", x->req.id);
	header(response, "Cache-Control", "no-store");
	rate_headers(response, &x->req.rate);
	if (problem_is_set(&x->req.problem))
		problem_headers(response, &x->req);
	else
		answer_headers(response, &x->req);

	log_request(x);
	result = MHD_queue_response(connection,
				    (unsigned)x->req.answer.status, response);
	MHD_destroy_response(response);
	return result;
}


/* --- requests ---------------------------------------------------------- */

static enum MHD_Result take_query(void *arg, enum MHD_ValueKind kind,
				  const char *name, const char *value)
{
	struct request *req = arg;

	(void)kind;
	if (req->query_n >= QUERY_PAIRS_MAX) {
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "more than %d parameters", QUERY_PAIRS_MAX);
		return MHD_NO;
	}
	req->query[req->query_n].name = name;
	req->query[req->query_n++].value = value;
	return MHD_YES;
}


static void peer_read(struct MHD_Connection *connection,
		      char buf[CLIENT_ADDRESS_SIZE])
{
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	const struct sockaddr *sa = info ? info->client_addr : NULL;
	const void *addr = NULL;

	*buf = '\0';
	if (sa && sa->sa_family == AF_INET)
		addr = &((const struct sockaddr_in *)(const void *)sa)
				->sin_addr;
	else if (sa && sa->sa_family == AF_INET6)
		addr = &((const struct sockaddr_in6 *)(const void *)sa)
				->sin6_addr;
	if (addr)
		(void)inet_ntop(sa->sa_family, addr, buf, CLIENT_ADDRESS_SIZE);
}


/** The header that our proxies write, of all its lines (RFC 9110 5.3). */
struct forwarded {
	const char *name;
	char text[FORWARDED_SIZE];
	bool is_there, is_bad;
};


static enum MHD_Result take_forwarded(void *arg, enum MHD_ValueKind kind,
				      const char *name, const char *value)
{
	struct forwarded *f = arg;
	const size_t len = strlen(f->text);

	(void)kind;
	if (strcasecmp(name, f->name) != 0)
		return MHD_YES;
	if (text_format(f->text + len, sizeof(f->text) - len, "%s%s",
			f->is_there ? "," : "", value ? value : ""))
		f->is_bad = true;
	f->is_there = true;
	return MHD_YES;
}


static void take_ip(struct request *req, struct MHD_Connection *connection)
{
	const bool is_rfc = req->api->is_forwarded;
	struct forwarded f = {.name = is_rfc ? "Forwarded" : "X-Forwarded-For",
			      .text = ""};
	char peer[CLIENT_ADDRESS_SIZE];

	peer_read(connection, peer);
	(void)MHD_get_connection_values(connection, MHD_HEADER_KIND,
					take_forwarded, &f);
	if (is_rfc && f.is_there && forwarded_read(f.text, f.text))
		f.is_bad = true;
	client_address(req->api->proxies, peer,
		       f.is_there && !f.is_bad ? f.text : NULL, req->ip);
}


static const char *request_header(struct MHD_Connection *connection,
				  const char *name)
{
	return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}


static void find_operation(struct request *req, const char *method,
			   const char *url)
{
	struct path_match match;

	req->op = operation_find(operations, operation_n, method, url, &match);
	if (req->op) {
		memcpy(req->path_params, match.params,
		       sizeof(req->path_params));
	} else if (*match.allow) {
		text_copy(req->answer.allow, sizeof(req->answer.allow),
			  match.allow);
		problem_set(&req->problem, PROBLEM_METHOD, "%s", "");
	} else {
		problem_set(&req->problem, PROBLEM_NOT_FOUND,
			    "no such path");
	}
}


/* Media type without its parameters */
static bool media_is_accepted(const struct operation *op, const char *type)
{
	size_t len;

	if (!type)
		return false;

	len = strcspn(type, "; \t");
	for (const char *const *known = op->media; *known; known++) {
		if (strlen(*known) == len && !strncasecmp(*known, type, len))
			return true;
	}
	return false;
}


static void check_body_headers(struct request *req,
			       struct MHD_Connection *connection)
{
	const char *length = request_header(connection, "Content-Length");
	uint64_t n = 0;

	if (length && text_u64(&n, length, strlen(length), UINT64_MAX))
		n = UINT64_MAX;
	if (!req->op->body_max) {
		if (n || request_header(connection, "Transfer-Encoding"))
			problem_set(&req->problem, PROBLEM_BAD_REQUEST,
				    "this operation takes no body");
		return;
	}
	if (n > req->op->body_max)
		problem_set(&req->problem, PROBLEM_TOO_LARGE,
			    "the body may have %zu bytes", req->op->body_max);
	if (!media_is_accepted(req->op,
			       request_header(connection, "Content-Type")))
		problem_set(&req->problem, PROBLEM_MEDIA_TYPE,
			    "Content-Type must be %s", req->op->media[0]);
}


/* Before any byte of a body is taken: path, key, scope, form */
static void admit(struct exchange *x, struct MHD_Connection *connection,
		  const char *method, const char *url)
{
	struct request *req = &x->req;

	find_operation(req, method, url);
	if (!req->op)
		return;

	if (req->op->scope != SCOPE_NONE) {
		req->authorization = request_header(connection,
						    "Authorization");
		if (!worker_connect(x->worker)) {
			problem_set(&req->problem, PROBLEM_DATABASE, "%s",
				    "");
			return;
		}
		api_key_check(req);
		if (problem_is_set(&req->problem))
			return;
		if (!rate_limit_take(req->api->rate, req->caller.key_id,
				     moment_ms(&x->started), &req->rate)) {
			problem_set(&req->problem, PROBLEM_RATE, "%s", "");
			metric_add(count.limited, 1);
			return;
		}
		if (!operation_allows(req->op, req->caller.scopes))
			problem_set(&req->problem, PROBLEM_FORBIDDEN,
				    "%s needs scope %s", req->op->id,
				    scope_name(req->op->scope));
	}
	if (req->op->needs_match && !req->if_match)
		problem_set(&req->problem, PROBLEM_NO_MATCH, "%s", "");
	request_check_query(req);
	check_body_headers(req, connection);
	if (req->idempotency_key &&
	    (!*req->idempotency_key ||
	     strlen(req->idempotency_key) > IDEMPOTENCY_KEY_MAX ||
	     !form_is_name(req->idempotency_key)))
		problem_set(&req->problem, PROBLEM_BAD_REQUEST,
			    "Idempotency-Key has 1 to %d characters",
			    IDEMPOTENCY_KEY_MAX);
}


static struct exchange *exchange_new(const struct http *http,
				     struct MHD_Connection *connection,
				     const char *method, const char *url)
{
	struct worker *worker = worker_get(http->api->dsn);
	struct exchange *x;
	char made[ID_TEXT_SIZE];

	x = worker ? calloc(1, sizeof(*x)) : NULL;
	if (!x)
		return NULL;

	moment_read(&x->started);
	x->worker = worker;
	x->req.api = http->api;
	x->req.pg = worker->pg;
	x->req.rng = worker->rng;
	text_copy(x->req.id, sizeof(x->req.id),
		  id_make(made, "req_", worker->rng,
			  moment_wall_ms(&x->started)));
	x->req.path = url;
	x->req.if_match = request_header(connection, "If-Match");
	x->req.if_none_match = request_header(connection, "If-None-Match");
	x->req.idempotency_key =
		request_header(connection, "Idempotency-Key");
	take_ip(&x->req, connection);
	(void)MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND,
					take_query, &x->req);
	admit(x, connection, method, url);
	return x;
}


static void body_free(struct exchange *x)
{
	if (x->size)
		atomic_fetch_sub(&bodies_bytes, x->size);
	if (x->body && x->size <= BODY_SMALL)
		OPENSSL_cleanse(x->body, x->size); /* it may hold a password */
	free(x->body);
	x->body = NULL;
	x->size = 0;
}


/* Room for more bytes, by doubling, within the bounds of one and of all */
static bool body_grow(struct exchange *x, size_t need)
{
	size_t size = x->size ? x->size : 4096;
	char *body;

	while (size < need)
		size *= 2;
	if (atomic_fetch_add(&bodies_bytes, size - x->size) + size - x->size >
	    BODIES_MAX) {
		atomic_fetch_sub(&bodies_bytes, size - x->size);
		problem_set(&x->req.problem, PROBLEM_BUSY,
			    "too many big bodies at once");
		return false;
	}

	body = realloc(x->body, size);
	if (!body) {
		atomic_fetch_sub(&bodies_bytes, size - x->size);
		problem_set(&x->req.problem, PROBLEM_BUSY, "out of memory");
		return false;
	}
	x->body = body;
	x->size = size;
	return true;
}


/* What comes after a refusal is thrown away; a body has an end in time */
static enum MHD_Result body_take(struct exchange *x, const char *data,
				 size_t len)
{
	struct request *req = &x->req;
	const size_t max = req->op ? req->op->body_max : 0;
	const uint64_t limit_ms = max > BODY_SMALL ? BODY_BIG_MS : BODY_MS;
	struct moment now;

	moment_read(&now);
	if (moment_ms(&now) - moment_ms(&x->started) > limit_ms) {
		metric_add(count.dropped, 1);
		return MHD_NO;
	}
	if (!problem_is_set(&req->problem) && req->body_len + len > max)
		problem_set(&req->problem, PROBLEM_TOO_LARGE,
			    "the body may have %zu bytes", max);
	if (problem_is_set(&req->problem)) {
		body_free(x);
		return MHD_YES;
	}

	if (req->body_len + len >= x->size &&
	    !body_grow(x, req->body_len + len + 1))
		return MHD_YES;
	memcpy(x->body + req->body_len, data, len);
	req->body_len += len;
	x->body[req->body_len] = '\0';
	return MHD_YES;
}


static enum MHD_Result handle(void *arg, struct MHD_Connection *connection,
			      const char *url, const char *method,
			      const char *version, const char *data,
			      size_t *len, void **statep)
{
	const struct http *http = arg;
	struct exchange *x = *statep;

	(void)version;
	if (!x) {
		x = exchange_new(http, connection, method, url);
		*statep = x;
		if (!x)
			return MHD_NO;
		return problem_is_set(&x->req.problem)
			       ? respond(connection, x)
			       : MHD_YES;
	}
	if (*len) {
		const size_t n = *len;

		*len = 0;
		return body_take(x, data, n);
	}

	x->req.body = x->body;
	x->req.path = url;
	if (!problem_is_set(&x->req.problem))
		x->req.op->handler(&x->req);
	if (x->req.is_sync && x->req.answer.version &&
	    !problem_is_set(&x->req.problem))
		apply_wait(&x->req, x->req.answer.applied,
			   sizeof(x->req.answer.applied));
	body_free(x);
	return respond(connection, x);
}


static void completed(void *arg, struct MHD_Connection *connection,
		      void **statep, enum MHD_RequestTerminationCode code)
{
	struct exchange *x = *statep;

	(void)arg;
	(void)connection;
	(void)code;
	*statep = NULL;
	if (!x)
		return;

	body_free(x);
	request_reset(&x->req);
	free(x);
}


/* --- listeners --------------------------------------------------------- */

static struct MHD_Daemon *serve(struct http *http,
				const struct http_config *cfg, int fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, handle, http,
		MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
		cfg->threads, MHD_OPTION_CONNECTION_LIMIT, cfg->connections,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADER_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_NOTIFY_COMPLETED, completed, http, MHD_OPTION_END);
}


static int listen_on(int *ret_fd, const struct sockaddr *addr, socklen_t len)
{
	const int one = 1;
	int err, fd;

	fd = socket(addr->sa_family,
		    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return errno;

	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, addr, len) || listen(fd, 128)) {
		err = errno;
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}


static int listen_tcp(struct http *http, const struct http_config *cfg)
{
	struct sa addr;
	int fd = -1, err;

	err = sa_decode(&addr, cfg->listen, strlen(cfg->listen));
	if (!err)
		err = listen_on(&fd, &addr.u.sa, addr.len);
	if (err)
		return err;

	http->tcp = serve(http, cfg, fd);
	if (!http->tcp)
		close(fd);
	return http->tcp ? 0 : ENOMEM;
}


static int listen_local(struct http *http, const struct http_config *cfg)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	mode_t old;
	int fd = -1, err = text_copy(addr.sun_path, sizeof(addr.sun_path),
				cfg->socket);

	if (err)
		return err;

	/* what an earlier run left; a listener that lives has the flock of
	 * its state folder, which whoever starts us takes care of */
	(void)unlink(cfg->socket);
	old = umask(0117);
	err = listen_on(&fd, (const struct sockaddr *)&addr, sizeof(addr));
	(void)umask(old);
	if (err)
		return err;

	text_copy(http->socket, sizeof(http->socket), cfg->socket);
	http->local = serve(http, cfg, fd);
	if (!http->local)
		close(fd);
	return http->local ? 0 : ENOMEM;
}


static void destructor(void *data)
{
	struct http *http = data;

	if (http->tcp)
		MHD_stop_daemon(http->tcp);
	if (http->local)
		MHD_stop_daemon(http->local);
	if (*http->socket)
		(void)unlink(http->socket);
}


static void metrics_make(void)
{
	static const double bounds[] = {0.001, 0.0025, 0.005, 0.01, 0.025,
					0.05,  0.1,    0.25,  0.5,  1,
					2.5,   5,      10};
	static const char *const labels[] = {
		"class=\"other\"", "class=\"1xx\"", "class=\"2xx\"",
		"class=\"3xx\"",   "class=\"4xx\"", "class=\"5xx\""};

	for (size_t i = 0; i < 6; i++)
		count.classes[i] = metric_counter(
			"strowger_api_requests_total", labels[i],
			"requests answered, by class of status");
	count.dropped = metric_counter(
		"strowger_api_dropped_total", "reason=\"slow_body\"",
		"connections closed without an answer");
	count.limited = metric_counter(
		"strowger_api_limited_total", NULL,
		"requests refused by the rate limit of their key");
	count.seconds = metric_histogram(
		"strowger_api_request_seconds", NULL,
		"from the headers to the answer", bounds,
		sizeof(bounds) / sizeof(bounds[0]));
}


int http_start(struct http **hp, const struct http_config *cfg,
	       const struct api *api)
{
	struct http *http;
	int err = 0;

	if (!hp || !cfg || !api)
		return EINVAL;

	http = mem_zalloc(sizeof(*http), destructor);
	if (!http)
		return ENOMEM;

	http->api = api;
	metrics_make();
	if (*cfg->listen)
		err = listen_tcp(http, cfg);
	if (!err && *cfg->socket)
		err = listen_local(http, cfg);

	if (err)
		mem_deref(http);
	else
		*hp = http;
	return err;
}
