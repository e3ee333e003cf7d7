/** @file tests/unit/call/worker_rules.c  What rules make of a number. */
#include "json.h"
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>
#include "exchange.h"

#define GATEWAY "{\"carrier_id\":\"car_1\",\"status\":\"active\",\"address\":" \
	"\"10.2.0.1\",\"port\":5060,\"number_rules\":[{\"direction\":\"out\"," \
	"\"subject\":\"called\",\"rule_set_id\":\"nrs_1\"},{\"direction\":" \
	"\"out\",\"subject\":\"name\",\"rule_set_id\":\"nrs_1\"}]}"


static json_t *ask(struct exchange *x, const char *peer,
		   const char *direction, const char *subject,
		   const char *value)
{
	char req[256], *text;
	json_t *answer;

	(void)snprintf(req, sizeof(req), "{\"op\":\"number_rules\",\"peer\":"
		       "\"%s\",\"direction\":\"%s\",\"subject\":\"%s\","
		       "\"value\":\"%s\",\"number\":\"+49221\"}", peer,
		       direction, subject, value);
	text = worker_command(x->worker, &x->now, req, strlen(req));
	answer = json_loads(text, 0, NULL);
	free(text);

	return answer;
}


static void expect_of(struct exchange *x, const char *peer,
		      const char *direction, const char *subject,
		      const char *value, const char *wanted)
{
	json_t *answer = ask(x, peer, direction, subject, value);
	char *text = json_dumps(answer, JSON_COMPACT | JSON_SORT_KEYS);

	cr_expect(strstr(text, wanted), "%s %s: %s", peer, value, text);
	free(text);
	json_decref(answer);
}


static void expect(struct exchange *x, const char *peer,
		   const char *direction, const char *value,
		   const char *wanted)
{
	expect_of(x, peer, direction, "called", value, wanted);
}


Test(worker_rules, which_rule_and_what_comes_of_it)
{
	struct exchange x;

	exchange_open(&x);
	exchange_put(&x, "number_rule_set", "nrs_1", "{\"name\":\"x\",\"rules\":"
		     "[{\"prefix\":\"+43\"},{\"prefix\":\"+49\",\"strip\":3,"
		     "\"add\":\"0\"}]}");
	exchange_put(&x, "gateway", "gwy_1", GATEWAY);

	expect(&x, "trk_1", "in", "00492211", "\"is_e164\":true,\"matched\":"
	       "true,\"ok\":true,\"result\":\"+492211\",\"rule\":0,"
	       "\"rule_set_id\":null");
	expect(&x, "trk_1", "in", "77", "\"matched\":false,\"ok\":true,"
	       "\"result\":null,\"rule\":null");
	expect(&x, "gwy_1", "out", "+49221", "\"is_e164\":false,\"matched\":"
	       "true,\"ok\":true,\"result\":\"0221\",\"rule\":1,"
	       "\"rule_set_id\":\"nrs_1\"");
	expect(&x, "gwy_1", "out", "a b", "\"matched\":false");
	expect(&x, "gwy_9", "out", "+49", "\"code\":\"no_such_peer\"");
	exchange_close(&x);
}


Test(worker_rules, names_by_their_own_rules)
{
	struct exchange x;

	exchange_open(&x);
	exchange_put(&x, "number_rule_set", "nrs_1", "{\"name\":\"x\",\"rules\":"
		     "[{\"prefix\":\"+\"}],\"name_rules\":[{\"when\":"
		     "\"empty\",\"action\":\"number\"},{\"prefix\":\"+49\","
		     "\"after\":\" DE\"},{\"action\":\"remove\"}]}");
	exchange_put(&x, "gateway", "gwy_1", GATEWAY);

	expect_of(&x, "gwy_1", "out", "name", "", "\"is_e164\":true,"
		  "\"matched\":true,\"ok\":true,\"result\":\"+49221\","
		  "\"rule\":0,\"rule_set_id\":\"nrs_1\"");
	expect_of(&x, "gwy_1", "out", "name", "Ann", "\"matched\":true,"
		  "\"ok\":true,\"result\":\"Ann DE\",\"rule\":1");
	expect_of(&x, "gwy_1", "in", "name", "Ann", "\"matched\":false,"
		  "\"ok\":true,\"result\":\"Ann\",\"rule\":null,"
		  "\"rule_set_id\":null");
	exchange_close(&x);
}
