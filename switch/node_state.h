/**
 * @file node_state.h  What a node keeps beside its journal: how often it
 * started, its keys, its name among folders, its registrations. Files of its own, mode 0600.
 */
#ifndef NODE_STATE_H
#define NODE_STATE_H
#include <stddef.h>
#include <stdint.h>

struct node_keys {
	uint8_t token[16];
	uint8_t nonce[32];
};

/** Make the directory if missing. @return 0 or errno */
int node_state_open(const char *dir);

/**
 * One process at a time; it ends with the descriptor, also in a crash.
 * @return 0, EWOULDBLOCK (another one has it) or errno
 */
int node_state_lock(const char *dir, int *ret_fd);

/** Count this start: 1, 2, 3 ... on disk before it returns. */
int node_state_boot(const char *dir, int64_t *ret_boot);

/** A state folder, told from all others and from itself made anew. */
struct node_home {
	char id[33];        /**< random, hex                               */
	int64_t born_s;     /**< UTC                                       */
};

/** Read DIR/home, or make it. */
int node_state_home(const char *dir, int64_t now_s, struct node_home *ret);

/**
 * The number of this start among all of the node's name, also when its folder
 * was lost and boots are counted from 1 again.
 */
static inline int64_t node_epoch(const struct node_home *home, int64_t boot)
{
	return home->born_s * (1 << 20) + boot;
}

/** Read DIR/keys, or make it. */
int node_state_keys(const char *dir, struct node_keys *ret);

/** Replace DIR/name as a whole (new file, sync, rename). */
int node_state_write(const char *dir, const char *name, const void *bytes,
		     size_t len);

/** Read DIR/name whole, malloc'd with a NUL behind. ENOENT when missing. */
int node_state_read(const char *dir, const char *name, char **ret_bytes,
		    size_t *ret_len);

#endif
