/**
 * @file tests/unit/base/key_file.c  What others may have seen is no key.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "key_file.h"

#define DIGITS "00112233445566778899aabbccddeeff" \
	       "00112233445566778899aabbccddeeff"

static char folder[32], file[64];
static uint8_t key[KEY_FILE_SIZE];


static void setup(void)
{
	(void)strcpy(folder, "/tmp/key_file-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	(void)snprintf(file, sizeof(file), "%s/key", folder);
}


static void teardown(void)
{
	(void)unlink(file);
	cr_expect_eq(rmdir(folder), 0, "nothing else is left");
}


TestSuite(key_file, .init = setup, .fini = teardown);


static int with(const char *text, mode_t mode, enum key_file_for who)
{
	const int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	cr_assert(fd >= 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	cr_assert_eq(fchmod(fd, mode), 0);
	(void)close(fd);

	return key_file_read(key, file, who);
}


Test(key_file, is_made_once)
{
	uint8_t again[KEY_FILE_SIZE];
	struct stat st;

	cr_assert_eq(key_file_read(key, file, KEY_FILE_OWNER), ENOENT);
	cr_assert_eq(key_file_make(file), 0);
	cr_assert_eq(key_file_make(file), EEXIST);
	cr_assert_eq(stat(file, &st), 0);
	cr_expect_eq(st.st_mode & 0777, 0400);
	cr_expect_eq(st.st_nlink, 1);
	cr_assert_eq(key_file_read(key, file, KEY_FILE_OWNER), 0);
	cr_assert_eq(key_file_read(again, file, KEY_FILE_OWNER), 0);
	cr_expect_arr_eq(key, again, sizeof(key));
	cr_expect_eq(key_file_make("/nonexistent/key"), ENOENT);
}


Test(key_file, is_64_hex_digits)
{
	static const char *const bad[] = {
		"", "\n", "00", "zz", DIGITS "0", DIGITS "\n\n", DIGITS "\n0",
		DIGITS "\r\n", "g" DIGITS, " " DIGITS,
		"g0112233445566778899aabbccddeeff"
		"00112233445566778899aabbccddeeff",
	};

	cr_expect_eq(with(DIGITS, 0600, KEY_FILE_OWNER), 0);
	cr_expect_eq(key[1], 0x11);
	cr_expect_eq(with(DIGITS "\n", 0600, KEY_FILE_OWNER), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_expect_eq(with(bad[i], 0600, KEY_FILE_OWNER), EBADMSG,
			     "%zu", i);
}


Test(key_file, is_read_by_whom_it_is_for)
{
	static const struct {
		mode_t mode;
		int owner, group;
	} modes[] = {
		{0400, 0, 0},           {0600, 0, 0},
		{0440, EACCES, 0},      {0640, EACCES, 0},
		{0660, EACCES, EACCES}, {0604, EACCES, EACCES},
		{0602, EACCES, EACCES}, {0601, EACCES, EACCES},
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		cr_expect_eq(with(DIGITS, modes[i].mode, KEY_FILE_OWNER),
			     modes[i].owner, "%o", modes[i].mode);
		cr_expect_eq(with(DIGITS, modes[i].mode, KEY_FILE_GROUP),
			     modes[i].group, "%o", modes[i].mode);
	}

	if (!geteuid()) { /* who else can give a file away? */
		cr_assert_eq(chown(file, 1, 1), 0);
		cr_expect_eq(with(DIGITS, 0600, KEY_FILE_OWNER), EACCES);
	}
}


Test(key_file, is_a_file)
{
	char other[80];

	(void)snprintf(other, sizeof(other), "%s/other", folder);
	cr_assert_eq(with(DIGITS, 0600, KEY_FILE_OWNER), 0);
	cr_assert_eq(rename(file, other), 0);
	cr_assert_eq(symlink(other, file), 0);
	cr_expect_eq(key_file_read(key, file, KEY_FILE_GROUP), ELOOP);
	cr_assert_eq(unlink(file), 0);
	cr_assert_eq(unlink(other), 0);

	cr_assert_eq(mkfifo(file, 0600), 0);
	cr_expect_eq(key_file_read(key, file, KEY_FILE_GROUP), EACCES);
	cr_expect_eq(key_file_read(key, folder, KEY_FILE_GROUP), EACCES);
}
