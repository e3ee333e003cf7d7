/**
 * @file rest.c  Any body as a warrant or a destination, by an officer: what is
 * taken can be listed and comes back.
 *
 * Input: an octet of path and method, the body.
 */
#include "li_rest.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "kept.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct li_settings settings = {
	.ne = "ne-1", .officers = "alice bob",
	.numbering = {"49", "00", "0"},
};


static struct li_rest *rest(void)
{
	static struct li_rest r;

	r.registry = kept_registry(&settings.numbering);
	r.settings = &settings;

	return &r;
}


static unsigned asked(const char *method, const char *path, const char *body,
		      size_t len)
{
	struct li_request req = {
		.method = method, .path = path, .body = body, .len = len,
		.peer = {.uid = {"alice"}, .uid_n = 1},
	};
	struct li_reply reply = {.status = 200, .body = mbuf_alloc(512)};

	must(reply.body != NULL);
	li_rest_answer(rest(), &req, &reply, INT64_C(1795331747123456));
	must(reply.status >= 200 && reply.status < 504);
	mem_deref(reply.body);

	return reply.status;
}


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const paths[] = {"/v1/warrants",
					    "/v1/destinations"};
	char path[128];
	json_t *body;

	if (!size)
		return 0;
	if (data[0] & 2) { /* the rest is a path */
		snprintf(path, sizeof(path), "/v1/%.*s",
			 (int)(size - 1 < 100 ? size - 1 : 100),
			 (const char *)data + 1);
		(void)asked(data[0] & 4 ? "DELETE" : "GET", path, "", 0);
		return 0;
	}
	body = json_loadb((const char *)data + 1, size - 1, 0, NULL);
	if (!body)
		return 0; /* answered in one way; a record on disk is dear */
	json_decref(body);
	(void)asked("POST", paths[data[0] & 1], (const char *)data + 1,
		    size - 1);
	must(asked("GET", paths[data[0] & 1], "", 0) < 504);

	return 0;
}
