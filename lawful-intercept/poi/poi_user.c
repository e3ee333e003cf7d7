/** @file poi_user.c  See poi_user.h. */
#include <errno.h>
#include <pwd.h>
#include <string.h>
#include "poi_user.h"
#include "text.h"


int poi_user_find(uint32_t *ret_uid, const char *text)
{
	const struct passwd *user;
	uint64_t uid;

	/* the last number means nobody at all to the kernel */
	if (!text_u64(&uid, text, strlen(text), UINT32_MAX - 1)) {
		*ret_uid = (uint32_t)uid;
		return 0;
	}

	user = getpwnam(text);
	if (!user)
		return ENOENT;

	*ret_uid = user->pw_uid;

	return 0;
}
