/**
 * @file li_store.c  Sealed rows in SQLite.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <re.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "li_store.h"
#include "text.h"

#define BUSY_MS 200 /**< of us, who have calls to look after */

enum statement {
	ST_INSERT, ST_UPDATE, ST_DELETE, ST_EACH, ST_AUDIT_PUT, ST_AUDIT_EACH,
	ST_AUDIT_LAST, ST_N
};

struct li_store {
	sqlite3 *db;
	const struct li_secret *secret; /**< borrowed */
	sqlite3_stmt *st[ST_N];
	int lock;                       /**< FOLDER/lock; -1: only read     */
	bool in_transaction;
	int64_t given;                  /**< last number of a row           */
	uint64_t rollbacks;
};

static const char schema[] =
	"PRAGMA journal_mode = WAL;" /* who reads holds up nobody */
	"PRAGMA synchronous = FULL;"
	"PRAGMA secure_delete = ON;"
	"PRAGMA temp_store = MEMORY;"
	"PRAGMA locking_mode = NORMAL;"
	"PRAGMA trusted_schema = OFF;"
	"CREATE TABLE IF NOT EXISTS row (id INTEGER PRIMARY KEY "
	"AUTOINCREMENT, kind INTEGER NOT NULL, sealed BLOB NOT NULL);"
	"CREATE TABLE IF NOT EXISTS audit (seq INTEGER PRIMARY KEY, "
	"at_us INTEGER NOT NULL, sealed BLOB NOT NULL, mac BLOB NOT NULL);";

static const char *const sql[ST_N] = {
	[ST_INSERT] = "INSERT INTO row (id, kind, sealed) VALUES (?1, ?2, ?3)",
	[ST_UPDATE] = "UPDATE row SET sealed = ?3 WHERE id = ?1 AND kind = ?2",
	[ST_DELETE] = "DELETE FROM row WHERE id = ?1",
	[ST_EACH] = "SELECT id, sealed FROM row WHERE kind = ?1 ORDER BY id",
	[ST_AUDIT_PUT] = "INSERT INTO audit (seq, at_us, sealed, mac) "
			 "VALUES (?1, ?2, ?3, ?4)",
	[ST_AUDIT_EACH] = "SELECT seq, at_us, sealed, mac FROM audit "
			  "ORDER BY seq",
	[ST_AUDIT_LAST] = "SELECT seq, at_us, sealed, mac FROM audit "
			  "ORDER BY seq DESC LIMIT 1",
};


static void store_destructor(void *arg)
{
	struct li_store *s = arg;
	size_t i;

	for (i = 0; i < ST_N; i++)
		(void)sqlite3_finalize(s->st[i]);
	(void)sqlite3_close(s->db);
	if (s->lock >= 0)
		(void)close(s->lock); /* the last thing: another may begin */
}


static int sql_errno(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW: return 0;
	case SQLITE_BUSY:
	case SQLITE_LOCKED: return EBUSY;
	case SQLITE_FULL: return ENOSPC;
	case SQLITE_NOMEM: return ENOMEM;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB: return EBADMSG;
	case SQLITE_CANTOPEN: return ENOENT;
	case SQLITE_READONLY:
	case SQLITE_PERM: return EACCES;
	default: return EIO;
	}
}


static int prepare(struct li_store *s)
{
	size_t i;

	for (i = 0; i < ST_N; i++) {
		const int rc = sqlite3_prepare_v2(s->db, sql[i], -1,
						  &s->st[i], NULL);
		if (rc)
			return sql_errno(rc);
	}

	return 0;
}


static int folder_is_private(const char *folder)
{
	struct stat st;

	if (stat(folder, &st))
		return errno;
	if (!S_ISDIR(st.st_mode) || st.st_mode & 0077 ||
	    st.st_uid != geteuid())
		return EACCES;

	return 0;
}


static int store_alloc(struct li_store **sp, const char *file, int flags,
		       const struct li_secret *secret)
{
	struct li_store *s = mem_zalloc(sizeof(*s), store_destructor);
	int err;

	if (!s)
		return ENOMEM;

	s->secret = secret;
	s->lock = -1;
	err = sql_errno(sqlite3_open_v2(file, &s->db,
					flags | SQLITE_OPEN_FULLMUTEX, NULL));
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


/* A file that says: there was a store here. It outlives the store. */
static int mark_set(const char *mark)
{
	const int fd = open(mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);

	return 0;
}


/* SQLite lets two write by turns: they would give the same numbers */
static int folder_lock(const char *folder, int *ret_fd)
{
	char file[512];
	int fd, err = text_format(file, sizeof(file), "%s/lock", folder);

	if (err)
		return err;
	fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno == EWOULDBLOCK ? EBUSY : errno;
		(void)close(fd);
		return err;
	}
	*ret_fd = fd;

	return 0;
}


