/* Cursors: what was encoded comes back, everything else is refused. */
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "cursor.h"


Test(cursor, comes_back)
{
	const struct cursor c = {
		.keys = {"2026-11-22T10:31:00.000Z", "\"quo\\ted\" \xc3\xa4"},
		.n = 2};
	struct cursor back;
	char text[CURSOR_SIZE];

	cr_assert_eq(cursor_encode(text, sizeof(text), "cdr_list", &c), 0);
	cr_assert_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnop"
				  "qrstuvwxyz0123456789-_"), strlen(text));
	cr_assert_eq(cursor_decode(&back, text, "cdr_list", 2), 0);
	cr_assert_eq(back.n, 2);
	cr_assert_str_eq(back.keys[0], c.keys[0]);
	cr_assert_str_eq(back.keys[1], c.keys[1]);
}


Test(cursor, belongs_to_its_list)
{
	const struct cursor c = {.keys = {"x"}, .n = 1};
	struct cursor back;
	char text[CURSOR_SIZE];

	cr_assert_eq(cursor_encode(text, sizeof(text), "did_list", &c), 0);
	cr_assert_eq(cursor_decode(&back, text, "trunk_list", 1), EBADMSG);
	cr_assert_eq(cursor_decode(&back, text, "did_list", 2), EBADMSG);
}


Test(cursor, refuses_what_is_not_ours)
{
	static const char *const bad[] = {
		"", "=", "!!!!", "AAAA", "bm9uc2Vuc2U", "W10", "WyJhIl0=",
		"WyJhIiwxXQ", "eyJhIjoxfQ", "W1tbW1tb"};
	char longest[2 * CURSOR_SIZE];
	struct cursor back;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(cursor_decode(&back, bad[i], "a", 1), EBADMSG,
			     "%s", bad[i]);
	memset(longest, 'W', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	cr_assert_eq(cursor_decode(&back, longest, "a", 1), EBADMSG);
}


Test(cursor, bounds_its_keys)
{
	struct cursor c = {.n = 3};
	char text[CURSOR_SIZE];

	for (size_t i = 0; i < c.n; i++) {
		memset(c.keys[i], '"', CURSOR_KEY_SIZE - 1);
		c.keys[i][CURSOR_KEY_SIZE - 1] = '\0';
	}
	cr_assert_eq(cursor_encode(text, sizeof(text), "a", &c), EOVERFLOW,
		     "quotes are escaped and no longer fit");
}
