/**
 * @file migrate.c  Numbered SQL files against a database.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/evp.h>
#include <re.h>
#include "migrate.h"
#include "pg.h"
#include "text.h"

#define FILE_SIZE_MAX (16u << 20)
#define MIGRATIONS_MAX 10000


const char *migration_state_name(enum migration_state state)
{
	switch (state) {
	case MIGRATION_APPLIED: return "applied";
	case MIGRATION_PENDING: return "pending";
	case MIGRATION_CHANGED: return "changed";
	case MIGRATION_MISSING: return "missing";
	case MIGRATION_LATE: return "late";
	}

	return "?";
}


/* --- files */

/** "0001_core.sql" */
static bool name_check(const char *name)
{
	const size_t len = strlen(name);
	size_t i;

	for (i = 0; i < 4; i++) {
		if (!isdigit((unsigned char)name[i]))
			return false;
	}

	return name[4] == '_' && len > 9 &&
	       len < sizeof(((struct migration *)0)->name) &&
	       !strcmp(name + len - 4, ".sql");
}


/** The whole file and a NUL; caller frees. */
static int file_read(const char *dir, const char *name, char **ret_text)
{
	char path[4096], *text;
	size_t len;
	FILE *f;
	int err = 0;

	if (text_format(path, sizeof(path), "%s/%s", dir, name))
		return ENAMETOOLONG;

	f = fopen(path, "re");
	if (!f) {
		err = errno;
		return err ? err : EIO;
	}

	text = malloc(FILE_SIZE_MAX + 1);
	if (!text) {
		err = ENOMEM;
		goto out;
	}

	len = fread(text, 1, FILE_SIZE_MAX + 1, f);
	if (ferror(f))
		err = EIO;
	else if (len > FILE_SIZE_MAX)
		err = EFBIG;
	else
		text[len] = '\0';

 out:
	(void)fclose(f);
	if (err)
		free(text);
	else
		*ret_text = text;
	return err;
}


static int file_sha256(const char *dir, const char *name, char hex[65])
{
	uint8_t digest[32];
	char *text = NULL;
	int err;

	err = file_read(dir, name, &text);
	if (err)
		return err;

	if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL))
		text_hex(hex, digest, sizeof(digest));
	else
		err = ENOMEM;
	free(text);

	return err;
}


static struct migration *migration_add(struct migrations *m, const char *name)
{
	struct migration *list;

	if (m->n == MIGRATIONS_MAX)
		return NULL;

	list = realloc(m->list, (m->n + 1) * sizeof(*list));
	if (!list)
		return NULL;

	m->list = list;
	memset(&list[m->n], 0, sizeof(*list));
	(void)text_copy(list[m->n].name, sizeof(list->name), name);

	return &list[m->n++];
}


static int directory_read(struct migrations *m, const char *dir)
{
	struct migration *added;
	struct dirent *entry;
	DIR *d = opendir(dir);
	int err = 0;

	if (!d)
		return errno;

	while (!err && (entry = readdir(d))) {
		if (!name_check(entry->d_name))
			continue;
		added = migration_add(m, entry->d_name);
		if (!added) {
			err = ENOMEM;
			continue;
		}
		added->state = MIGRATION_PENDING;
		err = file_sha256(dir, added->name, added->sha256);
	}

	(void)closedir(d);

	return err;
}


/* --- the database */

static struct migration *migration_find(const struct migrations *m,
					const char *name)
{
	size_t i;

	for (i = 0; i < m->n; i++) {
		if (!strcmp(m->list[i].name, name))
			return &m->list[i];
	}

	return NULL;
}


static int applied_note(struct migrations *m, const char *name,
			const char *sha256, const char *at)
{
	struct migration *known = migration_find(m, name);

	if (!known) {
		known = migration_add(m, name);
		if (!known)
			return ENOMEM;
		known->state = MIGRATION_MISSING;
	}
	else
		known->state = strcmp(known->sha256, sha256)
				       ? MIGRATION_CHANGED
				       : MIGRATION_APPLIED;

	(void)text_copy(known->applied_at, sizeof(known->applied_at), at);

	return 0;
}


static int ledger_read(struct migrations *m, struct pg *pg)
{
	PGresult *res = NULL;
	bool exists;
	int err, i;

	err = pg_exec(pg, "select to_regclass('core.migration') is not null",
		      0, NULL, &res);
	exists = !err && PQgetvalue(res, 0, 0)[0] == 't';
	PQclear(res);
	if (err || !exists)
		return err;

	res = NULL;
	err = pg_exec(pg, "select name, sha256, to_char(applied_at at time"
		      " zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
		      " from core.migration", 0, NULL, &res);
	for (i = 0; !err && i < PQntuples(res); i++)
		err = applied_note(m, PQgetvalue(res, i, 0),
				   PQgetvalue(res, i, 1),
				   PQgetvalue(res, i, 2));
	PQclear(res);

	return err;
}


