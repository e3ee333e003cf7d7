/**
 * @file cursor.c  Where a list goes on.
 */
#include "json.h"
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include "cursor.h"
#include "text.h"


/* base64 <-> base64url (RFC 4648 5), padding left out */
static void to_url(char *s)
{
	for (; *s; s++) {
		if (*s == '+')
			*s = '-';
		else if (*s == '/')
			*s = '_';
		else if (*s == '=')
			break;
	}
	*s = '\0';
}


int cursor_encode(char *buf, size_t size, const char *list,
		  const struct cursor *c)
{
	json_t *json = json_pack("[s]", list);
	unsigned char coded[CURSOR_SIZE + 4];
	char *text;
	size_t len;
	int err;

	for (size_t i = 0; i < c->n; i++)
		json_array_append_new(json, json_string(c->keys[i]));
	text = json_dumps(json, JSON_COMPACT);
	json_decref(json);
	if (!text)
		return ENOMEM;

	len = strlen(text);
	if (len > (size_t)CURSOR_SIZE / 4 * 3) {
		free(text);
		return EOVERFLOW;
	}
	EVP_EncodeBlock(coded, (const unsigned char *)text, (int)len);
	free(text);
	to_url((char *)coded);
	err = text_copy(buf, size, (const char *)coded);

	return err;
}


static json_t *unwrap(const char *text)
{
	char coded[CURSOR_SIZE + 4];
	unsigned char plain[CURSOR_SIZE + 4];
	size_t len = strlen(text), pad;
	int n;

	if (!len || len > CURSOR_SIZE)
		return NULL;

	for (size_t i = 0; i <= len; i++)
		coded[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/'
								 : text[i];
	for (pad = 0; (len + pad) % 4; pad++)
		coded[len + pad] = '=';
	coded[len + pad] = '\0';
	n = EVP_DecodeBlock(plain, (const unsigned char *)coded,
			    (int)(len + pad));
	if (n < (int)pad)
		return NULL;

	return json_loadb((const char *)plain, (size_t)n - pad, 0, NULL);
}


int cursor_decode(struct cursor *ret, const char *text, const char *list,
		  size_t keys)
{
	json_t *json = unwrap(text);
	const char *owner = json_string_value(json_array_get(json, 0));
	struct cursor c = {.n = keys};
	int err = 0;

	if (!owner || strcmp(owner, list) != 0 || keys > CURSOR_KEYS_MAX ||
	    json_array_size(json) != keys + 1)
		err = EBADMSG;

	for (size_t i = 0; i < keys && !err; i++) {
		const char *s = json_string_value(json_array_get(json, i + 1));

		if (!s || text_copy(c.keys[i], sizeof(c.keys[i]), s))
			err = EBADMSG;
	}

	json_decref(json);
	if (!err)
		*ret = c;
	return err;
}
