/** @file metrics_http.h  GET /metrics and /healthz on a thread of its own. */
#ifndef METRICS_HTTP_H
#define METRICS_HTTP_H

struct metrics_http;

/** @param listen "127.0.0.1:9460" @return 0, EINVAL or EADDRINUSE */
int metrics_http_open(struct metrics_http **mp, const char *listen);
void metrics_http_close(struct metrics_http *m);

#endif
