/** @file observer_private.h  Inside an observer: seen by observer*.c only. */
#ifndef OBSERVER_PRIVATE_H
#define OBSERVER_PRIVATE_H
#include "htab.h"
#include "observer.h"

#define PARTIES_MAX 64 /**< of a call; later ones are looked up once */

/** Who takes part, as it is looked up. */
struct party {
	struct le le;
	uint8_t role;          /**< enum poi_role */
	char identity[];
};

/** A live call, any: what is known of it in every call's message anyway. */
struct observed {
	struct htab_node node;
	struct le le;          /**< those that were looked at last are last */
	uint8_t call[POI_ID_SIZE];
	uint32_t generation;   /**< of the set that it was looked up in     */
	bool is_over;
	int64_t over_ns;
	unsigned party_n;
	struct list parties;
};

/** In guarded memory, for what a lookup finds. */
struct observer {
	struct observer_config cfg;
	struct target_ref refs[TARGETS_OF_ONE];
	struct session_match found[SESSION_MATCHES];
	struct sessions *sessions;
	struct copy_queue *sip, *rtp;
	struct htab *calls;
	struct list live;
	const struct target_set *set;  /**< NULL: the own, of nobody        */
	struct target_set *nobody;
	uint32_t generation;
	_Atomic(const struct target_set *) fresh; /**< until it is taken    */
	atomic_bool is_looking;        /**< since then, until all is done   */
	atomic_bool is_broken;
};

/* observer_call.c: which calls, and who takes part */
void observed_begin(struct observer *o, const struct tap_event *ev);
void observed_party(struct observer *o, const struct tap_event *ev);
void observed_end(struct observer *o, const struct tap_event *ev);
void observed_gone(struct observer *o, const struct tap_event *ev);
/** Once more, in the present set. */
void observed_look(struct observer *o, struct observed *call,
		   int64_t wall_ns);
void observed_free(struct observer *o, struct observed *call);

/* observer.c */
/** Tell matches that are new. is_in_progress: the call was, when they were found. */
void copy_call(struct observer *o, struct session *one, bool is_in_progress,
	       int64_t wall_ns);
/** It is copied no more. */
void copy_end(struct observer *o, struct session *one, int64_t wall_ns);

#endif