int li_store_open(struct li_store **sp, const char *folder,
		  const struct li_secret *secret, bool *is_lost)
{
	char file[512], mark[512];
	struct li_store *s = NULL;
	const mode_t mask = umask(0077);
	bool was_there;
	int lock = -1, err = folder_is_private(folder);

	err = err ? err : folder_lock(folder, &lock);
	err = err ? err : text_format(file, sizeof(file), "%s/li.db", folder);
	err = err ? err : text_format(mark, sizeof(mark), "%s/made", folder);
	if (err)
		goto out;

	was_there = !access(file, F_OK);
	err = store_alloc(&s, file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
			  secret);
	if (err)
		goto out;

	s->lock = lock;
	lock = -1;
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	err = sql_errno(sqlite3_exec(s->db, schema, NULL, NULL, NULL));
	err = err ? err : prepare(s);
	if (err)
		goto out;

	*is_lost = !was_there && !access(mark, F_OK);
	err = mark_set(mark);

 out:
	(void)umask(mask);
	if (lock >= 0)
		(void)close(lock);
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


int li_store_look(struct li_store **sp, const char *folder,
		  const struct li_secret *secret)
{
	char file[512];
	struct li_store *s;
	int err = text_format(file, sizeof(file), "%s/li.db", folder);

	err = err ? err
		  : store_alloc(&s, file, SQLITE_OPEN_READONLY, secret);
	if (err)
		return err;

	(void)sqlite3_busy_timeout(s->db, 5000);
	err = prepare(s);
	/* one look at all of it: rows that come meanwhile are not half seen */
	err = err ? err : sql_errno(sqlite3_exec(s->db, "BEGIN", NULL, NULL,
						 NULL));
	if (err)
		mem_deref(s);
	else
		*sp = s;

	return err;
}


static int begin(struct li_store *s)
{
	int err;

	if (s->in_transaction)
		return 0;

	err = sql_errno(sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL,
				     NULL));
	s->in_transaction = !err;

	return err;
}


static int run(sqlite3_stmt *st)
{
	const int rc = sqlite3_step(st);

	(void)sqlite3_reset(st);
	(void)sqlite3_clear_bindings(st);

	return rc == SQLITE_DONE ? 0 : sql_errno(rc);
}


/* A row says what it is: it opens nowhere else */
static void row_aad(uint8_t aad[12], enum li_kind kind, int64_t row)
{
	size_t i;

	for (i = 0; i < 4; i++)
		aad[i] = (uint8_t)((unsigned)kind >> (8 * i));
	for (i = 0; i < 8; i++)
		aad[4 + i] = (uint8_t)((uint64_t)row >> (8 * i));
}


/* The number has to be known before the row is sealed */
static int row_next(struct li_store *s, int64_t *row)
{
	sqlite3_stmt *st = NULL;
	int err = sql_errno(sqlite3_prepare_v2(
		s->db, "SELECT max(coalesce((SELECT max(id) FROM row), 0), "
		       "coalesce((SELECT seq FROM sqlite_sequence "
		       "WHERE name = 'row'), 0)) + 1", -1, &st, NULL));

	if (!err && sqlite3_step(st) == SQLITE_ROW)
		*row = sqlite3_column_int64(st, 0);
	else
		err = err ? err : EIO;
	(void)sqlite3_finalize(st);
	if (err)
		return err;

	/* not one that went with a transaction: somebody may still hold it */
	if (*row <= s->given)
		*row = s->given + 1;
	s->given = *row;

	return 0;
}


int li_store_put(struct li_store *s, enum li_kind kind, int64_t *row,
		 const void *bytes, size_t len)
{
	const bool is_new = *row == 0;
	sqlite3_stmt *st = s->st[is_new ? ST_INSERT : ST_UPDATE];
	int64_t id = *row;
	uint8_t *sealed, aad[12];
	int err;

	if (len > LI_ROW_MAX)
		return E2BIG;
	err = begin(s);
	if (!err && is_new)
		err = row_next(s, &id);
	if (err)
		return err;

	sealed = mem_alloc(len + LI_SECRET_OVERHEAD, NULL);
	if (!sealed)
		return ENOMEM;
	row_aad(aad, kind, id);
	err = li_secret_seal(s->secret, LI_SECRET_STORE, aad, sizeof(aad),
			     bytes, len, sealed);
	if (!err) {
		(void)sqlite3_bind_int64(st, 1, id);
		(void)sqlite3_bind_int(st, 2, kind);
		(void)sqlite3_bind_blob64(st, 3, sealed,
					  len + LI_SECRET_OVERHEAD,
					  SQLITE_STATIC);
		err = run(st);
	}
	if (!err && sqlite3_changes(s->db) != 1)
		err = ENOENT;
	mem_deref(sealed);
	if (!err)
		*row = id;

	return err;
}


