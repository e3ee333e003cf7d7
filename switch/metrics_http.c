/** @file metrics_http.c  See metrics_http.h. */
#include <errno.h>
#include <microhttpd.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "metric.h"
#include "metrics_http.h"

#define CONNECTIONS_MAX 16
#define IDLE_S 5

struct metrics_http {
	struct MHD_Daemon *daemon;
};


static enum MHD_Result answer(struct MHD_Connection *conn, unsigned code,
			      char *text, size_t len)
{
	struct MHD_Response *res = MHD_create_response_from_buffer(
		len, text, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result ok;

	if (!res)
		return MHD_NO;

	(void)MHD_add_response_header(res, MHD_HTTP_HEADER_CONTENT_TYPE,
				      "text/plain; version=0.0.4");
	ok = MHD_queue_response(conn, code, res);
	MHD_destroy_response(res);

	return ok;
}


static enum MHD_Result handle(void *arg, struct MHD_Connection *conn,
			      const char *url, const char *method,
			      const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	char *text;
	size_t len = 0;

	(void)arg;
	(void)version;
	(void)upload;
	(void)state;

	if (*upload_size) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, "GET") != 0) {
		text = strdup("only GET\n");
		return text ? answer(conn, 405, text, strlen(text)) : MHD_NO;
	}
	if (!strcmp(url, "/metrics")) {
		text = metric_print(&len);
		return text ? answer(conn, 200, text, len) : MHD_NO;
	}

	text = strdup(strcmp(url, "/healthz") ? "see /metrics\n" : "ok\n");

	return text ? answer(conn, strcmp(url, "/healthz") ? 404 : 200, text,
			     strlen(text))
		    : MHD_NO;
}


int metrics_http_open(struct metrics_http **mp, const char *listen)
{
	struct metrics_http *m;
	struct sa sa;

	if (sa_decode(&sa, listen, strlen(listen)))
		return EINVAL;

	m = calloc(1, sizeof(*m));
	if (!m)
		return ENOMEM;

	m->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD |
			(sa_af(&sa) == AF_INET6 ? MHD_USE_IPv6 : 0),
		sa_port(&sa), NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR,
		&sa.u.sa, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
		(unsigned)IDLE_S, MHD_OPTION_END);
	if (!m->daemon) {
		free(m);
		return EADDRINUSE;
	}

	*mp = m;

	return 0;
}


void metrics_http_close(struct metrics_http *m)
{
	if (!m)
		return;

	MHD_stop_daemon(m->daemon);
	free(m);
}
