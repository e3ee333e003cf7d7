/**
 * @file follow.h  The thread that follows provisioning: pulls what changed
 * from PostgreSQL, builds catalogs, publishes them, keeps the last good one
 * on disk. May wait; the switch never waits for it.
 */
#ifndef FOLLOW_H
#define FOLLOW_H
#include "loop.h"

struct follow;

struct follow_config {
	const char *dsn, *node, *state_dir;
	int64_t boot;
	struct loop *loop; /**< gets every new catalog                     */
};

/** Loads the catalog on disk, if any, before it returns. */
int follow_start(struct follow **fp, const struct follow_config *cfg);
void follow_stop(struct follow *f);

#endif
