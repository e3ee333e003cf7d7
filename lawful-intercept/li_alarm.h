/**
 * @file li_alarm.h  Alarms for those who look after interception: a line of
 * JSON each, in a file that nobody else reads. Ids of tasks and destinations
 * may stand there, never a target.
 */
#ifndef LI_ALARM_H
#define LI_ALARM_H
#include "json.h"
#include <stdbool.h>
#include <stdint.h>

struct li_alarm;

/** @return 0 or errno of the file (made 0600, opened for append) */
int li_alarm_open(struct li_alarm **ap, const char *file);

/**
 * @param name    a constant: "poi_away", "spool_full"
 * @param is_up   false: it is over
 * @param detail  stolen; an object, or NULL
 */
void li_alarm_tell(struct li_alarm *a, int64_t wall_us, const char *name,
		   bool is_up, json_t *detail);

#endif
