/**
 * @file request.c  What every handler needs of its request.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include "log.h"
#include "pg.h"
#include "request.h"
#include "text.h"


const char *request_query(const struct request *req, const char *name)
{
	for (size_t i = 0; i < req->query_n; i++) {
		if (!strcmp(req->query[i].name, name))
			return req->query[i].value;
	}
	return NULL;
}


static bool flag_read(struct request *req, const char *name)
{
	const char *value = request_query(req, name);

	if (!value || !strcmp(value, "0") || !strcmp(value, "false"))
		return false;
	if (strcmp(value, "1") != 0 && strcmp(value, "true") != 0)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "%s is 1 or 0", name);
	return true;
}


/* "sync" or "async" */
static bool sync_read(struct request *req)
{
	const char *value = request_query(req, "apply");

	if (!value || !strcmp(value, "async"))
		return false;
	if (strcmp(value, "sync") != 0)
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "apply is sync or async");
	return true;
}


void request_check_query(struct request *req)
{
	req->is_sync = req->op->is_dry_able && sync_read(req);
	req->is_dry = req->op->is_dry_able && flag_read(req, "dry_run");
	for (size_t i = 0; i < req->query_n; i++) {
		const char *const *known = req->op->query;

		while (*known && strcmp(*known, req->query[i].name) != 0)
			++known;
		if (!*known || !req->query[i].value)
			problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
				    "unknown parameter or no value: %s",
				    req->query[i].name);
		for (size_t k = 0; k < i; k++) {
			if (!strcmp(req->query[k].name, req->query[i].name))
				problem_set(&req->problem,
					    PROBLEM_BAD_PARAMETER,
					    "%s is given twice",
					    req->query[i].name);
		}
	}
}


int request_limit(struct request *req)
{
	const char *text = request_query(req, "limit");
	uint64_t v;

	if (!text)
		return LIMIT_DEFAULT;
	if (text_u64(&v, text, strlen(text), LIMIT_MAX) || !v) {
		problem_set(&req->problem, PROBLEM_BAD_PARAMETER,
			    "limit must be within 1..%d", LIMIT_MAX);
		return LIMIT_DEFAULT;
	}
	return (int)v;
}


size_t json_depth(const char *text, size_t len)
{
	size_t depth = 0, deepest = 0;
	bool in_string = false;

	for (size_t i = 0; i < len; i++) {
		const char c = text[i];

		if (in_string) {
			if (c == '\\')
				++i;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > deepest)
				deepest = depth;
		} else if ((c == '}' || c == ']') && depth) {
			--depth;
		}
	}
	return deepest;
}


static bool is_listed(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		++names;
	return *names != NULL;
}


/* Some scopes may send a few members only (x-roles of the operation) */
static void check_members(struct request *req, const json_t *body)
{
	const struct operation *op = req->op;
	const unsigned may = op->may & req->caller.scopes;
	const char *name;
	json_t *value;

	if (!may || (may & ~op->limited))
		return;

	json_object_foreach((json_t *)body, name, value) {
		char pointer[96];

		if (is_listed(op->members, name))
			continue;
		problem_set(&req->problem, PROBLEM_FORBIDDEN,
			    "this key may not set everything of %s", op->id);
		problem_add(&req->problem,
			    pointer_join(pointer, sizeof(pointer), "", name),
			    "forbidden", NULL,
			    "may not be set with the scope of this key");
	}
}


json_t *request_json(struct request *req)
{
	json_error_t why;
	json_t *json;

	if (!req->body_len) {
		problem_set(&req->problem, PROBLEM_BAD_JSON,
			    "the body is empty");
		return NULL;
	}
	if (json_depth(req->body, req->body_len) > JSON_DEPTH_MAX) {
		problem_set(&req->problem, PROBLEM_BAD_JSON,
			    "nested deeper than %d levels", JSON_DEPTH_MAX);
		return NULL;
	}

	json = json_loadb(req->body, req->body_len, JSON_REJECT_DUPLICATES,
			  &why);
	if (!json)
		problem_set(&req->problem, PROBLEM_BAD_JSON,
			    "line %d, column %d: %s", why.line, why.column,
			    why.text);
	else
		check_members(req, json);
	if (problem_is_set(&req->problem)) {
		json_decref(json);
		json = NULL;
	}
	return json;
}


const char *request_tenant(const struct request *req)
{
	return *req->caller.tenant_id ? req->caller.tenant_id : NULL;
}


void request_pg_failed(struct request *req, int err)
{
	char why[200];
	const char *text = pg_error(req->pg);

	log_event(LOG_WARN, "api", "database_failed",
		  "request=%s op=%s errno=%d sqlstate=%s why=%s", req->id,
		  req->op ? req->op->id : "-", err, pg_sqlstate(req->pg),
		  log_text(why, sizeof(why), text, strlen(text)));

	if (err == EPROTO && !strncmp(pg_sqlstate(req->pg), "57", 2))
		problem_set(&req->problem, PROBLEM_BUSY,
			    "the database did not finish in time");
	else if (err == EPROTO || err == ENOMEM)
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
	else
		problem_set(&req->problem, PROBLEM_DATABASE, "%s", "");
}


/* FNV-1a, 64 bits */
static uint64_t hash(const char *text)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
	return h;
}


void request_etag(struct request *req, const char *row_version,
		  const json_t *shown)
{
	char *text = json_dumps(shown, JSON_COMPACT);

	if (text)
		text_format(req->answer.etag, sizeof(req->answer.etag),
			    "\"%s-%016llx\"", row_version,
			    (unsigned long long)hash(text));
	free(text);
}


bool etag_is_known(const char *if_none_match, const char *etag)
{
	const size_t len = strlen(etag);

	for (const char *s = if_none_match; s && *s; s += strcspn(s, ",")) {
		s += strspn(s, ", \t");
		if (*s == '*')
			return true;
		if (!strncmp(s, "W/", 2))
			s += 2;
		if (len && !strncmp(s, etag, len))
			return true;
		if (!*s)
			break;
	}
	return false;
}


bool etag_matches(const char *if_match, const char *row_version)
{
	const size_t len = strlen(row_version);

	if (!if_match)
		return true;

	for (const char *s = if_match; *s; s += strcspn(s, ",")) {
		s += strspn(s, ", \t");
		if (*s == '*')
			return true;
		if (*s == '"' && !strncmp(s + 1, row_version, len) &&
		    (s[1 + len] == '"' || s[1 + len] == '-'))
			return true;
		if (!*s)
			break;
	}
	return false;
}


void request_answer(struct request *req, int status, json_t *json)
{
	json_decref(req->answer.json);
	req->answer.json = json;
	req->answer.status = status;
	if (!json && status != 204)
		problem_set(&req->problem, PROBLEM_INTERNAL, "%s", "");
}


void request_reset(struct request *req)
{
	json_decref(req->answer.json);
	free(req->answer.text);
	memset(&req->answer, 0, sizeof(req->answer));
	problem_clear(&req->problem);
	OPENSSL_cleanse(req->secret, sizeof(req->secret));
}
