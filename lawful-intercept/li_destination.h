/**
 * @file li_destination.h  Where X2 and X3 go: a mediation function's address.
 */
#ifndef LI_DESTINATION_H
#define LI_DESTINATION_H
#include "json.h"
#include <stdbool.h>
#include <stdint.h>
#include "li_task.h"
#include "li_xml.h"

struct li_destination {
	struct le le;
	int64_t row;
	enum li_owner owner;
	uint8_t did[LI_UUID_SIZE];
	uint8_t products;    /**< enum li_product                            */
	struct sa address;   /**< TCP                                        */
	char *details;       /**< destinationDetails as XML; ours            */
	uint8_t faults;      /**< products that cannot be delivered now      */
};

/** As li_task_make(), from a destinationDetails. */
int li_destination_make(struct li_destination **dp,
			const struct li_xml_node *details,
			struct li_refusal *ret_why);

json_t *li_destination_json(const struct li_destination *d);
int li_destination_load(struct li_destination **dp, const char *json);

#endif
