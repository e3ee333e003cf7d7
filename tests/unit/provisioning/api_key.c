/* An API key: form and hash. */
#include "json.h"
#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include "api_key.h"
#include "text.h"

#define ID "0123456789abcdefghjkmnpqrs"
#define SECRET "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"


Test(api_key, gives_id_and_hash)
{
	struct api_key key;
	char hex[65];

	cr_assert_eq(api_key_parse(&key, "Bearer sk_" ID "_" SECRET), 0);
	cr_assert_str_eq(key.id, "key_" ID);
	text_hex(hex, key.sha256, sizeof(key.sha256));
	/* printf %s SECRET | sha256sum */
	cr_assert_str_eq(hex, "96903127e4208e76fe38bb5ea22b27b8"
			      "89d7882dc7ab987027d8ce6514a4f1e4");
}


Test(api_key, takes_any_case_of_the_scheme)
{
	struct api_key key;

	cr_assert_eq(api_key_parse(&key, "bearer   sk_" ID "_" SECRET), 0);
}


Test(api_key, refuses_what_is_no_key)
{
	static const char *const bad[] = {
		"",
		"Bearer",
		"Bearer ",
		"Basic sk_" ID "_" SECRET,
		"Bearer " ID "_" SECRET,
		"Bearer sk_" ID SECRET "_",
		"Bearer sk_" ID "_" SECRET "x",
		"Bearer sk_" ID "_",
		"Bearer sk_0123456789ABCDEFGHJKMNPQRS_" SECRET,
		"Bearer sk_' or true -- 56789abcde_" SECRET,
	};
	struct api_key key = {.id = "untouched"};

	cr_assert_eq(api_key_parse(&key, NULL), EBADMSG);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_eq(api_key_parse(&key, bad[i]), EBADMSG, "%s",
			     bad[i]);
	cr_assert_str_eq(key.id, "untouched");
}
