/**
 * @file call.h  One call: two legs, their media, their money, one record. A
 * call lives on one worker and is moved by its table (call_table.h) alone.
 */
#ifndef CALL_H
#define CALL_H
#include <re.h>
#include "outcome.h"

struct call;
struct catalog;
struct worker;
struct gate_verdict;
struct sip_path;

/**
 * An INVITE that the gate let in (or refused by name): the call is born,
 * takes the transaction, and the table does the rest.
 */
void call_birth(struct worker *w, const struct sip_msg *invite,
		const struct sip_path *path, const struct gate_verdict *who);

/**
 * An INVITE that never became a call, since its credentials were wrong: its
 * record and event, unless there are too many of them (then it is counted).
 */
void call_refused(struct worker *w, const struct sip_msg *invite,
		  const struct sip_path *path, const struct gate_verdict *who,
		  enum outcome out);

/** An operator ends it. @param outcome OUT_ADMIN_DROP or OUT_LIMIT_NODE */
void call_drop(struct call *call, enum outcome outcome);

/**
 * End the call (OUT_SUSPENDED) if one of its trunks is not usable any more
 * and says that its calls are cut off then. An emergency call goes on, and so
 * does a call through a carrier that was suspended: it gets no new ones.
 */
void call_suspend(struct call *call, const struct catalog *cat);

/** Its END record is on disk. */
void call_journalled(struct call *call);

/** Sequence number of its END record, once that is appended. */
uint64_t call_end_seq(const struct call *call);

struct json_t;
/** One row of `calls`. New reference. */
struct json_t *call_row(const struct call *call);

/** Id of the customer's trunk that the row names. */
const char *call_shown_trunk(const struct call *call);

/** The number that was called: where others forward it is their affair. */
const char *call_shown_called(const struct call *call);

struct decision_answer;
/** A decision URL answered. @return false: the call does not wait for it */
bool call_decided(struct call *call, const struct decision_answer *answer);
/** Everything that is known of it: row, trail, attempts. New reference. */
struct json_t *call_story(const struct call *call);
/** A picture of an ended call, good for call_story() only; NULL: no memory. */
struct call *call_past(const struct call *call);

#endif
