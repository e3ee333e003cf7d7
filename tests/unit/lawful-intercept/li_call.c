/**
 * @file tests/unit/lawful-intercept/li_call.c  Numbers of a flow: none means
 * two things, and what may be lost is a gap.
 */
#include "li_call.h"
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include "folder.h"

#define NOW_US (1800000000LL * 1000000)
#define SWITCH 1

static char folder[FOLDER_SIZE], told[512];
static struct li_secret *secret;
static struct li_store *store;
static struct li_audit *audit;
static struct li_registry *registry;
static struct li_index *index_;
static struct li_calls *calls;
static struct li_settings settings;
static int unread_n;
static struct poi_message m;


static void flow_told(const struct li_flow_note *n, void *arg)
{
	static const char *const names[] = {"start", "stop", "loss"};

	(void)arg;
	sprintf(told + strlen(told), "%s %u %u;", names[n->event],
		(unsigned)n->x2, (unsigned)n->x3);
}


static void changed(void *arg)
{
	(void)arg;
	if (!calls)
		return;
	(void)li_index_build(index_, li_registry_tasks(registry), NOW_US);
	li_calls_follow(calls, NOW_US);
}


static void unread(enum li_kind kind, int64_t row, void *arg)
{
	cr_assert_eq(kind, LI_KIND_FLOW);
	cr_assert(row > 0);
	(void)arg;
	unread_n++;
}


static struct li_act act(void)
{
	return (struct li_act){.wall_us = NOW_US, .event = "x1"};
}


#define XID "29f28e1c-f230-486a-a860-f5a784ab917"


/* @param more  elements after the list of destinations */
static void task_with(const char *xid, const char *more)
{
	static const char form[] =
		"<taskDetails xmlns='" LI_XML_X1 "'><xId>%s</xId>"
		"<targetIdentifiers><targetIdentifier><e164Number>4930123"
		"</e164Number></targetIdentifier></targetIdentifiers>"
		"<deliveryType>X2andX3</deliveryType><listOfDIDs>"
		"<dId>8a3ee3f5-3d3e-4a1b-9df5-5f5c3f3a3a01</dId></listOfDIDs>"
		"%s</taskDetails>";
	char text[1024];
	const struct li_act why = act();
	struct li_refusal refusal;
	struct li_xml *x;
	struct li_task *t;

	(void)snprintf(text, sizeof(text), form, xid, more);
	cr_assert_eq(li_xml_parse(&x, text, strlen(text)), 0);
	cr_assert_eq(li_task_make(&t, li_xml_root(x), &settings.numbering,
				  &refusal), 0);
	cr_assert_eq(li_registry_task_put(registry, t, &why), 0);
	mem_deref(x);
}


static void task_put(void)
{
	task_with(XID "2", "");
}


static void task_remove(void)
{
	const struct li_act why = act();

	cr_assert_eq(li_registry_task_remove(
			     registry,
			     list_head(li_registry_tasks(registry))->data,
			     &why), 0);
}


static void opened(void)
{
	bool is_lost;

	cr_assert_eq(li_store_open(&store, folder, secret, &is_lost), 0);
	cr_assert_eq(li_audit_open(&audit, store, secret), 0);
	cr_assert_eq(li_registry_alloc(&registry, store, audit,
				       &settings.numbering, changed, NULL), 0);
	cr_assert_eq(li_index_alloc(&index_), 0);
	cr_assert_eq(li_calls_alloc(&calls, &settings, store, registry, NULL,
				    index_, flow_told, NULL), 0);
	cr_assert_eq(li_calls_load(calls, unread, NULL), 0);
}


static void closed(void)
{
	calls = mem_deref(calls);
	index_ = mem_deref(index_);
	registry = mem_deref(registry);
	audit = mem_deref(audit);
	store = mem_deref(store);
}


static void setup(void)
{
	folder_make(folder);
	secret = folder_secret(folder);
	opened();
	task_put();
}


static void teardown(void)
{
	closed();
	secret = mem_deref(secret);
	folder_remove(folder);
}


static void call_comes(uint8_t call)
{
	m = (struct poi_message){.type = POI_CALL};
	memset(m.call.call, call, POI_ID_SIZE);
	m.call.wall_ns = NOW_US * 1000;
	m.call.session = POI_SESSION_CALL;
	m.call.n = 1;
	m.call.match[0].id = li_index_get(index_, 0).id;
	m.call.match[0].role = POI_CALLING;
	li_calls_message(calls, SWITCH, &m);
}


/* numbers go without a PDU that somebody would have to take */
static void uses(uint8_t call, uint32_t x2, uint32_t x3)
{
	m = (struct poi_message){.type = POI_LOST};
	memset(m.lost.call, call, POI_ID_SIZE);
	m.lost.sip = x2;
	m.lost.rtp[0] = x3;
	li_calls_message(calls, SWITCH, &m);
	told[0] = '\0';
}


static void call_ends(uint8_t call)
{
	m = (struct poi_message){.type = POI_END};
	memset(m.end.call, call, POI_ID_SIZE);
	m.end.wall_ns = NOW_US * 1000;
	li_calls_message(calls, SWITCH, &m);
}


static int count(int64_t row, const char *bytes, size_t len, void *arg)
{
	(void)row;
	(void)bytes;
	(void)len;
	++*(int *)arg;

	return 0;
}


static int blocks(void)
{
	int n = 0;

	cr_assert_eq(li_store_each(store, LI_KIND_FLOW, count, &n), 0);

	return n;
}


