/** @file observer_private.h  Inside an observer: seen by observer*.c only. */
#ifndef OBSERVER_PRIVATE_H
#define OBSERVER_PRIVATE_H
#include "htab.h"
#include "observer.h"

#define PARTIES_MAX 64 /**< of a call; later ones are looked up once */
#define LOOKS 64       /**< calls or exchanges looked at in one go */
#define PACES 1024     /**< targets with attempts, those of late */

/** Who takes part, as it is looked up. */
struct party {
	struct le le;
	uint8_t role;          /**< enum poi_role */
	char identity[];
};

struct parties {
	struct list list;
	unsigned n;
	size_t size;           /**< octets */
};

/** A message that waits. */
struct held {
	struct le le;
	struct tap_event ev;
	uint8_t bytes[];
};

/** A live call, any: what is known of it in every call's message anyway. */
struct observed {
	struct htab_node node, told_node;
	struct le le;          /**< those that were looked at last are last */
	uint8_t call[POI_ID_SIZE];
	uint8_t told[POI_ID_SIZE]; /**< what strowger-li calls it: as what was
					said outside of it, see exchange_id() */
	uint32_t generation;   /**< of the set that it was looked up in     */
	bool is_over;
	int64_t over_ns;
	struct parties parties;
	struct list early;     /**< what was said before anybody is called  */
	size_t early_size;     /**< octets                                  */
	bool is_dialled;       /**< nothing is kept any more                */
};

/** How fast the attempts of a target come, and those that were too fast. */
struct pace {
	uint32_t id;           /**< of the target                           */
	int64_t used_ns;       /**< 0: free                                 */
	int64_t next_ns;       /**< when there may be another one           */
	uint32_t missed;       /**< messages that were not copied           */
	int64_t from_ns, to_ns;/**< of these                                */
};

/** In guarded memory, for what a lookup finds. */
struct observer {
	struct observer_config cfg;
	struct target_ref refs[TARGETS_OF_ONE];
	struct session_match found[SESSION_MATCHES];
	struct sessions *sessions;
	struct copy_queue *sip, *rtp;
	struct htab *calls, *told;     /**< by both their ids               */
	struct list live;
	struct observed *beginning;    /**< its first message is yet to come*/
	struct htab *exchanges;        /**< messages of no call, by told id */
	struct list all, due;          /**< of these, the oldest first; due:
					    those that hold messages        */
	size_t held;                   /**< octets of all of them           */
	bool is_settling;              /**< see exchanges_settle()          */
	size_t settle_n;               /**< that are still to be told then  */
	struct pace paces[PACES];
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
/** The live call that strowger-li knows by this, or NULL. */
struct observed *observed_told(const struct observer *o,
			       const uint8_t told[POI_ID_SIZE]);

/** A message of a call that is not copied. Until somebody is called it is kept:
 *  who that is shows whose the call is, of old. */
void observed_keep(struct observer *o, const struct tap_event *ev);
/** What was kept goes before the first message that is copied. */
void observed_early(struct observer *o, const struct tap_event *ev,
		    struct session *one);
/** That was said before the call, in its order. */
void observed_adopt(struct observed *call, struct held *h);

/** @return NULL without memory */
struct held *held_new(const struct tap_event *ev);
size_t held_size(const struct held *h);
/** @return when the first one was said */
int64_t held_from_ns(const struct list *list);
/** Tell whose it is, and all of the list. */
void copy_held(struct observer *o, struct session *one,
	       const struct list *list);

/** @return false: nobody who can be sought, or known already */
bool parties_take(struct parties *p, const struct tap_party *one,
		  char identity[POI_IDENTITY_SIZE]);
/** All of them, into o->found. @return how many */
size_t parties_find(struct observer *o, const struct parties *p);

/* observer_exchange.c: what is said outside of calls */
void exchange_hear(struct observer *o, const struct tap_event *ev);
/** One id for all that has a Call-ID from an address.
 *  @return false: it has none */
bool exchange_id(const struct observer *o, uint8_t id[POI_ID_SIZE],
		 const struct tap_event *ev);
/** What was said before this call goes before its first message. */
void exchange_join(struct observer *o, struct observed *call);
/** Those whose time is over. @return true: call again soon */
bool exchanges_look(struct observer *o, int64_t wall_ns);
/** Before another set is taken: what is held is of this one.
 *  @return false: not through yet */
bool exchanges_settle(struct observer *o);
void exchanges_free(struct observer *o);
/** Attempts of this target that were too many are told as lost with these. */
void missed_take(struct observer *o, struct session *one, uint32_t id);

/* observer.c */
/** Tell matches that are new. is_in_progress: the call was, when they were found. */
void copy_call(struct observer *o, struct session *one, bool is_in_progress,
	       int64_t wall_ns);
void copy_sip(struct observer *o, struct session *one,
	      const struct tap_event *ev);
/** It is copied no more. */
void copy_end(struct observer *o, struct session *one, int64_t wall_ns);

#endif
