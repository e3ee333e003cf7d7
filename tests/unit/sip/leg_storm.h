/**
 * @file leg_storm.h  Random calls between owners, a wire and a peer of whom
 * nothing can be expected.
 */
#ifndef LEG_STORM_H
#define LEG_STORM_H
#include "leg_pair.h"

/** Two owners that do anything over a wire that loses and doubles.
 *  @param starve  as pair_starve(); NULL: memory is never short */
void leg_storm(uint64_t seed, void (*starve)(bool is_on));

/** One owner that does anything, and a peer that says anything. */
void leg_storm_of_peer(uint64_t seed, void (*starve)(bool is_on));

#endif