Test(li_call, numbers_go_on_when_a_task_comes_back, .init = setup,
     .fini = teardown)
{
	call_comes(1);
	cr_assert_str_eq(told, "start 0 0;");
	uses(1, 5, 7);
	task_remove();
	task_put();
	call_comes(1);
	cr_assert_str_eq(told, "stop 0 0;start 5 7;");
	told[0] = '\0';
	call_ends(1);
	call_comes(1);
	cr_assert_str_eq(told, "stop 0 0;start 5 7;");
	cr_assert_eq(blocks(), 1);
	call_ends(1);
	li_calls_tidy(calls, NOW_US + 25 * 3600 * 1000000LL);
	cr_assert_eq(blocks(), 0);
}


Test(li_call, a_link_that_broke_is_a_gap, .init = setup, .fini = teardown)
{
	call_comes(1);
	uses(1, 5, 7);
	li_calls_gone(calls, SWITCH, NOW_US);
	call_comes(1);
	cr_assert_str_eq(told, "stop 0 0;start 6 8;loss 1 1;");
}


Test(li_call, numbers_are_on_disk_before_anything_leaves, .init = setup,
     .fini = teardown)
{
	cr_assert_not(li_calls_are_dirty(calls));
	call_comes(1);
	cr_assert(li_calls_are_dirty(calls));
	li_calls_write(calls, NOW_US);
	cr_assert_eq(li_audit_commit(audit, NOW_US, NULL, NULL), 0);
	cr_assert_not(li_calls_are_dirty(calls));
	closed();
	opened();
	task_put();
	told[0] = '\0';
	call_comes(1);
	cr_assert_str_eq(told, "start 4096 4096;");
}


Test(li_call, blocks_of_a_transaction_that_was_given_up_are_written_again,
     .init = setup, .fini = teardown)
{
	call_comes(1);
	li_store_rollback(store);
	call_comes(2); /* gets no row that the first one still holds */
	cr_assert_eq(blocks(), 1);
	li_calls_write(calls, NOW_US);
	cr_assert_eq(blocks(), 2);
	cr_assert_eq(li_store_commit(store), 0);
	li_calls_write(calls, NOW_US);
	cr_assert_eq(blocks(), 2);
}


Test(li_call, numbers_that_cannot_be_read_are_not_given_again, .init = setup,
     .fini = teardown)
{
	int64_t row = 0;

	cr_assert_eq(li_store_put(store, LI_KIND_FLOW, &row, "rubbish", 7), 0);
	cr_assert_eq(li_store_commit(store), 0);
	closed();
	opened();
	cr_assert_eq(unread_n, 1, "it starts, and tells");
	task_put();
	told[0] = '\0';
	call_comes(1);
	cr_assert_str_eq(told, "start 0 0;", "a new call");
	told[0] = '\0';
	m.call.in_progress = true;
	memset(m.call.call, 2, POI_ID_SIZE);
	li_calls_message(calls, SWITCH, &m);
	cr_assert_str_eq(told, "start 16777216 16777216;", "one that was up");
}


/* An MDF sees XID and correlation: by these two a number means one thing */
Test(li_call, calls_of_one_correlation_share_their_numbers, .init = setup,
     .fini = teardown)
{
	task_with(XID "2", "<correlationID>7</correlationID>");
	call_comes(1);
	uses(1, 5, 7);
	call_comes(2);
	cr_assert_str_eq(told, "start 5 7;");
	uses(2, 1, 1);
	uses(1, 1, 1);
	call_ends(1);
	told[0] = '\0';
	call_ends(2);
	call_comes(3);
	cr_assert_str_eq(told, "stop 0 0;start 7 9;");
	call_ends(3);
	li_calls_tidy(calls, NOW_US + 25 * 3600 * 1000000LL);
	told[0] = '\0';
	call_comes(4);
	cr_assert_str_eq(told, "start 7 9;", "however long it was away");
	call_ends(4);
	task_remove();
	li_calls_tidy(calls, NOW_US + 50 * 3600 * 1000000LL);
	cr_assert_eq(blocks(), 0, "until it is deactivated");
}


Test(li_call, a_correlation_goes_on_behind_a_crash_and_a_broken_link,
     .init = setup, .fini = teardown)
{
	task_with(XID "2", "<correlationID>7</correlationID>");
	call_comes(1);
	uses(1, 5, 7);
	li_calls_gone(calls, SWITCH, NOW_US);
	call_comes(2);
	cr_assert_str_eq(told, "stop 0 0;start 6 8;loss 1 1;");
	li_calls_write(calls, NOW_US);
	cr_assert_eq(li_audit_commit(audit, NOW_US, NULL, NULL), 0);
	closed();
	opened();
	task_with(XID "2", "<correlationID>7</correlationID>");
	told[0] = '\0';
	call_comes(3);
	cr_assert_str_eq(told, "start 4102 4104;");
}


Test(li_call, tasks_of_one_product_share_their_numbers, .init = setup,
     .fini = teardown)
{
	task_remove();
	task_with(XID "2", "<productID>" XID "9</productID>");
	call_comes(1);
	uses(1, 5, 7);
	task_with(XID "3", "<productID>" XID "9</productID>");
	cr_assert_str_eq(told, "start 5 7;");
	uses(1, 1, 1); /* of each */
	told[0] = '\0';
	task_with(XID "3", ""); /* not of it any more: its own */
	cr_assert_str_eq(told, "stop 0 0;start 0 0;");
	told[0] = '\0';
	call_ends(1);
	call_comes(1);
	cr_assert_str_eq(told, "stop 0 0;stop 0 0;start 7 9;start 0 0;");
}
