/**
 * @file snapshot.h  Publish, acquire, release of one immutable object: the
 * publisher swaps a pointer, readers count a reference, the last one frees.
 * A reader never waits for a build; a publisher never waits for a reader.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H
#include <stdint.h>

struct snapshot_slot;  /**< where the newest version hangs */
struct snapshot;       /**< one version: header in front of an owner's data */

typedef void(snapshot_free_h)(void *data);

int snapshot_slot_alloc(struct snapshot_slot **sp);
void snapshot_slot_free(struct snapshot_slot *s);

/**
 * Hang data as the newest version; the slot's reference to the previous one
 * is released. freeh runs on the thread that lets go last.
 *
 * @return 0, or ENOMEM: data is then still the caller's
 */
int snapshot_publish(struct snapshot_slot *s, void *data, uint64_t version,
		     snapshot_free_h *freeh);

/** Newest version with a reference, or NULL when none. Any thread. */
struct snapshot *snapshot_acquire(struct snapshot_slot *s);
struct snapshot *snapshot_ref(struct snapshot *snap);
void snapshot_release(struct snapshot *snap); /**< NULL is fine */

void *snapshot_data(const struct snapshot *snap);
uint64_t snapshot_version(const struct snapshot *snap);

#endif
