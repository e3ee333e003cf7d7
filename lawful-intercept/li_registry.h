/**
 * @file li_registry.h  All tasks and destinations, in memory and in the
 * store. A change is one transaction with the record of the audit that tells
 * it; memory changes when that is on disk.
 */
#ifndef LI_REGISTRY_H
#define LI_REGISTRY_H
#include "li_audit.h"
#include "li_destination.h"
#include "li_task.h"

#define LI_TASKS_MAX 20000
#define LI_DESTINATIONS_MAX 256

struct li_registry;

/** Somebody has to know: tasks, their times or their destinations changed. */
typedef void(li_registry_h)(void *arg);

int li_registry_alloc(struct li_registry **rp, struct li_store *store,
		      struct li_audit *audit,
		      const struct poi_numbering *numbering, li_registry_h *h,
		      void *arg);

/** A row of the store that cannot be read. */
typedef void(li_registry_unread_h)(enum li_kind kind, int64_t row, void *arg);

/** All that the store has. A row that cannot be read stays there and is told:
 *  one of them does not end all other interception. @return 0, errno */
int li_registry_load(struct li_registry *r, li_registry_unread_h *h,
		     void *arg);

struct li_audit *li_registry_audit(struct li_registry *r);
const struct poi_numbering *li_registry_numbering(const struct li_registry *r);

/** struct li_task, struct li_destination; not to be changed */
const struct list *li_registry_tasks(const struct li_registry *r);
const struct list *li_registry_destinations(const struct li_registry *r);

struct li_task *li_registry_task(const struct li_registry *r,
				 const uint8_t xid[LI_UUID_SIZE]);
struct li_destination *
li_registry_destination(const struct li_registry *r,
			const uint8_t did[LI_UUID_SIZE]);

/** Does a task of anybody use it? */
bool li_registry_destination_is_used(const struct li_registry *r,
				     const struct li_destination *d);

/** Who asks for a change, and the record that tells it. */
struct li_act {
	int64_t wall_us;
	const char *event;
	json_t *detail; /**< stolen, also on failure */
};

/** A new one, or in the place of one with its id: it is taken over, also its
 *  sequence numbers go on. The caller's reference is taken on success.
 *  @return 0; EDQUOT: LI_TASKS_MAX tasks, or POI_TARGETS_MAX targets of all,
 *  would be passed; errno of the store */
int li_registry_task_put(struct li_registry *r, struct li_task *t,
			 const struct li_act *act);
int li_registry_task_remove(struct li_registry *r, struct li_task *t,
			    const struct li_act *act);
int li_registry_destination_put(struct li_registry *r,
				struct li_destination *d,
				const struct li_act *act);
int li_registry_destination_remove(struct li_registry *r,
				   struct li_destination *d,
				   const struct li_act *act);

/** Write a task again whose own fields were changed (warrant, is_ended). */
int li_registry_task_update(struct li_registry *r, struct li_task *t,
			    const struct li_act *act);

#endif
