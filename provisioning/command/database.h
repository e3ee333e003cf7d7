/**
 * @file database.h  What the database commands and the doctor share: a
 * connection now, and the folder of migrations.
 */
#ifndef DATABASE_H
#define DATABASE_H
#include <stddef.h>

struct options;
struct pg;

/** Connect. @param why  the server's or libpq's reason. @return 0 or errno */
int database_open(struct pg **pgp, const struct options *opt, char *why,
		  size_t size);

/**
 * --dir, else sql/migrate beside the program (a build tree), else
 * ../share/strowger/sql/migrate from it (installed).
 */
const char *database_dir(const struct options *opt, char *buf, size_t size);

#endif
