/**
 * @file cdr_delivery.c  The job that brings one file, once; when that fails it
 * comes again (cdr.export_tried). The platform's keys alone write templates,
 * so that a URL is what the operator wants.
 */
#include "json.h"
#include <curl/curl.h>
#include <errno.h>
#include <re.h>
#include <stdlib.h>
#include <string.h>
#include "cdr_delivery.h"
#include "job.h"
#include "log.h"
#include "pg.h"
#include "text.h"

#define TIMEOUT_MS 120000
#define CONNECT_MS 10000
#define ANSWER_MAX 65536 /* nobody reads it */
#define URL_SIZE 1024

static const struct cdr_delivery_config none = {"", ""};
static const struct cdr_delivery_config *config = &none;

struct delivery {
	struct job *job;
	char url[URL_SIZE], name[128], job_id[36], sequence[24], hash[80];
	char corrects[128];       /* name of the file that this corrects, or "" */
	char *body;
	size_t len, sent, received;
	char why[CURL_ERROR_SIZE];
};


void cdr_delivery_setup(const struct cdr_delivery_config *cfg)
{
	config = cfg;
}


static int file_read(struct delivery *d, const char *id)
{
	PGresult *r = NULL;
	int err;

	err = pg_exec(job_pg(d->job), "SELECT t.url, f.name, f.job_id, "
		      "f.sequence, f.sha256, coalesce(c.name, '') FROM "
		      "cdr.export_file f JOIN cdr.export_template t ON t.id = "
		      "f.template_id LEFT JOIN cdr.export_file c ON c.id = "
		      "f.corrects_id "
		      "WHERE f.id = $1 AND f.status = 'waiting' "
		      "AND t.url IS NOT NULL", 1, &id, &r);
	if (!err && PQntuples(r) != 1)
		err = ENOENT;
	if (!err) {
		TEXT_FILL(d->url, PQgetvalue(r, 0, 0));
		TEXT_FILL(d->name, PQgetvalue(r, 0, 1));
		TEXT_FILL(d->job_id, PQgetvalue(r, 0, 2));
		TEXT_FILL(d->sequence, PQgetvalue(r, 0, 3));
		TEXT_FILL(d->hash, PQgetvalue(r, 0, 4));
		TEXT_FILL(d->corrects, PQgetvalue(r, 0, 5));
	}
	PQclear(r);
	return err;
}


static int body_read(struct delivery *d)
{
	const char *id = d->job_id;
	PGresult *r = NULL;
	int err;

	err = pg_exec(job_pg(d->job), "SELECT string_agg(body, '' ORDER BY n) "
		      "FROM core.job_text WHERE job_id = $1 AND direction = "
		      "'out'", 1, &id, &r);
	if (!err && PQgetisnull(r, 0, 0))
		TEXT_FILL(d->why, "the text is gone: it is kept for a week");
	else if (!err)
		d->body = strdup(PQgetvalue(r, 0, 0));
	PQclear(r);
	if (d->body)
		d->len = strlen(d->body);
	return err;
}


static size_t read_handler(char *buf, size_t size, size_t n, void *arg)
{
	struct delivery *d = arg;
	size_t len = d->len - d->sent;

	if (len > size * n)
		len = size * n;
	memcpy(buf, d->body + d->sent, len);
	d->sent += len;
	return len;
}


static size_t answer_handler(char *data, size_t size, size_t n, void *arg)
{
	struct delivery *d = arg;

	(void)data;
	d->received += size * n;
	return d->received <= ANSWER_MAX ? size * n : 0;
}


static CURLcode shared_set(CURL *c, struct delivery *d)
{
	CURLcode bad = CURLE_OK;

	bad |= curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https,sftp");
	bad |= curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	bad |= curl_easy_setopt(c, CURLOPT_PROXY, "");
	bad |= curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	bad |= curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS);
	bad |= curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
				(long)CONNECT_MS);
	bad |= curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, answer_handler);
	bad |= curl_easy_setopt(c, CURLOPT_WRITEDATA, d);
	bad |= curl_easy_setopt(c, CURLOPT_ERRORBUFFER, d->why);
	return bad;
}


static struct curl_slist *line_add(struct curl_slist *list, const char *name,
				   const char *value)
{
	char line[256];

	(void)text_format(line, sizeof(line), "%s: %s", name, value);
	return curl_slist_append(list, line);
}


static const char *type_of(const char *name)
{
	static const char *const types[][2] = {
		{".ndjson", "application/x-ndjson"},
		{".json", "application/json"},
		{".html", "text/html; charset=utf-8"},
	};
	const char *end = strrchr(name, '.');

	for (size_t i = 0; end && i < ARRAY_SIZE(types); i++) {
		if (!strcmp(end, types[i][0]))
			return types[i][1];
	}
	return "text/csv; charset=utf-8";
}


