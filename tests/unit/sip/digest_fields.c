/**
 * @file digest_fields.c  Tests: what the Digest parser takes and refuses.
 */
#include <criterion/criterion.h>
#include <string.h>
#include "digest_fields.h"


static int decode(struct digest_fields *f, const char *text)
{
	struct pl pl;

	pl_set_str(&pl, text);
	return digest_fields_decode(f, &pl);
}


#define expect_text(pl, text) \
	cr_expect_eq(pl_strcmp(&(pl), text), 0, "%.*s", (int)(pl).l, (pl).p)


Test(digest_fields, reads_an_answer)
{
	struct digest_fields f;

	cr_assert_eq(decode(&f, "Digest username=\"bob\", realm = \"a.b\" ,"
				"nonce=\"84a4\",uri=\"sip:bob@a.b\",\r\n "
				"qop=auth, nc=00000001, cnonce=\"0a\", "
				"response=\"65\", opaque=\"\", new=1"), 0);
	expect_text(f.username, "bob");
	expect_text(f.realm, "a.b");
	expect_text(f.uri, "sip:bob@a.b");
	expect_text(f.qop, "auth");
	expect_text(f.nc, "00000001");
	expect_text(f.response, "65");
	cr_expect(f.opaque.p && !f.opaque.l, "present but empty");
	cr_expect_null(f.algorithm.p);
}


Test(digest_fields, names_and_scheme_in_any_case)
{
	struct digest_fields f;

	cr_assert_eq(decode(&f, "dIGEST REALM=\"x\", Algorithm=SHA-256"), 0);
	expect_text(f.realm, "x");
	expect_text(f.algorithm, "SHA-256");
}


Test(digest_fields, other_scheme_is_not_an_error_of_ours)
{
	struct digest_fields f;

	cr_expect_eq(decode(&f, "Basic QWxhZGRpbg=="), ENOENT);
	cr_expect_eq(decode(&f, "Bearer realm=\"x\""), ENOENT);
	cr_expect_eq(decode(&f, ""), ENOENT);
}


Test(digest_fields, refuses_bad_syntax)
{
	static const char *const bad[] = {
		"Digest",
		"Digest ",
		"Digest ,",
		"Digest realm",
		"Digest realm=\"x",
		"Digest realm=\"x\\",
		"Digest realm=\"x\" nonce=\"y\"",
		"Digest realm=\"x\",",
		"Digest realm=\"x\", =y",
		"Digest realm=\"x\", realm=\"y\"",
		"Digest realm=\"\", realm=\"y\"",
		"Digest realm=\"x\r\nEvil: 1\"",
		"Digest realm=\"x\\\ny\"",
		"Digest realm=\"x\x7f\"",
		"Digest realm=a\"b",
	};
	struct digest_fields f;
	size_t i;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_expect_eq(decode(&f, bad[i]), EBADMSG, "%s", bad[i]);
}


Test(digest_fields, bounds)
{
	char text[DIGEST_FIELD_MAX + 64];
	struct digest_fields f;
	size_t n;
	int i;

	memset(text, 'x', sizeof(text));
	n = strlen("Digest nonce=\"");
	memcpy(text, "Digest nonce=\"", n);
	memcpy(text + n + DIGEST_FIELD_MAX, "\"", 2);
	cr_expect_eq(decode(&f, text), 0);

	memcpy(text + n + DIGEST_FIELD_MAX, "x\"", 3);
	cr_expect_eq(decode(&f, text), EBADMSG, "one too long");

	strcpy(text, "Digest a=1");
	for (i = 1; i < DIGEST_FIELDS_MAX; i++)
		strcat(text, ",a=1");
	cr_expect_eq(decode(&f, text), 0);
	strcat(text, ",a=1");
	cr_expect_eq(decode(&f, text), EBADMSG, "one too many");
}


Test(digest_fields, escapes_both_ways)
{
	struct pl raw = PL("a\\\"b\\\\c");
	char text[16], back[16];

	cr_expect_eq(digest_fields_text(text, sizeof(text), &raw), 0);
	cr_expect_str_eq(text, "a\"b\\c");
	re_snprintf(back, sizeof(back), "%H", digest_fields_escape, text);
	cr_expect_str_eq(back, "a\\\"b\\\\c");

	cr_expect_eq(digest_fields_text(text, 5, &raw), EOVERFLOW);
	cr_expect_eq(digest_fields_text(text, 6, &raw), 0);
}
