/**
 * @file worker_page.c  Lists of the operator come in pages: each live call and
 * each binding once, in order, whatever else is asked for.
 */
#include "json.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

#define SDP exchange_sdp("10.1.0.1", 4000, "")
#define N 5

/* Without the two channels that it has there */
#define TRUNK "{\"tenant_id\":\"ten_1\",\"account_id\":\"acc_1\"," \
	"\"rate_deck_id\":\"dck_1\",\"status\":\"active\",\"direction\":" \
	"\"both\",\"cli_policy\":\"pass\",\"number_in\":[{\"prefix\":\"00\"," \
	"\"strip\":2,\"add\":\"+\"},{\"prefix\":\"+\"}],\"max_call_s\":600," \
	"\"ring_timeout_s\":60,\"media_timeout_s\":20}"


/* Takes the reference of what is asked. */
static json_t *ask(struct exchange *x, const char *op, json_t *more)
{
	char *question, *said;
	json_t *answer;

	json_object_set_new(more, "op", json_string(op));
	question = json_dumps(more, JSON_COMPACT);
	said = worker_command(x->worker, &x->now, question, strlen(question));
	answer = json_loads(said, 0, NULL);
	free(said);
	free(question);
	json_decref(more);

	return answer;
}


/* The keys of all rows, page by page, as "a b c " */
static void walk(struct exchange *x, const char *op, const char *key,
		 const char *filter, const char *value, bool newest_first,
		 int limit, char *keys, size_t size)
{
	char after[64] = "";
	bool has_more = true;

	keys[0] = '\0';
	for (unsigned i = 0; has_more && i < 2 * N; i++) {
		json_t *more = json_pack("{s:i, s:b, s:s*, s:s*}", "limit",
					 limit, "newest_first", newest_first,
					 "after", after[0] ? after : NULL,
					 filter, value);
		json_t *page = ask(x, op, more);
		const json_t *rows = json_object_get(page, op);

		cr_assert(json_array_size(rows) <= (size_t)limit);
		for (size_t k = 0; k < json_array_size(rows); k++) {
			const json_t *at = json_object_get(
				json_array_get(rows, k), key);
			const size_t len = strlen(keys);

			if (json_is_integer(at))
				(void)snprintf(after, sizeof(after), "%d",
					       (int)json_integer_value(at));
			else
				(void)snprintf(after, sizeof(after), "%s",
					       json_string_value(at));
			(void)snprintf(keys + len, size - len, "%s ", after);
		}
		has_more = json_is_true(json_object_get(page, "has_more"));
		json_decref(page);
	}
	cr_expect_not(has_more);
}


Test(worker_page, calls)
{
	char whole[N * 40], pages[N * 40], back[N * 40], id[16], one[40];
	struct exchange x;
	json_t *page;

	exchange_open(&x);
	exchange_put(&x, "trunk", "trk_1", TRUNK);
	for (int i = 0; i < N; i++) {
		(void)snprintf(id, sizeof(id), "c%d", i);
		exchange_invite(&x, id, "00492211", "", SDP);
		exchange_run(&x, 10);
	}

	walk(&x, "calls", "call_id", "trunk", "trk_1", false, 100, whole,
	     sizeof(whole));
	cr_expect_eq(strlen(whole), N * 37);
	for (int limit = 1; limit <= N; limit++) {
		walk(&x, "calls", "call_id", "tenant", "ten_1", false, limit,
		     pages, sizeof(pages));
		cr_expect_str_eq(pages, whole, "pages of %d", limit);
	}
	walk(&x, "calls", "call_id", "trunk", "trk_1", true, 2, back,
	     sizeof(back));
	for (int i = 0; i < N; i++) /* the same, from the end */
		cr_expect_eq(strncmp(back + i * 37,
				     whole + (N - 1 - i) * 37, 36), 0);

	walk(&x, "calls", "call_id", "trunk", "trk_9", false, 2, pages,
	     sizeof(pages));
	cr_expect_str_eq(pages, "");
	(void)snprintf(one, sizeof(one), "%.36s", whole + 2 * 37);
	page = ask(&x, "calls", json_pack("{s:s}", "call", one));
	cr_expect_eq(json_array_size(json_object_get(page, "calls")), 1);
	cr_expect_eq(json_integer_value(json_object_get(page, "total")), N);
	json_decref(page);
	page = ask(&x, "calls", json_pack("{s:s}", "call", "nonsense"));
	cr_expect_eq(json_array_size(json_object_get(page, "calls")), 0);
	json_decref(page);

	json_decref(ask(&x, "stop", json_object()));
	exchange_close(&x);
}


/* Two trunks by turns; the serial number is that of the order in the file. */
static void restore(struct exchange *x)
{
	json_t *list = json_array(), *file;
	char uri[32], *text;

	for (int i = 0; i < 2 * N; i++) {
		(void)snprintf(uri, sizeof(uri), "sip:u%d@10.1.0.9", i);
		json_array_append_new(list, json_pack(
			"{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:i, s:i, s:I, "
			"s:s, s:s, s:i}", "trunk", i % 2 ? "trk_2" : "trk_1",
			"tenant", "ten_1", "username", "u", "uri", uri,
			"local", "10.0.0.1:5060", "peer", "10.1.0.9:5060",
			"transport", 0, "sock", 0, "q", 1000,
			"expires_wall_ms",
			(json_int_t)(x->now.wall_us / 1000 + 60000),
			"user_agent", "", "call_id", "x", "cseq", 1));
	}
	file = json_pack("{s:i, s:o}", "version", 1, "contacts", list);
	text = json_dumps(file, JSON_COMPACT);
	json_decref(file);
	cr_assert_eq(worker_restore(x->worker, &x->now, text, strlen(text)),
		     0);
	free(text);
}


Test(worker_page, registrations)
{
	char pages[8 * N];
	struct exchange x;
	json_t *page;

	exchange_open(&x);
	restore(&x);
	for (int limit = 1; limit <= 2 * N; limit += 3) {
		walk(&x, "registrations", "serial", "tenant", "ten_1", false,
		     limit, pages, sizeof(pages));
		cr_expect_str_eq(pages, "1 2 3 4 5 6 7 8 9 10 ");
	}
	walk(&x, "registrations", "serial", "trunk", "trk_2", false, 2,
	     pages, sizeof(pages));
	cr_expect_str_eq(pages, "2 4 6 8 10 ");
	page = ask(&x, "registrations", json_pack("{s:s}", "trunk", "trk_1"));
	cr_expect_eq(json_integer_value(json_object_get(page, "total")), N);
	json_decref(page);

	/* who goes leaves no gap and moves nobody */
	page = ask(&x, "unregister", json_pack("{s:s, s:s, s:s}", "trunk",
					       "trk_1", "username", "u",
					       "contact",
					       "sip:u4@10.1.0.9"));
	cr_expect(json_is_true(json_object_get(page, "ok")));
	json_decref(page);
	walk(&x, "registrations", "serial", "tenant", "ten_1", false, 4,
	     pages, sizeof(pages));
	cr_expect_str_eq(pages, "1 2 3 4 6 7 8 9 10 ");
	exchange_close(&x);
}
