/**
 * @file tests/unit/lawful-intercept/li_secret.c  A key that others may read is
 * not taken; what is sealed opens whole or not at all.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <re.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "folder.h"
#include "key_file.h"
#include "li_secret.h"


Test(li_secret, a_key_that_others_may_read_is_none)
{
	char folder[FOLDER_SIZE];
	struct li_secret *s = NULL;

	folder_make(folder);
	cr_assert_eq(key_file_make(folder_file(folder, "key")), 0);
	cr_assert_eq(li_secret_load(&s, folder_file(folder, "key")), 0);
	mem_deref(s);
	cr_assert_eq(chmod(folder_file(folder, "key"), 0440), 0);
	cr_assert_eq(li_secret_load(&s, folder_file(folder, "key")), EACCES);
	folder_remove(folder);
}


Test(li_secret, what_is_sealed_opens_with_the_same_key_use_and_place_only)
{
	char folder[FOLDER_SIZE], plain[6];
	uint8_t sealed[6 + LI_SECRET_OVERHEAD], other[sizeof(sealed)];
	struct li_secret *s, *s2 = NULL;
	size_t i;

	folder_make(folder);
	s = folder_secret(folder);
	cr_assert_eq(li_secret_seal(s, LI_SECRET_STORE, "row1", 4, "secret", 6,
				    sealed), 0);
	cr_assert_eq(li_secret_seal(s, LI_SECRET_STORE, "row1", 4, "secret", 6,
				    other), 0);
	cr_assert_neq(memcmp(sealed, other, sizeof(sealed)), 0);
	cr_assert_eq(li_secret_open(s, LI_SECRET_STORE, "row1", 4, sealed,
				    sizeof(sealed), plain), 0);
	cr_assert_eq(memcmp(plain, "secret", 6), 0);

	cr_assert_eq(li_secret_open(s, LI_SECRET_STORE, "row2", 4, sealed,
				    sizeof(sealed), plain), EBADMSG);
	cr_assert_eq(li_secret_open(s, LI_SECRET_AUDIT, "row1", 4, sealed,
				    sizeof(sealed), plain), EBADMSG);
	for (i = 0; i < sizeof(sealed); i++) {
		cr_assert_eq(li_secret_open(s, LI_SECRET_STORE, "row1", 4,
					    sealed, i, plain), EBADMSG);
		sealed[i] ^= 1;
		cr_assert_eq(li_secret_open(s, LI_SECRET_STORE, "row1", 4,
					    sealed, sizeof(sealed), plain),
			     EBADMSG);
		sealed[i] ^= 1;
	}

	cr_assert_eq(unlink(folder_file(folder, "key")), 0);
	s2 = folder_secret(folder);
	cr_assert_eq(li_secret_open(s2, LI_SECRET_STORE, "row1", 4, sealed,
				    sizeof(sealed), plain), EBADMSG);
	mem_deref(s);
	mem_deref(s2);
	folder_remove(folder);
}
