/**
 * @file api_key.c  API keys.
 */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <strings.h>
#include "api_key.h"
#include "form.h"
#include "id.h"
#include "metric.h"
#include "moment.h"
#include "pg.h"
#include "rng.h"
#include "text.h"

#define ID_CHARS 26


static int hash(uint8_t sha256[32], const char *secret, size_t len)
{
	return EVP_Digest(secret, len, sha256, NULL, EVP_sha256(), NULL) == 1
		       ? 0
		       : ENOMEM;
}


int api_key_parse(struct api_key *ret, const char *authorization)
{
	struct api_key key;
	const char *s = authorization;

	if (!s || strncasecmp(s, "Bearer ", 7) != 0)
		return EBADMSG;
	s += 7 + strspn(s + 7, " ");
	if (strncmp(s, "sk_", 3) != 0 ||
	    strlen(s) != 3 + ID_CHARS + 1 + API_KEY_SECRET_CHARS ||
	    s[3 + ID_CHARS] != '_')
		return EBADMSG;

	text_format(key.id, sizeof(key.id), "key_%.*s", ID_CHARS, s + 3);
	if (!form_is_id(key.id, "key_") ||
	    hash(key.sha256, s + 3 + ID_CHARS + 1, API_KEY_SECRET_CHARS))
		return EBADMSG;

	*ret = key;
	return 0;
}


/* A connection that ends just now fails once */
static int key_read(struct request *req, const char *id, PGresult **retp)
{
	static const char sql[] =
		"SELECT encode(secret_sha256, 'hex'), "
		"coalesce(tenant_id, ''), array_to_string(scopes, ' '), "
		"coalesce(last_used_at < now() - interval '1 minute', true), "
		"CASE WHEN old_until > now() THEN encode(old_sha256, 'hex') "
		"ELSE '' END "
		"FROM core.api_key WHERE id = $1 AND status = 'active' "
		"AND (expires_at IS NULL OR expires_at > now()) "
		"AND (ip_acls = '{}' OR $2::inet <<= ANY (ip_acls))";
	const char *params[] = {id, *req->ip ? req->ip : NULL};
	int err = pg_exec(req->pg, sql, 2, params, retp);

	if (err == ECONNRESET && !pg_ready(req->pg))
		err = pg_exec(req->pg, sql, 2, params, retp);
	return err;
}


unsigned api_key_scopes(const char *list)
{
	unsigned scopes = 0;

	while (*list) {
		const size_t len = strcspn(list, " ");
		char name[32];

		if (!text_set(name, sizeof(name), list, len))
			scopes |= scope_parse(name);
		list += len + strspn(list + len, " ");
	}
	return scopes;
}


/*
 * A tenant's key never has a scope of the platform, nor the other way round,
 * whatever its row says: without a tenant a key would see everybody's rows.
 */
static void caller_set(struct caller *caller, const char *key_id,
		       const char *tenant_id, const char *scopes)
{
	text_copy(caller->key_id, sizeof(caller->key_id), key_id);
	text_copy(caller->tenant_id, sizeof(caller->tenant_id), tenant_id);
	caller->scopes = api_key_scopes(scopes);
	caller->scopes &= *tenant_id ? SCOPES_OF_TENANTS : SCOPES_OF_PLATFORM;
}


static void touch(struct request *req, const char *id)
{
	(void)pg_exec(req->pg,
		      "UPDATE core.api_key SET last_used_at = now() "
		      "WHERE id = $1",
		      1, &id, NULL);
}


/* The secret, or the one before it while its time lasts */
static bool is_secret(const struct api_key *key, const PGresult *row)
{
	static const int fields[] = {0, 4};
	bool is_one = false;

	for (size_t i = 0; i < 2; i++) {
		uint8_t stored[32] = {0};
		const bool is_there =
			!text_unhex(stored, sizeof(stored),
				    PQgetvalue(row, 0, fields[i]));

		if (!CRYPTO_memcmp(stored, key->sha256, sizeof(stored)) &&
		    is_there)
			is_one = true;
	}
	return is_one;
}


void api_key_check(struct request *req)
{
	PGresult *result = NULL;
	struct api_key key;
	int err;

	if (api_key_parse(&key, req->authorization)) {
		problem_set(&req->problem, PROBLEM_UNAUTHORIZED, "%s", "");
		return;
	}

	err = key_read(req, key.id, &result);
	if (err) {
		request_pg_failed(req, err);
		goto out;
	}

	if (PQntuples(result) != 1 || !is_secret(&key, result)) {
		problem_set(&req->problem, PROBLEM_UNAUTHORIZED, "%s", "");
		metric_add(metric_counter("strowger_api_key_refused_total",
					  NULL, "requests with a wrong key"),
			   1);
		goto out;
	}

	caller_set(&req->caller, key.id, PQgetvalue(result, 0, 1),
		   PQgetvalue(result, 0, 2));
	if (*PQgetvalue(result, 0, 3) == 't')
		touch(req, key.id);

 out:
	PQclear(result);
}


int api_key_secret(struct rng *rng, char secret[API_KEY_SECRET_CHARS + 1],
		   char hex[65])
{
	uint8_t sha256[32];
	int err;

	rng_token(rng, secret, API_KEY_SECRET_CHARS);
	err = hash(sha256, secret, API_KEY_SECRET_CHARS);
	if (!err)
		text_hex(hex, sha256, sizeof(sha256));
	return err;
}


int api_key_text(char *text, const char *id, const char *secret)
{
	return text_format(text, API_KEY_TEXT_SIZE, "sk_%s_%s", id + 4, secret);
}


int api_key_create(struct pg *pg, struct rng *rng, const char *name,
		   const char *scope, const char *tenant_id, char *text)
{
	char id[ID_TEXT_SIZE], secret[API_KEY_SECRET_CHARS + 1], hex[65];
	const char *params[] = {id, name, scope, tenant_id, hex};
	struct moment now;
	int err;

	moment_read(&now);
	id_make(id, "key_", rng, moment_wall_ms(&now));
	err = api_key_secret(rng, secret, hex);
	if (err)
		return err;

	err = pg_exec(pg,
		      "INSERT INTO core.api_key (id, name, scopes, tenant_id, "
		      "secret_sha256) VALUES ($1, $2, ARRAY[$3], $4, "
		      "decode($5, 'hex'))",
		      5, params, NULL);
	if (!err)
		err = api_key_text(text, id, secret);

	OPENSSL_cleanse(secret, sizeof(secret));
	return err;
}
