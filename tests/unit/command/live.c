#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "server.h"

static char output[8192];


/* Run with a prepared answer; what it printed is in output. */
static int run(command_h *h, struct options opt, const char *answer)
{
	FILE *f;
	size_t n;
	int code;

	opt.control = server_start(answer);
	code = h(&opt);
	(void)fflush(stdout);
	f = cr_get_redirected_stdout();
	n = fread(output, 1, sizeof(output) - 1, f);
	output[n] = '\0';

	return code;
}

TestSuite(live, .init = cr_redirect_stdout);


Test(live, calls)
{
	const char *answer =
		"{\"ok\":true,\"calls\":[{\"call_id\":\"c1\",\"state\":\"UP\","
		"\"calling\":\"+4930\",\"called\":\"+441\",\"trunk\":\"trk_1\","
		"\"gateway\":\"gwy_1\",\"started_at\":\"2026-11-22T10:00:00Z\""
		",\"duration_ms\":3723999,\"price_micro\":123400,"
		"\"currency\":\"EUR\"},{\"call_id\":\"c2\"}]}\n";

	cr_expect_eq(run(command_calls, (struct options){.limit = 7}, answer),
		     COMMAND_OK);
	cr_expect_str_eq(server_stop(), "{\"op\":\"calls\",\"limit\":7}");
	cr_expect(strstr(output, "CALL  STATE  CALLING"), "%s", output);
	cr_expect(strstr(output, "c1    UP     +4930"), "%s", output);
	cr_expect(strstr(output, "1:02:03"), "%s", output);
	cr_expect(strstr(output, "0.123400 EUR"), "%s", output);
	cr_expect(strstr(output, "c2    -      -"), "%s", output);
}


Test(live, calls_as_json)
{
	const struct options opt = {.limit = 1, .is_json = true};

	cr_expect_eq(run(command_calls, opt, "{\"ok\":true,\"calls\":[]}\n"),
		     COMMAND_OK);
	(void)server_stop();
	cr_expect_eq(output[0], '{');
}


Test(live, drop)
{
	const struct options opt = {.argument = "c1"};

	cr_expect_eq(run(command_drop, opt, "{\"ok\":true}\n"), COMMAND_OK);
	cr_expect_str_eq(server_stop(), "{\"op\":\"drop\",\"call\":\"c1\"}");
}


Test(live, drop_of_no_call)
{
	const struct options opt = {.argument = "c1"};

	cr_redirect_stderr();
	cr_expect_eq(run(command_drop, opt, "{\"ok\":false,\"code\":"
			 "\"no_such_call\",\"detail\":\"it has ended\"}\n"),
		     COMMAND_REFUSED);
	(void)server_stop();
	cr_expect_str_eq(output, "");
	(void)fflush(stderr);
	cr_expect_stderr_eq_str("strowger: no_such_call: it has ended\n");
}


Test(live, drain_and_back)
{
	cr_expect_eq(run(command_drain, (struct options){0},
			 "{\"ok\":true}\n"), COMMAND_OK);
	cr_expect_str_eq(server_stop(), "{\"op\":\"drain\",\"off\":false}");
}


Test(live, drain_off)
{
	cr_expect_eq(run(command_drain, (struct options){.is_off = true},
			 "{\"ok\":true}\n"), COMMAND_OK);
	cr_expect_str_eq(server_stop(), "{\"op\":\"drain\",\"off\":true}");
}


Test(live, trace)
{
	const struct options opt = {.argument = "c1"};
	const char *answer =
		"{\"ok\":true,\"call\":{\"call_id\":\"c1\",\"calling\":\"+49\"}"
		",\"outcome\":\"no_route\",\"trail\":[{\"ms\":0,\"event\":"
		"\"A_INVITE\"},{\"ms\":3,\"event\":\"FAILED\",\"to\":\"DONE\"}"
		"],\"attempts\":[]}\n";

	cr_expect_eq(run(command_trace, opt, answer), COMMAND_OK);
	cr_expect_str_eq(server_stop(), "{\"op\":\"trace\",\"call\":\"c1\"}");
	cr_expect(strstr(output, "outcome          no_route"), "%s", output);
	cr_expect(strstr(output, "calling          +49"), "%s", output);
	cr_expect(strstr(output, "trail:\nms  event     to"), "%s", output);
	cr_expect(strstr(output, "3   FAILED    DONE"), "%s", output);
	cr_expect_not(strstr(output, "attempts"), "%s", output);
}


Test(live, trace_tells_the_decision)
{
	const struct options opt = {.argument = "c1"};
	const char *answer =
		"{\"ok\":true,\"call\":{\"call_id\":\"c1\"},\"decision\":[{"
		"\"step\":\"limit\",\"outcome\":\"limit_cps\",\"id\":\"trk_1\","
		"\"level\":\"trunk\",\"cps\":3},{\"step\":\"emergency\"}]}\n";

	cr_expect_eq(run(command_trace, opt, answer), COMMAND_OK);
	(void)server_stop();
	cr_expect(strstr(output, "STEP       OUTCOME              ID"), "%s",
		  output);
	cr_expect(strstr(output, "limit      limit_cps            trk_1 "),
		  "%s", output);
	cr_expect(strstr(output, " level=trunk cps=3\n"), "%s", output);
	cr_expect(strstr(output, "emergency  -                    - "), "%s",
		  output);
}


/* The switch has forgotten it, and no database answers. */
Test(live, trace_of_a_forgotten_call)
{
	const struct options opt = {.argument = "c1",
				    .dsn = "host=/nonexistent"};

	cr_redirect_stderr();
	cr_expect_eq(run(command_trace, opt, "{\"ok\":false,\"code\":"
			 "\"no_such_call\",\"detail\":\"\"}\n"),
		     COMMAND_UNREACHABLE);
	(void)server_stop();
}


Test(live, route_test)
{
	const struct options opt = {
		.test = {.trunk = "trk_1", .from = "+49", .to = "+44",
			 .at = "1970-01-01T00:00:01Z"},
	};

	cr_expect_eq(run(command_route_test, opt,
			 "{\"ok\":true,\"outcome\":\"ok\",\"invite\":"
			 "\"INVITE sip:a SIP/2.0\\r\\n\"}\n"), COMMAND_OK);
	cr_expect_str_eq(server_stop(),
			 "{\"op\":\"route_test\",\"private\":false,"
			 "\"trunk\":\"trk_1\",\"from\":\"+49\",\"to\":"
			 "\"+44\",\"at_ms\":1000}");
	cr_expect(strstr(output, "outcome          ok\n"), "%s", output);
	cr_expect(strstr(output, "\ninvite:\nINVITE sip:a SIP/2.0\r\n"),
		  "%s", output);
}


Test(live, route_test_at_no_time)
{
	const struct options opt = {.test = {.at = "noon"}};

	cr_redirect_stderr();
	cr_expect_eq(command_route_test(&opt), COMMAND_USAGE);
}


Test(live, metrics_as_they_are)
{
	cr_expect_eq(run(command_metrics, (struct options){0},
			 "{\"ok\":true,\"text\":\"# HELP a b\\na 1\\n\"}\n"),
		     COMMAND_OK);
	(void)server_stop();
	cr_expect_str_eq(output, "# HELP a b\na 1\n");
}


Test(live, switch_that_is_down)
{
	const struct options opt = {.control = "/nonexistent/sock"};

	cr_redirect_stderr();
	cr_expect_eq(command_table(&opt), COMMAND_UNREACHABLE);
}
