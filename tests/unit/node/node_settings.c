/**
 * @file tests/unit/node/node_settings.c  What a node is told, and what it
 * refuses.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "node_settings.h"

static struct node_settings set;
static char why[512];


/* A file that is right, but for the line under media: */
static int load(const char *media)
{
	char file[] = P_tmpdir "/node-settings-XXXXXX";
	const int fd = mkstemp(file);
	int err;

	cr_assert_geq(fd, 0);
	cr_assert_gt(dprintf(fd,
			     "node:\n  name: n\n  state_dir: /nowhere\n"
			     "sip:\n  listen: 127.0.0.1:5060\n"
			     "db:\n  dsn: host=/nowhere\n"
			     "control:\n  socket: /nowhere/c\n"
			     "media:\n  address: 127.0.0.1\n%s", media), 0);
	(void)close(fd);
	why[0] = '\0';
	err = node_settings_load(&set, file, why, sizeof(why));
	(void)unlink(file);

	return err;
}


Test(node_settings, the_media_thread_is_a_realtime_one_unless_it_is_said)
{
	cr_assert_eq(load(""), 0, "%s", why);
	cr_assert_eq(set.media.realtime_priority, 10);
	cr_assert_eq(load("  realtime_priority: 0\n"), 0, "%s", why);
	cr_assert_eq(set.media.realtime_priority, 0);
	cr_assert_eq(load("  realtime_priority: 49\n"), 0, "%s", why);
	cr_assert_eq(set.media.realtime_priority, 49);
}


static void refuses(const char *value)
{
	char line[80], wanted[80];

	snprintf(line, sizeof(line), "  realtime_priority: %s\n", value);
	snprintf(wanted, sizeof(wanted), ":12: media.realtime_priority: value "
		 "\"%s\"", value);
	cr_assert_eq(load(line), EINVAL, "%s", value);
	cr_assert(strstr(why, wanted), "%s", why);
	cr_assert(strstr(why, "0 to 49"), "%s", why);
}


Test(node_settings, a_priority_out_of_bounds_is_refused_with_what_is_allowed)
{
	refuses("50");
	refuses("-1");
	refuses("99");
	refuses("high");
}
