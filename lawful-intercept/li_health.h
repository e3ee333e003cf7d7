/**
 * @file li_health.h  What is wrong with this network element now, for
 * answers of X1; li_loop keeps it, X1 only reads.
 */
#ifndef LI_HEALTH_H
#define LI_HEALTH_H
#include <stdbool.h>

/** Faults, or-ed. */
enum li_fault {
	LI_FAULT_POI_AWAY = 1, /**< no switch is connected                  */
	LI_FAULT_STORE = 2,    /**< the disk takes no records               */
	LI_FAULT_LOSS = 4,     /**< something was lost, and still is        */
};

struct li_health {
	unsigned faults;      /**< enum li_fault                            */
	bool is_provisioned;  /**< every connected switch has all targets   */
	bool reports_come;    /**< the ADMF is told when that is so         */
};

#endif
