/**
 * @file li_task.h  A task: whose calls, what of them, where to, when.
 */
#ifndef LI_TASK_H
#define LI_TASK_H
#include "json.h"
#include <stdbool.h>
#include <stdint.h>
#include "li_xml.h"
#include "poi_target.h"

#define LI_TASK_TARGETS 64
#define LI_TASK_DIDS 8
#define LI_TASK_WINDOWS 16
#define LI_UUID_SIZE 16

/** What happened before the end of a task may come so much later. */
#define LI_LATE_US 5000000LL

/** Who may see and change it. */
enum li_owner { LI_OWNER_ADMF = 1, LI_OWNER_OFFICER = 2 };

/** Products, or-ed. */
enum li_product { LI_X2 = 1, LI_X3 = 2 };

struct li_target {
	char arm[16];                     /**< element of X1: "e164Number"  */
	char text[256];                   /**< as it was given              */
	char identity[POI_IDENTITY_SIZE]; /**< in the one form              */
};

/** [from, to) */
struct li_window {
	int64_t from_us, to_us;
};

struct li_task {
	struct le le;
	int64_t row;                      /**< of the store; 0: none yet    */
	enum li_owner owner;
	uint8_t xid[LI_UUID_SIZE];
	uint8_t header_xid[LI_UUID_SIZE]; /**< productID or XID: for X2, X3 */
	struct li_target target[LI_TASK_TARGETS];
	size_t target_n;
	uint8_t products;                 /**< enum li_product              */
	uint8_t did[LI_TASK_DIDS][LI_UUID_SIZE];
	size_t did_n;
	struct li_window window[LI_TASK_WINDOWS];
	size_t window_n;                  /**< 0: at any time               */
	bool has_correlation;
	uint64_t correlation;
	bool implicit_deactivation;
	bool is_ended;                    /**< its time was over once: it
						never comes back            */
	bool is_told;                     /**< that it is in force; not kept */
	bool is_losing;                   /**< told of, not over; not kept   */
	int64_t modified_us, last_us;     /**< 0: never                     */
	int64_t modifications;
	char *details;                    /**< taskDetails as XML; ours     */
	json_t *warrant;                  /**< of an officer; or NULL       */
};

/** What a task says that cannot be done: a code of X1 and its words. */
struct li_refusal {
	int code;
	const char *what; /**< a constant */
};

/**
 * From a taskDetails that x1_schema_task() has taken.
 * @param numbering  for targets in national form
 * @return 0, ENOTSUP (ret_why), EBADMSG, ENOMEM
 */
int li_task_make(struct li_task **tp, const struct li_xml_node *details,
		 const struct poi_numbering *numbering,
		 struct li_refusal *ret_why);

/** valid_from and valid_until of an officer's warrant, whole seconds, UTC.
 *  @return 0 or EBADMSG */
int li_task_times(json_t *warrant, struct li_window *w);

/** As kept in the store; and back. */
json_t *li_task_json(const struct li_task *t);
int li_task_load(struct li_task **tp, const char *json,
		 const struct poi_numbering *numbering);

/** May anything be delivered that happened at that moment? */
bool li_task_is_in_force(const struct li_task *t, int64_t at_us);

/** When that changes next after a moment; INT64_MAX: never. */
int64_t li_task_next_us(const struct li_task *t, int64_t at_us);

/** Is it in force, or was it so short ago that something of then may come? */
bool li_task_may_come(const struct li_task *t, int64_t at_us);

/** Is all of its time over? */
bool li_task_is_over(const struct li_task *t, int64_t at_us);

#endif
