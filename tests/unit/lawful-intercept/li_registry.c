/**
 * @file tests/unit/lawful-intercept/li_registry.c  A row that cannot be read
 * costs what it says, not all the others.
 */
#include "li_registry.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "folder.h"

static const char destination[] =
	"{\"owner\":2,\"did\":\"8a3ee3f5-3d3e-4a1b-9df5-5f5c3f3a3a01\"";


static int unread_n;


static void unread(enum li_kind kind, int64_t row, void *arg)
{
	(void)kind;
	cr_assert_eq(row, *(int64_t *)arg + unread_n);
	unread_n++;
}


static void changed(void *arg)
{
	(void)arg;
}


static int count(int64_t row, const char *bytes, size_t len, void *arg)
{
	(void)row;
	(void)bytes;
	(void)len;
	++*(int *)arg;

	return 0;
}


static struct li_task *task_made(void)
{
	static const char text[] =
		"<taskDetails xmlns='" LI_XML_X1 "'>"
		"<xId>29f28e1c-f230-486a-a860-f5a784ab9172</xId>"
		"<targetIdentifiers><targetIdentifier><e164Number>&#13;4930123"
		"</e164Number></targetIdentifier></targetIdentifiers>"
		"<deliveryType>X2Only</deliveryType><listOfDIDs>"
		"<dId>8a3ee3f5-3d3e-4a1b-9df5-5f5c3f3a3a01</dId></listOfDIDs>"
		"</taskDetails>";
	const struct poi_numbering numbering = {.country = "49"};
	struct li_refusal why;
	struct li_xml *x;
	struct li_task *t;

	cr_assert_eq(li_xml_parse(&x, text, strlen(text)), 0);
	cr_assert_eq(li_task_make(&t, li_xml_root(x), &numbering, &why), 0);
	mem_deref(x);

	return t;
}


static char *task_text(void)
{
	struct li_task *t = task_made();
	json_t *j = li_task_json(t);
	char *json = json_dumps(j, JSON_COMPACT);

	json_decref(j);
	mem_deref(t);

	return json;
}


Test(li_registry, a_row_that_cannot_be_read_is_told_and_stays)
{
	const struct poi_numbering numbering = {.country = "49"};
	char folder[FOLDER_SIZE], *good = task_text();
	struct li_registry *r;
	struct li_secret *secret;
	struct li_store *s;
	int64_t row[3] = {0};
	bool is_lost;
	int n = 0;

	folder_make(folder);
	secret = folder_secret(folder);
	cr_assert_eq(li_store_open(&s, folder, secret, &is_lost), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_DESTINATION, &row[0], destination,
				  strlen(destination)), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &row[1], "{}", 2), 0);
	cr_assert_eq(li_store_put(s, LI_KIND_TASK, &row[2], good,
				  strlen(good)), 0);
	cr_assert_eq(li_store_commit(s), 0);

	cr_assert_eq(li_registry_alloc(&r, s, NULL, &numbering, changed, NULL),
		     0);
	cr_assert_eq(li_registry_load(r, unread, &row[0]), 0);
	cr_assert_eq(unread_n, 2);
	cr_assert_eq(list_count(li_registry_destinations(r)), 0);
	/* and what was taken with a carriage return is read again */
	cr_assert_eq(list_count(li_registry_tasks(r)), 1);
	cr_assert_eq(li_store_each(s, LI_KIND_TASK, count, &n), 0);
	cr_assert_eq(n, 2);
	mem_deref(r);
	mem_deref(s);
	mem_deref(secret);
	free(good);
	folder_remove(folder);
}


/* @return as li_registry_task_put() */
static int task_put(struct li_registry *r, unsigned number, size_t targets)
{
	const struct li_act why = {.wall_us = 1, .event = "x1"};
	struct li_task *t = task_made();
	int err;

	memcpy(t->xid, &number, sizeof(number));
	for (size_t i = 1; i < targets; i++)
		t->target[i] = t->target[0];
	t->target_n = targets;
	err = li_registry_task_put(r, t, &why);
	if (err)
		mem_deref(t);

	return err;
}


/* What a switch cannot look for is refused, and not silently not sought */
Test(li_registry, more_targets_than_can_be_sought_are_refused, .timeout = 120)
{
	const unsigned full = POI_TARGETS_MAX / LI_TASK_TARGETS;
	const struct poi_numbering numbering = {.country = "49"};
	char folder[FOLDER_SIZE];
	struct li_registry *r;
	struct li_secret *secret;
	struct li_audit *audit;
	struct li_store *s;
	bool is_lost;

	folder_make(folder);
	secret = folder_secret(folder);
	cr_assert_eq(li_store_open(&s, folder, secret, &is_lost), 0);
	cr_assert_eq(li_audit_open(&audit, s, secret), 0);
	cr_assert_eq(li_registry_alloc(&r, s, audit, &numbering, changed,
				       NULL), 0);
	for (unsigned i = 1; i < full; i++)
		cr_assert_eq(task_put(r, i, LI_TASK_TARGETS), 0);
	cr_assert_eq(task_put(r, full, LI_TASK_TARGETS - 1), 0);
	cr_assert_eq(task_put(r, full + 1, 2), EDQUOT);
	cr_assert_eq(list_count(li_registry_tasks(r)), full);
	/* in the place of one: its own targets do not count twice */
	cr_assert_eq(task_put(r, full, LI_TASK_TARGETS), 0);
	cr_assert_eq(task_put(r, full + 1, 1), EDQUOT);
	cr_assert_eq(task_put(r, full, LI_TASK_TARGETS - 1), 0);
	cr_assert_eq(task_put(r, full + 1, 1), 0);
	mem_deref(r);
	mem_deref(audit);
	mem_deref(s);
	mem_deref(secret);
	folder_remove(folder);
}
