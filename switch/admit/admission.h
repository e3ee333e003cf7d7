/**
 * @file admission.h  One decision over all levels: which lines a call needs a
 * channel of (node, tenants, account, trunk, site, number, carrier, gateway),
 * whether each has room, and then all of them or none.
 *
 * Collect (init, add), check (pure), then take, or count the refusal; a route
 * test takes of a draft (channels_draft()). A call that a line refuses uses up nothing of another:
 * neither a channel nor a call per second.
 */
#ifndef ADMISSION_H
#define ADMISSION_H
#include "channel.h"

#define ADMISSION_LINES_MAX 16

enum limit_level {
	LEVEL_NODE, LEVEL_TENANT, LEVEL_ACCOUNT, LEVEL_TRUNK, LEVEL_SITE,
	LEVEL_NUMBER, LEVEL_CARRIER, LEVEL_GATEWAY, LEVEL_N
};

/** One line that stands before a call. */
struct admission_line {
	enum limit_level level;
	enum channel_dir dir;
	bool has_rate;               /**< the call counts for its cps      */
	const char *id;              /**< borrowed until it is taken       */
	const struct limits *limits; /**< borrowed likewise                */
	struct channel_hold *hold;   /**< where the channel goes           */

	/* found by the check */
	struct channel_line *line;   /**< NULL: nobody used it lately      */
	uint64_t hash;
	enum outcome outcome;        /**< OUT_OK, or which limit it met    */
	bool is_marked;              /**< and passed all the same          */
	enum channel_measure what;   /**< of the limit met, else of the    */
	uint32_t used, limit;        /**< tightest; limit UINT32_MAX: none */
};

struct admission {
	struct admission_line lines[ADMISSION_LINES_MAX];
	uint8_t n;
	uint8_t failed;              /**< the line that refused; n: none   */
	bool passes_all;             /**< emergency: nothing refuses it    */
	uint32_t kbps;               /**< of its media, as far as known    */
	uint64_t wait_us;            /**< OUT_LIMIT_CPS: until it fits     */
};

void admission_init(struct admission *a, bool passes_all, uint32_t kbps);

/** One line more. @param hold  holds nothing yet; NULL for a check alone */
void admission_add(struct admission *a, enum limit_level level,
		   enum channel_dir dir, bool has_rate, const char *id,
		   const struct limits *limits, struct channel_hold *hold);

/**
 * Is there room everywhere? Pure. The first line that refuses is a->failed;
 * lines behind it are not looked at, but for one that passes all.
 * @return OUT_OK or the outcome of the limit
 */
enum outcome admission_check(struct admission *a, const struct channels *c,
			     const struct moment *now);

/**
 * After OUT_OK: hold a channel of each line.
 * @param call_id  16 bytes that live as long as the holds
 * @return OUT_OK; OUT_LIMIT_NODE: no memory, nothing is held
 */
enum outcome admission_take(struct admission *a, struct channels *c,
			    const struct moment *now, const uint8_t *call_id);

/** After a refusal: the line that refused counts it. */
void admission_count(struct admission *a, struct channels *c,
		     const struct moment *now);

/** After it was taken or counted: is a limit of this line used up now? */
bool admission_is_full(const struct admission *a,
		       const struct admission_line *l);

/** "trunk" */
const char *limit_level_name(enum limit_level level);
/** "total", "in", "out", "kbps" */
const char *channel_measure_name(enum channel_measure what);

#endif
