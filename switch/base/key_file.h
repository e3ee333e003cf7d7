/**
 * @file key_file.h  A file with a key: 64 hex digits, and maybe a line's end.
 * One that others could have read or written is no secret and is not taken.
 */
#ifndef KEY_FILE_H
#define KEY_FILE_H
#include <stdint.h>

#define KEY_FILE_SIZE 32 /**< octets of a key */

/** Who may read it beside its owner. */
enum key_file_for {
	KEY_FILE_OWNER, /**< nobody                                        */
	KEY_FILE_GROUP, /**< its group: 0640, as another program's copy    */
};

/**
 * The file is no link, and its owner we or root (as of systemd's credentials).
 * @return 0, EACCES (another's, others may read or write it, or no file),
 *         ELOOP (a link), EBADMSG (no key), errno
 */
int key_file_read(uint8_t key[KEY_FILE_SIZE], const char *file,
		  enum key_file_for who);

/** Make one, 0400: whole under its name or not there. @return 0, EEXIST,
 *  errno */
int key_file_make(const char *file);

#endif