int li_store_delete(struct li_store *s, int64_t row)
{
	int err = begin(s);

	if (err)
		return err;

	(void)sqlite3_bind_int64(s->st[ST_DELETE], 1, row);

	return run(s->st[ST_DELETE]);
}


static int row_tell(const struct li_store *s, enum li_kind kind, int64_t row,
		    const uint8_t *sealed, size_t len, li_store_h *h,
		    void *arg)
{
	uint8_t aad[12];
	char *plain;
	int err;

	if (!sealed || len < LI_SECRET_OVERHEAD ||
	    len > LI_ROW_MAX + LI_SECRET_OVERHEAD)
		return h(row, NULL, 0, arg);

	plain = mem_zalloc(len - LI_SECRET_OVERHEAD + 1, NULL);
	if (!plain)
		return ENOMEM;
	row_aad(aad, kind, row);
	err = li_secret_open(s->secret, LI_SECRET_STORE, aad, sizeof(aad),
			     sealed, len, plain);
	err = err ? h(row, NULL, 0, arg)
		  : h(row, plain, len - LI_SECRET_OVERHEAD, arg);
	OPENSSL_cleanse(plain, len - LI_SECRET_OVERHEAD);
	mem_deref(plain);

	return err;
}


int li_store_each(struct li_store *s, enum li_kind kind, li_store_h *h,
		  void *arg)
{
	sqlite3_stmt *st = s->st[ST_EACH];
	int err = 0, rc = SQLITE_DONE;

	(void)sqlite3_bind_int(st, 1, kind);
	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW)
		err = row_tell(s, kind, sqlite3_column_int64(st, 0),
			       sqlite3_column_blob(st, 1),
			       (size_t)sqlite3_column_bytes(st, 1), h, arg);
	(void)sqlite3_reset(st);

	return err ? err : sql_errno(rc);
}


int li_store_audit_put(struct li_store *s, int64_t seq, int64_t at_us,
		       const void *sealed, size_t len,
		       const uint8_t mac[LI_SECRET_MAC])
{
	sqlite3_stmt *st = s->st[ST_AUDIT_PUT];
	int err = begin(s);

	if (err)
		return err;

	(void)sqlite3_bind_int64(st, 1, seq);
	(void)sqlite3_bind_int64(st, 2, at_us);
	(void)sqlite3_bind_blob64(st, 3, sealed, len, SQLITE_STATIC);
	(void)sqlite3_bind_blob64(st, 4, mac, LI_SECRET_MAC, SQLITE_STATIC);

	return run(st);
}


static int audit_tell(sqlite3_stmt *st, li_store_audit_h *h, void *arg)
{
	int err = 0, rc = SQLITE_DONE;

	while (!err && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		const struct li_audit_row row = {
			.seq = sqlite3_column_int64(st, 0),
			.at_us = sqlite3_column_int64(st, 1),
			.sealed = sqlite3_column_blob(st, 2),
			.len = (size_t)sqlite3_column_bytes(st, 2),
			.mac = sqlite3_column_blob(st, 3),
			.mac_len = (size_t)sqlite3_column_bytes(st, 3),
		};

		err = h(&row, arg);
	}
	(void)sqlite3_reset(st);

	return err ? err : sql_errno(rc);
}


int li_store_audit_each(struct li_store *s, li_store_audit_h *h, void *arg)
{
	return audit_tell(s->st[ST_AUDIT_EACH], h, arg);
}


int li_store_audit_last(struct li_store *s, li_store_audit_h *h, void *arg)
{
	return audit_tell(s->st[ST_AUDIT_LAST], h, arg);
}


int li_store_commit(struct li_store *s)
{
	int err;

	if (!s->in_transaction)
		return 0;

	err = sql_errno(sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL));
	if (!err)
		s->in_transaction = false;

	return err;
}


void li_store_rollback(struct li_store *s)
{
	if (s->in_transaction) {
		(void)sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
		s->rollbacks++;
	}
	s->in_transaction = false;
}


uint64_t li_store_rollbacks(const struct li_store *s)
{
	return s->rollbacks;
}
