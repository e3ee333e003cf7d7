/** @file node_state.c  See node_state.h. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "node_state.h"
#include "text.h"

#define STATE_FILE_MAX 268435456L


int node_state_open(const char *dir)
{
	return mkdir(dir, 0700) && errno != EEXIST ? errno : 0;
}


int node_state_lock(const char *dir, int *ret_fd)
{
	char path[512];
	int fd, err;

	if (text_format(path, sizeof(path), "%s/lock", dir))
		return ENAMETOOLONG;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;

	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err = errno;
		(void)close(fd);
		return err;
	}

	*ret_fd = fd;

	return 0;
}


static int write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		const ssize_t n = write(fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? errno : EIO;
		bytes += n;
		len -= (size_t)n;
	}

	return fsync(fd) ? errno : 0;
}


/* A start that is not counted would be the same one again. */
static int dir_sync(const char *dir)
{
	const int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return errno;
	if (fsync(fd))
		err = errno;
	(void)close(fd);

	return err;
}


int node_state_write(const char *dir, const char *name, const void *bytes,
		     size_t len)
{
	char path[512], fresh[520];
	int fd, err;

	if (text_format(path, sizeof(path), "%s/%s", dir, name) ||
	    text_format(fresh, sizeof(fresh), "%s.new", path))
		return ENAMETOOLONG;

	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return errno;

	err = write_all(fd, bytes, len);
	(void)close(fd);
	if (!err && rename(fresh, path))
		err = errno;

	return err ? err : dir_sync(dir);
}


int node_state_read(const char *dir, const char *name, char **ret_bytes,
		    size_t *ret_len)
{
	char path[512], *bytes;
	struct stat st;
	ssize_t n;
	int fd;

	if (text_format(path, sizeof(path), "%s/%s", dir, name))
		return ENAMETOOLONG;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (fstat(fd, &st) || st.st_size > STATE_FILE_MAX) {
		(void)close(fd);
		return EFBIG;
	}

	bytes = malloc((size_t)st.st_size + 1);
	n = bytes ? read(fd, bytes, (size_t)st.st_size) : -1;
	(void)close(fd);
	if (n != st.st_size) {
		free(bytes);
		return bytes ? EIO : ENOMEM;
	}

	bytes[n] = '\0';
	*ret_bytes = bytes;
	*ret_len = (size_t)n;

	return 0;
}


int node_state_boot(const char *dir, int64_t *ret_boot)
{
	uint64_t boot = 0;
	char *text = NULL;
	size_t len = 0;
	int err;

	err = node_state_read(dir, "boot", &text, &len);
	if (!err && text)
		err = text_u64(&boot, text, strcspn(text, "\n"), INT64_MAX - 1);
	else if (err == ENOENT)
		err = 0;
	free(text);
	if (err)
		return err;

	*ret_boot = (int64_t)++boot;
	text = malloc(24);
	if (!text)
		return ENOMEM;
	len = (size_t)snprintf(text, 24, "%llu\n", (unsigned long long)boot);
	err = node_state_write(dir, "boot", text, len);
	free(text);

	return err;
}


static int home_make(const char *dir, int64_t now_s, struct node_home *ret)
{
	uint8_t random[16];
	char text[64];
	size_t i;

	if (RAND_bytes(random, sizeof(random)) != 1)
		return EIO;

	for (i = 0; i < sizeof(random); i++)
		(void)snprintf(ret->id + 2 * i, 3, "%02x", random[i]);
	ret->born_s = now_s;
	(void)snprintf(text, sizeof(text), "%s %lld\n", ret->id,
		       (long long)ret->born_s);

	return node_state_write(dir, "home", text, strlen(text));
}


int node_state_home(const char *dir, int64_t now_s, struct node_home *ret)
{
	char *text = NULL;
	uint64_t born_s;
	size_t len = 0;
	int err;

	err = node_state_read(dir, "home", &text, &len);
	if (err == ENOENT)
		return home_make(dir, now_s, ret);
	if (!err && (len < sizeof(ret->id) ||
		     strspn(text, "0123456789abcdef") != sizeof(ret->id) - 1))
		err = EBADMSG;
	if (!err)
		err = text_u64(&born_s, text + sizeof(ret->id),
			       strcspn(text + sizeof(ret->id), "\n"),
			       UINT32_MAX);
	if (!err) {
		text[sizeof(ret->id) - 1] = '\0';
		(void)text_copy(ret->id, sizeof(ret->id), text);
		ret->born_s = (int64_t)born_s;
	}
	free(text);

	return err;
}


int node_state_keys(const char *dir, struct node_keys *ret)
{
	char *bytes = NULL;
	size_t len = 0;
	int err;

	err = node_state_read(dir, "keys", &bytes, &len);
	if (!err && len == sizeof(*ret))
		memcpy(ret, bytes, sizeof(*ret));
	else if (!err)
		err = EBADMSG;
	free(bytes);
	if (err != ENOENT)
		return err;

	if (RAND_bytes((uint8_t *)ret, sizeof(*ret)) != 1)
		return EIO;

	return node_state_write(dir, "keys", ret, sizeof(*ret));
}
