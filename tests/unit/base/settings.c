/**
 * @file tests/unit/base/settings.c  Every way of being wrong has its line.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "settings.h"

struct node {
	char name[8];
	char listen[64];
	char ip[48];
	char journal[64];
	int64_t port_min, port_max;
	bool show;
	int level;
};

static const char *const levels[] = {"debug", "info", "warn", NULL};

#define AT(field)                                                             \
	offsetof(struct node, field), sizeof(((struct node *)0)->field)

static const struct setting table[] = {
	{"name", SET_TEXT, AT(name), 0, 0, NULL, NULL, "name of this node"},
	{"sip.listen", SET_ADDRESS, AT(listen), 0, 0, NULL, "127.0.0.1:5060",
	 "where to listen"},
	{"media.ip", SET_IP, AT(ip), 0, 0, NULL, "", "media address"},
	{"media.port_min", SET_NUMBER, AT(port_min), 1024, 65534, NULL,
	 "20000", "lowest port"},
	{"log.level", SET_CHOICE, AT(level), 0, 0, levels, "info", "level"},
	{"log.numbers", SET_FLAG, AT(show), 0, 0, NULL, "false", "masking"},
	{"media.port_max", SET_NUMBER, AT(port_max), -5, INT64_MAX, NULL,
	 "30000", "highest port"},
	{"journal", SET_PATH, AT(journal), 0, 0, NULL, "/var/lib/j\"\\",
	 "directory"},
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))


static int load(const char *yaml, struct node *node, char *why, size_t size)
{
	char file[] = P_tmpdir "/settings-XXXXXX";
	int fd = mkstemp(file), err;
	char *at;

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, yaml, strlen(yaml)), (ssize_t)strlen(yaml));
	(void)close(fd);

	why[0] = '\0';
	err = settings_load(file, table, TABLE_N, node, why, size);
	(void)unlink(file);

	/* "FILE:" stays, without its random part */
	at = strstr(why, file);
	if (at)
		memmove(at, at + strlen(file), strlen(at + strlen(file)) + 1);

	return err;
}


static void refuses(const char *yaml, const char *want)
{
	struct node node, before;
	char why[256];

	memset(&node, 0x55, sizeof(node));
	before = node;
	cr_assert_eq(load(yaml, &node, why, sizeof(why)), EINVAL, "%s", yaml);
	cr_assert_str_eq(why, want);
	cr_assert_eq(memcmp(&node, &before, sizeof(node)), 0,
		     "written although refused");
}


static void loads(const char *yaml, struct node *node)
{
	char why[256];

	memset(node, 0x55, sizeof(*node));
	cr_assert_eq(load(yaml, node, why, sizeof(why)), 0, "%s: %s", yaml,
		     why);
}


Test(settings, defaults)
{
	struct node n;

	loads("name: n1\n", &n);
	cr_assert_str_eq(n.name, "n1");
	cr_assert_str_eq(n.listen, "127.0.0.1:5060");
	cr_assert_str_eq(n.ip, "");
	cr_assert_str_eq(n.journal, "/var/lib/j\"\\");
	cr_assert_eq(n.port_min, 20000);
	cr_assert_eq(n.level, 1);
	cr_assert_eq(n.show, false);
}


Test(settings, values)
{
	struct node n;

	loads("# a comment\n"
	      "name: \"1234567\"\n"
	      "sip: {listen: '[2001:db8::1]:5080'}\n"
	      "media:\n"
	      "  ip: 2001:db8::2\n"
	      "  port_min: 1024\n"
	      "  port_max: -5\n"
	      "log:\n"
	      "  level: warn\n"
	      "  numbers: true\n"
	      "journal: /j\n",
	      &n);
	cr_assert_str_eq(n.name, "1234567");
	cr_assert_str_eq(n.listen, "[2001:db8::1]:5080");
	cr_assert_str_eq(n.ip, "2001:db8::2");
	cr_assert_eq(n.port_min, 1024);
	cr_assert_eq(n.port_max, -5);
	cr_assert_eq(n.level, 2);
	cr_assert_eq(n.show, true);
	cr_assert_str_eq(n.journal, "/j");
}


Test(settings, unknown_keys)
{
	refuses("name: a\nmedia:\n  port_mim: 5\n",
		":3: media.port_mim: unknown key, did you mean "
		"media.port_min?");
	refuses("name: a\nmedai:\n  ip: 1.2.3.4\n",
		":3: medai.ip: unknown key, did you mean media.ip?");
	refuses("nmae: a\n", ":1: nmae: unknown key, did you mean name?");
	refuses("name: a\nnothing: {}\n", ":2: nothing: unknown key");
	refuses("name: a\nelsewhere: 1\n", ":2: elsewhere: unknown key");
	refuses("name: a\n[a, b]: 1\n", ":2: a key is a plain word");
}


