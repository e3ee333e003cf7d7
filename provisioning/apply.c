/**
 * @file apply.c  ?apply=sync.
 */
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>
#include "apply.h"
#include "moment.h"
#include "pg.h"
#include "request.h"
#include "text.h"

#define WAIT_MS 5000
#define LOOK_MS 20

static const char behind_sql[] =
	"SELECT coalesce(string_agg(name, ',' ORDER BY name), '') FROM "
	"core.node WHERE seen_at > now() - interval '10 s' AND "
	"applied_version < $1";

static atomic_uint waiting;


/* Who is behind; "" nobody */
static int behind(struct request *req, char *buf, size_t size)
{
	char version[24];
	const char *params[] = {version};
	PGresult *result = NULL;
	int err;

	text_format(version, sizeof(version), "%llu",
		    (unsigned long long)req->answer.version);
	err = pg_exec(req->pg, behind_sql, 1, params, &result);
	if (!err)
		(void)text_set(buf, size, PQgetvalue(result, 0, 0),
			       strnlen(PQgetvalue(result, 0, 0), size - 1));
	PQclear(result);
	return err;
}


void apply_wait(struct request *req, char *buf, size_t size)
{
	struct moment now;
	uint64_t until_ms;
	int err = 0;

	(void)text_copy(buf, size, "unknown");
	if (atomic_fetch_add(&waiting, 1) >= req->api->sync_max) {
		atomic_fetch_sub(&waiting, 1);
		return;
	}

	moment_read(&now);
	until_ms = moment_ms(&now) + WAIT_MS;
	do {
		err = behind(req, buf, size);
		if (err || !*buf)
			break;
		usleep(LOOK_MS * 1000);
		moment_read(&now);
	} while (moment_ms(&now) < until_ms);

	if (err || !*buf)
		(void)text_copy(buf, size, err ? "unknown" : "all");
	atomic_fetch_sub(&waiting, 1);
}
