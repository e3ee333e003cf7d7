/**
 * @file tests/unit/lawful-intercept/li_audit.c  Whoever changes, takes away
 * or adds a record is found out, and the first wrong record is named.
 */
#include "li_audit.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "folder.h"

static char folder[FOLDER_SIZE];
static struct li_secret *secret;
static struct li_store *store;
static struct li_audit *audit;


static void opened(void)
{
	bool is_lost;

	cr_assert_eq(li_store_open(&store, folder, secret, &is_lost), 0);
	cr_assert_eq(li_audit_open(&audit, store, secret), 0);
}


static void closed(void)
{
	audit = mem_deref(audit);
	store = mem_deref(store);
}


static void setup(void)
{
	folder_make(folder);
	secret = folder_secret(folder);
	opened();
}


static void teardown(void)
{
	closed();
	secret = mem_deref(secret);
	folder_remove(folder);
}


static void row_put(void)
{
	int64_t row = 0;

	cr_assert_eq(li_store_put(store, LI_KIND_TASK, &row, "x", 1), 0);
}


static void five(void)
{
	int i;

	for (i = 1; i <= 5; i++)
		cr_assert_eq(li_audit_commit(audit, i * 1000, "x1",
					     json_pack("{si}", "n", i)), 0);
	cr_assert_eq(li_audit_count(audit), 5);
}


static void verify(int err, int64_t seq, const char *what, int64_t count)
{
	struct li_audit_fault f;

	cr_assert_eq(li_audit_verify(store, secret, &f), err);
	cr_assert_eq(f.seq, seq, "%lld", (long long)f.seq);
	cr_assert_eq(f.count, count);
	if (what)
		cr_assert_str_eq(f.what, what);
}


/* past the program, as somebody with the file would */
static void tampered(const char *sql)
{
	five();
	closed();
	folder_sql(folder, sql);
	cr_assert_eq(li_store_look(&store, folder, secret), 0);
}


static int print(int64_t seq, int64_t at_us, const char *json, void *arg)
{
	char *text = arg;

	sprintf(text + strlen(text), "%lld %lld %s\n", (long long)seq,
		(long long)at_us, json);

	return 0;
}


Test(li_audit, records_go_on_after_a_restart_and_are_read_again,
     .init = setup, .fini = teardown)
{
	char text[1024] = "";

	verify(0, 0, NULL, 0);
	li_audit_note(audit, 1, "a", NULL);
	cr_assert(li_audit_waits(audit));
	cr_assert_eq(li_audit_commit(audit, 2, "b", NULL), 0);
	cr_assert_not(li_audit_waits(audit));
	closed();
	opened();
	cr_assert_eq(li_audit_commit(audit, 3, "c",
				     json_pack("{ss}", "who", "admf-1")), 0);
	verify(0, 0, NULL, 3);
	cr_assert_eq(li_audit_each(store, secret, print, text), 0);
	cr_assert_str_eq(text, "1 1 {\"event\":\"a\"}\n2 2 {\"event\":\"b\"}\n"
			       "3 3 {\"event\":\"c\",\"who\":\"admf-1\"}\n");
}


Test(li_audit, a_changed_record_is_named, .init = setup, .fini = teardown)
{
	tampered("UPDATE audit SET sealed = zeroblob(60) WHERE seq = 3");
	verify(EBADMSG, 3, "changed", 2);
}


Test(li_audit, a_changed_time_is_named, .init = setup, .fini = teardown)
{
	tampered("UPDATE audit SET at_us = 4001 WHERE seq = 4");
	verify(EBADMSG, 4, "changed", 3);
}


Test(li_audit, a_removed_record_is_named, .init = setup, .fini = teardown)
{
	tampered("DELETE FROM audit WHERE seq = 2");
	verify(EBADMSG, 2, "missing", 1);
}


Test(li_audit, the_first_and_the_last_are_missed, .init = setup,
     .fini = teardown)
{
	tampered("DELETE FROM audit WHERE seq = 1");
	verify(EBADMSG, 1, "missing", 0);
	store = mem_deref(store);
	folder_sql(folder, "DELETE FROM audit");
	cr_assert_eq(li_store_look(&store, folder, secret), 0);
	verify(EBADMSG, 1, "missing", 0);
}


Test(li_audit, records_cut_off_at_the_end_are_missed, .init = setup,
     .fini = teardown)
{
	tampered("DELETE FROM audit WHERE seq > 3");
	verify(EBADMSG, 4, "missing", 3);
}


Test(li_audit, closing_the_gap_by_new_numbers_does_not_help, .init = setup,
     .fini = teardown)
{
	tampered("DELETE FROM audit WHERE seq = 2;"
		 "UPDATE audit SET seq = seq - 1 WHERE seq > 2");
	verify(EBADMSG, 2, "changed", 1);
}


Test(li_audit, without_the_row_of_the_end_it_is_not_whole, .init = setup,
     .fini = teardown)
{
	tampered("DELETE FROM row WHERE kind = 4");
	verify(EBADMSG, 1, "added", 5);
}


Test(li_audit, a_program_does_not_go_on_after_a_cut_end, .init = setup,
     .fini = teardown)
{
	struct li_audit *a = NULL;
	bool is_lost;

	tampered("DELETE FROM audit WHERE seq = 5");
	store = mem_deref(store);
	cr_assert_eq(li_store_open(&store, folder, secret, &is_lost), 0);
	cr_assert_eq(li_audit_open(&a, store, secret), EBADMSG);
}


Test(li_audit, an_act_that_does_not_get_on_disk_leaves_nothing,
     .init = setup, .fini = teardown)
{
	int64_t row = 0;

	five();
	li_audit_note(audit, 6000, "start", NULL);
	/* the disk takes nothing for now */
	folder_sql(folder, "CREATE TRIGGER no BEFORE INSERT ON audit "
			   "BEGIN SELECT RAISE(ABORT, 'full'); END");
	cr_assert_eq(li_store_put(store, LI_KIND_TASK, &row, "task", 4), 0);
	cr_assert_neq(li_audit_commit(audit, 7000, "x1", NULL), 0);
	cr_assert_eq(li_audit_count(audit), 5);
	folder_sql(folder, "DROP TRIGGER no");

	/* what waited is not lost, the act is not there */
	cr_assert(li_audit_waits(audit));
	cr_assert_eq(li_audit_commit(audit, 8000, NULL, NULL), 0);
	verify(0, 0, NULL, 6);
	closed();
	opened();
	verify(0, 0, NULL, 6);
}


Test(li_audit, what_does_not_fit_is_counted, .init = setup, .fini = teardown)
{
	int i;

	for (i = 0; i < LI_AUDIT_WAITING_MAX + 7; i++)
		li_audit_note(audit, i, "start", NULL);
	cr_assert_eq(li_audit_commit(audit, 1, NULL, NULL), 0);
	verify(0, 0, NULL, LI_AUDIT_WAITING_MAX + 1);
}


/* Rows come with records: where there are no records, somebody took them */
Test(li_audit, all_of_it_is_gone, .init = setup, .fini = teardown)
{
	row_put();
	tampered("DELETE FROM audit; DELETE FROM row WHERE kind = 4");
	verify(EBADMSG, 1, "missing", 0);
	closed();
	cr_assert_eq(li_store_look(&store, folder, secret), 0);
	cr_assert_eq(li_audit_open(&audit, store, secret), EBADMSG);
}
