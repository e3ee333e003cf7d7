/** @file poi_link_private.h  Inside a link: seen by poi_link*.c only. */
#ifndef POI_LINK_PRIVATE_H
#define POI_LINK_PRIVATE_H
#include <pthread.h>
#include <stdatomic.h>
#include "poi_link.h"

/** All of it in guarded memory. */
struct poi_link {
	struct poi_link_config cfg;
	char path[108], node[POI_NODE_SIZE];
	uint8_t boot[POI_ID_SIZE];
	struct observer *observer;
	pthread_t thread;
	bool is_started;
	atomic_bool is_stopping, is_asleep;
	int bell;                  /**< eventfd: something was queued       */

	/* the thread's */
	int fd;                    /**< -1: not connected                   */
	uint64_t retry_ms;         /**< mono, when it is tried again        */
	uint32_t wait_ms;          /**< after the next failure              */
	bool is_publishing;        /**< a set is not in force yet           */
	bool is_dirty;             /**< targets of the last connection are  */
	bool is_blocked;           /**< the socket takes no more            */
	bool is_lost_told[2];      /**< of the record in front, of the
					queue of SIP and of that of RTP     */
	bool owes_in_force;

	bool has_key;
	struct poi_key key;
	struct target_set *sets[2];
	unsigned next_set;         /**< the one that is not looked up in    */
	uint32_t generation;       /**< of the last whole set               */
	uint32_t coming, target_n;
	uint16_t part, parts;      /**< of the set that is coming; 0: none  */

	struct poi_message message;
	uint8_t buf[POI_MESSAGE_MAX]; /**< what was read                    */
	uint8_t out[POI_MESSAGE_MAX]; /**< messages of the next packet      */
	size_t out_n;
};

/** With the next packet; one that is full goes now.
 *  @return false: it found no place, the socket is full or gone */
bool poi_link_tell(struct poi_link *l, const struct poi_message *m);
/** The packet, such as it is. @return false: the socket is full or gone */
bool poi_link_push(struct poi_link *l);
void poi_link_close(struct poi_link *l);
void poi_link_publish(struct poi_link *l, const struct target_set *set);

/* poi_link_read.c */
/** What strowger-li says; stops when a set has to come into force first. */
void poi_link_read(struct poi_link *l);

#endif
