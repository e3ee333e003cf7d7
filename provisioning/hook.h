/**
 * @file hook.h  What resources share whose URL we POST to: is it one that we
 * may go to, and the secret that the POSTs are signed with.
 */
#ifndef HOOK_H
#define HOOK_H
#include "request.h"
#include "webhook_send.h"

#define HOOK_OVERLAP_MAX_S 604800

/** A problem at /url when it is written as an address that is not public. */
void hook_check_url(struct request *req, const char *url);

/** A new secret, sealed. @return 0 or ENOMEM */
int hook_secret_new(struct request *req, char box[WEBHOOK_BOX_SIZE]);

/**
 * After COMMIT: the secret of the row that is answered goes into the answer,
 * and nowhere else. One that is gone already can be replaced by a rotation.
 */
void hook_secret_show(struct request *req, const char *table);

struct resource;

/** A new secret for the row of the path; the one that was counts for as long
 *  as the member overlap_s of the body says. */
void hook_secret_rotate(struct request *req, const struct resource *res);

#endif