static int migration_compare(const void *a, const void *b)
{
	const struct migration *x = a, *y = b;

	return strcmp(x->name, y->name);
}


/** What is pending before something applied would run in another order than
 *  it was written for. */
static void late_mark(struct migrations *m)
{
	bool later = false;
	size_t i;

	for (i = m->n; i-- > 0;) {
		if (m->list[i].state != MIGRATION_PENDING)
			later = true;
		else if (later)
			m->list[i].state = MIGRATION_LATE;
	}
}


static void destructor(void *arg)
{
	struct migrations *m = arg;

	free(m->list);
}


int migrations_read(struct migrations **mp, struct pg *pg, const char *dir,
		    char *why, size_t size)
{
	struct migrations *m;
	int err;

	m = mem_zalloc(sizeof(*m), destructor);
	if (!m)
		return ENOMEM;

	err = directory_read(m, dir);
	if (err) {
		(void)text_format(why, size, "%s: %s", dir, strerror(err));
		goto out;
	}

	err = ledger_read(m, pg);
	if (err) {
		(void)text_copy(why, size, pg_error(pg));
		goto out;
	}

	qsort(m->list, m->n, sizeof(*m->list), migration_compare);
	late_mark(m);

 out:
	if (err)
		mem_deref(m);
	else
		*mp = m;
	return err;
}


size_t migrations_count(const struct migrations *m, enum migration_state state)
{
	size_t i, n = 0;

	for (i = 0; i < m->n; i++)
		n += m->list[i].state == state;

	return n;
}


int migrations_begin(struct pg *pg, char *why, size_t size)
{
	static const char *const steps[] = {
		/* "migr" */
		"select pg_advisory_lock(1835624306)",
		"create schema if not exists core",
		"create table if not exists core.migration ("
		" name text primary key, sha256 text not null,"
		" applied_at timestamptz not null default now())",
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(steps) / sizeof(steps[0]) && !err; i++)
		err = pg_exec(pg, steps[i], 0, NULL, NULL);
	if (err)
		(void)text_copy(why, size, pg_error(pg));

	return err;
}


/** Line of the statement position the server gave; it counts characters. */
static unsigned error_line(const char *text, const PGresult *res)
{
	const char *position = PQresultErrorField(res,
						  PG_DIAG_STATEMENT_POSITION);
	unsigned line = 1;
	uint64_t left;

	if (!position || text_u64(&left, position, strlen(position), INT32_MAX))
		return 0;

	for (; *text && left > 1; text++) {
		if (((unsigned char)*text & 0xc0) != 0x80)
			--left;
		line += *text == '\n';
	}

	return line;
}


/** The bare message; the connection's has the statement below it as well. */
static const char *message(const PGresult *res)
{
	const char *text = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);

	return text ? text : "connection lost";
}


/** A file holds many statements, which only the simple protocol takes. */
static int file_run(struct pg *pg, const char *text, const char *name,
		    char *why, size_t size)
{
	PGresult *res = PQexec(pg_conn(pg), text);
	const ExecStatusType status = PQresultStatus(res);
	int err = 0;

	if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK &&
	    status != PGRES_EMPTY_QUERY) {
		(void)text_format(why, size, "%s:%u: %s", name,
				  error_line(text, res), message(res));
		err = EPROTO;
	}
	PQclear(res);

	return err;
}


static int file_note(struct pg *pg, const struct migration *migration,
		     char *why, size_t size)
{
	const char *params[] = {migration->name, migration->sha256};
	int err;

	err = pg_exec(pg, "insert into core.migration (name, sha256)"
		      " values ($1, $2)", 2, params, NULL);
	if (!err)
		err = pg_exec(pg, "commit", 0, NULL, NULL);
	if (err)
		(void)text_copy(why, size, pg_error(pg));

	return err;
}


int migration_apply(struct pg *pg, const char *dir,
		    const struct migration *migration, char *why, size_t size)
{
	char *text = NULL;
	int err;

	err = file_read(dir, migration->name, &text);
	if (err) {
		(void)text_format(why, size, "%s: %s", migration->name,
				  strerror(err));
		return err;
	}

	err = pg_exec(pg, "begin", 0, NULL, NULL);
	if (err)
		(void)text_copy(why, size, pg_error(pg));
	else
		err = file_run(pg, text, migration->name, why, size);
	free(text);
	if (!err)
		err = file_note(pg, migration, why, size);
	if (err)
		(void)pg_exec(pg, "rollback", 0, NULL, NULL);

	return err;
}