Test(settings, shape)
{
	refuses("", ": name: missing; allowed: text of at most 7 bytes");
	refuses("# empty\n",
		": name: missing; allowed: text of at most 7 bytes");
	refuses("- name\n", ":1: keys and values are expected");
	refuses("name: a\nname: b\n",
		":2: name: given twice, first in line 1");
	refuses("name: a\nlog: {level: info}\nlog: {level: warn}\n",
		":3: log.level: given twice, first in line 2");
	refuses("name: a\nmedia: 5\n",
		":2: media: keys are expected below it");
	refuses("name: a\nmedia:\n",
		":2: media: keys are expected below it");
	refuses("name: {a: b}\n", ":1: name.a: unknown key, did you mean "
				"name?");
	refuses("name: [a]\n", ":1: name: one value is expected here");
	refuses("name: a\nmedia:\n  ip: {x: y}\n",
		":3: media.ip: one value is expected here");
	refuses("name: \"a\\0b\"\n", ":1: name: holds a NUL character");
	refuses("name: a\n---\nname: b\n",
		":3: a second document is not read");
	refuses("name: a\n---\nname: [\n",
		":4: not YAML: did not find expected node content");
	refuses("name: 'a\n",
		":2: not YAML: found unexpected end of stream");
}


Test(settings, values_out_of_range)
{
	refuses("name: 12345678\n", ":1: name: value \"12345678\"; allowed: "
				    "text of at most 7 bytes");
	refuses("name:\n", ":1: name: value \"\"; allowed: text of at most 7 "
			   "bytes");
	refuses("name: a\nmedia:\n  port_min: 1023\n",
		":3: media.port_min: value \"1023\"; allowed: 1024 to 65534");
	refuses("name: a\nmedia:\n  port_min: 2e4\n",
		":3: media.port_min: value \"2e4\"; allowed: 1024 to 65534");
	refuses("name: a\nmedia:\n  port_max: 9223372036854775808\n",
		":3: media.port_max: value \"9223372036854775808\"; allowed: "
		"-5 to 9223372036854775807");
	refuses("name: a\nlog: {level: loud}\n",
		":2: log.level: value \"loud\"; allowed: debug, info, warn");
	refuses("name: a\nlog: {numbers: yes}\n",
		":2: log.numbers: value \"yes\"; allowed: true, false");
	refuses("name: a\njournal: var/lib\n",
		":2: journal: value \"var/lib\"; allowed: an absolute path");
	refuses("name: a\nmedia: {ip: localhost}\n",
		":2: media.ip: value \"localhost\"; allowed: an IP address, "
		"as 192.0.2.1 or 2001:db8::1");
}


Test(settings, addresses)
{
	static const char *const bad[] = {
		"127.0.0.1",	 "127.0.0.1:",	   "127.0.0.1:0",
		"127.0.0.1:65536", "127.0.0.1:+1", "2001:db8::1:5060",
		"[2001:db8::1]", "[::1:5060",	   "[127.0.0.1]:5060",
		"host:5060",	 ":5060",	   "[]:5060",
		"[:1",		 "1.2.3:5060",
	};
	char yaml[128], want[256];
	struct node n;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		(void)snprintf(yaml, sizeof(yaml),
			       "name: a\nsip: {listen: \"%s\"}\n", bad[i]);
		(void)snprintf(want, sizeof(want),
			       ":2: sip.listen: value \"%s\"; allowed: "
			       "IP:port, as 192.0.2.1:5060 or "
			       "[2001:db8::1]:5060",
			       bad[i]);
		refuses(yaml, want);
	}

	loads("name: a\nsip: {listen: \"0.0.0.0:65535\"}\n", &n);
	loads("name: a\nsip: {listen: \"[::]:1\"}\n", &n);
}


Test(settings, no_such_file)
{
	struct node n;
	char why[64];

	cr_assert_eq(settings_load("/nonexistent", table, TABLE_N, &n, why,
				   sizeof(why)),
		     ENOENT);
	cr_assert_str_eq(why, "/nonexistent: No such file or directory");
	cr_assert_eq(settings_load("/nonexistent", table, TABLE_N, &n, NULL,
				   0),
		     ENOENT);
}


Test(settings, print)
{
	char *text = settings_print(table, TABLE_N);
	char *name, filled[4096];
	struct node n;

	cr_assert_not_null(strstr(text, "# name of this node (text of at most "
					"7 bytes) REQUIRED\nname: \"\"\n"));
	cr_assert_not_null(strstr(text, "\nmedia:\n  # media address"));
	cr_assert_not_null(strstr(text, "  # level (debug, info, warn)\n"
					"  level: info\n"));
	refuses(text, ":2: name: value \"\"; allowed: text of at most 7 "
		      "bytes");

	/* with the required value filled in it gives the defaults */
	name = strstr(text, "name: \"\"");
	(void)snprintf(filled, sizeof(filled), "%.*sname: \"x\"%s",
		       (int)(name - text), text, name + 8);
	loads(filled, &n);
	cr_assert_eq(n.port_max, 30000);
	cr_assert_str_eq(n.journal, "/var/lib/j\"\\");
	free(text);
}
