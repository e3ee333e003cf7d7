/**
 * @file folder.h  A folder of its own for each test, and a key in it.
 */
#ifndef FOLDER_H
#define FOLDER_H
#include <stddef.h>
#include "li_secret.h"

#define FOLDER_SIZE 64

/** Make one, 0700, in /tmp. */
void folder_make(char folder[FOLDER_SIZE]);

/** With all that is in it. */
void folder_remove(const char *folder);

/** FOLDER/name */
const char *folder_file(const char *folder, const char *name);

/** A fresh key; mem_deref() it. */
struct li_secret *folder_secret(const char *folder);

/** One statement on FOLDER/li.db, past the program. */
void folder_sql(const char *folder, const char *sql);

#endif
