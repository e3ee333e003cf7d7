/**
 * @file x1_schema.h  What messages of X1 look like (TS 103 221-1, and 103 280
 * for values): order, number and form of every element, as tables.
 */
#ifndef X1_SCHEMA_H
#define X1_SCHEMA_H
#include <stdbool.h>
#include "li_xml.h"

enum x1_type {
	X1_ACTIVATE_TASK, X1_MODIFY_TASK, X1_DEACTIVATE_TASK,
	X1_DEACTIVATE_ALL_TASKS, X1_CREATE_DESTINATION,
	X1_MODIFY_DESTINATION, X1_REMOVE_DESTINATION,
	X1_REMOVE_ALL_DESTINATIONS, X1_GET_TASK_DETAILS,
	X1_GET_DESTINATION_DETAILS, X1_GET_NE_STATUS, X1_GET_ALL_DETAILS,
	X1_GET_ALL_TASK_DETAILS, X1_GET_ALL_DESTINATION_DETAILS,
	X1_GET_ALL_GENERIC_OBJECT_DETAILS, X1_LIST_ALL_DETAILS, X1_PING,
	X1_KEEPALIVE,
	/* known, and refused with 1080 */
	X1_CREATE_OBJECT, X1_MODIFY_OBJECT, X1_GET_OBJECT, X1_DELETE_OBJECT,
	X1_LIST_OBJECTS_OF_TYPE, X1_DELETE_ALL_OBJECTS, X1_REPORT_TASK_ISSUE,
	X1_REPORT_DESTINATION_ISSUE, X1_REPORT_NE_ISSUE,
	X1_TYPE_N
};

/** "ActivateTask" */
const char *x1_type_name(enum x1_type type);

/** Of "ActivateTaskRequest". @return 0 or ENOENT */
int x1_type_find(enum x1_type *ret_type, const char *xsi_type);

/** Does an NE take it? */
bool x1_type_is_for_us(enum x1_type type);

/** The five elements at the begin of a message. @return 0 or EBADMSG */
int x1_schema_header(const struct li_xml_node *message);

/**
 * The whole message.
 * @param ret_where  on failure the element that is wrong or missing
 * @return 0 or EBADMSG
 */
int x1_schema_body(const struct li_xml_node *message, enum x1_type type,
		   const char **ret_where);

/** A taskDetails or destinationDetails by itself. */
int x1_schema_task(const struct li_xml_node *node, const char **ret_where);
int x1_schema_destination(const struct li_xml_node *node,
			  const char **ret_where);

/** "2026-11-22T07:15:47.123456+01:00" in UTC. @return 0 or EBADMSG */
int x1_time_read(int64_t *ret_us, const char *text);

#define X1_TIME_SIZE 32

/** "2026-11-22T07:15:47.123456Z" */
const char *x1_time_write(char buf[X1_TIME_SIZE], int64_t us);

#endif
