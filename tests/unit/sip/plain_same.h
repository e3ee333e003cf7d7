/** @file plain_same.h  Do our decoder and libre's read the same? */
#ifndef PLAIN_SAME_H
#define PLAIN_SAME_H
#include <re.h>

/** @return NULL, or what of the message they read differently */
const char *plain_same(const struct sip_msg *ours,
		       const struct sip_msg *libres);

#endif
