/**
 * @file li_seldom.h  What anybody can bring about as often as they like: told
 * at once, then once a minute, with how often it was. Else whoever connects
 * and is refused fills the disk.
 */
#ifndef LI_SELDOM_H
#define LI_SELDOM_H
#include "json.h"
#include <stdint.h>

#define LI_SELDOM_MS 60000
#define LI_SELDOM_KINDS 16

struct li_seldom_kind {
	const char *event, *why; /**< NULL: free                            */
	json_t *detail;          /**< of the last one; ours                 */
	uint64_t count;          /**< since it was told                     */
	uint64_t next_ms;        /**< when it may be told again             */
};

/** Plain memory, zeroed at the begin. */
struct li_seldom {
	struct li_seldom_kind kind[LI_SELDOM_KINDS];
};

/**
 * It happened.
 * @param event, why  constants: what is counted together; kinds beyond
 *                    LI_SELDOM_KINDS count as the last one
 * @param detail      stolen; an object, or NULL
 */
void li_seldom_count(struct li_seldom *s, const char *event, const char *why,
		     json_t *detail);

/** One that is to be told now: the last one's detail, with "count".
 *  @return the caller's; NULL: none */
json_t *li_seldom_due(struct li_seldom *s, uint64_t now_ms,
		      const char **ret_event);

void li_seldom_close(struct li_seldom *s);

#endif
