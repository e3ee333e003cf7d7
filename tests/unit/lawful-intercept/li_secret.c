/**
 * @file tests/unit/lawful-intercept/li_secret.c  A key that others may read is
 * not taken; what is sealed opens whole or not at all.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <re.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "folder.h"
#include "li_secret.h"


static void write_file(const char *file, const char *text, mode_t mode)
{
	const int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	close(fd);
}


Test(li_secret, a_key_is_made_once_and_only_its_owner_reads_it)
{
	char folder[FOLDER_SIZE];
	struct li_secret *s = NULL;
	struct stat st;

	folder_make(folder);
	cr_assert_eq(li_secret_make(folder_file(folder, "key")), 0);
	cr_assert_eq(stat(folder_file(folder, "key"), &st), 0);
	cr_assert_eq(st.st_mode & 0777, 0400);
	cr_assert_eq(li_secret_make(folder_file(folder, "key")), EEXIST);
	cr_assert_eq(li_secret_load(&s, folder_file(folder, "key")), 0);
	mem_deref(s);

	cr_assert_eq(chmod(folder_file(folder, "key"), 0440), 0);
	cr_assert_eq(li_secret_load(&s, folder_file(folder, "key")), EACCES);
	cr_assert_eq(li_secret_load(&s, folder_file(folder, "none")), ENOENT);
	folder_remove(folder);
}


Test(li_secret, a_key_is_64_hex_digits)
{
	static const char *const bad[] = {
		"", "\n", "00", "zz",
		"00000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000"
		"00000",
		"g000000000000000000000000000000000000000000000000000000000000"
		"000",
	};
	char folder[FOLDER_SIZE];
	struct li_secret *s = NULL;
	size_t i;

	folder_make(folder);
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		write_file(folder_file(folder, "key"), bad[i], 0600);
		cr_assert_eq(li_secret_load(&s, folder_file(folder, "key")),
			     EBADMSG, "%zu", i);
	}
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
