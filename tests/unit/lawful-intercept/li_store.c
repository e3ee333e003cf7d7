/**
 * @file tests/unit/lawful-intercept/li_store.c  Rows stay, sealed; one that
 * was moved or changed is seen; a store that is gone is told.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "folder.h"
#include "li_store.h"

static char seen[256];


static int collect(int64_t row, const char *bytes, size_t len, void *arg)
{
	(void)row;
	(void)arg;
	if (!bytes)
		return EBADMSG;
	cr_assert_eq(strlen(bytes), len);
	strcat(seen, bytes);
	strcat(seen, " ");

	return 0;
}


static const char *rows(struct li_store *s, enum li_kind kind)
{
	seen[0] = '\0';
	cr_assert_eq(li_store_each(s, kind, collect, NULL), 0);

	return seen;
}


static struct li_store *opened(const char *folder,
			       const struct li_secret *secret)
{
	struct li_store *s = NULL;
	bool is_lost;

	cr_assert_eq(li_store_open(&s, folder, secret, &is_lost), 0);
	cr_assert_not(is_lost);

	return s;
}


static bool file_has(const char *file, const char *text)
{
	static char bytes[1 << 20];
	FILE *f = fopen(file, "r");
	size_t n;

	cr_assert(f);
	n = fread(bytes, 1, sizeof(bytes), f);
	fclose(f);

	return memmem(bytes, n, text, strlen(text)) != NULL;
}


Test(li_store, rows_stay_and_nobody_without_the_key_reads_them)
{
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s;
	int64_t a = 0, b = 0, c = 0, none = 99;

	folder_make(folder);
	secret = folder_secret(folder);
	s = opened(folder, secret);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &a, "targetA", 7), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &b, "targetB", 7), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_DESTINATION, &c, "mdf", 3), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &none, "x", 1), ENOENT);
	cr_assert_eq(li_store_commit(s), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &a, "targetC", 7), 0);
	cr_assert_eq(li_store_commit(s), 0);
	mem_deref(s);

	s = opened(folder, secret);
	cr_assert_str_eq(rows(s, LI_KIND_TASK), "targetC targetB ");
	cr_assert_str_eq(rows(s, LI_KIND_DESTINATION), "mdf ");
	cr_assert_not(file_has(folder_file(folder, "li.db"), "target"));
	cr_assert_not(file_has(folder_file(folder, "li.db"), "mdf"));
	cr_assert_eq(li_store_delete(s, a), 0);
	cr_assert_eq(li_store_commit(s), 0);
	cr_assert_str_eq(rows(s, LI_KIND_TASK), "targetB ");
	mem_deref(s);
	mem_deref(secret);
	folder_remove(folder);
}


Test(li_store, what_is_not_committed_was_not)
{
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s;
	int64_t a = 0, b = 0;

	folder_make(folder);
	secret = folder_secret(folder);
	s = opened(folder, secret);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &a, "first", 5), 0);
	li_store_rollback(s);
	cr_assert_str_eq(rows(s, LI_KIND_TASK), "");
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &b, "second", 6), 0);
	mem_deref(s);
	s = opened(folder, secret);
	cr_assert_str_eq(rows(s, LI_KIND_TASK), "");
	mem_deref(s);
	mem_deref(secret);
	folder_remove(folder);
}


Test(li_store, rows_that_were_exchanged_do_not_open)
{
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s;
	int64_t a = 0, b = 0;

	folder_make(folder);
	secret = folder_secret(folder);
	s = opened(folder, secret);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &a, "one", 3), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &b, "two", 3), 0);
	cr_assert_eq(li_store_commit(s), 0);
	mem_deref(s);

	folder_sql(folder, "UPDATE row SET sealed = (SELECT sealed FROM row "
			   "WHERE id = 2) WHERE id = 1");
	s = opened(folder, secret);
	seen[0] = '\0';
	cr_assert_eq(li_store_each(s, LI_KIND_TASK, collect, NULL), EBADMSG);
	mem_deref(s);
	mem_deref(secret);
	folder_remove(folder);
}


Test(li_store, numbers_of_rows_are_not_used_again)
{
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s;
	int64_t a = 0, b = 0;

	folder_make(folder);
	secret = folder_secret(folder);
	s = opened(folder, secret);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &a, "one", 3), 0);
	cr_assert_eq(li_store_delete(s, a), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &b, "two", 3), 0);
	cr_assert_gt(b, a);
	mem_deref(s);
	mem_deref(secret);
	folder_remove(folder);
}


static int commit_meanwhile(const struct li_audit_row *row, void *arg)
{
	static const uint8_t mac[LI_SECRET_MAC];
	struct li_store *writer = arg;

	cr_assert_eq(li_store_audit_put(writer, row->seq + 1000, 1, "late", 4,
					mac), 0);
	cr_assert_eq(li_store_commit(writer), 0);

	return 0;
}


static int count(const struct li_audit_row *row, void *arg)
{
	(void)row;
	++*(int *)arg;

	return 0;
}


Test(li_store, who_reads_holds_up_nobody_and_reads_one_state)
{
	static const uint8_t mac[LI_SECRET_MAC];
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s, *reader;
	int n = 0;

	folder_make(folder);
	secret = folder_secret(folder);
	s = opened(folder, secret);
	cr_assert_eq(li_store_audit_put(s, 1, 1, "one", 3, mac), 0);
	cr_assert_eq(li_store_audit_put(s, 2, 1, "two", 3, mac), 0);
	cr_assert_eq(li_store_commit(s), 0);
	cr_assert_eq(li_store_look(&reader, folder, secret), 0);
	cr_assert_eq(li_store_audit_each(reader, commit_meanwhile, s), 0);
	cr_assert_eq(li_store_audit_each(reader, count, &n), 0);
	cr_assert_eq(n, 2);
	mem_deref(reader);
	mem_deref(s);
	mem_deref(secret);
	folder_remove(folder);
}


Test(li_store, a_store_that_is_gone_is_told)
{
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s;
	bool is_lost = false;

	folder_make(folder);
	secret = folder_secret(folder);
	mem_deref(opened(folder, secret));
	mem_deref(opened(folder, secret));
	cr_assert_eq(unlink(folder_file(folder, "li.db")), 0);
	cr_assert_eq(li_store_open(&s, folder, secret, &is_lost), 0);
	cr_assert(is_lost);
	mem_deref(s);
	mem_deref(secret);
	folder_remove(folder);
}


Test(li_store, a_second_one_on_the_folder_is_refused_until_the_first_ends)
{
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s, *other = NULL;
	bool is_lost;

	folder_make(folder);
	secret = folder_secret(folder);
	s = opened(folder, secret);
	cr_assert_eq(li_store_open(&other, folder, secret, &is_lost), EBUSY);
	cr_assert_eq(li_store_look(&other, folder, secret), 0);
	mem_deref(other);
	mem_deref(s);
	mem_deref(opened(folder, secret));
	mem_deref(secret);
	folder_remove(folder);
}


Test(li_store, a_folder_that_others_may_read_is_refused)
{
	char folder[FOLDER_SIZE];
	struct li_secret *secret;
	struct li_store *s = NULL;
	bool is_lost;

	folder_make(folder);
	secret = folder_secret(folder);
	cr_assert_eq(chmod(folder, 0750), 0);
	cr_assert_eq(li_store_open(&s, folder, secret, &is_lost), EACCES);
	cr_assert_eq(chmod(folder, 0700), 0);
	mem_deref(secret);
	folder_remove(folder);
}
