/**
 * @file poi_link.h  The thread that talks to strowger-li over its socket:
 * connects, again and again; takes targets to the observer, and what the
 * observer copied to strowger-li. Protocol: lawful-intercept/poi.
 *
 * It writes no log and counts no metric: what it could say is for nobody who
 * reads those.
 */
#ifndef POI_LINK_H
#define POI_LINK_H
#include <sys/types.h>
#include "observer.h"

struct poi_link;

struct poi_link_config {
	const char *path;     /**< of the socket                            */
	uid_t uid;            /**< who must listen there                    */
	const char *node;
	size_t sip_size, rtp_size;
	void (*wakeh)(void *arg); /**< observer_look() has work: any thread */
	void *arg;
};

/** The observer is there from here on, the thread from poi_link_start().
 *  @return 0 or errno */
int poi_link_alloc(struct poi_link **lp, const struct poi_link_config *cfg);
int poi_link_start(struct poi_link *l);
struct observer *poi_link_observer(struct poi_link *l);

/** Tell what is queued, for a second at most, and end the thread. */
void poi_link_stop(struct poi_link *l);
void poi_link_free(struct poi_link *l);

#endif
