/** @file tests/unit/catalog/name_rule.c  Names by rules. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "json.h"
#include "name_rule.h"

static char why[160];


static int decode(struct name_rules *set, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	int err;

	cr_assert(json, "%s", text);
	err = name_rules_decode(set, json, why, sizeof(why));
	json_decref(json);

	return err;
}


/* The name of +4930123, shown as 030123 */
static const char *shown(const char *rules, const char *name)
{
	static char buf[NAME_BYTES];
	const struct name_bearer who = {name, "+4930123", "030123"};
	struct name_rules set;

	cr_assert_eq(decode(&set, rules), 0, "%s: %s", rules, why);
	(void)name_rule_apply(&set, &who, buf);

	return buf;
}


Test(name_rule, without_rules_it_passes)
{
	cr_expect_str_eq(shown("[]", "  Ann  "), "  Ann  ");
	cr_expect_str_eq(shown("[{\"prefix\":\"+44\",\"action\":\"remove\"}]",
			       "Ann"), "Ann");
}


Test(name_rule, what_is_done)
{
	cr_expect_str_eq(shown("[{}]", " Ann "), "Ann");
	cr_expect_str_eq(shown("[{\"action\":\"remove\"}]", "Ann"), "");
	cr_expect_str_eq(shown("[{\"action\":\"text\",\"text\":\"Acme\"}]",
			       ""), "Acme");
	cr_expect_str_eq(shown("[{\"action\":\"number\"}]", "Ann"), "030123");
	cr_expect_str_eq(shown("[{\"before\":\"Acme \",\"after\":\"!\"}]",
			       "Ann"), "Acme Ann!");
	cr_expect_str_eq(shown("[{\"before\":\"Acme \"}]", "  "), "",
			 "nothing is put beside nothing");
}


Test(name_rule, when_it_is_done)
{
	const char *rules = "[{\"when\":\"empty\",\"action\":\"number\"},"
			    "{\"when\":\"number\",\"action\":\"remove\"},"
			    "{\"when\":\"given\",\"prefix\":\"+4930\","
			    "\"action\":\"text\",\"text\":\"Berlin\"},"
			    "{\"action\":\"text\",\"text\":\"other\"}]";

	cr_expect_str_eq(shown(rules, ""), "030123");
	cr_expect_str_eq(shown(rules, " "), "030123");
	cr_expect_str_eq(shown(rules, "+49 (30) 12-3"), "");
	cr_expect_str_eq(shown(rules, "Ann"), "Berlin");
	cr_expect_str_eq(shown(rules, "- / -"), "Berlin", "no digit in it");
}


Test(name_rule, which_rule_it_was)
{
	struct name_bearer who = {"Ann", "", ""};
	char buf[NAME_BYTES];
	struct name_rules set;

	cr_assert_eq(decode(&set, "[{\"when\":\"empty\"},{\"prefix\":\"+49\"},"
				  "{\"action\":\"number\"}]"), 0);
	cr_expect_eq(name_rule_apply(&set, &who, buf), 2);
	cr_expect_str_eq(buf, "", "a caller without number");
	who.e164 = "+49301";
	cr_expect_eq(name_rule_apply(&set, &who, buf), 1);
	set.n = 1;
	cr_expect_eq(name_rule_apply(&set, &who, buf), -1);
}


Test(name_rule, in_ascii)
{
	const char *rules = "[{\"charset\":\"ascii\"}]";

	cr_expect_str_eq(shown(rules, "J\xc3\xbcrgen Gro\xc3\x9f"),
			 "Juergen Gross");
	cr_expect_str_eq(shown(rules, "J\xfcrgen Gro\xdf"),
			 "Juergen Gross", "said in ISO 8859-1");
	cr_expect_str_eq(shown(rules, "\xc5\xa0koda \xe2\x80\x93 Caf\xc3\xa9"),
			 "Skoda - Cafe");
	cr_expect_str_eq(shown(rules, "\xd0\x98\xd0\xb2\xd0\xb0\xd0\xbd 2"),
			 "2", "no Latin letters");
	cr_expect_str_eq(shown("[{\"charset\":\"ascii\",\"before\":\"x\"}]",
			       "\xd0\x98"), "", "nothing of it is left");
	cr_expect_str_eq(shown("[{}]", "J\xc3\xbcrgen"), "J\xc3\xbcrgen");
	cr_expect_str_eq(shown("[{\"after\":\" \xc3\x9f\","
			       "\"charset\":\"ascii\"}]", "x"), "x ss");
}


Test(name_rule, cut_between_characters)
{
	char many[NAME_BYTES];

	cr_expect_str_eq(shown("[{\"max\":5}]", "Ann Smith"), "Ann S");
	cr_expect_str_eq(shown("[{\"max\":4}]", "Ann Smith"), "Ann");
	cr_expect_str_eq(shown("[{\"max\":2}]", "\xc3\xbc\xc3\xbc\xc3\xbc"),
			 "\xc3\xbc\xc3\xbc");
	cr_expect_str_eq(shown("[{\"max\":3,\"charset\":\"ascii\"}]",
			       "\xc3\xbc\xc3\xbc"), "ueu");
	memset(many, 'a', sizeof(many) - 1);
	many[sizeof(many) - 1] = '\0';
	cr_expect_eq(strlen(shown("[{\"before\":\"\xc3\xbc\"}]", many)), 63);
	memcpy(many + 60, "a\xc3\xbc", 4);
	cr_expect_eq(strlen(shown("[{\"before\":\"b\"}]", many)), 62,
		     "half a character is none");
}


Test(name_rule, mistakes)
{
	static const char *const cases[][2] = {
		{"{}", "an array"}, {"[1]", "[0].members"},
		{"[{\"whe\":\"any\"}]", "[0].members"},
		{"[{\"when\":\"never\"}]", "[0].when"},
		{"[{\"when\":1}]", "[0].when"},
		{"[{\"action\":\"x\"}]", "[0].action"},
		{"[{\"charset\":\"latin1\"}]", "[0].charset"},
		{"[{\"prefix\":\"49\"}]", "[0].prefix"},
		{"[{\"prefix\":\"+4*\"}]", "[0].prefix"},
		{"[{\"max\":0}]", "[0].max"}, {"[{\"max\":64}]", "[0].max"},
		{"[{\"max\":\"1\"}]", "[0].max"},
		{"[{},{\"action\":\"text\"}]", "[1].text"},
		{"[{\"text\":\"x\"}]", "[0].text"},
		{"[{\"before\":\"a\\nb\"}]", "[0].before"},
		{"[{\"after\":1}]", "[0].after"},
		{"[{\"action\":\"remove\",\"after\":\"x\"}]", "[0].before"},
		{"[{\"before\":\"012345678901234567890123456789012345678901"
		 "234567\"}]", "[0].before"},
		{"[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]",
		 "an array"},
	};
	struct name_rules set;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		cr_expect_eq(decode(&set, cases[i][0]), EINVAL, "%s",
			     cases[i][0]);
		cr_expect(!strncmp(why, cases[i][1], strlen(cases[i][1])),
			  "%s: %s", cases[i][0], why);
	}
}
