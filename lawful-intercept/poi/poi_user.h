/**
 * @file poi_user.h  Whose process may be at the other end of the socket.
 */
#ifndef POI_USER_H
#define POI_USER_H
#include <stdint.h>

/** @param text  a name or a number
 *  @return 0; ENOENT: nobody has that name */
int poi_user_find(uint32_t *ret_uid, const char *text);

#endif
