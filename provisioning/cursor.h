/**
 * @file cursor.h  Where a list goes on: the key of the last row sent, opaque
 * to clients (base64url of a JSON array), bound to its list.
 */
#ifndef CURSOR_H
#define CURSOR_H
#include <stddef.h>

#define CURSOR_KEYS_MAX 3
#define CURSOR_KEY_SIZE 80
#define CURSOR_SIZE 512

struct cursor {
	char keys[CURSOR_KEYS_MAX][CURSOR_KEY_SIZE];
	size_t n;
};

/** @param list  operationId of the list; 0 or EOVERFLOW */
int cursor_encode(char *buf, size_t size, const char *list,
		  const struct cursor *c);

/** @return 0, or EBADMSG when it is not one of ours or of another list */
int cursor_decode(struct cursor *ret, const char *text, const char *list,
		  size_t keys);

#endif
