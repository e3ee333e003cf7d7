/**
 * @file li_index.h  Which identities are looked for now, each with a number
 * that the switch says instead. Tasks with the same target share one: the
 * switch cannot tell how many there are.
 */
#ifndef LI_INDEX_H
#define LI_INDEX_H
#include <re.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "poi_message.h"

struct li_index;

struct li_sought {
	const char *identity;
	uint32_t id;
	uint8_t want; /**< enum poi_want */
};

int li_index_alloc(struct li_index **ip);

/**
 * Look at all tasks anew.
 * @param tasks  struct li_task
 * @return true when what is sought is not what it was; then the generation is
 *         another one
 */
bool li_index_build(struct li_index *x, const struct list *tasks,
		    int64_t now_us);

/** From 1, ascending. */
uint32_t li_index_generation(const struct li_index *x);

size_t li_index_count(const struct li_index *x);

/** i below the count. */
struct li_sought li_index_get(const struct li_index *x, size_t i);

/** Also for a while (LI_LATE_US) after it is sought no more: what was copied in
 *  time may come late. NULL: unknown. */
const char *li_index_identity(const struct li_index *x, uint32_t id);

#endif
