/**
 * @file li_poi.h  Our side of the socket to the switches (poi_message.h):
 * lets in the one user that may, tells what is sought, hands up what comes.
 */
#ifndef LI_POI_H
#define LI_POI_H
#include <re.h>
#include <stdbool.h>
#include <stdint.h>
#include "li_index.h"
#include "poi_message.h"

struct li_poi;

/** A switch that is connected. */
struct li_switch;

struct li_poi_handlers {
	void (*came)(const struct li_switch *s, void *arg);
	void (*message)(const struct li_switch *s, const struct poi_message *m,
			void *arg);
	/** why is a constant. What it held is over. */
	void (*gone)(const struct li_switch *s, const char *why, void *arg);
	/** somebody else wanted to connect */
	void (*refused)(uint32_t uid, void *arg);
	/** all switches that are connected have all that is sought */
	void (*in_force)(void *arg);
	void *arg;
};

/**
 * @param path   of the socket; what is there is removed
 * @param uid    who may connect
 * @param epoll  file descriptors are added there with pointers to be given
 *               to li_poi_run()
 */
int li_poi_open(struct li_poi **pp, const char *path, uint32_t uid, int epoll,
		const struct li_index *index,
		const struct li_poi_handlers *handlers);

/** Is it one of ours that epoll gave? */
bool li_poi_owns(const struct li_poi *p, const void *what);

/** Read what there is, up to a bound; accept who waits. */
void li_poi_run(struct li_poi *p, void *what);

/** What is sought has changed. */
void li_poi_tell(struct li_poi *p);

size_t li_poi_count(const struct li_poi *p);

/** Have all that are connected (and at least one is) what is sought now? */
bool li_poi_is_in_force(const struct li_poi *p);

const char *li_switch_node(const struct li_switch *s);

/** Another one for each connection. */
uint32_t li_switch_serial(const struct li_switch *s);

#endif
