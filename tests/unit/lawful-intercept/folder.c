/**
 * @file folder.c  Folders of tests.
 */
#include "folder.h"
#include "key_file.h"
#include <criterion/criterion.h>
#include <dirent.h>
#include <re.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>


void folder_make(char folder[FOLDER_SIZE])
{
	strcpy(folder, "/tmp/strowger-li-test-XXXXXX");
	cr_assert(mkdtemp(folder));
}


void folder_remove(const char *folder)
{
	DIR *d = opendir(folder);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *file = folder_file(folder, e->d_name);

		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (unlink(file)) {
			char inner[512];

			snprintf(inner, sizeof(inner), "%s", file);
			folder_remove(inner);
		}
	}
	if (d)
		closedir(d);
	rmdir(folder);
}


const char *folder_file(const char *folder, const char *name)
{
	static char file[512];
	char copy[256];

	snprintf(copy, sizeof(copy), "%s", folder);
	snprintf(file, sizeof(file), "%s/%s", copy, name);

	return file;
}


struct li_secret *folder_secret(const char *folder)
{
	struct li_secret *s = NULL;

	cr_assert_eq(key_file_make(folder_file(folder, "key")), 0);
	cr_assert_eq(li_secret_load(&s, folder_file(folder, "key")), 0);

	return s;
}


void folder_sql(const char *folder, const char *sql)
{
	sqlite3 *db;

	cr_assert_eq(sqlite3_open(folder_file(folder, "li.db"), &db), 0);
	cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), 0, "%s",
		     sqlite3_errmsg(db));
	sqlite3_close(db);
}
