#include "json.h"
#include <criterion/criterion.h>
#include <criterion/redirect.h>
#include <stdio.h>
#include <string.h>
#include "command.h"
#include "server.h"

static json_t *said;


/* The switch answers one question; the second, for metrics, finds nobody. */
static int visit(const char *status)
{
	struct options opt = {.dsn = "host=/nonexistent", .state_dir = "/",
			      .is_json = true};
	int code;

	opt.control = status ? server_start(status) : "/nonexistent/sock";
	cr_redirect_stdout();
	code = command_doctor(&opt);
	if (status)
		(void)server_stop();
	(void)fflush(stdout);
	said = json_loadf(cr_get_redirected_stdout(), 0, NULL);
	cr_assert(said);

	return code;
}


static const char *member_of(const char *check, const char *member)
{
	const json_t *list = json_object_get(said, "findings");
	const json_t *one;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		one = json_array_get(list, i);
		if (!strcmp(json_string_value(json_object_get(one, "check")),
			    check))
			return json_string_value(json_object_get(one, member));
	}

	return "absent";
}


static void expect(const char *check, const char *state)
{
	cr_expect_str_eq(member_of(check, "state"), state, "%s: %s", check,
			 member_of(check, "finding"));
	/* whoever finds something says how to mend it */
	cr_expect_eq(member_of(check, "fix")[0] == '\0', !strcmp(state, "ok"));
}


Test(doctor, nobody_there)
{
	cr_expect_eq(visit(NULL), COMMAND_REFUSED);
	cr_expect(json_is_false(json_object_get(said, "ok")));
	expect("control socket", "bad");
	expect("database", "bad");
	expect("disk", member_of("disk", "state"));
	expect("open files", "warning");
	cr_expect_str_eq(member_of("node state", "state"), "absent");
	json_decref(said);
}


Test(doctor, healthy_switch)
{
	(void)visit("{\"ok\":true,\"node\":\"n1\",\"draining\":false,"
		    "\"journal_healthy\":true,\"gateways\":[{\"gateway\":"
		    "\"gwy_1\",\"up\":true}]}\n");
	expect("control socket", "ok");
	expect("node state", "ok");
	expect("journal", "ok");
	cr_expect_str_eq(member_of("gateway", "state"), "absent");
	/* the limit of the process behind the socket, which is this one */
	cr_expect(strstr(member_of("open files", "finding"), "may open"));
	json_decref(said);
}


Test(doctor, sick_switch)
{
	cr_expect_eq(visit("{\"ok\":true,\"node\":\"n1\",\"draining\":true,"
			   "\"journal_healthy\":false,\"gateways\":[{"
			   "\"gateway\":\"gwy_1\",\"up\":false}]}\n"),
		     COMMAND_REFUSED);
	expect("node state", "warning");
	expect("journal", "bad");
	expect("gateway", "warning");
	cr_expect(strstr(member_of("gateway", "finding"), "gwy_1"));
	json_decref(said);
}
