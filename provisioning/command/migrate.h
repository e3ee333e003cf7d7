/**
 * @file migrate.h  Numbered SQL files and what a database has of them. Files
 * only ever go forward, one transaction each; core.migration remembers their
 * SHA-256, so that a file changed after it was applied is seen.
 */
#ifndef MIGRATE_H
#define MIGRATE_H
#include <stdbool.h>
#include <stddef.h>

struct pg;

enum migration_state {
	MIGRATION_APPLIED,
	MIGRATION_PENDING,
	MIGRATION_CHANGED, /**< applied, but the file is another one now    */
	MIGRATION_MISSING, /**< applied, and no file: a newer program did it */
	MIGRATION_LATE,    /**< not applied, though a later one is          */
};

struct migration {
	char name[96];
	char sha256[65];     /**< of the file; "" when missing               */
	char applied_at[40]; /**< "" when not applied                        */
	enum migration_state state;
};

struct migrations {
	struct migration *list; /**< by name                                 */
	size_t n;
};

const char *migration_state_name(enum migration_state state);

/**
 * Compare a directory with a database; changes nothing.
 * @param why  says what went wrong
 * @return 0; errno of the directory; of pg_exec()
 */
int migrations_read(struct migrations **mp, struct pg *pg, const char *dir,
		    char *why, size_t size);

/** How many have this state? */
size_t migrations_count(const struct migrations *m,
			enum migration_state state);

/**
 * Run one file in a transaction and write it down.
 * @param why  "FILE:LINE: message of the server"
 * @return 0; errno of the file; EPROTO or ECONNRESET
 */
int migration_apply(struct pg *pg, const char *dir,
		    const struct migration *migration, char *why,
		    size_t size);

/** Create the ledger and take the lock that keeps others away; the lock goes
 *  with the connection. */
int migrations_begin(struct pg *pg, char *why, size_t size);

#endif
