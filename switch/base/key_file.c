/** @file key_file.c  See key_file.h. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "key_file.h"
#include "text.h"

#define DIGITS (2 * KEY_FILE_SIZE)


static int is_secret(int fd, enum key_file_for who)
{
	const mode_t others = who == KEY_FILE_GROUP ? 0027 : 0077;
	struct stat st;

	if (fstat(fd, &st))
		return errno;
	if (!S_ISREG(st.st_mode) || st.st_mode & others ||
	    (st.st_uid != geteuid() && st.st_uid != 0))
		return EACCES;

	return 0;
}


static int digits_read(uint8_t key[KEY_FILE_SIZE], int fd)
{
	char hex[DIGITS + 2]; /* one more than may be there */
	const ssize_t n = read(fd, hex, sizeof(hex));
	int err = EBADMSG;

	if (n < 0)
		return errno;

	if (n == DIGITS || (n == DIGITS + 1 && hex[DIGITS] == '\n')) {
		hex[DIGITS] = '\0';
		if (strlen(hex) == DIGITS)
			err = text_unhex(key, KEY_FILE_SIZE, hex);
	}
	OPENSSL_cleanse(hex, sizeof(hex));

	return err;
}


int key_file_read(uint8_t key[KEY_FILE_SIZE], const char *file,
		  enum key_file_for who)
{
	/* a pipe would let us wait for who writes */
	const int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW |
				  O_NONBLOCK);
	int err;

	if (fd < 0)
		return errno;

	err = is_secret(fd, who);
	err = err ? err : digits_read(key, fd);
	(void)close(fd);

	return err;
}


static int digits_write(int fd)
{
	uint8_t bytes[KEY_FILE_SIZE];
	char hex[DIGITS + 1];
	int err = 0;

	if (RAND_bytes(bytes, sizeof(bytes)) != 1)
		return EIO;

	text_hex(hex, bytes, sizeof(bytes));
	hex[DIGITS] = '\n';
	errno = 0;
	if (write(fd, hex, sizeof(hex)) != (ssize_t)sizeof(hex) || fsync(fd))
		err = errno ? errno : EIO;
	OPENSSL_cleanse(hex, sizeof(hex));
	OPENSSL_cleanse(bytes, sizeof(bytes));

	return err;
}


/* Two processes may start together: each writes its own, one gets the name */
int key_file_make(const char *file)
{
	char fresh[512];
	int err, fd;

	if (text_format(fresh, sizeof(fresh), "%s.%ld", file, (long)getpid()))
		return ENAMETOOLONG;
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);
	if (fd < 0)
		return errno;

	err = digits_write(fd);
	(void)close(fd);
	if (!err && link(fresh, file))
		err = errno;
	(void)unlink(fresh);

	return err;
}
