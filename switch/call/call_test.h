/**
 * @file call_test.h  What would become of a call? The steps of a real call,
 * run on an INVITE that nobody sent (struct call: is_test).
 */
#ifndef CALL_TEST_H
#define CALL_TEST_H

struct json_t;
struct worker;

/**
 * Command "route_test" of the control socket (worker_command()).
 *
 * In: "trunk" (and "site"), "gateway" or "source" ("192.0.2.1:5060") says who
 * calls; "from", "to": numbers as the peer would send them; "display",
 * "private" (RFC 3323), "codecs" (["PCMA", "PCMU"] when absent), "at_ms": wall
 * time [ms] that rates and schedules are read at, now when absent.
 *
 * "ledger": {"acc_...": micro-units}: what could be leased of these accounts,
 * by who can ask PostgreSQL. Of others whose money is not on this node it is
 * supposed that there is enough, and the note of it has no outcome.
 *
 * Instead of numbers: "message", the text of a whole INVITE.
 *
 * Out: "decision" (why.h), "outcome" ("ok": an INVITE would go out), "sip_code"
 * that the caller would hear else, "call", and "invite": the text for the
 * first candidate, without SDP.
 *
 * @return new reference
 */
struct json_t *call_test(struct worker *w, const struct json_t *req);

#endif
