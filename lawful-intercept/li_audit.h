/**
 * @file li_audit.h  What was done, by whom, with what result: one record for
 * every X1 message, REST act, decision, start, stop and loss of delivery. Each
 * record is sealed and chained to the one before by a keyed hash; how far the
 * chain goes is a row of its own. Whoever has the file and not the key can
 * neither read nor change it unseen.
 */
#ifndef LI_AUDIT_H
#define LI_AUDIT_H
#include "json.h"
#include <stdint.h>
#include "li_secret.h"
#include "li_store.h"

struct li_audit;

/** Go on after the last record. @return 0, EBADMSG (the end of the chain is
 *  not what was written), errno */
int li_audit_open(struct li_audit **ap, struct li_store *store,
		  const struct li_secret *secret);

#define LI_AUDIT_WAITING_MAX 4096

/**
 * A record that waits for the next commit. While the disk takes nothing, up
 * to LI_AUDIT_WAITING_MAX wait; how many did not fit the next record says.
 *
 * @param event   a constant: "x1", "delivery_start"
 * @param detail  stolen; an object, or NULL
 */
void li_audit_note(struct li_audit *a, int64_t wall_us, const char *event,
		   json_t *detail);

/**
 * Put what waits, and the changes of the store since the last commit, on
 * disk; with them the record of an act, when there is one: either all of it
 * is there, or the changes and the record of the act are not.
 *
 * @param event  NULL: no act. Else as for li_audit_note()
 */
int li_audit_commit(struct li_audit *a, int64_t wall_us, const char *event,
		    json_t *detail);

/** Does anything wait? */
bool li_audit_waits(const struct li_audit *a);

/** Records on disk. */
int64_t li_audit_count(const struct li_audit *a);

/** What is wrong with a chain. */
struct li_audit_fault {
	int64_t seq;       /**< of the first record that is wrong; 0: none   */
	const char *what;  /**< "changed", "missing", a constant             */
	int64_t count;     /**< records that were read before it             */
};

/** Walk the whole chain. @return 0, EBADMSG (ret_fault says what), errno */
int li_audit_verify(struct li_store *store, const struct li_secret *secret,
		    struct li_audit_fault *ret_fault);

typedef int(li_audit_h)(int64_t seq, int64_t at_us, const char *json,
			void *arg);

/** Every record opened. @return 0, EBADMSG, errno, or what h returned */
int li_audit_each(struct li_store *store, const struct li_secret *secret,
		  li_audit_h *h, void *arg);

#endif