static CURLcode http_send(CURL *c, struct delivery *d)
{
	struct curl_slist *lines = NULL;
	CURLcode bad = CURLE_OK;
	long status = 0;

	lines = line_add(lines, "Content-Type", type_of(d->name));
	lines = line_add(lines, "User-Agent", "Strowger/" STROWGER_VERSION);
	lines = line_add(lines, "Strowger-File", d->name);
	lines = line_add(lines, "Strowger-Sequence", d->sequence);
	lines = line_add(lines, "Strowger-Sha256", d->hash);
	if (*d->corrects)
		lines = line_add(lines, "Strowger-Corrects", d->corrects);
	lines = curl_slist_append(lines, "Expect:");
	bad |= curl_easy_setopt(c, CURLOPT_URL, d->url);
	bad |= curl_easy_setopt(c, CURLOPT_HTTPHEADER, lines);
	bad |= curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE,
				(curl_off_t)d->len);
	bad |= curl_easy_setopt(c, CURLOPT_POSTFIELDS, d->body);
	if (!bad)
		bad = curl_easy_perform(c);
	(void)curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
	if (!bad && (status < 200 || status > 299)) {
		(void)text_format(d->why, sizeof(d->why), "it answered %ld",
				  status);
		bad = CURLE_HTTP_RETURNED_ERROR;
	}
	curl_slist_free_all(lines);
	return bad;
}


/* Under another name first: whoever takes files from that folder finds whole
   ones only. A name has its number, so that what is there by that name came by
   an earlier try of which nobody knows that it succeeded; servers rename onto
   nothing that is there ("*": it may not be). */
static CURLcode sftp_send(CURL *c, struct delivery *d)
{
	const char *path = strchr(d->url + strlen("sftp://"), '/');
	const size_t dir_len = path ? strlen(path) : 0;
	const char *slash = dir_len && path[dir_len - 1] == '/' ? "" : "/";
	struct curl_slist *after = NULL;
	char url[URL_SIZE + 160], line[2 * URL_SIZE + 320];
	CURLcode bad = CURLE_OK;

	if (!*config->ssh_key) {
		TEXT_FILL(d->why, "there is no key: exports.ssh_key");
		return CURLE_LOGIN_DENIED;
	}

	/* "/~/": the home folder */
	if (path && !strncmp(path, "/~/", 3))
		path += 3;
	(void)text_format(url, sizeof(url), "%s%s%s.part", d->url, slash,
			  d->name);
	(void)text_format(line, sizeof(line), "*rm \"%s%s%s\"",
			  path ? path : "", slash, d->name);
	after = curl_slist_append(after, line);
	(void)text_format(line, sizeof(line), "rename \"%s%s%s.part\" "
			  "\"%s%s%s\"", path ? path : "", slash, d->name,
			  path ? path : "", slash, d->name);
	after = curl_slist_append(after, line);
	bad |= curl_easy_setopt(c, CURLOPT_URL, url);
	bad |= curl_easy_setopt(c, CURLOPT_SSH_AUTH_TYPES,
				(long)CURLSSH_AUTH_PUBLICKEY);
	bad |= curl_easy_setopt(c, CURLOPT_SSH_PRIVATE_KEYFILE,
				config->ssh_key);
	bad |= curl_easy_setopt(c, CURLOPT_SSH_KNOWNHOSTS,
				config->known_hosts);
	bad |= curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	bad |= curl_easy_setopt(c, CURLOPT_READFUNCTION, read_handler);
	bad |= curl_easy_setopt(c, CURLOPT_READDATA, d);
	bad |= curl_easy_setopt(c, CURLOPT_INFILESIZE_LARGE,
				(curl_off_t)d->len);
	bad |= curl_easy_setopt(c, CURLOPT_POSTQUOTE, after);
	if (!bad)
		bad = curl_easy_perform(c);
	curl_slist_free_all(after);
	return bad;
}


/* d->why says what went wrong, else it is "" */
static void send_once(struct delivery *d)
{
	CURL *c = curl_easy_init();
	CURLcode bad;

	if (!c) {
		TEXT_FILL(d->why, "out of memory");
		return;
	}

	bad = shared_set(c, d);
	if (!bad)
		bad = strncmp(d->url, "sftp:", 5) ? http_send(c, d)
						  : sftp_send(c, d);
	if (!bad)
		d->why[0] = '\0';
	else if (!d->why[0])
		TEXT_FILL(d->why, curl_easy_strerror(bad));
	curl_easy_cleanup(c);
}


static int run(struct job *job)
{
	const char *id = json_string_value(json_object_get(job_args(job),
							   "file_id"));
	struct delivery d = {.job = job};
	const char *params[2] = {id, NULL};
	int err;

	if (!id)
		return EINVAL;
	err = file_read(&d, id);
	if (err == ENOENT)
		return 0; /* delivered meanwhile, or its template is gone */
	if (!err)
		err = body_read(&d);
	if (err)
		return err;

	if (d.body)
		send_once(&d);
	free(d.body);
	if (d.why[0]) {
		params[1] = d.why;
		log_event(LOG_WARN, "api", "export_not_delivered",
			  "file=%s error=\"%s\"", d.name, d.why);
	}
	err = pg_exec(job_pg(job), "SELECT cdr.export_tried($1, $2)", 2,
		      params, NULL);
	if (!err)
		job_result(job, json_pack("{s:s, s:b, s:s?}", "file", d.name,
					  "is_delivered", !d.why[0], "error",
					  params[1]));
	return err;
}


const struct job_kind job_kind_cdr_delivery = {
	.name = "cdr_delivery", .is_resumable = true, .run = run,
};
