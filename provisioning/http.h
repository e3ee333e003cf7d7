/**
 * @file http.h  The HTTP side: listeners, bounds, bodies; turns a connection
 * into a struct request and an answer into a response (libmicrohttpd).
 */
#ifndef HTTP_H
#define HTTP_H
#include <stdint.h>
#include "request.h"

struct http;

struct http_config {
	const char *listen;   /**< "127.0.0.1:8080" or "": no TCP          */
	const char *socket;   /**< path of a unix socket or "": none        */
	unsigned threads;     /**< each with its own database connection    */
	unsigned connections; /**< at once; more are refused                */
};

/** Listen. mem_deref() stops: answers under way are finished first. */
int http_start(struct http **hp, const struct http_config *cfg,
	       const struct api *api);

#endif
