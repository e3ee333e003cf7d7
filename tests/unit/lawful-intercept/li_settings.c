/**
 * @file tests/unit/lawful-intercept/li_settings.c  A file that says too
 * little or contradicts itself is refused before anything starts.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "folder.h"
#include "li_settings.h"

static char folder[FOLDER_SIZE];
static char why[512];


static int load(struct li_settings *s, const char *yaml)
{
	FILE *f = fopen(folder_file(folder, "li.yaml"), "w");

	cr_assert(f);
	fputs(yaml, f);
	fclose(f);

	return li_settings_load(s, folder_file(folder, "li.yaml"), why,
				sizeof(why));
}


static void setup(void)
{
	folder_make(folder);
}


static void teardown(void)
{
	folder_remove(folder);
}


#define NE "ne: {identifier: ne-1}\n"

Test(li_settings, a_short_file_is_enough, .init = setup, .fini = teardown)
{
	struct li_settings s;
	char file[LI_PATH_SIZE];

	cr_assert_eq(load(&s, NE "x1: {listen: \"127.0.0.1:8443\", "
			      "admf: admf-1}\n"), 0, "%s", why);
	cr_assert_str_eq(s.ne, "ne-1");
	cr_assert_str_eq(s.version, "v1.13.1");
	cr_assert_str_eq(s.alarm_file, "/var/lib/strowger-li/alarms");
	cr_assert_eq(s.keepalive_window_s, 0);
	cr_assert_not(s.two_persons);

	unsetenv("CREDENTIALS_DIRECTORY");
	cr_assert_eq(li_settings_key_file(&s, file, sizeof(file)), EINVAL);
	setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x", 1);
	cr_assert_eq(li_settings_key_file(&s, file, sizeof(file)), 0);
	cr_assert_str_eq(file, "/run/credentials/x/li.key");
}


Test(li_settings, what_cannot_work_is_refused, .init = setup,
     .fini = teardown)
{
	static const char *const bad[][2] = {
		{"x1: {listen: \"127.0.0.1:1\", admf: a}\n", "ne.identifier"},
		{NE "x1: {admf: a}\n", "x1.listen"},
		{NE "x1: {listen: \"127.0.0.1:1\"}\n", "rest.officers"},
		{NE "x1: {listen: \"127.0.0.1:1\", admf: a, "
		    "report_url: \"http://x/\"}\n", "https"},
		{NE "x1: {listen: \"127.0.0.1:1\", admf: a, version: v2.1.1}\n",
		 "x1.version"},
		{NE "x1: {listen: \"127.0.0.1:1\", admf: a, version: v1.1}\n",
		 "x1.version"},
		{NE "x1: {listen: \"127.0.0.1:1\", admf: a}\n"
		    "delivery: {keepalive_s: 60, answer_s: 60}\n",
		 "answer_s"},
	};
	struct li_settings s;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_eq(load(&s, bad[i][0]), EINVAL, "%zu", i);
		cr_assert(strstr(why, bad[i][1]), "%s", why);
	}
}
