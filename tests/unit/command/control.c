#include "json.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <criterion/criterion.h>
#include "control.h"
#include "server.h"

static json_t *request, *answer;


static void setup(void)
{
	request = json_pack("{sssi}", "op", "calls", "limit", 5);
}


static void teardown(void)
{
	json_decref(request);
	json_decref(answer);
}

TestSuite(control, .init = setup, .fini = teardown);


Test(control, one_line_each_way)
{
	pid_t pid = 0;
	const char *path = server_start("{\"ok\":true,\"calls\":[]}\n");

	cr_expect_eq(control_ask(path, request, &answer, &pid), 0);
	cr_expect_str_eq(server_stop(), "{\"op\":\"calls\",\"limit\":5}");
	cr_expect(json_is_true(json_object_get(answer, "ok")));
	cr_expect_eq(pid, getpid());
}


Test(control, answer_without_newline)
{
	const char *path = server_start("{\"ok\":false}");

	cr_expect_eq(control_ask(path, request, &answer, NULL), 0);
	(void)server_stop();
	cr_expect(json_is_false(json_object_get(answer, "ok")));
}


Test(control, long_answer)
{
	const size_t len = 1 << 20;
	char *text = malloc(len + 1);

	memset(text, ' ', len);
	memcpy(text, "{\"ok\":true,", 11);
	memcpy(text + len - 8, "\"a\":12}\n", 8);
	text[len] = '\0';
	cr_expect_eq(control_ask(server_start(text), request, &answer, NULL),
		     0);
	(void)server_stop();
	cr_expect_eq(json_integer_value(json_object_get(answer, "a")), 12);
	free(text);
}


static void expect_bad(const char *text)
{
	cr_expect_eq(control_ask(server_start(text), request, &answer, NULL),
		     EBADMSG, "%s", text);
	(void)server_stop();
	cr_expect_null(answer);
}


Test(control, empty_answer)
{
	expect_bad("");
}


Test(control, answer_that_is_no_json)
{
	expect_bad("HTTP/1.1 400 Bad Request\r\n");
}


Test(control, answer_that_says_neither)
{
	expect_bad("{\"calls\":[]}\n");
}


Test(control, nobody_there)
{
	char path[256];

	cr_expect_eq(control_ask("/nonexistent/sock", request, &answer, NULL),
		     ENOENT);
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(control_ask(path, request, &answer, NULL), ENAMETOOLONG);
}
